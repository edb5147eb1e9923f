"""Runs one task in a process of its own, which cannot harm this one. No torch, no parsers here.

A file from a stranger can make a parser hang while it holds the interpreter's lock, ask for all
memory, or crash. So each is read in a child (``child``) that has a bounded time, a bounded memory
and no right to write files, and every end it can come to is one CheckpointError here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from lstm_core.checkpoints.child import FRAME
from lstm_core.errors import CheckpointError

#: The module that runs in the child.
CHILD = "lstm_core.checkpoints.child"

#: Address space for a child, whatever it reads: torch alone maps 0.64 GB.
BASE_BYTES = 3 << 30
#: How long a child that has answered may take to end.
END_SECONDS = 5.0
#: How much a child may answer.
REPLY_BYTES = 100_000_000
PAYLOAD_BYTES = 2_000_000_000

logger = logging.getLogger(__name__)


def run(
    task: str,
    request: dict[str, Any],
    *,
    seconds: float = 30,
    memory_bytes: int | None = None,
) -> tuple[dict[str, Any], bytes]:
    """Run a task of ``child.TASKS`` in a child process and return its reply and its bytes.

    ``request`` is what JSON can say. Without ``memory_bytes`` the child may have three gigabytes
    and twice the size of the file that ``request["path"]`` names. Raises CheckpointError: the one
    the task raised, or one that says how the child came to its end.
    """
    message = envelope(task, request, seconds, memory_bytes)
    process = subprocess.Popen(
        command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    # A blocking read in any thread ends when the child does.
    clock = threading.Timer(seconds, stop)
    clock.daemon = True
    clock.start()
    try:
        answer = converse(process, message)
    finally:
        clock.cancel()
        process.kill()
        process.wait()
        close(process)
    return outcome(answer, process.returncode, late.is_set(), seconds)


def converse(process: subprocess.Popen[bytes], message: bytes) -> Answer:
    """Send the request and take in the answer, as far as it comes."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError):  # it has ended already; its exit code says how
        process.stdin.write(message)
        process.stdin.close()
    answer = Answer()
    while (length := answer.wanted()) is not None:
        part = process.stdout.read(length)
        if len(part) < length:
            break
        answer.take(part)
    if not answer.complete():
        process.wait()  # so that its exit code is its own
    return answer


def close(process: subprocess.Popen[bytes]) -> None:
    """Close the pipes; closing one also tries to send what the child did not take."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


async def run_async(
    task: str,
    request: dict[str, Any],
    *,
    seconds: float = 30,
    memory_bytes: int | None = None,
) -> tuple[dict[str, Any], bytes]:
    """``run`` for an event loop, which goes on meanwhile; cancelling it kills the child."""
    message = envelope(task, request, seconds, memory_bytes)
    process = await asyncio.create_subprocess_exec(
        *command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        limit=1 << 20,
    )
    answer = Answer()
    late = False
    try:
        async with asyncio.timeout(seconds):
            await converse_async(process, message, answer)
    except TimeoutError:
        late = True
    finally:
        await asyncio.shield(finish(process, ended=answer.complete()))
    return outcome(answer, process.returncode or 0, late, seconds)


async def converse_async(
    process: asyncio.subprocess.Process, message: bytes, answer: Answer
) -> None:
    """``converse``, in an event loop."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError):
        process.stdin.write(message)
        await process.stdin.drain()
        process.stdin.close()
    with contextlib.suppress(asyncio.IncompleteReadError):
        while (length := answer.wanted()) is not None:
            answer.take(await process.stdout.readexactly(length))
    if not answer.complete():
        await process.wait()


async def finish(process: asyncio.subprocess.Process, *, ended: bool) -> None:
    """Wait for the child's end, or bring it about, and read what its pipe still holds.

    One that has answered ends by itself; killing it at that moment would collect its exit code
    before asyncio can.
    """
    assert process.stdout is not None
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS if ended else 0)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            while await process.stdout.read(1 << 20):
                pass


