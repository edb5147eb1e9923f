"""What is asked about a recording's arrays: pooled, ordered, summarized, searched."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from lstm_core.quantities import Direction
from server.analyses import Ordering, QuantityName, Sort, Statistic, Tile
from server.deps import ServicesDep
from server.responses import BYTES_RESPONSES, JSON, NOT_MODIFIED
from server.routes.answers import answer
from server.routes.recordings import RecordingId
from server.schemas import OrderPublic, UnitsPublic
from server.store import StoredRecording

router = APIRouter(prefix="/recordings/{recording_id}", tags=["recordings"])

Names = Annotated[list[str], Query(alias="name", max_length=5000, description="Which arrays.")]
Layer = Annotated[int, Query(ge=0, le=10_000)]
Unit = Annotated[
    int | None,
    Query(ge=0, le=10_000_000, description="The unit that similarity compares the others with."),
]
SortOf = Annotated[QuantityName, Query(description="Whose values decide.")]


@router.get(
    "/tiles",
    summary="Arrays at the resolution a screen can show",
    response_class=Response,
    responses=BYTES_RESPONSES,
)
async def get_tiles(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    name: Names,
    level: Annotated[int, Query(ge=0, le=60, description="A column is 2^level timesteps.")] = 0,
    tile: Annotated[int, Query(ge=0, le=10_000_000, description="Of 512 columns each.")] = 0,
    units_per_row: Annotated[int, Query(ge=1, le=10_000_000)] = 1,
    statistic: Statistic = "extreme",
    sort: Sort = "index",
    sort_of: SortOf = "h",
    unit: Unit = None,
) -> Response:
    """A safetensors file with each array as float16 [columns, rows]. ``mean`` is that of the
    bucket, ``extreme`` its value furthest from the mean. A bucket that holds anything not finite
    is NaN; what float16 cannot hold becomes the largest it can. Units come in the order of their
    cell, see ``orders``; where an array is not as wide as the quantity that decides, and where a
    cell lacks the unit to compare with, they stay as they are."""
    part, ordering = Tile(level, tile, units_per_row, statistic), Ordering(sort, sort_of, unit)

    async def ask(recording: StoredRecording) -> bytes:
        return await services.analyses.tiles(recording, name, part, ordering)

    return await answer(request, services, recording_id, ("tiles", name, part, ordering), ask)


@router.get(
    "/orders",
    summary="The units of a cell in an order",
    response_model=OrderPublic,
    responses=NOT_MODIFIED,
)
async def get_order(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    layer: Layer,
    direction: Direction = "forward",
    sort: Sort = "index",
    sort_of: SortOf = "h",
    unit: Unit = None,
) -> Response:
    """``peak``: by the timestep of the largest magnitude. ``mean``, ``variance``: the largest
    first. ``similarity``: by correlation with ``unit``. ``cluster``: alike units lie together."""
    ordering = Ordering(sort, sort_of, unit)

    async def ask(recording: StoredRecording) -> bytes:
        order = await services.analyses.order(recording, layer, direction, ordering)
        return OrderPublic(order=list(order)).model_dump_json().encode()

    asked = ("orders", layer, direction, ordering)
    return await answer(request, services, recording_id, asked, ask, media_type=JSON)


@router.get(
    "/unit-summaries",
    summary="Low, high, mean and variance of every unit",
    response_class=Response,
    responses=BYTES_RESPONSES,
)
async def get_unit_summaries(
    request: Request, recording_id: RecordingId, services: ServicesDep, name: Names
) -> Response:
    """A safetensors file: for each array ``NAME.low``, ``.high``, ``.mean`` and ``.variance``,
    float32 [units], over the finite values of all timesteps; NaN where there is none."""

    async def ask(recording: StoredRecording) -> bytes:
        return await services.analyses.unit_summaries(recording, name)

    return await answer(request, services, recording_id, ("unit-summaries", name), ask)


@router.get(
    "/matching-units",
    summary="Units that are above a value at some timesteps, and not around them",
    response_model=UnitsPublic,
    responses=NOT_MODIFIED,
)
async def get_matching_units(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    layer: Layer,
    above: Annotated[float, Query(allow_inf_nan=False)],
    direction: Direction = "forward",
    quantity: QuantityName = "h",
    start: Annotated[int | None, Query(description="First timestep.")] = None,
    stop: Annotated[int | None, Query(description="The timestep after the last.")] = None,
    off_before: Annotated[bool, Query(description="And not above it at start - 1.")] = False,
    off_after: Annotated[bool, Query(description="And not above it at stop.")] = False,
) -> Response:
    """The units whose value is above ``above`` at every timestep start ≤ t < stop. Before the
    first timestep and after the last every unit counts as off."""
    sides = {"off_before": off_before, "off_after": off_after}

    async def ask(recording: StoredRecording) -> bytes:
        name, rows = f"{layer}.{direction}.{quantity}", recording.file.rows(start, stop)
        units = await services.analyses.matching_units(recording, name, rows, above, **sides)
        return UnitsPublic(units=units).model_dump_json().encode()

    asked = ("matching-units", layer, direction, quantity, start, stop, above, sides)
    return await answer(request, services, recording_id, asked, ask, media_type=JSON)
