"""A file as the body of a request: its bytes as they are, no form around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request

from server.errors import MediaTypeError
from server.guards import announced_bytes
from server.responses import BYTES
from server.uploads import Upload

if TYPE_CHECKING:
    from server.opening import Opening

FileName = Annotated[
    str, Query(alias="name", description="What the file is called, only to be shown.")
]


def file_body(description: str) -> dict[str, Any]:
    """The request body for the OpenAPI description."""
    return {
        "requestBody": {
            "required": True,
            "description": description,
            "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
        }
    }


async def receive_file(request: Request, opening: Opening, name: str) -> Upload:
    """The body as a file on the disk.

    A form of another site can send bodies of three types without being asked; this is none of
    them. Raises MediaTypeError, and what ``Opening.receive`` does.
    """
    came = request.headers.get("content-type", "")
    if came.partition(";")[0].strip().lower() != BYTES:
        raise MediaTypeError(
            "Send the file's bytes as they are.",
            came=f"Content-Type: {came or '(none)'}",
            expected=f"Content-Type: {BYTES}",
        )
    return await opening.receive(
        request.stream(), name=name, announced=announced_bytes(request.headers)
    )
