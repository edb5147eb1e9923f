"""What a distribution over labels decides: its top labels, how sure it is, what the truth got.

Scores are probabilities (T, labels), rows that sum to 1. They come in blocks of timesteps, so that
a language model's vocabulary over a long text never has to lie in memory at once.

Between equal probabilities the lower id comes first, in ``top`` as in ``rank``. A row that holds
anything but finite numbers decides nothing: its labels are -1, its numbers NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_core.errors import InputError

Floats = NDArray[Any]

#: Numbers worked on at a time: 8 MB as float64.
_BLOCK = 1_000_000


class Decisions(NamedTuple):
    """What was decided at each of T timesteps; ``k`` labels of it, fewer if there are not so many.

    =============== =========================================================================
    ``top``         (T, k) ids, the most probable first
    ``probability`` (T, k) of these
    ``entropy``     (T) -Σ p ln p, in nats; 0 ln 0 is 0
    ``rank``        (T) of the label that really came: 1 for the most probable
    ``surprise``    (T) -ln p of that label, in nats: the cross-entropy. ∞ where p is 0
    ``margin``      (T) first minus second probability; a second one that is not there counts as 0
    ``changed``     (T) whether the top label is another one than at the timestep before
    =============== =========================================================================

    ``rank`` and ``surprise`` are NaN where nobody knows what really came.
    """

    top: NDArray[np.intp]
    probability: NDArray[np.float64]
    entropy: NDArray[np.float64]
    rank: NDArray[np.float64]
    surprise: NDArray[np.float64]
    margin: NDArray[np.float64]
    changed: NDArray[np.bool_]


def decide(scores: Floats, targets: Sequence[int | None] | None = None, k: int = 5) -> Decisions:
    """What ``scores`` (T, labels) decide, given the ids of the labels that really came."""
    return decide_blocks(timestep_blocks(scores), targets, k)


def timestep_blocks(scores: Floats) -> Iterator[Floats]:
    """``scores`` (T, labels), some timesteps at a time; a file is read where it is looked at."""
    rows = rows_per_block(scores.shape[1])
    for start in range(0, len(scores), rows):
        yield scores[start : start + rows]


def rows_per_block(labels: int) -> int:
    """As many timesteps as are worked on together."""
    return max(1, _BLOCK // max(1, labels))


def decide_blocks(
    blocks: Iterable[Floats], targets: Sequence[int | None] | None = None, k: int = 5
) -> Decisions:
    """What consecutive blocks of timesteps decide, each (some, labels) and looked at once.

    Raises InputError where k is not at least 1, where there is no label or no timestep, and for
    targets that are not as many as there are timesteps.
    """
    if k < 1:
        raise InputError("No labels are asked for.", came=f"k={k}", expected="k ≥ 1")
    wanted = None if targets is None else _as_ids(targets)
    parts: list[Decisions] = []
    done = 0
    for block in blocks:
        own = None if wanted is None else wanted[done : done + len(block)]
        if own is not None and len(own) < len(block):
            raise _wrong_targets(len(own) + done, f"more than {done + len(own)}")
        parts.append(_decide_block(block, own, k))
        done += len(block)
    if not done:
        raise InputError("Nothing is decided without a timestep.", came="no timestep")
    if wanted is not None and len(wanted) != done:
        raise _wrong_targets(len(wanted), str(done))
    joined = Decisions(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return joined._replace(changed=changes(joined.top[:, 0]))


def changes(labels: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Where a label (T) is another one than before; never at 0, nor beside one that is -1."""
    changed = np.zeros(len(labels), dtype=bool)
    before, after = labels[:-1], labels[1:]
    changed[1:] = (before != after) & (before >= 0) & (after >= 0)
    return changed


def perplexity(surprise: Floats) -> float:
    """e to the mean surprise, over the timesteps that have one; NaN where none has."""
    known = surprise[~np.isnan(surprise)]
    with np.errstate(over="ignore"):
        return float(np.exp(known.mean())) if len(known) else math.nan


def _decide_block(p: Floats, targets: NDArray[np.intp] | None, k: int) -> Decisions:
    if not p.shape[1]:
        raise InputError("Nothing is decided without labels.", came="no label")
    bad: NDArray[np.bool_] = np.logical_not(np.isfinite(p).all(axis=1))
    if bad.any():
        p = np.where(bad[:, None], 0, p)
    top = _highest(p, min(k, p.shape[1]))
    probability = np.take_along_axis(p, top, axis=1).astype(np.float64)
    # The second is needed for the margin even where nobody asks for it.
    pair = top if top.shape[1] > 1 else _highest(p, min(2, p.shape[1]))
    best = np.take_along_axis(p, pair, axis=1).astype(np.float64)
    margin = best[:, 0] - (best[:, 1] if best.shape[1] > 1 else 0)
    rank, surprise = _of_targets(p, targets)
    entropy = _entropy(p)
    for values in (probability, entropy, rank, surprise, margin):
        values[bad] = np.nan
    top[bad] = -1
    nothing = np.zeros(len(p), dtype=bool)  # the block before decides where it begins
    return Decisions(top, probability, entropy, rank, surprise, margin, changed=nothing)


def _highest(p: Floats, k: int) -> NDArray[np.intp]:
    """The ids of the k highest numbers of each row, highest first, of equal ones the lower id."""
    if k > 40:  # a full sort is cheaper than so many passes
        return np.argsort(-p, axis=1, kind="stable")[:, :k]
    left = np.array(p)  # taken away from, one after another
    rows = np.arange(len(p))
    found = np.empty((len(p), k), dtype=np.intp)
    for n in range(k):
        found[:, n] = left.argmax(axis=1)  # of equal ones the first
        left[rows, found[:, n]] = -np.inf
    return found


def _entropy(p: Floats) -> NDArray[np.float64]:
    """-Σ p ln p in nats of each row."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = p * np.log(p)
    # A 1 that is rounded up would make it negative, a 1 that is none -0.
    sums: NDArray[np.float64] = np.where(p > 0, terms, 0).sum(axis=1, dtype=np.float64)
    return np.maximum(0.0, -sums) + 0.0


def _of_targets(
    p: Floats, targets: NDArray[np.intp] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rank and surprise of the labels that really came; NaN for -1."""
    rank, surprise = np.full((2, len(p)), np.nan)
    if targets is None:
        return rank, surprise
    rows = np.flatnonzero((targets >= 0) & (targets < p.shape[1]))
    if not len(rows):
        return rank, surprise
    ids, own = targets[rows], p[rows]
    true = own[np.arange(len(rows)), ids][:, None]
    before = np.arange(p.shape[1]) < ids[:, None]
    rank[rows] = 1 + (own > true).sum(axis=1) + ((own == true) & before).sum(axis=1)
    with np.errstate(divide="ignore"):
        surprise[rows] = np.maximum(0.0, -np.log(true[:, 0].astype(np.float64))) + 0.0
    return rank, surprise


def _as_ids(targets: Sequence[int | None]) -> NDArray[np.intp]:
    return np.array([-1 if target is None else target for target in targets], dtype=np.intp)


def _wrong_targets(came: int, expected: str) -> InputError:
    return InputError(
        "There has to be one target for every timestep.",
        came=f"{came} targets",
        expected=f"{expected} (None where none is known)",
    )
