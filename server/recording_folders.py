"""Where recordings are written: in the data folder, or elsewhere while that cannot be used."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from server.data_folder import DataFolder
from server.errors import DataFolderError, DiskFullError
from server.store import ARRAYS, PROGRESS

#: Why nothing could be written in a place.
Refused = DiskFullError | DataFolderError


class RecordingFolders:
    """Makes a folder for each, and for each export, among what is temporary.

    Nothing in them outlives the server.
    """

    def __init__(self, data: DataFolder, spare: Path | None = None) -> None:
        self._places = [data, DataFolder(spare or _spare_root(), private=True)]
        self._removing = ThreadPoolExecutor(1, thread_name_prefix="gatescope-removing")

    @property
    def places(self) -> tuple[DataFolder, ...]:
        """In the order in which to try them."""
        return tuple(self._places)

    def make(self, place: DataFolder, names: Sequence[str] = (ARRAYS, PROGRESS)) -> Path:
        """A fresh folder there, with empty files. Blocks. Raises DataFolderError, DiskFullError.

        The files, so that a process that comes too late has nothing to write to.
        """
        try:
            if not place.is_open:
                place.open()
            folder = place.new_folder()
            with place.writing():
                for name in names:
                    (folder / name).touch(mode=0o600)
        except DataFolderError:
            self._places.sort(key=lambda other: other is place)  # from now on the last to try
            raise
        return folder

    def remove(self, folder: Path) -> None:
        """In the background: a large file takes the system a while."""
        self._removing.submit(shutil.rmtree, folder, ignore_errors=True)

    async def removed(self) -> None:
        """Waits until all is gone that was to be removed."""
        await asyncio.wrap_future(self._removing.submit(lambda: None))

    def close(self) -> None:
        """Remove what lies elsewhere; the data folder is closed by whoever opened it."""
        self._removing.shutdown()
        for place in self._places:
            place.close()


def no_place(refused: Sequence[Refused]) -> Refused:
    """What to say when nothing could be written anywhere."""
    first = refused[0]
    if isinstance(first, DiskFullError):
        return first
    return DataFolderError(
        "There is no place for this: neither the server's data folder nor the system's temporary "
        "one can be used. The setting data_folder names another folder.",
        came=first.came,
    )


def _spare_root() -> Path:
    """A folder of this user among the system's temporary files."""
    user = str(os.getuid()) if hasattr(os, "getuid") else getpass.getuser()
    return Path(tempfile.gettempdir()) / f"gatescope-{user}"
