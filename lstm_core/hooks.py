"""Hooks between the equations: see a value, or go on with another.

    def shut(value, at):
        return torch.zeros_like(value) if at.timestep >= 3 else None

    record(lstm, x, hooks={("o", 0, "forward"): shut})

A hook is called with a copy of the value of one unit vector, (units,), and the :class:`Site` it
comes from, as soon as it is computed. What it returns takes the value's place in the recording and
in everything computed after it; ``None`` leaves it. Writing into the value changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from lstm_core.equations import Edit
from lstm_core.errors import InputError
from lstm_core.quantities import Direction
from lstm_core.sequences import Layout
from lstm_core.shape import StackShape


@dataclass(frozen=True)
class Site:
    """Where a value comes from; ``timestep`` in sentence order, ``sequence`` in the batch."""

    quantity: str
    layer: int
    direction: Direction
    timestep: int
    sequence: int


Hook: TypeAlias = Callable[[Tensor, Site], Tensor | None]
#: By (quantity, layer, direction); the direction may be left out where there is only one.
Hooks: TypeAlias = Mapping[tuple[str, int] | tuple[str, int, str], Hook]


class HookTable:
    """The hooks of one call, as edits of the reference's steps."""

    def __init__(self, hooks: Hooks, shape: StackShape, layout: Layout) -> None:
        """Raises SelectionError for a place that there is not, InputError for no function."""
        self._hooks: dict[tuple[str, int, Direction], Hook] = {}
        self._layout = layout
        if not isinstance(hooks, Mapping):
            raise InputError(
                "Hooks are found by their place.",
                came=f"a {type(hooks).__name__}",
                expected="a mapping of (quantity, layer, direction) to functions",
            )
        for key, hook in hooks.items():
            place = shape.find(key)
            if not callable(hook):
                raise InputError(
                    f"The hook of {key} cannot be called.",
                    came=f"a {type(hook).__name__}",
                    expected="a function of a value and its site",
                )
            if place in self._hooks:
                raise InputError(
                    "Two hooks have the same place.",
                    came=f"{key} and another key for {place}",
                    expected="one hook for each place",
                )
            self._hooks[place] = hook

    def edits(self, layer: int, direction: Direction) -> Callable[[int], Edit] | None:
        """The edit of each step of one cell, None where no hook is."""
        own = {q: hook for (q, n, d), hook in self._hooks.items() if (n, d) == (layer, direction)}
        if not own:
            return None

        def edit_at(step: int) -> Edit:
            def edit(quantity: str, value: Tensor) -> Tensor:
                if quantity not in own:
                    return value
                sites = self._sites(quantity, layer, direction, step)
                rows = zip(value.unbind(0), sites, strict=False)
                return torch.stack([_call(own[quantity], row, site) for row, site in rows])

            return edit

        return edit_at

    def _sites(self, quantity: str, layer: int, direction: Direction, step: int) -> list[Site]:
        layout = self._layout
        return [
            Site(
                quantity,
                layer,
                direction,
                step if direction == "forward" else layout.lengths[b] - 1 - step,
                b,
            )
            for b in layout.order
        ]


def _call(hook: Hook, value: Tensor, site: Site) -> Tensor:
    result = hook(value.clone(), site)
    if result is None:
        return value
    if (
        not isinstance(result, Tensor)
        or result.shape != value.shape
        or result.dtype != value.dtype
        or result.device != value.device
    ):
        came = f"a {type(result).__name__}"
        if isinstance(result, Tensor):
            came = f"shape {tuple(result.shape)}, {result.dtype} on {result.device}"
        raise InputError(
            f"What the hook returned cannot take the place of {site.quantity} "
            f"in layer {site.layer} {site.direction} at timestep {site.timestep}.",
            came=came,
            expected=f"shape {tuple(value.shape)}, {value.dtype} on {value.device}, or None",
        )
    return result
