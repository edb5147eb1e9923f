"""A language model writes on: its tokens as they are written, and the recording of it all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from pydantic_core import to_json

from lstm_core.errors import SizeError
from server.deps import Services
from server.errors import DataFolderError, DiskFullError
from server.recording_folders import RecordingFolders, Refused, no_place
from server.recordings import GRACE_SECONDS
from server.schemas import ContinuationCreate, RecordingCreate
from server.shelf import ShelvedModel
from server.written import WRITTEN, LinesReader

#: How often is looked for new tokens.
PASS_ON_SECONDS = 0.04


async def write_on(services: Services, wanted: ContinuationCreate) -> AsyncGenerator[bytes]:
    """Lines of JSON: each token, then the continuation.

    What is known to be wrong beforehand is raised before there is anything to go through.
    """
    model = await asyncio.to_thread(services.shelf.get, wanted.model)
    most = services.settings.max_characters
    if len(wanted.text) > most:
        raise SizeError(
            "This text is too long.",
            came=f"{len(wanted.text):,} characters",
            expected=f"at most {most:,} characters",
        )
    return _written(services, wanted, model)


async def _written(
    services: Services, wanted: ContinuationCreate, model: ShelvedModel
) -> AsyncGenerator[bytes]:
    folder = await _new_folder(services.folders)
    settings = services.settings
    limits = (settings.max_tokens, settings.max_characters, settings.max_recording_bytes)
    job = asyncio.create_task(
        services.workers.run(
            "write_on", str(model.folder), model.about.digest, wanted, str(folder), *limits
        )
    )
    read = LinesReader(folder / WRITTEN)
    try:
        ended = False
        while not ended:
            await asyncio.wait([job], timeout=PASS_ON_SECONDS)
            ended = job.done()  # what it wrote before it ended is read once more
            while lines := await asyncio.to_thread(read):
                yield lines
        text, reason = job.result()
    finally:
        services.folders.remove(folder)
        _end_soon(job)
    whole = RecordingCreate(model=wanted.model, text=text, precision=wanted.precision)
    made = await services.recordings.get_or_make(whole)
    head = to_json({"text": text, "reason": reason})[:-1]
    yield b'{"continuation": ' + head + b', "recording": ' + made.description + b"}}"


def _end_soon(job: asyncio.Task[tuple[str, str]]) -> None:
    """It ends by itself when it finds its file gone; ending it ends its process, too."""
    job.add_done_callback(lambda done: done.cancelled() or done.exception())
    if not job.done():
        asyncio.get_running_loop().call_later(GRACE_SECONDS, job.cancel)


async def _new_folder(folders: RecordingFolders) -> Path:
    """Where there is room. Raises DataFolderError, DiskFullError."""
    refused: list[Refused] = []
    for place in folders.places:
        try:
            return await asyncio.to_thread(folders.make, place, [WRITTEN])
        except (DiskFullError, DataFolderError) as error:
            refused.append(error)
    raise no_place(refused)
