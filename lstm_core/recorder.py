"""Runs an LSTM cell by cell and keeps everything it computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_core import engines
from lstm_core.cells import FusedCell
from lstm_core.engines import Engine, Work
from lstm_core.errors import InputError
from lstm_core.forward import Forward, Reference
from lstm_core.hooks import Hooks, HookTable
from lstm_core.recordings import Key, Recording, RecordingBatch
from lstm_core.sequences import Layout, read_sequences
from lstm_core.shape import StackShape
from lstm_core.stack import Stack, read_stack
from lstm_core.states import CellState, read_states, zero_states

Source: TypeAlias = (
    nn.LSTM
    | nn.LSTMCell
    | FusedCell
    | Sequence[nn.LSTM | nn.LSTMCell | FusedCell | nn.Dropout]
    | nn.ModuleList
    | nn.Sequential
)


def record(
    lstm: Source,
    x: Tensor | PackedSequence,
    hx: object = None,
    *,
    lengths: Sequence[int] | Tensor | None = None,
    state: Recording | RecordingBatch | None = None,
    tokens: Sequence[str] | None = None,
    grad: bool = False,
    hooks: Hooks | None = None,
    engine: Engine | None = None,
) -> Recording | RecordingBatch:
    """Record every gate and state of ``lstm`` on ``x``.

    ``lstm`` is an ``nn.LSTM`` with any options, an ``nn.LSTMCell`` or :class:`FusedCell`, which
    are run one timestep at a time, or a list of these from the bottom up, between which
    ``nn.Dropout`` may stand.

    ``x`` is a single sequence (T, input_size), which gives a :class:`Recording`; or a batch
    (T, B, input_size), (B, T, input_size) for a ``batch_first`` module, with the ``lengths`` of
    its sequences where it is padded; or a ``PackedSequence``. Both give a
    :class:`RecordingBatch`, whose recordings are each as long as their sequence.

    Every sequence begins with a state of zeros. ``hx`` is another (h_0, c_0), in the shapes in
    which the module returns (h_n, c_n); for a list of modules each is a tuple of one per module.
    ``state`` is a recording to go on from, instead. ``tokens`` names the timesteps of a single
    sequence.

    ``grad=True`` keeps the autograd graph. ``hooks`` maps (quantity, layer, direction) to a
    function that sees every value of it and may return another to go on with, see
    :mod:`lstm_core.hooks`. Dropout is applied as the module would now: in training mode only,
    with masks that are part of the recording. ``engine`` is chosen by itself.

    Raises InputError for what does not fit.
    """
    return record_stack(
        read_stack(lstm),
        x,
        hx,
        lengths=lengths,
        state=state,
        tokens=tokens,
        grad=grad,
        hooks=hooks,
        engine=engine,
    )


def record_stack(
    stack: Stack,
    x: Tensor | PackedSequence,
    hx: object = None,
    *,
    lengths: Sequence[int] | Tensor | None = None,
    state: Recording | RecordingBatch | None = None,
    tokens: Sequence[str] | None = None,
    grad: bool = False,
    hooks: Hooks | None = None,
    engine: Engine | None = None,
    observed: Callable[[Layout], Reference] | None = None,
) -> Recording | RecordingBatch:
    """:func:`record`; ``observed`` gives what the recording is compared with, if that is known."""
    with torch.enable_grad() if grad else torch.no_grad():
        rows, layout = read_sequences(x, batch_first=stack.batch_first, lengths=lengths)
        _check_input(stack, rows, x)
        _check_tokens(tokens, layout, x)
        initial = initial_states(stack, layout.batched, len(layout.lengths), hx, state)
        table = HookTable(hooks, stack.shape, layout) if hooks else None
        cell_steps = layout.steps * len(stack.shape.cells)
        chosen = engines.choose(Work(stack.like, cell_steps, grad, table is not None), engine)
        arrays, masks = _run(stack, rows, initial, layout, chosen, table)
    reference: Reference | None = None
    if observed:
        reference = observed(layout)
    elif table is None:
        reference = Forward(stack, rows, initial, layout, masks)
    recordings = cut(stack.shape, layout, arrays, rows, initial, masks, reference)
    for recording in recordings:
        recording.engine = chosen
        recording.tokens = tuple(tokens) if tokens is not None else None
    return RecordingBatch(recordings, layout) if layout.batched else recordings[0]


def cut(
    shape: StackShape,
    layout: Layout,
    arrays: Mapping[Key, Tensor],
    rows: Tensor,
    initial: Sequence[CellState],
    masks: Mapping[int, Tensor],
    reference: Reference | None,
) -> list[Recording]:
    """One recording per sequence, of views; without a ``reference`` hooks had a hand in it."""
    return [
        Recording(
            shape=shape,
            arrays={key: array[layout.of_sequence(b)] for key, array in arrays.items()},
            x=rows[layout.of_sequence(b)],
            initial={
                cell: CellState(state.h[b], state.c[b])
                for cell, state in zip(shape.cells, initial, strict=True)
            },
            masks={layer: mask[layout.of_sequence(b)] for layer, mask in masks.items()},
            hooked=reference is None,
            reference=reference.of_sequence(b) if reference else None,
            weights_not_finite=reference.weights_not_finite if reference else None,
        )
        for b in range(len(layout.lengths))
    ]


def initial_states(
    stack: Stack,
    batched: bool,
    sequences: int,
    hx: object,
    state: Recording | RecordingBatch | None,
) -> list[CellState]:
    """The state of every cell to begin with, (B, ·) each, in the caller's order.

    Raises InputError for what does not fit.
    """
    if hx is not None and state is not None:
        raise InputError("There are two initial states.", came="hx and state", expected="one")
    if state is not None:
        return _going_on(stack, batched, sequences, state)
    if hx is not None:
        return read_states(stack.shape, hx, batch=sequences, batched=batched, like=stack.like)
    return zero_states(stack.shape, sequences, stack.like)


def _going_on(
    stack: Stack, batched: bool, sequences: int, state: Recording | RecordingBatch
) -> list[CellState]:
    if not isinstance(state, Recording | RecordingBatch):
        raise InputError(
            "This is no recording to go on from.",
            came=f"a {type(state).__name__}",
            expected="a Recording, or a RecordingBatch for a batch; a pair of tensors goes to hx",
        )
    given = list(state) if isinstance(state, RecordingBatch) else [state]
    if isinstance(state, RecordingBatch) != batched or len(given) != sequences:
        raise InputError(
            "The recording to go on from has other sequences.",
            came=repr(state).splitlines()[0],
            expected=f"a RecordingBatch of {sequences}" if batched else "a Recording of one",
        )
    if given[0].shape != stack.shape:
        raise InputError(
            "The recording to go on from is one of another LSTM.",
            came=str(given[0].shape),
            expected=str(stack.shape),
        )
    if any(direction == "backward" for _, direction in stack.shape.cells):
        raise InputError(
            "A backward direction cannot go on: it begins at the end of the sentence, which has "
            "not been read where the first part ends.",
            came=str(stack.shape),
            expected="an LSTM with a forward direction only, or states of your own as hx",
        )
    states = [
        CellState(
            torch.stack([recording.last_states[n].h for recording in given]),
            torch.stack([recording.last_states[n].c for recording in given]),
        )
        for n in range(len(stack.shape.cells))
    ]
    like = stack.like
    if states[0].h.dtype != like.dtype or states[0].h.device != like.device:
        raise InputError(
            "The recording to go on from differs in kind.",
            came=f"{states[0].h.dtype} on {states[0].h.device}",
            expected=f"{like.dtype} on {like.device}, as the weights",
        )
    return states


def _check_input(stack: Stack, rows: Tensor, x: Tensor | PackedSequence) -> None:
    if rows.shape[-1] != stack.shape.input_size:
        raise InputError(
            "The input has the wrong width.",
            came=f"shape {_shape(x)}",
            expected=f"last axis {stack.shape.input_size} (input_size)",
        )
    like = stack.like
    if rows.dtype != like.dtype or rows.device != like.device:
        raise InputError(
            "x and the weights differ in kind.",
            came=f"x {rows.dtype} on {rows.device}",
            expected=f"{like.dtype} on {like.device}, as the weights",
        )


def _check_tokens(tokens: Sequence[str] | None, layout: Layout, x: Tensor | PackedSequence) -> None:
    if tokens is not None and (layout.batched or len(tokens) != layout.steps):
        raise InputError(
            "Tokens name the timesteps of a single sequence.",
            came=f"{len(tokens)} tokens for an input {_shape(x)}",
            expected="as many tokens as timesteps",
        )


def _shape(x: Tensor | PackedSequence) -> str:
    return str(tuple(x.shape)) if isinstance(x, Tensor) else f"packed {tuple(x.data.shape)}"


def _run(
    stack: Stack,
    rows: Tensor,
    initial: Sequence[CellState],
    layout: Layout,
    engine: Engine,
    table: HookTable | None,
) -> tuple[dict[Key, Tensor], dict[int, Tensor]]:
    """All layers from the bottom up; a layer reads the h of both directions below it."""
    arrays: dict[Key, Tensor] = {}
    masks: dict[int, Tensor] = {}
    order = torch.tensor(layout.order, device=rows.device)
    states = {
        cell: (state.h[order], state.c[order])
        for cell, state in zip(stack.shape.cells, initial, strict=True)
    }
    parts = [rows]
    for n, layer in enumerate(stack.layers):
        results = engines.run_layer(
            engine,
            parts,
            layer.cells,
            {direction: states[n, direction] for direction in layer.cells},
            layout,
            {d: table.edits(n, d) for d in layer.cells} if table else None,
        )
        for direction, result in results.items():
            arrays |= {(quantity, n, direction): array for quantity, array in result.items()}
        parts = [result["h"] for result in results.values()]
        if layer.dropout:
            masks[n] = _mask(layer.dropout, parts, layout)
            parts = [torch.cat(parts, dim=-1) * masks[n]]
    return arrays, masks


def _mask(p: float, parts: Sequence[Tensor], layout: Layout) -> Tensor:
    """What dropout multiplies by: 0 or 1 / (1 - p), as rows (ΣT, width).

    Drawn in the order of PyTorch's own rows, so that the same seed gives the same mask.
    """
    width = sum(part.shape[1] for part in parts)
    with torch.no_grad():
        drawn = torch.dropout(parts[0].new_ones(len(parts[0]), width), p, True)
    return layout.unpack(drawn)
