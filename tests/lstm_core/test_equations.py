"""The equations against numpy and against PyTorch's own cell."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.equations import CellWeights, Step, input_projection, lstm_step
from tests.lstm_core.worlds import numbers, steady


def weights_of(cell: nn.LSTMCell) -> CellWeights:
    return CellWeights(
        cell.weight_ih.detach(),
        cell.weight_hh.detach(),
        cell.bias_ih.detach() if cell.bias else None,
        cell.bias_hh.detach() if cell.bias else None,
        None,
    )


@steady
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4), st.booleans(), st.integers(0, 99))
def test_one_step_is_one_step_of_an_lstm_cell(input_size, hidden_size, batch, bias, seed):
    cell = nn.LSTMCell(input_size, hidden_size, bias=bias, dtype=torch.float64)
    with torch.no_grad():
        for n, parameter in enumerate(cell.parameters()):
            parameter.copy_(numbers(*parameter.shape, seed=seed + n))
    x, h, c = (
        numbers(batch, width, seed=seed + n)
        for n, width in enumerate((input_size, hidden_size, hidden_size))
    )

    step = lstm_step(input_projection(x[None], weights_of(cell))[0], h, c, weights_of(cell))

    with torch.no_grad():
        h_1, c_1 = cell(x, (h, c))
    torch.testing.assert_close(step.h, h_1, rtol=0, atol=1e-12)
    torch.testing.assert_close(step.c, c_1, rtol=0, atol=1e-12)


def test_each_gate_is_driven_by_its_own_quarter_of_the_rows():
    # One unit, no input, no state: every z is exactly its bias.
    z = {"i": 0.3, "f": -1.2, "g": 0.7, "o": 2.0}
    weights = CellWeights(
        torch.zeros(4, 1), torch.zeros(4, 1), torch.tensor(list(z.values())), torch.zeros(4), None
    )
    zero = torch.zeros(1, 1)

    step = lstm_step(input_projection(zero[None], weights)[0], zero, zero, weights)

    for q in "ifo":
        assert float(getattr(step, q)) == pytest.approx(1 / (1 + math.exp(-z[q])))
    assert float(step.g) == pytest.approx(math.tanh(z["g"]))


def test_the_old_cell_state_passes_the_forget_gate_and_not_the_input_gate():
    shut, open_ = -40.0, 40.0
    weights = CellWeights(
        torch.zeros(4, 1),
        torch.zeros(4, 1),
        torch.tensor([shut, open_, 1.0, open_]),
        torch.zeros(4),
        None,
    )
    c = torch.tensor([[0.5]])

    step = lstm_step(
        input_projection(torch.zeros(1, 1, 1), weights)[0], torch.zeros(1, 1), c, weights
    )

    assert float(step.c) == pytest.approx(0.5)
    assert float(step.h) == pytest.approx(math.tanh(0.5))


@pytest.mark.parametrize("bias", ["b_ih", "b_hh"])
def test_both_biases_count_and_count_the_same(bias):
    b, none = numbers(8), torch.zeros(8, dtype=torch.float64)
    weights = CellWeights(
        numbers(8, 3),
        numbers(8, 2),
        b if bias == "b_ih" else none,
        b if bias == "b_hh" else none,
        None,
    )
    x = numbers(5, 1, 3, seed=4)

    z_x = input_projection(x, weights)

    by_hand = x.numpy() @ weights.W_ih.numpy().T + b.numpy()
    np.testing.assert_allclose(z_x.numpy(), by_hand, atol=1e-12)


def test_a_projection_narrows_h_and_leaves_c():
    W_hr = numbers(2, 4)
    weights = CellWeights(numbers(16, 3), numbers(16, 2), None, None, W_hr)
    plain = weights._replace(W_hr=None)
    z_x, h, c = numbers(3, 16, seed=5), numbers(3, 2, seed=6), numbers(3, 4, seed=7)

    step, whole = lstm_step(z_x, h, c, weights), lstm_step(z_x, h, c, plain)

    assert torch.equal(step.c, whole.c)
    np.testing.assert_allclose(step.h.numpy(), whole.h.numpy() @ W_hr.numpy().T, atol=1e-12)


@pytest.mark.parametrize("gates", ["".join(p) for p in itertools.permutations("ifgo")])
def test_the_order_of_the_rows_is_the_one_that_was_said(gates):
    blocks = {gate: (numbers(2, 3, seed=n), numbers(2, 2, seed=n + 4), numbers(2, seed=n + 8))
              for n, gate in enumerate("ifgo")}  # fmt: skip

    def in_order(order):
        W_ih, W_hh, b = (torch.cat(part) for part in zip(*map(blocks.get, order), strict=True))
        return CellWeights(W_ih, W_hh, b, None, None, order)

    weights, usual = in_order(gates), in_order("ifgo")
    x, h, c = numbers(4, 3, seed=20), numbers(4, 2, seed=21), numbers(4, 2, seed=22)

    step = lstm_step(input_projection(x, weights), h, c, weights)

    theirs = lstm_step(input_projection(x, usual), h, c, usual)
    for a, b in zip(step, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-14)
    for gate, (W, U, b) in blocks.items():
        assert torch.equal(weights.W(gate), W)
        assert torch.equal(weights.U(gate), U)
        assert torch.equal(weights.b(gate), b)


def test_an_edit_sees_every_quantity_in_turn_and_what_it_gives_is_gone_on_with():
    weights = CellWeights(numbers(8, 3), numbers(8, 2), None, None, None)
    z_x, h, c = numbers(4, 8, seed=2), numbers(4, 2, seed=3), numbers(4, 2, seed=4)
    plain, seen = lstm_step(z_x, h, c, weights), []

    def double(quantity, value):
        seen.append(quantity)
        return 2 * value

    step = lstm_step(z_x, h, c, weights, double)

    assert "".join(seen) == "ifgoch"
    for gate in "ifgo":
        assert torch.equal(getattr(step, gate), 2 * getattr(plain, gate))
    assert torch.equal(step.c, 2 * (step.f * c + step.i * step.g))
    assert torch.equal(step.h, 2 * (step.o * torch.tanh(step.c)))


def test_a_step_names_its_parts_in_the_order_of_pytorch():
    assert Step._fields == ("i", "f", "g", "o", "c", "h")


def test_the_letters_are_those_of_the_recorded_quantities():
    from lstm_core.quantities import QUANTITIES

    assert Step._fields == tuple(QUANTITIES)


def test_saturated_gates_are_numbers_and_no_overflow():
    z_x = torch.tensor([[1e4, -1e4, 1e4, -1e4]], dtype=torch.float64)
    weights = CellWeights(torch.zeros(4, 1), torch.zeros(4, 1).double(), None, None, None)

    step = lstm_step(z_x, torch.zeros(1, 1).double(), torch.ones(1, 1).double(), weights)

    assert [float(part) for part in step] == [1, 0, 1, 0, 1, 0]
