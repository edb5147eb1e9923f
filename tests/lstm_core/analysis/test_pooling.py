"""Pooling against every bucket done by hand, in exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lstm_core.analysis.pooling import COLUMNS_PER_TILE, pool
from lstm_core.errors import InputError
from tests.lstm_core.worlds import steady

#: Few different numbers, so that there are ties of every kind.
few = st.sampled_from([0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 0.375, -3.0])
broken = few | st.sampled_from([math.nan, math.inf, -math.inf])


def tables(elements, dtypes=("float32", "float64")):
    return st.sampled_from(dtypes).flatmap(
        lambda dtype: hnp.arrays(
            dtype, st.tuples(st.integers(1, 23), st.integers(1, 11)), elements=elements
        )
    )


def by_hand(values, D, M, statistic, order=None):
    """[columns, rows] in exact arithmetic, from the definition."""
    T, U = values.shape
    order = range(U) if order is None else order
    return np.array(
        [
            [
                of_bucket([values[t, u] for t in range(t0, min(t0 + D, T)) for u in row], statistic)
                for row in (order[u0 : u0 + M] for u0 in range(0, U, M))
            ]
            for t0 in range(0, T, D)
        ],
        dtype=np.float64,
    )


def of_bucket(bucket, statistic):
    if not all(math.isfinite(v) for v in bucket):
        return math.nan
    exact = [Fraction(float(v)) for v in bucket]
    mean = sum(exact) / len(exact)
    if statistic == "mean":
        return float(mean)
    return float(max(exact, key=lambda v: (abs(v - mean), abs(v), v)))


@steady
@given(
    tables(few) | tables(broken),
    st.integers(1, 25),
    st.integers(1, 12),
    st.sampled_from(["mean", "extreme"]),
)
def test_every_bucket_is_what_the_definition_says(values, D, M, statistic):
    pooled = pool(values, timesteps_per_column=D, units_per_row=M, statistic=statistic)

    assert pooled.dtype == np.float32
    np.testing.assert_array_equal(pooled, by_hand(values, D, M, statistic).astype(np.float32))


@steady
@given(st.data(), tables(few), st.integers(1, 5), st.integers(1, 5))
def test_rows_are_of_units_in_the_order_given(data, values, D, M):
    order = np.array(data.draw(st.permutations(range(values.shape[1]))))
    statistic = data.draw(st.sampled_from(["mean", "extreme"]))

    pooled = pool(values, timesteps_per_column=D, units_per_row=M, statistic=statistic, order=order)

    expected = by_hand(values, D, M, statistic, list(order)).astype(np.float32)
    np.testing.assert_array_equal(pooled, expected)


@steady
@given(tables(broken), st.integers(1, 6), st.integers(0, 30), st.none() | st.integers(0, 30))
def test_some_columns_are_those_columns_of_all(values, D, first, columns):
    options = {"timesteps_per_column": D, "units_per_row": 2, "statistic": "extreme"}

    some = pool(values, **options, first_column=first, columns=columns)

    stop = None if columns is None else first + columns
    np.testing.assert_array_equal(some, pool(values, **options)[first:stop])


@steady
@given(
    tables(st.floats(-(2.0**100), 2.0**100, width=32)),
    st.integers(1, 25),
    st.integers(1, 12),
)
def test_any_numbers_pool_to_a_value_furthest_from_their_mean(values, D, M):
    extreme = pool(values, timesteps_per_column=D, units_per_row=M, statistic="extreme")
    mean = pool(values, timesteps_per_column=D, units_per_row=M, statistic="mean")

    for c, r in np.ndindex(extreme.shape):
        bucket = values[c * D : (c + 1) * D, r * M : (r + 1) * M].astype(np.float64)
        largest = np.abs(bucket).max()
        assert mean[c, r] == pytest.approx(bucket.mean(), rel=1e-6, abs=1e-6 * largest)
        assert extreme[c, r] in bucket.astype(np.float32)
        distances = np.abs(bucket - bucket.mean())
        distance = abs(np.float64(extreme[c, r]) - bucket.mean())
        assert distance == pytest.approx(distances.max(), rel=1e-6, abs=1e-6 * largest)


@steady
@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300), st.booleans())
def test_of_two_values_the_one_of_larger_magnitude_stands_for_both(a, b, beside):
    values = np.array([[a, b]]) if beside else np.array([[a], [b]])

    pooled = pool(values, timesteps_per_column=2, units_per_row=2, statistic="extreme")

    expected = max((a, b), key=lambda v: (abs(v), v))
    assert pooled[0, 0] == np.float32(np.clip(expected, *largest()))


def test_a_single_spike_is_seen_at_any_scale():
    rng = np.random.default_rng(0)
    values = rng.uniform(-0.2, 0.2, (10_000, 12)).astype(np.float32)
    values[7_777, 5] = -0.9

    for D in (1, 4, 64, 1024, 16_384):
        for M in (1, 5, 12, 40):
            pooled = pool(values, timesteps_per_column=D, units_per_row=M, statistic="extreme")
            assert pooled[7_777 // D, 5 // M] == np.float32(-0.9)


@pytest.mark.parametrize("M", [31, 32, 33, 70])
def test_rows_of_many_units_are_reduced_alike(M):
    values = np.random.default_rng(1).integers(-9, 9, (10, 100)).astype(np.float32)

    for statistic in ("mean", "extreme"):
        pooled = pool(values, timesteps_per_column=4, units_per_row=M, statistic=statistic)
        expected = by_hand(values, 4, M, statistic).astype(np.float32)
        np.testing.assert_array_equal(pooled, expected)


def test_means_are_summed_in_float64():
    # In float32 the 1 is lost beside 2^24, and the sum of the rest stops growing there.
    values = np.full((1, 2**12 + 2), 1, dtype=np.float32)
    values[0, 0], values[0, -1] = 2**24, -(2**24)

    pooled = pool(values, timesteps_per_column=1, units_per_row=2**12 + 2, statistic="mean")

    assert pooled[0, 0] == np.float32(2**12 / (2**12 + 2))


def test_finite_numbers_stay_finite_however_large():
    huge = np.array([[1.5e308, 1.7e308, -1.7e308], [1.6e308, 1.7e308, 1.7e308]])
    low, high = largest()

    mean = pool(huge, timesteps_per_column=2, units_per_row=1, statistic="mean")
    extreme = pool(huge, timesteps_per_column=2, units_per_row=1, statistic="extreme")

    assert mean.tolist() == [[high, high, 0]]
    assert extreme.tolist() == [[high, high, high]]
    alone = pool(-huge, timesteps_per_column=1, units_per_row=1, statistic="mean")
    assert alone.tolist() == [[low, low, high], [low, low, low]]
    huge[1, 1] = np.inf
    mean = pool(huge, timesteps_per_column=2, units_per_row=1, statistic="mean")
    np.testing.assert_array_equal(mean, [[high, np.nan, 0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_read_only_map_of_a_file_is_pooled_like_the_array(tmp_path, dtype):
    values = np.random.default_rng(2).standard_normal((50, 9)).astype(dtype)
    values.tofile(tmp_path / "values")
    mapped = np.memmap(tmp_path / "values", dtype, "r", shape=values.shape)

    for D, M, order in ((1, 1, None), (1, 1, np.arange(9)[::-1]), (4, 2, None)):
        options = {"timesteps_per_column": D, "units_per_row": M, "statistic": "extreme"}
        pooled = pool(mapped, **options, order=order)
        assert type(pooled) is np.ndarray
        assert pooled.flags.c_contiguous
        assert pooled.flags.writeable  # not the file itself
        np.testing.assert_array_equal(pooled, pool(values, **options, order=order))


def test_only_the_timesteps_needed_are_read():
    class Watched(np.ndarray):
        asked: list

        def __getitem__(self, key):
            self.asked.append(key)
            return np.asarray(self)[key]

    values = np.zeros((10_000, 2), np.float32).view(Watched)
    values.asked = []

    options = {"timesteps_per_column": 2, "units_per_row": 1, "statistic": "mean"}
    pooled = pool(values, **options, first_column=COLUMNS_PER_TILE, columns=COLUMNS_PER_TILE)

    assert pooled.shape == (512, 2)
    assert values.asked == [slice(1024, 2048)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"statistic": "median"}, "There are: extreme, mean"),
        ({"timesteps_per_column": 0}, "0 timesteps per column"),
        ({"units_per_row": 0}, "0 units per row"),
        ({"first_column": -1}, "from column -1"),
        ({"columns": -1}, "columns -1"),
        ({"order": np.array([0, 0, 1])}, "every unit from 0 to 2 once"),
        ({"order": np.array([0, 1])}, "every unit from 0 to 2 once"),
    ],
)
def test_what_cannot_be_pooled_is_refused(wrong, said):
    options = {"timesteps_per_column": 1, "units_per_row": 1, "statistic": "mean"}
    with pytest.raises(InputError, match=said):
        pool(np.zeros((4, 3)), **options | wrong)


def largest():
    return -float(np.finfo(np.float32).max), float(np.finfo(np.float32).max)
