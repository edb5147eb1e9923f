"""What a long recording says of itself while it is made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from server import recordings
from server.progress import ProgressWriter, read_progress
from server.recordings import Recordings
from server.workers import Workers
from tests.server import worlds
from tests.server.worlds import problem, record, strict

LINES = {"Accept": "application/x-ndjson"}


def follow(client: TestClient, text: str, model: str = "chars", **headers: str) -> list[Any]:
    """What the stream says, line by line."""
    body = {"model": model, "text": text}
    reply = client.post("/api/recordings", json=body, headers={**LINES, **headers})
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/x-ndjson"
    assert reply.text.endswith("\n")
    return [strict(line) for line in reply.text.splitlines()]


def test_each_layer_and_direction_is_told_and_then_the_recording(client: TestClient) -> None:
    *steps, last = follow(client, "the sun is shiny " * 3, "projected")
    steps = [step["progress"] for step in steps]
    assert [step["what"] for step in steps] == [
        "waiting",
        "layer 0 forward",
        "layer 0 backward",
        "layer 1 forward",
        "layer 1 backward",
        "comparing with PyTorch",
        "writing",
    ]
    shares = [step["done"] / step["of"] for step in steps]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1] < 1) == (0, True)
    made = last["recording"]
    assert made == record(client, "the sun is shiny " * 3, "projected")


def test_what_is_there_already_is_the_only_line(client: TestClient) -> None:
    made = record(client, "there already")
    assert follow(client, "there already") == [{"recording": made}]


def test_without_asking_for_it_the_reply_is_one_piece(client: TestClient) -> None:
    for accept in ("*/*", "application/json", "application/x-ndjsonx"):
        body = {"model": "chars", "text": f"as {accept}"}
        reply = client.post("/api/recordings", json=body, headers={"Accept": accept})
        assert (reply.status_code, reply.json()["text"]) == (201, body["text"])


@pytest.mark.parametrize(
    "accept", ["application/json, application/x-ndjson;q=0.9", "Application/X-NDJSON"]
)
def test_it_may_be_asked_for_among_others(client: TestClient, accept: str) -> None:
    assert "recording" in follow(client, f"asked as {accept}", Accept=accept)[-1]


def test_a_problem_ends_the_stream(client: TestClient) -> None:
    first, last = follow(client, " \t ", "words")
    assert first["progress"]["what"] == "waiting"
    told = last["problem"]
    assert (told["status"], told["type"]) == (422, "urn:gatescope:problem:text")
    assert told["instance"] == "/api/recordings"
    assert "white space" in told["detail"]


def test_what_is_refused_at_once_has_its_own_status(client: TestClient) -> None:
    for body, status in (
        ({"model": "none", "text": "a"}, 404),
        ({"model": "chars", "text": "a" * 200_001}, 422),
        ({"model": "chars"}, 422),
    ):
        problem(client.post("/api/recordings", json=body, headers=LINES), status)


def test_a_fault_of_ours_is_logged_and_ends_the_stream(
    models: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any) -> Any:
        raise ArithmeticError("a secret")

    monkeypatch.setattr(Recordings, "_record", fail)
    with worlds.client_with(models) as client:
        told = follow(client, "a")[-1]["problem"]
    assert (told["status"], told["type"]) == (500, "urn:gatescope:problem:fault")
    assert told["request_id"] in caplog.text
    assert "ArithmeticError" in caplog.text
    assert "secret" not in str(told)


def test_steps_survive_their_writer_and_half_a_line_is_none(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    tell = ProgressWriter(path)
    tell(1, 2, "nobody made the file")
    assert read_progress(path) == []
    path.touch()
    tell(1, 3, "first")
    tell(2, 3, "ſecond")
    with path.open("a") as file:
        file.write('{"done": 3, "of"')
    assert read_progress(path) == [
        {"done": 1, "of": 3, "what": "first"},
        {"done": 2, "of": 3, "what": "ſecond"},
    ]


# --- several who wait, and some who leave -------------------------------------------------------


class Listener:
    """Asks for a recording as lines, keeps what comes, and may leave."""

    def __init__(self, app: FastAPI, text: str) -> None:
        self.app = app
        self.body = json.dumps({"model": "chars", "text": text}).encode()
        self.left = asyncio.Event()
        self.heard: list[Any] = []
        self.task = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        messages = [{"type": "http.request", "body": self.body, "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await self.left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            self.heard += [strict(line) for line in message.get("body", b"").splitlines()]

        await self.app(_scope(), receive, send)

    @property
    def steps(self) -> list[str]:
        return [line["progress"]["what"] for line in self.heard if "progress" in line]


def _scope() -> dict[str, Any]:
    headers = [
        (b"host", b"localhost"),
        (b"content-type", b"application/json"),
        (b"accept", b"application/x-ndjson"),
    ]
    return {
        "type": "http",
        "method": "POST",
        "path": "/api/recordings",
        "query_string": b"",
        "headers": headers,
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 8000),
    }


async def heard(listeners: Sequence[Listener], what: str) -> None:
    async with asyncio.timeout(20):
        while not all(what in listener.steps for listener in listeners):
            await asyncio.sleep(0.02)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Recordings that say two steps and then take for ever; the folders they are made in."""
    folders: list[str] = []

    async def run(_: Workers, job: str, *args: Any) -> Any:
        if job != "record":
            return None
        folders.append(args[4])
        tell = ProgressWriter(Path(args[4], "progress"))
        for step in range(2):
            tell(step, 3, f"step {step}")
            await asyncio.sleep(0.2)
        await asyncio.sleep(1000)

    monkeypatch.setattr(Workers, "run", run)
    monkeypatch.setattr(recordings, "GRACE_SECONDS", 0.1)
    return folders


def test_all_who_wait_hear_every_step_and_the_last_to_leave_ends_it(
    models: Path, tmp_path: Path, slow: list[str]
) -> None:
    app = worlds.app_with(models, data_folder=tmp_path)

    async def story() -> None:
        async with app.router.lifespan_context(app):
            first = Listener(app, "the same")
            await heard([first], "step 0")
            second = Listener(app, "the same")
            await heard([first, second], "step 1")
            assert first.steps == second.steps == ["waiting", "step 0", "step 1"]
            first.left.set()
            await first.task
            await asyncio.sleep(0.3)
            (folder,) = slow
            assert Path(folder).is_dir()
            second.left.set()
            await second.task
            async with asyncio.timeout(10):
                while Path(folder).exists():
                    await asyncio.sleep(0.02)

    asyncio.run(story())


def test_whoever_asks_again_after_all_have_left_begins_anew(
    models: Path, tmp_path: Path, slow: list[str]
) -> None:
    app = worlds.app_with(models, data_folder=tmp_path)

    async def story() -> None:
        async with app.router.lifespan_context(app):
            for n in range(2):
                listener = Listener(app, "again")
                await heard([listener], "step 0")
                listener.left.set()
                await listener.task
                await asyncio.sleep(0.3)
                assert len(slow) == n + 1
            left = app.state.services.recordings._flights
            assert left == {}

    asyncio.run(story())
