"""The models a worker keeps at hand."""

from __future__ import annotations

import pytest

from lstm_core import catalogue
from server import jobs
from tests.server import worlds


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Three models, and room for two of them."""
    monkeypatch.setattr(jobs, "_models", type(jobs._models)())
    folders = []
    for n in range(3):
        folder = tmp_path / str(n)
        worlds.save(folder, worlds.words(), seed=n)
        folders.append((str(folder), catalogue.digest(folder), "float32"))
    size = jobs._nbytes(jobs._load(*folders[0]))
    monkeypatch.setattr(jobs, "MODEL_BYTES", 2.5 * size)
    return folders


def test_a_model_is_loaded_once(models):
    assert jobs._model(*models[0]) is jobs._model(*models[0])


def test_the_one_used_longest_ago_makes_room(models):
    first, second = jobs._model(*models[0]), jobs._model(*models[1])
    assert jobs._model(*models[0]) is first

    jobs._model(*models[2])

    assert jobs._model(*models[0]) is first
    assert jobs._model(*models[1]) is not second


def test_one_that_is_too_large_by_itself_is_the_only_one(models, monkeypatch):
    monkeypatch.setattr(jobs, "MODEL_BYTES", 1)

    for model in models:
        jobs._model(*model)

    assert list(jobs._models) == [models[2]]
