"""Arrays as a reply: a safetensors file in memory. Imported by readers only: numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lstm_core.tensor_files import Entry, encode_header

Array = np.ndarray[Any, Any]

_CODES = {2: "F16", 4: "F32", 8: "F64"}
_LARGEST = float(np.finfo(np.float16).max)


def to_half(values: Array) -> Array:
    """As float16: what is finite stays so; NaN and infinity are what they are."""
    with np.errstate(over="ignore"):
        inside = np.where(np.isinf(values), values, np.clip(values, -_LARGEST, _LARGEST))
        return inside.astype(np.float16)


def to_file(arrays: Mapping[str, Array]) -> bytes:
    """A safetensors file."""
    entries = [(name, Entry(_CODES[a.itemsize], a.shape)) for name, a in arrays.items()]
    return encode_header(entries, {}) + b"".join(a.tobytes() for a in arrays.values())
