"""Cells written by hand, and one gate's weights under the names of the papers."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from lstm_core import CellWeights, FusedCell, cell_weights, record
from lstm_core.errors import InputError, SelectionError
from tests.lstm_core.worlds import fused, lstm_options, make_cell, make_lstm, numbers, steady

ORDERS = ["".join(order) for order in itertools.permutations("ifgo")]

#: The name in nn.LSTM of each part of CellWeights.
NAMES = {
    "W_ih": "weight_ih",
    "W_hh": "weight_hh",
    "b_ih": "bias_ih",
    "b_hh": "bias_hh",
    "W_hr": "weight_hr",
}


def inside(part: Tensor, whole: Tensor) -> bool:
    """Whether ``part`` lies within the memory of ``whole``."""
    start = part.data_ptr() - whole.data_ptr()
    return 0 <= start <= (whole.numel() - part.numel()) * whole.element_size()


def same_memory(a: Tensor, b: Tensor) -> bool:
    return a.data_ptr() == b.data_ptr() and a.shape == b.shape


# --- it runs like nn.LSTMCell -------------------------------------------------------------------


@pytest.mark.parametrize("order", [*ORDERS, "ifco", "iofc"])
def test_a_cell_in_any_order_of_gates_runs_like_nn_lstm_cell_in_pytorchs(order):
    theirs = make_cell()
    ours = fused(theirs, order)
    x, state = numbers(2, 3), (numbers(2, 4, seed=3), numbers(2, 4, seed=4))

    torch.testing.assert_close(ours(x, state), theirs(x, state), rtol=0, atol=1e-14)
    recorded = record(ours, numbers(5, 2, 3))
    expected = record(theirs, numbers(5, 2, 3))
    assert recorded.parity < 1e-13
    for mine, its in zip(recorded, expected, strict=True):
        for key, array in its.arrays.items():
            torch.testing.assert_close(mine[key], array, rtol=0, atol=1e-13)


def test_the_order_may_be_written_in_capitals():
    cell = make_cell()

    ours = FusedCell(cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh, gates="IFCO")

    assert ours.gates == "ifgo"
    torch.testing.assert_close(ours(numbers(3)), cell(numbers(3)), rtol=0, atol=1e-14)


@pytest.mark.parametrize("one", ["ih", "hh"])
def test_one_bias_alone_is_the_bias(one):
    theirs = make_cell()
    with torch.no_grad():
        (theirs.bias_hh if one == "ih" else theirs.bias_ih).zero_()
    bias = theirs.bias_ih if one == "ih" else theirs.bias_hh

    ours = FusedCell(theirs.weight_ih, theirs.weight_hh, **{f"bias_{one}": bias})

    x, state = numbers(2, 3), (numbers(2, 4, seed=3), numbers(2, 4, seed=4))
    torch.testing.assert_close(ours(x, state), theirs(x, state), rtol=0, atol=1e-14)
    assert record(ours, numbers(4, 3)).parity < 1e-13
    assert len(list(ours.parameters())) == 3
    assert str(ours) == "FusedCell(3, 4, gates='ifgo')"


def test_a_cell_needs_no_bias():
    theirs = make_cell(bias=False)
    ours = fused(theirs, "ofig")

    x, state = numbers(2, 3), (numbers(2, 4, seed=3), numbers(2, 4, seed=4))
    torch.testing.assert_close(ours(x, state), theirs(x, state), rtol=0, atol=1e-14)
    assert record(ours, numbers(4, 3)).parity < 1e-13
    assert list(ours.state_dict()) == ["weight_ih", "weight_hh"]


@pytest.mark.parametrize("axes", [(), (2,)], ids=["single", "batch"])
def test_without_a_state_it_begins_with_zeros(axes):
    theirs = make_cell()
    ours = fused(theirs)

    torch.testing.assert_close(
        ours(numbers(*axes, 3)), theirs(numbers(*axes, 3)), rtol=0, atol=1e-14
    )


def test_gradients_flow_through_it_as_through_nn_lstm_cell():
    theirs = make_cell()
    ours = fused(theirs, "ifgo")
    for parameter in ours.parameters():
        parameter.requires_grad_()
    for cell in (theirs, ours):
        h, c = cell(numbers(2, 3))
        (h * c).sum().backward()

    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(getattr(ours, name).grad, parameter.grad, rtol=0, atol=1e-14)


# --- it shares the weights it was given ---------------------------------------------------------


def test_two_linear_maps_are_shared_and_not_copied():
    input_map, hidden_map = (nn.Linear(width, 16, dtype=torch.float64) for width in (3, 4))

    cell = FusedCell.from_linear(input_map, hidden_map, gates="iofc")

    assert cell.weight_ih is input_map.weight
    assert cell.weight_hh is hidden_map.weight
    assert cell.bias_ih is input_map.bias
    assert cell.bias_hh is hidden_map.bias
    h, c = numbers(4, seed=3), numbers(4, seed=4)
    i, o, f, g = (input_map(numbers(3)) + hidden_map(h)).view(4, 4)
    c_1 = f.sigmoid() * c + i.sigmoid() * g.tanh()
    expected = (o.sigmoid() * c_1.tanh(), c_1)
    torch.testing.assert_close(cell(numbers(3), (h, c)), expected, rtol=0, atol=1e-14)
    with torch.no_grad():
        input_map.weight.zero_()
    assert not cell.weight_ih.any()


@pytest.mark.parametrize("bias", [(True, False), (False, True), (False, False)])
def test_linear_maps_without_a_bias_give_a_cell_without_it(bias):
    input_map, hidden_map = (nn.Linear(n, 16, bias=b) for n, b in zip((3, 4), bias, strict=True))

    cell = FusedCell.from_linear(input_map, hidden_map, gates="ifgo")

    assert (cell.bias_ih is not None, cell.bias_hh is not None) == bias


@pytest.mark.parametrize("name", ["input_map", "hidden_map"])
def test_what_is_no_linear_map_is_refused(name):
    maps = {"input_map": nn.Linear(3, 16), "hidden_map": nn.Linear(4, 16)}
    maps[name] = numbers(16, 3)

    with pytest.raises(InputError, match=f"{name} is not a linear map") as error:
        FusedCell.from_linear(**maps, gates="ifgo")

    assert error.value.came == "a Tensor"
    assert error.value.expected == "a torch.nn.Linear"


def test_plain_tensors_become_parameters_in_the_same_memory():
    weights = [numbers(16, 3), numbers(16, 4), numbers(16), numbers(16)]
    weights[0].requires_grad_()

    cell = FusedCell(*weights)

    for tensor, parameter in zip(weights, cell.parameters(), strict=True):
        assert isinstance(parameter, nn.Parameter)
        assert same_memory(tensor, parameter)
        assert parameter.requires_grad == tensor.requires_grad


def test_a_cell_is_a_module_like_any_other():
    cell = FusedCell(*(nn.Parameter(t) for t in (numbers(16, 3), numbers(16, 4), numbers(16))))
    other = fused(make_cell(), "ogif")

    assert list(cell.state_dict()) == ["weight_ih", "weight_hh", "bias_ih"]
    other.load_state_dict(cell.state_dict() | {"bias_hh": torch.zeros(16)})
    assert torch.equal(other.weight_ih, cell.weight_ih)

    before = cell.weight_hh.detach().clone()
    optimizer = torch.optim.SGD(cell.parameters(), lr=0.1)
    cell(numbers(2, 3), (numbers(2, 4), numbers(2, 4)))[0].sum().backward()
    gradient = cell.weight_hh.grad.clone()
    optimizer.step()
    torch.testing.assert_close(cell.weight_hh.detach(), before - 0.1 * gradient)

    assert cell.to(torch.float32) is cell
    assert {p.dtype for p in cell.parameters()} == {torch.float32}
    assert record(cell, numbers(3, 3, dtype=torch.float32)).parity < 1e-5


@pytest.mark.parametrize("bias", [True, False])
def test_new_weights_are_those_of_a_new_nn_lstm_cell(bias):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        theirs = nn.LSTMCell(30, 25, bias=bias)
        ours = fused(theirs, "ifgo")
        torch.manual_seed(5)
        ours.reset_parameters()

    for name, parameter in theirs.named_parameters():
        assert torch.equal(getattr(ours, name), parameter)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("H", [1, 4, 25])
def test_new_weights_are_spread_evenly_between_plus_and_minus_one_over_root_h(H, seed):
    cell = FusedCell(torch.zeros(4 * H, 200), torch.zeros(4 * H, H), torch.zeros(4 * H))
    bound = 1 / math.sqrt(H)

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        cell.reset_parameters()

    for parameter in cell.parameters():
        assert parameter.abs().max() <= bound
        assert len(parameter.unique()) > 1
    many = cell.weight_ih
    assert many.abs().max() > 0.98 * bound
    assert abs(float(many.mean())) < 0.1 * bound
    assert abs(float(many.std()) / (bound / math.sqrt(3)) - 1) < 0.05  # the one of a uniform


def test_it_prints_its_sizes_and_its_order():
    assert str(fused(make_cell(), "iofc")) == "FusedCell(3, 4, gates='iofg')"


# --- what does not fit --------------------------------------------------------------------------

F32 = torch.float32


@pytest.mark.parametrize(
    "order", ["", "ifg", "iifg", "ifgoo", "ifgx", "ifcg", None, 4, list("ifgo")]
)
def test_an_order_that_does_not_name_each_gate_once_is_refused(order):
    with pytest.raises(InputError, match="order of the gates") as error:
        FusedCell(numbers(16, 3), numbers(16, 4), gates=order)

    assert error.value.came == repr(order)
    assert "'ifgo'" in error.value.expected


@pytest.mark.parametrize(
    ("change", "name", "came", "expected"),
    [
        ({"weight_ih": numbers(12, 3)}, "weight_ih", "shape (12, 3)", "shape (16, input_size)"),
        ({"weight_ih": numbers(16)}, "weight_ih", "shape (16,)", "shape (16, input_size)"),
        ({"weight_ih": numbers(16, 0)}, "weight_ih", "shape (16, 0)", "shape (16, input_size)"),
        ({"weight_ih": None}, "weight_ih", "a NoneType", "shape (16, input_size)"),
        ({"weight_ih": [[1.0]]}, "weight_ih", "a list", "shape (16, input_size)"),
        ({"bias_ih": numbers(4)}, "bias_ih", "shape (4,)", "shape (16,)"),
        ({"bias_hh": numbers(16, 1)}, "bias_hh", "shape (16, 1)", "shape (16,)"),
        ({"bias_hh": 0.0}, "bias_hh", "a float", "shape (16,)"),
        ({"weight_ih": numbers(16, 3, dtype=F32)}, "weight_ih", "float32 on cpu, beside", "(16,"),
        ({"bias_ih": numbers(16).to("meta")}, "bias_ih", "on meta, beside", "shape (16,)"),
        (
            {"weight_ih": torch.ones(16, 3).long(), "weight_hh": torch.ones(16, 4).long()},
            "weight_hh",
            "torch.int64",
            "4 gates × H rows",
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_weights_that_do_not_fit_each_other_are_refused(change, name, came, expected):
    weights = {"weight_ih": numbers(16, 3), "weight_hh": numbers(16, 4)} | change

    with pytest.raises(InputError, match=f"{name} does not fit") as error:
        FusedCell(**weights)

    assert came in error.value.came
    assert expected in error.value.expected


@pytest.mark.parametrize("weight_hh", [None, "x", [[1.0]], numbers(16), numbers(4, 4, 4)])
def test_a_weight_hh_that_is_no_matrix_is_refused_by_its_name(weight_hh):
    with pytest.raises(InputError, match="weight_hh does not fit"):
        FusedCell(numbers(16, 3), weight_hh)


@pytest.mark.parametrize("rows", [8, 10, 16])
def test_a_weight_hh_that_has_not_four_times_as_many_rows_as_columns_is_refused_by_its_name(rows):
    with pytest.raises(InputError, match="weight_hh does not fit"):
        FusedCell(numbers(rows, 3), numbers(rows, 5))


# --- one gate's weights -------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
def test_the_weights_of_a_gate_are_views_of_the_fused_ones(order):
    theirs = make_cell()
    cell = fused(theirs, order)
    weights = cell.weights

    for position, gate in enumerate("ifgo"):  # where PyTorch has it
        rows = slice(4 * position, 4 * position + 4)
        assert torch.equal(weights.W(gate), theirs.weight_ih[rows])
        assert torch.equal(weights.U(gate), theirs.weight_hh[rows])
        assert torch.equal(weights.b(gate, "ih"), theirs.bias_ih[rows])
        assert torch.equal(weights.b(gate, "hh"), theirs.bias_hh[rows])
        assert torch.equal(weights.b(gate), theirs.bias_ih[rows] + theirs.bias_hh[rows])
        assert inside(weights.W(gate), cell.weight_ih)
        assert inside(weights.U(gate), cell.weight_hh)
        assert inside(weights.b(gate, "ih"), cell.bias_ih)
        assert inside(weights.b(gate, "hh"), cell.bias_hh)
        with torch.no_grad():
            weights.W(gate).fill_(position)
    assert sorted(cell.weight_ih[:, 0].tolist()) == sorted([0, 1, 2, 3] * 4)


@steady
@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from(ORDERS),
    st.sampled_from(["none", "ih", "hh", "both"]),
)
def test_the_fused_product_is_the_four_separate_ones(I, H, order, biases):  # noqa: E741
    b_ih = numbers(4 * H, seed=5) if biases in ("ih", "both") else None
    b_hh = numbers(4 * H, seed=6) if biases in ("hh", "both") else None
    weights = CellWeights(numbers(4 * H, I), numbers(4 * H, H, seed=4), b_ih, b_hh, None, order)
    x, h = numbers(I, seed=7), numbers(H, seed=8)

    z = weights.W_ih @ x + weights.W_hh @ h
    z = z if weights.bias is None else z + weights.bias
    for position, gate in enumerate(order):
        own = weights.W(gate) @ x + weights.U(gate) @ h
        bias = weights.b(gate)
        assert (bias is None) == (biases == "none")
        own = own if bias is None else own + bias
        torch.testing.assert_close(own, z[position * H : position * H + H], rtol=0, atol=1e-13)
    assert weights.hidden_size == H


@pytest.mark.parametrize("one", ["ih", "hh"])
def test_where_there_is_one_bias_a_gates_bias_is_a_view_of_it(one):
    bias = numbers(16)
    parts = {"b_ih": None, "b_hh": None, f"b_{one}": bias}
    weights = CellWeights(numbers(16, 3), numbers(16, 4), **parts, W_hr=None)

    assert same_memory(weights.b("f"), bias[4:8])
    assert same_memory(weights.b("f", one), bias[4:8])
    assert weights.b("f", "hh" if one == "ih" else "ih") is None
    assert weights.bias is bias


def test_the_sum_of_two_biases_is_new_and_leaves_them_alone():
    b_ih, b_hh = numbers(16), numbers(16, seed=5)
    weights = CellWeights(numbers(16, 3), numbers(16, 4), b_ih, b_hh, None)

    weights.b("i").zero_()

    assert torch.equal(b_ih, numbers(16))
    assert torch.equal(b_hh, numbers(16, seed=5))


@pytest.mark.parametrize("gate", ["", "x", "c", "if", "I"])
def test_a_gate_that_there_is_not_is_refused(gate):
    weights = cell_weights(make_cell())

    for ask in (weights.W, weights.U, weights.b):
        with pytest.raises(SelectionError, match="No such gate") as error:
            ask(gate)
        assert error.value.exists == list("ifgo")
        assert error.value.came == repr(gate)


# --- cell_weights -------------------------------------------------------------------------------


@steady
@given(lstm_options)
def test_the_weights_of_every_cell_of_an_nn_lstm_are_its_own_parameters(options):
    lstm = make_lstm(**options)

    for layer in range(lstm.num_layers):
        for direction, suffix in {"forward": "", "backward": "_reverse"}.items():
            if direction == "backward" and not lstm.bidirectional:
                continue
            weights = cell_weights(lstm, layer, direction)
            for part, name in NAMES.items():
                parameter = getattr(lstm, f"{name}_l{layer}{suffix}", None)
                assert getattr(weights, part) is parameter
            H = lstm.hidden_size
            assert same_memory(weights.W("g"), weights.W_ih[2 * H : 3 * H])
            assert inside(weights.U("o"), getattr(lstm, f"weight_hh_l{layer}{suffix}"))
            assert weights.gates == "ifgo"


@pytest.mark.parametrize("bias", [True, False])
def test_the_weights_of_an_nn_lstm_cell_are_its_own_parameters(bias):
    cell = make_cell(bias=bias)

    weights = cell_weights(cell)

    assert weights.W_ih is cell.weight_ih
    assert weights.W_hh is cell.weight_hh
    assert weights.b_ih is (cell.bias_ih if bias else None)
    assert weights.b_hh is (cell.bias_hh if bias else None)
    assert weights.W_hr is None


def test_the_layers_of_a_list_are_numbered_through():
    below, cell = make_lstm(3, 4, num_layers=2, bidirectional=True), make_cell(8, 5)
    top = fused(make_cell(5, 2), "iofc")

    stack = [below, nn.Dropout(), cell, top]

    assert cell_weights(stack).W_ih is below.weight_ih_l0
    assert cell_weights(stack, 1, "backward").W_hh is below.weight_hh_l1_reverse
    assert cell_weights(stack, 2).W_ih is cell.weight_ih
    assert cell_weights(stack, 3).W_ih is top.weight_ih
    assert cell_weights(stack, 3).gates == "iofg"
    assert same_memory(cell_weights(stack, 3).U("f"), top.weight_hh[4:6])


@pytest.mark.parametrize(
    ("layer", "direction"), [(2, "forward"), (-1, "forward"), (0, "backward"), (0, "up"), ("0", "")]
)
def test_a_cell_that_there_is_not_is_refused(layer, direction):
    with pytest.raises(SelectionError, match="No such cell") as error:
        cell_weights(make_lstm(num_layers=2), layer, direction)

    assert error.value.came == f"layer {layer} {direction}"
    assert error.value.exists == ["layer 0 forward", "layer 1 forward"]


def test_only_something_that_can_be_recorded_has_the_weights_of_a_cell():
    with pytest.raises(InputError, match="This is a GRU"):
        cell_weights(nn.GRU(3, 4))
