"""Files that people bring: written to the disk as they come, and kept until they are opened.

Each lies alone in a fresh folder under a random name and a fixed one; what the client calls it is
only shown.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from server.data_folder import DataFolder
from server.errors import SlowUploadError, UnknownUploadError, visible
from server.turns import Turns

if TYPE_CHECKING:  # it imports numpy, for which the start does not wait
    from lstm_core.checkpoints.inspection import Inspection, TableInfo

Kind = Literal["checkpoint", "vocabulary"]

#: Files that wait at a time, however small.
MAX_WAITING = 20
#: Files that arrive at a time. Whoever sends nothing for so long gives the place to another.
MAX_ARRIVING = 8
STALL_SECONDS = 60

#: The file's name on the disk, whatever it is called.
FILE_NAME = "upload"
NAME_CHARACTERS = 100
WRITE_BYTES = 1 << 20


@dataclass
class Upload:
    """A file on the disk, and what was found in it."""

    name: str  # to be shown, never a path
    path: Path
    nbytes: int
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    kind: Kind = "checkpoint"
    inspection: Inspection | None = None
    tables: list[TableInfo] = field(default_factory=list)
    used: float = 0.0
    holders: int = 0  # who reads it at the moment
    forgotten: bool = False


class Uploads:
    """Those that wait. The least recently used goes when there are too many, and after a while."""

    def __init__(
        self,
        data: DataFolder,
        *,
        max_bytes: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._data = data
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._clock = clock
        self._waiting: dict[str, Upload] = {}
        self._arriving = Turns(MAX_ARRIVING, queue_limit=0)

    async def receive(
        self, pieces: AsyncIterator[bytes], *, name: str, announced: int | None
    ) -> Upload:
        """Write a file as it comes; nothing of it is left when that does not come to its end.

        Raises DiskFullError, DataFolderError, BusyError, SlowUploadError, and what ``pieces``
        raises.
        """
        async with self._arriving.turn():
            await asyncio.to_thread(self._data.check_room, announced or 0)
            folder = await asyncio.to_thread(self._data.new_folder)
            try:
                with self._data.writing():
                    file = (folder / FILE_NAME).open("wb")
                with file:
                    nbytes = await self._write(pieces, file)
                return Upload(shown_name(name), folder / FILE_NAME, nbytes)
            except BaseException:
                _remove(folder)
                raise

    async def _write(self, pieces: AsyncIterator[bytes], file: BinaryIO) -> int:
        nbytes, buffer = 0, bytearray()
        async for piece in _in_time(pieces):
            nbytes += len(piece)
            buffer += piece
            if len(buffer) >= WRITE_BYTES:
                await asyncio.to_thread(self._put, file, bytes(buffer))
                buffer.clear()
        await asyncio.to_thread(self._put, file, bytes(buffer))
        return nbytes

    def _put(self, file: BinaryIO, data: bytes) -> None:
        self._data.check_room(len(data))
        with self._data.writing():
            file.write(data)
            file.flush()

    def add(self, upload: Upload) -> None:
        """From now on it waits; others may have to go."""
        upload.used = self._clock()
        self._waiting[upload.id] = upload
        self.expire()
        while len(self._waiting) > MAX_WAITING or self.nbytes > self._max_bytes:
            others = [u for u in self._waiting.values() if u is not upload and not u.holders]
            if not others:
                break
            self.forget(min(others, key=lambda u: u.used))

    @property
    def nbytes(self) -> int:
        return sum(upload.nbytes for upload in self._waiting.values())

    def get(self, upload_id: str, kind: Kind) -> Upload:
        """Its time begins anew. Raises UnknownUploadError."""
        self.expire()
        upload = self._waiting.get(upload_id)
        if upload is None or upload.kind != kind:
            raise UnknownUploadError(
                f"This {kind} is not here. Files wait to be opened for "
                f"{self._seconds / 60:g} minutes, and only while there is room. Bring it again.",
                came=repr(upload_id),
            )
        upload.used = self._clock()
        return upload

    @contextmanager
    def held(self, upload: Upload) -> Iterator[Path]:
        """Its file stays while it is read, whatever happens to the upload."""
        upload.holders += 1
        try:
            yield upload.path
        finally:
            upload.holders -= 1
            if upload.forgotten and not upload.holders:
                _remove(upload.path.parent)

    def forget(self, upload: Upload) -> None:
        """It waits no longer, and its file goes."""
        self._waiting.pop(upload.id, None)
        upload.forgotten = True
        if not upload.holders:
            _remove(upload.path.parent)

    def expire(self) -> None:
        """Forget those whose time is over."""
        now = self._clock()
        for upload in list(self._waiting.values()):
            if now - upload.used > self._seconds and not upload.holders:
                self.forget(upload)


async def _in_time(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                piece = await anext(pieces, None)
        except TimeoutError as error:
            raise SlowUploadError(
                "The rest of this file did not come.",
                came=f"nothing for {STALL_SECONDS:g} seconds",
            ) from error
        if piece is None:
            return
        yield piece


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def shown_name(name: str) -> str:
    """What the client calls its file, without folders, cut and with every sign visible."""
    last = re.split(r"[/\\]", name)[-1].strip()
    return visible(last.replace("\n", " "), NAME_CHARACTERS) or "file"
