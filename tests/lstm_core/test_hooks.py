"""Hooks see what is recorded, and what they return is what the equations go on with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from lstm_core import Recording, Site, record
from lstm_core.errors import InputError, SelectionError
from tests.lstm_core.worlds import (
    fused,
    lstm_options,
    make_cell,
    make_lstm,
    numbers,
    state_for,
    steady,
)

QUANTITIES = "ifgoch"


def equations_with(lstm, x, edit, hx=None):
    """The paper's equations for one sequence (T, input_size), one number after another.

    ``edit(quantity, layer, direction, timestep, value)`` says with which value to go on. Shares no
    line with ``lstm_core``. Gives every quantity by (quantity, layer, direction), (T, units).
    """
    weights = {name: p.detach().numpy() for name, p in lstm.named_parameters()}
    T, H = len(x), lstm.hidden_size
    below, found = x.detach().numpy(), {}
    for layer in range(lstm.num_layers):
        sides = []
        for direction, suffix in (("forward", ""), ("backward", "_reverse")):
            if suffix and not lstm.bidirectional:
                continue
            name = f"l{layer}{suffix}"
            h, c = np.zeros(lstm.proj_size or H), np.zeros(H)
            if hx is not None:
                row = layer * (2 if lstm.bidirectional else 1) + bool(suffix)
                h, c = (state[row].numpy() for state in hx)
            for t in range(T) if not suffix else range(T - 1, -1, -1):
                z = weights[f"weight_ih_{name}"] @ below[t] + weights[f"weight_hh_{name}"] @ h
                if lstm.bias:
                    z = z + weights[f"bias_ih_{name}"] + weights[f"bias_hh_{name}"]
                value = {}
                for n, gate in enumerate("ifgo"):
                    own = z[n * H : n * H + H]
                    own = np.tanh(own) if gate == "g" else 1 / (1 + np.exp(-own))
                    value[gate] = edit(gate, layer, direction, t, own)
                c = edit("c", layer, direction, t, value["f"] * c + value["i"] * value["g"])
                h = value["o"] * np.tanh(c)
                if lstm.proj_size:
                    h = weights[f"weight_hr_{name}"] @ h
                h = edit("h", layer, direction, t, h)
                for q, array in (value | {"c": c, "h": h}).items():
                    found.setdefault((q, layer, direction), {})[t] = array
            sides.append(np.stack([found["h", layer, direction][t] for t in range(T)]))
        below = np.concatenate(sides, axis=-1)
    return {key: np.stack([rows[t] for t in range(T)]) for key, rows in found.items()}


def all_places(rec):
    return list(rec.arrays)


def assert_same_arrays(a, b):
    assert set(a.arrays) == set(b.arrays)
    for key in a.arrays:
        assert torch.equal(a[key], b[key]), key


def ones(recorded):
    return [recorded] if isinstance(recorded, Recording) else list(recorded)


# --- seeing -------------------------------------------------------------------------------------


@steady
@given(
    lstm_options,
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.sampled_from(["sequence", "packed", "padded"]),
)
def test_a_hook_sees_every_value_that_is_recorded_and_where_it_is(options, lengths, form):
    lstm = make_lstm(**options)
    sequences = [numbers(T, lstm.input_size, seed=b) for b, T in enumerate(lengths)]
    given_lengths = None
    if form == "sequence":
        lengths, x = lengths[:1], sequences[0]
    elif form == "packed":
        x = pack_sequence(sequences, enforce_sorted=False)
    else:
        x = nn.utils.rnn.pad_sequence(sequences, batch_first=lstm.batch_first)
        given_lengths = lengths
    plain = ones(record(lstm, x, lengths=given_lengths, engine="reference"))
    seen = {}

    def look(value, at):
        assert at not in seen
        seen[at] = value

    hooked = record(lstm, x, lengths=given_lengths, hooks=dict.fromkeys(all_places(plain[0]), look))

    sites = {
        Site(*key, timestep, b)
        for b, rec in enumerate(plain)
        for key in rec.arrays
        for timestep in range(lengths[b])
    }
    assert set(seen) == sites
    for at, value in seen.items():
        recorded = plain[at.sequence][at.quantity, at.layer, at.direction][at.timestep]
        assert torch.equal(value, recorded)
    for a, b in zip(ones(hooked), plain, strict=True):
        assert_same_arrays(a, b)


def test_the_timesteps_come_in_the_order_in_which_they_are_computed():
    lstm = make_lstm(num_layers=2, bidirectional=True)
    order = []
    places = [(q, n, d) for q in "ch" for n in (0, 1) for d in ("forward", "backward")]

    record(
        lstm,
        numbers(3, 3),
        hooks={p: lambda _, at: order.append(at) for p in places},
    )

    assert [(s.layer, s.direction, s.timestep, s.quantity) for s in order] == [
        (layer, direction, t, q)
        for layer in (0, 1)
        for direction, ts in (("forward", (0, 1, 2)), ("backward", (2, 1, 0)))
        for t in ts
        for q in "ch"
    ]


def test_the_cells_of_a_stack_have_hooks_by_the_layers_numbered_through():
    stack = [make_lstm(3, 4, num_layers=2), make_cell(4, 5), fused(make_cell(5, 2))]
    x = numbers(4, 2, 3)
    plain = record(stack, x)
    seen = {}

    record(stack, x, hooks={("h", n): lambda v, at: seen.update({at: v}) for n in range(4)})

    assert len(seen) == 4 * 4 * 2
    for at, value in seen.items():
        recorded = plain[at.sequence]["h", at.layer][at.timestep]
        torch.testing.assert_close(value, recorded, rtol=0, atol=1e-13)


def test_the_masks_of_dropout_are_the_same_beside_hooks():
    lstm = make_lstm(num_layers=3, dropout=0.5).train()
    with torch.random.fork_rng():
        torch.manual_seed(3)
        plain = record(lstm, numbers(4, 3), engine="reference")
        torch.manual_seed(3)
        hooked = record(lstm, numbers(4, 3), hooks={("c", 0): lambda _v, _at: None})

    assert_same_arrays(hooked, plain)
    assert all(torch.equal(hooked.masks[n], plain.masks[n]) for n in (0, 1))


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("batch", [None, 2])
def test_writing_into_the_value_changes_nothing(quantity, batch):
    lstm = make_lstm(num_layers=2, bidirectional=True, proj_size=2)
    x = numbers(4, 3) if batch is None else numbers(4, batch, 3)

    def scribble(value, _at):
        value.fill_(100)

    hooks = {(quantity, n, d): scribble for n in (0, 1) for d in ("forward", "backward")}
    hooked = record(lstm, x, hooks=hooks)

    for a, b in zip(ones(hooked), ones(record(lstm, x, engine="reference")), strict=True):
        assert_same_arrays(a, b)


def test_what_a_hook_kept_and_returned_may_be_written_to_later():
    lstm, x, buffer = make_lstm(), numbers(4, 3), torch.zeros(4, dtype=torch.float64)

    def count(_value, at):
        return buffer.fill_(at.timestep)  # the same tensor each time

    rec = record(lstm, x, hooks={("o", 0): count})
    buffer.fill_(100)

    assert torch.equal(rec["o", 0], torch.arange(4.0, dtype=torch.float64)[:, None].expand(4, 4))


def test_no_hooks_are_none():
    rec = record(make_lstm(), numbers(3, 3), hooks={})

    assert not rec.hooked
    assert rec.parity < 1e-12


def test_what_a_hook_raises_reaches_the_caller():
    def broken(_value, _at):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        record(make_lstm(), numbers(3, 3), hooks={("c", 0): broken})
    assert torch.is_grad_enabled()


# --- going on with another ----------------------------------------------------------------------


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("timestep", [0, 2, 4])
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("proj_size", [0, 2], ids=["no-proj", "proj"])
def test_a_replaced_value_gives_what_the_equations_give_with_it(
    quantity, timestep, direction, proj_size
):
    lstm = make_lstm(num_layers=3, bidirectional=True, proj_size=proj_size)
    x = numbers(5, 3)
    hx = state_for(lstm, None)  # from zeros the first f would not matter
    other = numbers(proj_size if proj_size and quantity == "h" else 4, seed=9)

    rec = record(
        lstm,
        x,
        hx,
        hooks={(quantity, 1, direction): lambda _, at: other if at.timestep == timestep else None},
    )

    def edit(q, layer, d, t, value):
        return other.numpy() if (q, layer, d, t) == (quantity, 1, direction, timestep) else value

    expected = equations_with(lstm, x, edit, hx)
    untouched = equations_with(lstm, x, lambda _q, _n, _d, _t, value: value, hx)
    assert set(rec.arrays) == set(expected)
    for key, array in expected.items():
        np.testing.assert_allclose(rec[key].numpy(), array, rtol=0, atol=1e-12, err_msg=str(key))
    assert torch.equal(rec[quantity, 1, direction][timestep], other)
    assert np.abs(expected["c", 2, "forward"] - untouched["c", 2, "forward"]).max() > 1e-6


@steady
@given(lstm_options, st.integers(1, 4), st.data())
def test_any_replacement_anywhere_gives_what_the_equations_give_with_it(options, T, data):
    lstm = make_lstm(**options)
    x = numbers(T, lstm.input_size)
    places = all_places(record(lstm, x))
    chosen = data.draw(st.sets(st.sampled_from(places), min_size=1, max_size=4))
    factor = {p: data.draw(st.floats(-2, 2)) for p in sorted(chosen)}

    def scaled(value, at):
        return value * factor[at.quantity, at.layer, at.direction] * (at.timestep + 1)

    rec = record(lstm, x, hooks=dict.fromkeys(chosen, scaled))

    def edit(q, layer, d, t, value):
        return value * factor[q, layer, d] * (t + 1) if (q, layer, d) in chosen else value

    for key, array in equations_with(lstm, x, edit).items():
        np.testing.assert_allclose(rec[key].numpy(), array, rtol=1e-9, atol=1e-11, err_msg=str(key))


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_in_a_ragged_batch_each_sequence_is_replaced_at_its_own_timesteps(direction):
    lstm = make_lstm(num_layers=2, bidirectional=True)
    sequences = [numbers(T, 3, seed=T) for T in (2, 5, 1, 4)]
    other = numbers(4, seed=9)
    chosen = {(0, 1), (1, 0), (1, 3), (3, 2)}  # (sequence, timestep)

    def swap(_value, at):
        return other if (at.sequence, at.timestep) in chosen else None

    batch = record(
        lstm, pack_sequence(sequences, enforce_sorted=False), hooks={("c", 0, direction): swap}
    )

    for b, x in enumerate(sequences):

        def edit(q, layer, d, t, value, b=b):
            here = (q, layer, d) == ("c", 0, direction) and (b, t) in chosen
            return other.numpy() if here else value

        for key, array in equations_with(lstm, x, edit).items():
            np.testing.assert_allclose(batch[b][key].numpy(), array, rtol=0, atol=1e-12)


def test_a_hook_sees_what_the_hooks_before_it_made():
    seen = {}
    lstm = make_lstm()

    record(
        lstm,
        numbers(2, 3),
        hooks={
            ("i", 0): lambda value, _: torch.ones_like(value),
            ("f", 0): lambda value, _: torch.zeros_like(value),
            ("g", 0): lambda value, _: torch.full_like(value, 0.5),
            ("c", 0): lambda value, at: seen.update({at.timestep: value}),
        },
    )

    assert all(torch.equal(value, torch.full_like(value, 0.5)) for value in seen.values())
    assert set(seen) == {0, 1}


# --- with gradients -----------------------------------------------------------------------------


def test_gradients_flow_past_a_hook_that_only_looks():
    lstm = make_lstm(num_layers=2, bidirectional=True)
    x = numbers(4, 3).requires_grad_()
    leaves = [x, *lstm.parameters()]
    tracked = []

    def look(value, _at):
        tracked.append(value.requires_grad)

    rec = record(lstm, x, grad=True, hooks={(q, 0, "backward"): look for q in QUANTITIES})
    ours = torch.autograd.grad((rec.output**2).sum(), leaves)

    theirs = torch.autograd.grad((lstm(x)[0] ** 2).sum(), leaves)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    assert len(tracked) == 4 * 6
    assert all(tracked)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_gradients_flow_through_what_a_hook_returns(quantity):
    lstm = make_lstm(num_layers=2)
    x, factor = numbers(3, 3).requires_grad_(), numbers(4, seed=9).requires_grad_()

    def run(x, factor):
        hooks = {(quantity, 0): lambda v, at: v * factor if at.timestep == 1 else None}
        return record(lstm, x, grad=True, hooks=hooks).output

    assert torch.autograd.gradcheck(run, (x, factor))


def test_a_replacement_cuts_the_gradient_to_what_it_replaces():
    lstm = make_lstm()
    x, other = numbers(3, 3).requires_grad_(), numbers(4, seed=9).requires_grad_()

    rec = record(
        lstm, x, grad=True, hooks={("h", 0): lambda _, at: other if at.timestep == 2 else None}
    )
    (gradient,) = torch.autograd.grad(rec.output[2].sum(), other, retain_graph=True)
    (of_x,) = torch.autograd.grad(rec.output[2].sum(), x, allow_unused=True)

    assert torch.equal(gradient, torch.ones_like(other))
    assert of_x is None or not of_x.any()


def test_without_grad_a_tracked_replacement_is_not_tracked():
    other = numbers(4).requires_grad_()

    rec = record(make_lstm(), numbers(3, 3), hooks={("h", 0): lambda _v, _at: other})

    assert not rec.output.requires_grad


# --- what does not fit --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (("z", 0, "forward"), "No such quantity"),
        (("c", 2, "forward"), "No such layer"),
        (("c", -1, "forward"), "No such layer"),
        (("c", 0), "two directions"),
        (("c", 0, "up"), "No such direction"),
        ("c", "Say which quantity and layer"),
        (("c",), "Say which quantity and layer"),
    ],
)
def test_a_place_that_there_is_not_is_refused_before_anything_runs(key, message):
    called = []

    def hook(_value, _at):
        called.append(1)

    lstm = make_lstm(num_layers=2, bidirectional=True)
    with pytest.raises(SelectionError, match=message):
        record(lstm, numbers(3, 3), hooks={("i", 0, "forward"): hook, key: hook})

    assert not called


@pytest.mark.parametrize(
    ("result", "came"),
    [
        (numbers(3), "shape (3,), torch.float64 on cpu"),
        (numbers(1, 4), "shape (1, 4), torch.float64 on cpu"),
        (torch.tensor(0.0, dtype=torch.float64), "shape (), torch.float64 on cpu"),
        (numbers(4, dtype=torch.float32), "shape (4,), torch.float32 on cpu"),
        (numbers(4).to("meta"), "shape (4,), torch.float64 on meta"),
        (0.0, "a float"),
        (False, "a bool"),
        (np.zeros(4), "a ndarray"),
        ([0.0] * 4, "a list"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_take_a_values_place_is_refused_with_the_place(result, came):
    lstm = make_lstm(num_layers=2, bidirectional=True)

    with pytest.raises(InputError) as error:
        record(
            lstm,
            numbers(5, 2, 3),
            hooks={("o", 1, "backward"): lambda _, at: result if at.timestep == 3 else None},
        )

    assert error.value.message == (
        "What the hook returned cannot take the place of o in layer 1 backward at timestep 3."
    )
    assert error.value.came == came
    assert error.value.expected == "shape (4,), torch.float64 on cpu, or None"


def test_two_hooks_for_one_place_are_refused():
    called = []
    hooks = {
        ("c", 0): lambda _v, _at: called.append("short"),
        ("c", 0, "forward"): lambda _v, _at: called.append("long"),
    }

    with pytest.raises(InputError, match="Two hooks have the same place") as error:
        record(make_lstm(), numbers(1, 3), hooks=hooks)

    assert "('c', 0, 'forward')" in error.value.came
    assert not called


@pytest.mark.parametrize("hook", [3, None, numbers(4)], ids=lambda hook: type(hook).__name__)
def test_a_hook_that_cannot_be_called_is_refused_with_its_place(hook):
    with pytest.raises(InputError, match="cannot be called") as error:
        record(make_lstm(), numbers(1, 3), hooks={("c", 0): hook})

    assert error.value.message == "The hook of ('c', 0) cannot be called."
    assert error.value.came == f"a {type(hook).__name__}"


@pytest.mark.parametrize("engine", ["compiled", "scan"])
def test_only_the_reference_has_hooks(engine):
    with pytest.raises(InputError, match="cannot do this") as error:
        record(make_lstm(), numbers(3, 3), hooks={("c", 0): lambda _v, _at: None}, engine=engine)

    assert error.value.came == "hooks"


# --- what a recording with hooks is -------------------------------------------------------------


def test_a_hooked_recording_has_no_parity():
    rec = record(make_lstm(), numbers(3, 3), hooks={("c", 0): lambda _v, _at: None})

    assert rec.hooked
    for read in ("parity", "parity_report"):
        with pytest.raises(InputError, match="with hooks has nothing in PyTorch"):
            getattr(rec, read)
    assert "parity      values may have been replaced by hooks" in repr(rec)


def test_a_hooked_batch_has_no_parity():
    batch = record(make_lstm(), numbers(3, 2, 3), hooks={("c", 0): lambda _v, _at: None})

    with pytest.raises(InputError, match="with hooks has nothing in PyTorch"):
        _ = batch.parity


def test_a_hooked_recording_is_saved_and_loaded_as_one(tmp_path):
    rec = record(
        make_lstm(num_layers=2),
        numbers(3, 3),
        tokens=["a", "b", "c"],
        hooks={("o", 0): lambda value, _: torch.zeros_like(value)},
    )
    rec.save(tmp_path / "rec")

    loaded = Recording.load(tmp_path / "rec")

    assert loaded.hooked
    assert_same_arrays(loaded, rec)
    assert not loaded["h", 0].any()
    assert "replaced by hooks" in repr(loaded)
    with pytest.raises(InputError, match="with hooks has nothing in PyTorch"):
        _ = loaded.parity
    assert loaded.to_bytes() == rec.to_bytes()
