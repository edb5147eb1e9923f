"""Four numbers per unit, against numpy column by column."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lstm_core.analysis import summaries
from lstm_core.analysis.summaries import summarize_units, value_range
from tests.lstm_core.worlds import steady

numbers = st.floats(-1e6, 1e6, width=32)
anything = numbers | st.sampled_from([math.nan, math.inf, -math.inf])
tables = st.sampled_from(["float32", "float64"]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        st.tuples(st.integers(1, 20), st.integers(1, 5)),
        elements=st.one_of(numbers, anything),
    )
)


@pytest.fixture(params=[1, 7, 1_000_000], autouse=True, scope="module")
def block(request):
    """All the same in blocks of one timestep, of a few and of all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "_BLOCK", request.param)
        yield


@steady
@given(tables)
def test_summaries_are_those_of_the_finite_values(values):
    found = summarize_units(values)

    for unit, column in enumerate(values.T):
        finite = [float(v) for v in column if math.isfinite(v)]
        here = [part[unit] for part in found]
        if not finite:
            assert all(math.isnan(part) for part in here)
            continue
        scale = max(map(abs, finite))
        assert here[:2] == [min(finite), max(finite)]
        assert here[2] == pytest.approx(
            math.fsum(finite) / len(finite), rel=1e-12, abs=1e-12 * scale
        )
        variance = statistics.pvariance(finite)
        assert here[3] == pytest.approx(variance, rel=1e-9, abs=1e-12 * scale**2)


@steady
@given(tables)
def test_the_range_is_of_the_finite_values(values):
    finite = values[np.isfinite(values)]

    low, high, all_finite = value_range(values)

    assert all_finite == (finite.size == values.size)
    assert (low, high) == ((finite.min(), finite.max()) if finite.size else (None, None))


def test_the_range_of_any_shape():
    values = np.arange(24.0).reshape(2, 3, 4)
    assert value_range(values) == (0, 23, True)
    values[1, 2, 3] = np.nan
    assert value_range(values) == (0, 22, False)
    assert value_range(values[0, 0]) == (0, 3, True)
    assert value_range(np.array([np.inf, 1.0])) == (1, 1, False)
    assert value_range(np.zeros((0, 3))) == (None, None, True)


def test_a_unit_that_never_moves_has_no_variance():
    found = summarize_units(np.full((1_000, 1), 0.1, np.float32))

    assert found.variance.tolist() == [0]
    assert found.mean.tolist() == [float(np.float32(0.1))]


def test_a_unit_that_hardly_moves_has_its_own_variance():
    values = np.array([[1e4], [1e4 + 2**-10]], np.float32)

    assert summarize_units(values).variance[0] == np.var(values.astype(float))


def test_the_mean_of_huge_numbers_is_one_of_them():
    found = summarize_units(np.array([[1.5e308], [1.5e308], [np.nan]]))

    assert found.mean[0] == pytest.approx(1.5e308)
    assert found.low[0] == found.high[0] == 1.5e308


def test_there_may_be_no_timesteps():
    assert np.isnan(summarize_units(np.zeros((0, 3)))).all()
