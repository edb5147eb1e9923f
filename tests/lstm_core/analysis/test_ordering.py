"""Orders of units against numpy's corrcoef, scipy's clustering and plain sorting."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import scipy.cluster.hierarchy
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lstm_core.analysis import ordering, summaries
from lstm_core.analysis.ordering import SORTS, order_units
from lstm_core.errors import InputError
from tests.lstm_core.worlds import steady

few = st.sampled_from([0.0, 0.5, -0.5, 1.0, -1.0, 2.0])
broken = few | st.sampled_from([math.nan, math.inf, -math.inf])
tables = st.sampled_from(["float32", "float64"]).flatmap(
    lambda dtype: hnp.arrays(
        dtype, st.tuples(st.integers(1, 12), st.integers(1, 9)), elements=st.one_of(few, broken)
    )
)


def random_walks(T=200, U=12, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((T, U)).cumsum(axis=0).astype(np.float32)


@steady
@given(tables, st.sampled_from(SORTS))
def test_every_order_is_a_permutation_and_always_the_same(values, sort):
    order = order_units(values, sort, unit=0)

    assert np.issubdtype(order.dtype, np.integer)
    assert sorted(order) == list(range(values.shape[1]))
    assert order.tolist() == order_units(values.copy(), sort, unit=0).tolist()


@pytest.mark.parametrize("block", [1, 30, 1_000_000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_peaks_are_in_order_of_time(monkeypatch, block, dtype):
    monkeypatch.setattr(summaries, "_BLOCK", block)

    @steady
    @given(hnp.arrays(dtype, st.tuples(st.integers(1, 12), st.integers(1, 9)), elements=broken))
    def check(values):
        expected = sorted(range(values.shape[1]), key=lambda unit: peak(values[:, unit]))
        assert order_units(values, "peak").tolist() == expected  # sorted() is stable, too

    check()


def peak(column):
    """Its first timestep of largest finite magnitude, after all others where there is none."""
    finite = [(-abs(v), t) for t, v in enumerate(column) if math.isfinite(v)]
    return min(finite)[1] if finite else len(column)


@steady
@given(tables)
def test_the_largest_mean_comes_first(values):
    def mean(unit):
        finite = [float(v) for v in values[:, unit] if math.isfinite(v)]
        return -sum(finite) / len(finite) if finite else math.inf  # exact: all are halves

    expected = sorted(range(values.shape[1]), key=mean)
    assert order_units(values, "mean").tolist() == expected


@steady
@given(tables)
def test_the_largest_variance_comes_first(values):
    order = order_units(values, "variance")

    columns = [column[np.isfinite(column)].astype(float) for column in values.T]
    variances = [columns[unit].var() if columns[unit].size else -math.inf for unit in order]
    assert all(a >= b - 1e-12 for a, b in pairwise(variances))
    still = [unit for unit, v in zip(order, variances, strict=True) if v == 0]
    assert still == sorted(still)


def test_the_most_similar_comes_first():
    values = random_walks()
    for unit in range(values.shape[1]):
        correlation = np.corrcoef(values.T.astype(float))[unit]
        correlation[unit] = 2
        order = order_units(values, "similarity", unit)
        assert order.tolist() == np.argsort(-correlation).tolist()


@steady
@given(tables, st.data())
def test_similarity_puts_what_has_no_correlation_last(values, data):
    U = values.shape[1]
    unit = data.draw(st.integers(0, U - 1))

    order = order_units(values, "similarity", unit).tolist()

    assert order[0] == unit
    ordinary = [moves(values[:, u]) for u in range(U)]
    with_correlation = [u for u in range(U) if u != unit and ordinary[unit] and ordinary[u]]
    rest = [u for u in range(U) if u != unit and u not in with_correlation]
    assert order[1 + len(with_correlation) :] == rest
    columns = values.astype(float).T
    correlations = [
        scipy.stats.pearsonr(columns[unit], columns[u])[0]
        for u in order[1 : 1 + len(with_correlation)]
    ]
    assert all(a >= b - 1e-12 for a, b in pairwise(correlations))


def moves(column):
    return bool(np.isfinite(column).all()) and column.min() < column.max()


def test_units_of_any_magnitude_have_a_correlation():
    wave = np.sin(np.arange(50.0))
    noise = np.random.default_rng(0).standard_normal(50)
    values = np.stack([wave, -wave * 1e300, noise, wave * 1e300, wave * 1e-300], axis=1)

    assert order_units(values, "similarity", 3).tolist()[:1] == [3]
    assert set(order_units(values, "similarity", 3).tolist()[:3]) == {0, 3, 4}
    assert order_units(values, "similarity", 3).tolist()[-1] == 1


@pytest.mark.parametrize("optimal", [True, False])
def test_clusters_are_those_of_scipy(monkeypatch, optimal):
    monkeypatch.setattr(ordering, "_OPTIMAL_UNITS", 512 if optimal else 2)
    for seed in range(5):
        values = random_walks(seed=seed).astype(np.float64)
        tree = scipy.cluster.hierarchy.linkage(
            values.T, "average", metric="correlation", optimal_ordering=optimal
        )
        expected = scipy.cluster.hierarchy.leaves_list(tree)
        assert order_units(values, "cluster").tolist() == expected.tolist()


def test_units_that_do_the_same_lie_together():
    rng = np.random.default_rng(0)
    kinds = rng.standard_normal((300, 4))
    kind = np.array([0, 1, 2, 3, 3, 2, 1, 0, 0, 2, 1, 3])
    values = kinds[:, kind] + 0.1 * rng.standard_normal((300, 12))

    found = kind[order_units(values, "cluster")].tolist()

    assert sum(a != b for a, b in pairwise(found)) == 3


def test_what_cannot_be_clustered_stands_at_the_end():
    values = random_walks(U=8).astype(np.float64)
    values[:, 1] = 0.5
    values[3, 4] = np.nan
    values[5, 6] = np.inf

    order = order_units(values, "cluster").tolist()

    assert order[-3:] == [1, 4, 6]
    rest = [0, 2, 3, 5, 7]
    assert [rest.index(u) for u in order[:-3]] == order_units(values[:, rest], "cluster").tolist()


@pytest.mark.parametrize("sort", SORTS)
def test_alike_units_stay_in_their_own_order(sort):
    for column in (np.zeros(7), np.full(7, np.nan), np.arange(7.0)):
        values = np.repeat(column[:, None], 6, axis=1)
        order = order_units(values, sort, unit=0).tolist()
        if sort != "cluster" or not moves(column):
            assert order == list(range(6))


def test_an_order_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"'loudness'.*index, peak, mean, variance, similarity"):
        order_units(np.zeros((2, 2)), "loudness")


@pytest.mark.parametrize("unit", [None, -1, 3])
def test_similarity_wants_a_unit_there_is(unit):
    with pytest.raises(InputError, match="a unit from 0 to 2"):
        order_units(np.zeros((4, 3)), "similarity", unit)
