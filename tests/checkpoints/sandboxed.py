"""The sandbox's child, with tasks for the tests beside its own."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from lstm_core.checkpoints import child, formats
from lstm_core.errors import CheckpointError

Reply = tuple[dict[str, Any], bytes]
HERE = "tests.checkpoints.sandboxed"
TASKS = {
    name: f"{HERE}:{name}"
    for name in (
        "look",
        "echo",
        "fail",
        "refuse",
        "crash",
        "eat",
        "hang",
        "spin",
        "write",
        "print_and_answer",
        "modules",
        "garbage",
        "too_much",
        "vanish",
        "hdf5_attributes",
    )
}


def look(request: dict[str, Any]) -> Reply:
    """Read a file and all its numbers."""
    contents = formats.read(Path(request["path"]))
    arrays = contents.read(list(contents.tensors))
    return {
        "format": contents.format,
        "shapes": {name: list(info.shape) for name, info in contents.tensors.items()},
        "sizes": {name: array.size for name, array in arrays.items()},
        "tables": dict(contents.tables),
        "torch": "torch" in sys.modules,
    }, b""


def echo(request: dict[str, Any]) -> Reply:
    return request, bytes(range(256)) * request.get("times", 1)


def fail(_: dict[str, Any]) -> Reply:
    raise ZeroDivisionError("in our own code")


def refuse(_: dict[str, Any]) -> Reply:
    raise CheckpointError("what it is", came="this", expected="that", exists=["a", "b"])


def crash(_: dict[str, Any]) -> Reply:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}, b""


def eat(_: dict[str, Any]) -> Reply:
    return {"length": len(bytearray(20_000_000_000))}, b""


def hang(_: dict[str, Any]) -> Reply:
    time.sleep(1000)
    return {}, b""


def spin(_: dict[str, Any]) -> Reply:
    while True:
        pass


def write(request: dict[str, Any]) -> Reply:
    Path(request["path"]).write_bytes(b"written")
    return {}, b""


def print_and_answer(_: dict[str, Any]) -> Reply:
    print("a library says something", flush=True)
    os.write(1, b"so does one in C")
    return {"answered": True}, b""


def modules(_: dict[str, Any]) -> Reply:
    return {"modules": sorted(sys.modules), "environment": dict(os.environ)}, b""


def garbage(_: dict[str, Any]) -> Reply:
    child.write = lambda to, *_: (to.write(child.FRAME.pack(3, 0) + b"{x}"), to.flush())
    return {}, b""


def too_much(_: dict[str, Any]) -> Reply:
    child.write = lambda to, *_: (to.write(child.FRAME.pack(10, 1 << 60)), to.flush())
    return {}, b""


def hdf5_attributes(request: dict[str, Any]) -> Reply:
    """What a careless reader does first."""
    import h5py

    with h5py.File(request["path"]) as file:
        return {"attributes": {name: str(value) for name, value in file.attrs.items()}}, b""


def vanish(_: dict[str, Any]) -> Reply:
    os._exit(0)


if __name__ == "__main__":
    child.main({**child.TASKS, **TASKS})
