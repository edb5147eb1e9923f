"""Slices of a recording as files for other programs: written to the disk, then sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lstm_core.errors import InputError, SizeError
from lstm_core.tensor_files import ITEM_BYTES
from server.analyses import with_timesteps
from server.errors import DataFolderError, DiskFullError, RangeError
from server.recording_folders import RecordingFolders, Refused, no_place
from server.store import StoredRecording
from server.workers import Workers

Format = Literal["csv", "npz", "safetensors", "parquet"]

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "npz": "application/zip",
    "safetensors": "application/octet-stream",
    "parquet": "application/vnd.apache.parquet",
}

#: Characters of a number in a CSV, about: sign, digits, point, perhaps an exponent, comma.
_CSV_BYTES = {"F32": 14, "F64": 22}
#: A timestep's own number and its token, about.
_ROW_BYTES = 24

_UNITS = re.compile(r"\d{1,8}(-\d{1,8})?(,\d{1,8}(-\d{1,8})?)*")
_FILE = "export"


@dataclass(frozen=True)
class Export:
    """Which slice, and as what: ``units`` of every array, all where it is None."""

    format: Format
    names: Sequence[str]
    rows: range
    units: Sequence[range] | None


def read_units(text: str | None) -> Sequence[range] | None:
    """``3-7,12`` as ranges, both ends part of them. Raises InputError."""
    if text is None:
        return None
    if not _UNITS.fullmatch(text):
        raise InputError(
            "These are no units.", came=repr(text), expected="numbers and ranges, like 3-7,12"
        )
    pairs = [[int(end) for end in part.split("-")] for part in text.split(",")]
    return [range(pair[0], pair[-1] + 1) for pair in pairs]


class Exports:
    """One at a time, in a process of their own, so that nobody's picture waits for one."""

    def __init__(self, writers: Workers, folders: RecordingFolders, *, max_bytes: int) -> None:
        self._writers = writers
        self._folders = folders
        self._max_bytes = max_bytes

    async def write(self, recording: StoredRecording, export: Export) -> Path:
        """A file in a folder of its own, which is the caller's to remove.

        Raises UnknownArrayError, RangeError, InputError; SizeError before anything is computed;
        DiskFullError, DataFolderError.
        """
        names = with_timesteps(recording, export.names)
        units = {name: _units_of(recording, name, export.units) for name in names}
        nbytes = self._checked_size(recording, export, units)
        refused: list[Refused] = []
        for place in self._folders.places:
            try:
                folder = await asyncio.to_thread(self._folders.make, place, [_FILE])
                return await self._write_in(folder, recording, export, units, nbytes)
            except (DiskFullError, DataFolderError) as error:
                refused.append(error)
        raise no_place(refused)

    async def _write_in(
        self,
        folder: Path,
        recording: StoredRecording,
        export: Export,
        units: dict[str, list[int]],
        nbytes: int,
    ) -> Path:
        try:
            await self._writers.run(
                "export",
                recording.file.only(list(units)),
                str(folder / _FILE),
                export.format,
                export.rows,
                units,
                {"model": recording.model, "recording": recording.id},
                nbytes,
            )
        except BaseException:
            self._folders.remove(folder)
            raise
        return folder / _FILE

    def _checked_size(
        self, recording: StoredRecording, export: Export, units: dict[str, list[int]]
    ) -> int:
        """About how large the file will be. Raises SizeError."""
        sizes = _CSV_BYTES if export.format == "csv" else ITEM_BYTES
        entries = recording.file.entries
        row = sum(len(own) * sizes[entries[name].dtype] for name, own in units.items())
        nbytes = len(export.rows) * (row + _ROW_BYTES)
        if nbytes > self._max_bytes:
            raise SizeError(
                "This export would be too large. Fewer arrays, timesteps or units make it smaller; "
                "the whole recording is a file of its own, recording.safetensors.",
                came=f"about {nbytes / 1e6:,.0f} MB as {export.format}",
                expected=f"at most {self._max_bytes / 1e6:,.0f} MB",
            )
        return nbytes


def _units_of(recording: StoredRecording, name: str, wanted: Sequence[range] | None) -> list[int]:
    """Each once, in the order in which they were named. Raises RangeError."""
    width = recording.file.entries[name].shape[1]
    for units in wanted or ():
        if not 0 <= units.start < units.stop <= width:
            raise RangeError(
                f"{name} has no such units.",
                came=f"{units.start}-{units.stop - 1}",
                expected=f"units from 0 to {width - 1}, the smaller first",
            )
    return list(range(width) if wanted is None else dict.fromkeys(u for r in wanted for u in r))


def file_name(recording: StoredRecording, export: Export) -> str:
    """Safe everywhere: the model and the arrays, or how many there are."""
    names = list(dict.fromkeys(export.names))
    parts = [recording.model, *(names if len(names) <= 3 else [f"{len(names)}-arrays"])]
    stem = "-".join(
        filter(None, (re.sub(r"[^A-Za-z0-9._]+", "-", part).strip("-.") for part in parts))
    )
    return f"{stem[:100]}.{export.format}"
