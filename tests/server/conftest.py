"""One folder of tiny models for all; one running app per module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lstm_core import catalogue
from tests.server import worlds


@pytest.fixture(autouse=True, scope="session")
def _no_folder_of_anybodys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever forgets to name a data folder gets an empty one, never that of a person."""
    patch = pytest.MonkeyPatch()
    patch.setenv("GATESCOPE_DATA_FOLDER", str(tmp_path_factory.mktemp("data")))
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="module")
def _only_our_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The models in the box stay out: they are large, and these tests know their own by heart."""
    patch = pytest.MonkeyPatch()
    patch.setattr(catalogue, "ZOO", tmp_path_factory.mktemp("empty"))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    worlds.save_models(folder)
    return folder


@pytest.fixture(scope="module")
def client(models: Path) -> Iterator[TestClient]:
    with worlds.client_with(models) as client:
        yield client
