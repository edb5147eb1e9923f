from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from starlette.testclient import TestClient

import lstm_core
from server.data_folder import DataFolder
from server.kept_models import KeptModels
from server.shelf import ModelShelf
from tests.server import worlds
from tests.server.worlds import problem


def test_models_are_listed_as_they_are(client: TestClient) -> None:
    listed = client.get("/api/models").json()
    assert [model["id"] for model in listed] == ["chars", "nan", "projected", "words"]
    words = listed[3]
    assert words["task"] == "tag"
    assert words["reads"] == "each"
    assert words["columns"] == []
    assert words["embedding"] == {"word": 4, "suffix2": 3}
    assert words["vocabulary"] == {"word": 6, "suffix2": 4}
    assert words["lstm"] == {
        "modules": [
            {
                "kind": "LSTM",
                "input_size": 7,
                "hidden_size": 6,
                "num_layers": 1,
                "bias": True,
                "bidirectional": True,
                "proj_size": 0,
            }
        ],
        "listed": False,
        "layers": [
            {
                "module": 0,
                "directions": ["forward", "backward"],
                "input_size": 7,
                "hidden_size": 6,
                "output_size": 6,
            }
        ],
    }
    assert words["parameters"] == 6 * 4 + 4 * 3 + 2 * 4 * 6 * (7 + 6 + 2) + 4 * (12 + 1)
    assert "labels" not in words
    assert listed[0]["card"] == {"data": "none", "figure": 1.5}
    assert listed[0]["examples"] == ["the sun is shiny"]


def test_one_model_tells_its_labels(client: TestClient) -> None:
    assert client.get("/api/models/words").json()["labels"] == worlds.TAGS
    told = problem(client.get("/api/models/nix"), 404)
    assert told["exists"] == ["chars", "nan", "projected", "words"]


@pytest.mark.parametrize(("layer", "direction", "unit"), [(0, "forward", 0), (1, "backward", 5)])
def test_the_weights_are_the_rows_of_one_unit(
    client: TestClient, models: Path, layer: int, direction: str, unit: int
) -> None:
    reply = client.get(
        f"/api/models/projected/weights?layer={layer}&direction={direction}&unit={unit}"
    )
    sent = safetensors.torch.load(reply.content)
    lstm = lstm_core.load_model(models / "projected").lstm
    suffix = f"_l{layer}" + ("_reverse" if direction == "backward" else "")
    rows = [unit, 6 + unit, 12 + unit, 18 + unit]
    assert torch.equal(sent["W"], getattr(lstm, f"weight_ih{suffix}")[rows])
    assert torch.equal(sent["U"], getattr(lstm, f"weight_hh{suffix}")[rows])
    assert torch.equal(sent["b"][:, 1], getattr(lstm, f"bias_hh{suffix}")[rows])
    again = client.get(str(reply.url), headers={"If-None-Match": reply.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("layer=0&unit=6", 404),
        ("layer=2&unit=0", 404),
        ("layer=0&unit=0&direction=backward", 404),
        ("layer=0", 422),
        ("layer=-1&unit=0", 422),
        ("layer=0&unit=" + "9" * 5000, 422),
        ("layer=0&unit=0&direction=up", 422),
        ("layer=0&unit=0&precision=float8", 422),
    ],
)
def test_weights_that_do_not_exist_are_refused(client: TestClient, query: str, status: int) -> None:
    problem(client.get(f"/api/models/chars/weights?{query}"), status)


