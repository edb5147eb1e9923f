"""Replies that are sent piece by piece, and end when nobody is there any more."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from lstm_core.errors import LSTMCoreError
from server.array_file import Cut
from server.disconnect import unless_gone
from server.recordings import Described
from server.responses import BYTES, error_body, fault_body
from server.schemas import ProblemPublic

logger = logging.getLogger(__name__)

LINES = "application/x-ndjson"

_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


class LinesResponse(StreamingResponse):
    """JSON lines: what is being done as it is done, and at last what became of it.

    ``held`` is let go of when all is sent.
    """

    def __init__(
        self,
        path: str,
        steps: AsyncGenerator[dict[str, Any] | Described | bytes],
        held: ExitStack | None = None,
    ) -> None:
        self._lines = _lines(path, steps)
        self._held = held or ExitStack()
        super().__init__(self._lines, media_type=LINES)

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._lines):
            await super().stream_response(send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Not only the next line finds out that nobody is there.
        with self._held:
            await unless_gone(Request(scope, receive), self.stream_response(send))


async def _lines(
    path: str, steps: AsyncGenerator[dict[str, Any] | Described | bytes]
) -> AsyncGenerator[bytes]:
    """``steps`` are progress, a recording, or a line that is ready."""
    async with aclosing(steps):
        try:
            async for step in steps:
                if isinstance(step, Described):
                    yield b'{"recording": ' + step.description + b"}\n"
                elif isinstance(step, bytes):
                    yield step + b"\n"
                else:
                    yield to_json({"progress": step}) + b"\n"
        except LSTMCoreError as error:
            yield _problem(error_body(path, error))
        except Exception:
            request_id = secrets.token_hex(8)
            logger.exception("Request %s failed: %r", request_id, path)
            yield _problem(fault_body(path, request_id))


def _problem(body: ProblemPublic) -> bytes:
    return b'{"problem": ' + body.model_dump_json(exclude_none=True).encode() + b"}\n"


class PiecesResponse(StreamingResponse):
    """Arrays as they are read; ``held`` is let go of when all is sent."""

    def __init__(self, cut: Cut, held: ExitStack, *, headers: Mapping[str, str]) -> None:
        length = {"Content-Length": str(cut.nbytes)}
        super().__init__(cut.pieces(), headers={**headers, **length}, media_type=BYTES)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await super().__call__(scope, receive, send)


class StoredFileResponse(FileResponse):
    """A whole file, or one range of it; ``held`` is let go of when all is sent."""

    chunk_size = 1 << 20

    def __init__(
        self, path: str | Path, held: ExitStack, *, headers: Mapping[str, str], media_type: str
    ) -> None:
        super().__init__(
            path, headers=headers, media_type=media_type, stat_result=Path(path).stat()
        )
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await super().__call__(self._checked(scope), receive, send)

    def _checked(self, scope: Scope) -> Scope:
        """Without a Range that makes no sense, which a server may take as none."""
        asked = Headers(scope=scope).get("range")
        if asked is None:
            return scope
        size = int(self.headers["content-length"])
        match = _RANGE.fullmatch(asked)
        if match and int(match[1]) <= int(match[2] or size) and int(match[1]) < size:
            return scope
        scope = {**scope, "headers": list(scope["headers"])}
        del MutableHeaders(scope=scope)["range"]
        return scope
