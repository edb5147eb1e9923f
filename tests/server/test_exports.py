"""Exports, read back with the libraries people read them with."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import safetensors
import safetensors.numpy
from starlette.testclient import TestClient

from server.array_file import ArrayFile
from server.exports import Export, file_name, read_units
from server.store import StoredRecording
from server.workers import Workers
from tests.server import worlds
from tests.server.worlds import problem, record

TEXT = "the sun, is shiny=1"
NAMES = ["1.forward.h", "x"]


@pytest.fixture(scope="module")
def url(client: TestClient) -> str:
    return f"/api/recordings/{record(client, TEXT)['id']}"


@pytest.fixture(scope="module")
def whole(client: TestClient, url: str) -> dict[str, np.ndarray[Any, Any]]:
    return safetensors.numpy.load(client.get(f"{url}/arrays").content)


def export(client: TestClient, url: str, format: str, **query: Any) -> bytes:
    reply = client.get(f"{url}/export", params={"format": format, "name": NAMES, **query})
    assert reply.status_code == 200, reply.text
    assert int(reply.headers["content-length"]) == len(reply.content)
    return reply.content


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_table_comes_back_with_tokens_and_units(
    client: TestClient, url: str, whole: dict[str, Any], format: str
) -> None:
    data = export(client, url, format, start=3, stop=11, units="3-4,0")
    read = pd.read_csv if format == "csv" else pd.read_parquet
    table = read(io.BytesIO(data))
    assert list(table.columns) == [
        *("timestep", "token"),
        *(f"{name}[{unit}]" for name in NAMES for unit in (3, 4, 0)),
    ]
    assert table["timestep"].tolist() == list(range(3, 11))
    assert "".join(table["token"]) == TEXT[3:11]
    for name in NAMES:
        for unit in (3, 4, 0):
            column = table[f"{name}[{unit}]"].to_numpy(np.float32)
            np.testing.assert_array_equal(column, whole[name][3:11, unit])


def test_arrays_come_back_under_their_names(
    client: TestClient, url: str, whole: dict[str, Any], tmp_path: Path
) -> None:
    archive = np.load(io.BytesIO(export(client, url, "npz", units="1-2")), allow_pickle=False)
    path = tmp_path / "slice.safetensors"
    path.write_bytes(export(client, url, "safetensors", units="1-2"))
    arrays = safetensors.numpy.load_file(path)
    for name in NAMES:
        for found in (archive, arrays):
            np.testing.assert_array_equal(found[name], whole[name][:, 1:3])
            assert found[f"{name}.units"].tolist() == [1, 2]
    assert "".join(archive["tokens"]) == TEXT
    with safetensors.safe_open(path, "np") as file:
        metadata = file.metadata()
    assert "".join(json.loads(metadata["tokens"])) == TEXT
    assert metadata["model"] == "chars"


def test_all_units_and_timesteps_are_the_default(
    client: TestClient, url: str, whole: dict[str, Any]
) -> None:
    archive = np.load(io.BytesIO(export(client, url, "npz", name="scores")), allow_pickle=False)
    np.testing.assert_array_equal(archive["scores"], whole["scores"])


def test_it_is_an_attachment_with_a_safe_name(client: TestClient, url: str) -> None:
    reply = client.get(f"{url}/export?format=csv&name=0.forward.c&name=x")
    assert reply.headers["content-disposition"] == 'attachment; filename="chars-0.forward.c-x.csv"'
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert "immutable" not in reply.headers["cache-control"]


@pytest.mark.parametrize(
    ("model", "names", "called"),
    [
        ("../../etc/passwd", ["x"], "etc-passwd-x.csv"),
        ('a"b\r\nc; d', ["x"], "a-b-c-d-x.csv"),
        ("…", ["x", "x"], "x.csv"),
        ("m", ["0.forward.i", "x", "scores", "0.forward.h"], "m-4-arrays.csv"),
        ("m" * 300, ["x"], f"{'m' * 100}.csv"),
    ],
)
def test_no_name_of_a_stranger_gets_into_a_header(
    model: str, names: list[str], called: str
) -> None:
    recording = StoredRecording("id", model, Path(), ArrayFile("", {}), 0)
    assert file_name(recording, Export("csv", names, range(1), None)) == called


def test_units_are_numbers_and_ranges() -> None:
    assert read_units(None) is None
    assert read_units("3-7,12") == [range(3, 8), range(12, 13)]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("format=csv", 422),
        ("format=xls&name=x", 422),
        ("format=csv&name=y", 404),
        ("format=csv&name=0.forward.h_0", 422),
        ("format=csv&name=x&start=5&stop=5", 422),
        ("format=csv&name=x&units=", 422),
        ("format=csv&name=x&units=3-", 422),
        ("format=csv&name=x&units=-1", 422),
        ("format=csv&name=x&units=a", 422),
        ("format=csv&name=x&units=4-2", 422),
        ("format=csv&name=x&units=0-99999999", 422),
        ("format=csv&name=x&units=5", 422),  # x has five
        (f"format=csv&name=x&units={10**30}", 422),
        (f"format=csv&name=x&units={'1,' * 3000}1", 422),
    ],
)
def test_what_makes_no_sense_is_a_problem(
    client: TestClient, url: str, query: str, status: int
) -> None:
    problem(client.get(f"{url}/export?{query}"), status)


def test_a_unit_named_twice_is_there_once(client: TestClient, url: str) -> None:
    table = pd.read_csv(io.BytesIO(export(client, url, "csv", name="x", units="2,1-3,2")))
    assert list(table.columns)[2:] == ["x[2]", "x[1]", "x[3]"]


def test_too_large_an_export_is_refused_before_anything_is_computed(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with worlds.client_with(models, max_export_bytes=2000) as client:
        url = f"/api/recordings/{record(client, TEXT)['id']}"
        export(client, url, "csv", stop=2)
        monkeypatch.setattr(Workers, "run", None)
        told = problem(client.get(f"{url}/export?format=csv&name=x&name=scores"), 422)
        assert told["came"] == "about 0 MB as csv"
        assert "recording.safetensors" in told["detail"]


def test_nothing_of_it_stays_on_the_disk(models: Path, tmp_path: Path) -> None:
    with worlds.client_with(models, data_folder=tmp_path) as client:
        url = f"/api/recordings/{record(client, TEXT)['id']}"
        before = sorted(tmp_path.rglob("*"))
        export(client, url, "parquet")
        problem(client.get(f"{url}/export?format=csv&name=x&units=9"), 422)
        client.portal.call(client.app.state.services.folders.removed)  # type: ignore[union-attr, attr-defined]
        assert sorted(tmp_path.rglob("*")) == before
