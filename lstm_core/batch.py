"""The recordings of several sequences, and what the module returns for all of them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import overload

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from lstm_core.recordings import Recording
from lstm_core.sequences import Layout
from lstm_core.states import CellState, States, as_states


class RecordingBatch(Sequence[Recording]):
    """The recordings of a batch, one per sequence, and what the module returns for all of them.

    Each recording is as long as its sequence. ``output`` has the form of the input: a padded
    (T, B, D·width of h), or (B, T, ·) for a ``batch_first`` module, with zeros after a sequence's
    end; or a PackedSequence. ``h_n`` and ``c_n`` are (L·D, B, ·), or (B, ·) of a cell.
    """

    def __init__(self, recordings: Sequence[Recording], layout: Layout) -> None:
        self._recordings = tuple(recordings)
        self._layout = layout

    def __len__(self) -> int:
        return len(self._recordings)

    @overload
    def __getitem__(self, index: int) -> Recording: ...
    @overload
    def __getitem__(self, index: slice) -> RecordingBatch: ...
    def __getitem__(self, index: int | slice) -> Recording | RecordingBatch:
        if isinstance(index, slice):
            chosen = range(len(self))[index]
            layout = self._layout.subset(chosen) if chosen else self._layout
            return RecordingBatch(self._recordings[index], layout)
        return self._recordings[index]

    def __iter__(self) -> Iterator[Recording]:
        return iter(self._recordings)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Timesteps of each sequence."""
        return tuple(len(recording) for recording in self._recordings)

    @property
    def output(self) -> Tensor | PackedSequence:
        return self._layout.result([recording.output for recording in self._recordings])

    @property
    def h_n(self) -> States:
        return as_states(self._recordings[0].shape, [state.h for state in self.last_states])

    @property
    def c_n(self) -> States:
        return as_states(self._recordings[0].shape, [state.c for state in self.last_states])

    @property
    def last_states(self) -> list[CellState]:
        """The states each cell ended with, (B, ·), in the order of ``shape.cells``."""
        each = [recording.last_states for recording in self._recordings]
        return [
            CellState(torch.stack([s.h for s in states]), torch.stack([s.c for s in states]))
            for states in zip(*each, strict=True)
        ]

    @functools.cached_property
    def parity(self) -> float:
        """The largest of the recordings' parities."""
        return max(recording.parity for recording in self._recordings)

    @property
    def not_finite(self) -> str | None:
        """The first place of the first recording that is not finite throughout, in words."""
        for b, recording in enumerate(self._recordings):
            if recording.not_finite:
                return f"sequence {b}: {recording.not_finite}"
        return None

    def __repr__(self) -> str:
        if not self._recordings:
            return "RecordingBatch of 0 recordings"
        least, most = min(self.lengths), max(self.lengths)
        timesteps = str(most) if least == most else f"{least} to {most}"
        shape = self._recordings[0].shape
        return f"RecordingBatch of {len(self)} recordings of {timesteps} timesteps, {shape}"
