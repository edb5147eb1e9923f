"""Replies that FastAPI does not make by itself: problems, and arrays as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from lstm_core.errors import CheckpointError, FileError, LSTMCoreError
from server.errors import HEADERS, kind_of, phrase, status_of, visible
from server.schemas import FieldProblemPublic, ProblemPublic

PROBLEM = "application/problem+json"
BYTES = "application/octet-stream"

#: What every operation may answer beside its result, for the OpenAPI description.
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {
        "description": f"{side} What came, what was expected and what exists.",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemPublic"}}},
    }
    for code, side in (
        ("4XX", "The request cannot be answered."),
        ("5XX", "The server could not answer."),
    )
}

BYTES_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A safetensors file.",
        "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
    },
    304: {"description": "The copy named by If-None-Match is still good."},
}


def problem(
    scope: Scope,
    status: int,
    detail: str,
    *,
    kind: str | None = None,
    came: str | None = None,
    expected: str | None = None,
    exists: list[str] | None = None,
    errors: list[FieldProblemPublic] | None = None,
    request_id: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error as RFC 9457 describes it. Everything echoed has been made visible."""
    body = ProblemPublic(
        type=f"urn:gatescope:problem:{kind}" if kind else "about:blank",
        title=phrase(status),
        status=status,
        detail=visible(detail, 1000),
        instance=visible(scope["path"]),
        came=None if came is None else visible(came),
        expected=None if expected is None else visible(expected),
        exists=None if exists is None else [visible(item, 100) for item in exists[:500]],
        errors=errors,
        request_id=request_id,
    )
    return Response(
        body.model_dump_json(exclude_none=True),
        status,
        headers={**HEADERS.get(status, {}), **(headers or {})},
        media_type=PROBLEM,
    )


def error_problem(scope: Scope, error: LSTMCoreError) -> Response:
    """The problem of one of our own errors."""
    status = status_of(error)
    if isinstance(error, FileError) and not isinstance(error, CheckpointError):
        # What came may be a path of ours.
        return problem(scope, status, error.message, kind=kind_of(error))
    return problem(
        scope,
        status,
        str(error),
        kind=kind_of(error),
        came=error.came,
        expected=error.expected,
        exists=error.exists,
    )


def immutable_bytes(
    request: Request, data: bytes, *, tag: str, shared: bool, filename: str | None = None
) -> Response:
    """Bytes that never change under this URL; 304 when the browser has them."""
    headers = {
        "ETag": f'"{tag}"',
        "Cache-Control": f"{'public' if shared else 'private'}, max-age=31536000, immutable",
    }
    if filename:
        headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    if has_copy(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=BYTES)


def has_copy(request: Request, etag: str) -> bool:
    """Whether If-None-Match names ``etag``."""
    named = request.headers.get("if-none-match", "")
    tags = [tag.strip().removeprefix("W/") for tag in named.split(",")]
    return etag in tags or "*" in tags


def tag_of(*parts: object) -> str:
    """An ETag for what these parts decide."""
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
