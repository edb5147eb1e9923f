"""BackwardLSTM against an nn.LSTM that is given everything flipped."""

from __future__ import annotations

import copy
import itertools
import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from lstm_core import BackwardLSTM, Recording, cell_weights, record, recording, steps
from lstm_core.errors import InputError, SelectionError
from lstm_core.shape import ModuleShape
from tests.lstm_core.worlds import (
    each_engine,
    make_cell,
    make_lstm,
    numbers,
    paper,
    state_for,
    steady,
)

ATOL = 1e-12

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

options_of_one = st.integers(1, 6).flatmap(
    lambda hidden_size: st.fixed_dictionaries(
        {
            "input_size": st.integers(1, 5),
            "hidden_size": st.just(hidden_size),
            "bias": st.booleans(),
            "batch_first": st.booleans(),
            "proj_size": st.integers(0, hidden_size - 1),
        }
    )
)


def pair(input_size=3, hidden_size=4, **options):
    """A BackwardLSTM and the nn.LSTM of the same weights."""
    backward = make_lstm(input_size, hidden_size, kind=BackwardLSTM, **options)
    forward = make_lstm(input_size, hidden_size, **options)
    forward.load_state_dict(backward.state_dict())
    return backward, forward


def flipped(forward, x, hx=None):
    """What the nn.LSTM says of the sentence read from its end, in sentence order."""
    time = 1 if forward.batch_first and x.dim() == 3 else 0
    with torch.no_grad():
        output, states = forward(torch.flip(x, [time]), hx)
    return torch.flip(output, [time]), states


def close(ours, theirs, atol=ATOL):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)


# --- the module ---------------------------------------------------------------------------------


@steady
@given(options_of_one, st.sampled_from([None, 1, 3]), st.integers(1, 5), st.booleans())
def test_it_is_an_lstm_that_is_given_the_sentence_flipped(options, batch, T, hx_given):
    backward, forward = pair(**options)
    axes = () if batch is None else (batch,)
    x = numbers(*((*axes, T) if options["batch_first"] else (T, *axes)), options["input_size"])
    hx = state_for(forward, batch) if hx_given else None

    with torch.no_grad():
        ours = backward(x, hx)

    output, states = flipped(forward, x, hx)
    close(ours[0], output, 0)
    close(ours[1], states, 0)


def test_it_is_the_second_half_of_a_bidirectional_lstm():
    both = make_lstm(bidirectional=True)
    backward = BackwardLSTM(3, 4, dtype=torch.float64)
    backward.load_state_dict(
        {name: getattr(both, f"{name}_reverse") for name in backward.state_dict()}
    )
    x = numbers(5, 2, 3)

    with torch.no_grad():
        output, (h_n, c_n) = backward(x)
        theirs, (h_both, c_both) = both(x)

    close(output, theirs[..., 4:])
    close(h_n, h_both[1:])
    close(c_n, c_both[1:])
    close(h_n[0], output[0])


def test_it_learns_like_one():
    backward, forward = pair()
    x = numbers(4, 2, 3)

    backward(x)[0].pow(2).sum().backward()
    forward(x.flip(0))[0].pow(2).sum().backward()

    for ours, theirs in zip(backward.parameters(), forward.parameters(), strict=True):
        close(ours.grad, theirs.grad)


@pytest.mark.parametrize("call", [
    lambda lstm, x, hx: lstm(x, hx),
    lambda lstm, x, hx: lstm(x, hx=hx),
    lambda lstm, x, hx: lstm(input=x, hx=hx),
])  # fmt: skip
def test_it_is_called_like_one(call):
    backward, forward = pair()
    x, hx = numbers(4, 3), state_for(forward, None)

    with torch.no_grad():
        close(call(backward, x, hx), flipped(forward, x, hx))
    with recording(backward) as log, torch.no_grad():
        call(backward, x, hx)
    assert log[""][0].parity < ATOL


def test_it_can_be_copied_and_kept():
    backward, _ = pair(proj_size=2, batch_first=True)
    x = numbers(2, 4, 3)

    for other in (copy.deepcopy(backward), pickle.loads(pickle.dumps(backward))):
        with torch.no_grad():
            close(other(x), backward(x), 0)
    assert repr(backward).startswith("BackwardLSTM(3, 4, proj_size=2")


def test_sequences_that_end_at_different_timesteps_are_refused():
    backward, _ = pair()

    with pytest.raises(InputError, match="whole sequences") as error:
        backward(pack_sequence([numbers(3, 3), numbers(2, 3)]))

    assert error.value.came == "a PackedSequence"


