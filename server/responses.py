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
JSON = "application/json"

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

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The copy named by If-None-Match is still good."},
}
BYTES_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A safetensors file.",
        "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
    },
    **NOT_MODIFIED,
}


def problem(
    scope: Scope,
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **parts: Any,
) -> Response:
    """An error as RFC 9457 describes it."""
    return reply_with(problem_body(scope["path"], status, detail, **parts), headers)


def error_problem(scope: Scope, error: LSTMCoreError) -> Response:
    """The problem of one of our own errors."""
    return reply_with(error_body(scope["path"], error))


def reply_with(body: ProblemPublic, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as a reply of its status."""
    return Response(
        body.model_dump_json(exclude_none=True),
        body.status,
        headers={**HEADERS.get(body.status, {}), **(headers or {})},
        media_type=PROBLEM,
    )


def problem_body(
    path: str,
    status: int,
    detail: str,
    *,
    kind: str | None = None,
    came: str | None = None,
    expected: str | None = None,
    exists: list[str] | None = None,
    errors: list[FieldProblemPublic] | None = None,
    request_id: str | None = None,
) -> ProblemPublic:
    """Everything echoed has been made visible."""
    return ProblemPublic(
        type=f"urn:gatescope:problem:{kind}" if kind else "about:blank",
        title=phrase(status),
        status=status,
        detail=visible(detail, 1000),
        instance=visible(path),
        came=None if came is None else visible(came),
        expected=None if expected is None else visible(expected),
        exists=None if exists is None else [visible(item, 100) for item in exists[:500]],
        errors=errors,
        request_id=request_id,
    )


def error_body(path: str, error: LSTMCoreError) -> ProblemPublic:
    """What one of our own errors says."""
    status = status_of(error)
    if isinstance(error, FileError) and not isinstance(error, CheckpointError):
        # What came may be a path of ours.
        return problem_body(path, status, error.message, kind=kind_of(error))
    return problem_body(
        path,
        status,
        str(error),
        kind=kind_of(error),
        came=error.came,
        expected=error.expected,
        exists=error.exists,
    )


def fault_body(path: str, request_id: str) -> ProblemPublic:
    """What is said of an exception nobody expected."""
    detail = f"This is a fault of the server. Its log tells more about {request_id}."
    return problem_body(path, 500, detail, kind="fault", request_id=request_id)


def immutable(tag: str, *, shared: bool) -> dict[str, str]:
    """Headers of what never changes under its URL."""
    return {
        "ETag": f'"{tag}"',
        "Cache-Control": f"{'public' if shared else 'private'}, max-age=31536000, immutable",
    }


def has_copy(request: Request, etag: str) -> bool:
    """Whether If-None-Match names ``etag``."""
    named = request.headers.get("if-none-match", "")
    tags = [tag.strip().removeprefix("W/") for tag in named.split(",")]
    return etag in tags or "*" in tags


def tag_of(*parts: object) -> str:
    """An ETag for what these parts decide."""
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
