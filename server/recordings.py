"""Recordings, made when they are asked for and not there: once, however many ask."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from lstm_core.errors import SizeError
from lstm_core.model_spec import TABLE
from server.array_file import ArrayFile
from server.errors import UnknownRecordingError
from server.schemas import (
    FeaturePublic,
    ModelPublic,
    ParityPublic,
    Precision,
    PredictionsPublic,
    RecordingCreate,
    RecordingPublic,
    TokenPublic,
)
from server.shelf import ModelShelf, ShelvedModel
from server.store import RecordingStore, StoredRecording
from server.workers import Workers

#: Part of every id: a change of what a recording holds is a change of its name.
FORMAT = "gatescope.recording/2"

#: Work that nobody waits for any more may still end by itself; ending it ends its process, whose
#: successor has to load the model again.
GRACE_SECONDS = 1.0


@dataclass
class _Flight:
    """One computation and how many wait for it."""

    task: asyncio.Task[StoredRecording]
    waiters: int = 0


class Recordings:
    def __init__(
        self,
        shelf: ModelShelf,
        workers: Workers,
        store: RecordingStore,
        *,
        max_characters: int,
        max_table_characters: int,
        max_tokens: int,
        max_bytes: int,
    ) -> None:
        self._shelf = shelf
        self._workers = workers
        self._store = store
        self._max_characters = max_characters
        self._max_table_characters = max_table_characters
        self._limits = (max_tokens, max_bytes)
        self._flights: dict[str, _Flight] = {}

    def get(self, key: str) -> StoredRecording:
        """Raises UnknownRecordingError."""
        if found := self._store.get(key):
            return found
        raise UnknownRecordingError(
            "This recording is not here. Recordings are kept only while there is room; "
            "posting the same model, text and precision to /api/recordings makes it again, "
            "under the same id.",
            came=repr(key),
        )

    async def get_or_make(self, wanted: RecordingCreate) -> tuple[StoredRecording, bool]:
        """The recording, and whether it had to be made. Raises what the worker raises."""
        model = await asyncio.to_thread(self._shelf.get, wanted.model)
        self._check_length(wanted.text, model)
        key = recording_id(model.about.digest, wanted.text, wanted.precision)
        if found := self._store.get(key):
            return found, False
        return await self._join(key, wanted, model), True

    def _check_length(self, text: str, model: ShelvedModel) -> None:
        table = model.about.split == TABLE
        limit = self._max_table_characters if table else self._max_characters
        if len(text) > limit:
            raise SizeError(
                f"This {'table' if table else 'text'} is too long.",
                came=f"{len(text):,} characters",
                expected=f"at most {limit:,} characters",
            )

    async def _join(
        self, key: str, wanted: RecordingCreate, model: ShelvedModel
    ) -> StoredRecording:
        if key not in self._flights:
            task = asyncio.create_task(self._make(key, wanted, model))
            task.add_done_callback(_read_error)
            self._flights[key] = _Flight(task)
        flight = self._flights[key]
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                asyncio.get_running_loop().call_later(
                    GRACE_SECONDS, self._end_if_alone, key, flight
                )

    async def _make(
        self, key: str, wanted: RecordingCreate, model: ShelvedModel
    ) -> StoredRecording:
        try:
            data = await self._workers.run(
                "record",
                str(model.folder),
                model.about.digest,
                wanted.text,
                wanted.precision,
                *self._limits,
            )
            file = ArrayFile(data)
            stored = StoredRecording(describe(key, wanted, model.about, file), file)
            self._store.put(key, stored)
            return stored
        finally:
            self._flights.pop(key, None)

    def _end_if_alone(self, key: str, flight: _Flight) -> None:
        if not flight.waiters and not flight.task.done():
            self._flights.pop(key, None)  # whoever asks from now on begins anew
            flight.task.cancel()


def _read_error(task: asyncio.Task[StoredRecording]) -> None:
    """asyncio complains of errors nobody has read; here all who waited may have gone."""
    if not task.cancelled():
        task.exception()


def recording_id(digest: str, text: str, precision: Precision) -> str:
    """Equal for equal recordings, on every server: 32 hexadecimal digits."""
    parts = json.dumps([FORMAT, digest, text, precision])
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def describe(
    key: str, wanted: RecordingCreate, model: ModelPublic, file: ArrayFile
) -> RecordingPublic:
    """Everything about a recording but its numbers."""
    about = file.about
    return RecordingPublic(
        id=key,
        model=wanted.model,
        model_digest=model.digest,
        text=wanted.text,
        precision=wanted.precision,
        timesteps=file.timesteps,
        tokens=_tokens(about),
        lstm=model.lstm,
        parity=ParityPublic(**about["parity"], ok=about["parity"]["where"] is None),
        not_finite=about["not_finite"],
        predictions=PredictionsPublic(**about["predictions"]) if about["predictions"] else None,
        arrays=file.arrays,
        nbytes=len(file.data),
    )


def _tokens(about: dict[str, Any]) -> list[TokenPublic]:
    texts, metadata = about["tokens"], about["metadata"]
    columns = zip(texts, metadata["spans"], metadata["features"], strict=True)
    return [
        TokenPublic(
            text=text,
            start=start,
            end=end,
            known=features[0][2],
            features=[FeaturePublic(name=n, value=v, known=k) for n, v, k in features],
        )
        for text, (start, end), features in columns
    ]
