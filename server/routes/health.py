"""Is it alive, and what is it?"""

from __future__ import annotations

from fastapi import APIRouter

from server.about import version
from server.deps import ServicesDep
from server.schemas import AboutPublic, HealthPublic, LimitsPublic

router = APIRouter(tags=["server"])


@router.get("/health", summary="Is the server alive?")
async def get_health(services: ServicesDep) -> HealthPublic:
    """Needs no token and waits for nothing."""
    return HealthPublic(version=version(), workers=services.workers.status)


@router.get("/about", summary="Versions and limits")
async def get_about(services: ServicesDep) -> AboutPublic:
    settings = services.settings
    return AboutPublic(
        version=version(),
        plotly=version("plotly"),
        plotly_url=f"/vendor/plotly.min.js?v={version('plotly')}",
        token_needed=settings.token is not None,
        limits=LimitsPublic(
            **{name: getattr(settings, name) for name in LimitsPublic.model_fields}
        ),
    )
