"""Networks that have learned nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from starlette.testclient import TestClient
from torch import nn

from lstm_core.fresh import fresh_model
from lstm_core.shape import LSTMShape
from server.fresh import parameters
from tests.server import worlds
from tests.server.worlds import arrays, problem, record


def make(client: TestClient, status: int = 201, **wanted: Any) -> Any:
    reply = client.post("/api/models/fresh", json=wanted)
    assert reply.status_code == status, reply.text
    return reply.json()


def test_it_is_the_lstm_that_torch_makes_of_the_same_seed(client: TestClient) -> None:
    options = {"input_size": 4, "hidden_size": 6, "num_layers": 2, "bidirectional": True}
    made = make(client, **options, seed=5, reads="numbers")
    assert (made["source"], made["task"], made["split"]) == ("fresh", None, "table")
    torch.manual_seed(5)
    lstm = nn.LSTM(4, 6, num_layers=2, bidirectional=True)
    x = torch.tensor([[0.5, -1, 2, 3], [1, 0, 0, 1]])
    text = "\n".join(",".join(map(str, row)) for row in x.tolist())
    recording = record(client, text, made["id"])
    with torch.no_grad():
        output, _ = lstm(x)
    ours = arrays(client, recording["id"])
    h = torch.cat([ours["1.forward.h"], ours["1.backward.h"]], dim=-1)
    torch.testing.assert_close(h, output, rtol=0, atol=1e-6)


def test_it_reads_words_and_says_what_it_is(client: TestClient) -> None:
    made = make(client, input_size=4, hidden_size=6)
    assert made["title"] == "Fresh nn.LSTM(4, 6)"
    assert made["examples"]
    assert record(client, made["examples"][0], made["id"])["parity"]["ok"]


def test_the_same_options_are_the_same_model(client: TestClient) -> None:
    first = make(client, input_size=3, hidden_size=3, seed=1, title="One")
    again = make(client, 200, input_size=3, hidden_size=3, seed=1)
    assert (again["id"], again["title"]) == (first["id"], "One")
    assert make(client, input_size=3, hidden_size=3, seed=2)["id"] != first["id"]
    assert (
        client.patch(f"/api/models/{first['id']}", json={"title": "x"}).json()["source"] == "fresh"
    )
    assert client.delete(f"/api/models/{first['id']}").status_code == 204


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden_size": 0},
        {"input_size": 0},
        {"num_layers": 0},
        {"num_layers": 1001},
        {"hidden_size": 10**12},
        {"proj_size": 6},
        {"proj_size": -1},
        {"seed": -1},
        {"seed": 2**53},
        {"reads": "letters"},
        {"dropout": 0.5},
        {"hidden_size": 1e999},
        {"hidden_size": 1.5},
        {"title": ""},
    ],
)
def test_what_no_lstm_can_have_is_refused(client: TestClient, wrong: dict[str, Any]) -> None:
    body = {"input_size": 4, "hidden_size": 6, **wrong}
    reply = client.post(
        "/api/models/fresh",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert len(problem(reply, 422)["detail"]) > 20


def test_the_weights_are_counted_before_any_is_made(models: Path) -> None:
    with worlds.client_with(models, max_parameters=10_000) as client:
        count = parameters(LSTMShape(4, 6), words=True)
        assert count < 10_000
        make(client, input_size=4, hidden_size=6)
        for size in ({"hidden_size": 50}, {"hidden_size": 10_000_000, "num_layers": 1000}):
            told = problem(client.post("/api/models/fresh", json={"input_size": 4, **size}), 422)
            assert told["expected"] == "at most 10,000"


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("reads", ["words", "numbers"])
@pytest.mark.parametrize(
    "options", [{}, {"bias": False}, {"bidirectional": True, "num_layers": 3, "proj_size": 2}]
)
def test_the_count_is_the_models(reads: Any, options: Any) -> None:
    shape = LSTMShape(4, 6, **options)
    made = fresh_model(shape, reads=reads)
    assert parameters(shape, words=reads == "words") == made.spec.parameters
