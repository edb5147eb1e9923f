"""Jobs of readers and comparers: recorded arrays beside each other. No torch here."""

from __future__ import annotations

import functools
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_core.analysis.alignment import Pairs, align, window
from lstm_core.analysis.comparison import chosen_rows, compare_arrays, same_tokens
from lstm_core.analysis.distances import total_variation
from lstm_core.analysis.partners import Partners, both_matches
from lstm_core.analysis.paths import PrincipalPaths, principal_paths
from lstm_core.analysis.pooling import COLUMNS_PER_TILE, pool
from lstm_core.analysis.similarity import cka_matrix
from server.array_file import ArrayFile
from server.array_replies import to_file, to_half
from server.progress import ProgressWriter

Array = np.ndarray[Any, Any]

#: Alignments that are remembered: the panels of one view ask for the same.
_ALIGNMENTS = 8
#: Probabilities looked at together, about.
_PROBABILITIES = 4_000_000


def similarity(
    file: ArrayFile,
    other: ArrayFile | None,
    names: Sequence[str],
    other_names: Sequence[str],
    rows: range,
    also: Sequence[tuple[ArrayFile, ArrayFile | None]],
    progress: str | None,
) -> bytes:
    """CKA of each of the names with each of the others, as JSON.

    At the timesteps both recordings have, and all that both of each of ``also`` have.
    """
    files = [(file, other, rows), *((a, b, range(a.timesteps)) for a, b in also)]
    pairs = [_both(_pairs(*each)) for each in files]
    left = _stacked([a for a, _, _ in files], names, [at[:, 0] for at in pairs])
    mirrored = other is None and list(names) == list(other_names)
    right = (
        None
        if mirrored
        else _stacked([b or a for a, b, _ in files], other_names, [at[:, 1] for at in pairs])
    )
    cka = cka_matrix(
        left,
        right,
        threads=_cores(),
        progress=ProgressWriter(Path(progress)) if progress else None,
    )
    found = {
        "names": list(names),
        "other_names": list(other_names),
        "timesteps": len(left[0]),
        "cka": [_numbers(row) for row in cka],
    }
    return _json(found)


def comparison(
    file: ArrayFile,
    other: ArrayFile | None,
    name: str,
    other_name: str,
    rows: range,
    threshold: float,
) -> bytes:
    """Two arrays side by side at every pair of timesteps, as JSON."""
    pairs, second = _pairs(file, other, rows), other or file
    A, B = _array(file, name), _array(second, other_name)
    found = compare_arrays(
        A,
        B,
        pairs,
        same=None if other is None else same_tokens(pairs, _tokens(file), _tokens(other)),
        threshold=threshold,
        from_the_end=".backward." in name,
        threads=_cores(),
    )
    series = ("cosine", "distance", "relative", "norm", "other_norm")
    return _json(
        {
            "names": [name, other_name],
            "widths": [A.shape[1], B.shape[1]],
            "pairs": [[None if t < 0 else t for t in pair] for pair in pairs.tolist()],
            "same": found.same.tolist(),
            **{key: _numbers(getattr(found, key)) for key in series},
            "cka": _number(found.cka),
            "mean_cosine": _number(found.mean_cosine),
            "parts_at": found.parts_at,
            "threshold": threshold,
            "predictions": None if other is None else _predictions(file, other, pairs),
        }
    )


def best_matches(
    file: ArrayFile, other: ArrayFile | None, name: str, other_name: str, rows: range
) -> bytes:
    """The partners of each unit, as JSON."""
    pairs = _both(_pairs(file, other, rows))
    A = chosen_rows(_array(file, name), pairs[:, 0])
    B = chosen_rows(_array(other or file, other_name), pairs[:, 1])
    best, assigned = map(_partners, both_matches(A, B))
    return _json(
        {
            "matches": [
                {
                    "unit": unit,
                    "other_unit": best[unit][0],
                    "correlation": best[unit][1],
                    "one_to_one_unit": assigned[unit][0],
                    "one_to_one_correlation": assigned[unit][1],
                }
                for unit in range(A.shape[1])
            ]
        }
    )


