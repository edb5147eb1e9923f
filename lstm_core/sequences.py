"""The sequences of one call: how they came, how they are laid out, how results go back.

Inside, the timesteps of all sequences are the rows of one matrix, sequence after sequence, so
that what belongs to one recording lies together and padding takes no room. Numbers of rows are on
the CPU whatever the default device is; PyTorch wants ``batch_sizes`` there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import index
from typing import Literal

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_sequence

from lstm_core.errors import InputError
from lstm_core.quantities import Direction

#: One sequence (T, width); a padded batch with a third axis; a PackedSequence.
Form = Literal["sequence", "batch", "packed"]

#: Rows of one step: a slice where all sequences are equally long and in order, else their numbers.
Rows = slice | Tensor


@dataclass(frozen=True)
class Layout:
    """Where each timestep of each sequence stands.

    ``lengths`` are in the caller's order. ``order`` is the one they are worked on in: the longest
    first, so that those which still run at a step are the first ones.
    """

    form: Form
    lengths: tuple[int, ...]
    order: tuple[int, ...]
    batch_first: bool = False
    #: Timesteps of the padded batch; the longest sequence may be shorter.
    padded_length: int = 0
    #: Whether a PackedSequence came sorted and without the indices that undo the sorting.
    presorted: bool = False

    @property
    def batched(self) -> bool:
        return self.form != "sequence"

    @property
    def ragged(self) -> bool:
        return len(set(self.lengths)) > 1

    @cached_property
    def in_order(self) -> bool:
        """Whether the working order is the caller's."""
        return self.order == tuple(range(len(self.order)))

    def sort(self, batch: Tensor) -> Tensor:
        """(B, ·) in the caller's order to (B, ·) in working order."""
        return batch if self.in_order else batch[torch.tensor(self.order, device=batch.device)]

    def unsort(self, batch: Tensor) -> Tensor:
        """The inverse of :meth:`sort`."""
        if self.in_order:
            return batch
        return batch[torch.argsort(torch.tensor(self.order, device=batch.device))]

    @property
    def padded(self) -> bool:
        """Whether a padded batch really is."""
        return self.ragged or self.padded_length > self.steps

    @property
    def steps(self) -> int:
        return self.lengths[self.order[0]]

    @cached_property
    def offsets(self) -> list[int]:
        """The row of timestep 0, per sequence, and the number of all rows."""
        offsets = [0]
        for length in self.lengths:
            offsets.append(offsets[-1] + length)
        return offsets

    @cached_property
    def each(self) -> list[slice]:
        """The rows of each sequence."""
        return [slice(*pair) for pair in pairwise(self.offsets)]

    def first_rows(self, direction: Direction) -> list[int]:
        """Where each sequence's first step is, in working order; the others follow."""
        if direction == "forward":
            return [self.offsets[b] for b in self.order]
        return [self.offsets[b + 1] - 1 for b in self.order]

    def rows(self, direction: Direction) -> list[Rows]:
        """Per step the rows to compute, in working order; backward goes from each one's end."""
        stride = 1 if direction == "forward" else -1
        if self.in_order and not self.ragged:
            T = self.steps
            order = range(T) if direction == "forward" else range(T - 1, -1, -1)
            return [slice(t, None, T) for t in order]  # every T-th row is the next sequence's
        first = torch.tensor(self.first_rows(direction), device="cpu")
        return [first[:active] + step * stride for step, active in enumerate(self.active)]

    @cached_property
    def active(self) -> list[int]:
        """How many sequences still run, per step: PyTorch's ``batch_sizes``."""
        lengths = torch.tensor([self.lengths[b] for b in self.order], device="cpu")
        counts: list[int] = (
            (lengths > torch.arange(self.steps, device="cpu")[:, None]).sum(dim=1).tolist()
        )
        return counts

    def packed_rows(self, direction: Direction = "forward") -> Tensor:
        """The rows in the order of a PackedSequence: step by step."""
        first = torch.tensor(self.first_rows(direction), device="cpu")
        stride = 1 if direction == "forward" else -1
        grid = first + stride * torch.arange(self.steps, device="cpu")[:, None]  # (steps, B)
        lengths = torch.tensor([self.lengths[b] for b in self.order], device="cpu")
        return grid[lengths > torch.arange(self.steps, device="cpu")[:, None]]

    def pack(self, rows: Tensor) -> PackedSequence:
        """Rows as a PackedSequence like the one that came, or as PyTorch would make one."""
        order = torch.tensor(self.order, device=rows.device)
        return PackedSequence(
            rows[self.packed_rows().to(rows.device)],
            torch.tensor(self.active, device="cpu"),
            None if self.presorted else order,
            None if self.presorted else torch.argsort(order),
        )

    def unpack(self, data: Tensor) -> Tensor:
        """The inverse of :meth:`pack`, from the packed data."""
        return data[torch.argsort(self.packed_rows()).to(data.device)]

    def result(self, sequences: Sequence[Tensor]) -> Tensor | PackedSequence:
        """One tensor per sequence, (T_b, width), in the form in which the input came."""
        if self.form == "sequence":
            return sequences[0]
        if self.form == "packed":
            return self.pack(torch.cat(list(sequences)))
        if not self.padded:
            return torch.stack(list(sequences), dim=0 if self.batch_first else 1)
        padded = pad_sequence(list(sequences), batch_first=True)  # (B, steps, width)
        padded = torch.nn.functional.pad(padded, (0, 0, 0, self.padded_length - self.steps))
        return padded if self.batch_first else padded.transpose(0, 1)

    def subset(self, chosen: Sequence[int]) -> Layout:
        """The layout of some of the sequences; sorting is undone, as it was for all of them."""
        lengths = tuple(self.lengths[b] for b in chosen)
        return Layout(
            self.form,
            lengths,
            _longest_first(lengths),
            self.batch_first,
            self.padded_length,
            presorted=False,
        )


