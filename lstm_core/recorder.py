"""Runs an LSTM cell by cell and keeps everything it computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_core import engines
from lstm_core.batch import RecordingBatch
from lstm_core.cells import FusedCell
from lstm_core.engines import Engine, Work
from lstm_core.errors import InputError
from lstm_core.finite import first_weight_not_finite
from lstm_core.forward import Forward, Observed, Reference
from lstm_core.hooks import Hooks, HookTable
from lstm_core.inputs import Inputs, exactly, read_inputs, shape_of
from lstm_core.quantities import QUANTITIES, Direction
from lstm_core.recordings import Key, Progress, Recording
from lstm_core.sequences import Layout
from lstm_core.stack import Layer, Stack, read_stack
from lstm_core.states import CellState

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
    progress: Progress | None = None,
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
    with masks that are part of the recording. ``engine`` is chosen by itself. ``progress`` is
    called as ``progress(done, of, what)`` before each layer and direction.

    Raises InputError for what does not fit.
    """
    stack = read_stack(lstm)
    with exactly(stack.like, grad=grad):
        inputs = read_inputs(stack, x, hx, lengths=lengths, state=state)
        layout, shape = inputs.layout, inputs.stack.shape
        if tokens is not None and (layout.batched or len(tokens) != layout.steps):
            raise InputError(
                "Tokens name the timesteps of a single sequence.",
                came=f"{len(tokens)} tokens for an input {shape_of(x)}",
                expected="as many tokens as timesteps",
            )
        table = HookTable(hooks, shape, layout) if hooks else None
        recorded = _record(inputs, grad=grad, table=table, engine=engine, progress=progress)
    if isinstance(recorded, Recording) and tokens is not None:
        recorded.tokens = tuple(tokens)
    return recorded


def record_observed(
    stack: Stack,
    x: Tensor | PackedSequence,
    hx: object,
    result: tuple[Tensor | PackedSequence, tuple[Tensor, Tensor]],
) -> Recording | RecordingBatch:
    """Record what a module has just run, compared with what it returned."""
    with exactly(stack.like):
        inputs = read_inputs(stack, x, hx)
        output, (h_n, c_n) = result
        weight = first_weight_not_finite(stack)
        observed = Observed(stack, inputs.layout, output, h_n, c_n, weight=weight)
        return _record(inputs, observed=observed)


def _record(
    inputs: Inputs,
    *,
    grad: bool = False,
    table: HookTable | None = None,
    engine: Engine | None = None,
    observed: Observed | None = None,
    progress: Progress | None = None,
) -> Recording | RecordingBatch:
    stack, layout = inputs.stack, inputs.layout
    cell_steps = layout.steps * len(stack.shape.cells)
    chosen = engines.choose(Work(stack.like, cell_steps, grad, table is not None), engine)
    arrays, masks = _run(inputs, chosen, table, progress)
    reference = None if table else observed or Forward(inputs, masks)
    return cut(inputs, arrays, masks, reference, chosen)


def cut(
    inputs: Inputs,
    arrays: Mapping[Key, Tensor],
    masks: Mapping[int, Tensor],
    reference: Reference | None,
    engine: Engine,
) -> Recording | RecordingBatch:
    """One recording per sequence, of views; without a ``reference`` hooks had a hand in it."""
    shape, layout = inputs.stack.shape, inputs.layout
    recordings = [
        Recording(
            shape=shape,
            arrays={key: array[own] for key, array in arrays.items()},
            x=inputs.rows[own],
            initial={
                cell: CellState(state.h[b], state.c[b])
                for cell, state in zip(shape.cells, inputs.initial, strict=True)
            },
            masks={layer: mask[own] for layer, mask in masks.items()},
            engine=engine,
            hooked=reference is None,
            reference=reference.of_sequence(b) if reference else None,
            weights_not_finite=reference.weights_not_finite if reference else None,
        )
        for b, own in enumerate(layout.each)
    ]
    return RecordingBatch(recordings, layout) if layout.batched else recordings[0]


def _run(
    inputs: Inputs, engine: Engine, table: HookTable | None, progress: Progress | None
) -> tuple[dict[Key, Tensor], dict[int, Tensor]]:
    """All layers from the bottom up; a layer reads the h of both directions below it."""
    stack, layout = inputs.stack, inputs.layout
    arrays: dict[Key, Tensor] = {}
    masks: dict[int, Tensor] = {}
    states = {
        cell: (layout.sort(state.h), layout.sort(state.c))
        for cell, state in zip(stack.shape.cells, inputs.initial, strict=True)
    }
    parts = [inputs.rows]
    for n, layer in enumerate(stack.layers):
        results: dict[Direction, dict[str, Tensor]] = {}
        for directions in _passes(layer, told=progress is not None):
            if progress:
                done = len(arrays) // len(QUANTITIES) + len(results)
                of = len(stack.shape.cells)
                progress(done, of, f"layer {n} {' and '.join(directions)}")
            results |= engines.run_layer(
                engine,
                parts,
                {d: layer.cells[d] for d in directions},
                {d: states[n, d] for d in directions},
                layout,
                {d: table.edits(n, d) for d in directions} if table else None,
            )
        for direction, result in results.items():
            arrays |= {(quantity, n, direction): array for quantity, array in result.items()}
        parts = [result["h"] for result in results.values()]
        if layer.dropout:
            masks[n] = _mask(layer.dropout, parts, layout)
            parts = [torch.cat(parts, dim=-1) * masks[n]]
    return arrays, masks


def _passes(layer: Layer, *, told: bool) -> list[list[Direction]]:
    """Directions that run together: all of a layer, where they can share threads."""
    directions = list(layer.cells)
    if told and torch.get_num_threads() == 1:
        return [[direction] for direction in directions]
    return [directions]


def _mask(p: float, parts: Sequence[Tensor], layout: Layout) -> Tensor:
    """What dropout multiplies by: 0 or 1 / (1 - p), as rows (ΣT, width).

    Drawn in the order of PyTorch's own rows, so that the same seed gives the same mask.
    """
    width = sum(part.shape[1] for part in parts)
    with torch.no_grad():
        drawn = torch.dropout(parts[0].new_ones(len(parts[0]), width), p, True)
    return layout.unpack(drawn)
