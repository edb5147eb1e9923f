"""The models that can be recorded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from lstm_core.quantities import Direction
from server.deps import ServicesDep
from server.responses import BYTES, BYTES_RESPONSES, has_copy, tag_of
from server.schemas import ModelDetailPublic, ModelPublic, Precision

router = APIRouter(prefix="/models", tags=["models"])

ModelId = Annotated[str, Path(max_length=200, examples=["shakespeare"])]


# Reading folders blocks, so these two run in the thread pool.
@router.get("", summary="All models", response_model=list[ModelPublic])
def list_models(services: ServicesDep) -> list[ModelDetailPublic]:
    return [model.about for model in services.shelf.models().values()]


@router.get("/{model_id}", summary="One model, with its labels")
def get_model(model_id: ModelId, services: ServicesDep) -> ModelDetailPublic:
    return services.shelf.get(model_id).about


@router.get(
    "/{model_id}/weights",
    summary="The weights that drive one unit",
    response_class=Response,
    responses=BYTES_RESPONSES,
)
async def get_unit_weights(
    request: Request,
    model_id: ModelId,
    services: ServicesDep,
    layer: Annotated[int, Query(ge=0, le=10_000)],
    unit: Annotated[int, Query(ge=0, le=10_000_000)],
    direction: Direction = "forward",
    precision: Precision = "float32",
) -> Response:
    """A safetensors file, rows in the order i f g o: ``W`` (4, width of the layer's input),
    ``U`` (4, width of h), ``b`` (4, 2) for b_ih and b_hh."""
    model = await run_in_threadpool(services.shelf.get, model_id)
    digest = model.about.digest
    # The model behind an id may change, so the browser asks; its digest says whether it did.
    etag = f'"{tag_of(digest, precision, layer, direction, unit)}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if has_copy(request, etag):
        return Response(status_code=304, headers=headers)
    data: bytes = await services.workers.run(
        "unit_weights", str(model.folder), digest, precision, layer, direction, unit
    )
    return Response(data, headers=headers, media_type=BYTES)
