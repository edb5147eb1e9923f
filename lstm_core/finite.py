"""Where NaN and infinity begin."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from lstm_core.equations import CellWeights
from lstm_core.quantities import QUANTITIES, Direction
from lstm_core.shape import StackShape
from lstm_core.stack import Stack
from lstm_core.states import CellState

Cell = tuple[int, Direction]


def first_weight_not_finite(stack: Stack) -> str | None:
    """The first weight with NaN or infinity in it, in words."""
    for layer, direction, weights in stack:
        for name, weight in zip(CellWeights._fields, weights, strict=True):
            if isinstance(weight, Tensor) and _first_row(weight) is not None:
                return f"{name} of layer {layer} {direction}"
    return None


def first_not_finite(
    shape: StackShape,
    arrays: Mapping[tuple[str, int, Direction], Tensor],
    x: Tensor,
    initial: Mapping[Cell, CellState],
) -> str | None:
    """The first place of a recording in the order of computation, in words."""
    if (timestep := _first_row(x)) is not None:
        return f"x at timestep {timestep}"
    for cell in shape.cells:
        layer, direction = cell
        place = f"layer {layer} {direction}"
        for name, state in zip(("h_0", "c_0"), initial[cell], strict=True):
            if _first_row(state) is not None:
                return f"{name} of {place}"
        found: tuple[int, str] | None = None  # the first step, and the first quantity there
        for quantity in QUANTITIES:
            array = arrays[quantity, layer, direction]
            step = _first_row(array if direction == "forward" else array.flip(0))
            if step is not None and (found is None or step < found[0]):
                found = step, quantity
        if found:
            step, quantity = found
            timestep = step if direction == "forward" else len(x) - 1 - step
            return f"{quantity} of {place} at timestep {timestep}"
    return None


def _first_row(array: Tensor) -> int | None:
    """The first row with NaN or infinity in it."""
    # The sum is much faster than asking every number. It may overflow, hence both.
    if bool(torch.isfinite(array.sum())):
        return None
    rows = (~torch.isfinite(array).reshape(len(array), -1).all(dim=1)).nonzero()
    return int(rows[0]) if len(rows) else None
