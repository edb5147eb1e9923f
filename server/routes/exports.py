"""Slices of a recording, to be kept."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from server.deps import ServicesDep
from server.disconnect import unless_gone
from server.exports import MEDIA_TYPES, Export, Format, file_name, read_units
from server.routes.analyses import Names
from server.routes.recordings import RecordingId
from server.streams import StoredFileResponse

router = APIRouter(prefix="/recordings/{recording_id}", tags=["recordings"])

EXPORT_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, as an attachment.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in MEDIA_TYPES.values()
        },
    }
}


@router.get(
    "/export",
    summary="A slice of it as a file for other programs",
    response_class=Response,
    responses=EXPORT_RESPONSES,
)
async def export_slice(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    name: Names,
    format: Annotated[Format, Query(description="CSV and Parquet are one wide table.")],
    start: Annotated[int | None, Query(description="First timestep.")] = None,
    stop: Annotated[int | None, Query(description="The timestep after the last.")] = None,
    units: Annotated[
        str | None,
        Query(max_length=5000, description="Of every array, all by default.", examples=["3-7,12"]),
    ] = None,
) -> Response:
    """With the tokens, and the names of arrays and units. Arrays that have no timesteps are not
    part of it; ``lstm_core.exports`` says what is in each format."""
    with services.recordings.held(recording_id) as recording:
        export = Export(format, name, recording.file.rows(start, stop), read_units(units))
        path = await unless_gone(request, services.exports.write(recording, export))
        called = file_name(recording, export)
    sent = ExitStack()
    sent.callback(services.folders.remove, path.parent)
    headers = {"Content-Disposition": f'attachment; filename="{called}"'}
    return StoredFileResponse(path, sent, headers=headers, media_type=MEDIA_TYPES[format])
