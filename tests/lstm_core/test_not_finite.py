"""NaN and infinity: the first place they come from, in words."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from lstm_core import Recording, record
from tests.lstm_core.worlds import each_engine, make_lstm, numbers, state_for, steady

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

none = pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)


def world(**options) -> tuple[nn.LSTM, Tensor]:
    lstm = make_lstm(num_layers=2, bidirectional=True, proj_size=2, **options)
    return lstm, numbers(5, 3, dtype=options.get("dtype", torch.float64))


def put(tensor: Tensor, value: float, *place: int) -> None:
    with torch.no_grad():
        tensor[place] = value


# --- where it comes from ------------------------------------------------------------------------


@each_engine
def test_where_all_is_finite_there_is_nothing_to_say(engine):
    lstm, x = world()

    rec = record(lstm, x, state_for(lstm, None), engine=engine)

    assert rec.not_finite is None
    assert "not finite" not in repr(rec)


NAMES = {"weight_ih": "W_ih", "weight_hh": "W_hh", "bias_ih": "b_ih", "bias_hh": "b_hh",
         "weight_hr": "W_hr"}  # fmt: skip


@each_engine
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cell", [(0, "forward"), (1, "backward")], ids=str)
@none
def test_a_weight_is_named_with_its_cell(value, cell, name, engine):
    lstm, x = world()
    layer, direction = cell
    weight = getattr(lstm, f"{name}_l{layer}{'_reverse' if direction == 'backward' else ''}")
    put(weight, value, -1)

    rec = record(lstm, x, engine=engine)

    assert rec.not_finite == f"{NAMES[name]} of layer {layer} {direction}"
    assert rec.parity_report.ok


@each_engine
@none
def test_an_input_is_named_with_its_timestep(value, engine):
    lstm, x = world()
    put(x, value, 3, 1)
    put(x, value, 4, 0)

    rec = record(lstm, x, engine=engine)

    assert rec.not_finite == "x at timestep 3"
    # An infinite input only saturates gates, unless two of them meet.
    assert rec.parity_report.ok or not math.isnan(value)


@each_engine
@pytest.mark.parametrize("name", ["h_0", "c_0"])
@pytest.mark.parametrize("row", range(4))
@none
def test_an_initial_state_is_named_with_its_cell(value, row, name, engine):
    lstm, x = world()
    hx = dict(zip(("h_0", "c_0"), state_for(lstm, None), strict=True))
    put(hx[name], value, row, 1)

    rec = record(lstm, x, tuple(hx.values()), engine=engine)

    cell = ["layer 0 forward", "layer 0 backward", "layer 1 forward", "layer 1 backward"][row]
    assert rec.not_finite == f"{name} of {cell}"


def test_weights_come_before_the_input_and_the_input_before_the_states():
    lstm, x = world()
    h_0, c_0 = state_for(lstm, None)
    put(c_0, math.nan, 0, 0)
    assert record(lstm, x, (h_0, c_0)).not_finite == "c_0 of layer 0 forward"
    put(h_0, math.nan, 0, 0)
    assert record(lstm, x, (h_0, c_0)).not_finite == "h_0 of layer 0 forward"
    put(x, math.nan, 4, 0)
    assert record(lstm, x, (h_0, c_0)).not_finite == "x at timestep 4"
    put(lstm.weight_hr_l1_reverse, math.nan, 0, 0)
    assert record(lstm, x, (h_0, c_0)).not_finite == "W_hr of layer 1 backward"
    put(lstm.bias_hh_l0, math.nan, 0)
    assert record(lstm, x, (h_0, c_0)).not_finite == "b_hh of layer 0 forward"


# --- what is made inside ------------------------------------------------------------------------


def where_infinities_meet(gate: int, *, suffix: str = "") -> tuple[nn.LSTM, Tensor]:
    """At timesteps 1 and 3 of 6 x drives one unit's gate to inf, and h drives it to -inf.

    Two products that are added up one by one would not do: that may be done with one rounding.
    """
    lstm = make_lstm(2, 4, bidirectional=True, dtype=torch.float32)
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.zero_()
        for bias in (lstm.bias_ih_l0, lstm.bias_ih_l0_reverse):
            bias.fill_(50)  # all gates are open: h is positive
        getattr(lstm, f"weight_ih_l0{suffix}")[4 * gate + 2] = 100
        getattr(lstm, f"weight_hh_l0{suffix}")[4 * gate + 2] = -3e38
    x = torch.zeros(6, 2)
    x[1], x[3] = 3e38, 3e38
    return lstm, x


@each_engine
@pytest.mark.parametrize("gate", range(4))
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_gate_where_two_infinities_meet_is_where_it_begins(direction, gate, engine):
    lstm, x = where_infinities_meet(gate, suffix="_reverse" if direction == "backward" else "")

    rec = record(lstm, x, engine=engine)

    first = 1 if direction == "forward" else 3  # each side meets another of them first
    assert rec.not_finite == f"{'ifgo'[gate]} of layer 0 {direction} at timestep {first}"
    assert rec["ifgo"[gate], 0, direction][first, 2].isnan()
    assert rec.parity_report.ok


@each_engine
def test_a_projection_that_overflows_is_where_it_begins(engine):
    lstm = make_lstm(3, 4, num_layers=2, proj_size=1, dtype=torch.float32)
    with torch.no_grad():
        lstm.weight_hr_l1.fill_(3e38)
        lstm.bias_ih_l1[4:].fill_(50)  # g and o open, so that every h is positive
        lstm.weight_hh_l1.fill_(0.01)

    rec = record(lstm, numbers(4, 3, dtype=torch.float32), engine=engine)

    assert not rec["c", 1].isnan().any()
    places = rec["h", 1].isinf().nonzero()
    assert rec.not_finite == f"h of layer 1 forward at timestep {int(places[0, 0])}"


@each_engine
def test_engines_agree_on_every_number_that_is_none(engine):
    lstm, x = world()
    put(x, math.nan, 2, 0)
    ours, reference = record(lstm, x, engine=engine), record(lstm, x, engine="reference")

    assert ours.not_finite == reference.not_finite
    for key, array in reference.arrays.items():
        torch.testing.assert_close(ours[key], array, rtol=0, atol=1e-12, equal_nan=True)


@steady
@given(st.data())
def test_the_first_place_is_the_first_in_the_order_of_computation(data):
    lstm = make_lstm(num_layers=2, bidirectional=True)
    rec = record(lstm, numbers(4, 3), engine="reference")
    cells = list(itertools.product((0, 1), ("forward", "backward")))
    arrays = {key: array.clone() for key, array in rec.arrays.items()}
    for _ in range(data.draw(st.integers(0, 4))):
        cell, q = data.draw(st.sampled_from(cells)), data.draw(st.sampled_from("ifgoch"))
        t, unit = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
        arrays[q, *cell][t, unit] = data.draw(st.sampled_from([math.nan, math.inf, -math.inf]))

    def first() -> str | None:
        for layer, direction in cells:
            for t in range(4) if direction == "forward" else reversed(range(4)):
                for q in "ifgoch":
                    if not all(map(math.isfinite, arrays[q, layer, direction][t].tolist())):
                        return f"{q} of layer {layer} {direction} at timestep {t}"
        return None

    assert replace(rec, arrays=arrays).not_finite == first()


def test_numbers_whose_sum_overflows_are_finite_all_the_same():
    lstm = make_lstm(dtype=torch.float32)
    with torch.no_grad():
        lstm.weight_ih_l0.fill_(3e38)
    x = torch.full((4, 3), 1e-38)
    hx = (torch.zeros(1, 4), torch.full((1, 4), 3e38))

    assert record(lstm, x, hx, engine="reference").not_finite is None
    assert record(lstm, torch.full((4, 3), 3e38) * 0.9, engine="reference").not_finite is None


# --- what is done with it -----------------------------------------------------------------------


@pytest.mark.parametrize("where", ["weight", "x", "inside"])
def test_it_is_printed_and_comes_back_from_the_file(tmp_path, where):
    lstm, x = where_infinities_meet(gate=0) if where == "inside" else world()
    if where == "weight":
        put(lstm.weight_hh_l0, math.nan, 0, 0)
    elif where == "x":
        put(x, math.nan, 2, 0)
    rec = record(lstm, x)
    rec.save(tmp_path / "a")
    back = Recording.load(tmp_path / "a")

    place = {
        "weight": "W_hh of layer 0 forward",
        "x": "x at timestep 2",
        "inside": "i of layer 0 forward at timestep 1",
    }[where]
    assert rec.not_finite == back.not_finite == place
    for one in (rec, back):
        assert f"not finite  NaN or infinity, first in {place}" in repr(one)
    assert back.to_bytes() == rec.to_bytes()


def test_a_batch_names_the_first_sequence_that_has_one():
    x = numbers(4, 3, 3)
    batch = record(make_lstm(), x)
    assert batch.not_finite is None
    put(x, math.inf, 2, 1, 0)
    put(x, math.inf, 0, 2, 0)

    batch = record(make_lstm(), x)

    assert batch.not_finite == "sequence 1: x at timestep 2"
    assert [rec.not_finite for rec in batch] == [None, "x at timestep 2", "x at timestep 0"]


@each_engine
def test_what_stands_in_the_padding_is_never_read(engine):
    x = numbers(5, 3, 3)
    lengths = [2, 5, 3]
    for b, length in enumerate(lengths):
        x[length:, b] = math.nan

    batch = record(make_lstm(num_layers=2, bidirectional=True), x, lengths=lengths, engine=engine)

    assert batch.not_finite is None
    assert batch.parity < 1e-12
    assert batch.output.isfinite().all()


def test_weights_that_were_changed_since_are_not_asked():
    lstm = make_lstm()
    rec = record(lstm, numbers(4, 3))
    put(lstm.weight_hh_l0, math.nan, 0, 0)

    assert rec.not_finite is None