def read_sequences(
    x: object, *, batch_first: bool, lengths: object = None
) -> tuple[Tensor, Layout]:
    """The rows of all sequences, a copy, and their layout. Raises InputError."""
    if isinstance(x, PackedSequence):
        if lengths is not None:
            raise InputError(
                "A PackedSequence knows its lengths.",
                came="lengths beside a PackedSequence",
                expected="lengths only with a padded batch",
            )
        return _read_packed(x)
    if not isinstance(x, Tensor):
        raise InputError(
            "The input is not a tensor.",
            came=f"a {type(x).__name__}",
            expected="a torch.Tensor, (T, input_size) for one sequence, 3 axes for a batch, "
            "or a PackedSequence",
        )
    if x.dim() not in (2, 3):
        raise InputError(
            "The input has the wrong number of axes.",
            came=f"shape {tuple(x.shape)}",
            expected="(T, input_size) for one sequence, 3 axes for a batch",
        )
    if 0 in x.shape[:-1]:
        raise InputError(
            "There is nothing to record.",
            came=f"shape {tuple(x.shape)}",
            expected="at least one timestep and one sequence",
        )
    if x.dim() == 2:
        if lengths is not None:
            raise InputError(
                "A single sequence is as long as it is.",
                came=f"lengths for an input {tuple(x.shape)}",
                expected="lengths only with a padded batch",
            )
        return x.clone(), Layout("sequence", (len(x),), (0,), batch_first)
    batch = x if batch_first else x.transpose(0, 1)  # (B, T, width)
    B, T, width = batch.shape
    cut = _read_lengths(lengths, B, T)
    layout = Layout("batch", cut, _longest_first(cut), batch_first, padded_length=T)
    if not layout.padded:
        rows = batch.reshape(B * T, width)
        return (rows.clone() if rows.data_ptr() == x.data_ptr() else rows), layout
    return torch.cat([batch[b, :length] for b, length in enumerate(cut)]), layout


def _read_packed(packed: PackedSequence) -> tuple[Tensor, Layout]:
    counts = packed.batch_sizes
    # One sequence is as long as there are steps with at least that many sequences.
    sorted_lengths = (
        (counts[:, None] > torch.arange(int(counts[0]), device="cpu")).sum(dim=0).tolist()
    )
    indices = packed.sorted_indices
    order = list(range(len(sorted_lengths))) if indices is None else indices.tolist()
    lengths = [0] * len(order)
    for place, b in enumerate(order):
        lengths[b] = sorted_lengths[place]
    layout = Layout("packed", tuple(lengths), tuple(order), presorted=indices is None)
    return layout.unpack(packed.data), layout


def _longest_first(lengths: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(range(len(lengths)), key=lambda b: -lengths[b]))


def _read_lengths(lengths: object, B: int, T: int) -> tuple[int, ...]:
    if lengths is None:
        return (T,) * B
    expected = f"{B} whole numbers from 1 to {T}, one per sequence"
    if isinstance(lengths, Tensor):
        lengths = lengths.tolist()
    try:
        if any(isinstance(length, bool) for length in lengths):  # type: ignore[attr-defined]
            raise TypeError("a mask is no list of lengths")
        cut = tuple(index(length) for length in lengths)  # type: ignore[attr-defined]
    except TypeError as error:
        raise InputError(
            "The lengths are no list of numbers.", came=repr(lengths), expected=expected
        ) from error
    if len(cut) != B:
        raise InputError(
            "The lengths do not fit the batch.",
            came=f"{len(cut)} lengths for {B} sequences",
            expected=expected,
        )
    for b, length in enumerate(cut):
        if not 1 <= length <= T:
            raise InputError(
                "A sequence is empty or longer than the input.",
                came=f"length {length} of sequence {b}",
                expected=expected,
            )
    return cut
