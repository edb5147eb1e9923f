"""Two arrays side by side, timestep by timestep: of two layers, directions, sentences, models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lstm_core.analysis.alignment import Pairs, align, window
from lstm_core.analysis.distances import (
    cosine,
    distance,
    first_parting,
    norms,
    relative_distance,
)
from lstm_core.analysis.similarity import cka_matrix
from lstm_core.errors import InputError

Floats = NDArray[Any]
Numbers = NDArray[np.float64]
#: What is named in a recording: quantity, layer and, where there are two, direction.
Key = tuple[str, int] | tuple[str, int, str]

#: Beyond this relative distance two runs have parted, unless somebody says otherwise.
THRESHOLD = 0.5


class Recorded(Protocol):
    """What is needed of a recording: arrays (T, units) by name, and perhaps tokens."""

    @property
    def tokens(self) -> Sequence[str] | None: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: Any, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two arrays at n pairs of timesteps. Numbers are NaN where there is nothing to compare."""

    pairs: Pairs  # [n, 2] timesteps of both; -1 where one has no partner
    same: NDArray[np.bool_]  # [n] whether the tokens are equal
    cosine: Numbers  # [n]; NaN throughout where widths differ, like the next two
    distance: Numbers  # [n]
    relative: Numbers  # [n], see distances.relative_distance
    norm: Numbers  # [n]
    other_norm: Numbers  # [n]
    cka: float
    parts_at: int | None  # the first of the pairs that differ, in the order of computation
    threshold: float

    @property
    def mean_cosine(self) -> float:
        """Of the pairs that have a cosine; NaN where none has."""
        known = self.cosine[~np.isnan(self.cosine)]
        return float(known.mean()) if len(known) else float("nan")

    def __repr__(self) -> str:
        alone = int((self.pairs < 0).any(axis=1).sum())
        if self.parts_at is None:
            parting = f"they never part by more than {self.threshold:g}"
        else:
            own, other = (int(t) if t >= 0 else "none" for t in self.pairs[self.parts_at])
            parting = f"they part at timestep {own} | {other}"
        return (
            f"Comparison of {len(self.pairs):,} pairs of timesteps, {alone:,} without partner: "
            f"CKA {self.cka:.3f}, mean cosine {self.mean_cosine:.3f}; {parting}"
        )


def compare(
    recording: Recorded,
    other: Recorded | None = None,
    *,
    of: Key = ("h", 0),
    to: Key | None = None,
    start: int = 0,
    stop: int | None = None,
    threshold: float = THRESHOLD,
) -> Comparison:
    """``recording[of]`` beside ``other[to]``: by default the same recording, the same name.

    Where the tokens of two recordings differ they are aligned first (:func:`align`); recordings
    without tokens are compared timestep by timestep. ``start`` and ``stop`` are timesteps of
    ``recording``. Accepts :class:`lstm_core.Recording` and whatever has arrays and tokens.

    Raises SelectionError for what was not recorded, InputError for timesteps there are not, and
    for recordings of different lengths without tokens.
    """
    T = len(recording)
    rows = range(start, T if stop is None else stop)
    if not 0 <= rows.start < rows.stop <= T:
        raise InputError(
            "There are no such timesteps.",
            came=f"start {start}, stop {stop}",
            expected=f"0 ≤ start < stop ≤ {T}",
        )
    second = recording if other is None else other
    pairs, same = _paired(recording, second)
    inside = window(pairs, rows.start, rows.stop)
    return compare_arrays(
        as_array(recording[of]),
        as_array(second[to or of]),
        pairs[inside],
        same=same[inside],
        threshold=threshold,
        from_the_end=of[-1] == "backward",
    )


def compare_arrays(
    A: Floats,
    B: Floats,
    pairs: Pairs,
    *,
    same: NDArray[np.bool_] | None = None,
    threshold: float = THRESHOLD,
    from_the_end: bool = False,
    threads: int = 1,
) -> Comparison:
    """A (T, U) beside B (S, V) at ``pairs`` of timesteps [n, 2], -1 where one has no partner.

    Cosine, distance and relative distance need equal widths. They part at the first pair, in the
    order of computation, whose relative distance is above ``threshold``, of which only one side
    is finite, or where a timestep has no partner.
    """
    both = np.logical_and(*(pairs >= 0).T)
    a, b = chosen_rows(A, pairs[both, 0]), chosen_rows(B, pairs[both, 1])
    norm, other_norm = _norms_at(A, pairs[:, 0]), _norms_at(B, pairs[:, 1])
    measures = cosine, distance, relative_distance
    if A.shape[1] == B.shape[1]:
        apart = [_spread(both, measure(a, b)) for measure in measures]
    else:
        apart = [np.full(len(pairs), np.nan) for _ in measures]
    alone = ~both | (np.isfinite(norm) != np.isfinite(other_norm))
    return Comparison(
        pairs=pairs,
        same=both if same is None else same,
        cosine=apart[0],
        distance=apart[1],
        relative=apart[2],
        norm=norm,
        other_norm=other_norm,
        cka=float(cka_matrix([a], [b], threads=threads)[0, 0]),
        parts_at=first_parting(apart[2], threshold, alone=alone, from_the_end=from_the_end),
        threshold=threshold,
    )


def chosen_rows(values: Floats, rows: NDArray[np.intp]) -> Floats:
    """Some timesteps of an array, ascending; without a copy where none between is left out."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return values[rows[0] : rows[-1] + 1]
    return values[rows]


def as_array(values: Any) -> Floats:
    """A tensor of PyTorch's or anything numpy understands, as numpy sees it."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        # NumPy has no bfloat16; all its numbers are numbers of float32, too.
        values = values.float() if str(values.dtype) == "torch.bfloat16" else values
    return np.asarray(values)


def _paired(recording: Recorded, other: Recorded) -> tuple[Pairs, NDArray[np.bool_]]:
    """All timesteps of both side by side, and whether their tokens are equal."""
    tokens, other_tokens = recording.tokens, other.tokens
    if tokens is not None and other_tokens is not None:
        pairs = align(tokens, other_tokens)
        return pairs, same_tokens(pairs, tokens, other_tokens)
    T = len(recording)
    if len(other) != T:
        raise InputError(
            "Recordings without tokens are compared timestep by timestep.",
            came=f"{T:,} and {len(other):,} timesteps",
            expected="as many on both sides, or tokens to align",
        )
    return np.stack([np.arange(T)] * 2, axis=1), np.ones(T, dtype=bool)


def same_tokens(
    pairs: Pairs, tokens: Sequence[str], other_tokens: Sequence[str]
) -> NDArray[np.bool_]:
    """Whether both sides of each pair have the same token [n]."""
    found = [i >= 0 and j >= 0 and tokens[i] == other_tokens[j] for i, j in pairs.tolist()]
    return np.array(found, dtype=bool)


def _norms_at(values: Floats, rows: NDArray[np.intp]) -> Numbers:
    """Norms at these timesteps; NaN at -1."""
    there = rows >= 0
    return _spread(there, norms(chosen_rows(values, rows[there])))


def _spread(where: NDArray[np.bool_], numbers: Numbers) -> Numbers:
    """``numbers`` at these places, NaN at the others."""
    result = np.full(len(where), np.nan)
    result[where] = numbers
    return result
