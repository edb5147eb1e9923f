"""Arrays at the resolution a screen can show: a column of many timesteps, a row of many units."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_core.errors import InputError

STATISTICS = ("extreme", "mean")
#: A tile of the page is this many columns wide, whatever number of timesteps a column stands for.
COLUMNS_PER_TILE = 512
#: Up to this many units per row, one pass per unit over all rows is faster than numpy's own
#: reduction of a short last axis: 0.5 ms instead of 6 for 625 columns × 256 rows of 2 units.
_SHORT = 32
_LARGEST = float(np.finfo(np.float32).max)

Floats = NDArray[Any]


def pool(
    values: Floats,
    *,
    timesteps_per_column: int,
    units_per_row: int,
    statistic: str,
    order: NDArray[Any] | None = None,
    first_column: int = 0,
    columns: int | None = None,
) -> NDArray[np.float32]:
    """``values`` (T, U) as [columns, rows]: one float32 for every bucket of timesteps × units.

    Column k holds timesteps k·``timesteps_per_column`` up to the next column's, row r holds
    ``units_per_row`` consecutive units of ``order`` (a permutation of the units, by default their
    own order); the last of each may hold fewer. ``first_column`` and ``columns`` cut out some
    columns (by default all that are left); what lies beyond the end is left out, and only the
    timesteps that are needed are read, which for a memory map is all that is read of the file.

    ``mean`` is the arithmetic mean, summed in float64. ``extreme`` is the value of the bucket
    furthest from that mean, so that a single spike stays visible at any scale; of the largest and
    the smallest value at equal distance it is the one of larger magnitude, then the positive one.
    A bucket with NaN or infinity in it is NaN in both. A finite float64 beyond float32 becomes
    the largest float32.

    Raises InputError for a statistic there is not, buckets of nothing and an order that is no
    permutation.
    """
    T, U = values.shape
    _check(U, timesteps_per_column, units_per_row, statistic, order, first_column, columns)
    needed = _timesteps(T, timesteps_per_column, first_column, columns)
    cut = values[needed]
    if timesteps_per_column == 1 and units_per_row == 1:
        pooled = cut if order is None else np.take(cut, order, axis=1)
        return _as_float32(np.where(np.isfinite(pooled), pooled, np.nan))
    reduce = _means if statistic == "mean" else _extremes
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite becomes NaN below
        return _as_float32(reduce(cut, timesteps_per_column, units_per_row, order))


class _Reduction(NamedTuple):
    """A ufunc that makes one number of a bucket, and the type to compute it in."""

    ufunc: np.ufunc
    dtype: type[np.floating[Any]] | None = None


_HIGHEST = _Reduction(np.maximum)
_LOWEST = _Reduction(np.minimum)
_TOTAL = _Reduction(np.add, np.float64)


def _means(cut: Floats, D: int, M: int, order: NDArray[Any] | None) -> Floats:
    """The mean of each bucket, NaN where it is not of finite numbers only."""
    sizes = _sizes(cut.shape, D, M)
    mean = _reduced(_TOTAL, cut, D, M, order) / sizes
    if cut.dtype.itemsize >= 8 and not np.isfinite(mean).all():
        # Finite numbers whose sum is beyond float64: their shares are not.
        shares = _reduced(_TOTAL, cut / (D * M), D, M, order) * (D * M / sizes)
        mean = np.where(np.isfinite(mean), mean, shares)
    return np.where(np.isfinite(mean), mean, np.nan)


def _extremes(cut: Floats, D: int, M: int, order: NDArray[Any] | None) -> Floats:
    """The value of each bucket that is furthest from its mean, NaN as above."""
    high = _reduced(_HIGHEST, cut, D, M, order)
    low = _reduced(_LOWEST, cut, D, M, order)
    mean = _means(cut, D, M, order)
    # high is the further one where the middle between both lies above the mean. In this form
    # rounding cannot turn the tie of a bucket of two, or of two values as often as each other.
    middle = 0.5 * high.astype(np.float64) + 0.5 * low.astype(np.float64)
    above = np.where(middle == mean, np.abs(high) >= np.abs(low), middle > mean)
    return np.where(np.isfinite(mean), np.where(above, high, low), np.nan)


def _reduced(
    reduction: _Reduction, cut: Floats, D: int, M: int, order: NDArray[Any] | None
) -> Floats:
    """(T, U) to [columns, rows], first over time, so that less is left to be put in order."""
    columns = _over_time(reduction, cut, D)
    if order is not None:
        columns = np.take(columns, order, axis=1)
    return _over_units(reduction, columns, M)


def _over_time(reduction: _Reduction, cut: Floats, D: int) -> Floats:
    """(T, U) to (columns, U); the last column may be of fewer timesteps."""
    if D == 1:
        return cut
    T, U = cut.shape
    whole = T // D
    parts = [_all(reduction, cut[: whole * D].reshape(whole, D, U), 1)]
    if T % D:
        parts.append(_all(reduction, cut[whole * D :], 0)[None])
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _over_units(reduction: _Reduction, columns: Floats, M: int) -> Floats:
    """(columns, U) to (columns, rows); the last row may be of fewer units."""
    C, U = columns.shape
    if M == 1:
        return columns
    whole = U // M
    buckets = columns[:, : whole * M].reshape(C, whole, M)
    if M > _SHORT:
        parts = [_all(reduction, buckets, 2)]
    else:
        first = buckets[:, :, 0].astype(reduction.dtype or columns.dtype)  # a copy
        for unit in range(1, M):
            reduction.ufunc(first, buckets[:, :, unit], out=first)
        parts = [first]
    if U % M:
        parts.append(_all(reduction, columns[:, whole * M :], 1)[:, None])
    return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]


def _all(reduction: _Reduction, buckets: Floats, axis: int) -> Floats:
    """One number for each bucket along ``axis``."""
    reduced: Floats = reduction.ufunc.reduce(buckets, axis=axis, dtype=reduction.dtype)
    return reduced


def _sizes(shape: tuple[int, ...], D: int, M: int) -> Floats:
    """How many values are in each bucket, [columns, rows]."""
    T, U = shape
    timesteps = np.minimum(D, T - np.arange(0, T, D))
    units = np.minimum(M, U - np.arange(0, U, M))
    return np.multiply.outer(timesteps, units).astype(np.float64)


def _timesteps(T: int, D: int, first_column: int, columns: int | None) -> slice:
    start = min(first_column * D, T)
    return slice(start, T if columns is None else min(start + columns * D, T))


def _as_float32(pooled: Floats) -> NDArray[np.float32]:
    if pooled.dtype.itemsize > 4:
        pooled = np.clip(pooled, -_LARGEST, _LARGEST)  # NaN stays
    return np.ascontiguousarray(pooled, dtype=np.float32)


def _check(
    U: int,
    D: int,
    M: int,
    statistic: str,
    order: NDArray[Any] | None,
    first_column: int,
    columns: int | None,
) -> None:
    if statistic not in STATISTICS:
        raise InputError(
            "There is no such way to pool values.", came=repr(statistic), exists=STATISTICS
        )
    if D < 1 or M < 1 or first_column < 0 or (columns is not None and columns < 0):
        raise InputError(
            "Such columns and rows cannot be cut.",
            came=f"{D} timesteps per column, {M} units per row, from column {first_column}, "
            f"columns {columns}",
            expected="at least one timestep and one unit, from column 0 or later",
        )
    if order is not None and not np.array_equal(np.sort(order), np.arange(U)):
        raise InputError(
            "This is no order of the units.",
            came=f"{np.shape(order)} numbers",
            expected=f"every unit from 0 to {U - 1} once",
        )
