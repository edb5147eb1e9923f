"""The torch loop over the equations: for any device and type, for gradients, for hooks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lstm_core.equations import CellWeights, Edit, Step, input_projection, lstm_step
from lstm_core.quantities import Direction
from lstm_core.sequences import Layout

#: Gives the edit of a step from its number, or None.
EditAt = Callable[[int], Edit | None]


def run(
    parts: list[Tensor],
    weights: CellWeights,
    state: tuple[Tensor, Tensor],
    layout: Layout,
    direction: Direction,
    edit_at: EditAt | None = None,
) -> dict[str, Tensor]:
    """One direction, see :func:`lstm_core.engines.run_layer`. Autograd follows, if it is on."""
    x = torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]
    z_x = input_projection(x, weights)  # (ΣT, 4H)
    h, c = state
    steps = []
    for number, rows in enumerate(layout.rows(direction)):
        z = z_x[rows]  # (sequences that still run, 4H)
        step = lstm_step(z, h[: len(z)], c[: len(z)], weights, edit_at(number) if edit_at else None)
        steps.append(step)
        h, c = step.h, step.c
    back = torch.argsort(layout.packed_rows(direction)).to(x.device)
    # Collected and put in order at the end, because autograd follows no writing in place.
    return {
        quantity: torch.cat([getattr(step, quantity) for step in steps])[back]
        for quantity in Step._fields
    }
