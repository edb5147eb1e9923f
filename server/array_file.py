"""A safetensors file in memory, and files with a part of its arrays.

Layout: 8 bytes with the length N of the header, N bytes of JSON, the arrays one after another.
These are our own worker's bytes; files of strangers are never read here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from server.errors import RangeError, UnknownArrayError
from server.schemas import ArrayPublic

DType = Literal["recorded", "float32", "float64", "float16"]

_CODES = {"float64": "F64", "float32": "F32", "float16": "F16"}
_NAMES = {code: name for name, code in _CODES.items()}

#: Ends of the names of arrays without timesteps, which are never cut.
INITIAL_STATES = (".h_0", ".c_0")


@dataclass(frozen=True)
class _Part:
    name: str
    shape: list[int]
    code: str
    data: memoryview | bytes


class ArrayFile:
    """Reads the header once; hands out arrays without copying them until they are joined."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : self._start])
        self._metadata: dict[str, str] = header.pop("__metadata__", {})
        self._entries: dict[str, Any] = header

    @property
    def about(self) -> dict[str, Any]:
        """What ``Recording.to_bytes`` wrote beside the arrays."""
        about: dict[str, Any] = json.loads(self._metadata["gatescope"])
        return about

    @property
    def arrays(self) -> list[ArrayPublic]:
        return [
            ArrayPublic(name=name, shape=entry["shape"], dtype=entry["dtype"])
            for name, entry in self._entries.items()
        ]

    @property
    def timesteps(self) -> int:
        return int(self._entries["x"]["shape"][0])

    def cut(
        self,
        names: Sequence[str] = (),
        start: int | None = None,
        stop: int | None = None,
        dtype: DType = "recorded",
    ) -> bytes:
        """A safetensors file with the named arrays (all, if none is named), rows start to stop.

        Raises UnknownArrayError, RangeError.
        """
        if unknown := [name for name in names if name not in self._entries]:
            raise UnknownArrayError(
                "No such array.", came=repr(unknown[0]), exists=list(self._entries)
            )
        rows = self._rows(start, stop)
        wanted = dict.fromkeys(names) or self._entries
        parts = [_convert(self._part(name, rows), dtype) for name in wanted]
        return _join(parts, {"start": str(rows.start), "stop": str(rows.stop)})

    def _rows(self, start: int | None, stop: int | None) -> range:
        rows = range(start or 0, self.timesteps if stop is None else stop)
        if not 0 <= rows.start < rows.stop <= self.timesteps:
            raise RangeError(
                "There are no such timesteps.",
                came=f"start={rows.start}, stop={rows.stop}",
                expected=f"0 ≤ start < stop ≤ {self.timesteps}",
            )
        return rows

    def _part(self, name: str, rows: range) -> _Part:
        entry = self._entries[name]
        begin, end = (self._start + offset for offset in entry["data_offsets"])
        shape = list(entry["shape"])
        if not name.endswith(INITIAL_STATES):
            width = (end - begin) // shape[0]
            begin, end = begin + rows.start * width, begin + rows.stop * width
            shape[0] = len(rows)
        return _Part(name, shape, entry["dtype"], memoryview(self.data)[begin:end])


def _convert(part: _Part, dtype: DType) -> _Part:
    if dtype == "recorded" or _CODES[dtype] == part.code:
        return part
    import numpy as np  # only a request that converts pays for the import

    with np.errstate(over="ignore"):  # what float16 cannot hold becomes infinite
        values = np.frombuffer(part.data, _NAMES[part.code]).astype(dtype)
    return _Part(part.name, part.shape, _CODES[dtype], values.tobytes())


def _join(parts: Sequence[_Part], metadata: dict[str, str]) -> bytes:
    header: dict[str, Any] = {"__metadata__": metadata}
    offset = 0
    for part in parts:
        end = offset + len(part.data)
        header[part.name] = {
            "dtype": part.code,
            "shape": part.shape,
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the browser makes typed views, which want aligned data
    return b"".join([len(text).to_bytes(8, "little"), text, *(part.data for part in parts)])
