"""Recordings: make one, describe it, read its arrays."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from server.array_file import DType
from server.deps import ServicesDep
from server.disconnect import unless_gone
from server.responses import BYTES, BYTES_RESPONSES, JSON, has_copy, immutable, tag_of
from server.schemas import RecordingCreate, RecordingPublic
from server.streams import LINES, LinesResponse, PiecesResponse, StoredFileResponse

router = APIRouter(prefix="/recordings", tags=["recordings"])

RecordingId = Annotated[str, Path(max_length=200, examples=["0f3c5b2e9d8a47161f0e2d3c4b5a6978"])]

#: Up to this size arrays are sent in one piece, which takes less time.
WHOLE_BYTES = 1 << 20

MADE: dict[int | str, dict[str, Any]] = {
    200: {
        "model": RecordingPublic,
        "description": "It was there already; or, as lines, what is being done.",
        "content": {
            LINES: {
                "schema": {"type": "string"},
                "example": '{"progress": {"done": 3, "of": 9, "what": "layer 1 backward"}}\n',
            }
        },
    },
    201: {
        "description": "It was made.",
        "headers": {"Location": {"schema": {"type": "string"}}},
    },
}


@router.post(
    "",
    summary="Record a sentence",
    status_code=201,
    response_model=RecordingPublic,
    responses=MADE,
)
async def create_recording(
    wanted: RecordingCreate, request: Request, services: ServicesDep
) -> Response:
    """Equal requests give the same recording and are computed once. A client that hangs up
    ends the computation, unless somebody else waits for it.

    With ``Accept: application/x-ndjson`` the reply is a stream of JSON lines: as many
    ``{"progress": {"done", "of", "what"}}`` as there is to tell, then ``{"recording": …}`` or
    ``{"problem": …}``. What is refused at once has its own status there, too."""
    if wants_lines(request):
        return LinesResponse(request.url.path, await services.recordings.follow(wanted))
    found = await unless_gone(request, services.recordings.get_or_make(wanted))
    return Response(
        found.description,
        201 if found.made else 200,
        headers={"Location": f"/api/recordings/{found.id}"},
        media_type=JSON,
    )


def wants_lines(request: Request) -> bool:
    """Whether the reply shall be a stream of JSON lines."""
    kinds = request.headers.get("accept", "").split(",")
    return any(kind.partition(";")[0].strip().lower() == LINES for kind in kinds)


@router.get(
    "/{recording_id}",
    summary="Everything about a recording but its numbers",
    response_model=RecordingPublic,
)
async def get_recording(recording_id: RecordingId, services: ServicesDep) -> Response:
    return Response(await services.recordings.describe(recording_id), media_type=JSON)


@router.get(
    "/{recording_id}/arrays",
    summary="Some of its arrays, or some of their timesteps and units",
    response_class=Response,
    responses=BYTES_RESPONSES,
)
async def get_arrays(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    name: Annotated[
        list[str] | None, Query(description="Which arrays; all, if none is named.", max_length=5000)
    ] = None,
    start: Annotated[int | None, Query(description="First timestep.")] = None,
    stop: Annotated[int | None, Query(description="The timestep after the last.")] = None,
    dtype: DType = "recorded",
    unit_start: Annotated[int | None, Query(description="First unit.")] = None,
    unit_stop: Annotated[int | None, Query(description="The unit after the last.")] = None,
) -> Response:
    """A safetensors file. The h_0 and c_0 of each cell have no timesteps and are never cut. float16
    turns what it cannot hold into infinities."""
    asked = (name, start, stop, dtype, unit_start, unit_stop)
    headers = immutable(tag_of(recording_id, *asked), shared=services.shared)
    with ExitStack() as held:
        file = held.enter_context(services.recordings.held(recording_id)).file
        cut = file.cut(name or (), start, stop, dtype, unit_start=unit_start, unit_stop=unit_stop)
        if has_copy(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if cut.nbytes > WHOLE_BYTES:
            return PiecesResponse(cut, held.pop_all(), headers=headers)
        return Response(await run_in_threadpool(cut.to_bytes), headers=headers, media_type=BYTES)


@router.get(
    "/{recording_id}/recording.safetensors",
    summary="The whole recording as a file, for lstm_core.Recording.load",
    response_class=Response,
    responses=BYTES_RESPONSES,
)
async def download_recording(
    request: Request, recording_id: RecordingId, services: ServicesDep
) -> Response:
    """A part of it, too: Range is understood."""
    headers = immutable(recording_id, shared=services.shared)
    headers["Content-Disposition"] = f'attachment; filename="{recording_id}.safetensors"'
    with ExitStack() as held:
        path = held.enter_context(services.recordings.held(recording_id)).file.path
        if has_copy(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return StoredFileResponse(path, held.pop_all(), headers=headers, media_type=BYTES)
