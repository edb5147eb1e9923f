"""Where recordings lie: who may forget them, what stays, what never does."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy
from starlette.testclient import TestClient

from server import recording_folders
from server.data_folder import DataFolder
from server.errors import DataFolderError, DiskFullError
from server.recordings import Recordings
from server.workers import Workers
from tests.server import worlds
from tests.server.worlds import problem, record
from tests.serving import RunningServer, serve


def files(folder: Path) -> list[str]:
    """Everything below that is a file, but for locks."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != "lock")


class Gate:
    """Holds the readers' jobs back until a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.asked = threading.Event(), threading.Event()
        real = Workers.run

        async def run(pool: Workers, job: Any, *args: Any) -> Any:
            if job == "tiles":
                self.asked.set()
                await asyncio.to_thread(self.open.wait, 20)
            return await real(pool, job, *args)

        monkeypatch.setattr(Workers, "run", run)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate(monkeypatch)
    yield made
    made.open.set()


def test_a_recording_forgotten_while_it_is_read_is_read_to_its_end(
    models: Path, tmp_path: Path, gate: Gate
) -> None:
    with (
        worlds.client_with(models, data_folder=tmp_path, store_bytes=0) as client,
        ThreadPoolExecutor() as pool,
    ):
        first = record(client, "the first")
        url = f"/api/recordings/{first['id']}"
        reply = pool.submit(client.get, f"{url}/tiles?name=x")
        assert gate.asked.wait(20)
        record(client, "the second")
        problem(client.get(url), 404)
        assert files(tmp_path).count("recording.safetensors") == 2
        gate.open.set()
        tile = safetensors.numpy.load(reply.result().content)
        assert tile["x"].shape == (9, 5)
        client.portal.call(client.app.state.services.folders.removed)  # type: ignore[union-attr, attr-defined]
        assert files(tmp_path).count("recording.safetensors") == 1


def test_the_files_of_a_forgotten_recording_are_gone(models: Path, tmp_path: Path) -> None:
    with worlds.client_with(models, data_folder=tmp_path, store_bytes=80_000) as client:
        for n in range(6):
            record(client, f"number {n} " * 5)
        client.portal.call(client.app.state.services.folders.removed)  # type: ignore[union-attr, attr-defined]
        sizes = [p.stat().st_size for p in tmp_path.rglob("*.*") if p.is_file()]
        assert 30_000 < sum(sizes) <= 80_000
        assert len(sizes) == 4
    assert files(tmp_path) == []


def test_a_recording_whose_files_somebody_removed_is_made_again(
    models: Path, tmp_path: Path
) -> None:
    body = {"model": "chars", "text": "removed"}
    with worlds.client_with(models, data_folder=tmp_path) as client:
        made = record(client, "removed")
        (path,) = tmp_path.rglob("recording.safetensors")
        shutil.rmtree(path.parent)
        problem(client.get(f"/api/recordings/{made['id']}/tiles?name=x"), 404)
        assert client.post("/api/recordings", json=body).status_code == 201
        assert client.get(f"/api/recordings/{made['id']}/tiles?name=x").status_code == 200


def test_nothing_is_left_of_a_recording_that_failed(models: Path, tmp_path: Path) -> None:
    with worlds.client_with(models, data_folder=tmp_path) as client:
        problem(client.post("/api/recordings", json={"model": "words", "text": " "}), 422)
        client.portal.call(client.app.state.services.folders.removed)  # type: ignore[union-attr, attr-defined]
        assert files(tmp_path) == []


def test_stopping_in_the_middle_of_a_recording_leaves_nothing(models: Path, tmp_path: Path) -> None:
    app = worlds.app_with(models, data_folder=tmp_path)

    async def story() -> None:
        async with app.router.lifespan_context(app):
            wanted = worlds.wanted("the sun " * 1000)
            job = asyncio.create_task(app.state.services.recordings.get_or_make(wanted))
            while not files(tmp_path):
                await asyncio.sleep(0.01)
        await asyncio.wait([job])
        job.exception()

    asyncio.run(story())
    assert files(tmp_path) == []


def test_a_download_can_be_continued_where_it_stopped(client: TestClient) -> None:
    made = record(client, "the sun is shiny")
    url = f"/api/recordings/{made['id']}/recording.safetensors"
    whole = client.get(url)
    assert whole.headers["accept-ranges"] == "bytes"
    tag = whole.headers["etag"]
    rest = client.get(url, headers={"Range": "bytes=100-", "If-Range": tag})
    assert (rest.status_code, rest.content) == (206, whole.content[100:])
    assert rest.headers["content-range"] == f"bytes 100-{made['nbytes'] - 1}/{made['nbytes']}"
    part = client.get(url, headers={"Range": "bytes=5-9"})
    assert part.content == whole.content[5:10]
    for senseless in ("bytes=9-5", f"bytes={10**9}-", "bytes=0-1,5-6", "lines=1-2", "bytes=", "-5"):
        again = client.get(url, headers={"Range": senseless})
        assert (again.status_code, again.content) == (200, whole.content)


def test_a_reader_that_is_killed_costs_its_one_request(client: TestClient) -> None:
    url = f"/api/recordings/{record(client, 'the sun is shiny')['id']}"
    readers = client.app.state.services.analyses._readers  # type: ignore[attr-defined]
    assert client.get(f"{url}/tiles?name=x").status_code == 200
    for n in range(2):
        os.kill(readers.pids[0], signal.SIGKILL)
        time.sleep(0.3 * n)
        reply = client.get(f"{url}/tiles?name=x&units_per_row={n + 2}")
        if reply.status_code != 200:  # it had been begun
            problem(reply, 503)
        assert client.get(f"{url}/unit-summaries?name=x").status_code == 200


# --- disks that are full, folders that cannot be used -------------------------------------------


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Recording raises these, one after another, before it works."""
    errors: list[Exception] = []
    real = Recordings._record

    async def fail(self: Recordings, *args: Any) -> Any:
        if errors:
            raise errors.pop(0)
        return await real(self, *args)

    monkeypatch.setattr(Recordings, "_record", fail)
    return errors


