"""From a file somebody brings to a recording of what is in it."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx2
import pytest
import safetensors.torch
import torch
from starlette.testclient import TestClient
from torch import nn

from lstm_core.checkpoints import sandbox
from server.errors import BusyError
from server.turns import Turns
from tests.server import worlds
from tests.server.files import (
    LETTERS,
    OCTETS,
    VOCABULARY,
    Letters,
    bring,
    hostile,
    letters,
    numbers,
    open_model,
    refused,
    saved,
)
from tests.server.worlds import arrays, problem, record

TEXT = "the sun is shiny"
CHOICES = {"tokenizer": "characters"}


@pytest.mark.parametrize("kind", ["torch.save", "safetensors", "a training checkpoint"])
def test_the_numbers_of_an_opened_model_are_those_of_torch(client: TestClient, kind: str) -> None:
    model = Letters(seed=3)
    state = model.state_dict()
    data = {
        "torch.save": lambda: saved(state),
        "safetensors": lambda: safetensors.torch.save(state),
        "a training checkpoint": lambda: saved({"epoch": 3, "model_state_dict": state}),
    }[kind]()
    vocabulary = bring(client, VOCABULARY, "letters.json", to="vocabularies")
    made = open_model(client, data, vocabulary=vocabulary["id"], choices=CHOICES)
    assert made["source"] == "opened"
    assert made["task"] == "next_token"
    recording = record(client, TEXT, made["id"])
    assert recording["parity"]["ok"]
    assert [token["text"] for token in recording["tokens"]] == list(TEXT)
    with torch.no_grad():
        ids = torch.tensor([LETTERS.index(letter) for letter in TEXT])
        output, _ = model.lstm(model.embedding(ids))
        scores = torch.softmax(model.fc(output), dim=-1)
    ours = arrays(client, recording["id"])
    torch.testing.assert_close(ours["1.forward.h"], output, rtol=0, atol=1e-6)
    torch.testing.assert_close(ours["scores"], scores, rtol=0, atol=1e-6)


def test_what_is_in_a_file_is_told_and_what_it_leaves_open_asked(client: TestClient) -> None:
    told = bring(client, saved(Letters().state_dict()), "my letters.pt")
    assert re.fullmatch("[0-9a-f]{32}", told["id"])
    assert told["name"] == "my letters.pt"
    assert told["format"] == "PyTorch"
    assert {"name": "embedding.weight", "shape": [29, 8], "dtype": "float32"} in told["tensors"]
    fields = {field["name"]: field for field in told["proposal"]["fields"]}
    assert fields["lstm"]["value"] == "lstm"
    assert fields["vocabulary"]["asked"]
    assert [m["hidden_size"] for m in told["proposal"]["lstm"]["modules"]] == [12]
    assert told["proposal"]["unused"] == []
    assert told["proposal"]["problem"] is None


def test_one_choice_narrows_the_next(client: TestClient) -> None:
    checkpoint = bring(client, letters())["id"]
    vocabulary = bring(client, VOCABULARY, to="vocabularies")
    assert vocabulary["tables"] == [{"name": "", "entries": 29, "sample": LETTERS[:12]}]

    def ask(**wanted: Any) -> Any:
        reply = client.post(f"/api/checkpoints/{checkpoint}/proposal", json=wanted)
        assert reply.status_code == 200, reply.text
        return {field["name"]: field for field in reply.json()["fields"]}

    assert "tokenizer" not in ask()
    assert ask(vocabulary=vocabulary["id"])["tokenizer"]["value"] == "characters"
    assert "task" not in ask(choices={"head": "none"})
    wrong = {"choices": {"head": "attention"}}
    told = problem(client.post(f"/api/checkpoints/{checkpoint}/proposal", json=wrong), 422)
    assert "fc.weight" in told["exists"]
    told = problem(client.post("/api/models", json={"checkpoint": checkpoint, **wrong}), 422)
    assert "fc.weight" in told["exists"]
    unknown = {"choices": {"colour": "blue"}}
    problem(client.post(f"/api/checkpoints/{checkpoint}/proposal", json=unknown), 422)


def test_equal_files_and_choices_are_one_model_and_others_another(client: TestClient) -> None:
    first = open_model(client, letters(seed=7), title="One")
    again = client.post(
        "/api/models", json={"checkpoint": bring(client, letters(seed=7))["id"], "title": "Two"}
    )
    assert again.status_code == 200
    assert again.headers["location"] == f"/api/models/{first['id']}"
    assert again.json()["id"] == first["id"] == first["digest"]
    assert [first["title"], again.json()["title"]] == ["One", "Two"]
    other = open_model(client, letters(seed=7), choices={"head": "none"})
    another = open_model(client, letters(seed=8))
    assert len({first["id"], other["id"], another["id"]}) == 3
    assert other["title"] == "letters"
    listed = [model["id"] for model in client.get("/api/models").json()]
    assert len(listed) == len(set(listed))
    assert record(client, "1 2 3", other["id"])["parity"]["ok"]
    assert record(client, "1 2 3", another["id"])["parity"]["ok"]


def test_an_lstm_alone_reads_a_table(client: TestClient) -> None:
    made = open_model(client, numbers())
    assert (made["task"], made["split"]) == (None, "table")
    table = bring(client, b"a,b,c\n1,2,3\n4,5,6\n", "x.csv", to="tables")
    assert table == {
        "text": "a,b,c\n1,2,3\n4,5,6\n",
        "timesteps": 2,
        "columns": ["a", "b", "c"],
    }
    recording = record(client, table["text"], made["id"])
    assert recording["timesteps"] == 2
    lstm = nn.LSTM(3, 5, bidirectional=True)
    lstm.load_state_dict(safetensors.torch.load(numbers()))
    with torch.no_grad():
        output, _ = lstm(torch.tensor([[1.0, 2, 3], [4, 5, 6]]))
    ours = arrays(client, recording["id"])
    h = torch.cat([ours["0.forward.h"], ours["0.backward.h"]], dim=-1)
    torch.testing.assert_close(h, output, rtol=0, atol=1e-6)


def test_a_numpy_file_is_a_table_too(client: TestClient, tmp_path: Path) -> None:
    import numpy as np

    np.save(tmp_path / "x.npy", np.array([[0.1, 2], [3, 4]], dtype=np.float32))
    table = bring(client, (tmp_path / "x.npy").read_bytes(), "x.npy", to="tables")
    assert table["text"] == "0.1,2.0\n3.0,4.0\n"
    assert table["timesteps"] == 2
    for wrong in (b"a,b\n", b"", b"\x93NUMPY\x01\x00", b"\xff\xfe\xfd"):
        told = refused(client, wrong, to="tables")
        assert told["detail"]


def test_a_table_longer_than_a_recording_may_be_is_refused(models: Path) -> None:
    with worlds.client_with(models, max_table_characters=100, max_characters=50) as client:
        assert refused(client, b"1,2\n" * 26, to="tables")["expected"] == "at most 100"
        made = open_model(client, numbers(2))
        body = {"model": made["id"], "text": "1,2\n" * 20}
        assert client.post("/api/recordings", json=body).status_code == 201
        told = problem(client.post("/api/recordings", json={**body, "text": "1,2\n" * 26}), 422)
        assert told["expected"] == "at most 100 characters"
        told = problem(
            client.post("/api/recordings", json={"model": "chars", "text": "a" * 51}), 422
        )
        assert told["expected"] == "at most 50 characters"


# --- refusals -----------------------------------------------------------------------------------

REFUSED = {
    "no LSTM": lambda: saved({"fc.weight": torch.zeros(3, 4)}),
    "a GRU": lambda: saved(nn.GRU(3, 4).state_dict()),
    "no tensors": lambda: saved({"epoch": 3}),
    "JSON": lambda: VOCABULARY,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_checkpoint_is_said_in_words(client: TestClient, data: Any) -> None:
    told = refused(client, data())
    assert told["type"].startswith("urn:gatescope:problem:checkpoint")
    assert len(told["detail"]) > 20


def test_what_is_no_vocabulary_is_said_in_words(client: TestClient) -> None:
    for data in (b"", b"{}", b"[1, 2]", b"\xff\xff\xff", letters()):
        assert refused(client, data, to="vocabularies")["came"]


def test_no_hostile_file_does_anything_and_the_server_answers_meanwhile(
    models: Path, tmp_path: Path
) -> None:
    """Through a real loop: health is asked while each file is read, and answered before it."""
    marker = tmp_path / "marker"
    folder = tmp_path / "data"
    app = worlds.app_with(models, data_folder=folder, workers=2)

    async def run() -> None:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url=worlds.BASE, timeout=60) as client,
        ):
            for name, data in hostile(str(marker)).items():
                answered: list[str] = []

                async def bring_it(data: bytes, answered: list[str]) -> Any:
                    reply = await client.post(
                        "/api/checkpoints?name=evil.pt", content=data, headers=OCTETS
                    )
                    answered.append("file")
                    return reply

                async def health(answered: list[str]) -> None:
                    reply = await client.get("/api/health")
                    assert reply.status_code == 200
                    answered.append("health")

                reply, _ = await asyncio.gather(bring_it(data, answered), health(answered))
                told = problem(reply, 422)
                assert told["detail"], name
                assert answered[0] == "health", name
                for path in (tempfile.gettempdir(), str(tmp_path), sys.prefix, "site-packages"):
                    assert path not in reply.text, name
            assert left(folder) == []

    asyncio.run(run())
    assert not marker.exists()


def left(folder: Path) -> list[str]:
    """Files in a data folder but the locks."""
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


def test_no_path_of_ours_is_in_an_error(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstm_core.errors import CheckpointError

    async def careless(_: str, request: Any, **__: Any) -> Any:
        path = request["path"]
        raise CheckpointError(f"No such {path}", came=path, expected=path, exists=[path])

    monkeypatch.setattr(sandbox, "run_async", careless)
    reply = client.post("/api/checkpoints?name=mine.pt", content=b"x", headers=OCTETS)
    told = problem(reply, 422)
    assert told["came"] == told["expected"] == "mine.pt"
    assert told["exists"] == ["mine.pt"]
    assert "temporary" not in reply.text


def test_half_a_surrogate_pair_in_a_file_breaks_no_reply(client: TestClient) -> None:
    state = Letters().state_dict()
    words = ["\ud800", *LETTERS[1:]]
    reply = client.post(
        "/api/checkpoints",
        content=saved({"model": state, "vocab": words, "\udc00": torch.zeros(2, 2)}),
        headers=OCTETS,
    )
    assert reply.status_code in (201, 422)
    told = worlds.strict(reply.text)
    if reply.status_code == 201:
        body = {"checkpoint": told["id"]}
        assert client.post("/api/models", json=body).status_code in (201, 422)


def test_a_file_with_too_many_weights_is_refused(models: Path) -> None:
    with worlds.client_with(models, max_parameters=1000) as client:
        told = refused(client, letters())
        assert "1,000" in told["expected"]


def test_a_file_that_takes_too_long_is_given_up(models: Path) -> None:
    with worlds.client_with(models, parse_seconds=0.01) as client:
        refused(client, letters())
        assert client.get("/api/health").status_code == 200


def test_a_file_that_asks_for_more_memory_than_allowed_is_given_up(models: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux holds a process to its address space")
    with worlds.client_with(models, parse_memory_bytes=50_000_000) as client:
        refused(client, letters())


# --- turns --------------------------------------------------------------------------------------


def test_one_file_is_read_at_a_time_and_the_queue_has_an_end() -> None:
    async def run() -> None:
        turns = Turns(1, queue_limit=1)
        running = 0

        async def work() -> None:
            nonlocal running
            async with turns.turn():
                running += 1
                assert running == 1
                await asyncio.sleep(0)
                running -= 1

        async with turns.turn():
            waiting = asyncio.create_task(work())
            await asyncio.sleep(0)
            with pytest.raises(BusyError):
                turns.check()
            with pytest.raises(BusyError):
                await work()
            waiting.cancel()
            await asyncio.sleep(0)
            turns.check()  # whoever has left the queue makes room
        await work()

    asyncio.run(run())


def test_a_client_that_goes_ends_the_reading(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    async def endless(task: str, *_: Any, **__: Any) -> Any:
        try:
            gone.set()
            await asyncio.Event().wait()
        finally:
            ended.append(task)

    monkeypatch.setattr(sandbox, "run_async", endless)
    app = worlds.app_with(models, data_folder=tmp_path)
    gone = asyncio.Event()

    async def run() -> None:
        messages = [{"type": "http.request", "body": b"abc", "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop(0)
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            raise AssertionError(message)

        async with app.router.lifespan_context(app):
            await app(scope("/api/checkpoints"), receive, send)
            for _ in range(5):  # what was cancelled ends in its own turn
                await asyncio.sleep(0)
            assert ended == ["inspect"]
            assert left(tmp_path) == []

    asyncio.run(run())


def scope(path: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            (b"content-type", b"application/octet-stream"),
            *headers,
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }


# --- forgetting ---------------------------------------------------------------------------------


def test_a_file_can_be_forgotten_and_its_model_stays(client: TestClient) -> None:
    checkpoint = bring(client, letters(seed=11))["id"]
    made = client.post("/api/models", json={"checkpoint": checkpoint}).json()
    assert client.delete(f"/api/checkpoints/{checkpoint}").status_code == 204
    problem(client.delete(f"/api/checkpoints/{checkpoint}"), 404)
    problem(client.post("/api/models", json={"checkpoint": checkpoint}), 404)
    problem(client.post(f"/api/checkpoints/{checkpoint}/proposal", json={}), 404)
    assert client.get(f"/api/models/{made['id']}").status_code == 200


def test_a_vocabulary_is_no_checkpoint(client: TestClient) -> None:
    vocabulary = bring(client, VOCABULARY, to="vocabularies")["id"]
    checkpoint = bring(client, letters())["id"]
    problem(client.post("/api/models", json={"checkpoint": vocabulary}), 404)
    body = {"checkpoint": checkpoint, "vocabulary": checkpoint}
    problem(client.post("/api/models", json=body), 404)
    problem(client.post(f"/api/checkpoints/{checkpoint}/proposal", json={"vocabulary": "x"}), 404)


def test_the_card_tells_what_was_chosen(client: TestClient) -> None:
    card = open_model(client, letters())["card"]
    assert card["summary"] == "Opened from letters.safetensors."
    assert card["format"] == "safetensors"
    assert json.dumps(card)
