"""Linear CKA against its other form: HSIC of the timesteps' products, with a centring matrix."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lstm_core.analysis import cka_matrix, linear_cka, products
from lstm_core.errors import InputError
from tests.lstm_core.worlds import steady

Floats = NDArray[Any]


def hsic(K: Floats, L: Floats) -> float:
    """Gretton et al. 2005: tr(K H L H) / (n - 1)²."""
    n = len(K)
    H = np.eye(n) - np.ones((n, n)) / n
    return float(np.trace(K @ H @ L @ H)) / (n - 1) ** 2


def by_kernels(X: Floats, Y: Floats) -> float:
    K, L = X.astype(float) @ X.astype(float).T, Y.astype(float) @ Y.astype(float).T
    return hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))


def states(seed: int, T: int, U: int, dtype: str = "float64") -> Floats:
    return np.random.default_rng(seed).standard_normal((T, U)).astype(dtype)


sizes = st.tuples(st.integers(2, 40), st.lists(st.integers(1, 12), min_size=1, max_size=4))


@given(sizes=sizes, seed=st.integers(0, 99), dtype=st.sampled_from(["float32", "float64"]))
@steady
def test_every_pair_is_what_hsic_says(sizes: tuple[int, list[int]], seed: int, dtype: str) -> None:
    T, widths = sizes
    arrays = [states(seed + n, T, U, dtype) for n, U in enumerate(widths)]
    arrays = [a + np.asarray(0.3, a.dtype) * arrays[0][:, :1] for a in arrays]
    found = cka_matrix(arrays)
    expected = [[by_kernels(X, Y) for Y in arrays] for X in arrays]
    np.testing.assert_allclose(found, expected, atol=1e-5 if dtype == "float32" else 1e-10)
    np.testing.assert_allclose(cka_matrix(arrays, arrays[1:]), found[:, 1:])


@given(sizes=sizes, seed=st.integers(0, 99), threads=st.integers(1, 3))
@steady
def test_blocks_and_tiles_change_nothing(
    sizes: tuple[int, list[int]], seed: int, threads: int
) -> None:
    T, widths = sizes
    arrays = [states(seed + n, T, U) for n, U in enumerate(widths)]
    whole = cka_matrix(arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "_ROWS", 3)
        patch.setattr(products, "_COLUMNS", 5)
        patch.setattr(products, "_HELD", 30)
        np.testing.assert_allclose(cka_matrix(arrays, threads=threads), whole, atol=1e-12)


def test_turned_scaled_and_moved_it_is_the_same() -> None:
    X, Y = states(0, 50, 6), states(1, 50, 9)
    turn, _ = np.linalg.qr(states(2, 6, 6))
    assert linear_cka(X, 7 * X @ turn + 3) == pytest.approx(1)
    assert linear_cka(7 * X @ turn + 3, Y) == pytest.approx(linear_cka(X, Y))
    assert linear_cka(X, X[:, :1]) < 1


def test_of_float32_it_is_within_a_millionth() -> None:
    below = states(0, 5000, 8, "float32")
    arrays = [np.tanh(below @ states(n, 8, 60, "float32") + 5 * n) for n in range(3)]
    wide = [array.astype(np.float64) for array in arrays]
    assert np.abs(cka_matrix(arrays) - cka_matrix(wide)).max() < 1e-6
    assert linear_cka(arrays[0], arrays[1]) == cka_matrix(wide)[0, 1]


@pytest.mark.parametrize(
    ("dtype", "size"),
    [("float32", 1e-30), ("float32", 1e30), ("float64", 1e-300), ("float64", 1e307)],
)
def test_numbers_at_the_ends_of_their_type_do_no_harm(dtype: str, size: float) -> None:
    X, Y = states(0, 30, 4, dtype), states(1, 30, 5, dtype)
    found = cka_matrix([X * X.dtype.type(size)], [Y])[0, 0]
    assert found == pytest.approx(by_kernels(X, Y), abs=1e-5)


@given(
    T=st.integers(4, 20),
    bad=st.lists(st.sampled_from([np.nan, np.inf, -np.inf]), min_size=1, max_size=3),
    seed=st.integers(0, 99),
)
@steady
def test_timesteps_without_numbers_are_left_out_of_their_pairs_only(
    T: int, bad: list[float], seed: int
) -> None:
    X, Y, Z = states(seed, T, 3), states(seed + 1, T, 15), states(seed + 2, T, 2)
    X[0, 1] = bad[0]
    for n, value in enumerate(bad[1:]):
        Y[n + 1, 14] = value
    used = np.isfinite(X).all(axis=1) & np.isfinite(Y).all(axis=1)
    found = cka_matrix([X, Y, Z])
    if used.sum() > 1:
        assert found[0, 1] == pytest.approx(by_kernels(X[used], Y[used]))
    assert found[0, 2] == pytest.approx(by_kernels(X[1:], Z[1:]))
    assert found[2, 2] == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_where_nothing_moves_there_is_no_number(dtype: str) -> None:
    X = states(0, 20, 3, dtype)
    still = np.full((20, 4), 0.1, dtype)  # whose mean is not 0.1 exactly
    assert np.isnan(cka_matrix([X, still])).tolist() == [[False, True], [True, True]]
    assert np.isnan(linear_cka(X[:1], X[:1]))
    assert np.isnan(linear_cka(X[:0], X[:0]))
    assert np.isnan(linear_cka(np.full((20, 3), np.nan), X))
    both = np.concatenate([still, X], axis=1)
    assert linear_cka(both, X) == pytest.approx(1)


def test_different_numbers_of_timesteps_are_refused() -> None:
    with pytest.raises(InputError, match=r"10 and 9 timesteps.*align the tokens"):
        linear_cka(states(0, 10, 3), states(0, 9, 3))
    with pytest.raises(InputError, match="timesteps, units"):
        linear_cka(np.zeros(3), np.zeros(3))


def test_it_says_how_far_it_is() -> None:
    told: list[tuple[int, int, str]] = []
    arrays = [states(n, 5000, 4) for n in range(3)]
    arrays[1][0, 0] = np.nan  # two groups of timesteps
    cka_matrix(arrays, progress=lambda *step: told.append(step))
    shares = [done / of for done, of, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    script = (
        "import sys, lstm_core.analysis as a\n"
        "assert 'numpy' not in sys.modules\n"
        "[getattr(a, name) for name in a.__all__]\n"
        "print([m for m in ('torch', 'scipy', 'rapidfuzz') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
