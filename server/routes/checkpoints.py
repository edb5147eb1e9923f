"""Files of weights: bring one, choose what to make of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from server.bodies import FileName, file_body, receive_file
from server.deps import ServicesDep
from server.disconnect import unless_gone
from server.schemas import CheckpointPublic, ProposalCreate, ProposalPublic

router = APIRouter(prefix="/checkpoints", tags=["files"])

CheckpointId = Annotated[str, Path(max_length=200, examples=["0f3c5b2e9d8a47161f0e2d3c4b5a6978"])]


@router.post(
    "",
    summary="Bring a file of weights",
    status_code=201,
    openapi_extra=file_body("The bytes of a .pt, .pth, .safetensors, .onnx, .keras or .h5 file."),
)
async def create_checkpoint(
    request: Request, services: ServicesDep, name: FileName = ""
) -> CheckpointPublic:
    """What is in it, and the model that would be made of it. Nothing in the file is ever run. It
    waits for some time to be opened."""
    opening = await services.opening()
    upload = await receive_file(request, opening, name)
    return CheckpointPublic.of(*await unless_gone(request, opening.inspect(upload)))


@router.post("/{checkpoint_id}/proposal", summary="What a model made with these choices would be")
async def create_proposal(
    checkpoint_id: CheckpointId, wanted: ProposalCreate, services: ServicesDep
) -> ProposalPublic:
    """One choice narrows the next. Nothing is made yet."""
    opening = await services.opening()
    return ProposalPublic.of(
        await opening.propose(checkpoint_id, wanted.vocabulary, wanted.choices)
    )


@router.delete(
    "/{checkpoint_id}",
    summary="Forget a file of weights",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "It is gone."}},
)
async def delete_checkpoint(checkpoint_id: CheckpointId, services: ServicesDep) -> Response:
    """Models made of it stay."""
    (await services.opening()).forget(checkpoint_id)
    return Response(status_code=204)
