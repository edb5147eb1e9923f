"""``create_app``: puts the server together. Nothing happens at import."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from lstm_core.errors import LSTMCoreError
from server.about import version
from server.analyses import Analyses
from server.comparisons import Comparisons
from server.data_folder import DataFolder
from server.deps import Services
from server.errors import visible
from server.exports import Exports
from server.guards import (
    BodyGuard,
    CrossSiteGuard,
    FaultGuard,
    HeaderGuard,
    HostGuard,
    TokenGuard,
    careful_headers,
)
from server.kept_models import KeptModels
from server.openapi import add_problems
from server.recording_folders import RecordingFolders
from server.recordings import Recordings
from server.responses import PROBLEM_RESPONSES, error_problem, problem
from server.routes import (
    analyses,
    checkpoints,
    comparisons,
    continuations,
    exports,
    health,
    models,
    offline,
    page,
    predictions,
    quantities,
    recordings,
    sentences,
    session,
    tables,
    vocabularies,
)
from server.schemas import FieldProblemPublic
from server.settings import Settings
from server.shelf import ModelShelf
from server.store import RecordingStore
from server.turns import Turns
from server.uploads import Uploads
from server.workers import READING, Workers

NOUNS = (
    *(health, quantities, models, checkpoints, vocabularies, tables),
    *(recordings, analyses, comparisons, predictions, continuations),
    *(exports, sentences, session, offline),
)

#: How often is looked for uploads whose time is over.
EXPIRE_SECONDS = 60

TAGS = [
    {"name": "models", "description": "The models that can be recorded."},
    {"name": "files", "description": "Weights, vocabularies and tables that people bring."},
    {"name": "recordings", "description": "Every gate and state of one sentence."},
    {"name": "quantities", "description": "What is recorded of each cell."},
    {"name": "sentences", "description": "Text files."},
    {"name": "server", "description": "The server itself."},
]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app. Its workers start and end with its lifespan."""
    settings = settings or Settings()
    app = FastAPI(
        title="Gatescope",
        summary="See inside an LSTM.",
        description="Big numbers travel as safetensors files, errors as RFC 9457 problems.",
        version=version(),
        lifespan=_lifespan(settings),
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's pages load scripts from another host
        redoc_url=None,
        openapi_tags=TAGS,
        generate_unique_id_function=_operation_id,
    )
    _add_routes(app)
    _add_guards(app, settings)
    app.add_exception_handler(LSTMCoreError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    return app


def _lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        data = DataFolder(settings.data_folder)
        kept = KeptModels(
            data, max_models=settings.max_kept_models, max_bytes=settings.max_kept_bytes
        )
        uploads = Uploads(
            data,
            max_bytes=2 * settings.max_checkpoint_bytes,
            seconds=60 * settings.upload_minutes,
        )
        shelf = ModelShelf(settings.model_folders, kept)
        workers = Workers(
            settings.workers,
            queue_limit=settings.queue_limit,
            job_seconds=settings.job_seconds,
        )
        readers = Workers(
            settings.readers,
            queue_limit=4 * settings.queue_limit,
            job_seconds=settings.job_seconds,
            module=READING,
            short=True,
        )
        exporters = Workers(
            1,
            queue_limit=settings.queue_limit,
            job_seconds=settings.job_seconds,
            module=READING,
        )
        comparers = Workers(
            1,
            queue_limit=settings.queue_limit,
            job_seconds=settings.job_seconds,
            module=READING,
        )
        folders = RecordingFolders(data)
        made = Recordings(
            shelf,
            workers,
            RecordingStore(settings.store_bytes, remove=folders.remove),
            folders,
            max_characters=settings.max_characters,
            max_table_characters=settings.max_table_characters,
            max_tokens=settings.max_tokens,
            max_bytes=settings.max_recording_bytes,
        )
        parsing = Turns(settings.workers, queue_limit=settings.queue_limit)
        looking = Analyses(readers)
        app.state.services = Services(
            settings,
            shelf,
            workers,
            made,
            looking,
            Comparisons(looking, comparers, folders),
            Exports(exporters, folders, max_bytes=settings.max_export_bytes),
            folders,
            data,
            kept,
            uploads,
            parsing,
        )
        await asyncio.to_thread(data.open)
        workers.start(lambda: _first_model(shelf))
        readers.start()
        exporters.start_when_needed()
        comparers.start_when_needed()
        expiring = asyncio.create_task(_expire(uploads))
        try:
            yield
        finally:
            expiring.cancel()
            processes = (workers, readers, exporters, comparers)
            await asyncio.gather(*(pool.stop() for pool in processes))
            await asyncio.to_thread(folders.close)

    return lifespan


async def _expire(uploads: Uploads) -> None:
    """So that a file goes even when nobody asks for it any more."""
    while True:
        await asyncio.sleep(EXPIRE_SECONDS)
        uploads.expire()


def _first_model(shelf: ModelShelf) -> tuple[str, str] | None:
    """Folder and digest of the model the page opens with."""
    model = next(iter(shelf.models().values()), None)
    return (str(model.folder), model.about.digest) if model else None


def _add_routes(app: FastAPI) -> None:
    api = APIRouter(prefix="/api", responses=PROBLEM_RESPONSES)
    for noun in NOUNS:
        api.include_router(noun.router)
    app.include_router(api)
    app.include_router(page.router)
    page.serve_page(app)
    add_problems(app)


def _add_guards(app: FastAPI, settings: Settings) -> None:
    """Innermost first; guards.py lists them from the outside in."""
    token = settings.token.get_secret_value() if settings.token else None
    files = {"/api/sentences": settings.max_file_bytes}
    streams = {
        "/api/checkpoints": settings.max_checkpoint_bytes,
        "/api/vocabularies": settings.max_vocabulary_bytes,
        "/api/tables": settings.max_vocabulary_bytes,
    }
    app.add_middleware(BodyGuard, limit=settings.max_json_bytes, limits=files, streams=streams)
    app.add_middleware(TokenGuard, token=token)
    app.add_middleware(CrossSiteGuard)
    app.add_middleware(HostGuard, host=settings.host, allowed=settings.allowed_hosts)
    app.add_middleware(FaultGuard)
    app.add_middleware(HeaderGuard, headers=careful_headers(settings.frame_ancestors))


def _operation_id(route: APIRoute) -> str:
    return route.name


# --- errors into problems -----------------------------------------------------------------------


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, LSTMCoreError)
    return error_problem(request.scope, error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    details = {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
    }
    detail = details.get(error.status_code, str(error.detail))
    return problem(request.scope, error.status_code, detail, headers=error.headers)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = [
        FieldProblemPublic(
            where=visible(".".join(map(str, found["loc"])), 200),
            message=visible(found["msg"]),
            type=found["type"],
        )
        for found in error.errors()[:20]
    ]
    detail = " ".join(f"{field.where}: {field.message.rstrip('.')}." for field in fields[:3])
    # FastAPI reads a body as JSON only when it is declared to be some, and does not say so.
    expected = None
    if any(field.where == "body" for field in fields):
        expected = "a JSON object, sent with Content-Type: application/json"
        detail += f" Expected: {expected}."
    return problem(request.scope, 422, detail, kind="invalid", expected=expected, errors=fields)