@pytest.mark.parametrize("option", ["num_layers", "dropout", "bidirectional"])
def test_what_it_has_not_is_no_argument(option):
    with pytest.raises(TypeError, match=option):
        BackwardLSTM(3, 4, **{option: 1})
    with pytest.raises(ValueError, match="one layer"):
        ModuleShape(3, 4, kind="BackwardLSTM", **{"num_layers": 2} if option == "num_layers" else
                    {"bidirectional": True})  # fmt: skip


# --- recorded -----------------------------------------------------------------------------------


@each_engine
@pytest.mark.parametrize("proj_size", [0, 2])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("batch", [None, 1, 3])
def test_a_recording_is_the_papers_equations_from_right_to_left(
    engine, batch, batch_first, bias, proj_size
):
    backward, forward = pair(bias=bias, batch_first=batch_first, proj_size=proj_size)
    T, B = 6, batch or 1
    x = numbers(T, B, 3)
    given_x = x[:, 0] if batch is None else x.transpose(0, 1) if batch_first else x
    hx = state_for(forward, batch)

    rec = record(backward, given_x, hx, engine=engine)

    states = hx if batch else tuple(t[:, None] for t in hx)
    arrays = paper(forward, x.flip(0), states)
    ones = [rec] if batch is None else list(rec)
    assert len(ones) == B
    for b, one in enumerate(ones):
        for q in "ifgoch":
            close(one[q, 0, "backward"], torch.from_numpy(arrays[q, 0, "forward"][::-1, b].copy()))
        assert torch.equal(one[q, 0], one[q, 0, "backward"])
        with pytest.raises(SelectionError):
            one["c", 0, "forward"]
    output, (h_n, c_n) = flipped(forward, given_x, hx)
    close(rec.output, output)
    close(rec.h_n, h_n)
    close(rec.c_n, c_n)
    assert rec.parity < ATOL


@each_engine
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_each_of_ragged_sequences_begins_at_its_own_end(engine, batch_first, packed):
    backward, forward = pair(batch_first=batch_first)
    sequences = [numbers(T, 3, seed=T) for T in (2, 6, 1, 4)]
    h_0, c_0 = state_for(forward, 4)
    if packed:
        rec = record(
            backward, pack_sequence(sequences, enforce_sorted=False), (h_0, c_0), engine=engine
        )
    else:
        x = nn.utils.rnn.pad_sequence(sequences, batch_first=batch_first, padding_value=9.0)
        rec = record(backward, x, (h_0, c_0), lengths=[2, 6, 1, 4], engine=engine)

    for b, x in enumerate(sequences):
        output, (h_n, c_n) = flipped(forward, x, (h_0[:, b], c_0[:, b]))
        close(rec[b].output, output)
        close(rec[b].h_n, h_n)
        close(rec[b].c_n, c_n)
    assert rec.parity < ATOL


def test_a_module_inside_another_is_recorded_while_it_runs():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.inside = nn.ModuleDict({"back": pair()[0]})

        def forward(self, x):
            return self.inside["back"](x)[0]

    model, x = Model(), numbers(5, 2, 3)

    with recording(model) as log, torch.no_grad():
        output = model(x)

    (batch,) = log["inside.back"]
    close(batch.output, output)
    assert batch.parity < ATOL
    expected = record(model.inside["back"], x, engine="reference")
    for ours, theirs in zip(batch, expected, strict=True):
        close(dict(ours.arrays), dict(theirs.arrays))


def test_hooks_see_timesteps_of_the_sentence_in_the_order_of_reading():
    backward, _ = pair()
    seen, x = [], numbers(4, 3)

    def shut(value, at):
        seen.append((at.timestep, at.direction))
        return torch.zeros_like(value) if at.timestep == 2 else None

    rec = record(backward, x, hooks={("o", 0): shut})

    assert seen == [(t, "backward") for t in (3, 2, 1, 0)]
    plain = record(backward, x)
    assert not rec["h", 0][2].any()
    close(rec["h", 0][3], plain["h", 0][3])
    assert not torch.equal(rec["h", 0][1], plain["h", 0][1])
    with torch.no_grad():
        first = (rec["h", 0][2][None], rec["c", 0][2][None])
        close(rec.output[:2], backward(x[:2], first)[0])


