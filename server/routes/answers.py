"""How questions about a recording are answered: once, and not for a copy the browser has."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from typing import Any

from fastapi import Request
from starlette.responses import Response

from server.deps import Services
from server.disconnect import unless_gone
from server.responses import BYTES, has_copy, immutable, tag_of
from server.store import StoredRecording

#: Part of every ETag here: a change of what is computed is a change of its name.
VERSION = 1


def headers_of(services: Services, recording_id: str, asked: tuple[object, ...]) -> dict[str, str]:
    """What never changes, named by what was asked."""
    return immutable(tag_of(VERSION, recording_id, *asked), shared=services.shared)


async def answer(
    request: Request,
    services: Services,
    recording_id: str,
    asked: tuple[object, ...],
    ask: Callable[[StoredRecording], Coroutine[Any, Any, bytes]],
    *,
    media_type: str = BYTES,
) -> Response:
    """What ``ask`` says; nothing is asked for a copy the browser has, or when it hangs up."""

    async def ask_one(recordings: list[StoredRecording]) -> bytes:
        return await ask(recordings[0])

    return await answer_together(
        request, services, [recording_id], asked, ask_one, media_type=media_type
    )


async def answer_together(
    request: Request,
    services: Services,
    recording_ids: Sequence[str],
    asked: tuple[object, ...],
    ask: Callable[[list[StoredRecording]], Coroutine[Any, Any, bytes]],
    *,
    media_type: str = BYTES,
    vary: str | None = None,
) -> Response:
    """The same of several recordings, all of which stay while they are looked at."""
    headers = headers_of(services, "+".join(recording_ids), asked)
    if vary:
        headers["Vary"] = vary
    with ExitStack() as held:
        recordings = hold(held, services, recording_ids)
        if has_copy(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        data = await unless_gone(request, ask(recordings))
    return Response(data, headers=headers, media_type=media_type)


def hold(held: ExitStack, services: Services, ids: Sequence[str]) -> list[StoredRecording]:
    """Recordings whose files stay until ``held`` ends. Raises UnknownRecordingError."""
    return [held.enter_context(services.recordings.held(recording_id)) for recording_id in ids]
