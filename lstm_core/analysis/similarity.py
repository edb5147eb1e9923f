"""How alike two arrays of different widths are: linear CKA."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_core.analysis.products import Centred, Pair, Progress, product_squares
from lstm_core.analysis.summaries import size_of
from lstm_core.errors import InputError

Floats = NDArray[Any]

#: Timesteps looked at together.
_ROWS = 2048
#: Beyond this, sums of squares may be beyond float64.
_LARGE = 1e140


def linear_cka(X: Floats, Y: Floats) -> float:
    """Linear centred kernel alignment of X (T, U) and Y (T, V), from 0 to 1.

    ‖X'ᵀY'‖²_F / (‖X'ᵀX'‖_F · ‖Y'ᵀY'‖_F), where ' takes the mean over the timesteps from each unit.
    1 where one is the other turned, mirrored, scaled by one factor and moved: it asks whether the
    timesteps lie alike, not which unit says so, and the widths may differ.

    Kornblith, Norouzi, Lee and Hinton 2019, "Similarity of Neural Network Representations
    Revisited", https://arxiv.org/abs/1905.00414, equation 5 and section 3.

    Timesteps with NaN or infinity on either side are left out. NaN where fewer than two are left,
    and where X or Y never moves. With few timesteps and many units it comes close to 1 for any
    two arrays: it is to be compared with itself, not with 0. Computed in float64.

    Raises InputError for different numbers of timesteps.
    """
    wide = [np.asarray(values, dtype=np.float64) for values in (X, Y)]
    return float(cka_matrix(wide[:1], wide[1:])[0, 0])


def cka_matrix(
    arrays: Sequence[Floats],
    others: Sequence[Floats] | None = None,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """:func:`linear_cka` of each of n ``arrays`` with each of m ``others``: [n, m].

    By default ``others`` are the arrays themselves. All have the same timesteps, of any width.
    Where there are fewer timesteps than units, the same number is computed from the timesteps'
    products, as Σ (X'X'ᵀ ∘ Y'Y'ᵀ).

    Products of float32 arrays are computed in float32, 2,048 timesteps at a time, and summed in
    float64: within 1e-6 of float64 throughout. Several ``threads`` help where numpy was told to
    use one itself (``OPENBLAS_NUM_THREADS=1``); otherwise they wait for each other. ``progress``
    is told on the way.

    Raises InputError for different numbers of timesteps.
    """
    n = len(arrays)
    tables = [_as_table(values) for values in (*arrays, *(others or ()))]
    _check_timesteps(tables)
    if others is None:
        wanted = [(i, j) for i in range(n) for j in range(i, n)]
    else:
        wanted = list(product(range(n), range(n, len(tables))))
    found: dict[Pair, float] = {}
    for rows, pairs in _by_timesteps(tables, wanted):
        told = progress and functools.partial(_tell, progress, len(found), len(pairs), len(wanted))
        found |= _alignments(tables, rows, pairs, threads, told)
        if progress:
            progress(len(found), len(wanted), "comparing")
    if others is None:
        found |= {(j, i): value for (i, j), value in found.items()}
        return np.array([[found[i, j] for j in range(n)] for i in range(n)]).reshape(n, n)
    m = len(others)
    return np.array([[found[i, n + j] for j in range(m)] for i in range(n)]).reshape(n, m)


def finite_rows(*tables: Floats) -> NDArray[np.bool_]:
    """At which timesteps all numbers of all tables are finite: [T]."""
    finite = np.ones(len(tables[0]), dtype=bool)
    for table in tables:
        for start in range(0, len(table), _ROWS):
            rows = slice(start, start + _ROWS)
            finite[rows] &= np.isfinite(table[rows]).all(axis=1)
    return finite


def _as_table(values: Floats) -> Floats:
    table = np.asarray(values)
    if table.ndim != 2:
        raise InputError(
            "Arrays of timesteps and units are compared.",
            came=f"an array of shape {table.shape}",
            expected="(timesteps, units)",
        )
    if table.dtype.itemsize < 4 or not np.issubdtype(table.dtype, np.floating):
        table = table.astype(np.float64)
    if table.dtype.itemsize > 4 and (size := size_of(table)) > _LARGE:
        return table / size  # CKA does not mind the factor
    return table


def _check_timesteps(tables: Sequence[Floats]) -> None:
    lengths = list(dict.fromkeys(len(table) for table in tables))
    if len(lengths) > 1:
        raise InputError(
            "Only arrays of the same timesteps can be compared.",
            came=f"{lengths[0]:,} and {lengths[1]:,} timesteps",
            expected="as many on both sides: align the tokens first",
        )


def _by_timesteps(
    tables: Sequence[Floats], wanted: Sequence[Pair]
) -> list[tuple[NDArray[np.bool_] | None, list[Pair]]]:
    """The pairs with the timesteps that both have numbers at; None for all. Mostly one group."""
    finite = [finite_rows(table) for table in tables]
    groups: dict[bytes, tuple[NDArray[np.bool_] | None, list[Pair]]] = {}
    for i, j in wanted:
        rows = finite[i] & finite[j]
        _, pairs = groups.setdefault(rows.tobytes(), (None if rows.all() else rows, []))
        pairs.append((i, j))
    return list(groups.values())


def _alignments(
    tables: Sequence[Floats],
    rows: NDArray[np.bool_] | None,
    pairs: Sequence[Pair],
    threads: int,
    progress: Progress | None,
) -> dict[Pair, float]:
    """CKA of some pairs at the same timesteps."""
    places = None if rows is None else np.flatnonzero(rows)
    involved = sorted({n for pair in pairs for n in pair})
    moving = {n: found for n in involved if (found := Centred.of(tables[n], places))}
    needed = dict.fromkeys([(n, n) for n in moving])
    needed |= dict.fromkeys((i, j) for i, j in pairs if i in moving and j in moving)
    squares = product_squares(moving, list(needed), threads=threads, progress=progress)
    return {
        (i, j): float(np.clip(squares[i, j] / np.sqrt(squares[i, i] * squares[j, j]), 0, 1))
        if (i, j) in squares
        else np.nan
        for i, j in pairs
    }


def _tell(
    progress: Progress, before: int, here: int, of: int, done: int, parts: int, what: str
) -> None:
    """Progress among ``here`` pairs as progress among all of them."""
    progress(before + here * done // parts, of, what)
