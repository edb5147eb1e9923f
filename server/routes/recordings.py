"""Recordings: make one, describe it, read its arrays."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from server.array_file import DType
from server.deps import ServicesDep
from server.disconnect import unless_gone
from server.responses import BYTES_RESPONSES, immutable_bytes, tag_of
from server.schemas import RecordingCreate, RecordingPublic

router = APIRouter(prefix="/recordings", tags=["recordings"])

RecordingId = Annotated[str, Path(max_length=200, examples=["0f3c5b2e9d8a47161f0e2d3c4b5a6978"])]


@router.post(
    "",
    summary="Record a sentence",
    status_code=201,
    responses={
        200: {"model": RecordingPublic, "description": "It was there already."},
        201: {
            "description": "It was made.",
            "headers": {"Location": {"schema": {"type": "string"}}},
        },
    },
)
async def create_recording(
    wanted: RecordingCreate, request: Request, response: Response, services: ServicesDep
) -> RecordingPublic:
    """Equal requests give the same recording and are computed once. A client that hangs up
    ends the computation, unless somebody else waits for it."""
    stored, made = await unless_gone(request, services.recordings.get_or_make(wanted))
    response.status_code = 201 if made else 200
    response.headers["Location"] = f"/api/recordings/{stored.about.id}"
    return stored.about


@router.get("/{recording_id}", summary="Everything about a recording but its numbers")
async def get_recording(recording_id: RecordingId, services: ServicesDep) -> RecordingPublic:
    return services.recordings.get(recording_id).about


@router.get(
    "/{recording_id}/arrays",
    summary="Some of its arrays, or some of their timesteps",
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
) -> Response:
    """A safetensors file. The h_0 and c_0 of each cell have no timesteps and are never cut. float16
    turns what it cannot hold into infinities."""
    file = services.recordings.get(recording_id).file
    data = file.cut(name or (), start, stop, dtype)
    return immutable_bytes(
        request,
        data,
        tag=tag_of(recording_id, name, start, stop, dtype),
        shared=services.settings.token is None,
    )


@router.get(
    "/{recording_id}/recording.safetensors",
    summary="The whole recording as a file, for lstm_core.Recording.load",
    response_class=Response,
    responses=BYTES_RESPONSES,
)
async def download_recording(
    request: Request, recording_id: RecordingId, services: ServicesDep
) -> Response:
    return immutable_bytes(
        request,
        services.recordings.get(recording_id).file.data,
        tag=recording_id,
        shared=services.settings.token is None,
        filename=f"{recording_id}.safetensors",
    )