def test_gradients_of_a_recording_are_those_of_the_module():
    backward, forward = pair(proj_size=2)
    x = numbers(4, 3).requires_grad_()
    y = x.detach().clone().requires_grad_()

    rec = record(backward, x, grad=True)
    rec.output.pow(2).sum().backward()
    forward(y.flip(0))[0].pow(2).sum().backward()

    close(x.grad, y.grad)
    for ours, theirs in zip(backward.parameters(), forward.parameters(), strict=True):
        close(ours.grad, theirs.grad)


def test_a_recording_comes_back_from_its_file(tmp_path):
    backward, _ = pair(proj_size=2)
    rec = record(backward, numbers(4, 3), tokens=list("abcd"))

    rec.save(tmp_path / "a")
    back = Recording.load(tmp_path / "a")

    assert back.shape == rec.shape
    assert back.shape.modules[0].kind == "BackwardLSTM"
    assert str(back.shape) == "BackwardLSTM(3, 4, proj_size=2)"
    assert set(back.arrays) == {(q, 0, "backward") for q in "ifgoch"}
    for key, array in rec.arrays.items():
        assert torch.equal(back.arrays[key], array)
    close((back.h_n, back.c_n, back.output), (rec.h_n, rec.c_n, rec.output), 0)
    assert back.parity == rec.parity


@pytest.mark.parametrize("batch", [None, 2])
@each_engine
def test_it_stands_anywhere_in_a_list(engine, batch):
    modules = [
        pair(3, 4)[0],
        make_lstm(4, 3, bidirectional=True, seed=1),
        make_lstm(6, 5, kind=BackwardLSTM, proj_size=2, seed=2),
        make_cell(2, 4),
        make_lstm(4, 3, kind=BackwardLSTM, seed=3),
    ]
    x = numbers(5, *(() if batch is None else (batch,)), 3)

    rec = record(modules, x, engine=engine)

    below, h_ns = x, []
    with torch.no_grad():
        for module in modules:
            if isinstance(module, nn.LSTMCell):
                state, rows = None, []
                for row in below:
                    state = module(row, state)
                    rows.append(state[0])
                below = torch.stack(rows)
                h_ns.append(state[0])
                continue
            options = {"bidirectional": module.bidirectional, "proj_size": module.proj_size}
            plain = make_lstm(module.input_size, module.hidden_size, **options)
            plain.load_state_dict(module.state_dict())
            back = isinstance(module, BackwardLSTM)
            output, (h_n, _) = flipped(plain, below) if back else plain(below)
            below = output
            h_ns.append(h_n)
    close(rec.output, below)
    for ours, theirs in zip(rec.h_n, h_ns, strict=True):
        close(ours, theirs)
    assert rec.parity < ATOL
    cells = [(0, "backward"), (1, "forward"), (1, "backward"), (2, "backward"), (3, "forward"),
             (4, "backward")]  # fmt: skip
    assert (rec if batch is None else rec[0]).shape.cells == cells


def test_dropout_stands_above_it():
    backward, above = pair()[0], make_lstm(4, 2, seed=5)
    x = numbers(5, 3)

    rec = record([backward, nn.Dropout(0.5), above], x)

    with torch.no_grad():
        close(rec.output, above(backward(x)[0] * rec.masks[0])[0])
    assert rec.masks[0].eq(0).any()
    assert rec.parity < ATOL


def test_its_weights_are_those_of_its_direction():
    backward, _ = pair()

    assert cell_weights(backward, 0, "backward").W_ih is backward.weight_ih_l0
    with pytest.raises(SelectionError, match="No such cell"):
        cell_weights(backward, 0, "forward")


@pytest.mark.parametrize("go_on", ["steps", "state"])
def test_it_cannot_go_on_where_it_began(go_on):
    backward, _ = pair()
    x = numbers(4, 3)

    with pytest.raises(InputError, match="begins at the end"):
        steps(backward, x) if go_on == "steps" else record(backward, x, state=record(backward, x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_arguments_of_an_lstm_are_its_own(dtype):
    for bias, proj_size in itertools.product([True, False], [0, 2]):
        lstm = BackwardLSTM(3, 4, bias=bias, proj_size=proj_size, dtype=dtype, device="cpu")
        plain = nn.LSTM(3, 4, bias=bias, proj_size=proj_size, dtype=dtype)
        assert {n: (t.shape, t.dtype) for n, t in lstm.state_dict().items()} == {
            n: (t.shape, t.dtype) for n, t in plain.state_dict().items()
        }
