"""The states of all timesteps as points in two or three dimensions: principal components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_core.analysis.similarity import finite_rows
from lstm_core.analysis.summaries import size_of, timestep_blocks
from lstm_core.errors import InputError, SizeError

Floats = NDArray[Any]
Numbers = NDArray[np.float64]

#: The smaller of timesteps and units, at most: the time grows with its third power.
MAX_DIMENSIONS = 4096


@dataclass(frozen=True, eq=False)
class PrincipalPaths:
    """Points of each array in the space of the first components of all of them."""

    points: list[Numbers]  # one array (T, components) for each
    explained: Numbers  # [components], shares of the variance
    loadings: Numbers  # [components, U], each of length 1; zeros for one that is missing
    mean: Numbers  # [U], where the points' origin is

    def __repr__(self) -> str:
        shares = ", ".join(f"{share:.1%}" for share in self.explained)
        timesteps = ", ".join(f"{len(points):,}" for points in self.points)
        return f"PrincipalPaths of {timesteps} timesteps; explained variance {shares}"


def principal_paths(arrays: Sequence[Floats], components: int = 3) -> PrincipalPaths:
    """Each of ``arrays`` (T, U) as a path of points (T, components) in one space.

    The space is that of the principal components of all timesteps of all arrays: the directions
    in which they vary most, around their common mean. Point = (values - mean) · loading.
    ``explained`` is the component's share of the whole variance, so that all shares sum to 1.

    The sign of a component means nothing, so that it is chosen: its loading of largest magnitude
    (the first of equal ones) is positive. Where the states vary in fewer dimensions than asked
    for, what is missing is 0 in points, loadings and shares. A timestep with NaN or infinity is
    left out, and its point is NaN. Computed in float64.

    Pearson 1901, "On lines and planes of closest fit to systems of points in space",
    https://doi.org/10.1080/14786440109462720.

    Raises InputError for arrays of different widths, none at all or no components; SizeError
    where both timesteps and units are more than 4,096.
    """
    tables = [np.asarray(values) for values in arrays]
    _check(tables, components)
    finite = [finite_rows(table) for table in tables]
    kept = [t if rows.all() else t[rows] for t, rows in zip(tables, finite, strict=True)]
    # By a factor where squares would be beyond float64, or lost.
    size = max(map(size_of, kept), default=0.0)
    factor = size if size and not 1e-140 < size < 1e140 else 1.0
    if factor != 1:
        kept = [table / np.float64(factor) for table in kept]
    mean = _mean(kept)
    variances, loadings, total = _components(kept, mean, components)
    points = []
    for table, rows, chosen in zip(tables, finite, kept, strict=True):
        path = np.full((len(table), components), np.nan)
        with np.errstate(over="ignore"):  # a point beyond float64 is at infinity
            path[rows] = _projected(chosen, mean, loadings) * factor
        points.append(path)
    explained = variances / total if total > 0 else np.zeros(components)
    return PrincipalPaths(points, explained, loadings, mean * factor)


def _check(tables: Sequence[Floats], components: int) -> None:
    widths = list(dict.fromkeys(table.shape[1:] for table in tables))
    if len(widths) != 1 or len(widths[0]) != 1:
        came = ", ".join(str(table.shape) for table in tables[:10]) or "none"
        raise InputError(
            "Only arrays of the same width have a space in common.",
            came=came,
            expected="arrays (timesteps, units), as many units in each",
        )
    if components < 1:
        raise InputError(
            "A space has at least one component.", came=str(components), expected="1 or more"
        )
    T, U = sum(map(len, tables)), widths[0][0]
    if min(T, U) > MAX_DIMENSIONS:
        raise SizeError(
            "Finding the components of so many numbers would take too long.",
            came=f"{T:,} timesteps of {U:,} units",
            expected=f"at most {MAX_DIMENSIONS:,} timesteps or {MAX_DIMENSIONS:,} units",
        )


def _mean(tables: Sequence[Floats]) -> Numbers:
    """Of all timesteps [U]; exactly the value of a unit that never moves."""
    count = sum(map(len, tables))
    U = tables[0].shape[1]
    if not count:
        return np.zeros(U)
    filled = [table for table in tables if len(table)]
    mean = np.sum([table.sum(axis=0, dtype=np.float64) for table in filled], axis=0) / count
    low = np.min([table.min(axis=0) for table in filled], axis=0)
    high = np.max([table.max(axis=0) for table in filled], axis=0)
    centre: Numbers = np.clip(mean, low, high)
    return centre


def _components(
    tables: Sequence[Floats], mean: Numbers, components: int
) -> tuple[Numbers, Numbers, float]:
    """Squares along each component, its loading [components, U], and the squares of all."""
    T, U = sum(map(len, tables)), len(mean)
    squares, loadings = np.zeros(components), np.zeros((components, U))
    found = min(components, T, U)
    if not found:
        return squares, loadings, 0.0
    if U <= T:
        scatter = np.zeros((U, U))
        for table in tables:
            for block in timestep_blocks(table):
                block = block - mean
                scatter += block.T @ block
        values, vectors = _largest(scatter, found)
        directions = vectors.T
    else:  # fewer timesteps than units: the same components from the timesteps' products
        centred = np.concatenate([np.asarray(table, dtype=np.float64) for table in tables]) - mean
        scatter = centred @ centred.T
        values, vectors = _largest(scatter, found)
        directions = vectors.T @ centred
    total = float(np.trace(scatter))
    real = values > total * max(T, U) * np.finfo(np.float64).eps
    directions = directions[real]
    directions /= np.sqrt(np.square(directions).sum(axis=1, keepdims=True))
    largest = np.abs(directions).argmax(axis=1)
    directions *= np.sign(directions[np.arange(len(directions)), largest])[:, None]
    squares[: len(directions)], loadings[: len(directions)] = values[real], directions
    return squares, loadings, total


def _largest(matrix: Numbers, count: int) -> tuple[Numbers, Numbers]:
    """The largest eigenvalues of a symmetric matrix, the largest first, and their vectors."""
    from scipy.linalg import eigh  # 0.1 s, hence only here

    n = len(matrix)
    values, vectors = eigh(matrix, subset_by_index=[n - count, n - 1], check_finite=False)
    return values[::-1], vectors[:, ::-1]


def _projected(table: Floats, mean: Numbers, loadings: Numbers) -> Numbers:
    parts = [(block - mean) @ loadings.T for block in timestep_blocks(table)]
    return np.concatenate([np.zeros((0, len(loadings))), *parts])
