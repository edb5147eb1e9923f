"""The table of what is recorded."""

import pytest
import torch

from lstm_core import record
from lstm_core.quantities import DIRECTIONS, QUANTITIES
from tests.lstm_core.worlds import make_lstm, numbers


def test_the_gates_come_in_pytorchs_order_and_then_the_states():
    assert "".join(QUANTITIES) == "ifgoch"
    assert DIRECTIONS == ("forward", "backward")


@pytest.mark.parametrize("name", QUANTITIES)
def test_a_row_is_found_under_its_name_and_says_something(name):
    quantity = QUANTITIES[name]

    assert quantity.name == name
    assert quantity.label
    assert quantity.formula
    assert quantity.sentence.endswith(".")
    assert quantity.shown_low < quantity.shown_high


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_bound_is_reached_and_kept(name):
    lstm = make_lstm(hidden_size=8, proj_size=4)
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.mul_(20)
    rec = record(lstm, numbers(200, 3))
    quantity = QUANTITIES[name]
    low, high = float(rec[name, 0].min()), float(rec[name, 0].max())

    if quantity.low is None or quantity.high is None:
        assert low < -1 or high > 1
    else:
        assert quantity.low <= low < quantity.low + 1e-3
        assert quantity.high >= high > quantity.high - 1e-3
        assert (quantity.shown_low, quantity.shown_high) == (quantity.low, quantity.high)


@pytest.mark.parametrize("name", QUANTITIES)
def test_a_scale_is_diverging_when_it_is_centred_on_zero(name):
    quantity = QUANTITIES[name]

    assert (quantity.scale == "diverging") == (quantity.shown_low == -quantity.shown_high)
    assert (quantity.scale == "sequential") == (quantity.shown_low == 0)
