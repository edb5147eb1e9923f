"""A language model writes on: tokens as lines while they are made, then the recording of it all."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from lstm_core.models import load_model
from server import written
from server.written import LinesReader, LinesWriter
from tests.server import worlds
from tests.server.worlds import arrays, problem, record, strict

TEXT = "the sun"


def write_on(client: TestClient, text: str = TEXT, **wanted: Any) -> list[Any]:
    """What the stream says, line by line."""
    reply = client.post("/api/continuations", json={"model": "chars", "text": text, **wanted})
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/x-ndjson"
    return [strict(line) for line in reply.text.splitlines()]


def states(token: dict[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of one line."""
    numbers = np.frombuffer(base64.b64decode(token["states"]), dtype="<f4")
    ends = np.cumsum([width for _, width in token["arrays"]])
    assert ends[-1] == len(numbers)
    names = [name for name, _ in token["arrays"]]
    return dict(zip(names, np.split(numbers, ends[:-1]), strict=True))


def test_each_token_comes_with_its_states_and_last_the_ordinary_recording(
    client: TestClient, models: Path
) -> None:
    *tokens, last = write_on(client, tokens=20, method="sample", seed=4, temperature=1.5)
    tokens = [line["token"] for line in tokens]
    made = last["continuation"]
    assert (len(tokens), made["reason"]) == (20, "length")
    assert made["text"] == TEXT + "".join(token["appended"] for token in tokens)
    assert made["recording"] == record(client, made["text"])
    own = load_model(models / "chars").write_on(TEXT, 20, method="sample", seed=4, temperature=1.5)
    recorded = arrays(client, made["recording"]["id"])
    labels = made["recording"]["predictions"]["labels"]
    for token, expected, public in zip(
        tokens, own, made["recording"]["tokens"][len(TEXT) :], strict=True
    ):
        assert token["id"] == expected.id == labels.index(token["text"])
        assert {name: token[name] for name in public} == public
        assert token["probability"] == pytest.approx(expected.probability, rel=1e-6)
        assert (token["rank"], token["chosen_from"]) == (expected.rank, expected.chosen_from)
        assert [n for n, _ in token["top"]] == [n for n, _ in expected.top]
        for name, values in states(token).items():
            np.testing.assert_allclose(
                values, recorded[name][token["timestep"]].numpy(), atol=1e-6, err_msg=name
            )
    assert {"x", "scores", "0.forward.i", "1.forward.h"} <= set(states(tokens[0]))


def test_the_same_seed_writes_the_same_text_and_a_first_label_begins_it(
    client: TestClient,
) -> None:
    asked = {"tokens": 12, "method": "sample", "seed": 8}
    texts = [write_on(client, **asked)[-1]["continuation"]["text"] for _ in range(2)]
    assert texts[0] == texts[1]
    first = worlds.CHARACTERS.index("z")
    lines = write_on(client, **asked, first=first)
    assert (lines[0]["token"]["text"], lines[0]["token"]["chosen_from"]) == ("z", 1)
    assert lines[-1]["continuation"]["text"].startswith(f"{TEXT}z")


def test_float64_goes_on_in_float64(client: TestClient) -> None:
    made = write_on(client, tokens=3, precision="float64")[-1]["continuation"]
    assert made["recording"]["precision"] == "float64"
    assert made["recording"] == record(client, made["text"], precision="float64")


@pytest.mark.parametrize(
    ("model", "wanted", "kind", "said"),
    [
        ("words", {}, "input", "does not say which token comes next"),
        ("chars", {"text": ""}, "text", "no token"),
        ("chars", {"first": 1000}, "input", "No such label"),
        ("chars", {"first": 0}, "input", "cannot be written here"),
    ],
)
def test_what_the_model_refuses_ends_the_stream_as_a_problem(
    client: TestClient, model: str, wanted: dict[str, Any], kind: str, said: str
) -> None:
    (line,) = write_on(client, **{"text": TEXT, **wanted, "model": model})
    assert line["problem"]["status"] == 422
    assert line["problem"]["type"] == f"urn:gatescope:problem:{kind}"
    assert said in line["problem"]["detail"]


