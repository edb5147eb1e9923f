"""Principal components against numpy's singular value decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lstm_core.analysis import paths, principal_paths
from lstm_core.errors import InputError, SizeError
from tests.lstm_core.worlds import steady

Floats = NDArray[Any]


def states(seed: int, T: int, U: int, dtype: str = "float64") -> Floats:
    """Each unit by another factor, so that no two components are equal."""
    drawn = np.random.default_rng(seed).standard_normal((T, U))
    return (drawn * 1.7 ** np.arange(U) + np.arange(U)).astype(dtype)


def by_svd(X: Floats, components: int) -> tuple[Floats, Floats]:
    """Points and shares of the variance; the sign is decided by the loading."""
    X = X.astype(float)
    centred = X - X.mean(axis=0)
    _, sizes, loadings = np.linalg.svd(centred, full_matrices=False)
    points, shares = np.zeros((len(X), components)), np.zeros(components)
    for n in range(min(components, len(sizes), len(X) - 1)):
        sign = 1 if max(loadings[n], key=abs) > 0 else -1
        points[:, n] = sign * centred @ loadings[n]
        shares[n] = sizes[n] ** 2 / np.square(sizes).sum()
    return points, shares


@given(
    lengths=st.lists(st.integers(0, 12), min_size=1, max_size=3),
    U=st.integers(1, 9),
    components=st.integers(1, 4),
    seed=st.integers(0, 99),
    dtype=st.sampled_from(["float32", "float64"]),
)
@steady
def test_all_arrays_lie_in_the_space_of_their_svd(
    lengths: list[int], U: int, components: int, seed: int, dtype: str
) -> None:
    arrays = [states(seed + n, T, U, dtype) for n, T in enumerate(lengths)]
    found = principal_paths(arrays, components)
    whole = np.concatenate(arrays)
    assert [points.shape for points in found.points] == [(T, components) for T in lengths]
    assert found.loadings.shape == (components, U)
    if len(whole) > 1:
        points, shares = by_svd(whole, components)
        np.testing.assert_allclose(np.concatenate(found.points), points, atol=1e-6)
        np.testing.assert_allclose(found.explained, shares, atol=1e-9)
        for loading in found.loadings[shares > 1e-9]:
            assert max(loading, key=abs) > 0
            assert np.linalg.norm(loading) == pytest.approx(1)
    else:
        assert not np.concatenate(found.points).any()
        assert not found.explained.any()


def test_what_is_missing_is_zero() -> None:
    line = np.outer(np.arange(10.0), [3, 4, 0])
    found = principal_paths([line], 3)
    np.testing.assert_allclose(found.points[0][:, 0], 5 * (np.arange(10) - 4.5))
    np.testing.assert_allclose(found.explained, [1, 0, 0], atol=1e-12)
    assert not found.points[0][:, 1:].any()
    for still in (np.full((10, 3), 0.1, "float32"), np.ones((1, 3))):
        found = principal_paths([still], 2)
        assert not found.points[0].any()
        assert found.explained.tolist() == [0, 0]


def test_timesteps_without_numbers_are_left_out_and_have_no_point() -> None:
    X, Y = states(0, 20, 4), states(1, 15, 4)
    expected = principal_paths([X[1:], Y])
    X[0, 2] = np.inf
    found = principal_paths([X, Y])
    assert np.isnan(found.points[0][0]).all()
    np.testing.assert_allclose(found.points[0][1:], expected.points[0])
    np.testing.assert_allclose(found.points[1], expected.points[1])
    nothing = principal_paths([np.full((3, 2), np.nan)])
    assert np.isnan(nothing.points[0]).all()
    assert nothing.explained.tolist() == [0, 0, 0]


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_numbers_at_the_ends_of_float64_do_no_harm(size: float) -> None:
    X, Y = states(0, 20, 4), states(1, 15, 4)
    expected, found = principal_paths([X, Y]), principal_paths([size * X, size * Y])
    np.testing.assert_allclose(found.explained, expected.explained)
    np.testing.assert_allclose(found.points[1] / size, expected.points[1], atol=1e-9)
    np.testing.assert_allclose(found.mean / size, expected.mean)


def test_twice_is_the_same_and_mirrored_is_mirrored_back() -> None:
    X = states(0, 50, 6)
    first, again, mirrored = (principal_paths([a]).points[0] for a in (X, X.copy(), -X))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(mirrored, -first)


def test_what_has_no_space_in_common_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for arrays in ([states(0, 5, 2), states(0, 5, 3)], [np.zeros(4)], []):
        with pytest.raises(InputError, match="same width"):
            principal_paths(arrays)
    with pytest.raises(InputError, match="at least one component"):
        principal_paths([states(0, 5, 2)], 0)
    monkeypatch.setattr(paths, "MAX_DIMENSIONS", 4)
    with pytest.raises(SizeError, match="5 timesteps of 6 units"):
        principal_paths([states(0, 5, 6)])


def test_it_says_what_it_is() -> None:
    text = repr(principal_paths([states(0, 12, 2), states(1, 3, 2)], 2))
    assert text.startswith("PrincipalPaths of 12, 3 timesteps; explained variance ")
