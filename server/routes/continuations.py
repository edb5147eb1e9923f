"""A language model writes on."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.continuations import write_on
from server.deps import ServicesDep
from server.schemas import ContinuationCreate
from server.streams import LINES, LinesResponse

router = APIRouter(prefix="/continuations", tags=["recordings"])

WRITTEN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A line for each token as it is written, then the whole.",
        "content": {
            LINES: {
                "schema": {"type": "string"},
                "example": '{"token": {"id": 41, "text": "e", "probability": 0.31, "rank": 1}}\n',
            }
        },
    }
}


@router.post(
    "",
    summary="Let a language model write on",
    response_class=Response,
    responses=WRITTEN,
)
async def create_continuation(
    wanted: ContinuationCreate, request: Request, services: ServicesDep
) -> Response:
    """From the state after the text, one LSTM step for each token. The reply is a stream of JSON
    lines: ``{"token": …}`` for each, with all quantities of the step that read it, at last
    ``{"continuation": {"text", "reason", "recording"}}`` or ``{"problem": …}``. The recording is
    that of the whole text. Hanging up ends it."""
    return LinesResponse(request.url.path, await write_on(services, wanted))