def test_a_model_that_says_nothing_ends_at_once(client: TestClient) -> None:
    (line,) = write_on(client, model="nan")
    assert (line["continuation"]["reason"], line["continuation"]["text"]) == ("end", TEXT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tokens": 0},
        {"tokens": 1001},
        {"method": "beam"},
        {"temperature": 0},
        {"top_k": 0},
        {"top_p": 0},
        {"top_p": 1.1},
        {"seed": -1},
        {"seed": 2**53},
        {"first": -1},
        {"other": 1},
        {"text": "a\0"},
        {"text": "a" * 200_001},
    ],
)
def test_what_can_be_refused_at_once_is(client: TestClient, wrong: dict[str, Any]) -> None:
    body = {"model": "chars", "text": TEXT, **wrong}
    problem(client.post("/api/continuations", json=body), 422)


def test_an_unknown_model_is_not_found(client: TestClient) -> None:
    body = {"model": "none", "text": TEXT}
    problem(client.post("/api/continuations", json=body), 404)


def test_the_limits_of_recordings_are_those_of_what_is_written(models: Path) -> None:
    with worlds.client_with(models, max_tokens=12, max_characters=10) as client:
        (line,) = write_on(client, tokens=6)
        assert "7 tokens and 6 new ones" in line["problem"]["detail"]
        lines = write_on(client, tokens=5)
        assert (len(lines), lines[-1]["continuation"]["reason"]) == (4, "limit")
        assert len(lines[-1]["continuation"]["text"]) == 10
    with worlds.client_with(models, max_recording_bytes=5_000) as client:
        (line,) = write_on(client, tokens=100)
        assert "too large" in line["problem"]["detail"]


def test_many_labels_are_not_sent_with_every_token(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written, "MOST_SCORES", 5)
    (first, *_) = load_model(models / "chars").write_on(TEXT, 1)
    assert "scores" not in written.states_of(first)
    monkeypatch.setattr(written, "MOST_SCORES", len(worlds.CHARACTERS))
    assert "scores" in written.states_of(first)


def test_whole_lines_are_read_once_and_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    path = tmp_path / "written"
    read, tell = LinesReader(path), LinesWriter(path)
    assert (read(), tell(b"nobody made the file\n"), tell.is_read) == (b"", False, False)
    path.touch()
    assert tell(b"one\ntwo\nthr")
    assert (read(), read()) == (b"one\ntwo", b"")
    tell(b"ee, which is long\n")
    assert read(4) == b"three, which is long"
    path.unlink()
    assert not tell(b"more\n")
    assert read() == b""


# --- hanging up ---------------------------------------------------------------------------------


def test_hanging_up_ends_the_writing_and_not_its_process(models: Path, tmp_path: Path) -> None:
    """The worker finds its file gone; a new process would have to load the model again."""
    app = worlds.app_with(models, data_folder=tmp_path)
    body = {"model": "chars", "text": TEXT, "tokens": 1000, "method": "sample"}

    async def story() -> None:
        async with app.router.lifespan_context(app):
            services = app.state.services
            while services.workers.status != "ready":
                await asyncio.sleep(0.02)
            before = services.workers.pids
            left = asyncio.Event()
            heard = b""
            messages = [
                {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}
            ]

            async def receive() -> Any:
                if messages:
                    return messages.pop()
                await left.wait()
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                nonlocal heard
                heard += message.get("body", b"")
                if heard.count(b"\n") >= 2:
                    left.set()

            await app(_scope(), receive, send)
            # The one worker is free again, and the same.
            async with asyncio.timeout(20):
                wanted = worlds.wanted("somebody else")
                assert (await services.recordings.get_or_make(wanted)).made
            assert services.workers.pids == before
            assert b"continuation" not in heard
            await services.folders.removed()
            folders = list(tmp_path.glob(f"temporary/*/*/{written.WRITTEN}"))
            assert folders == []

    asyncio.run(story())


def _scope() -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "path": "/api/continuations",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 8000),
    }