class Answer:
    """What has come from a child: the frame's lengths, then its two parts."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def complete(self) -> bool:
        return len(self.parts) == 3

    def wanted(self) -> int | None:
        """How many bytes come next; None after the last, or if they would be too many."""
        if not self.parts:
            return FRAME.size
        lengths: tuple[int, int] = FRAME.unpack(self.parts[0])
        if self.complete() or lengths[0] > REPLY_BYTES or lengths[1] > PAYLOAD_BYTES:
            return None
        return lengths[len(self.parts) - 1]

    def take(self, part: bytes) -> None:
        self.parts.append(part)

    def oversized(self) -> bool:
        return len(self.parts) == 1 and self.wanted() is None


# --------------------------------------------------------------------------- before and after


def command() -> list[str]:
    """-P: no module is taken from the folder the user happens to be in."""
    return [sys.executable, "-P", "-m", CHILD]


#: What a child keeps of the environment: what Python and the libraries need in order to start.
KEPT = (
    "PATH",
    "HOME",
    "USERPROFILE",
    "APPDATA",
    "SYSTEMROOT",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "TMPDIR",
    "TEMP",
    "TMP",
)


def environment() -> dict[str, str]:
    """Without the user's secrets, and with this package on the path."""
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",  # it may not write
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "HDF5_PLUGIN_PRELOAD": "::",  # no filters from elsewhere
    }


def envelope(task: str, request: dict[str, Any], seconds: float, memory_bytes: int | None) -> bytes:
    """What is sent to the child."""
    limits = {
        "RLIMIT_AS": memory_for(request) if memory_bytes is None else memory_bytes,
        "RLIMIT_CPU": math.ceil(seconds) + 1,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_CORE": 0,
    }
    return json.dumps(
        {"task": task, "request": request, "limits": limits, "parent": os.getpid()}
    ).encode()


def memory_for(request: dict[str, Any]) -> int:
    """The base, and twice the sizes of the files that the request names."""
    size = 0
    for value in (request.get("path"), request.get("vocabulary")):
        with contextlib.suppress(OSError, ValueError):
            size += os.path.getsize(value) if isinstance(value, str) else 0
    return BASE_BYTES + 2 * size


def outcome(answer: Answer, code: int, late: bool, seconds: float) -> tuple[dict[str, Any], bytes]:
    """The reply, or the error that says how it ended."""
    if not answer.complete():
        raise unanswered(answer, code, late, seconds)
    _, text, payload = answer.parts
    try:
        reply = json.loads(text)
        if "reply" in reply:
            return dict(reply["reply"]), payload
        if "error" in reply:
            raise CheckpointError(**reply["error"])
        if "memory" in reply:
            raise out_of_memory()
        logger.warning("a task failed in its own process:\n%s", reply["trace"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        if isinstance(error, CheckpointError):  # a ValueError too
            raise
        raise unreadable() from error
    raise CheckpointError(
        "This file could not be read.",
        came="something that the reader does not know what to do with",
        expected="a whole file as the library that wrote it saves it",
    )


def unanswered(answer: Answer, code: int, late: bool, seconds: float) -> CheckpointError:
    """Why there is no answer, by the way the child ended."""
    if late or code == -getattr(signal, "SIGXCPU", 0) < 0:
        return CheckpointError(
            f"Reading this file took longer than {seconds:g} seconds.",
            came="a file that is damaged, very large, or made to hang its reader",
            expected="a whole file: copy or download it again, or save the weights by themselves",
        )
    if answer.oversized():
        return unreadable()
    if code == -getattr(signal, "SIGKILL", 0) < 0:
        return out_of_memory()
    if code < 0:
        return CheckpointError(
            "This file made its reader crash.",
            came="a file that is damaged, or made to do so",
            expected="a whole file: copy or download it again",
        )
    return unreadable()


def out_of_memory() -> CheckpointError:
    return CheckpointError(
        "Reading this file takes more memory than is allowed.",
        came="a file that is very large, or asks for memory without holding it",
        expected="the weights by themselves, without an optimizer's state",
    )


def unreadable() -> CheckpointError:
    return CheckpointError(
        "This file was not read to its end.",
        came="no answer, or one that makes no sense, from the process that read it",
        expected="a whole file: copy or download it again",
    )
