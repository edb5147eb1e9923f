"""Reads safetensors files.

The header, a JSON text, is read and checked here before the library builds anything from it: the
library bounds its bytes but not how many tensors or dimensions it describes. The numbers are read
by the library.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import safe_open

from lstm_core.checkpoints.contents import Array, Contents, Limits, TensorInfo
from lstm_core.checkpoints.string_tables import Strings
from lstm_core.checkpoints.tables import Tables
from lstm_core.errors import CheckpointError

FORMAT = "safetensors"
#: How long a header may be: 5,000 tensors take half a megabyte, a vocabulary some more.
HEADER_BYTES = 4_000_000

DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}
BITS = {"F16": 16, "BF16": 16, "F32": 32, "F64": 64}
COPY = "a whole file: copy or download it again"


def read(path: Path, limits: Limits) -> Contents:
    """The tensors of a safetensors file, and the vocabularies in its metadata."""
    with path.open("rb") as file:
        header, data_bytes = read_header(file)
    metadata = header.pop("__metadata__", {})
    infos, others = described(header, limits, data_bytes)
    with safe_open(path, framework="numpy") as opened:  # checks that the parts fill the file
        if not set(infos) <= set(opened.keys()):
            raise damaged("a header that can be read in two ways")
    if not infos:
        raise CheckpointError(
            "This safetensors file holds no weights.",
            came="no tensor of floating-point numbers",
            expected="a network's weights",
        )
    notes = [f"Left out: tensors of {', '.join(sorted(others))} numbers."] if others else []
    return Contents(FORMAT, infos, reader(path, infos), tables_in(metadata, limits), notes)


def read_header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """The header, and how many bytes follow it."""
    size = file.seek(0, 2)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise damaged(f"a header of {length:,} bytes in a file of {size:,}")
    if length > HEADER_BYTES:
        raise CheckpointError(
            "This safetensors file describes more than is read here.",
            came=f"a header of {length:,} bytes",
            expected=f"a header of at most {HEADER_BYTES:,} bytes",
        )
    try:
        header = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise damaged("a header that is not JSON") from error
    if not isinstance(header, dict):
        raise damaged("a header that lists no tensors")
    return header, size - 8 - length


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, each of whose names comes once."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name comes twice")
    return made


def damaged(came: str) -> CheckpointError:
    """The error for a file that contradicts itself."""
    return CheckpointError("This safetensors file is damaged or cut off.", came=came, expected=COPY)


def described(
    header: dict[str, Any], limits: Limits, data_bytes: int
) -> tuple[dict[str, TensorInfo], set[str]]:
    """Every tensor of floating-point numbers, and the types of those that are left out."""
    exceeds("tensors", len(header), limits.tensors)
    infos: dict[str, TensorInfo] = {}
    others: set[str] = set()
    for name, entry in header.items():
        exceeds("characters in a name", len(name), limits.name_characters)
        if not name.isprintable():
            raise CheckpointError(
                "A tensor in this file has a name that is not text.",
                came=ascii(name[:60]),
                expected="names of printable characters",
            )
        shape, dtype = shape_and_type(entry)
        exceeds("dimensions of a tensor", len(shape), limits.rank)
        exceeds("entries along a dimension", max(shape, default=0), limits.dimension)
        if dtype in DTYPES:
            if math.prod(shape) * BITS[dtype] > data_bytes * 8:
                raise damaged(f"{name}, which is larger than the file")
            infos[name] = TensorInfo(shape, DTYPES[dtype])
        elif dtype.startswith(("F", "C")):
            others.add(dtype)
    exceeds("numbers", sum(info.size for info in infos.values()), limits.parameters)
    return infos, others


def exceeds(what: str, came: int, allowed: int) -> None:
    """Refuse more than is allowed."""
    if came > allowed:
        raise CheckpointError(
            "This file holds more than is read here.",
            came=f"{came:,} {what}",
            expected=f"at most {allowed:,} {what}",
        )


def shape_and_type(entry: Any) -> tuple[tuple[int, ...], str]:
    """What the header says of one tensor."""
    if isinstance(entry, dict):
        shape, dtype = entry.get("shape"), entry.get("dtype")
        if (
            isinstance(dtype, str)
            and isinstance(shape, list)
            and all(type(length) is int and length >= 0 for length in shape)
        ):
            return tuple(shape), dtype
    raise damaged("a tensor without a shape or a type")


def reader(path: Path, infos: dict[str, TensorInfo]) -> Callable[..., dict[str, Array]]:
    """``Contents.read`` for this file."""

    def read_some(names: Iterable[str]) -> dict[str, Array]:
        with path.open("rb") as file:
            header, _ = read_header(file)
            start = file.tell()
            with safe_open(path, framework="numpy") as opened:
                return {
                    name: bfloat16(file, start, header[name], infos[name])
                    if infos[name].dtype == "bfloat16"
                    else as_array(opened.get_tensor(name), infos[name])
                    for name in names
                }

    return read_some


def as_array(values: Any, info: TensorInfo) -> Array:
    """A copy in C order, float64 as it is and everything else as float32."""
    if values.shape != info.shape:
        raise damaged("a tensor that changed while it was read")
    if info.dtype == "float64":
        return np.array(values, dtype=np.float64, order="C", copy=True)
    return np.array(values, dtype=np.float32, order="C", copy=True)


def bfloat16(file: BinaryIO, start: int, entry: Any, info: TensorInfo) -> Array:
    """Numbers that NumPy has no type for: the upper halves of float32's bytes."""
    begin, end = entry["data_offsets"]
    if end - begin != info.size * 2:
        raise damaged("a tensor whose bytes are not as many as its numbers")
    file.seek(start + begin)
    halves = np.frombuffer(file.read(end - begin), dtype="<u2").astype(np.uint32)
    return (halves << 16).view(np.float32).reshape(info.shape)


def tables_in(metadata: Any, limits: Limits) -> dict[str, Strings]:
    """The vocabularies in the metadata, whose values are strings: JSON lists or objects."""
    tables = Tables(limits)
    for name, text in metadata.items() if isinstance(metadata, dict) else ():
        if isinstance(text, str):
            tables.add_json(name, text)
    return tables.found