def paths(
    files: Sequence[ArrayFile], names: Sequence[str], rows: range, components: int, shared: bool
) -> bytes:
    """Principal components of each array of all files, or of all together, as float32.

    ``rows`` are timesteps of the first file.
    """
    arrays = {
        (k, name): _array(file, name)[rows.start : rows.stop] if k == 0 else _array(file, name)
        for name in names
        for k, file in enumerate(files)
    }
    sent: dict[str, Array] = {}

    def fit(keys: Sequence[tuple[int, str]]) -> PrincipalPaths:
        return principal_paths([arrays[key] for key in keys], components)

    if shared:
        spaces = {"explained": list(arrays)}
    else:
        spaces = {f"explained.{name}": [key for key in arrays if key[1] == name] for name in names}
    with ThreadPoolExecutor(_cores()) as pool_of_threads:
        found = pool_of_threads.map(fit, spaces.values())
        for (space, keys), path in zip(spaces.items(), found, strict=True):
            sent[space] = path.explained.astype(np.float32)
            for (k, name), points in zip(keys, path.points, strict=True):
                with np.errstate(over="ignore"):
                    sent[f"{k}.{name}"] = points.astype(np.float32)
    return to_file(sent)


def comparison_tiles(
    file: ArrayFile,
    other: ArrayFile | None,
    name: str,
    other_name: str,
    orders: Mapping[str, Sequence[int]],
    level: int,
    tile: int,
    units_per_row: int,
    statistic: str,
) -> bytes:
    """One tile of two arrays and of their difference, as float16, at the first one's timesteps."""
    A, B = _array(file, name), _array(other or file, other_name)
    D = min(2**level, len(A))
    first = tile * COLUMNS_PER_TILE * D
    rows = range(first, min(first + COLUMNS_PER_TILE * D, len(A)))
    a, b = A[rows.start : rows.stop], _beside(file, other, B, rows)
    order = np.asarray(orders[name]) if name in orders else None

    def pooled(values: Array, fits: bool = True) -> Array:
        return to_half(
            pool(
                values,
                timesteps_per_column=min(D, len(values)),
                units_per_row=min(units_per_row, values.shape[1]),
                statistic=statistic,
                order=order if fits else None,
            )
        )

    same_width = A.shape[1] == B.shape[1]
    sent = {"one": pooled(a), "other": pooled(b, same_width)}
    if same_width:
        with np.errstate(over="ignore", invalid="ignore"):  # ∞ - ∞ is NaN as it should be
            sent["difference"] = pooled(a - b)
    return to_file(sent)


# --- timesteps side by side ---------------------------------------------------------------------


def _pairs(file: ArrayFile, other: ArrayFile | None, rows: range) -> Pairs:
    """Timesteps of both in these rows of the first, [n, 2]; -1 where one has no partner."""
    if other is None:
        return np.stack([np.arange(rows.start, rows.stop)] * 2, axis=1)
    pairs = _aligned(file.path, other.path)
    return pairs[window(pairs, rows.start, rows.stop)]


@functools.lru_cache(_ALIGNMENTS)
def _aligned(path: str, other_path: str) -> Pairs:
    """By path: a file is never written again, and a new one gets a new folder."""
    pairs = align(_tokens_at(path), _tokens_at(other_path))
    pairs.flags.writeable = False
    return pairs


def _tokens(file: ArrayFile) -> Sequence[str]:
    return _tokens_at(file.path)


@functools.lru_cache(_ALIGNMENTS)
def _tokens_at(path: str) -> Sequence[str]:
    return tuple(ArrayFile.open(path)[1]["tokens"])


def _both(pairs: Pairs) -> Pairs:
    return pairs[(pairs >= 0).all(axis=1)]


