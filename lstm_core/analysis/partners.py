"""Which unit of one array does what a unit of another does."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_core.analysis.similarity import finite_rows
from lstm_core.errors import InputError

Floats = NDArray[Any]


class Partners(NamedTuple):
    """For each unit of X its partner in Y, -1 for none, and Pearson's r with it, NaN for none."""

    units: NDArray[np.intp]
    correlations: NDArray[np.float64]


def correlations(X: Floats, Y: Floats) -> NDArray[np.float64]:
    """Pearson's r of each unit of X (T, U) with each of Y (T, V) over the timesteps: [U, V].

    Timesteps with NaN or infinity on either side are left out; NaN for a unit that then never
    moves. Raises InputError for different numbers of timesteps.
    """
    if len(X) != len(Y):
        raise InputError(
            "Only arrays of the same timesteps can be compared.",
            came=f"{len(X):,} and {len(Y):,} timesteps",
            expected="as many on both sides: align the tokens first",
        )
    rows = finite_rows(X, Y)
    if not rows.any():
        return np.full((X.shape[1], Y.shape[1]), np.nan)
    x, y = _standardized(X[rows]), _standardized(Y[rows])
    return np.clip(x.T @ y, -1, 1)


def best_matches(X: Floats, Y: Floats) -> Partners:
    """For each unit of X (T, U) the unit of Y (T, V) whose |r| with it is largest.

    Pearson's r over the timesteps, given with its sign; of equal ones the first. Several units
    may have the same partner. A unit that never moves has none, and is nobody's.

    Li, Yosinski, Clune, Lipson and Hopcroft 2015, "Convergent Learning: Do different neural
    networks learn the same representations?", https://arxiv.org/abs/1511.07543, section 3
    (there of r; |r|, since an LSTM may hold the same with either sign).
    """
    return _best(correlations(X, Y))


def one_to_one_matches(X: Floats, Y: Floats) -> Partners:
    """As :func:`best_matches`, but each unit of Y is the partner of at most one.

    The assignment whose sum of |r| is largest (Li et al. 2015, section 3.2; found with
    ``scipy.optimize.linear_sum_assignment``). The narrower side is assigned as a whole, but for
    units that never move.
    """
    return _one_to_one(correlations(X, Y))


def both_matches(X: Floats, Y: Floats) -> tuple[Partners, Partners]:
    """:func:`best_matches` and :func:`one_to_one_matches` at the price of one."""
    found = correlations(X, Y)
    return _best(found), _one_to_one(found)


def _best(r: NDArray[np.float64]) -> Partners:
    U = len(r)
    if not r.size:
        return Partners(np.full(U, -1, dtype=np.intp), np.full(U, np.nan))
    size = np.where(np.isnan(r), -1.0, np.abs(r))
    units = size.argmax(axis=1)
    none = size[np.arange(U), units] < 0
    return Partners(np.where(none, -1, units), np.where(none, np.nan, r[np.arange(U), units]))


def _one_to_one(r: NDArray[np.float64]) -> Partners:
    from scipy.optimize import linear_sum_assignment  # 0.3 s, hence only here

    partners = Partners(np.full(len(r), -1, dtype=np.intp), np.full(len(r), np.nan))
    known = ~np.isnan(r)
    left, right = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    rows, columns = linear_sum_assignment(np.abs(r[np.ix_(left, right)]), maximize=True)
    partners.units[left[rows]] = right[columns]
    partners.correlations[left[rows]] = r[left[rows], right[columns]]
    return partners


def _standardized(values: Floats) -> NDArray[np.float64]:
    """Units centred and of length 1, so that r is a dot product; NaN for one that never moves."""
    low, high = values.min(axis=0), values.max(axis=0)
    columns: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    # To magnitudes of at most 1 first: the squares of large numbers are beyond float64.
    with np.errstate(all="ignore"):
        columns = columns / np.maximum(np.abs(low), np.abs(high)).astype(np.float64)
        columns -= columns.mean(axis=0)
        columns /= np.sqrt(np.square(columns).sum(axis=0))
    columns[:, low == high] = np.nan
    return columns
