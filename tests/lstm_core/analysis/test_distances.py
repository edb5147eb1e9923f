"""Distances against scipy's, one timestep at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from numpy.typing import NDArray
from scipy.spatial import distance as scipy_distance

from lstm_core.analysis import (
    cosine,
    distance,
    first_parting,
    norms,
    relative_distance,
    summaries,
    total_variation,
)
from lstm_core.errors import InputError
from tests.lstm_core.worlds import steady

Floats = NDArray[Any]

numbers = st.one_of(st.just(0.0), st.floats(-1e3, 1e3, width=32), st.sampled_from([np.nan, np.inf]))


def tables(shape: tuple[int, int]) -> st.SearchStrategy[Floats]:
    return arrays_of.arrays(np.float32, shape, elements=numbers)


both = st.tuples(st.integers(0, 6), st.integers(1, 5)).flatmap(
    lambda shape: st.tuples(tables(shape), tables(shape))
)


def expected(x: Floats, y: Floats) -> tuple[float, float, float]:
    """Cosine, distance and relative distance of two vectors."""
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return math.nan, math.nan, math.nan
    apart = math.dist(x, y)
    size = (math.hypot(*x) + math.hypot(*y)) / 2
    zero = not x.any() or not y.any()
    angle = math.nan if zero else 1 - float(scipy_distance.cosine(x, y))
    return angle, apart, apart / size if size else 0.0


@given(both=both, block=st.sampled_from([1, 7, 1_000_000]))
@steady
def test_each_timestep_is_what_its_two_vectors_say(both: tuple[Floats, Floats], block: int) -> None:
    X, Y = both
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "_BLOCK", block)
        found = np.stack([cosine(X, Y), distance(X, Y), relative_distance(X, Y)], axis=1)
        lengths = norms(X)
    wanted = [expected(x.astype(float), y.astype(float)) for x, y in zip(X, Y, strict=True)]
    np.testing.assert_allclose(found, np.reshape(wanted, (-1, 3)), rtol=1e-9, atol=1e-7)
    finite = np.isfinite(X).all(axis=1)
    np.testing.assert_allclose(lengths[finite], np.linalg.norm(X[finite].astype(float), axis=1))
    assert np.isnan(lengths[~finite]).all()


def test_zero_vectors_have_no_direction_but_a_distance() -> None:
    zeros, ones = np.zeros((1, 3)), np.ones((1, 3))
    assert np.isnan(cosine(zeros, ones)).all()
    assert relative_distance(zeros, zeros) == [0]
    assert relative_distance(zeros, ones) == [2]
    assert relative_distance(ones, -ones) == [2]
    assert cosine(ones, 1e-200 * ones) == pytest.approx([1])


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e200])
def test_squares_neither_vanish_nor_overflow(size: float) -> None:
    X, Y = np.array([[3.0, 4.0]]), np.array([[-4.0, 3.0]])
    np.testing.assert_allclose(norms(size * X), [size * 5], rtol=1e-3)
    np.testing.assert_allclose(distance(size * X, size * Y), [size * 50**0.5], rtol=1e-3)
    np.testing.assert_allclose(relative_distance(size * X, size * Y), [2**0.5], rtol=1e-3)
    np.testing.assert_allclose(cosine(size * X, Y), [0], atol=1e-3)


def test_total_variation_is_the_largest_difference_of_any_set_of_labels() -> None:
    rng = np.random.default_rng(0)
    P, Q = rng.dirichlet(np.ones(5), 20), rng.dirichlet(np.ones(5), 20)
    sets = [[n for n in range(5) if bits >> n & 1] for bits in range(32)]
    largest = np.max([np.abs((P - Q)[:, chosen].sum(axis=1)) for chosen in sets], axis=0)
    np.testing.assert_allclose(total_variation(P, Q), largest)
    assert total_variation(np.eye(2), np.eye(2)[::-1]).tolist() == [1, 1]


@pytest.mark.parametrize("measure", [cosine, distance, relative_distance, total_variation])
def test_other_shapes_are_refused(measure: Any) -> None:
    for Y in (np.zeros((4, 2)), np.zeros((3, 3)), np.zeros(3)):
        with pytest.raises(InputError, match="as many units on both sides"):
            measure(np.zeros((4, 3)), Y)


def test_they_part_where_the_network_first_differs() -> None:
    relative = np.array([0.1, np.nan, 0.6, 0.2, 0.9, 0.1])
    assert first_parting(relative, 0.5) == 2
    assert first_parting(relative, 0.5, from_the_end=True) == 4
    assert first_parting(relative, 0.9) is None
    assert first_parting(relative, 0.5, alone=np.arange(6) == 1) == 1
    assert first_parting(relative, 2, alone=np.arange(6) >= 4, from_the_end=True) == 5
    assert first_parting(np.zeros(0), 0.5) is None
