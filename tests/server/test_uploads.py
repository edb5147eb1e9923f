"""Files on their way to the disk: limits, ends in the middle, names, and how long they wait."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from server import uploads as uploads_module
from server.data_folder import DataFolder
from server.errors import (
    BusyError,
    DataFolderError,
    DiskFullError,
    SlowUploadError,
    UnknownUploadError,
)
from server.uploads import Upload, Uploads, shown_name
from tests.server import worlds
from tests.server.files import OCTETS, VOCABULARY, bring, letters, numbers, refused
from tests.server.test_kept_models import files
from tests.server.test_opening import scope
from tests.server.worlds import problem

PATHS = ("/api/checkpoints", "/api/vocabularies", "/api/tables")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataFolder]:
    folder = DataFolder(tmp_path / "data")
    folder.open()
    yield folder
    folder.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def uploads(data: DataFolder, clock: Clock) -> Uploads:
    return Uploads(data, max_bytes=1000, seconds=60, clock=clock)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def receive(uploads: Uploads, *parts: bytes, name: str = "a.pt") -> Upload:
    async def run() -> Upload:
        return await uploads.receive(pieces(*parts), name=name, announced=None)

    return asyncio.run(run())


# --- on the disk --------------------------------------------------------------------------------


def test_a_file_lies_alone_under_a_name_of_ours(uploads: Uploads, data: DataFolder) -> None:
    first = receive(uploads, b"ab", b"", b"cd", name="../../etc/passwd")
    second = receive(uploads, b"x" * 3_000_000, name="/etc/passwd")
    assert first.path.read_bytes() == b"abcd"
    assert second.path.stat().st_size == second.nbytes == 3_000_000
    assert first.path.parent != second.path.parent
    for upload in (first, second):
        assert upload.name == "passwd"
        assert upload.path.name == "upload"
        assert upload.path.resolve().is_relative_to(data.root.resolve())
        assert len(list(upload.path.parent.iterdir())) == 1
        if os.name == "posix":
            assert stat.S_IMODE(upload.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("lstm.pt", "lstm.pt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\models\\a.pt", "a.pt"),
        ("a/", "file"),
        ("", "file"),
        (" ", "file"),
        ("a\nb\0\u202e.pt", "a b\\x00\\u202e.pt"),
        ("é 模型.pt", "é 模型.pt"),
        ("<img src=x>", "<img src=x>"),
        ("a" * 101, "a" * 99 + "…"),
    ],
)
def test_a_name_is_only_shown(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_strange_name_is_told_and_touches_nothing(client: TestClient, models: Path) -> None:
    before = sorted(models.rglob("*"))
    for name in (
        "../../../evil.pt",
        "..\\evil.pt",
        "/etc/evil.pt",
        "%2e%2e%2fevil.pt",
        "\0evil.pt",
    ):
        assert bring(client, numbers(), name)["name"].endswith("evil.pt")
    assert sorted(models.rglob("*")) == before
    assert client.get("/api/checkpoints?name=x").status_code == 405


def test_nothing_is_left_of_what_does_not_come_to_its_end(
    uploads: Uploads, data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"a" * 2_000_000
        raise ConnectionError

    async def stalled() -> AsyncIterator[bytes]:
        yield b"a" * 2_000_000
        await asyncio.Event().wait()

    monkeypatch.setattr(uploads_module, "STALL_SECONDS", 0.01)

    async def run() -> None:
        for source, error in ((broken(), ConnectionError), (stalled(), SlowUploadError)):
            with pytest.raises(error):
                await uploads.receive(source, name="a", announced=None)
        monkeypatch.setattr(uploads_module, "STALL_SECONDS", 60)
        task = asyncio.create_task(uploads.receive(stalled(), name="a", announced=None))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert files(data.root) == set()


def test_only_so_many_arrive_at_a_time(uploads: Uploads) -> None:
    async def endless() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    async def run() -> None:
        tasks = [
            asyncio.create_task(uploads.receive(endless(), name="a", announced=None))
            for _ in range(uploads_module.MAX_ARRIVING)
        ]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await uploads.receive(pieces(b"a"), name="a", announced=None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await uploads.receive(pieces(b"a"), name="a", announced=None)

    asyncio.run(run())


def test_a_full_disk_is_said(
    uploads: Uploads, data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(data.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=500_000_100))
    assert receive(uploads, b"a" * 50).nbytes == 50
    with pytest.raises(DiskFullError):
        receive(uploads, b"a" * 51)

    async def announced() -> None:
        await uploads.receive(pieces(), name="a", announced=51)

    with pytest.raises(DiskFullError):
        asyncio.run(announced())


# --- how long they wait -------------------------------------------------------------------------


def test_a_file_waits_for_a_while_after_it_was_last_used(
    uploads: Uploads, clock: Clock, data: DataFolder
) -> None:
    upload = receive(uploads, b"abc")
    uploads.add(upload)
    for _ in range(3):
        clock.now += 60
        assert uploads.get(upload.id, "checkpoint") is upload
    with pytest.raises(UnknownUploadError):
        uploads.get(upload.id, "vocabulary")
    clock.now += 61
    with pytest.raises(UnknownUploadError, match="1 minutes"):
        uploads.get(upload.id, "checkpoint")
    assert files(data.root) == set()


def test_the_oldest_go_when_there_are_too_many(uploads: Uploads, clock: Clock) -> None:
    waiting = []
    for _ in range(uploads_module.MAX_WAITING + 2):
        clock.now += 1
        waiting.append(receive(uploads, b"a"))
        uploads.add(waiting[-1])
    assert [upload.path.exists() for upload in waiting] == [False] * 2 + [True] * 20
    large = receive(uploads, b"a" * 990)
    uploads.add(large)
    assert sum(upload.path.exists() for upload in waiting) == 10
    assert large.path.exists()


def test_a_file_that_is_read_stays_until_that_is_over(uploads: Uploads, clock: Clock) -> None:
    upload = receive(uploads, b"a")
    uploads.add(upload)
    with uploads.held(upload) as path:
        clock.now += 1000
        uploads.expire()
        assert path.exists()
        uploads.forget(upload)
        assert path.exists()
        with pytest.raises(UnknownUploadError):
            uploads.get(upload.id, "checkpoint")
    assert not path.exists()


def test_leftovers_of_an_earlier_run_are_swept_and_those_of_another_server_are_not(
    tmp_path: Path,
) -> None:
    running, killed = DataFolder(tmp_path), DataFolder(tmp_path)
    for folder in (running, killed):
        (folder.new_folder() / "upload").write_bytes(b"abc")
    assert killed._lock is not None
    killed._lock.close()  # as the system does it when a process ends
    started = DataFolder(tmp_path)
    started.open()
    assert len(files(tmp_path)) == 1
    running.close()
    assert files(tmp_path) == set()
    started.close()


def test_nothing_is_left_when_the_server_ends(models: Path, tmp_path: Path) -> None:
    with worlds.client_with(models, data_folder=tmp_path) as client:
        bring(client, numbers())
        assert len(files(tmp_path)) == 1
    assert files(tmp_path) == set()


# --- limits, as they come -----------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_is_refused_before_more_than_its_limit_is_read(
    models: Path, tmp_path: Path, path: str, announced: bool
) -> None:
    limit, piece = 3_000_000, 20_000
    settings: dict[str, Any] = {"max_checkpoint_bytes": limit, "max_vocabulary_bytes": limit}
    app = worlds.app_with(models, data_folder=tmp_path, **settings)
    read = 0
    sent: list[Any] = []

    async def receive() -> Any:
        nonlocal read
        read += piece
        return {"type": "http.request", "body": b"a" * piece, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        length = [(b"content-length", b"3000001")] if announced else []
        async with app.router.lifespan_context(app):
            await app(scope(path, *length), receive, send)
            assert files(tmp_path) == set()

    asyncio.run(run())
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert read <= (0 if announced else 1.01 * limit)


def test_a_client_that_goes_leaves_nothing(models: Path, tmp_path: Path) -> None:
    app = worlds.app_with(models, data_folder=tmp_path)
    messages = [{"type": "http.request", "body": b"a" * 2_000_000, "more_body": True}] * 2

    async def receive() -> Any:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    async def run() -> None:
        async with app.router.lifespan_context(app):
            await app(scope("/api/checkpoints"), receive, send)
            assert files(tmp_path) == set()

    asyncio.run(run())


def test_each_kind_of_file_has_its_own_limit(models: Path) -> None:
    data = letters()
    with worlds.client_with(
        models, max_checkpoint_bytes=len(data), max_vocabulary_bytes=len(VOCABULARY)
    ) as client:
        bring(client, data)
        bring(client, VOCABULARY, to="vocabularies")
        refused(client, data + b"\0", 413)
        refused(client, VOCABULARY + b" ", 413, to="vocabularies")
        refused(client, b"1,2\n" * 1000, 413, to="tables")


def test_the_bytes_come_as_they_are_and_in_no_form(client: TestClient) -> None:
    for path in PATHS:
        for kind in ("", "text/plain", "multipart/form-data; boundary=x", "application/json"):
            reply = client.post(path, content=b"x", headers={"Content-Type": kind})
            assert "application/octet-stream" in problem(reply, 415)["expected"]
        files_ = {"file": ("lstm.pt", b"x")}
        problem(client.post(path, files=files_), 415)


# --- a data folder that cannot be used ----------------------------------------------------------


@pytest.mark.parametrize("case", ["a file", "no right", "gone"])
def test_without_a_data_folder_everything_else_works(
    models: Path, tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    if case == "a file":
        folder.write_bytes(b"")
    if case == "no right":
        mkdir = Path.mkdir

        def refuse(self: Path, *args: Any, **options: Any) -> None:
            if self.is_relative_to(folder):
                raise PermissionError(errno.EACCES, "Permission denied", str(self))
            mkdir(self, *args, **options)

        monkeypatch.setattr(Path, "mkdir", refuse)
    with worlds.client_with(models, data_folder=folder) as client:
        if case == "gone":
            shutil.rmtree(folder)
            bring(client, numbers())  # it is made anew
            return
        worlds.record(client, "abc")
        for path in ("checkpoints", "vocabularies", "tables"):
            told = refused(client, numbers(), 507, to=path)
            assert "data folder" in told["detail"]
            assert str(tmp_path) not in str(told)
        fresh = {"input_size": 2, "hidden_size": 2}
        told = problem(client.post("/api/models/fresh", json=fresh), 507)
        assert told["type"].endswith(":data-folder")
        assert client.get("/api/models").status_code == 200


def test_an_error_of_the_disk_is_said_and_its_path_logged(
    data: DataFolder, caplog: pytest.LogCaptureFixture
) -> None:
    for number, error in ((errno.ENOSPC, DiskFullError), (errno.EROFS, DataFolderError)):
        with pytest.raises(error) as raised, data.writing():
            raise OSError(number, os.strerror(number), str(data.root))
        assert str(data.root) not in str(raised.value)
    assert str(data.root) in caplog.text


# --- the guards ---------------------------------------------------------------------------------

CHANGES = [
    ("POST", "/api/checkpoints"),
    ("POST", "/api/vocabularies"),
    ("POST", "/api/tables"),
    ("POST", "/api/checkpoints/x/proposal"),
    ("DELETE", "/api/checkpoints/x"),
    ("POST", "/api/models"),
    ("POST", "/api/models/fresh"),
    ("PATCH", "/api/models/x"),
    ("DELETE", "/api/models/x"),
]


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Content-Type": "multipart/form-data; boundary=x"},
    ],
)
def test_no_other_site_changes_anything(
    client: TestClient, method: str, path: str, headers: dict[str, str]
) -> None:
    reply = client.request(method, path, content=b"x", headers={**OCTETS, **headers})
    assert problem(reply, 403)["type"].endswith(":cross-site")


def test_without_the_token_nothing_is_changed(models: Path) -> None:
    with worlds.client_with(models, token="a-secret") as client:
        for method, path in CHANGES:
            problem(client.request(method, path, content=b"x", headers=OCTETS), 401)
        carried = {**OCTETS, "Authorization": "Bearer a-secret"}
        reply = client.post("/api/checkpoints", content=numbers(), headers=carried)
        assert reply.status_code == 201
