"""Partners of units against numpy's correlations and every assignment there is."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lstm_core.analysis import best_matches, correlations, one_to_one_matches
from lstm_core.errors import InputError
from tests.lstm_core.worlds import steady

Floats = NDArray[Any]


def states(seed: int, T: int, U: int, dtype: str = "float64") -> Floats:
    return np.random.default_rng(seed).standard_normal((T, U)).astype(dtype)


sides = st.tuples(st.integers(3, 12), st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))


@given(sides=sides, dtype=st.sampled_from(["float32", "float64"]))
@steady
def test_correlations_are_numpys(sides: tuple[int, int, int, int], dtype: str) -> None:
    T, U, V, seed = sides
    X, Y = states(seed, T, U, dtype), states(seed + 1, T, V, dtype)
    whole = np.corrcoef(np.concatenate([X, Y], axis=1).astype(float).T)
    np.testing.assert_allclose(correlations(X, Y), whole[:U, U:], atol=1e-9)


@given(sides=sides, still=st.booleans())
@steady
def test_the_best_match_has_the_largest_magnitude(
    sides: tuple[int, int, int, int], still: bool
) -> None:
    T, U, V, seed = sides
    X, Y = states(seed, T, U), states(seed + 1, T, V)
    if still:
        X[:, 0], Y[:, -1] = 0.1, 0.1
    found = best_matches(X, Y)
    moving = V - 1 if still else V
    for unit in range(U):
        if (still and unit == 0) or not moving:
            assert found.units[unit] == -1
            assert np.isnan(found.correlations[unit])
            continue
        r = [np.corrcoef(X[:, unit], Y[:, other])[0, 1] for other in range(moving)]
        assert found.units[unit] == np.argmax(np.abs(r))
        assert found.correlations[unit] == pytest.approx(r[found.units[unit]])


@given(sides=sides)
@steady
def test_one_to_one_is_the_best_of_all_assignments(sides: tuple[int, int, int, int]) -> None:
    T, U, V, seed = sides
    X, Y = states(seed, T, U), states(seed + 1, T, V)
    size = np.abs(np.corrcoef(np.concatenate([X, Y], axis=1).T)[:U, U:])
    narrow = size if U <= V else size.T
    best = max(
        sum(row[place] for row, place in zip(narrow, chosen, strict=True))
        for chosen in permutations(range(max(U, V)), min(U, V))
    )
    found = one_to_one_matches(X, Y)
    taken = found.units[found.units >= 0]
    assert len(set(taken.tolist())) == len(taken) == min(U, V)
    assert np.nansum(np.abs(found.correlations)) == pytest.approx(best)


def test_one_that_is_mirrored_is_found_with_its_sign() -> None:
    X = states(0, 30, 4)
    found = one_to_one_matches(X, -X[:, ::-1])
    assert found.units.tolist() == [3, 2, 1, 0]
    np.testing.assert_allclose(found.correlations, -1)


def test_units_that_never_move_have_no_partner() -> None:
    X = states(0, 30, 3)
    still = np.full((30, 3), 0.1)
    for matches in (best_matches, one_to_one_matches):
        for found in (matches(X, still), matches(still, X), matches(X[:1], X[:1])):
            assert found.units.tolist() == [-1, -1, -1]
            assert np.isnan(found.correlations).all()


def test_timesteps_without_numbers_are_left_out() -> None:
    X, Y = states(0, 30, 3), states(1, 30, 3)
    expected = correlations(X[2:], Y[2:])
    X[0, 0], Y[1, 2] = np.nan, np.inf
    np.testing.assert_allclose(correlations(X, Y), expected)
    assert np.isnan(correlations(np.full((4, 2), np.nan), Y[:4])).all()


def test_large_numbers_do_no_harm() -> None:
    X, Y = states(0, 30, 3), states(1, 30, 3)
    np.testing.assert_allclose(correlations(1e300 * X, Y), correlations(X, Y), atol=1e-9)


def test_different_numbers_of_timesteps_are_refused() -> None:
    with pytest.raises(InputError, match="10 and 9 timesteps"):
        best_matches(states(0, 10, 3), states(0, 9, 3))
