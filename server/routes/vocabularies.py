"""Files of strings, to go with weights."""

from __future__ import annotations

from fastapi import APIRouter, Request

from server.bodies import FileName, file_body, receive_file
from server.deps import ServicesDep
from server.disconnect import unless_gone
from server.schemas import VocabularyPublic

router = APIRouter(prefix="/vocabularies", tags=["files"])


@router.post(
    "",
    summary="Bring a vocabulary",
    status_code=201,
    openapi_extra=file_body(
        "The bytes of a JSON file, a text with a token per line, a CoNLL-U file, or a .pt file "
        "that holds lists of strings."
    ),
)
async def create_vocabulary(
    request: Request, services: ServicesDep, name: FileName = ""
) -> VocabularyPublic:
    """It waits for some time for the weights it belongs to."""
    opening = await services.opening()
    upload = await receive_file(request, opening, name)
    return VocabularyPublic.of(await unless_gone(request, opening.read_vocabulary(upload)))
