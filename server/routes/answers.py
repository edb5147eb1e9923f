"""How questions about a recording are answered: once, and not for a copy the browser has."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
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
    headers = headers_of(services, recording_id, asked)
    with services.recordings.held(recording_id) as recording:
        if has_copy(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        data = await unless_gone(request, ask(recording))
    return Response(data, headers=headers, media_type=media_type)
