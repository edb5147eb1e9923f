"""States at the ends of a recording: given as (h_0, c_0), given back as h_n and c_n."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from lstm_core.errors import InputError
from lstm_core.shape import ModuleShape, StackShape

#: As PyTorch shapes it: (rows, [B,] width) of an nn.LSTM, ([B,] width) of a cell; for a list of
#: modules a tuple, one entry per module.
States: TypeAlias = Tensor | tuple[Tensor, ...]


class CellState(NamedTuple):
    """h and c of one cell: (width of h) and (H), or with an axis of sequences before."""

    h: Tensor
    c: Tensor


def as_states(shape: StackShape, rows: Sequence[Tensor]) -> States:
    """One tensor per cell, (width) or (B, width), in PyTorch's shapes."""
    states = tuple(
        own[0] if module.is_cell else torch.stack(own)
        for module, own in zip(shape.modules, shape.by_module(rows), strict=True)
    )
    return states if shape.listed else states[0]


def zero_states(shape: StackShape, batch: int, like: Tensor) -> list[CellState]:
    return [
        CellState(
            like.new_zeros(batch, shape.width("h", layer)),
            like.new_zeros(batch, shape.width("c", layer)),
        )
        for layer, _ in shape.cells
    ]


def read_states(
    shape: StackShape, hx: object, *, batch: int, batched: bool, like: Tensor
) -> list[CellState]:
    """``hx`` as one state per cell, (B, ·) each; copies. Raises InputError for a misfit."""
    if not isinstance(hx, tuple | list) or len(hx) != 2 or any(part is None for part in hx):
        raise InputError("The initial state is not a pair of tensors.", **_pair(hx, shape))
    h_rows, c_rows = (
        _rows(name, quantity, part, shape, batch if batched else None, like)
        for name, quantity, part in zip(("h_0", "c_0"), "hc", hx, strict=True)
    )
    return [CellState(h, c) for h, c in zip(h_rows, c_rows, strict=True)]


def _rows(
    name: str, quantity: str, part: object, shape: StackShape, batch: int | None, like: Tensor
) -> list[Tensor]:
    count = len(shape.modules)
    given = part if shape.listed else (part,)
    if not isinstance(given, tuple | list) or len(given) != count:
        came = f"a {type(part).__name__}"
        if isinstance(part, tuple | list):
            came += f" of {len(part)}"
        raise InputError(
            f"The initial state {name} does not fit.",
            came=came,
            expected=f"a tuple of {count} tensors, one per module",
        )
    rows: list[Tensor] = []
    for place, (module, tensor) in enumerate(zip(shape.modules, given, strict=True)):
        expected = _expected(module, quantity, batch)
        if not isinstance(tensor, Tensor):
            raise InputError("The initial state is not a pair of tensors.", **_pair(part, shape))
        if (
            tuple(tensor.shape) != expected
            or tensor.dtype != like.dtype
            or tensor.device != like.device
        ):
            raise InputError(
                f"The initial state {name}{f' of [{place}]' if shape.listed else ''} does not fit.",
                came=f"shape {tuple(tensor.shape)}, {tensor.dtype} on {tensor.device}",
                expected=f"shape {expected}, {like.dtype} on {like.device}",
            )
        tensor = tensor.clone()
        if batch is None:
            tensor = tensor.unsqueeze(-2)
        rows += [tensor] if module.is_cell else tensor.unbind(0)
    return rows


def _expected(module: ModuleShape, quantity: str, batch: int | None) -> tuple[int, ...]:
    rows = () if module.is_cell else (len(module.cells),)
    return (*rows, *(() if batch is None else (batch,)), module.width(quantity))


def _pair(hx: object, shape: StackShape) -> dict[str, str]:
    came = f"a {type(hx).__name__}"
    if isinstance(hx, tuple | list):
        came += f" of {len(hx)}"
    expected = "(h_0, c_0)"
    if shape.listed:
        expected += ", each a tuple of one tensor per module"
    return {"came": came, "expected": expected}
