"""The processes that compute and those that read; the web process only waits for them.

Every worker is a pebble.ProcessPool of one process. Pebble gives what the standard library's pool
lacks: a time limit and a cancel that really end the process. One process per pool, because the
workers of one pool share a pipe: one that is killed while it holds the pipe takes the others with
it, and one killed while idle leaves the pool broken. Here a broken pool is thrown away with its
pipe and a new one takes its place, at the price of one job at most.
A round trip takes 0.4 ms, with a result of 400 kB 1.6 ms.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as JobTimeoutError
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from typing import Any, Literal

from pebble import ProcessExpired, ProcessPool

from server.errors import BusyError, StoppingError, TimeLimitError, WorkerDiedError
from server.schemas import WorkerStatus

logger = logging.getLogger(__name__)

#: Longest wait for a process to end; pebble kills it after 3.
STOP_SECONDS = 5

#: The modules of jobs: with torch, and without.
COMPUTING, READING = "server.jobs", "server.reading"

ComputingJob = Literal[
    "prepare", "warm_up", "record", "unit_weights", "cell_weights", "lens", "write_on", "fresh"
]
LookingJob = Literal["tiles", "order", "unit_summaries", "matching_units", "decisions", "export"]
ComparingJob = Literal["similarity", "comparison", "best_matches", "paths", "comparison_tiles"]
ReadingJob = LookingJob | ComparingJob
Job = ComputingJob | ReadingJob


def run_job(module: str, job: Job, *args: Any) -> Any:
    """Runs in the worker. Jobs travel by name, so that only workers import their module."""
    return getattr(importlib.import_module(module), job)(*args)


def nothing() -> None:
    """No model to warm up with."""


class Workers:
    """A fixed number of workers behind one bounded queue.

    ``module`` holds their jobs. A job that is cancelled while it runs is ended with its process;
    where its jobs are ``short`` it comes to its end instead, which takes less than a new process.
    Both forget one that still waits.
    """

    def __init__(
        self,
        count: int,
        *,
        queue_limit: int,
        job_seconds: float,
        module: str = COMPUTING,
        short: bool = False,
    ) -> None:
        self._workers = [_Worker(module, job_seconds) for _ in range(count)]
        # Last in, first out: the worker that has just run has the model at hand.
        self._idle: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        self._queue_limit = queue_limit
        self._short = short
        self._finishing: set[asyncio.Task[Any]] = set()
        self._waiting = 0
        self._stopping = False
        self._starting: asyncio.Task[None] | None = None

    @property
    def status(self) -> WorkerStatus:
        return "ready" if self._starting is not None and self._starting.done() else "starting"

    @property
    def pids(self) -> list[int]:
        return [pid for worker in self._workers for pid in worker.pids]

    def start(self, warm_up_args: Callable[[], tuple[str, str] | None] = nothing) -> None:
        """Start in the background; jobs given meanwhile wait in the queue.

        ``warm_up_args`` says, once the workers are up, with which model to warm them.
        """
        self._starting = asyncio.create_task(self._start(warm_up_args))

    def start_when_needed(self) -> None:
        """The first job starts the process."""
        for worker in self._workers:
            self._idle.put_nowait(worker)

    async def _start(self, warm_up_args: Callable[[], tuple[str, str] | None]) -> None:
        await asyncio.gather(*(self._start_one(w, warm_up_args) for w in self._workers))

    async def _start_one(
        self, worker: _Worker, warm_up_args: Callable[[], tuple[str, str] | None]
    ) -> None:
        try:
            await asyncio.to_thread(worker.start)
            if not self._stopping and (args := await asyncio.to_thread(warm_up_args)):
                await worker.run("warm_up", *args)
        except Exception:  # a model that cannot be warmed up says why when it is asked for
            logger.warning("A worker could not be warmed up.", exc_info=True)
        self._idle.put_nowait(worker)

    async def run(self, job: Job, *args: Any) -> Any:
        """The job's result.

        Raises what the job raised; BusyError when the queue is full, StoppingError,
        WorkerDiedError, TimeLimitError.
        """
        worker = await self._take()
        running = self._run_on(worker, job, *args)
        if not self._short:
            return await running
        task = asyncio.create_task(running)
        self._finishing.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def _run_on(self, worker: _Worker, job: Job, *args: Any) -> Any:
        try:
            return await worker.run(job, *args)
        finally:
            self._idle.put_nowait(worker)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._finishing.discard(task)
        if not task.cancelled():
            task.exception()  # asyncio complains of errors nobody has read

    async def _take(self) -> _Worker:
        if self._stopping:
            raise _stopping()
        if self._idle.empty() and self._waiting >= self._queue_limit:
            raise BusyError(
                "The server is busy. Try again in a moment.",
                came=f"{self._waiting} requests waiting",
                expected=f"at most {self._queue_limit}",
            )
        self._waiting += 1
        try:
            worker = await self._idle.get()
        finally:
            self._waiting -= 1
        if self._stopping:
            self._idle.put_nowait(worker)  # the next one in the queue wants to hear it, too
            raise _stopping()
        return worker

    async def stop(self) -> None:
        """End every worker; no process is left when this returns."""
        self._stopping = True
        if self._starting is not None:
            await asyncio.wait([self._starting])
        await asyncio.gather(*(asyncio.to_thread(worker.stop) for worker in self._workers))


class _Worker:
    """One process, replaced when it dies. Runs one job at a time."""

    def __init__(self, module: str, job_seconds: float) -> None:
        self._module = module
        self._job_seconds = job_seconds
        self._pool: ProcessPool | None = None
        self._starting = threading.Lock()
        self._running: Future[Any] | None = None
        self._ending: list[threading.Thread] = []
        self._discarding = threading.Lock()
        self._stopped = False

    @property
    def pids(self) -> list[int]:
        # Pebble has no public name for its processes.
        return list(self._pool._pool_manager.worker_manager.workers) if self._pool else []

    def start(self) -> None:
        """Blocks until the process is there: 2 s the first time, when torch is imported."""
        with self._starting:
            if self._stopped:
                raise _stopping()
            if self._pool is not None and self._pool.active:
                return
            self._discard()
            pool = ProcessPool(
                max_workers=1,
                initializer=run_job,
                initargs=(self._module, "prepare"),
                context=_context(),
            )
            if not pool.active:  # asking starts it
                raise BrokenProcessPool("not started")
            self._pool = pool

    async def run(self, job: Job, *args: Any) -> Any:
        for last_attempt in (False, True):
            try:
                if self._pool is None or not self._pool.active:
                    await asyncio.to_thread(self.start)
                return await self._result(job, *args)
            except BrokenProcessPool as error:  # it died while idle: this job had not begun
                self._discard()
                if last_attempt:
                    raise _died() from error
            except ProcessExpired as error:
                logger.error("A worker died: process %s, exit code %s", error.pid, error.exitcode)
                self._discard()
                raise _died() from error
            except JobTimeoutError as error:
                self._discard()
                raise TimeLimitError(
                    "The computation took too long and was ended. Try a shorter text.",
                    expected=f"at most {self._job_seconds:g} seconds",
                ) from error
            except asyncio.CancelledError:
                self._discard()
                if self._stopped:
                    raise _stopping() from None
                raise
        raise AssertionError("unreachable")

    async def _result(self, job: Job, *args: Any) -> Any:
        pool = self._pool
        if pool is None:
            raise BrokenProcessPool("discarded")
        try:
            self._running = pool.schedule(
                run_job, (self._module, job, *args), timeout=self._job_seconds
            )
        except RuntimeError as error:
            raise BrokenProcessPool(str(error)) from error
        return await asyncio.wrap_future(self._running)

    def _discard(self) -> None:
        """End the process, in the background; the next job starts another.

        A pool whose process died in the middle of a message never ends its reading thread, and
        one whose process is busy takes a while, so nobody waits for it here.
        """
        with self._discarding:  # the event loop and the stopping thread both come here
            pool, self._pool = self._pool, None
            if pool is None:
                return
            pool.stop()  # type: ignore[no-untyped-call]
            joining = threading.Thread(target=pool.join, daemon=True)
            joining.start()
            self._ending = [thread for thread in self._ending if thread.is_alive()] + [joining]

    def stop(self) -> None:
        """Blocks until the process is gone."""
        self._stopped = True
        with self._starting:
            if self._running is not None:
                self._running.cancel()  # pebble forgets the jobs of a pool that is stopped
            self._discard()
            # Also the pools discarded before: the job just cancelled may have come first.
            for joining in self._ending:
                joining.join(timeout=STOP_SECONDS)


def _died() -> WorkerDiedError:
    return WorkerDiedError("The process that computed this was ended. Try again.")


def _stopping() -> StoppingError:
    return StoppingError("The server is shutting down.")


def _context() -> BaseContext:
    """How processes are born: forked, where that is safe, from one that has imported torch."""
    # Read by the OpenMP runtime when torch is loaded: threads that spin while another process
    # has the core make everything 20 to 50 times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's, for the same reason
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # The readers are its children, too: pages that nobody writes to are there once for all, and
    # a fork takes less time than an interpreter that imports numpy.
    context.set_forkserver_preload([COMPUTING, READING])
    return context
