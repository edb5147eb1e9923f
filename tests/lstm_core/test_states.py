"""Where a recording begins: with states of its own, or with those another one ended with."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_sequence

from lstm_core import record
from lstm_core.errors import InputError
from tests.lstm_core.worlds import (
    fused,
    lstm_options,
    make_cell,
    make_lstm,
    numbers,
    state_for,
    steady,
)

# nn.LSTM itself warns, wherever these tests call it with a projection.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

F32, F64 = torch.float32, torch.float64


def three_modules():
    """An nn.LSTM with two layers and two directions, a cell, a cell by hand."""
    lstm = make_lstm(3, 4, num_layers=2, bidirectional=True, proj_size=2)
    return [lstm, make_cell(4, 5), fused(make_cell(5, 2))]


def states_of_three(batch: int | None = None, seed: int = 5):
    axes = () if batch is None else (batch,)
    h_0 = numbers(4, *axes, 2, seed=seed), numbers(*axes, 5, seed=6), numbers(*axes, 2, seed=7)
    c_0 = numbers(4, *axes, 4, seed=8), numbers(*axes, 5, seed=9), numbers(*axes, 2, seed=10)
    return h_0, c_0


# --- hx -----------------------------------------------------------------------------------------


@steady
@given(lstm_options, st.sampled_from([None, 1, 3]), st.sampled_from([tuple, list]))
def test_a_given_state_is_where_nn_lstm_begins_and_is_given_back(options, batch, pair):
    lstm = make_lstm(**options)
    hx = state_for(lstm, batch)
    x = numbers(4, lstm.input_size)
    if batch:
        axes = (batch, 4) if lstm.batch_first else (4, batch)
        x = numbers(*axes, lstm.input_size)

    rec = record(lstm, x, pair(hx))

    with torch.no_grad():
        _, (h_n, c_n) = lstm(x, hx)
    torch.testing.assert_close(rec.h_n, h_n, rtol=0, atol=1e-12)
    torch.testing.assert_close(rec.c_n, c_n, rtol=0, atol=1e-12)
    for b, one in enumerate([rec] if batch is None else rec):
        own = [t if batch is None else t[:, b] for t in hx]
        assert torch.equal(one.h_0, own[0])
        assert torch.equal(one.c_0, own[1])


def test_each_sequence_of_a_ragged_batch_begins_with_its_own_state():
    lstm = make_lstm(num_layers=2, bidirectional=True)
    hx = state_for(lstm, 3)
    sequences = [numbers(T, 3, seed=T) for T in (2, 5, 4)]
    packed = pack_sequence(sequences, enforce_sorted=False)

    for x, lengths in ((packed, None), (pad_sequence(sequences), [2, 5, 4])):
        rec = record(lstm, x, hx, lengths=lengths)

        with torch.no_grad():
            _, (h_n, c_n) = lstm(packed, hx)
        torch.testing.assert_close(rec.h_n, h_n, rtol=0, atol=1e-12)
        torch.testing.assert_close(rec.c_n, c_n, rtol=0, atol=1e-12)
        for b, one in enumerate(rec):
            assert torch.equal(one.h_0, hx[0][:, b])
            assert torch.equal(one.c_0, hx[1][:, b])


@pytest.mark.parametrize("axes", [(), (1,), (3,)], ids=str)
@pytest.mark.parametrize("make", [make_cell, lambda: fused(make_cell())], ids=["torch", "by hand"])
def test_the_state_of_a_cell_has_no_axis_of_layers(make, axes):
    cell = make()
    x, hx = numbers(1, *axes, 3), (numbers(*axes, 4, seed=5), numbers(*axes, 4, seed=6))

    rec = record(cell, x, hx)

    h, c = cell(x[0], hx)
    assert rec.h_n.shape == rec.c_n.shape == (*axes, 4)
    torch.testing.assert_close(rec.h_n, h.detach(), rtol=0, atol=1e-14)
    torch.testing.assert_close(rec.c_n, c.detach(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize("pair", [tuple, list])
def test_the_state_of_a_list_has_one_entry_per_module(batch, pair):
    modules = three_modules()
    hx = states_of_three(batch)
    x = numbers(5, 3) if batch is None else numbers(5, batch, 3)

    rec = record(modules, x, pair(pair(part) for part in hx))

    lstm, cell, by_hand = modules
    with torch.no_grad():
        below, (h, c) = lstm(x, (hx[0][0], hx[1][0]))
        state, top = (hx[0][1], hx[1][1]), (hx[0][2], hx[1][2])
        for row in below:
            state = cell(row, state)
            top = by_hand(state[0], top)
    for ours, theirs in zip(rec.h_n, (h, state[0], top[0]), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for ours, theirs in zip(rec.c_n, (c, state[1], top[1]), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for b, one in enumerate([rec] if batch is None else rec):
        for n in range(3):
            own = [part[n] if batch is None else part[n].select(-2, b) for part in hx]
            assert torch.equal(one.h_0[n], own[0])
            assert torch.equal(one.c_0[n], own[1])
    assert rec.parity < 1e-12


def test_a_list_of_one_module_has_tuples_of_one_state():
    lstm = make_lstm()
    h_0, c_0 = state_for(lstm, None)

    rec = record([lstm], numbers(3, 3), ((h_0,), (c_0,)))

    assert isinstance(rec.h_n, tuple)
    assert torch.equal(rec.h_n[0], record(lstm, numbers(3, 3), (h_0, c_0)).h_n)


def test_what_happens_to_the_given_state_later_does_not_show():
    hx = states_of_three()
    rec = record(three_modules(), numbers(3, 3), hx)

    for part in hx:
        for tensor in part:
            tensor.zero_()

    assert torch.equal(rec.h_0[0], numbers(4, 2, seed=5))
    assert torch.equal(rec.c_0[1], numbers(5, seed=9))
    assert rec.parity < 1e-12


@pytest.mark.parametrize(
    ("part", "place", "tensor", "came", "expected"),
    [
        (0, 0, numbers(4, 4), "shape (4, 4)", "shape (4, 2)"),
        (1, 0, numbers(4, 2), "shape (4, 2)", "shape (4, 4)"),
        (0, 0, numbers(2, 2), "shape (2, 2)", "shape (4, 2)"),
        (0, 1, numbers(1, 5), "shape (1, 5)", "shape (5,)"),
        (1, 1, numbers(4), "shape (4,)", "shape (5,)"),
        (1, 2, numbers(5), "shape (5,)", "shape (2,)"),
        (0, 2, numbers(2, dtype=F32), "torch.float32", "torch.float64"),
        (1, 2, numbers(2).to("meta"), "on meta", "on cpu"),
    ],
)
def test_a_state_that_does_not_fit_its_module_is_refused_with_the_place(
    part, place, tensor, came, expected
):
    hx = [list(states) for states in states_of_three()]
    hx[part][place] = tensor

    with pytest.raises(InputError) as error:
        record(three_modules(), numbers(3, 3), hx)

    name = ("h_0", "c_0")[part]
    assert error.value.message == f"The initial state {name} of [{place}] does not fit."
    assert came in error.value.came
    assert expected in error.value.expected


@pytest.mark.parametrize(
    ("h_0", "came"),
    [
        (numbers(4, 2), "a Tensor"),
        ((numbers(4, 2), numbers(5)), "a tuple of 2"),
        ((numbers(4, 2), numbers(5), numbers(2), numbers(2)), "a tuple of 4"),
        ((), "a tuple of 0"),
    ],
)
def test_a_list_asks_for_one_state_per_module(h_0, came):
    with pytest.raises(InputError, match="initial state h_0 does not fit") as error:
        record(three_modules(), numbers(3, 3), (h_0, states_of_three()[1]))

    assert error.value.came == came
    assert error.value.expected == "a tuple of 3 tensors, one per module"


@pytest.mark.parametrize("nothing", [None, "h", 0.0])
def test_an_entry_that_is_no_tensor_is_refused(nothing):
    h_0, c_0 = states_of_three()

    with pytest.raises(InputError, match="not a pair of tensors") as error:
        record(three_modules(), numbers(3, 3), (h_0, (*c_0[:2], nothing)))

    assert error.value.expected == "(h_0, c_0), each a tuple of one tensor per module"


@pytest.mark.parametrize(
    ("hx", "came"),
    [
        (numbers(2, 4), "a Tensor"),
        ((numbers(4),), "a tuple of 1"),
        ([numbers(4)] * 3, "a list of 3"),
        ((numbers(4), None), "a tuple of 2"),
        ({"h": numbers(4), "c": numbers(4)}, "a dict"),
        (0, "a int"),
    ],
)
def test_what_is_no_pair_is_refused(hx, came):
    with pytest.raises(InputError, match="not a pair of tensors") as error:
        record(make_cell(), numbers(3, 3), hx)

    assert error.value.came == came
    assert error.value.expected == "(h_0, c_0)"


@pytest.mark.parametrize(
    ("x", "hx", "expected"),
    [
        (numbers(3, 3), (numbers(1, 4), numbers(1, 4)), "shape (4,)"),
        (numbers(3, 2, 3), (numbers(4), numbers(4)), "shape (2, 4)"),
        (numbers(3, 2, 3), (numbers(1, 2, 4), numbers(1, 2, 4)), "shape (2, 4)"),
        (numbers(3, 2, 3), (numbers(3, 4), numbers(3, 4)), "shape (2, 4)"),
    ],
)
def test_the_state_of_a_cell_is_shaped_as_nn_lstm_cell_asks_for_it(x, hx, expected):
    with pytest.raises(InputError, match="h_0 does not fit") as error:
        record(make_cell(), x, hx)

    assert expected in error.value.expected


# --- going on from a recording ------------------------------------------------------------------


@steady
@given(
    lstm_options.map(lambda options: options | {"bidirectional": False}),
    st.sampled_from([None, 1, 3]),
    st.integers(1, 4),
)
def test_two_halves_are_the_whole(options, batch, cut):
    lstm = make_lstm(**options | {"batch_first": False})
    x = numbers(5, *(() if batch is None else (batch,)), lstm.input_size)

    first = record(lstm, x[:cut])
    second = record(lstm, x[cut:], state=first)

    whole = record(lstm, x)
    ones = ([first], [second], [whole]) if batch is None else (first, second, whole)
    for a, b, both in zip(*ones, strict=True):
        assert torch.equal(b.h_0, a.h_n)
        assert torch.equal(b.c_0, a.c_n)
        for key, array in both.arrays.items():
            joined = torch.cat([a[key], b[key]])
            torch.testing.assert_close(joined, array, rtol=0, atol=1e-12)
    assert second.parity < 1e-12


@pytest.mark.parametrize("batch", [None, 2])
def test_a_stack_goes_on_from_its_recording(batch):
    stack = [make_lstm(3, 4), make_cell(4, 5), fused(make_cell(5, 2))]
    x = numbers(5, 3) if batch is None else numbers(5, batch, 3)

    second = record(stack, x[3:], state=record(stack, x[:3]))

    torch.testing.assert_close(second.h_n, record(stack, x).h_n, rtol=0, atol=1e-12)


def test_the_sequences_of_a_ragged_batch_go_on_each_from_its_own_end():
    lstm = make_lstm(num_layers=2)
    x = numbers(6, 3, 3)
    lengths = [2, 6, 4]

    first = record(lstm, x, lengths=lengths)
    second = record(lstm, x[:3], state=first)

    for b, length in enumerate(lengths):
        alone = record(lstm, torch.cat([x[:length, b], x[:3, b]]))
        torch.testing.assert_close(second[b].output, alone.output[length:], rtol=0, atol=1e-12)


def test_one_recording_of_a_batch_is_where_a_single_sequence_goes_on():
    lstm, x = make_lstm(), numbers(4, 3, 3)

    rec = record(lstm, x[2:, 1], state=record(lstm, x[:2])[1])

    torch.testing.assert_close(rec.h_n, record(lstm, x)[1].h_n, rtol=0, atol=1e-12)


def test_a_loaded_recording_is_where_one_goes_on(tmp_path):
    lstm, x = make_lstm(num_layers=2), numbers(4, 3)
    record(lstm, x[:2]).save(tmp_path / "first")

    rec = record(lstm, x[2:], state=type(record(lstm, x)).load(tmp_path / "first"))

    torch.testing.assert_close(rec.h_n, record(lstm, x).h_n, rtol=0, atol=1e-12)


def test_the_graph_of_a_recording_is_not_carried_on_unless_asked():
    lstm, x = make_lstm(), numbers(4, 3)
    first = record(lstm, x[:2], grad=True)

    assert not record(lstm, x[2:], state=first).h_0.requires_grad
    assert record(lstm, x[2:], state=first, grad=True).h_0.requires_grad


X = numbers(2, 3)
BATCH = numbers(2, 2, 3)


def refused(message, lstm, x, state, hx=None):
    with pytest.raises(InputError, match=message) as error:
        record(lstm, x, hx, state=state)
    return error.value


@pytest.mark.parametrize(
    "other",
    [
        make_lstm(3, 5),
        make_lstm(3, 4, num_layers=2),
        make_lstm(3, 4, proj_size=2),
        make_cell(3, 4),
        [make_lstm(3, 4)],
    ],
    ids=lambda other: type(other).__name__,
)
def test_a_recording_of_another_lstm_is_nothing_to_go_on_from(other):
    error = refused("one of another LSTM", make_lstm(), X, record(other, X))

    assert error.came == str(record(other, X).shape)
    assert error.expected == "nn.LSTM(3, 4)"


@pytest.mark.parametrize(
    ("before", "now", "came", "expected"),
    [
        (X, BATCH, "Recording of nn.LSTM(3, 4)", "a RecordingBatch of 2"),
        (BATCH, X, "RecordingBatch of 2 recordings", "a Recording of one"),
        (numbers(2, 3, 3), BATCH, "RecordingBatch of 3 recordings", "a RecordingBatch of 2"),
        (numbers(2, 1, 3), X, "RecordingBatch of 1 recordings", "a Recording of one"),
    ],
)
def test_a_recording_of_other_sequences_is_nothing_to_go_on_from(before, now, came, expected):
    lstm = make_lstm()

    error = refused("has other sequences", lstm, now, record(lstm, before))

    assert error.came.startswith(came)
    assert error.expected == expected


def test_the_empty_part_of_a_batch_is_nothing_to_go_on_from():
    lstm = make_lstm()

    refused("has other sequences", lstm, BATCH, record(lstm, BATCH)[:0])


@pytest.mark.parametrize(
    "lstm",
    [make_lstm(bidirectional=True), [make_lstm(), make_lstm(4, 4, bidirectional=True)]],
    ids=["nn.LSTM", "list"],
)
def test_a_backward_direction_cannot_go_on(lstm):
    error = refused("backward direction cannot go on", lstm, X, record(lstm, X))

    assert "bidirectional=True" in error.came
    assert "hx" in error.expected


def test_a_recording_in_another_type_is_nothing_to_go_on_from():
    error = refused(
        "differs in kind", make_lstm(), X, record(make_lstm(dtype=F32), numbers(2, 3, dtype=F32))
    )

    assert error.came == "torch.float32 on cpu"
    assert error.expected == "torch.float64 on cpu, as the weights"


def test_one_can_only_begin_at_one_place():
    lstm = make_lstm()

    error = refused("two initial states", lstm, X, record(lstm, X), state_for(lstm, None))

    assert error.came == "hx and state"


@pytest.mark.parametrize("state", [(X, X), X, 3, nn.LSTM(3, 4)], ids=lambda s: type(s).__name__)
def test_only_a_recording_is_one_to_go_on_from(state):
    error = refused("no recording to go on from", make_lstm(), X, state)

    assert error.came == f"a {type(state).__name__}"
    assert "hx" in error.expected
