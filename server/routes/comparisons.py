"""Recorded arrays beside each other: of layers, directions, sentences and models."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from lstm_core.errors import InputError
from server.analyses import Ordering, QuantityName, Sort, Statistic, Tile
from server.comparisons import Matrix, Sides, Space, checked_matrix
from server.deps import ServicesDep
from server.responses import BYTES_RESPONSES, JSON, NOT_MODIFIED
from server.routes.answers import answer_together, hold
from server.routes.recordings import RecordingId, wants_lines
from server.schemas import BestMatchesPublic, ComparisonPublic, SimilarityPublic
from server.store import StoredRecording
from server.streams import LINES, LinesResponse

router = APIRouter(prefix="/recordings/{recording_id}", tags=["recordings"])

Name = Annotated[str, Query(max_length=200, description="Which array.")]
Names = Annotated[list[str], Query(alias="name", max_length=5000, description="Which arrays.")]
Id = Annotated[str, Query(max_length=200)]
Other = Annotated[
    str | None,
    Query(max_length=200, description="Id of another recording; by default the same one."),
]
OtherName = Annotated[
    str | None,
    Query(max_length=200, description="Which array of the other; by default that of the same name"),
]
Start = Annotated[int | None, Query(description="First timestep of this recording.")]
Stop = Annotated[int | None, Query(description="The timestep after the last.")]

MATRIX = {
    200: {
        "description": "The matrix; or, as lines, how far it is.",
        "content": {
            LINES: {
                "schema": {"type": "string"},
                "example": '{"progress": {"done": 3, "of": 36, "what": "comparing"}}\n',
            }
        },
    },
    **NOT_MODIFIED,
}


@router.get(
    "/similarity",
    summary="How alike arrays of any width are: linear CKA of each with each",
    response_model=SimilarityPublic,
    responses=MATRIX,
)
async def get_similarity(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    name: Names,
    other: Other = None,
    other_name: Annotated[
        list[str] | None,
        Query(max_length=5000, description="Which arrays of the other; by default the same."),
    ] = None,
    start: Start = None,
    stop: Stop = None,
    also: Annotated[
        list[Id] | None,
        Query(max_length=200, description="Recordings whose timesteps are added to these."),
    ] = None,
    other_also: Annotated[
        list[Id] | None,
        Query(max_length=200, description="With other: what each of these is compared with."),
    ] = None,
) -> Response:
    """Linear CKA (Kornblith et al. 2019) over the timesteps that both recordings have, their tokens
    aligned, and all those of ``also``, each beside itself or beside its ``other_also``. From 0 to
    1; null where an array never moves, or only one timestep is left. Timesteps with NaN or infinity
    on either side are left out.

    With ``Accept: application/x-ndjson`` the reply is a stream of JSON lines: as many
    ``{"progress": {"done", "of", "what"}}`` as there is to tell, then ``{"similarity": …}`` or
    ``{"problem": …}``. Hanging up ends the computation, unless somebody else waits for it."""
    more, other_more = also or [], other_also or []
    _check_also(other, more, other_more)
    ids = _ids(recording_id, other, *more, *other_more)

    def matrix(recordings: list[StoredRecording]) -> Matrix:
        sides = _sides(recordings, recording_id, other)
        rows = sides.recording.file.rows(start, stop)
        further = recordings[len(recordings) - len(more) - len(other_more) :]
        beside = [*further[len(more) :], *[None] * (len(more) - len(other_more))]
        pairs = [Sides(a, b) for a, b in zip(further[: len(more)], beside, strict=True)]
        return checked_matrix(sides, name, other_name or (), rows, pairs)

    async def ask(recordings: list[StoredRecording]) -> bytes:
        return await services.comparisons.similarity(matrix(recordings))

    if wants_lines(request):
        with ExitStack() as held:
            asked_for = matrix(hold(held, services, ids))
            steps = services.comparisons.follow(asked_for)
            return LinesResponse(request.url.path, steps, held.pop_all())
    asked = ("similarity", name, other, other_name, start, stop, also, other_also)
    return await answer_together(request, services, ids, asked, ask, media_type=JSON, vary="Accept")


@router.get(
    "/comparison",
    summary="Two arrays side by side at every timestep",
    response_model=ComparisonPublic,
    responses=NOT_MODIFIED,
)
async def get_comparison(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    name: Name,
    other: Other = None,
    other_name: OtherName = None,
    start: Start = None,
    stop: Stop = None,
    threshold: Annotated[
        float,
        Query(ge=0, le=2, allow_inf_nan=False, description="Relative distance at which they part."),
    ] = 0.5,
) -> Response:
    """Tokens are aligned; ``null`` stands for the timestep of a token that has no partner. Cosine,
    distance ‖a - b‖ and relative distance ‖a - b‖ / ½(‖a‖ + ‖b‖) need equal widths, CKA and norms
    do not. ``parts_at`` is the first pair, in the order the network computes them, beyond the
    threshold or without a partner. ``moved`` is ½ Σ |p - q| of the two predictions."""

    async def ask(recordings: list[StoredRecording]) -> bytes:
        sides = _sides(recordings, recording_id, other)
        rows = sides.recording.file.rows(start, stop)
        return await services.comparisons.comparison(
            sides, name, other_name or name, rows, threshold
        )

    asked = ("comparison", name, other, other_name, start, stop, threshold)
    ids = _ids(recording_id, other)
    return await answer_together(request, services, ids, asked, ask, media_type=JSON)


@router.get(
    "/best-matches",
    summary="For each unit of one array the unit of another that does the same",
    response_model=BestMatchesPublic,
    responses=NOT_MODIFIED,
)
async def get_best_matches(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    name: Name,
    other: Other = None,
    other_name: OtherName = None,
    start: Start = None,
    stop: Stop = None,
) -> Response:
    """By Pearson's r over the timesteps both recordings have: the largest |r|, given with its
    sign, and the partner in the assignment one to one whose sum of |r| is largest (Li et al. 2015).
    Units that never move have no partner."""

    async def ask(recordings: list[StoredRecording]) -> bytes:
        sides = _sides(recordings, recording_id, other)
        rows = sides.recording.file.rows(start, stop)
        return await services.comparisons.best_matches(sides, name, other_name or name, rows)

    asked = ("best-matches", name, other, other_name, start, stop)
    ids = _ids(recording_id, other)
    return await answer_together(request, services, ids, asked, ask, media_type=JSON)


@router.get(
    "/paths",
    summary="The states of all timesteps as points in a few dimensions",
    response_class=Response,
    responses=BYTES_RESPONSES,
)
async def get_paths(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    name: Names,
    also: Annotated[
        list[Id] | None, Query(max_length=20, description="Further recordings in the same space.")
    ] = None,
    components: Annotated[int, Query(ge=1, le=10)] = 3,
    space: Annotated[
        Space, Query(description="One for each array, or one for all of them together.")
    ] = "own",
    start: Start = None,
    stop: Stop = None,
) -> Response:
    """A safetensors file, float32: of the k-th recording (0 is this one) ``k.NAME`` [timesteps,
    components], principal components fitted over all the recordings, and ``explained.NAME`` (of a
    shared space ``explained``) [components], their shares of the variance. The loading of largest
    magnitude is positive; components there are not are 0; a timestep with NaN or infinity is
    NaN."""

    async def ask(recordings: list[StoredRecording]) -> bytes:
        rows = recordings[0].file.rows(start, stop)
        return await services.comparisons.paths(recordings, name, rows, components, space)

    asked = ("paths", name, also, components, space, start, stop)
    ids = [recording_id, *(also or ())]
    return await answer_together(request, services, ids, asked, ask)


@router.get(
    "/comparison-tiles",
    summary="Two arrays and their difference at the resolution a screen can show",
    response_class=Response,
    responses=BYTES_RESPONSES,
)
async def get_comparison_tiles(
    request: Request,
    recording_id: RecordingId,
    services: ServicesDep,
    name: Name,
    other: Other = None,
    other_name: OtherName = None,
    level: Annotated[int, Query(ge=0, le=60, description="A column is 2^level timesteps.")] = 0,
    tile: Annotated[int, Query(ge=0, le=10_000_000, description="Of 512 columns each.")] = 0,
    units_per_row: Annotated[int, Query(ge=1, le=10_000_000)] = 1,
    statistic: Statistic = "extreme",
    sort: Sort = "index",
    sort_of: Annotated[QuantityName, Query(description="Whose values decide.")] = "h",
    unit: Annotated[int | None, Query(ge=0, le=10_000_000)] = None,
) -> Response:
    """A safetensors file, float16 [columns, rows], cut like ``tiles``: ``one`` is the array of this
    recording, ``other`` the other one at the timesteps of this, their tokens aligned, and, where
    widths agree, ``difference`` = one - other. A bucket with a timestep that has no partner is NaN.
    The other's units come in the order of this one's where widths agree, else in their own."""
    part, ordering = Tile(level, tile, units_per_row, statistic), Ordering(sort, sort_of, unit)

    async def ask(recordings: list[StoredRecording]) -> bytes:
        sides = _sides(recordings, recording_id, other)
        return await services.comparisons.tiles(sides, name, other_name or name, part, ordering)

    asked = ("comparison-tiles", name, other, other_name, part, ordering)
    return await answer_together(request, services, _ids(recording_id, other), asked, ask)


def _check_also(other: str | None, also: list[str], other_also: list[str]) -> None:
    """Raises InputError unless each further sentence has what the first one has."""
    if len(other_also) != (len(also) if other else 0):
        raise InputError(
            "Each further sentence is compared as the first: beside itself, or beside another.",
            came=f"{len(also)} also and {len(other_also)} other_also, "
            + ("with other" if other else "without other"),
            expected="as many other_also as also" if other else "other_also only with other",
        )


def _ids(recording_id: str, other: str | None, *also: str) -> list[str]:
    return [recording_id, *([other] if other else []), *also]


def _sides(recordings: list[StoredRecording], recording_id: str, other: str | None) -> Sides:
    """The same one twice is one."""
    return Sides(recordings[0], recordings[1] if other and other != recording_id else None)
