"""How far apart two arrays are at each timestep, where their widths agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_core.analysis.summaries import timestep_blocks
from lstm_core.errors import InputError

Floats = NDArray[Any]
Numbers = NDArray[np.float64]


def norms(X: Floats) -> Numbers:
    """The Euclidean length ‖x‖ of the vector at each timestep of X (T, U): [T].

    NaN where it is not finite.
    """
    with np.errstate(all="ignore"):
        return np.concatenate([np.zeros(0), *map(_lengths, timestep_blocks(X))])


def cosine(X: Floats, Y: Floats) -> Numbers:
    """x·y / (‖x‖ ‖y‖) at each timestep of two arrays (T, U), from -1 to 1: [T].

    NaN where one of the two is all zeros or not finite. Raises InputError for other shapes.
    """

    def of(x: Numbers, y: Numbers) -> Numbers:
        x, y = _of_length_one(x), _of_length_one(y)
        found: Numbers = np.clip(np.einsum("tu,tu->t", x, y), -1, 1)
        return found

    return _in_blocks(of, X, Y)


def distance(X: Floats, Y: Floats) -> Numbers:
    """‖x - y‖ at each timestep of two arrays (T, U): [T].

    NaN where one of the two is not finite. Raises InputError for other shapes.
    """
    return _in_blocks(lambda x, y: _lengths(x - y), X, Y)


def relative_distance(X: Floats, Y: Floats) -> Numbers:
    """‖x - y‖ / ½(‖x‖ + ‖y‖) at each timestep of two arrays (T, U), from 0 to 2: [T].

    0 where both are all zeros; NaN where one is not finite. Raises InputError for other shapes.
    """

    def of(x: Numbers, y: Numbers) -> Numbers:
        largest = np.maximum(_largest(x), _largest(y))
        zero = largest[:, 0] == 0
        x, y = x / largest, y / largest
        return np.where(zero, 0.0, _lengths(x - y) / ((_lengths(x) + _lengths(y)) / 2))

    return _in_blocks(of, X, Y)


def total_variation(P: Floats, Q: Floats) -> Numbers:
    """½ Σ |p - q| at each timestep of two arrays of probabilities (T, labels): [T].

    From 0, where they say the same, to 1, where they have nothing in common: the largest
    difference there is between the two in the probability of any set of labels.
    Raises InputError for other shapes.
    """
    return _in_blocks(lambda p, q: np.abs(p - q).sum(axis=1) / 2, P, Q)


def first_parting(
    relative: Numbers,
    threshold: float,
    *,
    alone: NDArray[np.bool_] | None = None,
    from_the_end: bool = False,
) -> int | None:
    """The first place of ``relative`` [n] above ``threshold``, or ``alone`` [n]; None if nowhere.

    First in the order the network computes: ``from_the_end`` for a backward direction. NaN is not
    above anything; ``alone`` says which places count as parted whatever their distance.
    """
    parted = np.asarray(relative) > threshold
    if alone is not None:
        parted |= alone
    found = np.flatnonzero(parted)
    return int(found[-1 if from_the_end else 0]) if len(found) else None


def _in_blocks(of: Callable[[Numbers, Numbers], Numbers], X: Floats, Y: Floats) -> Numbers:
    if np.shape(X) != np.shape(Y) or np.ndim(X) != 2:
        raise InputError(
            "Vectors are compared timestep by timestep, unit by unit.",
            came=f"arrays of shape {np.shape(X)} and {np.shape(Y)}",
            expected="as many timesteps and as many units on both sides",
        )
    with np.errstate(all="ignore"):  # what is not finite becomes NaN
        parts = [of(x, y) for x, y in zip(timestep_blocks(X), timestep_blocks(Y), strict=True)]
    return np.concatenate([np.zeros(0), *parts])


def _lengths(x: Numbers) -> Numbers:
    """Of magnitudes that are at most 1 first, so that squares neither vanish nor overflow."""
    largest = _largest(x)
    scaled = x / np.where(largest > 0, largest, 1.0)
    lengths: Numbers = np.sqrt(np.einsum("tu,tu->t", scaled, scaled)) * largest[:, 0]
    return lengths


def _largest(x: Numbers) -> Numbers:
    """The largest magnitude of each row [T, 1]."""
    largest: Numbers = np.abs(x).max(axis=1, initial=0.0, keepdims=True)
    return largest


def _of_length_one(x: Numbers) -> Numbers:
    x = x / _largest(x)
    return x / _lengths(x)[:, None]
