from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from server import recordings, workers
from server.errors import BusyError, StoppingError, TimeLimitError, WorkerDiedError
from server.workers import Workers
from tests.server import worlds
from tests.server.worlds import problem, record


def sleep(module: str, job: str, *args: Any) -> Any:
    """Stands in for ``workers.run_job``; runs in the worker."""
    if job == "record":
        seconds, result = args
        time.sleep(seconds)
        return result
    return workers_run_job(module, job, *args)


workers_run_job = workers.run_job


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Workers]:
    made = Workers(1, **{"queue_limit": 4, "job_seconds": 30, **options})
    made.start()
    try:
        yield made
    finally:
        await made.stop()


@pytest.fixture(autouse=True)
def _sleeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "run_job", sleep)


def alive(pid: int) -> bool:
    """Whether it still runs: one that has ended keeps its number until its parent has noticed."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text() if sys.platform == "linux" else ""
    except (ProcessLookupError, FileNotFoundError):
        return False
    return stat.rpartition(")")[2].split()[:1] != ["Z"]


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_a_killed_worker_costs_its_one_job() -> None:
    async def story() -> None:
        async with running() as pool:
            await pool.run("record", 0, "ready")
            job = asyncio.create_task(pool.run("record", 20, "lost"))
            waiting = asyncio.create_task(pool.run("record", 0, "kept"))
            await asyncio.sleep(0.3)
            os.kill(pool.pids[0], signal.SIGKILL)
            with pytest.raises(WorkerDiedError):
                await job
            assert await waiting == "kept"

    asyncio.run(story())


def test_a_worker_killed_while_idle_costs_nothing() -> None:
    async def story() -> None:
        async with running() as pool:
            await pool.run("record", 0, "ready")
            os.kill(pool.pids[0], signal.SIGKILL)  # noticed only a moment later
            assert await pool.run("record", 0, "at once") == "at once"
            os.kill(pool.pids[0], signal.SIGKILL)
            await asyncio.sleep(0.5)
            assert await pool.run("record", 0, "later") == "later"

    asyncio.run(story())


def test_a_job_that_takes_too_long_is_ended() -> None:
    async def story() -> None:
        async with running(job_seconds=0.5) as pool:
            await pool.run("record", 0, "ready")
            (pid,) = pool.pids
            with pytest.raises(TimeLimitError, match=r"0\.5 seconds"):
                await pool.run("record", 20, "late")
            assert await pool.run("record", 0, "next") == "next"
            await asyncio.to_thread(wait_until, lambda: not alive(pid))

    asyncio.run(story())


def test_a_cancelled_job_ends_its_process() -> None:
    async def story() -> None:
        async with running() as pool:
            await pool.run("record", 0, "ready")
            (pid,) = pool.pids
            job = asyncio.create_task(pool.run("record", 20, "unwanted"))
            await asyncio.sleep(0.2)
            job.cancel()
            assert await pool.run("record", 0, "next") == "next"
            await asyncio.to_thread(wait_until, lambda: not alive(pid))

    asyncio.run(story())


def test_a_full_queue_is_said() -> None:
    async def story() -> None:
        async with running(queue_limit=2) as pool:
            jobs = [asyncio.create_task(pool.run("record", 0.3, n)) for n in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(BusyError, match="2 requests waiting"):
                await pool.run("record", 0, "one too many")
            assert await asyncio.gather(*jobs) == [0, 1]

    asyncio.run(story())


def test_a_stopped_pool_takes_no_job_and_leaves_no_process() -> None:
    async def story() -> None:
        async with running() as pool:
            await pool.run("record", 0, "ready")
            pids = pool.pids
            jobs = [asyncio.create_task(pool.run("record", 20, "never")) for _ in range(3)]
            await asyncio.sleep(0.1)
        jobs.append(asyncio.create_task(pool.run("record", 0, "too late")))
        for job in jobs:
            with pytest.raises(StoppingError):
                await job
        assert not any(alive(pid) for pid in pids)

    asyncio.run(story())


def test_stopping_waits_for_the_process_of_a_job_cancelled_just_before() -> None:
    async def story() -> None:
        async with running() as pool:
            await pool.run("record", 0, "ready")
            pids = pool.pids
            job = asyncio.create_task(pool.run("record", 20, "given up"))
            await asyncio.sleep(0.1)
            job.cancel()
            with pytest.raises(asyncio.CancelledError):
                await job
        assert not any(alive(pid) for pid in pids)

    asyncio.run(story())


def test_large_results_come_back_whole_one_after_another() -> None:
    async def story() -> None:
        async with running() as pool:
            for n in range(30):
                data = bytes([n]) * 400_000
                assert await pool.run("record", 0, data) == data

    asyncio.run(story())


def test_a_short_job_that_is_cancelled_comes_to_its_end_and_keeps_its_process() -> None:
    async def story() -> None:
        async with running(short=True) as pool:
            await pool.run("record", 0, "ready")
            pids = pool.pids
            running_one = asyncio.create_task(pool.run("record", 0.4, "unwanted"))
            waiting = asyncio.create_task(pool.run("record", 20, "never begun"))
            await asyncio.sleep(0.1)
            for job in (running_one, waiting):
                job.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await job
            assert await pool.run("record", 0, "next") == "next"
            assert pool.pids == pids

    asyncio.run(story())


def test_a_short_job_that_hangs_is_ended_by_its_time_and_by_the_stop() -> None:
    async def story() -> None:
        async with running(short=True, job_seconds=0.5) as pool:
            await pool.run("record", 0, "ready")
            with pytest.raises(TimeLimitError):
                await pool.run("record", 20, "late")
        async with running(short=True) as pool:
            await pool.run("record", 0, "ready")
            pids = pool.pids
            job = asyncio.create_task(pool.run("record", 20, "never"))
            await asyncio.sleep(0.1)
        with pytest.raises(StoppingError):
            await job
        assert not any(alive(pid) for pid in pids)

    asyncio.run(story())


def test_workers_that_start_when_needed_have_no_process_before() -> None:
    async def story() -> None:
        pool = Workers(1, queue_limit=4, job_seconds=30)
        pool.start_when_needed()
        assert pool.pids == []
        assert await pool.run("record", 0, "made") == "made"
        assert len(pool.pids) == 1
        await pool.stop()

    asyncio.run(story())


# --- through HTTP -------------------------------------------------------------------------------


class Gate:
    """Lets the server's jobs wait until a test says so, and counts them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.open = threading.Event()
        real = Workers.run

        async def run(pool: Workers, job: Any, *args: Any) -> Any:
            if job == "record":
                self.calls += 1
                await asyncio.to_thread(self.open.wait, 20)
            return await real(pool, job, *args)

        monkeypatch.setattr(Workers, "run", run)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    monkeypatch.setattr(workers, "run_job", workers_run_job)
    made = Gate(monkeypatch)
    yield made
    made.open.set()


