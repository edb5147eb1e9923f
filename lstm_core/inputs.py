"""What one call is given, checked: the stack, its sequences, and the states to begin with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from lstm_core.batch import RecordingBatch
from lstm_core.errors import InputError
from lstm_core.recordings import Recording
from lstm_core.sequences import Layout, read_sequences
from lstm_core.stack import Stack
from lstm_core.states import CellState, read_states, zero_states


@dataclass(frozen=True, eq=False)
class Inputs:
    """``rows`` (ΣT, input_size) and ``initial`` (B, ·) per cell are copies of what was given."""

    stack: Stack
    rows: Tensor
    layout: Layout
    initial: Sequence[CellState]


@contextmanager
def exactly(like: Tensor, *, grad: bool = False) -> Iterator[None]:
    """In the type of the weights, whatever autocast the caller is in; with a graph if asked."""
    kind = like.device.type
    with torch.enable_grad() if grad else torch.no_grad():
        if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
            with torch.autocast(kind, enabled=False):
                yield
        else:
            yield


def read_inputs(
    stack: Stack,
    x: Tensor | PackedSequence,
    hx: object = None,
    *,
    lengths: Sequence[int] | Tensor | None = None,
    state: Recording | RecordingBatch | None = None,
) -> Inputs:
    """Raises InputError for what does not fit."""
    rows, layout = read_sequences(x, batch_first=stack.batch_first, lengths=lengths)
    if rows.shape[-1] != stack.shape.input_size:
        raise InputError(
            "The input has the wrong width.",
            came=f"shape {shape_of(x)}",
            expected=f"last axis {stack.shape.input_size} (input_size)",
        )
    like = stack.like
    if rows.dtype != like.dtype or rows.device != like.device:
        raise InputError(
            "x and the weights differ in kind.",
            came=f"x {rows.dtype} on {rows.device}",
            expected=f"{like.dtype} on {like.device}, as the weights",
        )
    initial = initial_states(stack, layout.batched, len(layout.lengths), hx, state)
    return Inputs(stack, rows, layout, initial)


def shape_of(x: Tensor | PackedSequence) -> str:
    return str(tuple(x.shape)) if isinstance(x, Tensor) else f"packed {tuple(x.data.shape)}"


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