def _beside(file: ArrayFile, other: ArrayFile | None, B: Array, rows: range) -> Array:
    """``B`` at these timesteps of the first recording; NaN where it has none."""
    if other is None:
        return B[rows.start : rows.stop]
    pairs = _both(_pairs(file, other, rows))
    beside = np.full((len(rows), B.shape[1]), np.nan, dtype=B.dtype)
    beside[pairs[:, 0] - rows.start] = B[pairs[:, 1]]
    return beside


def _array(file: ArrayFile, name: str) -> Array:
    return file.only([name]).arrays()[name]


def _stacked(
    files: Sequence[ArrayFile], names: Sequence[str], rows: Sequence[NDArray[np.intp]]
) -> list[Array]:
    """These timesteps of each array of all files, below each other."""
    stacked = []
    for name in names:
        parts = [
            chosen_rows(_array(file, name), own) for file, own in zip(files, rows, strict=True)
        ]
        stacked.append(np.concatenate(parts) if len(parts) > 1 else parts[0])
    return stacked


# --- what the heads say -------------------------------------------------------------------------


def _predictions(file: ArrayFile, other: ArrayFile, pairs: Pairs) -> dict[str, Any] | None:
    """The most probable labels of both, and how far the probabilities moved."""
    said, other_said = _said(file), _said(other)
    if said is None or other_said is None:
        return None
    tops = [_tops(*said, pairs[:, 0]), _tops(*other_said, pairs[:, 1])]
    moved = np.full(len(pairs), np.nan)
    (P, labels), (Q, other_labels) = said, other_said
    if labels == other_labels:
        both = np.flatnonzero((pairs >= 0).all(axis=1))
        for part in _parts(both, P.shape[1]):
            moved[part] = total_variation(P[pairs[part, 0]], Q[pairs[part, 1]])
    return {"top": [list(top) for top in zip(*tops, strict=True)], "moved": _numbers(moved)}


def _said(file: ArrayFile) -> tuple[Array, list[str]] | None:
    """Probabilities [T, labels] and the labels; None without a head, and for one of numbers."""
    about = ArrayFile.open(file.path)[1]["predictions"]
    if not about or about["task"] == "value":
        return None
    return _array(file, "scores"), about["labels"]


def _tops(scores: Array, labels: Sequence[str], timesteps: NDArray[np.intp]) -> list[str | None]:
    """The most probable label at each of these timesteps; None at -1 and where it is NaN."""
    tops: list[str | None] = [None] * len(timesteps)
    for part in _parts(np.flatnonzero(timesteps >= 0), scores.shape[1]):
        block = scores[timesteps[part]]
        known = np.isfinite(block).all(axis=1)
        best = block.argmax(axis=1)
        for place, label in zip(part[known].tolist(), best[known].tolist(), strict=True):
            tops[place] = labels[label]
    return tops


def _parts(places: NDArray[np.intp], width: int) -> Iterator[NDArray[np.intp]]:
    """So many at a time that memory does not matter."""
    step = max(1, _PROBABILITIES // max(1, width))
    return (places[start : start + step] for start in range(0, len(places), step))


# --- numbers as JSON has them -------------------------------------------------------------------


def _partners(found: Partners) -> list[tuple[int | None, float | None]]:
    units = [None if unit < 0 else unit for unit in found.units.tolist()]
    return list(zip(units, _numbers(found.correlations), strict=True))


def _numbers(values: Array) -> list[float | None]:
    return [_number(value) for value in values.tolist()]


def _number(value: float) -> float | None:
    """To nine digits, more than float32 has; what is not finite has no number in JSON."""
    return float(f"{value:.9g}") if math.isfinite(value) else None


def _json(found: Mapping[str, Any]) -> bytes:
    return json.dumps(found, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def _cores() -> int:
    """Those this process may use: BLAS keeps to one of them, see ``server.workers``."""
    if hasattr(os, "sched_getaffinity"):
        return min(16, len(os.sched_getaffinity(0)))
    return min(16, os.cpu_count() or 1)
