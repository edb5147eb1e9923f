"""Recordings kept in memory, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from server.array_file import ArrayFile
from server.schemas import RecordingPublic


@dataclass(frozen=True)
class StoredRecording:
    about: RecordingPublic
    file: ArrayFile


class RecordingStore:
    """Least recently used goes first; the newest always stays, however large it is."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, StoredRecording] = OrderedDict()
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> StoredRecording | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: str, recording: StoredRecording) -> None:
        if key in self._kept:
            self.nbytes -= self._kept.pop(key).about.nbytes
        self._kept[key] = recording
        self.nbytes += recording.about.nbytes
        while self.nbytes > self._limit and len(self._kept) > 1:
            self.nbytes -= self._kept.popitem(last=False)[1].about.nbytes
