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


class ForwardResult(NamedTuple):
    """What one sequence gives in ``nn.LSTM``: output (T, D·H), h_n (L·D, H), c_n (L·D, H)."""

    output: Tensor
    h_n: Tensor
    c_n: Tensor


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
    tolerance = TOLERANCES.get(ours.output.dtype, 1e-2)
    differences = [_difference(a, b) for a, b in zip(ours, theirs, strict=True)]
    where = None
    for name, difference, value in zip(ForwardResult._fields, differences, theirs, strict=True):
        allowed = tolerance * value.abs().nan_to_num(nan=1, posinf=1).clamp(min=1)
        outside = (difference > allowed).any(dim=-1).nonzero()
        if len(outside):
            first = int(outside[0])
            where = f"output at timestep {first}" if name == "output" else f"{name}[{first}]"
            break
    largest = max(float(difference.max()) for difference in differences)
    return Parity(difference=largest, tolerance=tolerance, where=where)


def _difference(ours: Tensor, theirs: Tensor) -> Tensor:
    same = (ours == theirs) | (ours.isnan() & theirs.isnan())  # equal infinities, too
    difference = (ours - theirs).abs().nan_to_num(nan=math.inf, posinf=math.inf)
    return torch.where(same, torch.zeros_like(difference), difference)
