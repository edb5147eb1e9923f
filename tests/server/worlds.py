"""Small worlds for the server's tests: tiny models, an app, a way to read what it sends."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from fastapi import FastAPI
from starlette.testclient import TestClient
from torch import Tensor

from lstm_core.model_spec import ModelSpec
from lstm_core.models import SequenceModel
from lstm_core.shape import LSTMShape, StackShape
from server.app import create_app
from server.schemas import RecordingCreate
from server.settings import Settings

BASE = "http://127.0.0.1:8000"
CHARACTERS = ["<unk>", *"abcdefghijklmnopqrstuvwxyz ,."]
WORDS = ["<unk>", "the", "sun", "is", "shiny", "<b>"]
TAGS = ["DET", "NOUN", "VERB", "ADJ"]


def characters(**lstm: Any) -> ModelSpec:
    return ModelSpec(
        title="A tiny character model",
        task="next_token",
        split="characters",
        vocabularies={"character": CHARACTERS},
        embedding={"character": 5},
        lstm=StackShape.of(LSTMShape(5, **{"hidden_size": 6, "num_layers": 2, **lstm})),
        labels=CHARACTERS,
        examples=["the sun is shiny"],
        card={"data": "none", "figure": 1.5},
    )


def words(**lstm: Any) -> ModelSpec:
    return ModelSpec(
        title="A tiny tagger",
        task="tag",
        split="words",
        vocabularies={"word": WORDS, "suffix2": ["<unk>", "he", "un", "ny"]},
        embedding={"word": 4, "suffix2": 3},
        lstm=StackShape.of(LSTMShape(7, **{"hidden_size": 6, "bidirectional": True, **lstm})),
        labels=TAGS,
    )


def save(folder: Path, spec: ModelSpec, *, seed: int = 0) -> SequenceModel:
    torch.manual_seed(seed)
    model = SequenceModel(spec)
    model.save(folder)
    return model


def save_models(folder: Path) -> None:
    """One of each kind: chars, words, projected, and nan, whose LSTM has a weight that is none."""
    save(folder / "chars", characters())
    save(folder / "words", words())
    save(folder / "projected", words(num_layers=2, proj_size=3))
    nan = save(folder / "nan", characters())
    with torch.no_grad():
        nan.lstm.weight_hh_l0[0, 0] = float("nan")
    nan.save(folder / "nan")


def app_with(folder: Path, **settings: Any) -> FastAPI:
    return create_app(Settings(model_folders=[folder], **settings))


@contextmanager
def client_with(folder: Path, **settings: Any) -> Iterator[TestClient]:
    """A client of a running app with a data folder of its own.

    Faults of the server are answers, not exceptions.
    """
    with tempfile.TemporaryDirectory() as data_folder:
        app = app_with(folder, **{"data_folder": Path(data_folder), **settings})
        with TestClient(app, base_url=BASE, raise_server_exceptions=False) as client:
            yield client


def wanted(text: str, model: str = "chars") -> RecordingCreate:
    """What a request for a recording asks."""
    return RecordingCreate(model=model, text=text)


def record(client: TestClient, text: str, model: str = "chars", precision: str = "float32") -> Any:
    reply = client.post(
        "/api/recordings", json={"model": model, "text": text, "precision": precision}
    )
    assert reply.status_code in (200, 201), reply.text
    return strict(reply.text)


def arrays(client: TestClient, recording_id: str, query: str = "") -> dict[str, Tensor]:
    reply = client.get(f"/api/recordings/{recording_id}/arrays{query}")
    assert reply.status_code == 200, reply.text
    return safetensors.torch.load(reply.content)


def strict(text: str) -> Any:
    """JSON as the standard has it: no NaN, no Infinity."""

    def refuse(name: str) -> Any:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def problem(reply: Any, status: int) -> dict[str, Any]:
    """The problem a reply holds, checked for what every problem has."""
    assert reply.status_code == status, (reply.status_code, reply.text)
    assert reply.headers["content-type"] == "application/problem+json"
    body = strict(reply.text)
    assert body["status"] == status
    assert {"type", "title", "detail", "instance"} <= set(body)
    assert "Traceback" not in reply.text
    result: dict[str, Any] = body
    return result
