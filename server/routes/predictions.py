"""What a recording's head says at every timestep, and what it would say of a lower layer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from server.deps import ServicesDep
from server.predictions import read_lens, read_predictions
from server.responses import BYTES_RESPONSES
from server.routes.answers import answer
from server.routes.recordings import RecordingId
from server.store import StoredRecording

router = APIRouter(prefix="/recordings/{recording_id}", tags=["recordings"])

Labels = Annotated[int, Query(ge=1, le=100, description="How many labels of each timestep.")]


@router.get(
    "/predictions",
    summary="The most probable labels at every timestep, and how sure the head is",
    response_class=Response,
    responses=BYTES_RESPONSES,
)
async def get_predictions(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    k: Labels = 5,
    start: Annotated[int | None, Query(description="First timestep.")] = None,
    stop: Annotated[int | None, Query(description="The timestep after the last.")] = None,
) -> Response:
    """A safetensors file, float32: ``top`` [timesteps, k] label ids, the most probable first (of
    equal ones the lower id), their ``probability`` [timesteps, k], and [timesteps] ``entropy`` and
    ``surprise`` (-ln p of the label that really came) in nats, its ``rank`` from 1, ``margin``
    (first minus second probability) and ``changed`` (1 where the top label is another one than
    before). NaN where nobody knows what really came, and where the scores are not finite."""

    async def ask(recording: StoredRecording) -> bytes:
        rows = recording.file.rows(start, stop)
        return await read_predictions(services.analyses, recording, rows, k)

    return await answer(request, services, recording_id, ("predictions", k, start, stop), ask)


@router.get(
    "/lens",
    summary="What the head would say if it read a lower layer",
    response_class=Response,
    responses=BYTES_RESPONSES,
)
async def get_lens(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    layer: Annotated[int, Query(ge=0, le=10_000)],
    k: Labels = 5,
) -> Response:
    """The arrays of ``predictions``, of the head applied to h of ``layer``, which it was never
    trained to read; of a head of numbers their first k as ``scores`` [timesteps, k]. Of the top
    layer it is what the head says anyway. Refused where the layer is not as wide as that."""

    async def ask(recording: StoredRecording) -> bytes:
        model = await run_in_threadpool(services.shelf.get, recording.model)
        return await read_lens(services.workers, recording, model, layer, k)

    return await answer(request, services, recording_id, ("lens", layer, k), ask)
