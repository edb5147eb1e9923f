"""What a session is saved with, to be opened without a server: the page, and the weights."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from lstm_core.quantities import Direction
from server.deps import ServicesDep
from server.offline import offline_page
from server.responses import BYTES, BYTES_RESPONSES, has_copy, tag_of
from server.schemas import Precision

router = APIRouter()

HTML_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "An HTML file.",
        "content": {"text/html": {"schema": {"type": "string"}}},
    },
    304: BYTES_RESPONSES[304],
}


@router.get(
    "/offline-page",
    tags=["server"],
    summary="The page as one HTML file, still without a session",
    response_class=Response,
    responses=HTML_RESPONSES,
)
async def get_offline_page(
    request: Request,
    charts: Annotated[bool, Query(description="Whether plotly.js is in it, 2 MB.")] = True,
) -> Response:
    """The browser puts the session where ``<!-- session -->`` stands, and saves it."""
    html = (await run_in_threadpool(offline_page, charts=charts)).encode()
    etag = f'"{hashlib.sha256(html).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if has_copy(request, etag):
        return Response(status_code=304, headers=headers)
    # Not to be opened here, where the server's own policy would leave nothing of it.
    headers["Content-Disposition"] = 'attachment; filename="gatescope.html"'
    return Response(html, headers=headers, media_type="text/html; charset=utf-8")


@router.get(
    "/models/{model_id}/cell-weights",
    tags=["models"],
    summary="The weights of every unit of one layer and direction",
    response_class=Response,
    responses=BYTES_RESPONSES,
)
async def get_cell_weights(
    request: Request,
    model_id: Annotated[str, Path(max_length=200, examples=["shakespeare"])],
    services: ServicesDep,
    layer: Annotated[int, Query(ge=0, le=10_000)],
    direction: Direction = "forward",
    precision: Precision = "float32",
) -> Response:
    """A safetensors file, gates in the order i f g o: ``W`` (units, 4, width of the layer's
    input), ``U`` (units, 4, width of h), ``b`` (units, 4, 2) for b_ih and b_hh."""
    model = await run_in_threadpool(services.shelf.get, model_id)
    digest = model.about.digest
    etag = f'"{tag_of(digest, precision, layer, direction)}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if has_copy(request, etag):
        return Response(status_code=304, headers=headers)
    data: bytes = await services.workers.run(
        "cell_weights", str(model.folder), digest, precision, layer, direction
    )
    return Response(data, headers=headers, media_type=BYTES)