def post(client: TestClient, text: str) -> Any:
    return client.post("/api/recordings", json={"model": "chars", "text": text})


def test_thirty_equal_requests_are_computed_once(models: Path, gate: Gate) -> None:
    with worlds.client_with(models) as client, ThreadPoolExecutor(30) as pool:
        replies = [pool.submit(post, client, "all the same") for _ in range(30)]
        wait_until(lambda: gate.calls == 1)
        time.sleep(0.2)
        gate.open.set()
        assert len({reply.result().json()["id"] for reply in replies}) == 1
        assert gate.calls == 1


def test_a_failed_computation_is_tried_again(models: Path, gate: Gate) -> None:
    gate.open.set()
    with worlds.client_with(models) as client:
        for _ in range(2):
            problem(client.post("/api/recordings", json={"model": "words", "text": " "}), 422)
    assert gate.calls == 2


def test_a_full_queue_is_429_and_says_when_to_come_back(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> Any:
        raise BusyError("The server is busy.")

    monkeypatch.setattr(Workers, "run", full)
    with worlds.client_with(models) as client:
        reply = post(client, "a")
        problem(reply, 429)
        assert reply.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("error", "status"),
    [(StoppingError("…"), 503), (WorkerDiedError("…"), 503), (TimeLimitError("…"), 504)],
)
def test_the_workers_errors_have_their_status(
    models: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    async def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(Workers, "run", fail)
    with worlds.client_with(models) as client:
        problem(post(client, "a"), status)


def test_too_large_a_recording_is_refused_with_the_numbers(models: Path, gate: Gate) -> None:
    gate.open.set()
    with worlds.client_with(models, max_recording_bytes=5_000, max_tokens=100) as client:
        told = problem(post(client, "a" * 50), 422)
        # 2 layers of 6 quantities of 6 units, 5 inputs, 30 labels, 4 bytes each
        assert told["came"] == "50 tokens × 107 numbers, 0.0 MB"
        assert "100 tokens" in problem(post(client, "a" * 101), 422)["detail"]
        record(client, "a" * 10)


def test_a_client_that_hangs_up_ends_its_work_unless_others_wait(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "GRACE_SECONDS", 0.1)
    ended: list[str] = []

    async def slow(_: Workers, job: str, *args: Any) -> Any:
        if job != "record":
            return None
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            ended.append(args[2].text)
            raise

    monkeypatch.setattr(Workers, "run", slow)
    app = worlds.app_with(models)

    async def ask(text: str, stay: float) -> None:
        messages = [{"type": "http.request", "body": _body(text), "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await asyncio.sleep(stay)
            return {"type": "http.disconnect"}

        async def send(_: Any) -> None:
            raise AssertionError("nobody is there to answer")

        await app(_scope(), receive, send)

    async def story() -> None:
        async with app.router.lifespan_context(app):
            await asyncio.gather(ask("left", 0.1), ask("shared", 0.1), ask("shared", 0.6))
            assert ended == ["left"]
            await asyncio.sleep(0.3)
            assert ended == ["left", "shared"]

    asyncio.run(story())


def _body(text: str) -> bytes:
    return b'{"model": "chars", "text": "%s"}' % text.encode()


def _scope() -> dict[str, Any]:
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    return {
        "type": "http",
        "method": "POST",
        "path": "/api/recordings",
        "query_string": b"",
        "headers": headers,
        "http_version": "1.1",
        "scheme": "http",
    }
