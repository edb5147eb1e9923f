"""How close a recording is to the module's own forward pass, and where it parts from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

#: Above this difference the page warns; for values beyond ±1 it grows with them, as rounding does
#: (a counting unit's c of 20 is only stored to 2e-6). Real networks with very large weights drift
#: by 1e-4 in float32 between any two correct implementations; float64 then tells rounding from
#: error.
TOLERANCES: Mapping[torch.dtype, float] = {torch.float32: 1e-5, torch.float64: 1e-10}
#: float16 and bfloat16 keep 3 digits and 2, and every implementation rounds at other places.
HALF_TOLERANCE = 5e-2


class ForwardResult(NamedTuple):
    """What one sequence gives: output (T, D·H), and the last h and c of every cell, (H) each."""

    output: Tensor
    h_n: tuple[Tensor, ...]
    c_n: tuple[Tensor, ...]


@dataclass(frozen=True)
class Parity:
    """The comparison with the module's own forward.

    ``difference`` is the largest absolute difference over output, h_n and c_n (``inf`` where only
    one side is a number). ``where`` is ``None`` while every difference is within the tolerance,
    in proportion for values beyond ±1; else the first place that leaves it, in words.
    """

    difference: float
    tolerance: float
    where: str | None

    @property
    def ok(self) -> bool:
        return self.where is None


def compare(ours: ForwardResult, theirs: ForwardResult) -> Parity:
    """Compare what we recorded with what the module returned; NaN in both places is equal."""
    tolerance = max(TOLERANCES.get(side.output.dtype, HALF_TOLERANCE) for side in (ours, theirs))
    where = None
    largest = 0.0
    for (name, a), (_, b) in zip(_named(ours), _named(theirs), strict=True):
        difference = _difference(a, b)
        largest = max(largest, float(difference.max()))
        allowed = tolerance * b.abs().nan_to_num(nan=1, posinf=1).clamp(min=1)
        if where is None and len(outside := (difference > allowed).nonzero()):
            where = f"{name} at timestep {int(outside[0, 0])}" if name == "output" else name
    return Parity(difference=largest, tolerance=tolerance, where=where)


def _named(result: ForwardResult) -> list[tuple[str, Tensor]]:
    return [
        ("output", result.output),
        *((f"h_n[{row}]", h) for row, h in enumerate(result.h_n)),
        *((f"c_n[{row}]", c) for row, c in enumerate(result.c_n)),
    ]


def _difference(ours: Tensor, theirs: Tensor) -> Tensor:
    same = (ours == theirs) | (ours.isnan() & theirs.isnan())  # equal infinities, too
    difference = (ours - theirs).abs().nan_to_num(nan=math.inf, posinf=math.inf)
    return torch.where(same, torch.zeros_like(difference), difference)
