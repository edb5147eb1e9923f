"""Recordings, made when they are asked for and not there: once, however many ask."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lstm_core.errors import SizeError
from lstm_core.model_spec import TABLE
from server.errors import DataFolderError, DiskFullError, UnknownRecordingError
from server.progress import read_progress
from server.recording_folders import RecordingFolders, Refused, no_place
from server.schemas import Precision, RecordingCreate
from server.shelf import ModelShelf, ShelvedModel
from server.store import PROGRESS, RecordingStore, StoredRecording
from server.workers import Workers

#: Part of every id: a change of what a recording holds is a change of its name.
FORMAT = "gatescope.recording/2"

#: Work that nobody waits for any more may still end by itself; ending it ends its process, whose
#: successor has to load the model again.
GRACE_SECONDS = 1.0
#: How often is looked how far a computation is.
PROGRESS_SECONDS = 0.1


@dataclass(frozen=True)
class Described:
    """A recording with its RecordingPublic, as JSON."""

    id: str
    description: bytes
    made: bool


@dataclass
class _Flight:
    """One computation, how many wait for it, and where it writes."""

    key: str
    wanted: RecordingCreate
    model: ShelvedModel
    task: asyncio.Task[Described] = field(init=False)
    waiters: int = 0
    folder: Path | None = None

    def steps(self) -> list[dict[str, Any]]:
        """What has been done so far. Blocks while it is read."""
        return read_progress(self.folder / PROGRESS) if self.folder else []


class Recordings:
    def __init__(
        self,
        shelf: ModelShelf,
        workers: Workers,
        store: RecordingStore,
        folders: RecordingFolders,
        *,
        max_characters: int,
        max_table_characters: int,
        max_tokens: int,
        max_bytes: int,
    ) -> None:
        self._shelf = shelf
        self._workers = workers
        self._store = store
        self._folders = folders
        self._max_characters = max_characters
        self._max_table_characters = max_table_characters
        self._limits = (max_tokens, max_bytes)
        self._flights: dict[str, _Flight] = {}

    @contextmanager
    def held(self, key: str) -> Iterator[StoredRecording]:
        """The recording; its files stay until this ends. Raises UnknownRecordingError."""
        found = self._store.get(key)
        if found is None:
            raise UnknownRecordingError(
                "This recording is not here. Recordings are kept only while there is room; "
                "posting the same model, text and precision to /api/recordings makes it again, "
                "under the same id.",
                came=repr(key),
            )
        with self._store.held(found):
            yield found

    async def describe(self, key: str) -> bytes:
        """RecordingPublic as JSON. Raises UnknownRecordingError."""
        with self.held(key) as found:
            return await asyncio.to_thread(found.description)

    async def get_or_make(self, wanted: RecordingCreate) -> Described:
        """Raises what the worker raises, and UnknownModelError and SizeError before that."""
        key, model = await self._find(wanted)
        if found := await self._kept(key):
            return found
        with self._waiting(key, wanted, model) as flight:
            return await asyncio.shield(flight.task)

    async def follow(self, wanted: RecordingCreate) -> AsyncGenerator[dict[str, Any] | Described]:
        """What is being done, step by step as it begins, and at last the recording.

        What is known to be wrong beforehand is raised before there is anything to go through.
        """
        key, model = await self._find(wanted)
        found = await self._kept(key)
        return _single(found) if found else self._steps(key, wanted, model)

    async def _steps(
        self, key: str, wanted: RecordingCreate, model: ShelvedModel
    ) -> AsyncGenerator[dict[str, Any] | Described]:
        with self._waiting(key, wanted, model) as flight:
            yield {"done": 0, "of": 1, "what": "waiting"}
            told = 0
            while not flight.task.done():
                await asyncio.wait([flight.task], timeout=PROGRESS_SECONDS)
                steps = await asyncio.to_thread(flight.steps)
                for step in steps[told:]:
                    yield step
                told = len(steps)
            yield await asyncio.shield(flight.task)

    async def _find(self, wanted: RecordingCreate) -> tuple[str, ShelvedModel]:
        model = await asyncio.to_thread(self._shelf.get, wanted.model)
        self._check_length(wanted.text, model)
        return recording_id(model.about.digest, wanted.text, wanted.precision), model

    async def _kept(self, key: str) -> Described | None:
        if self._store.get(key) is None:
            return None
        return Described(key, await self.describe(key), made=False)

    def _check_length(self, text: str, model: ShelvedModel) -> None:
        table = model.about.split == TABLE
        limit = self._max_table_characters if table else self._max_characters
        if len(text) > limit:
            raise SizeError(
                f"This {'table' if table else 'text'} is too long.",
                came=f"{len(text):,} characters",
                expected=f"at most {limit:,} characters",
            )

    @contextmanager
    def _waiting(self, key: str, wanted: RecordingCreate, model: ShelvedModel) -> Iterator[_Flight]:
        """Among those that wait for a computation; the last to leave ends it, after a while."""
        if key not in self._flights:
            made = _Flight(key, wanted, model)
            made.task = asyncio.create_task(self._make(made))
            made.task.add_done_callback(_read_error)
            self._flights[key] = made
        flight = self._flights[key]
        flight.waiters += 1
        try:
            yield flight
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                asyncio.get_running_loop().call_later(GRACE_SECONDS, self._end_if_alone, flight)

    async def _make(self, flight: _Flight) -> Described:
        try:
            made, description = await self._write(flight)
            self._store.put(made)
            return Described(flight.key, description, made=True)
        finally:
            self._land(flight)

    def _land(self, flight: _Flight) -> None:
        """Whoever asks from now on begins anew, unless somebody has already."""
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]

    def _end_if_alone(self, flight: _Flight) -> None:
        if not flight.waiters and not flight.task.done():
            self._land(flight)
            flight.task.cancel()

    async def _write(self, flight: _Flight) -> tuple[StoredRecording, bytes]:
        """Where there is room; with every disk full, all others are forgotten for this one."""
        places = self._folders.places
        refused: list[Refused] = []
        for attempt, place in enumerate([*places, places[0]]):
            if attempt == len(places) and not await self._make_room(refused):
                break
            try:
                flight.folder = await asyncio.to_thread(self._folders.make, place)
                return await self._record(flight, flight.folder)
            except (DiskFullError, DataFolderError) as error:
                refused.append(error)
        raise no_place(refused)

    async def _make_room(self, refused: Sequence[Exception]) -> bool:
        if not isinstance(refused[0], DiskFullError) or not self._store.clear():
            return False
        await self._folders.removed()
        return True

    async def _record(self, flight: _Flight, folder: Path) -> tuple[StoredRecording, bytes]:
        model, wanted = flight.model, flight.wanted
        try:
            file, nbytes, description = await self._workers.run(
                "record",
                str(model.folder),
                model.about.digest,
                wanted,
                flight.key,
                str(folder),
                *self._limits,
            )
        except BaseException:
            self._folders.remove(folder)
            raise
        return StoredRecording(flight.key, wanted.model, folder, file, nbytes), description


async def _single(found: Described) -> AsyncGenerator[dict[str, Any] | Described]:
    yield found


def _read_error(task: asyncio.Task[Described]) -> None:
    """asyncio complains of errors nobody has read; here all who waited may have gone."""
    if not task.cancelled():
        task.exception()


def recording_id(digest: str, text: str, precision: Precision) -> str:
    """Equal for equal recordings, on every server: 32 hexadecimal digits."""
    parts = json.dumps([FORMAT, digest, text, precision])
    return hashlib.sha256(parts.encode()).hexdigest()[:32]
