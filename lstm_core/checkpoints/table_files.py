"""A file of numbers, one row per timestep: CSV, or NumPy's NPY. No torch here."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_core.checkpoints.contents import Limits
from lstm_core.checkpoints.vocabulary import decode_text
from lstm_core.errors import CheckpointError
from lstm_core.tables import read_table

MAGIC = b"\x93NUMPY"


def read_table_file(path: Path, limits: Limits) -> str | NDArray[np.floating]:
    """The text of a CSV file, checked, or the array (timestep, feature) of an NPY file.

    Raises CheckpointError, or TextError for a text that is no table.
    """
    data = path.read_bytes()
    if len(data) > limits.file_bytes:
        raise CheckpointError(
            "This table is too large.",
            came=f"{len(data):,} bytes",
            expected=f"at most {limits.file_bytes:,} bytes",
        )
    if data.startswith(MAGIC):
        return _read_npy(data, limits)
    text = decode_text(data, "table")
    read_table(text)
    return text


def _read_npy(data: bytes, limits: Limits) -> NDArray[np.floating]:
    expected = "an array of numbers [timestep, feature], saved by numpy.save"
    try:
        # mmap_mode would need a file; the header's size is checked against the data by NumPy.
        array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, MemoryError, OverflowError) as error:
        raise CheckpointError(
            "This NPY file cannot be read.", came=str(error)[:200], expected=expected
        ) from error
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]  # a batch of one
    if array.dtype.kind not in "fiub" or array.ndim != 2 or 0 in array.shape:
        raise CheckpointError(
            "This array is no sequence.",
            came=f"shape {array.shape} of {array.dtype}",
            expected=expected,
        )
    if array.size > limits.parameters:
        raise CheckpointError("This array is too large.", came=f"{array.size:,} numbers")
    if array.dtype.kind != "f" or array.dtype.itemsize < 4:
        return array.astype(np.float32)
    if array.dtype.itemsize > 8:
        return array.astype(np.float64)
    native: NDArray[np.floating] = array.astype(array.dtype.newbyteorder("="))
    return native
