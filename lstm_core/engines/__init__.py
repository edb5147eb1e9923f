"""Three ways to run one layer in one direction; they give the same numbers.

``reference`` is the one to read: a torch loop over the equations, for gradients and hooks, too.
``compiled`` does it on the CPU in less time than nn.LSTM takes to record nothing.
``scan`` does it on a GPU without a loop over time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from lstm_core.engines import compiled, reference, scan
from lstm_core.engines.reference import EditAt
from lstm_core.equations import CellWeights
from lstm_core.errors import InputError
from lstm_core.quantities import Direction
from lstm_core.sequences import Layout

Engine = Literal["reference", "compiled", "scan"]
ENGINES: tuple[Engine, ...] = get_args(Engine)


@dataclass(frozen=True)
class Work:
    """What is to be done, as far as the choice of an engine depends on it."""

    like: Tensor
    cell_steps: int
    grad: bool
    hooked: bool


def choose(work: Work, asked: Engine | None) -> Engine:
    """The engine to use. Raises InputError when the one asked for cannot do it."""
    if asked is not None and asked not in ENGINES:
        raise InputError("No such engine.", came=repr(asked), exists=ENGINES)
    if asked is not None:
        reason = _obstacle(asked, work)
        if asked == "compiled" and not reason:
            compiled.warm_up()
            reason = _obstacle(asked, work)  # only now it is known whether that worked
        if reason:
            raise InputError(
                f"The engine {asked!r} cannot do this.",
                came=reason,
                expected="engine='reference', or none, which chooses",
            )
        return asked
    if not _obstacle("compiled", work) and compiled.is_ready(work.cell_steps):
        return "compiled"
    if work.like.is_cuda and not _obstacle("scan", work):
        return "scan"
    return "reference"


def run_layer(
    engine: Engine,
    parts: list[Tensor],
    cells: Mapping[Direction, CellWeights],
    states: Mapping[Direction, tuple[Tensor, Tensor]],
    layout: Layout,
    edits: Mapping[Direction, EditAt | None] | None = None,
) -> dict[Direction, dict[str, Tensor]]:
    """Every quantity of one layer as rows (ΣT, units), by direction.

    ``parts`` (ΣT, ·) side by side are what the layer reads; ``states`` are (h_0, c_0), each
    (B, ·) in working order. ``edits`` are for the reference alone.
    """
    if engine == "compiled":
        return compiled.run(parts, cells, states, layout)
    if engine == "scan":
        return {d: scan.run(parts, cells[d], states[d], layout, d) for d in cells}
    return {
        d: reference.run(parts, cells[d], states[d], layout, d, (edits or {}).get(d)) for d in cells
    }


def _obstacle(engine: Engine, work: Work) -> str | None:
    """Why the engine cannot do the work."""
    if engine == "reference":
        return None
    if work.grad:
        return "grad=True"
    if work.hooked:
        return "hooks"
    if engine == "compiled":
        if work.like.device.type != "cpu":
            return f"weights on {work.like.device}"
        if work.like.dtype not in (torch.float32, torch.float64):
            return f"{work.like.dtype}"
        return compiled.missing()
    return None
