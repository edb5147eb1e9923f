"""What a reader finds in a file, whatever its format: tensors under PyTorch's names. No torch here.

A reader of another format translates: an LSTM's weights come out as ``PREFIX.weight_ih_l0``,
``weight_hh_l0``, ``bias_ih_l0``, ``bias_hh_l0``, ``weight_hr_l0``, with ``_reverse`` for the
backward direction, the gates in the order i f g o; a linear layer's as ``weight`` (out, in) and
``bias``; an embedding's as ``weight`` (rows, width). So whatever comes after the readers knows one
convention only. An LSTM that only reads from right to left has ``_reverse`` names and no others;
one that does not begin with zeros has ``PREFIX.h_0`` and ``PREFIX.c_0``, (rows, width) as in
PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

#: What numbers may be stored as; all are handed over as float32, float64 as it is.
DTYPES = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class Limits:
    """How much a file may hold; more is refused, with the number."""

    file_bytes: int = 1_000_000_000
    tensors: int = 5_000
    name_characters: int = 300
    rank: int = 8
    dimension: int = 10_000_000
    parameters: int = 250_000_000  # of everything in the file
    nesting: int = 32
    strings: int = 1_000_000  # in all tables together
    table_entries: int = 500_000


@dataclass(frozen=True)
class TensorInfo:
    """A tensor's shape and type, known without reading its numbers."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """How many numbers."""
        count = 1
        for length in self.shape:
            count *= length
        return count


@dataclass(frozen=True)
class Contents:
    """A file's tensors, and the lists of strings it keeps beside them.

    ``tensors`` are dense tensors of floating-point numbers, in the order of the file. ``read``
    gives some of them as arrays in C order, float32 or float64, each checked against its info.
    ``tables`` are vocabularies and labels kept in the file itself: a name, and the strings in the
    order of their ids, ``None`` where an id has none. ``notes`` are sentences for the person:
    what was translated, assumed or left out.
    """

    format: str
    tensors: Mapping[str, TensorInfo]
    read: Callable[[Iterable[str]], dict[str, Array]]
    tables: Mapping[str, list[str | None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
