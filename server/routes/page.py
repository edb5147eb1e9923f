"""The page itself and plotly.js, both from this machine."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import FileResponse, Response

from server.about import STATIC, plotly_file, version
from server.responses import has_copy

router = APIRouter(include_in_schema=False)

FOR_EVER = "public, max-age=31536000, immutable"
FOR_A_DAY = "public, max-age=86400"


def serve_page(app: FastAPI) -> None:
    """Everything no other route answers is a file of the page, or a 404."""
    app.frontend("/", directory=STATIC, fallback=None)


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
