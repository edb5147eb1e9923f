"""A slice of a recording as a file for other programs. No torch: the web server imports this.

CSV and Parquet hold one wide table, a row per timestep: ``timestep``, ``token``, then a column per
array and unit, named like ``1.forward.h[17]``. NPZ and safetensors hold the arrays [timestep, unit]
under their names, beside them ``timesteps`` and for each array ``NAME.units``: which timesteps and
units of the recording its rows and columns are. ``metadata`` is text about all of it.

| format      | numbers                           | tokens                      | metadata        |
|-------------|-----------------------------------|-----------------------------|-----------------|
| csv         | the shortest text that comes back | see below                   | not in the file |
| parquet     | as recorded; float16 as float32   | strings, dictionary-encoded | of the schema   |
| npz         | as recorded                       | array of strings            | JSON array      |
| safetensors | as recorded                       | JSON, in the metadata       | of the header   |

**Tokens in CSV.** A spreadsheet runs a cell that begins with = + - @ as a formula, quoted or not,
and tokens may be a stranger's. So one that begins with such a character (after white space, too),
with a tab or a line break is written with an apostrophe before it, as OWASP advises
(https://owasp.org/www-community/attacks/CSV_Injection), and so is one that begins with an
apostrophe: taking one away from where there is one gives every token back. Commas, quotes and line
breaks are quoted as in RFC 4180. The file is UTF-8, with commas whatever a spreadsheet's language.

    table = pandas.read_csv(path)   # the numbers; NaN is nan, infinities are inf and -inf
    tokens = pandas.read_csv(path, usecols=["token"], dtype=str, keep_default_na=False)["token"]
    tokens = tokens.str.removeprefix("'")     # "NA" and "" are tokens, not missing ones

Half of a surrogate pair has no UTF-8: in CSV and Parquet it becomes U+FFFD.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from lstm_core.errors import InputError
from lstm_core.tensor_files import Entry, encode_header

FORMATS = ("csv", "npz", "safetensors", "parquet")

#: Numbers in memory at a time, beside the arrays: of a CSV as text, of a Parquet file as one of
#: its row groups, which are read and compressed column by column and should not be small.
_CSV_BLOCK, _PARQUET_BLOCK = 1 << 20, 1 << 24
#: NumPy gives every string the room of the longest; one long token must not become gigabytes.
_MAX_STRING_BYTES = 1 << 26

_CODES = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64"}
_SURROGATES = re.compile("[\ud800-\udfff]")
#: The last four are full-width: some spreadsheets take them for the first four.
_LIKE_A_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n']")

Array = NDArray[Any]


@dataclass(frozen=True)
class _Export:
    """What goes into the file, checked; ``arrays`` (T, units), T tokens and timesteps."""

    arrays: Mapping[str, Array]
    tokens: Sequence[str]
    timesteps: NDArray[np.int64]
    units: Mapping[str, NDArray[np.int64]]
    metadata: Mapping[str, str]


def write_export(
    file: BinaryIO,
    format: str,
    arrays: Mapping[str, Array],
    *,
    tokens: Sequence[str],
    start: int,
    units: Mapping[str, Sequence[int]],
    metadata: Mapping[str, str],
) -> None:
    """Write ``arrays``, already cut, into ``file``, which need not be able to seek.

    Each is (T, n) of the timesteps from ``start`` on, with the T tokens of these, and of the n
    ``units[name]``. float64, float32 or float16, and that is what is written.

    Raises InputError for a format there is not, parts that do not fit each other, and tokens that
    an NPZ file cannot hold.
    """
    checked_format(format)
    for name, array in arrays.items():
        _check(name, array, len(tokens), units.get(name))
    _WRITERS[format](
        file,
        _Export(
            arrays,
            tokens,
            np.arange(start, start + len(tokens), dtype=np.int64),
            {name: np.asarray(units[name], dtype=np.int64) for name in arrays},
            metadata,
        ),
    )


def checked_format(format: str) -> str:
    """``format``, where there is such a one. Raises InputError."""
    if format not in FORMATS:
        raise InputError("There is no such format.", came=repr(format), exists=FORMATS)
    return format


def _check(name: str, array: Array, T: int, units: Sequence[int] | None) -> None:
    dtype = array.dtype
    if dtype.kind != "f" or dtype.name not in _CODES or not dtype.isnative:
        raise InputError(
            f"{name} is not of numbers that can be written.",
            came=repr(dtype),
            expected="float64, float32 or float16, in this machine's order of bytes",
        )
    if units is None or len(set(units)) < len(units) or array.shape != (T, len(units)):
        raise InputError(
            f"{name} does not fit its tokens and units.",
            came=f"an array {array.shape}, {T} tokens, "
            f"{'no' if units is None else len(set(units))} different units",
            expected="a row per token and a column per unit",
        )


def _write_csv(file: BinaryIO, export: _Export) -> None:
    import pyarrow as pa
    from pyarrow import csv

    tokens = pa.array([_for_spreadsheets(token) for token in export.tokens], pa.string())
    schema = _schema(export, tokens.type)
    with csv.CSVWriter(file, schema) as writer:
        for batch in _batches(export, tokens, schema, _CSV_BLOCK):
            writer.write_batch(batch)


def _for_spreadsheets(token: str) -> str:
    token = _in_utf8(token)
    return f"'{token}" if _LIKE_A_FORMULA.match(token) else token


def _in_utf8(token: str) -> str:
    return _SURROGATES.sub("\ufffd", token)


def _write_parquet(file: BinaryIO, export: _Export) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    tokens = pa.array(map(_in_utf8, export.tokens), pa.string()).dictionary_encode()
    schema = _schema(export, tokens.type).with_metadata(dict(export.metadata))
    # Numbers hardly ever repeat: a dictionary of them would only be built to be given up.
    with parquet.ParquetWriter(file, schema, use_dictionary=["token"]) as writer:
        for batch in _batches(export, tokens, schema, _PARQUET_BLOCK):
            writer.write_batch(batch)


def _schema(export: _Export, token_type: Any) -> Any:
    """``timestep``, ``token``, then a column per array and unit."""
    import pyarrow as pa

    fields = [("timestep", pa.int64()), ("token", token_type)]
    for name, array in export.arrays.items():
        column_type = pa.float64() if array.dtype == np.float64 else pa.float32()
        fields += [(f"{name}[{unit}]", column_type) for unit in export.units[name]]
    return pa.schema([pa.field(*field, nullable=False) for field in fields])


def _batches(export: _Export, tokens: Any, schema: Any, block: int) -> Iterator[Any]:
    """The table as Arrow's record batches of about ``block`` numbers."""
    import pyarrow as pa

    rows = max(1, block // len(schema))
    for start in range(0, len(tokens), rows):
        cut = slice(start, start + rows)
        columns = [*_columns(export.timesteps[cut, None]), tokens[cut]]
        for array in export.arrays.values():
            columns += _columns(array[cut])
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _columns(block: Array) -> list[Any]:
    """The columns of ``block`` (timesteps, units), beside each other in one copy of it."""
    import pyarrow as pa

    wide = np.float32 if block.dtype == np.float16 else block.dtype
    return [pa.array(column) for column in np.ascontiguousarray(block.T, dtype=wide)]


def _write_npz(file: BinaryIO, export: _Export) -> None:
    members = {"timesteps": export.timesteps, "tokens": _numpy_strings(export.tokens)}
    members["metadata"] = np.array(json.dumps(dict(export.metadata)))
    for name, array in export.arrays.items():
        members |= {name: array, f"{name}.units": export.units[name]}
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in members.items():
            # A ZipInfo of its own is without the time of day: the same slice is the same file.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _numpy_strings(tokens: Sequence[str]) -> Array:
    """As an array of NumPy's strings. Raises InputError where that cannot hold them."""
    nbytes = 4 * len(tokens) * max(map(len, tokens), default=0)
    if nbytes > _MAX_STRING_BYTES:
        raise InputError(
            "These tokens are too long for NumPy, which gives each the room of the longest.",
            came=f"{nbytes:,} bytes",
            expected=f"at most {_MAX_STRING_BYTES:,}; or another format, such as parquet",
        )
    if any(token.endswith("\0") for token in tokens):
        raise InputError(
            "A token ends with a NUL character, which NumPy drops from a string.",
            expected="another format, such as parquet",
        )
    return np.array(tokens, dtype=np.str_)


def _write_safetensors(file: BinaryIO, export: _Export) -> None:
    tensors: dict[str, Array] = {"timesteps": export.timesteps}
    tensors |= {f"{name}.units": units for name, units in export.units.items()}
    # Wide numbers first: then all begin at a multiple of their own size.
    tensors |= sorted(export.arrays.items(), key=lambda item: -item[1].itemsize)
    entries = [(name, Entry(_CODES[a.dtype.name], a.shape)) for name, a in tensors.items()]
    metadata = {**export.metadata, "tokens": json.dumps(list(export.tokens))}
    file.write(encode_header(entries, metadata))
    for array in tensors.values():
        file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


_WRITERS = {
    "csv": _write_csv,
    "npz": _write_npz,
    "safetensors": _write_safetensors,
    "parquet": _write_parquet,
}
