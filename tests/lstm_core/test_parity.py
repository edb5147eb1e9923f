"""The comparison: how far, and where first."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core import record
from lstm_core.parity import HALF_TOLERANCE, TOLERANCES, ForwardResult, compare
from tests.lstm_core.worlds import each_engine, make_lstm, numbers, steady


def results(dtype=torch.float64, **changes):
    """Two equal results (T=5, two rows of three units), the second one with changes."""
    ours = ForwardResult(
        numbers(5, 6, dtype=dtype),
        (numbers(3, seed=2, dtype=dtype), numbers(3, seed=3, dtype=dtype)),
        (numbers(3, seed=4, dtype=dtype), numbers(3, seed=5, dtype=dtype)),
    )
    output, *states = ours
    theirs = ForwardResult(output.clone(), *(tuple(t.clone() for t in row) for row in states))
    for name, (row, column, value) in changes.items():
        getattr(theirs, name)[row][column] = value
    return ours, theirs


def test_equal_results_differ_by_exactly_zero():
    parity = compare(*results())

    assert parity.difference == 0
    assert parity.where is None
    assert parity.ok


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ForwardResult._fields)
def test_a_difference_is_found_wherever_it_is(name, dtype):
    ours, theirs = results(dtype)
    getattr(theirs, name)[1][2] += 0.125

    parity = compare(ours, theirs)

    assert parity.difference == pytest.approx(0.125, abs=1e-6)
    assert not parity.ok
    assert parity.where == ("output at timestep 1" if name == "output" else f"{name}[1]")


def test_where_is_the_first_place_and_not_the_worst():
    ours, theirs = results()
    theirs.output[2, 5] += 0.01
    theirs.output[4, 0] += 1
    theirs.h_n[0][0] += 2

    parity = compare(ours, theirs)

    assert parity.where == "output at timestep 2"
    assert parity.difference == pytest.approx(2)


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES.items())
def test_a_difference_within_the_tolerance_is_reported_and_is_fine(dtype, tolerance):
    ours = ForwardResult(*(torch.zeros(2, 3, dtype=dtype) for _ in range(3)))
    inside = ForwardResult(*(tensor + tolerance / 2 for tensor in ours))
    outside = ForwardResult(*(tensor + tolerance * 2 for tensor in ours))

    assert compare(ours, inside).ok
    assert compare(ours, inside).difference == pytest.approx(tolerance / 2)
    assert not compare(ours, outside).ok
    assert compare(ours, outside).tolerance == tolerance


def test_the_tolerances_are_those_the_page_promises():
    assert {torch.float32: 1e-5, torch.float64: 1e-10} == TOLERANCES


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_types_are_compared_by_what_they_can_hold(dtype):
    ours, near = results(dtype, h_n=(1, 2, 0.0))
    ours.h_n[1][2] = HALF_TOLERANCE / 2
    far = results(dtype, h_n=(1, 2, 0.25))[1]

    assert compare(ours, near).ok
    assert compare(ours, near).tolerance == HALF_TOLERANCE
    assert compare(ours, far).where == "h_n[1]"


def test_two_types_are_compared_by_the_one_that_holds_less():
    ours, theirs = results(torch.float64)[0], results(torch.float32)[0]

    parity = compare(ours, theirs)

    assert parity.tolerance == 1e-5
    assert 0 < parity.difference < 1e-6
    assert compare(theirs, ours) == parity


def test_states_of_cells_may_differ_in_width():
    narrow = ForwardResult(numbers(5, 2), (numbers(3), numbers(2)), (numbers(3), numbers(4)))
    wide = narrow._replace(c_n=(narrow.c_n[0], narrow.c_n[1] + 1))

    assert compare(narrow, narrow).difference == 0
    assert compare(narrow, wide).where == "c_n[1]"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_same_nan_or_infinity_on_both_sides_is_equal(value, dtype):
    ours, theirs = results(dtype)
    for side in (ours, theirs):
        side.output[3, 1] = value
        side.c_n[0][0] = value

    assert compare(ours, theirs).difference == 0
    assert compare(ours, theirs).ok


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(
    ("a", "b"),
    [(math.nan, 0.5), (math.inf, 0.5), (-math.inf, 0.5), (math.inf, -math.inf),
     (math.nan, math.inf)],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_number_against_none_is_infinitely_far(a, b, dtype, mirrored):
    ours, theirs = results(dtype)
    ours.h_n[1][2], theirs.h_n[1][2] = (b, a) if mirrored else (a, b)

    parity = compare(ours, theirs)

    assert parity.difference == math.inf
    assert parity.where == "h_n[1]"


@steady
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=6, max_size=6),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=6, max_size=6),
)
def test_the_difference_is_that_of_python_floats(a, b):
    def one(x, y):
        if x == y or (math.isnan(x) and math.isnan(y)):
            return 0.0
        difference = abs(x - y)
        return math.inf if math.isnan(difference) else difference

    ours, theirs = (
        ForwardResult(*(torch.tensor(s, dtype=torch.float64).view(3, 1, 2))) for s in (a, b)
    )

    parity = compare(ours, theirs)

    assert parity.difference == max(map(one, a, b))
    assert parity.ok == all(one(x, y) <= 1e-10 for x, y in zip(a, b, strict=True))


@each_engine
def test_an_lstm_that_overflows_is_recorded_and_still_compared(engine):
    lstm = make_lstm(dtype=torch.float32)
    x = numbers(4, 3, dtype=torch.float32)
    x[2, 0] = math.nan

    rec = record(lstm, x, engine=engine)

    assert rec["h", 0][2:].isnan().all()
    assert not rec["h", 0][:2].isnan().any()
    assert rec.parity < 1e-6
    assert rec.parity_report.ok


def test_what_is_allowed_grows_with_values_beyond_one_as_rounding_does():
    theirs = ForwardResult(*(torch.tensor([[0.5, 20.0]]) for _ in range(3)))
    large = ForwardResult(*(tensor + torch.tensor([[0.0, 1e-4]]) for tensor in theirs))
    small = ForwardResult(*(tensor + torch.tensor([[1e-4, 0.0]]) for tensor in theirs))

    assert compare(large, theirs).ok
    assert compare(large, theirs).difference == pytest.approx(1e-4, rel=0.05)
    assert compare(small, theirs).where == "output at timestep 0"
