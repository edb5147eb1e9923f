"""Files of numbers, for models that read numbers."""

from __future__ import annotations

from fastapi import APIRouter, Request

from server.bodies import FileName, file_body, receive_file
from server.deps import ServicesDep
from server.disconnect import unless_gone
from server.schemas import TablePublic

router = APIRouter(prefix="/tables", tags=["files"])


@router.post(
    "",
    summary="Turn a file of numbers into the text to record",
    openapi_extra=file_body("The bytes of a CSV, TSV or NPY file, one row per timestep."),
)
async def read_table(request: Request, services: ServicesDep, name: FileName = "") -> TablePublic:
    """Nothing is kept."""
    opening = await services.opening()
    upload = await receive_file(request, opening, name)
    text, table = await unless_gone(request, opening.read_table(upload))
    return TablePublic(text=text, timesteps=len(table.rows), columns=table.columns)
