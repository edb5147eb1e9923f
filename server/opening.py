"""Files that people bring: what is in them, and models made of them.

Each file is read in a process of its own (``lstm_core.checkpoints.sandbox``), which may come to any
end: here it costs a 422. What shapes and names decide is decided in this process, which needs
neither torch nor a parser for that.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lstm_core.checkpoints import sandbox
from lstm_core.checkpoints.contents import Limits
from lstm_core.checkpoints.inspection import Inspection, TableInfo, tables_from
from lstm_core.checkpoints.proposal import Proposal, propose
from lstm_core.errors import CheckpointError, SizeError
from lstm_core.model_spec import ModelSpec
from lstm_core.tables import Table, read_table
from server.settings import Settings
from server.turns import Turns
from server.uploads import Upload, Uploads

Reply = tuple[dict[str, Any], bytes]


def checkpoint_limits(settings: Settings) -> dict[str, Any]:
    """As a request to the process that reads has them."""
    return asdict(
        Limits(file_bytes=settings.max_checkpoint_bytes, parameters=settings.max_parameters)
    )


def small_file_limits(settings: Settings) -> dict[str, Any]:
    """For vocabularies and tables."""
    return asdict(Limits(file_bytes=settings.max_vocabulary_bytes))


def build_request(name: str, choices: Mapping[str, str]) -> dict[str, Any]:
    """What to build, but for the paths. What people call the model is no part of it."""
    return {"name": name, "title": stem(name), "choices": dict(choices)}


def stem(name: str) -> str:
    return Path(name).stem or name


def check_built(description: str, max_parameters: int) -> None:
    """Raises CheckpointError for what cannot be kept."""
    try:
        description.encode()
    except UnicodeEncodeError as error:
        raise CheckpointError(
            "A name in this file is no text.",
            came=f"half of a surrogate pair, U+{ord(error.object[error.start]):04X}",
        ) from error
    check_parameters(ModelSpec.from_json(description).parameters, max_parameters)


def check_parameters(count: int, limit: int) -> None:
    """Raises CheckpointError."""
    if count > limit:
        raise CheckpointError(
            "This model would be too large.",
            came=f"{count:,} parameters",
            expected=f"at most {limit:,}",
        )


class Opening:
    """The server's own way of doing it: a bounded queue, and errors that name no path."""

    def __init__(self, settings: Settings, uploads: Uploads, turns: Turns) -> None:
        self._settings = settings
        self._uploads = uploads
        self._turns = turns

    async def receive(
        self, pieces: AsyncIterator[bytes], *, name: str, announced: int | None
    ) -> Upload:
        """A file on the disk, not yet among those that wait. Raises what ``Uploads`` does."""
        self._turns.check()
        return await self._uploads.receive(pieces, name=name, announced=announced)

    async def inspect(self, upload: Upload) -> tuple[Upload, Proposal]:
        """What is in it and the first proposal; from now on it waits. Raises CheckpointError."""
        try:
            reply, _ = await self._run("inspect", [upload], checkpoint_limits(self._settings))
            upload.inspection = await asyncio.to_thread(Inspection.from_dict, reply)
            proposal = await asyncio.to_thread(propose, upload.inspection)
        except BaseException:
            self._uploads.forget(upload)
            raise
        self._uploads.add(upload)
        return upload, proposal

    async def read_vocabulary(self, upload: Upload) -> Upload:
        """What strings are in it; from now on it waits. Raises CheckpointError."""
        upload.kind = "vocabulary"
        try:
            reply, _ = await self._run("vocabulary", [upload], small_file_limits(self._settings))
            upload.tables = tables_from(reply["tables"])
        except BaseException:
            self._uploads.forget(upload)
            raise
        self._uploads.add(upload)
        return upload

    async def read_table(self, upload: Upload) -> tuple[str, Table]:
        """Its text, and what that says. Nothing is kept.

        Raises CheckpointError, TextError and SizeError.
        """
        try:
            reply, _ = await self._run("table", [upload], small_file_limits(self._settings))
        finally:
            self._uploads.forget(upload)
        text: str = reply["text"]
        if len(text) > self._settings.max_table_characters:
            raise SizeError(
                "This table is too long.",
                came=f"{len(text):,} characters as text",
                expected=f"at most {self._settings.max_table_characters:,}",
            )
        return text, await asyncio.to_thread(read_table, text)

    async def propose(
        self, checkpoint: str, vocabulary: str | None, choices: Mapping[str, str]
    ) -> Proposal:
        """Raises UnknownUploadError; CheckpointError for a choice there is not."""
        found = self._uploads.get(checkpoint, "checkpoint")
        brought = self._uploads.get(vocabulary, "vocabulary") if vocabulary else None
        assert found.inspection is not None
        tables: Sequence[TableInfo] = brought.tables if brought else ()
        return await asyncio.to_thread(propose, found.inspection, choices, tables)

    async def build(
        self, checkpoint: str, vocabulary: str | None, choices: Mapping[str, str]
    ) -> tuple[str, str, bytes]:
        """The title, the description and the weights of a model.

        Raises UnknownUploadError and CheckpointError.
        """
        uploads = [self._uploads.get(checkpoint, "checkpoint")]
        if vocabulary:
            uploads.append(self._uploads.get(vocabulary, "vocabulary"))
        reply, weights = await self._run(
            "build",
            uploads,
            checkpoint_limits(self._settings),
            **build_request(uploads[0].name, choices),
        )
        description: str = reply["description"]
        await asyncio.to_thread(check_built, description, self._settings.max_parameters)
        return stem(uploads[0].name), description, weights

    def forget(self, checkpoint: str) -> None:
        """Raises UnknownUploadError."""
        self._uploads.forget(self._uploads.get(checkpoint, "checkpoint"))

    async def _run(
        self, task: str, uploads: Sequence[Upload], limits: Mapping[str, Any], **request: Any
    ) -> Reply:
        """In its turn, in a process of its own, which ends when this is cancelled."""
        with contextlib.ExitStack() as held:
            paths = [str(held.enter_context(self._uploads.held(upload))) for upload in uploads]
            request |= {"path": paths[0], "limits": dict(limits)}
            if paths[1:]:
                request["vocabulary"] = paths[1]
            async with self._turns.turn():
                try:
                    return await sandbox.run_async(
                        task,
                        request,
                        seconds=self._settings.parse_seconds,
                        memory_bytes=self._settings.parse_memory_bytes,
                    )
                except CheckpointError as error:
                    raise _without_paths(error, uploads) from error


def _without_paths(error: CheckpointError, uploads: Sequence[Upload]) -> CheckpointError:
    """The same, where a library has named the file by its path: with the name people gave it."""

    def clean(text: str) -> str:
        for upload in uploads:
            text = text.replace(str(upload.path), upload.name)
            text = text.replace(str(upload.path.parent), "")
        return text

    return CheckpointError(
        clean(error.message),
        came=None if error.came is None else clean(error.came),
        expected=None if error.expected is None else clean(error.expected),
        exists=None if error.exists is None else [clean(item) for item in error.exists],
    )
