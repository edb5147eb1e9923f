"""What a unit, or a whole array, did over all timesteps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]

#: Numbers worked on at a time (8 MB as float64), so that an array may be larger than memory.
_BLOCK = 1_000_000


class UnitSummaries(NamedTuple):
    """Four numbers of each unit over its finite values, float64 [units]; NaN where there is none.

    ``variance`` is that of the population: the mean of (value - mean)².
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]


def summarize_units(values: Floats) -> UnitSummaries:
    """Lowest, highest, mean and variance of each column of ``values`` (T, U).

    Read twice, for the mean and then for the squares around it: the textbook's one pass,
    mean(v²) - mean(v)², loses all digits of a unit that hardly moves.
    """
    U = values.shape[1]
    low, high = np.full(U, np.inf), np.full(U, -np.inf)
    total, count, variance = np.zeros(U), np.zeros(U), np.zeros(U)
    with np.errstate(all="ignore"):  # 0 / 0 is NaN as it should be; a square may be beyond float64
        for block, finite in _finite_blocks(values):
            low = np.minimum(low, block.min(axis=0, where=finite, initial=np.inf))
            high = np.maximum(high, block.max(axis=0, where=finite, initial=-np.inf))
            total += block.sum(axis=0, where=finite)
            count += len(block) if finite is True else finite.sum(axis=0)
        mean = total / count
        if np.isinf(mean).any():  # the sum of large numbers: their shares are not beyond float64
            shares = sum((b / count).sum(axis=0, where=w) for b, w in _finite_blocks(values))
            mean = np.where(np.isinf(mean), shares, mean)
        mean = np.clip(mean, low, high)  # rounding can carry it out of a unit that never moves
        for block, finite in _finite_blocks(values):
            variance += np.square(block - mean).sum(axis=0, where=finite)
        variance /= count
    empty = count == 0
    return UnitSummaries(*(np.where(empty, np.nan, part) for part in (low, high, mean, variance)))


def value_range(values: Floats) -> tuple[float | None, float | None, bool]:
    """The lowest and the highest finite value of an array of any shape; are all of them finite?

    ``(None, None, …)`` where there is no finite value.
    """
    if values.size == 0:
        return None, None, True
    low, high = float(values.min()), float(values.max())  # NaN and infinities come through
    if math.isfinite(low) and math.isfinite(high):
        return low, high, True
    flat = values.reshape(len(values), -1)
    found = [block[finite] for block, finite in _finite_blocks(flat)]
    ends = [(part.min(), part.max()) for part in found if part.size]
    if not ends:
        return None, None, False
    return float(min(low for low, _ in ends)), float(max(high for _, high in ends)), False


def size_of(values: Floats) -> float:
    """The largest finite magnitude; 0 where there is none."""
    low, high, _ = value_range(values)
    return 0.0 if low is None or high is None else max(abs(low), abs(high))


def timestep_blocks(values: Floats) -> Iterator[NDArray[np.float64]]:
    """``values`` (T, U) as float64, some timesteps at a time."""
    rows = max(1, _BLOCK // max(1, values.shape[1]))
    for start in range(0, len(values), rows):
        yield np.asarray(values[start : start + rows], dtype=np.float64)


def _finite_blocks(
    values: Floats,
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_] | Literal[True]]]:
    """Blocks of timesteps, each with which of its values are finite: True for all of them."""
    for block in timestep_blocks(values):
        finite = np.isfinite(block)
        yield block, True if finite.all() else finite
