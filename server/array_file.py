"""A recording's file on the disk, and safetensors files with a part of its arrays.

The header is read once; the web process never holds more of the numbers than the piece it sends.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from lstm_core.tensor_files import Entry, encode_header, read_header
from server.errors import RangeError, UnknownArrayError

if TYPE_CHECKING:  # only a request that converts numbers pays for the import
    import numpy as np

DType = Literal["recorded", "float32", "float64", "float16"]

_CODES = {"float64": "F64", "float32": "F32", "float16": "F16"}
NUMPY_NAMES = {code: name for name, code in _CODES.items()}

#: Ends of the names of arrays without timesteps, which are never cut.
INITIAL_STATES = (".h_0", ".c_0")
#: Read at a time, about.
PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class ArrayFile:
    """Where its arrays lie; small, so that it can be handed to another process."""

    path: str
    entries: Mapping[str, Entry]

    @classmethod
    def open(cls, path: str | Path) -> tuple[ArrayFile, dict[str, Any]]:
        """The file, and what ``Recording.write`` put beside the arrays."""
        with Path(path).open("rb") as file:
            entries, metadata = read_header(file)
        return cls(str(path), entries), json.loads(metadata.get("gatescope", "{}"))

    @property
    def timesteps(self) -> int:
        return self.entries["x"].shape[0]

    def check(self, names: Sequence[str]) -> None:
        """Raises UnknownArrayError."""
        if unknown := [name for name in names if name not in self.entries]:
            raise UnknownArrayError(
                "No such array.", came=repr(unknown[0]), exists=list(self.entries)
            )

    def only(self, names: Sequence[str]) -> ArrayFile:
        """The same file with fewer arrays."""
        return ArrayFile(self.path, {name: self.entries[name] for name in names})

    def rows(self, start: int | None, stop: int | None) -> range:
        """Timesteps start to stop. Raises RangeError."""
        rows = range(start or 0, self.timesteps if stop is None else stop)
        if not 0 <= rows.start < rows.stop <= self.timesteps:
            raise RangeError(
                "There are no such timesteps.",
                came=f"start={rows.start}, stop={rows.stop}",
                expected=f"0 ≤ start < stop ≤ {self.timesteps}",
            )
        return rows

    def cut(
        self,
        names: Sequence[str] = (),
        start: int | None = None,
        stop: int | None = None,
        dtype: DType = "recorded",
        *,
        unit_start: int | None = None,
        unit_stop: int | None = None,
    ) -> Cut:
        """The named arrays (all, if none is named), these timesteps and units of them.

        Raises UnknownArrayError, RangeError.
        """
        self.check(names)
        rows = self.rows(start, stop)
        parts = []
        for name in dict.fromkeys(names) or self.entries:
            entry = self.entries[name]
            code = entry.dtype if dtype == "recorded" else _CODES[dtype]
            if name.endswith(INITIAL_STATES):
                parts.append(_Part(name, entry, range(1), range(entry.shape[0]), code))
                continue
            units = _units(name, entry.shape[1], unit_start, unit_stop)
            parts.append(_Part(name, entry, rows, units, code))
        return Cut(self.path, parts, {"start": str(rows.start), "stop": str(rows.stop)})

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """All of them as numpy arrays that are read from the file where they are looked at."""
        import numpy as np

        return {
            name: np.memmap(self.path, NUMPY_NAMES[e.dtype], "r", offset=e.start, shape=e.shape)
            for name, e in self.entries.items()
        }


def _units(name: str, width: int, start: int | None, stop: int | None) -> range:
    units = range(start or 0, width if stop is None else stop)
    if not 0 <= units.start < units.stop <= width:
        raise RangeError(
            f"{name} has no such units.",
            came=f"unit_start={units.start}, unit_stop={units.stop}",
            expected=f"0 ≤ unit_start < unit_stop ≤ {width}",
        )
    return units


@dataclass(frozen=True)
class _Part:
    """What is asked of one array; one without timesteps counts as one row."""

    name: str
    entry: Entry
    rows: range
    units: range
    code: str

    @property
    def result(self) -> Entry:
        shape = (len(self.rows), len(self.units))
        return Entry(self.code, shape if len(self.entry.shape) > 1 else shape[1:])

    @property
    def width(self) -> int:
        return self.entry.shape[-1]

    @property
    def is_as_stored(self) -> bool:
        return len(self.units) == self.width and self.code == self.entry.dtype


class Cut:
    """A safetensors file with a part of another's arrays, read piece by piece as it is sent."""

    def __init__(self, path: str, parts: Sequence[_Part], metadata: Mapping[str, str]) -> None:
        self._path = path
        self._parts = parts
        self._header = encode_header(((part.name, part.result) for part in parts), metadata)
        self.nbytes = len(self._header) + sum(part.result.nbytes for part in parts)

    def pieces(self) -> Iterator[bytes]:
        """Blocks while it reads; each piece is about as large as PIECE_BYTES, or smaller."""
        yield self._header
        with Path(self._path).open("rb") as file:
            for part in self._parts:
                yield from _read(file, part)

    def to_bytes(self) -> bytes:
        return b"".join(self.pieces())


def _read(file: BinaryIO, part: _Part) -> Iterator[bytes]:
    row_bytes = part.entry.nbytes // max(1, math.prod(part.entry.shape[:-1]))
    count = max(1, PIECE_BYTES // row_bytes) if row_bytes else len(part.rows)
    file.seek(part.entry.start + part.rows.start * row_bytes)
    for first in range(0, len(part.rows), count):
        data = file.read(min(count, len(part.rows) - first) * row_bytes)
        yield data if part.is_as_stored else _converted(data, part)


def _converted(data: bytes, part: _Part) -> bytes:
    import numpy as np

    values = np.frombuffer(data, NUMPY_NAMES[part.entry.dtype]).reshape(-1, part.width)
    with np.errstate(over="ignore"):  # what float16 cannot hold becomes infinite
        return (
            values[:, part.units.start : part.units.stop].astype(NUMPY_NAMES[part.code]).tobytes()
        )
