"""What runs in the disposable process of ``sandbox``: one task, under limits it sets itself.

The parent writes a JSON text to the standard input. The answer is one frame on the standard output:
the lengths of a JSON text and of the bytes after it, then both.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import struct
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from lstm_core.errors import LSTMCoreError

#: What can be asked for: where the function is. Imported only when asked for.
TASKS = {
    "inspect": "lstm_core.checkpoints.tasks:inspect",
    "build": "lstm_core.checkpoints.tasks:build",
    "vocabulary": "lstm_core.checkpoints.tasks:vocabulary",
    "table": "lstm_core.checkpoints.tasks:table",
}

#: The lengths of the JSON text and of the payload.
FRAME = struct.Struct("<QQ")


def main(tasks: Mapping[str, str] = TASKS) -> None:
    """Answer the one request on the standard input."""
    envelope = json.load(sys.stdin.buffer)
    answer_to = private_output()
    die_with(envelope["parent"])
    limit(envelope["limits"])
    reply, payload = answer(tasks[envelope["task"]], envelope["request"])
    write(answer_to, reply, payload)
    # Not by way of the interpreter's end, where a damaged library could still hang.
    os._exit(0)


def private_output() -> BinaryIO:
    """The standard output, for the answer alone: what libraries print goes nowhere."""
    private = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return os.fdopen(private, "wb")


def die_with(parent: int) -> None:
    """End when the parent does, on Linux; elsewhere the limit on CPU time ends a forgotten child.

    The process id tells whether the parent ended before this was asked for.
    """
    if sys.platform != "linux":
        return
    import ctypes

    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def limit(limits: Mapping[str, int]) -> None:
    """Set limits on this process, by the names the resource module has for them.

    Windows has none of them, and macOS does not hold a process to its address space: there, only
    the parent's clock ends a child that asks for too much.
    """
    try:
        import resource
    except ImportError:
        return
    for name, value in limits.items():
        which = getattr(resource, name, None)
        if which is None:
            continue
        _, hard = resource.getrlimit(which)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        try:
            resource.setrlimit(which, (value, value))
        except (ValueError, OSError):
            continue


def answer(where: str, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What the task returns, or the error it raised."""
    try:
        module, _, function = where.partition(":")
        task: Callable[[dict[str, Any]], tuple[dict[str, Any], bytes]] = getattr(
            importlib.import_module(module), function
        )
        reply, payload = task(request)
        return {"reply": reply}, payload
    except LSTMCoreError as error:
        return {"error": as_json(error)}, b""
    except MemoryError:
        return {"memory": True}, b""
    except Exception:
        return {"trace": traceback.format_exc()[-20_000:]}, b""


def as_json(error: LSTMCoreError) -> dict[str, Any]:
    """An error's parts."""
    return {
        "message": error.message,
        "came": error.came,
        "expected": error.expected,
        "exists": error.exists,
    }


def write(to: BinaryIO, reply: dict[str, Any], payload: bytes) -> None:
    """One frame. Escapes keep halves of surrogate pairs, of which JSON may have any."""
    text = json.dumps(reply).encode("ascii")
    to.write(FRAME.pack(len(text), len(payload)))
    to.write(text)
    to.write(payload)
    to.flush()


if __name__ == "__main__":
    main()
