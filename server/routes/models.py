"""The models that can be recorded; those people open or make are kept."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from lstm_core.quantities import Direction
from server.deps import Services, ServicesDep
from server.disconnect import unless_gone
from server.errors import ReadOnlyModelError
from server.fresh import make_fresh
from server.kept_models import Name
from server.responses import BYTES, BYTES_RESPONSES, has_copy, tag_of
from server.schemas import (
    FreshModelCreate,
    ModelCreate,
    ModelDetailPublic,
    ModelPublic,
    ModelUpdate,
    Precision,
)
from server.shelf import ShelvedModel

router = APIRouter(prefix="/models", tags=["models"])

ModelId = Annotated[str, Path(max_length=200, examples=["shakespeare"])]
KeptModelId = Annotated[str, Path(max_length=200, examples=["0f3c5b2e9d8a4716"])]

MADE: dict[int | str, dict[str, Any]] = {
    200: {"model": ModelDetailPublic, "description": "Exactly this model was kept already."},
    201: {
        "description": "It was made, and is kept.",
        "headers": {"Location": {"schema": {"type": "string"}}},
    },
}


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


@router.post("", summary="Open a file of weights as a model", status_code=201, responses=MADE)
async def create_model(
    wanted: ModelCreate, request: Request, response: Response, services: ServicesDep
) -> ModelDetailPublic:
    """Where a choice is missing, the guess counts. Equal files and choices give the same model."""
    opening = await services.opening()
    building = opening.build(wanted.checkpoint, wanted.vocabulary, wanted.choices)
    stem, description, weights = await unless_gone(request, building)
    name = Name(wanted.title or stem, "opened")
    titled = wanted.title is not None
    return await _keep(services, response, description, weights, name, titled=titled)


@router.post(
    "/fresh",
    summary="Make a network that has learned nothing",
    status_code=201,
    responses=MADE,
)
async def create_fresh_model(
    wanted: FreshModelCreate, request: Request, response: Response, services: ServicesDep
) -> ModelDetailPublic:
    """The weights of torch.manual_seed(seed); nn.LSTM(…). Words are random vectors, too."""
    making = make_fresh(wanted, services.workers, max_parameters=services.settings.max_parameters)
    title, description, weights = await unless_gone(request, making)
    name = Name(wanted.title or title, "fresh")
    titled = wanted.title is not None
    return await _keep(services, response, description, weights, name, titled=titled)


@router.patch("/{model_id}", summary="Rename a model that was opened or made here")
def update_model(
    model_id: KeptModelId, wanted: ModelUpdate, services: ServicesDep
) -> ModelDetailPublic:
    """Its id and its recordings stay."""
    services.kept.rename(_kept(services, model_id).folder.name, wanted.title)
    return services.shelf.get(model_id).about


@router.delete(
    "/{model_id}",
    summary="Remove a model that was opened or made here",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "It is gone."}},
)
def delete_model(model_id: KeptModelId, services: ServicesDep) -> Response:
    """Recordings that were made with it stay for a while."""
    services.kept.remove(_kept(services, model_id).folder.name)
    return Response(status_code=204)


async def _keep(
    services: Services,
    response: Response,
    description: str,
    weights: bytes,
    name: Name,
    *,
    titled: bool,
) -> ModelDetailPublic:
    model_id, made = await run_in_threadpool(
        services.kept.keep, description, weights, name, titled=titled
    )
    response.status_code = 201 if made else 200
    response.headers["Location"] = f"/api/models/{model_id}"
    return (await run_in_threadpool(services.shelf.get, model_id)).about


def _kept(services: Services, model_id: str) -> ShelvedModel:
    """Raises UnknownModelError, ReadOnlyModelError."""
    model = services.shelf.get(model_id)
    if not model.kept:
        raise ReadOnlyModelError(
            "This model stays as it is.",
            came=f"a model {'in the box' if model.about.source == 'box' else 'in a folder'}",
            expected="a model that was opened or made here",
        )
    return model
