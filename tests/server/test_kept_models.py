"""Models that stay: whole or not at all, named, renamed, removed."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
from starlette.testclient import TestClient

from lstm_core import catalogue
from lstm_core.models import SequenceModel
from server import kept_models
from server.data_folder import DataFolder
from server.errors import DataFolderError, DiskFullError, KeptFullError
from server.kept_models import KeptModels, Name
from server.shelf import ModelShelf
from tests.server import worlds
from tests.server.files import letters, open_model
from tests.server.worlds import problem, record

ROOT = Path(__file__).parents[2]
NAME = Name("Mine")


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataFolder]:
    folder = DataFolder(tmp_path / "data")
    folder.open()
    yield folder
    folder.close()


@pytest.fixture
def kept(data: DataFolder) -> KeptModels:
    return KeptModels(data, max_models=3, max_bytes=1_000_000)


@pytest.fixture
def shelf(kept: KeptModels) -> ModelShelf:
    return ModelShelf([], kept)


def model(seed: int = 0) -> tuple[str, bytes]:
    import torch

    torch.manual_seed(seed)
    made = SequenceModel(worlds.characters())
    return made.spec.to_json(), safetensors.torch.save(made.state_dict())


def files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name != "lock"
    }


def test_a_model_is_kept_under_its_digest(
    kept: KeptModels, shelf: ModelShelf, data: DataFolder
) -> None:
    model_id, made = kept.keep(*model(), NAME)
    assert made
    assert catalogue.digest(kept.folder / model_id) == model_id
    assert kept.keep(*model(), Name("Other")) == (model_id, False)
    assert files(data.root) == {
        f"models/{model_id}/{name}" for name in ("model.json", "weights.safetensors", "name.json")
    }
    found = shelf.get(model_id).about
    assert (found.title, found.source, found.digest) == ("Mine", "opened", model_id)


def test_it_is_called_what_was_said_last(kept: KeptModels, shelf: ModelShelf) -> None:
    model_id, _ = kept.keep(*model(), NAME)
    kept.rename(model_id, "Zoë's € 模型")
    assert shelf.get(model_id).about.title == "Zoë's € 模型"
    kept.keep(*model(), Name("Again"), titled=True)
    assert shelf.get(model_id).about.title == "Again"
    (kept.folder / model_id / "name.json").write_text("[")
    assert shelf.get(model_id).about.title == worlds.characters().title
    (kept.folder / model_id / "name.json").unlink()
    assert shelf.get(model_id).about.title == worlds.characters().title


def test_models_come_in_the_order_in_which_they_were_kept(
    kept: KeptModels, shelf: ModelShelf
) -> None:
    ids = [kept.keep(*model(seed), NAME)[0] for seed in range(3)]
    for age, model_id in enumerate(reversed(ids)):
        os.utime(kept.folder / model_id / "model.json", ns=(10**18 - age, 10**18 - age))
    assert list(shelf.models()) == ids


def test_there_are_limits(data: DataFolder, kept: KeptModels) -> None:
    ids = [kept.keep(*model(seed), NAME)[0] for seed in range(3)]
    with pytest.raises(KeptFullError, match="fewer than 3"):
        kept.keep(*model(3), NAME)
    assert kept.keep(*model(0), NAME) == (ids[0], False)  # it is there already
    small = KeptModels(data, max_models=100, max_bytes=10_000)
    with pytest.raises(KeptFullError, match="Remove one"):
        small.keep(*model(3), NAME)
    assert len(list(kept.folder.iterdir())) == 3
    kept.remove(ids[1])
    assert kept.keep(*model(3), NAME)[1]


def test_however_many_keep_the_same_model_it_is_there_once(
    kept: KeptModels, data: DataFolder
) -> None:
    same = model()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: kept.keep(*same, NAME), range(16)))
    assert sorted(made for _, made in results) == [False] * 15 + [True]
    assert len({model_id for model_id, _ in results}) == 1
    assert len(files(data.root)) == 3


def test_two_servers_keep_the_same_model(data: DataFolder, kept: KeptModels) -> None:
    other = DataFolder(data.root)
    other.open()
    try:
        first = kept.keep(*model(), NAME)
        again = KeptModels(other, max_models=3, max_bytes=10**6).keep(*model(), NAME)
        assert (first[0], False) == again
    finally:
        other.close()


def test_a_damaged_model_is_left_out_and_mended_when_it_is_kept_again(
    kept: KeptModels, shelf: ModelShelf, caplog: pytest.LogCaptureFixture
) -> None:
    model_id, _ = kept.keep(*model(), NAME)
    weights = kept.folder / model_id / "weights.safetensors"
    for damaged in (b"", b"\xff" * 9, weights.read_bytes()[:-1]):
        weights.write_bytes(damaged)
        assert shelf.models() == {}
        assert f"{model_id!r} is left out" in caplog.text
        assert kept.keep(*model(), NAME) == (model_id, True)
        assert list(shelf.models()) == [model_id]


# --- ends in the middle -------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from server import kept_models
from server.data_folder import DataFolder

calls = 0

def counted(function):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call

os.fsync, os.replace = counted(os.fsync), counted(os.replace)
Path.rename = counted(Path.rename)
Path.mkdir = counted(Path.mkdir)
kept_models.catalogue.digest = counted(kept_models.catalogue.digest)
data = DataFolder(Path(sys.argv[1]))
kept = kept_models.KeptModels(data, max_models=9, max_bytes=10**9)
description = Path(sys.argv[3], "model.json").read_text()
weights = Path(sys.argv[3], "weights.safetensors").read_bytes()
kept.keep(description, weights, kept_models.Name("Mine"))
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_kill_in_the_middle_never_leaves_half_a_model(tmp_path: Path) -> None:
    description, weights = model()
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.json").write_text(description)
    (source / "weights.safetensors").write_bytes(weights)
    there = []
    for call in range(1, 40):
        folder = tmp_path / str(call)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(folder), str(call), str(source)], cwd=ROOT
        )
        data = DataFolder(folder)
        kept = KeptModels(data, max_models=9, max_bytes=10**9)
        found = ModelShelf([], kept).models()
        there.append(len(found))
        for name, shelved in found.items():
            assert catalogue.digest(shelved.folder) == name
            assert shelved.about.title == "Mine"
        data.open()  # the next server sweeps what the killed one left
        data.close()
        assert all(name.startswith("models/") for name in files(folder))
        assert len(files(folder)) == 3 * len(found)
        if done.returncode != -signal.SIGKILL:
            break
    assert done.returncode == 0
    assert there == sorted(there)  # nothing at first, then all of it
    assert {there[0], there[-1]} == {0, 1}


@pytest.mark.parametrize(
    ("number", "error"),
    [(errno.ENOSPC, DiskFullError), (errno.EACCES, DataFolderError), (errno.EIO, DataFolderError)],
)
@pytest.mark.parametrize("file", ["model.json", "weights.safetensors", "name.json"])
def test_a_disk_that_fails_leaves_nothing(
    kept: KeptModels,
    data: DataFolder,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: type[Exception],
    file: str,
) -> None:
    write: Callable[..., None] = kept_models._write

    def failing(path: Path, content: bytes) -> None:
        write(path, content[: len(content) // 2])
        if path.name == file:
            raise OSError(number, os.strerror(number), str(path))
        write(path, content)

    monkeypatch.setattr(kept_models, "_write", failing)
    with pytest.raises(error) as raised:
        kept.keep(*model(), NAME)
    assert str(data.root) not in str(raised.value)
    assert files(data.root) == set()


def test_a_title_that_cannot_be_written_leaves_the_old_one(
    kept: KeptModels, shelf: ModelShelf, data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id, _ = kept.keep(*model(), NAME)

    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[:3])
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(kept_models, "_write", full)
    with pytest.raises(DiskFullError):
        kept.rename(model_id, "Other")
    assert shelf.get(model_id).about.title == "Mine"
    assert len(files(data.root)) == 3


def test_too_little_room_is_said_before_anything_is_written(
    kept: KeptModels, data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(data.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=500_000_001))
    with pytest.raises(DiskFullError, match="500 MB"):
        kept.keep(*model(), NAME)
    assert files(data.root) == set()


# --- over HTTP ----------------------------------------------------------------------------------


def test_a_model_is_renamed_and_keeps_its_id(client: TestClient) -> None:
    made = open_model(client, letters(seed=21))
    path = f"/api/models/{made['id']}"
    renamed = client.patch(path, json={"title": "Better <b>"}).json()
    assert renamed == {**made, "title": "Better <b>"}
    assert client.get(path).json() == renamed
    for wrong in ({}, {"title": ""}, {"title": "a" * 201}, {"title": "\0"}, {"title": 3}):
        problem(client.patch(path, json=wrong), 422)


def test_a_removed_model_is_gone_and_its_recordings_stay(client: TestClient) -> None:
    made = open_model(client, letters(seed=22))
    other = open_model(client, letters(seed=23))
    recording = record(client, "1 2 3", made["id"])
    path = f"/api/models/{made['id']}"
    assert client.delete(path).status_code == 204
    assert made["id"] not in [listed["id"] for listed in client.get("/api/models").json()]
    for reply in (
        client.get(path),
        client.delete(path),
        client.patch(path, json={"title": "x"}),
        client.post("/api/recordings", json={"model": made["id"], "text": "4"}),
        client.get(f"{path}/weights?layer=0&unit=0"),
    ):
        problem(reply, 404)
    assert client.get(f"/api/recordings/{recording['id']}").status_code == 200
    # The worker still holds it, and serves others; opened again it is the same one.
    assert record(client, "1 2", other["id"])["parity"]["ok"]
    again = open_model(client, letters(seed=22))
    assert again["id"] == made["id"]
    assert record(client, "1 2 3", made["id"])["id"] == recording["id"]


def test_other_models_stay_as_they_are(client: TestClient) -> None:
    for reply in (
        client.delete("/api/models/chars"),
        client.patch("/api/models/chars", json={"title": "x"}),
    ):
        told = problem(reply, 403)
        assert told["type"] == "urn:gatescope:problem:read-only-model"
    assert client.get("/api/models/chars").json()["source"] == "folder"
    problem(client.delete("/api/models/..%2f..%2fchars"), 404)
    problem(client.delete("/api/models/nothing"), 404)


def test_what_was_kept_is_there_after_a_restart(models: Path, tmp_path: Path) -> None:
    with worlds.client_with(models, data_folder=tmp_path) as client:
        made = open_model(client, letters())
    with worlds.client_with(models, data_folder=tmp_path) as client:
        assert client.get(f"/api/models/{made['id']}").json() == made
        assert record(client, "1 2", made["id"])["parity"]["ok"]


def test_as_many_models_are_kept_as_allowed(models: Path) -> None:
    with worlds.client_with(models, max_kept_models=1) as client:
        open_model(client, letters(seed=1))
        checkpoint: Any = client.post(
            "/api/checkpoints",
            content=letters(seed=2),
            headers={"Content-Type": "application/octet-stream"},
        ).json()
        told = problem(client.post("/api/models", json={"checkpoint": checkpoint["id"]}), 507)
        assert told["type"].endswith(":kept-full")
        fresh = {"input_size": 2, "hidden_size": 2}
        problem(client.post("/api/models/fresh", json=fresh), 507)
