"""Recordings kept on the disk, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from server.array_file import ArrayFile

#: Recordings at a time, however small: each also takes some memory.
MAX_RECORDINGS = 1000
#: Files in a recording's folder.
ARRAYS, DESCRIPTION, PROGRESS = "recording.safetensors", "description.json", "progress"


@dataclass(eq=False)
class StoredRecording:
    """A folder of its own: the arrays, and RecordingPublic as JSON."""

    id: str
    model: str
    folder: Path
    file: ArrayFile
    nbytes: int  # on the disk
    holders: int = 0  # who reads it at the moment
    forgotten: bool = False

    @property
    def is_there(self) -> bool:
        return Path(self.file.path).exists()

    def description(self) -> bytes:
        """Blocks while it is read."""
        return (self.folder / DESCRIPTION).read_bytes()


class RecordingStore:
    """Least recently used goes first; the newest always stays, however large it is."""

    def __init__(self, limit: int, *, remove: Callable[[Path], None]) -> None:
        self._limit = limit
        self._remove = remove
        self._kept: OrderedDict[str, StoredRecording] = OrderedDict()
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> StoredRecording | None:
        """None as well for one whose files somebody else has removed."""
        found = self._kept.get(key)
        if found is None:
            return None
        if not found.is_there:
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return found

    def put(self, recording: StoredRecording) -> None:
        if recording.id in self._kept:
            self._forget(recording.id)
        self._kept[recording.id] = recording
        self.nbytes += recording.nbytes
        while len(self) > 1 and (self.nbytes > self._limit or len(self) > MAX_RECORDINGS):
            self._forget(next(iter(self._kept)))

    def clear(self) -> bool:
        """Forget all; whether there was anything."""
        found = bool(self._kept)
        for key in list(self._kept):
            self._forget(key)
        return found

    @contextmanager
    def held(self, recording: StoredRecording) -> Iterator[StoredRecording]:
        """Its files stay while they are read, even if it is forgotten meanwhile."""
        recording.holders += 1
        try:
            yield recording
        finally:
            recording.holders -= 1
            if recording.forgotten and not recording.holders:
                self._remove(recording.folder)

    def _forget(self, key: str) -> None:
        recording = self._kept.pop(key)
        self.nbytes -= recording.nbytes
        recording.forgotten = True
        if not recording.holders:
            self._remove(recording.folder)
