"""One timestep at a time, against the recording of the whole and torch's own modules."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core import record, steps
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

ATOL = 1e-13  # the products for x are taken one by one here and all at once there

one_way = lstm_options.map(lambda o: o | {"bidirectional": False, "batch_first": False})


def stacks():
    """Of every kind, each of which reads 3 numbers."""
    return {
        "nn.LSTM": make_lstm(num_layers=3),
        "projected": make_lstm(num_layers=2, proj_size=2),
        "cell": make_cell(),
        "by hand": fused(make_cell(), "ofig"),
        "cells": [make_cell(3, 6), make_cell(6, 2), make_cell(2, 5)],
        "mixed": [make_lstm(3, 4, num_layers=2), fused(make_cell(4, 5)), make_cell(5, 3)],
        "with dropout": [make_lstm(3, 4), nn.Dropout(0.5).eval(), make_lstm(4, 2)],
    }


def assert_equal_to_the_whole(lstm, x, hx=None):
    whole = record(lstm, x, hx, engine="reference")
    ones = [whole] if x.dim() == 2 else list(whole)
    seen = list(steps(lstm, x, hx))
    assert [step.timestep for step in seen] == list(range(len(x)))
    for key, _ in ones[0].arrays.items():
        quantity, layer, _direction = key
        ours = torch.stack([step[quantity, layer] for step in seen])  # (T, [B,] units)
        theirs = torch.stack([one[key] for one in ones], dim=1)
        torch.testing.assert_close(
            ours, theirs if x.dim() == 3 else theirs[:, 0], rtol=0, atol=ATOL
        )
    last = seen[-1]
    torch.testing.assert_close(last.h_n, whole.h_n, rtol=0, atol=ATOL)
    torch.testing.assert_close(last.c_n, whole.c_n, rtol=0, atol=ATOL)
    output = torch.stack([step.output for step in seen])
    torch.testing.assert_close(output, whole.output, rtol=0, atol=ATOL)


# --- equal to the recording ---------------------------------------------------------------------


@steady
@given(one_way, st.sampled_from([None, 1, 3]), st.integers(1, 5), st.booleans())
def test_every_step_is_that_of_the_recording_of_the_whole(options, batch, T, hx_given):
    lstm = make_lstm(**options)
    x = numbers(T, *(() if batch is None else (batch,)), lstm.input_size)

    assert_equal_to_the_whole(lstm, x, state_for(lstm, batch) if hx_given else None)


@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("kind", stacks())
def test_every_kind_of_stack_can_be_run_step_by_step(kind, batch):
    x = numbers(5, *(() if batch is None else (batch,)), 3)

    assert_equal_to_the_whole(stacks()[kind], x)


def test_batch_first_has_no_meaning_for_single_timesteps():
    lstm = make_lstm(batch_first=True)
    x = numbers(2, 5, 3)

    seen = list(steps(lstm, x.transpose(0, 1)))

    with torch.no_grad():
        output, _ = lstm(x)
    ours = torch.stack([step.output for step in seen], dim=1)
    torch.testing.assert_close(ours, output, rtol=0, atol=ATOL)


@pytest.mark.parametrize("batch", [None, 2])
def test_cells_of_different_widths_are_those_run_by_hand(batch):
    cells = [make_cell(100, 100), make_cell(100, 30), make_cell(30, 20)]
    for n, cell in enumerate(cells):
        with torch.no_grad():
            for parameter in cell.parameters():
                parameter.mul_(0.1 + n / 10)
    axes = () if batch is None else (batch,)
    x = numbers(7, *axes, 100)

    seen = list(steps(cells, x))

    states = [(torch.zeros(*axes, n, dtype=x.dtype),) * 2 for n in (100, 30, 20)]
    for timestep, row in enumerate(x):
        for n, cell in enumerate(cells):
            with torch.no_grad():
                states[n] = cell(row, states[n])
            row = states[n][0]
            for quantity, value in zip("hc", states[n], strict=True):
                ours = seen[timestep][quantity, n]
                torch.testing.assert_close(ours, value, rtol=0, atol=1e-12)
        assert [h.shape for h in seen[timestep].h_n] == [(*axes, n) for n in (100, 30, 20)]


def test_a_step_has_the_shapes_that_the_module_returns():
    lstm, cell = make_lstm(num_layers=2, proj_size=2), make_cell()

    (step,) = steps(lstm, numbers(1, 3))
    assert step.h_n.shape == (2, 2)
    assert step.c_n.shape == (2, 4)
    (step,) = steps(lstm, numbers(1, 5, 3))
    assert step.h_n.shape == (2, 5, 2)
    assert step.c_n.shape == (2, 5, 4)
    (step,) = steps(cell, numbers(1, 5, 3))
    assert step.h_n.shape == step.c_n.shape == (5, 4)
    (step,) = steps([cell], numbers(1, 3))
    assert [h.shape for h in step.h_n] == [(4,)]
    assert repr(step) == "StreamedStep 0 of [nn.LSTMCell(3, 4)]"


def test_a_quantity_that_there_is_not_is_refused():
    (step,) = steps(make_lstm(), numbers(1, 3))

    assert torch.equal(step["c", 0, "forward"], step["c", 0])
    for key in (("z", 0), ("c", 1), ("c", 0, "backward"), "c"):
        with pytest.raises(SelectionError):
            step[key]


# --- where it begins and goes on ----------------------------------------------------------------


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("kind", stacks())
def test_it_goes_on_from_any_step(kind, batch):
    lstm = stacks()[kind]
    x = numbers(6, *(() if batch is None else (batch,)), 3)
    whole = list(steps(lstm, x))

    step = whole[2]
    for rest in (list(steps(lstm, x[3:], step.hx)), list(steps(lstm, x[3:], hx=step.hx))):
        assert [s.timestep for s in rest] == [0, 1, 2]  # nothing is kept between calls
        for ours, theirs in zip(rest, whole[3:], strict=True):
            for n in range(ours.shape.num_layers):
                for quantity in "ifgoch":
                    assert torch.equal(ours[quantity, n], theirs[quantity, n])
    recorded = record(lstm, x[3:], step.hx)
    torch.testing.assert_close(recorded.h_n, whole[-1].h_n, rtol=0, atol=ATOL)


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("kind", stacks())
def test_it_goes_on_from_a_recording(kind, batch):
    lstm = stacks()[kind]
    x = numbers(6, *(() if batch is None else (batch,)), 3)

    *_, last = steps(lstm, x[4:], state=record(lstm, x[:4]))

    whole = record(lstm, x)
    torch.testing.assert_close(last.hx, (whole.h_n, whole.c_n), rtol=0, atol=ATOL)


def test_what_happens_to_the_given_state_later_does_not_show():
    lstm, x = make_lstm(num_layers=2), numbers(2, 3)
    hx = state_for(lstm, None)
    expected = record(lstm, x, hx)

    stream = steps(lstm, x, hx)
    next(stream)
    for tensor in hx:
        tensor.zero_()

    torch.testing.assert_close(next(stream).h_n, expected.h_n, rtol=0, atol=ATOL)


# --- as they come -------------------------------------------------------------------------------


def test_an_input_without_an_end_is_read_one_by_one():
    lstm = make_lstm()
    read = []

    def text():
        for timestep in itertools.count():
            read.append(timestep)
            yield numbers(3, seed=timestep)

    stream = steps(lstm, text())
    assert read == []
    for expected in range(20):
        step = next(stream)
        assert step.timestep == expected
        assert read == list(range(expected + 1))

    whole = record(lstm, torch.stack([numbers(3, seed=t) for t in range(20)]))
    torch.testing.assert_close(step.h_n, whole.h_n, rtol=0, atol=ATOL)


def test_what_is_said_can_be_what_is_heard_next():
    lstm = make_lstm(3, 3)
    said = [numbers(3)]

    def echo():
        while True:
            yield said[-1]

    for step in itertools.islice(steps(lstm, echo()), 5):
        said.append(step.output)

    torch.testing.assert_close(
        record(lstm, torch.stack(said[:5])).output, torch.stack(said[1:]), rtol=0, atol=ATOL
    )


@pytest.mark.parametrize("make", [list, tuple, iter], ids=["list", "tuple", "iterator"])
def test_anything_that_can_be_iterated_is_read(make):
    lstm, x = make_lstm(), numbers(4, 3)

    *_, step = steps(lstm, make(list(x)))

    torch.testing.assert_close(step.h_n, record(lstm, x).h_n, rtol=0, atol=ATOL)


def test_no_input_gives_no_steps():
    assert list(steps(make_lstm(), [])) == []


def test_two_streams_of_one_lstm_do_not_meet():
    lstm = make_lstm()
    a, b = numbers(4, 3), numbers(4, 3, seed=7)

    pairs = list(zip(steps(lstm, a), steps(lstm, b), strict=True))

    for n, x in enumerate((a, b)):
        torch.testing.assert_close(
            torch.stack([pair[n].output for pair in pairs]),
            record(lstm, x).output,
            rtol=0,
            atol=ATOL,
        )


# --- gradients ----------------------------------------------------------------------------------


@pytest.mark.parametrize("outer", [True, False])
@pytest.mark.parametrize("grad", [True, False])
def test_the_callers_grad_mode_is_as_it_was_between_two_steps(grad, outer):
    modes = []

    def text():
        for row in numbers(3, 3):
            modes.append(torch.is_grad_enabled())
            yield row

    with torch.set_grad_enabled(outer):
        for step in steps(make_lstm(), text(), grad=grad):
            modes.append(torch.is_grad_enabled())
            assert step["c", 0].requires_grad is grad
            assert step.output.requires_grad is grad
        modes.append(torch.is_grad_enabled())

    assert modes == [outer] * 7


def test_a_mode_that_changes_between_two_steps_stays_changed():
    stream = steps(make_lstm(), numbers(2, 3), grad=True)
    with torch.no_grad():
        next(stream)
        assert not torch.is_grad_enabled()
    assert next(stream).output.requires_grad
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("batch", [None, 2])
def test_gradients_are_those_of_nn_lstm(batch):
    lstm = make_lstm(num_layers=2)
    axes = () if batch is None else (batch,)
    x = numbers(4, *axes, 3).requires_grad_()
    hx = tuple(t.requires_grad_() for t in state_for(lstm, batch))
    leaves = [x, *hx, *lstm.parameters()]
    factors = numbers(4, *axes, 4, seed=9)

    output = torch.stack([step.output for step in steps(lstm, x, hx, grad=True)])
    ours = torch.autograd.grad((output * factors).sum(), leaves)

    theirs = torch.autograd.grad((lstm(x, hx)[0] * factors).sum(), leaves)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


# --- what does not fit --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lstm",
    [make_lstm(bidirectional=True), [make_lstm(), make_lstm(4, 2, bidirectional=True)]],
    ids=["nn.LSTM", "list"],
)
def test_a_backward_direction_is_refused_at_once(lstm):
    with pytest.raises(InputError, match="begins at the end") as error:
        steps(lstm, numbers(2, 3))  # before anything is read

    assert "bidirectional=True" in error.value.came


@pytest.mark.parametrize(
    "lstm",
    [
        make_lstm(num_layers=2, dropout=0.5).train(),
        [make_lstm(), nn.Dropout(0.5).train(), make_cell(4, 4)],
    ],
    ids=["nn.LSTM", "list"],
)
def test_dropout_in_training_mode_is_refused_at_once(lstm):
    with pytest.raises(InputError, match="training mode") as error:
        steps(lstm, numbers(2, 3))

    assert ".eval()" in error.value.expected


def test_training_mode_without_dropout_is_none():
    lstm = make_lstm(num_layers=2).train()

    assert len(list(steps(lstm, numbers(2, 3)))) == 2


def test_only_an_lstm_can_be_run():
    with pytest.raises(InputError, match="This is a GRU"):
        steps(nn.GRU(3, 4), numbers(2, 3))


@pytest.mark.parametrize(
    ("x", "came"),
    [
        (numbers(4), "shape (4,), torch.float64 on cpu"),
        (numbers(2, 4), "shape (2, 4), torch.float64 on cpu"),
        (numbers(1, 2, 3), "shape (1, 2, 3), torch.float64 on cpu"),
        (torch.tensor(1.0, dtype=torch.float64), "shape (), torch.float64 on cpu"),
        (numbers(0, 3), "shape (0, 3), torch.float64 on cpu"),
        (numbers(3, dtype=torch.float32), "shape (3,), torch.float32 on cpu"),
        (torch.ones(3, dtype=torch.long), "shape (3,), torch.int64 on cpu"),
        (numbers(3).to("meta"), "shape (3,), torch.float64 on meta"),
        ([1.0, 2.0, 3.0], "a list"),
        (None, "a NoneType"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_its_timestep(x, came):
    for before in ([], [numbers(3)] * 2):
        stream = steps(make_lstm(), [*before, x])
        for _ in before:
            next(stream)
        with pytest.raises(InputError) as error:
            next(stream)
        assert error.value.message == f"The input of timestep {len(before)} does not fit."
        assert error.value.came == came
        assert "torch.float64 on cpu" in error.value.expected


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        (numbers(2, 3), numbers(3, 3), "(2, 3), as before"),
        (numbers(2, 3), numbers(3), "(2, 3), as before"),
        (numbers(3), numbers(1, 3), "(3,), as before"),
    ],
)
def test_the_number_of_sequences_cannot_change_on_the_way(first, then, expected):
    stream = steps(make_lstm(), [first, then])
    next(stream)

    with pytest.raises(InputError, match="timestep 1 does not fit") as error:
        next(stream)

    assert error.value.expected.startswith(expected)


def test_a_state_that_does_not_fit_is_refused():
    lstm = make_lstm()
    for hx in ((numbers(1, 5), numbers(1, 4)), (numbers(1, 2, 4), numbers(1, 2, 4)), 3):
        with pytest.raises(InputError, match="initial state"):
            next(steps(lstm, numbers(2, 3), hx))
    with pytest.raises(InputError, match="two initial states"):
        next(steps(lstm, numbers(2, 3), state_for(lstm, None), state=record(lstm, numbers(1, 3))))
    with pytest.raises(InputError, match="another LSTM"):
        next(steps(lstm, numbers(2, 3), state=record(make_cell(), numbers(1, 3))))