def test_a_damaged_model_is_left_out_and_the_others_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    worlds.save(tmp_path / "good", worlds.characters())
    for name, text in {
        "a": "",
        "b": "[" * 100_000,
        "c": "{}",
        "d": '{"lstm": 3}',
        "e": "\ud800",
        "f": (tmp_path / "good" / "model.json").read_text().replace("A tiny", "\\ud800"),
    }.items():
        worlds.save(tmp_path / name, worlds.characters())
        (tmp_path / name / "model.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    worlds.save(tmp_path / "g", worlds.characters())
    (tmp_path / "g" / "weights.safetensors").unlink()
    with worlds.client_with(tmp_path) as client:
        assert [model["id"] for model in client.get("/api/models").json()] == ["good"]
    assert "'g' is left out" in caplog.text


def test_weights_that_do_not_fit_are_the_servers_fault_and_said_without_paths(
    tmp_path: Path,
) -> None:
    worlds.save(tmp_path / "odd", worlds.characters())
    other = worlds.save(tmp_path / "other", worlds.characters(hidden_size=3))
    other.save(tmp_path / "other")
    (tmp_path / "odd" / "weights.safetensors").write_bytes(
        (tmp_path / "other" / "weights.safetensors").read_bytes()
    )
    with worlds.client_with(tmp_path) as client:
        reply = client.post("/api/recordings", json={"model": "odd", "text": "a"})
        assert "do not fit" in problem(reply, 500)["detail"]
        assert str(tmp_path) not in reply.text


def test_a_model_trained_again_is_another_model(tmp_path: Path) -> None:
    worlds.save(tmp_path / "m", worlds.characters(), seed=1)
    with worlds.client_with(tmp_path) as client:
        before = worlds.record(client, "abc", "m")
        worlds.save(tmp_path / "m", worlds.characters(num_layers=1), seed=2)
        after = worlds.record(client, "abc", "m")
        assert before["id"] != after["id"]
        assert before["model_digest"] != after["model_digest"]
        assert len(after["lstm"]["layers"]) == 1
        assert client.get("/api/models").json()[0]["digest"] == after["model_digest"]


def test_without_a_model_the_server_still_answers(tmp_path: Path) -> None:
    with worlds.client_with(tmp_path) as client:
        assert client.get("/api/models").json() == []
        told = problem(client.post("/api/recordings", json={"model": "m", "text": "a"}), 404)
        assert told["exists"] == []
        assert "none" in told["detail"]


def test_the_description_is_not_read_again_for_every_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds.save(tmp_path / "m", worlds.characters())
    kept = KeptModels(DataFolder(tmp_path / "data"), max_models=1, max_bytes=1)
    shelf = ModelShelf([tmp_path], kept)
    first = shelf.get("m")
    monkeypatch.setattr(json, "loads", lambda _: pytest.fail("read again"))
    assert shelf.get("m") is first


def with_checkpoint(folder: Path, said: str = '{"step": 20, "of": 90, "validation": 1.5}') -> None:
    """A folder of models, of which "words" has a checkpoint with other weights."""
    worlds.save_models(folder)
    weights = safetensors.torch.load_file(folder / "words" / "weights.safetensors")
    on_the_way = folder / "words" / "checkpoints" / "20"
    on_the_way.mkdir(parents=True)
    halves = {name: (weight / 2).half() for name, weight in weights.items()}
    safetensors.torch.save_file(halves, on_the_way / "weights.safetensors")
    (on_the_way / "checkpoint.json").write_text(said)


def test_a_checkpoint_is_recorded_like_any_other_model(tmp_path: Path) -> None:
    with_checkpoint(tmp_path)
    with worlds.client_with(tmp_path) as client:
        words = client.get("/api/models/words").json()
        [told] = words["checkpoints"]
        assert told.items() >= {"id": "words@20", "step": 20, "of": 90, "validation": 1.5}.items()
        assert [model["id"] for model in client.get("/api/models").json()].count("words@20") == 0
        on_the_way = client.get("/api/models/words@20").json()
        assert on_the_way["digest"] == told["digest"] != words["digest"]
        assert on_the_way["checkpoints"] == []
        made = client.post("/api/recordings", json={"model": "words@20", "text": "the sun"})
        assert made.status_code == 201
        assert made.json()["parity"]["ok"]
        name, query = "0.forward.h", "layer=0&unit=1"
        arrays = safetensors.torch.load(
            client.get(f"/api/recordings/{made.json()['id']}/arrays?name={name}").content
        )
        model = lstm_core.load_model(tmp_path / "words" / "checkpoints" / "20")
        expected = model.record("the sun")["h", 0, "forward"]
        torch.testing.assert_close(arrays[name], expected, atol=1e-6, rtol=0)  # another engine
        rows = client.get(f"/api/models/words@20/weights?{query}").content
        assert torch.equal(
            safetensors.torch.load(rows)["W"], model.unit_weights(0, "forward", 1)["W"]
        )
        refused = problem(client.get("/api/models/words@21"), 404)
        assert refused["exists"] == ["words@20"]
        assert problem(client.get("/api/models/chars@20"), 404)["exists"] in ([], None)


def test_a_damaged_checkpoint_does_not_take_its_model_along(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with_checkpoint(tmp_path, "{")
    with worlds.client_with(tmp_path) as client:
        assert client.get("/api/models/words").json()["checkpoints"] == []
        assert client.get("/api/models/words@20").status_code == 404
    assert "checkpoint" in caplog.text