def test_with_every_disk_full_the_others_make_room(
    models: Path, tmp_path: Path, failing: list[Exception]
) -> None:
    with worlds.client_with(models, data_folder=tmp_path) as client:
        first = record(client, "the first")
        failing += [DiskFullError("full"), DiskFullError("full")]
        second = record(client, "the second")
        problem(client.get(f"/api/recordings/{first['id']}"), 404)
        assert client.get(f"/api/recordings/{second['id']}").status_code == 200
        failing += [DiskFullError("full"), DiskFullError("full"), DiskFullError("still full")]
        told = problem(
            client.post("/api/recordings", json={"model": "chars", "text": "the third"}), 507
        )
        assert told["type"] == "urn:gatescope:problem:disk-full"


def test_elsewhere_is_tried_before_anything_is_forgotten(
    models: Path, tmp_path: Path, failing: list[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    spare = tmp_path / "spare"
    monkeypatch.setattr(recording_folders, "_spare_root", lambda: spare)
    with worlds.client_with(models) as client:
        first = record(client, "the first")
        failing += [DiskFullError("full")]
        record(client, "the second")
        assert "recording.safetensors" in files(spare)
        assert client.get(f"/api/recordings/{first['id']}").status_code == 200
    assert files(spare) == []


def test_without_any_folder_recording_says_so(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data", "spare"):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(recording_folders, "_spare_root", lambda: tmp_path / "spare")
    with worlds.client_with(models, data_folder=tmp_path / "data") as client:
        for _ in range(2):
            reply = client.post("/api/recordings", json={"model": "chars", "text": "a"})
            told = problem(reply, 507)
            assert "no place" in told["detail"]
            assert str(tmp_path) not in reply.text


@pytest.mark.skipif(sys.platform == "win32", reason="rights work otherwise there")
def test_a_place_where_others_may_write_is_not_used(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    theirs.chmod(0o777)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    for root in (theirs, link):
        with pytest.raises(DataFolderError):
            DataFolder(root, private=True).new_folder()
    own = DataFolder(tmp_path / "own", private=True)
    assert own.new_folder().is_dir()
    own.close()


# --- large ones ---------------------------------------------------------------------------------


def peak_memory(pid: int) -> int:
    """The most bytes a process has had in memory, from /proc."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def read_all(server: RunningServer, path: str) -> int:
    """How many bytes there are, without keeping them."""
    import urllib.request

    count = 0
    with urllib.request.urlopen(server.url + path, timeout=60) as reply:
        while data := reply.read(1 << 20):
            count += len(data)
    return count


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_the_web_process_never_holds_a_recording(tmp_path: Path) -> None:
    with serve(settings={"data_folder": tmp_path}) as server:
        shape = {"input_size": 4, "hidden_size": 256, "num_layers": 2, "bidirectional": True}
        model = server.post("/api/models/fresh", shape)["id"]
        small = server.post("/api/recordings", {"model": model, "text": "a b"})
        server.get(f"/api/recordings/{small['id']}/arrays?dtype=float16&unit_stop=1&name=x")
        before = peak_memory(server.process.pid)
        made = server.post("/api/recordings", {"model": model, "text": "a b " * 1000})
        assert made["nbytes"] > 45_000_000
        url = f"/api/recordings/{made['id']}"
        assert read_all(server, f"{url}/recording.safetensors") == made["nbytes"]
        assert read_all(server, f"{url}/arrays") > 0.99 * made["nbytes"]
        assert read_all(server, f"{url}/arrays?dtype=float64") > 1.9 * made["nbytes"]
        grown = peak_memory(server.process.pid) - before
    assert grown < 20_000_000
    assert files(tmp_path / "temporary") == []
