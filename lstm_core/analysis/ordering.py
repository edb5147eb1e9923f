"""Orders of units: what lies beside what in a picture of many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_core.analysis.summaries import summarize_units, timestep_blocks
from lstm_core.errors import InputError

SORTS = ("index", "peak", "mean", "variance", "similarity", "cluster")
#: Up to this many units the leaves of the tree are turned into the best order. See _clustered.
_OPTIMAL_UNITS = 512

Floats = NDArray[Any]
Order = NDArray[np.intp]


def order_units(values: Floats, sort: str, unit: int | None = None) -> Order:
    """The units of ``values`` (T, U) in an order: a permutation of 0 … U - 1.

    - ``index``: their own order.
    - ``peak``: by the timestep at which the magnitude is largest (the first one such).
    - ``mean``, ``variance``: the largest first.
    - ``similarity``: by Pearson correlation with ``unit``, the most similar first, ``unit`` itself
      before all.
    - ``cluster``: the leaves of a hierarchical clustering, so that alike units lie together.

    Units that are equal in this stay in their own order. Values that are not finite are left out
    by peak, mean and variance; a correlation needs all timesteps, so that there a unit with such
    a value stands at the end in its own order, like one that never moves and those of which no
    value is finite.

    Raises InputError for a sort there is not, or where similarity lacks a unit there is.
    """
    U = values.shape[1]
    if sort not in SORTS:
        raise InputError("There is no such order of units.", came=repr(sort), exists=SORTS)
    if sort == "similarity" and (unit is None or not 0 <= unit < U):
        raise InputError(
            "An order by similarity needs the unit the others are compared with.",
            came=f"unit {unit}",
            expected=f"a unit from 0 to {U - 1}",
        )
    if sort == "peak":
        return _ascending(_peaks(values))
    if sort in ("mean", "variance"):
        return _ascending(-getattr(summarize_units(values), sort))
    if sort == "similarity" and unit is not None:
        return _by_similarity(values, unit)
    if sort == "cluster":
        return _clustered(values)
    return np.arange(U)


def _ascending(keys: Floats) -> Order:
    """NaN last; equal ones as they were."""
    return np.argsort(keys, kind="stable")


def _peaks(values: Floats) -> Floats:
    """The timestep of each unit's largest finite magnitude; NaN where it has none."""
    U = values.shape[1]
    largest, peaks = np.full(U, -1.0), np.full(U, np.nan)
    start = 0
    for block in timestep_blocks(values):
        magnitude = np.abs(block)
        magnitude[~np.isfinite(magnitude)] = -1.0
        timesteps = magnitude.argmax(axis=0)
        here = magnitude[timesteps, np.arange(U)]
        later = here > largest
        largest[later], peaks[later] = here[later], start + timesteps[later]
        start += len(block)
    return peaks


def _by_similarity(values: Floats, unit: int) -> Order:
    moving, columns = _standardized(values)
    correlation = np.full(values.shape[1], np.nan)
    if moving[unit]:
        reference = columns[:, np.count_nonzero(moving[:unit])]
        correlation[moving] = reference @ columns
    correlation[unit] = np.inf
    return _ascending(-correlation)


def _clustered(values: Floats) -> Order:
    """Average linkage (UPGMA) on the distance 1 - r, r being Pearson's correlation.

    A tree of U units has 2^(U-1) orders of leaves. Up to 512 units it is turned into the one in
    which neighbours are closest (Bar-Joseph, Gifford and Jaakkola 2001, "Fast optimal leaf
    ordering for hierarchical clustering"), which took 0.03 to 0.7 s at 512, and grows with at
    least the third power. Beyond that leaves stay as the linkage put them.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.cluster.hierarchy.linkage.html
    """
    moving, columns = _standardized(values)
    order = np.flatnonzero(moving)
    if len(order) > 2:
        from scipy.cluster.hierarchy import leaves_list, linkage  # 0.4 s, hence only here

        distances = (1 - columns.T @ columns)[np.triu_indices(len(order), k=1)].clip(0, 2)
        tree = linkage(distances, "average", optimal_ordering=len(order) <= _OPTIMAL_UNITS)
        order = order[leaves_list(tree)]
    return np.concatenate([order, np.flatnonzero(~moving)])


def _standardized(values: Floats) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which units move and are finite everywhere [U], and these centred and of length 1 (T, n).

    The correlation of two of them is their dot product.
    """
    low, high = values.min(axis=0), values.max(axis=0)  # NaN and infinities come through
    moving = np.isfinite(low) & np.isfinite(high) & (low < high)
    columns = np.asarray(values[:, moving], dtype=np.float64)
    # To magnitudes of at most 1 first: the squares of large numbers are beyond float64.
    columns /= np.maximum(np.abs(low[moving]), np.abs(high[moving]))
    columns -= columns.mean(axis=0)
    columns /= np.sqrt(np.square(columns).sum(axis=0))
    return moving, columns
