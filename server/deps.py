"""What handlers ask for by type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from server.recordings import Recordings
from server.settings import Settings
from server.shelf import ModelShelf
from server.workers import Workers


@dataclass(frozen=True)
class Services:
    """What lives as long as the server; made in the lifespan."""

    settings: Settings
    shelf: ModelShelf
    workers: Workers
    recordings: Recordings


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services)]
