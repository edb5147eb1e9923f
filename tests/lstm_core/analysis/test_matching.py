"""Which units are on here and off before: against three loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lstm_core.analysis.matching import matching_units
from lstm_core.errors import InputError
from tests.lstm_core.worlds import steady


def by_hand(values, start, stop, above, off_before, off_after):
    T, U = values.shape
    found = []
    for unit in range(U):
        on = all(float(values[t, unit]) > above for t in range(start, stop))
        sides = [start - 1] * off_before + [stop] * off_after
        off = all(float(values[t, unit]) <= above for t in sides if 0 <= t < T)
        if on and off:
            found.append(unit)
    return found


@steady
@given(st.data(), st.booleans(), st.booleans())
def test_units_match_as_the_question_says(data, off_before, off_after):
    elements = st.sampled_from([0.0, 0.25, 0.5, 1.0, -1.0, math.nan, math.inf, -math.inf])
    shapes = st.tuples(st.integers(1, 5), st.integers(1, 30))
    values = data.draw(hnp.arrays(np.float32, shapes, elements=elements))
    start = data.draw(st.integers(0, len(values) - 1))
    stop = data.draw(st.integers(start + 1, len(values)))
    above = data.draw(elements.filter(lambda v: not math.isnan(v)))

    units = matching_units(values, start, stop, above, off_before=off_before, off_after=off_after)

    assert units.tolist() == by_hand(values, start, stop, above, off_before, off_after)


def test_the_number_is_not_rounded_to_the_arrays_type():
    values = np.array([[0.1, 0.3]], np.float32)  # the float32 of 0.1 is above 0.1

    assert matching_units(values, 0, 1, 0.1).tolist() == [0, 1]
    assert matching_units(values, 0, 1, 1e300).tolist() == []


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (2, 2), (3, 2), (0, 5)])
def test_timesteps_there_are_not_are_refused(start, stop):
    with pytest.raises(InputError, match="0 ≤ start < stop ≤ 4"):
        matching_units(np.zeros((4, 2)), start, stop, 0)


def test_nothing_is_compared_with_no_number():
    with pytest.raises(InputError, match="NaN"):
        matching_units(np.zeros((4, 2)), 0, 1, math.nan)
