"""What temperature, top-k and top-p leave to choose from, and a choice that can be repeated.

Nothing here knows what the labels are: probabilities in, one label's id out. No torch.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstm_core.errors import InputError

#: ``greedy`` takes the most probable label, ``sample`` draws one.
Method = Literal["greedy", "sample"]
METHODS: tuple[Method, ...] = get_args(Method)

Floats = NDArray[np.float64]


def remaining(
    probabilities: ArrayLike,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    allowed: NDArray[np.bool_] | None = None,
) -> Floats:
    """The probabilities (labels,) that are drawn from; 0 for what is left out. They sum to 1.

    In this order: labels that are not ``allowed`` go; ``temperature`` T raises every probability
    to the power 1/T, which is the softmax of z/T; ``top_k`` keeps the k most probable; ``top_p``
    keeps the fewest of the most probable that together have at least that much (the nucleus of
    Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR 2020), one at least.
    Of equally probable labels the one with the lower id counts as the more probable.

    All zeros where nothing is left: nothing is allowed, or no probability is above 0. Raises
    InputError for options that cannot be, and for what is no row of probabilities.
    """
    check_options(temperature, top_k, top_p)
    p = _row(probabilities)
    if allowed is not None:
        p = np.where(allowed, p, 0.0)
    if not p.any():
        return p
    with np.errstate(divide="ignore"):  # the logarithm of 0 is where it should be
        z = np.log(p) / temperature
    p = np.asarray(np.exp(z - z.max()))
    order = ranking(p)
    if top_k is not None:
        p[order[top_k:]] = 0.0
    p /= p.sum()
    if top_p is not None and top_p < 1:  # a sum of all may be rounded to 1 before its end
        before = np.cumsum(p[order])[:-1]
        p[order[1:][before >= top_p]] = 0.0
        p /= p.sum()
    return p


def ranking(probabilities: Floats) -> NDArray[np.intp]:
    """All ids, the most probable first; among equals the lowest id first."""
    return np.argsort(-probabilities, kind="stable")


def most_probable(probabilities: ArrayLike) -> int:
    """The greedy choice: the id of the largest probability, the lowest such id."""
    return int(np.argmax(_row(probabilities)))


def draw(probabilities: Floats, number: float) -> int:
    """The label at ``number`` in [0, 1) when all of them lie side by side in the order of ids.

    Each is as wide as it is probable (inverse transform sampling); one of width 0 is never met.
    """
    ends = np.cumsum(probabilities)
    found = int(np.searchsorted(ends, number * ends[-1], side="right"))
    return min(found, int(np.flatnonzero(probabilities)[-1]))


def number_at(seed: int, place: int) -> float:
    """A number in [0, 1) that depends on the seed and the place in the text, on nothing else.

    So a text that is stopped and written on is the text that would have come at once. The numbers
    are those of numpy's PCG64, seeded by (seed, place), whose stream is the same on every machine
    and in every version (NEP 19): the 53 high bits of its first 64.
    """
    bits = int(np.random.PCG64([seed, place]).random_raw())
    return float((bits >> 11) * 2.0**-53)


def entropy(probabilities: ArrayLike) -> float:
    """-Σ p ln p, in nats; 0 ln 0 is 0."""
    p = _row(probabilities)
    p = p[p > 0]
    return float(-(p * np.log(p)).sum()) + 0.0  # never -0


def rank(probabilities: ArrayLike, label: int) -> int:
    """1 for the most probable; of equals the one with the lower id comes first."""
    p = _row(probabilities)
    return 1 + int((p > p[label]).sum() + (p[:label] == p[label]).sum())


def check_options(temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Raises InputError for options that cannot be."""
    if not (math.isfinite(temperature) and temperature > 0):
        raise InputError(
            "This temperature cannot be.",
            came=repr(temperature),
            expected="a number above 0; near 0 the most probable label is all that is left",
        )
    if top_k is not None and top_k < 1:
        raise InputError("top_k leaves nothing.", came=repr(top_k), expected="1 or more, or None")
    if top_p is not None and not 0 < top_p <= 1:
        raise InputError(
            "top_p is a part of the probability.",
            came=repr(top_p),
            expected="above 0 and at most 1, or None",
        )


def _row(probabilities: ArrayLike) -> Floats:
    p: NDArray[Any] = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 1 or not p.size or not (np.isfinite(p).all() and (p >= 0).all()):
        raise InputError(
            "This is no row of probabilities.",
            came=f"shape {p.shape}"
            + ("" if np.isfinite(p).all() else ", with values that are not finite"),
            expected="one axis of numbers from 0 up",
        )
    return p
