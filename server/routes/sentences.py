"""A text file into sentences to pick from."""

from __future__ import annotations

from fastapi import APIRouter, Request

from server import text_files
from server.deps import ServicesDep
from server.schemas import SentencesPublic

router = APIRouter(prefix="/sentences", tags=["sentences"])

_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file's bytes: UTF-8, or UTF-16 with a byte order mark.",
        "content": {
            "text/plain": {
                "schema": {"type": "string", "format": "binary"},
                "example": "The sun is shiny\nTo be, or not to be\n",
            }
        },
    }
}


@router.post("", summary="Split a text file into sentences, one per line", openapi_extra=_BODY)
async def read_sentences(request: Request, services: ServicesDep) -> SentencesPublic:
    """Any content type will do. Nothing is kept."""
    encoding, text = text_files.decode(await request.body())
    found = text_files.sentences(
        text,
        max_sentences=services.settings.max_sentences,
        max_characters=services.settings.max_characters,
    )
    return SentencesPublic(encoding=encoding, sentences=found)
