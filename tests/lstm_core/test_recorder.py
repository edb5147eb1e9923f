"""The recorder against ``nn.LSTM``, ``nn.LSTMCell`` and the paper's equations in numpy."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence

from lstm_core import Recording, RecordingBatch, record
from lstm_core.engines import compiled
from lstm_core.errors import InputError
from lstm_core.stack import cell_weights
from tests.lstm_core.worlds import (
    State,
    each_engine,
    largest_difference,
    lstm_options,
    make_lstm,
    numbers,
    paper,
    state_for,
    steady,
)

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}

# nn.LSTM itself warns, wherever these tests call it with a projection.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def run_module(lstm: nn.LSTM, x: Any, hx: State | None) -> tuple[Any, Tensor, Tensor]:
    with torch.no_grad():
        output, (h_n, c_n) = lstm(x, hx)
    return output, h_n, c_n


def time_major(lstm: nn.LSTM, x: Tensor) -> Tensor:
    if x.dim() == 2:
        return x[:, None]
    return x.transpose(0, 1) if lstm.batch_first else x


def with_batch(x: Tensor, hx: State | None) -> State | None:
    return (hx[0][:, None], hx[1][:, None]) if hx is not None and x.dim() == 2 else hx


def each(recorded: Recording | RecordingBatch) -> list[Recording]:
    return [recorded] if isinstance(recorded, Recording) else list(recorded)


# --- equal to nn.LSTM ---------------------------------------------------------------------------


@each_engine
@pytest.mark.parametrize("hx_given", [False, True], ids=["zeros", "hx"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("kind", ["sequence", "batch", "batch_first"])
@pytest.mark.parametrize("proj_size", [0, 3], ids=["no-proj", "proj"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "two-way"])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_recording_gives_what_nn_lstm_gives(
    layers, bidirectional, bias, proj_size, kind, dtype, hx_given, engine
):
    lstm = make_lstm(
        5,
        4,
        num_layers=layers,
        bidirectional=bidirectional,
        bias=bias,
        proj_size=proj_size,
        batch_first=kind == "batch_first",
        dtype=dtype,
        scale=0.5,  # as in trained weights; see make_lstm
    )
    shape = {"sequence": (6, 5), "batch": (6, 2, 5), "batch_first": (2, 6, 5)}[kind]
    x = numbers(*shape, dtype=dtype)
    hx = state_for(lstm, None if kind == "sequence" else 2) if hx_given else None

    rec = record(lstm, x, hx, engine=engine)

    theirs = run_module(lstm, x, hx)
    ours = (rec.output, rec.h_n, rec.c_n)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=0, atol=TOLERANCE[dtype])
    assert rec.parity == largest_difference(ours, theirs)
    assert rec.parity <= TOLERANCE[dtype]


@each_engine
@pytest.mark.parametrize(
    ("layers", "bidirectional", "bias", "proj_size", "hx_given"),
    list(itertools.product([1, 2, 3], [False, True], [True, False], [0, 3], [False, True])),
)
def test_all_six_quantities_are_those_of_the_paper(
    layers, bidirectional, bias, proj_size, hx_given, engine
):
    lstm = make_lstm(
        3, 5, num_layers=layers, bidirectional=bidirectional, bias=bias, proj_size=proj_size
    )
    x = numbers(4, 2, 3)
    hx = state_for(lstm, 2) if hx_given else None

    batch = record(lstm, x, hx, engine=engine)

    by_hand = paper(lstm, x, hx)
    assert set(batch[0].arrays) == set(by_hand)
    for key, expected in by_hand.items():
        for b, rec in enumerate(batch):
            np.testing.assert_allclose(
                rec[key].numpy(), expected[:, b], rtol=0, atol=1e-12, err_msg=str(key)
            )


@each_engine
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("proj_size", [0, 2], ids=["no-proj", "proj"])
def test_h_and_c_of_every_cell_are_those_of_nn_lstm_cell(proj_size, dtype, engine):
    lstm = make_lstm(
        3, 4, num_layers=2, bidirectional=True, proj_size=proj_size, dtype=torch.float64
    ).to(dtype)
    x = numbers(5, 3, dtype=dtype)
    rec = record(lstm, x, engine=engine)

    below = x
    for layer in range(2):
        for direction, suffix in (("forward", ""), ("backward", "_reverse")):
            W_hh = getattr(lstm, f"weight_hh_l{layer}{suffix}")
            W_hr = getattr(lstm, f"weight_hr_l{layer}{suffix}") if proj_size else torch.eye(4)
            cell = nn.LSTMCell(below.shape[1], 4, dtype=dtype)
            cell.load_state_dict(
                {
                    "weight_ih": getattr(lstm, f"weight_ih_l{layer}{suffix}"),
                    "weight_hh": W_hh @ W_hr.to(dtype),  # reads h before the projection
                    "bias_ih": getattr(lstm, f"bias_ih_l{layer}{suffix}"),
                    "bias_hh": getattr(lstm, f"bias_hh_l{layer}{suffix}"),
                }
            )
            state = (torch.zeros(4, dtype=dtype), torch.zeros(4, dtype=dtype))
            for t in range(5) if direction == "forward" else reversed(range(5)):
                with torch.no_grad():
                    state = cell(below[t], state)
                    h = state[0] @ W_hr.to(dtype).T
                atol = 5 * TOLERANCE[dtype]
                torch.testing.assert_close(rec["h", layer, direction][t], h, rtol=0, atol=atol)
                torch.testing.assert_close(
                    rec["c", layer, direction][t], state[1], rtol=0, atol=atol
                )
        below = torch.cat([rec["h", layer, "forward"], rec["h", layer, "backward"]], dim=1)


@each_engine
@steady
@given(
    options=lstm_options,
    T=st.integers(1, 6),
    B=st.none() | st.integers(1, 4),
    hx_given=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 1000),
)
def test_any_lstm_on_any_input_is_recorded_as_it_runs(engine, options, T, B, hx_given, dtype, seed):
    scale = 0.5 if dtype == torch.float32 else 1  # see make_lstm
    lstm = make_lstm(**options, dtype=dtype, seed=seed, scale=scale)
    axes = (T,) if B is None else (B, T) if lstm.batch_first else (T, B)
    x = numbers(*axes, lstm.input_size, seed=seed + 1, dtype=dtype)
    hx = state_for(lstm, B, seed=seed + 2) if hx_given else None

    rec = record(lstm, x, hx, engine=engine)

    atol = TOLERANCE[dtype]
    for a, b in zip((rec.output, rec.h_n, rec.c_n), run_module(lstm, x, hx), strict=True):
        assert a.shape == b.shape
        torch.testing.assert_close(a, b, rtol=0, atol=atol)
    by_hand = paper(lstm, time_major(lstm, x), with_batch(x, hx))
    for b, sequence in enumerate(each(rec)):
        assert len(sequence) == T
        for key, expected in by_hand.items():
            np.testing.assert_allclose(sequence[key].numpy(), expected[:, b], rtol=0, atol=atol)


# --- what a direction, a batch and a timestep mean ----------------------------------------------


@each_engine
@steady
@given(T=st.integers(1, 6), proj_size=st.integers(0, 2), seed=st.integers(0, 100))
def test_the_backward_half_is_a_forward_lstm_on_the_reversed_sequence(engine, T, proj_size, seed):
    both = make_lstm(3, 4, bidirectional=True, proj_size=proj_size, seed=seed)
    alone = make_lstm(3, 4, proj_size=proj_size)
    alone.load_state_dict({name: getattr(both, name + "_reverse") for name in alone.state_dict()})
    x = numbers(T, 3, seed=seed)

    backward = record(both, x, engine=engine)
    forward = record(alone, x.flip(0), engine=engine)

    for q in "ifgoch":
        torch.testing.assert_close(
            backward[q, 0, "backward"], forward[q, 0].flip(0), rtol=0, atol=1e-14
        )


@each_engine
@steady
@given(options=lstm_options, T=st.integers(1, 5), B=st.integers(1, 5), hx_given=st.booleans())
def test_a_batch_is_its_sequences_one_by_one(engine, options, T, B, hx_given):
    lstm = make_lstm(**options)
    x = numbers(*((B, T) if lstm.batch_first else (T, B)), lstm.input_size)
    hx = state_for(lstm, B) if hx_given else None

    batch = record(lstm, x, hx, engine=engine)

    assert len(batch) == B
    for b in range(B):
        one = x[b] if lstm.batch_first else x[:, b]
        own = (hx[0][:, b], hx[1][:, b]) if hx else None
        alone = record(lstm, one, own, engine=engine)
        assert torch.equal(batch[b].x, one)
        assert torch.equal(batch[b].h_0, alone.h_0)
        assert torch.equal(batch[b].c_0, alone.c_0)
        for key in alone.arrays:
            torch.testing.assert_close(batch[b][key], alone[key], rtol=0, atol=1e-12)


@each_engine
def test_timesteps_are_in_sentence_order_in_both_directions(engine):
    # A change at timestep 2 is seen from there on: to the right forward, to the left backward.
    lstm = make_lstm(bidirectional=True)
    x = numbers(5, 3)
    changed = x.clone()
    changed[2] += 1

    before, after = record(lstm, x, engine=engine), record(lstm, changed, engine=engine)

    for q in "ifgoch":
        forward = (before[q, 0, "forward"] != after[q, 0, "forward"]).any(dim=1).tolist()
        backward = (before[q, 0, "backward"] != after[q, 0, "backward"]).any(dim=1).tolist()
        assert forward == [False, False, True, True, True]
        assert backward == [True, True, True, False, False]


@each_engine
def test_the_last_state_of_the_backward_direction_is_at_timestep_zero(engine):
    lstm = make_lstm(num_layers=2, bidirectional=True)
    rec = record(lstm, numbers(5, 3), engine=engine)

    for row, (layer, direction, t) in enumerate(
        [(0, "forward", 4), (0, "backward", 0), (1, "forward", 4), (1, "backward", 0)]
    ):
        assert torch.equal(rec.h_n[row], rec["h", layer, direction][t])
        assert torch.equal(rec.c_n[row], rec["c", layer, direction][t])


@each_engine
def test_a_layer_reads_both_directions_of_the_layer_below(engine):
    lstm = make_lstm(num_layers=2, bidirectional=True)
    upper = make_lstm(8, 4, bidirectional=True)
    upper.load_state_dict(
        {name: getattr(lstm, name.replace("_l0", "_l1")) for name in upper.state_dict()}
    )
    rec = record(lstm, numbers(5, 3), engine=engine)
    below = torch.cat([rec["h", 0, "forward"], rec["h", 0, "backward"]], dim=1)

    alone = record(upper, below, engine=engine)

    for q, direction in itertools.product("ifgoch", ("forward", "backward")):
        torch.testing.assert_close(rec[q, 1, direction], alone[q, 0, direction], rtol=0, atol=1e-14)


@each_engine
def test_a_sequence_in_two_parts_is_the_sequence_when_the_state_is_handed_on(engine):
    lstm = make_lstm(num_layers=2, proj_size=2)
    x = numbers(7, 3)

    whole = record(lstm, x, engine=engine)
    first = record(lstm, x[:3], engine=engine)
    second = record(lstm, x[3:], (first.h_n, first.c_n), engine=engine)

    for key in whole.arrays:
        both = torch.cat([first[key], second[key]])
        torch.testing.assert_close(both, whole[key], rtol=0, atol=1e-14)


def test_the_initial_state_is_part_of_the_recording():
    lstm = make_lstm(num_layers=2, bidirectional=True, proj_size=2)
    h_0, c_0 = state_for(lstm, None)

    given_, zeros = record(lstm, numbers(2, 3), (h_0, c_0)), record(lstm, numbers(2, 3))

    assert torch.equal(given_.h_0, h_0)
    assert torch.equal(given_.c_0, c_0)
    cells = [(0, "forward"), (0, "backward"), (1, "forward"), (1, "backward")]
    assert list(given_.initial) == cells
    for row, cell in enumerate(cells):
        assert torch.equal(given_.initial[cell].h, h_0[row])
        assert torch.equal(given_.initial[cell].c, c_0[row])
    assert torch.equal(zeros.h_0, torch.zeros_like(h_0))
    assert torch.equal(zeros.c_0, torch.zeros_like(c_0))


def test_tokens_name_the_timesteps():
    rec = record(make_lstm(), numbers(2, 3), tokens=["sun", " "])

    assert rec.tokens == ("sun", " ")


def test_cell_weights_are_the_parameters_themselves():
    lstm = make_lstm(num_layers=2, bidirectional=True, proj_size=2)

    weights = cell_weights(lstm, 1, "backward")

    assert weights.W_ih is lstm.weight_ih_l1_reverse
    assert weights.W_hh is lstm.weight_hh_l1_reverse
    assert weights.b_ih is lstm.bias_ih_l1_reverse
    assert weights.b_hh is lstm.bias_hh_l1_reverse
    assert weights.W_hr is lstm.weight_hr_l1_reverse
    bare = cell_weights(make_lstm(bias=False), 0, "forward")
    assert bare.b_ih is bare.b_hh is bare.W_hr is None


# --- the comparison with the module -------------------------------------------------------------


class Counting(nn.LSTM):
    """Counts how often its own forward runs."""

    calls = 0

    def forward(self, *arguments):
        self.calls += 1
        return super().forward(*arguments)


class Off(nn.LSTM):
    """An LSTM that is not quite one: its output is 0.25 too large from timestep 2 on."""

    def forward(self, *arguments):
        output, state = super().forward(*arguments)
        output = output.clone()
        output[2:] += 0.25
        return output, state


def test_the_module_runs_once_and_only_when_parity_is_read():
    lstm = make_lstm(kind=Counting)

    rec = record(lstm, numbers(4, 3))
    assert lstm.calls == 0
    repr(rec)
    _ = rec.output, rec.h_n, rec.c_n
    assert lstm.calls == 0

    assert rec.parity == rec.parity_report.difference
    assert lstm.calls == 1


def test_a_batch_runs_the_module_once_for_all_its_sequences():
    lstm = make_lstm(kind=Counting)

    batch = record(lstm, numbers(4, 3, 3))
    assert lstm.calls == 0

    assert batch.parity == max(rec.parity for rec in batch)
    assert lstm.calls == 1


def test_a_module_that_is_no_lstm_after_all_is_found_out():
    rec = record(make_lstm(kind=Off), numbers(5, 3))

    assert rec.parity == pytest.approx(0.25, abs=1e-12)
    assert rec.parity_report.where == "output at timestep 2"
    assert not rec.parity_report.ok


def test_each_sequence_of_a_batch_has_its_own_parity():
    class OffInOne(nn.LSTM):
        def forward(self, *arguments):
            output, (h_n, c_n) = super().forward(*arguments)
            c_n = c_n.clone()
            c_n[0, 1] += 0.5
            return output, (h_n, c_n)

    batch = record(make_lstm(kind=OffInOne, batch_first=True), numbers(3, 4, 3))

    assert [rec.parity_report.where for rec in batch] == [None, "c_n[0]", None]
    assert batch.parity == pytest.approx(0.5)


def test_parity_is_refused_once_the_weights_were_changed_in_place():
    lstm = make_lstm()
    rec = record(lstm, numbers(4, 3))
    with torch.no_grad():
        lstm.weight_hh_l0.mul_(2)

    with pytest.raises(InputError, match="changed since the recording was made"):
        _ = rec.parity
    with pytest.raises(InputError, match="changed since"):
        rec.to_bytes()


def test_parity_is_refused_after_an_optimizer_step():
    lstm = make_lstm()
    rec = record(lstm, numbers(4, 3))
    lstm(numbers(4, 3))[0].sum().backward()
    torch.optim.SGD(lstm.parameters(), lr=0.1).step()

    with pytest.raises(InputError, match="changed since"):
        _ = rec.parity


def test_parity_is_refused_once_a_weight_was_replaced():
    lstm = make_lstm()
    rec = record(lstm, numbers(4, 3))
    lstm.weight_hh_l0 = nn.Parameter(lstm.weight_hh_l0.detach().clone() * 2)

    with pytest.raises(InputError, match="changed since"):
        _ = rec.parity


def test_parity_is_refused_once_the_module_was_converted():
    lstm = make_lstm(dtype=torch.float32)
    rec = record(lstm, numbers(4, 3, dtype=torch.float32))
    lstm.double()

    with pytest.raises(InputError, match="changed since"):
        _ = rec.parity


def test_a_parity_once_read_outlives_the_weights():
    lstm = make_lstm()
    rec = record(lstm, numbers(4, 3))
    parity = rec.parity
    with torch.no_grad():
        lstm.weight_hh_l0.zero_()

    assert rec.parity == parity


def test_dropout_switched_on_after_recording_stays_out_of_the_comparison():
    lstm = make_lstm(num_layers=2, dropout=0.9)
    rec = record(lstm, numbers(4, 3))
    lstm.train()

    assert rec.parity < 1e-12
    assert lstm.training


def test_dropout_switched_off_after_recording_stays_in_the_comparison():
    lstm = make_lstm(num_layers=2, dropout=0.5).train()
    rec = record(lstm, numbers(4, 3))
    lstm.eval()

    assert rec.parity < 1e-12
    assert not lstm.training


@pytest.fixture
def seen():
    """Every warning, also those that torch gives once per process otherwise."""
    torch.set_warn_always(True)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield seen
    torch.set_warn_always(False)


def test_reading_parity_warns_of_nothing(seen):
    # oneDNN warns about a projection; the run is ours, and right.
    compiled.warm_up()  # whatever compiling may say is said before
    seen.clear()
    lstm = make_lstm(proj_size=2, dtype=torch.float32, scale=0.5)
    x = numbers(4, 3, dtype=torch.float32)

    assert record(lstm, x).parity < 1e-6
    assert not seen

    lstm(x)  # the user's own runs are the user's own
    assert ["LSTM with projections" in str(warning.message) for warning in seen] == [True]


@each_engine
@pytest.mark.parametrize("read_inside", [False, True])
def test_inference_mode_changes_nothing(read_inside, engine):
    lstm = make_lstm()
    with torch.inference_mode():
        x = numbers(4, 3)
        rec = record(lstm, x, (numbers(1, 4), numbers(1, 4)), engine=engine)
        inside = rec.parity if read_inside else 0.0

    assert inside < 1e-12
    assert rec.parity < 1e-12


# --- nothing is left behind ---------------------------------------------------------------------


@each_engine
@pytest.mark.parametrize("training", [False, True])
def test_the_module_is_left_as_it_was(training, engine):
    lstm = make_lstm(num_layers=2, bidirectional=True).train(training)
    before = {name: tensor.clone() for name, tensor in lstm.state_dict().items()}
    versions = [parameter._version for parameter in lstm.parameters()]
    attributes = set(vars(lstm))

    assert record(lstm, numbers(3, 2, 3), engine=engine).parity < 1e-12

    assert lstm.training is training
    assert set(vars(lstm)) == attributes
    assert not lstm._forward_hooks
    assert not lstm._forward_pre_hooks
    assert not lstm._backward_hooks
    for name, tensor in lstm.state_dict().items():
        assert torch.equal(tensor, before[name])
    for parameter, version in zip(lstm.parameters(), versions, strict=True):
        assert parameter.requires_grad
        assert parameter.grad is None
        assert parameter._version == version


@each_engine
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("batch", [None, 2])
def test_nothing_of_a_recording_is_part_of_an_autograd_graph(batch, batch_first, engine):
    lstm = make_lstm(num_layers=2, batch_first=batch_first)
    x = numbers(*((2, 3) if batch else (2,)), 3).requires_grad_()
    if batch and not batch_first:
        x = numbers(3, 2, 3).requires_grad_()
    hx = tuple(state.requires_grad_() for state in state_for(lstm, batch))

    rec = record(lstm, x, hx, engine=engine)
    assert rec.parity < 1e-12

    for one in each(rec):
        for tensor in (*one.arrays.values(), one.x, one.h_0, one.c_0, one.output, one.h_n):
            assert not tensor.requires_grad
            assert tensor.grad_fn is None
    assert x.requires_grad
    assert x.grad is None


@each_engine
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("batch", [None, 3])
def test_recording_leaves_x_and_hx_alone_and_does_not_follow_them(batch, batch_first, engine):
    lstm = make_lstm(batch_first=batch_first)
    x = numbers(3, 3) if batch is None else numbers(3, batch, 3)
    hx = state_for(lstm, batch)
    kept = [t.clone() for t in (x, *hx)]

    rec = record(lstm, x, hx, engine=engine)
    assert all(torch.equal(a, b) for a, b in zip((x, *hx), kept, strict=True))
    for tensor in (x, *hx):  # a loop that fills its buffers again
        tensor.fill_(9)

    first = each(rec)[0]
    b = () if batch is None else (0,)
    assert torch.equal(first.x, time_major(lstm, kept[0])[:, 0])
    assert torch.equal(first.h_0, kept[1][(slice(None), *b)])
    assert torch.equal(first.c_0, kept[2][(slice(None), *b)])
    assert rec.parity < 1e-12


@each_engine
def test_a_strided_input_is_recorded_like_one_that_lies_together(engine):
    lstm = make_lstm()
    x = numbers(3, 8).T[:, :3]  # (8, 3), not contiguous
    assert not x.is_contiguous()

    a, b = record(lstm, x, engine=engine), record(lstm, x.contiguous(), engine=engine)

    torch.testing.assert_close(a.output, b.output, rtol=0, atol=1e-14)
    assert a.parity < 1e-12


# --- what does not fit --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (nn.Linear(3, 4), "a Linear"),
        (nn.Dropout(0.5), "a Dropout"),
        (nn.LSTM, "a type"),
        (None, "a NoneType"),
        (numbers(2, 3), "a Tensor"),
        ("lstm", "a str"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_lstm_is_refused_by_name(module, name):
    with pytest.raises(InputError, match="Only an LSTM can be recorded") as error:
        record(module, numbers(2, 3))

    assert error.value.came == name
    assert error.value.expected == (
        "a torch.nn.LSTM, nn.LSTMCell, lstm_core.FusedCell, or a list of them"
    )


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (nn.GRU(3, 4), "a GRU"),
        (nn.GRUCell(3, 4), "a GRUCell"),
        (nn.RNN(3, 4), "an RNN"),
        (nn.RNNCell(3, 4), "an RNNCell"),
    ],
    ids=["GRU", "GRUCell", "RNN", "RNNCell"],
)
def test_a_relative_of_the_lstm_is_told_what_it_is(module, name):
    with pytest.raises(InputError, match=f"This is {name}; Gatescope opens LSTMs") as error:
        record(module, numbers(2, 3))

    assert error.value.came == name
    assert error.value.expected == "a torch.nn.LSTM or nn.LSTMCell"
    assert "no cell state" in str(error.value)


def test_a_model_with_lstms_inside_is_shown_the_way_to_them():
    with pytest.raises(InputError, match="Only an LSTM can be recorded") as error:
        record(nn.ModuleDict({"lstm": nn.LSTM(3, 4)}), numbers(2, 3))

    assert error.value.came == "a ModuleDict"
    assert "lstm_core.recording(module)" in error.value.expected


# --- dropout ------------------------------------------------------------------------------------


@each_engine
@pytest.mark.parametrize("form", ["sequence", "batch", "batch_first", "packed", "unsorted"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "two-way"])
def test_dropout_in_training_mode_is_what_the_module_would_draw_from_the_same_seed(
    bidirectional, form, engine
):
    lstm = make_lstm(
        num_layers=3,
        bidirectional=bidirectional,
        proj_size=3,
        dropout=0.4,
        batch_first=form == "batch_first",
    ).train()
    x = numbers(5, 3) if form == "sequence" else numbers(5, 4, 3)
    if form in ("packed", "unsorted"):
        lengths = [5, 4, 4, 1] if form == "packed" else [2, 5, 1, 4]
        x = pack_padded_sequence(x, lengths, enforce_sorted=form == "packed")

    torch.manual_seed(7)
    output, h_n, c_n = run_module(lstm, x, None)
    torch.manual_seed(7)
    rec = record(lstm, x, engine=engine)

    for ours, theirs in ((rec.output, output), (rec.h_n, h_n), (rec.c_n, c_n)):
        a, b = (t if isinstance(t, Tensor) else t.data for t in (ours, theirs))
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    assert rec.parity < 1e-12


@each_engine
def test_the_masks_of_dropout_are_part_of_the_recording(engine):
    lstm = make_lstm(num_layers=3, bidirectional=True, dropout=0.25).train()

    torch.manual_seed(0)
    rec = record(lstm, numbers(200, 3), engine=engine)

    assert list(rec.masks) == [0, 1]  # none above the last layer
    for mask in rec.masks.values():
        assert mask.shape == (200, 8)
        assert set(mask.unique().tolist()) == {0.0, 1 / 0.75}
        assert float((mask == 0).double().mean()) == pytest.approx(0.25, abs=0.05)
    # What a layer reads is what the one below gave, times the mask.
    upper = make_lstm(8, 4, bidirectional=True)
    upper.load_state_dict(
        {name: getattr(lstm, name.replace("_l0", "_l1")) for name in upper.state_dict()}
    )
    below = torch.cat([rec["h", 0, "forward"], rec["h", 0, "backward"]], dim=1)
    alone = record(upper, below * rec.masks[0], engine=engine)
    for q, direction in itertools.product("ifgoch", ("forward", "backward")):
        torch.testing.assert_close(rec[q, 1, direction], alone[q, 0, direction], rtol=0, atol=1e-12)


def test_sequences_of_a_batch_have_masks_of_their_own_cut_to_their_length():
    lstm = make_lstm(num_layers=2, dropout=0.5).train()

    batch = record(lstm, numbers(6, 3, 3), lengths=[2, 6, 3])

    assert [tuple(rec.masks[0].shape) for rec in batch] == [(2, 4), (6, 4), (3, 4)]
    assert batch.parity < 1e-12


def test_dropout_that_drops_everything_is_recorded_too():
    lstm = make_lstm(num_layers=2, dropout=1.0).train()

    rec = record(lstm, numbers(3, 3))

    assert not rec.masks[0].any()
    assert rec.parity < 1e-12


def test_dropout_that_does_nothing_leaves_no_mask():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch: dropout with one layer has no effect
        one_layer = make_lstm(dropout=0.5).train()
    evaluated = make_lstm(num_layers=2, dropout=0.5)

    for lstm in (one_layer, evaluated):
        rec = record(lstm, numbers(3, 3))
        assert rec.parity < 1e-12
        assert not rec.masks


def test_without_dropout_no_random_number_is_drawn():
    lstm = make_lstm(num_layers=2, dropout=0.5)
    before = torch.get_rng_state()

    assert record(lstm, numbers(3, 3)).parity < 1e-12

    assert torch.equal(torch.get_rng_state(), before)


# --- what else does not fit ---------------------------------------------------------------------

F32, F64 = torch.float32, torch.float64


@pytest.mark.parametrize(
    ("x", "message", "came", "expected"),
    [
        (numbers(5, 2), "wrong width", "shape (5, 2)", "last axis 3 (input_size)"),
        (numbers(5, 2, 4), "wrong width", "shape (5, 2, 4)", "last axis 3 (input_size)"),
        (numbers(3), "number of axes", "shape (3,)", "(T, input_size)"),
        (numbers(1, 2, 3, 3), "number of axes", "shape (1, 2, 3, 3)", "3 axes for a batch"),
        (torch.tensor(1.0), "number of axes", "shape ()", "(T, input_size)"),
        (numbers(0, 3), "nothing to record", "shape (0, 3)", "at least one timestep"),
        (numbers(0, 2, 3), "nothing to record", "shape (0, 2, 3)", "at least one timestep"),
        (numbers(2, 0, 3), "nothing to record", "shape (2, 0, 3)", "one sequence"),
        (numbers(2, 3, dtype=F32), "differ in kind", "x torch.float32 on cpu", "torch.float64"),
        (torch.ones(2, 3, dtype=torch.long), "differ in kind", "x torch.int64", "torch.float64"),
        (torch.ones(2, 3, device="meta").double(), "differ in kind", "on meta", "on cpu"),
        ([[1.0, 2.0, 3.0]], "not a tensor", "a list", "a torch.Tensor"),
        (np.ones((2, 3)), "not a tensor", "a ndarray", "a torch.Tensor"),
        (
            pack_sequence([numbers(2, 5), numbers(1, 5)]),
            "wrong width",
            "shape packed (3, 5)",
            "last axis 3 (input_size)",
        ),
        (
            pack_sequence([numbers(2, 3, dtype=F32)]),
            "differ in kind",
            "x torch.float32 on cpu",
            "torch.float64",
        ),
        (None, "not a tensor", "a NoneType", "a torch.Tensor"),
    ],
)
def test_an_input_that_does_not_fit_is_refused(x, message, came, expected):
    with pytest.raises(InputError, match=message) as error:
        record(make_lstm(), x)

    assert came in error.value.came
    assert expected in error.value.expected
    assert error.value.came in str(error.value)
    assert error.value.expected in str(error.value)


@pytest.mark.parametrize(
    ("hx", "message", "came", "expected"),
    [
        ((numbers(2, 4), numbers(1, 4)), "h_0 does not fit", "shape (2, 4)", "shape (1, 2)"),
        ((numbers(1, 2), numbers(1, 2)), "c_0 does not fit", "shape (1, 2)", "shape (1, 4)"),
        ((numbers(1, 4), numbers(1, 4)), "h_0 does not fit", "shape (1, 4)", "shape (1, 2)"),
        ((numbers(1, 1, 2), numbers(1, 1, 4)), "h_0", "shape (1, 1, 2)", "shape (1, 2)"),
        ((numbers(1, 2), numbers(1, 4, dtype=F32)), "c_0", "torch.float32", "torch.float64"),
        (
            (numbers(1, 2), torch.ones(1, 4, dtype=F64, device="meta")),
            "c_0",
            "on meta",
            "on cpu",
        ),
        (numbers(1, 2), "not a pair", "a Tensor", "(h_0, c_0)"),
        ((numbers(1, 2),), "not a pair", "a tuple of 1", "(h_0, c_0)"),
        ((numbers(1, 2), None), "not a pair", "a tuple of 2", "(h_0, c_0)"),
        (3, "not a pair", "a int", "(h_0, c_0)"),
    ],
)
def test_an_initial_state_that_does_not_fit_is_refused(hx, message, came, expected):
    with pytest.raises(InputError, match=message) as error:
        record(make_lstm(proj_size=2), numbers(3, 3), hx)

    assert came in error.value.came
    assert expected in error.value.expected


def test_a_batch_asks_for_a_batched_state():
    with pytest.raises(InputError, match="h_0 does not fit") as error:
        record(make_lstm(), numbers(3, 2, 3), (numbers(1, 4), numbers(1, 4)))

    assert "shape (1, 2, 4)" in error.value.expected


@pytest.mark.parametrize(
    ("x", "tokens", "came"),
    [
        (numbers(3, 3), "ab", "2 tokens for an input (3, 3)"),
        (numbers(3, 3), "", "0 tokens for an input (3, 3)"),
        (numbers(3, 2, 3), "abc", "3 tokens for an input (3, 2, 3)"),
        (pack_sequence([numbers(3, 3)]), "abc", "3 tokens for an input packed (3, 3)"),
    ],
    ids=["too few", "none", "batch", "packed"],
)
def test_tokens_that_name_no_timesteps_are_refused(x, tokens, came):
    with pytest.raises(InputError, match="Tokens name the timesteps") as error:
        record(make_lstm(), x, tokens=list(tokens))

    assert error.value.came == came
    assert error.value.expected == "as many tokens as timesteps"


# --- going on from a recording ------------------------------------------------------------------


def one() -> Recording:
    return record(make_lstm(), numbers(3, 3))


def two() -> RecordingBatch:
    return record(make_lstm(), numbers(3, 2, 3))


@pytest.mark.parametrize(
    ("axes", "make", "message", "came"),
    [
        ((), lambda: (one().h_n, one().c_n), "no recording to go on from", "a tuple"),
        ((), lambda: one().h_n, "no recording to go on from", "a Tensor"),
        ((), two, "has other sequences", "RecordingBatch of 2"),
        ((), lambda: two()[:1], "has other sequences", "RecordingBatch of 1"),
        ((2,), one, "has other sequences", "Recording of nn.LSTM(3, 4)"),
        ((3,), two, "has other sequences", "RecordingBatch of 2"),
        ((), lambda: record(make_lstm(3, 5), numbers(3, 3)), "of another LSTM", "nn.LSTM(3, 5)"),
        (
            (),
            lambda: record(make_lstm(dtype=F32), numbers(3, 3, dtype=F32)),
            "differs in kind",
            "torch.float32 on cpu",
        ),
    ],
    ids=["states", "state", "batch", "batch of one", "one", "fewer", "shape", "type"],
)
def test_a_recording_that_does_not_fit_is_nothing_to_go_on_from(axes, make, message, came):
    with pytest.raises(InputError, match=message) as error:
        record(make_lstm(), numbers(3, *axes, 3), state=make())

    assert came in error.value.came
    assert error.value.expected


def test_a_backward_direction_cannot_go_on():
    lstm = make_lstm(bidirectional=True)
    rec = record(lstm, numbers(3, 3))

    with pytest.raises(InputError, match="backward direction cannot go on") as error:
        record(lstm, numbers(3, 3), state=rec)

    assert error.value.came == "nn.LSTM(3, 4, bidirectional=True)"


def test_two_initial_states_are_one_too_many():
    rec = one()

    with pytest.raises(InputError, match="two initial states"):
        record(make_lstm(), numbers(3, 3), (rec.h_n, rec.c_n), state=rec)
