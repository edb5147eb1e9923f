"""The layout of a safetensors file, for those that write or read one array by array. No torch.

8 bytes with the length N of the header, N bytes of JSON, the arrays one after another. Written so
that the arrays begin at a multiple of 8, as the format's own writer does: a browser makes typed
views of them, which want aligned data.

https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, NamedTuple

#: Bytes of a number of each type there is in a recording, or an export.
ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8}


class Entry(NamedTuple):
    """One array of a file: ``dtype`` as the format names it, and where its bytes begin."""

    dtype: str
    shape: tuple[int, ...]
    start: int = 0

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


def encode_header(arrays: Iterable[tuple[str, Entry]], metadata: Mapping[str, str]) -> bytes:
    """What comes before the arrays, which then follow in this order without a gap."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    offset = 0
    for name, entry in arrays:
        end = offset + entry.nbytes
        header[name] = {
            "dtype": entry.dtype,
            "shape": list(entry.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def read_header(file: BinaryIO) -> tuple[dict[str, Entry], dict[str, str]]:
    """The arrays and the metadata of a file of our own; files of strangers are not read here."""
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
    metadata: dict[str, str] = header.pop("__metadata__", {})
    entries = {
        name: Entry(found["dtype"], tuple(found["shape"]), 8 + length + found["data_offsets"][0])
        for name, found in header.items()
    }
    return entries, metadata
