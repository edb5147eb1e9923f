"""What handlers ask for by type."""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from server.analyses import Analyses
from server.comparisons import Comparisons
from server.data_folder import DataFolder
from server.exports import Exports
from server.kept_models import KeptModels
from server.recording_folders import RecordingFolders
from server.recordings import Recordings
from server.settings import Settings
from server.shelf import ModelShelf
from server.turns import Turns
from server.uploads import Uploads
from server.workers import Workers

if TYPE_CHECKING:
    from server.opening import Opening


@dataclass(frozen=True)
class Services:
    """What lives as long as the server; made in the lifespan."""

    settings: Settings
    shelf: ModelShelf
    workers: Workers
    recordings: Recordings
    analyses: Analyses
    comparisons: Comparisons
    exports: Exports
    folders: RecordingFolders
    data: DataFolder
    kept: KeptModels
    uploads: Uploads
    parsing: Turns

    @property
    def shared(self) -> bool:
        """Whether a cache that others use may keep a reply: nobody needs a token for it."""
        return self.settings.token is None

    async def opening(self) -> Opening:
        """Its module imports numpy, for which neither the start nor another request waits."""
        module = await asyncio.to_thread(importlib.import_module, "server.opening")
        opening: Opening = module.Opening(self.settings, self.uploads, self.parsing)
        return opening


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services)]
