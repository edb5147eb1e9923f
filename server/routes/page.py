"""The page itself and plotly.js, both from this machine."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from server.about import STATIC, plotly_file, version
from server.page_files import PageFiles
from server.responses import has_copy

router = APIRouter(include_in_schema=False)

FOR_EVER = "public, max-age=31536000, immutable"
FOR_A_DAY = "public, max-age=86400"

#: Kept by every server of this process: they are the package's own and the same for all.
FILES = PageFiles(STATIC)


def serve_page(app: FastAPI) -> None:
    """Everything no other route answers is a file of the page, or a 404."""
    app.frontend("/", directory=STATIC, fallback=None)


@router.api_route("/js/{path:path}", methods=["GET", "HEAD"])
async def get_script(request: Request, path: str) -> Response:
    return _page_file(request, f"js/{path}")


@router.api_route("/css/{path:path}", methods=["GET", "HEAD"])
async def get_style(request: Request, path: str) -> Response:
    return _page_file(request, f"css/{path}")


def _page_file(request: Request, path: str) -> Response:
    file = FILES.get(path)
    if file is None:
        raise HTTPException(404)
    headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
    if has_copy(request, file.etag):
        return Response(status_code=304, headers=headers)
    return Response(file.data, headers=headers, media_type=file.media_type)


@router.api_route("/vendor/plotly.min.js", methods=["GET", "HEAD"])
async def get_plotly(request: Request) -> Response:
    """Under its version (?v=) it never changes."""
    current = version("plotly")
    etag = f'"plotly-{current}"'
    headers = {
        "ETag": etag,
        "Cache-Control": FOR_EVER if request.query_params.get("v") == current else FOR_A_DAY,
    }
    if has_copy(request, etag):
        return Response(status_code=304, headers=headers)
    return FileResponse(plotly_file(), headers=headers, media_type="text/javascript")
