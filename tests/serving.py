"""Run the real server as a process of its own, for the tests that look at it from outside."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODULE = (sys.executable, "-m", "server")


@dataclass
class RunningServer:
    """Where it answers, and what it has printed."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=30) as response:
            return response.read()

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def post(self, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read())


@contextmanager
def serve(
    command: Sequence[str | Path] = MODULE,
    *,
    settings: Mapping[str, object] | None = None,
    cwd: Path | None = None,
    timeout: float = 60,
    port: int | None = None,
) -> Iterator[RunningServer]:
    """Start it on a free port or on ``port``, wait until its workers are ready, end it afterwards.

    ``settings`` become GATESCOPE_… variables; those of the person who runs the tests do not count,
    and neither does that person's data folder.
    Raises RuntimeError, with what the server printed, when it does not get ready.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("GATESCOPE_")}
    port = port or _free_port()
    with tempfile.TemporaryDirectory() as folder:
        given = {"data_folder": Path(folder, "data"), **(settings or {})}
        env |= {f"GATESCOPE_{name.upper()}": str(value) for name, value in given.items()}
        log = Path(folder, "server.log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*map(str, command), "--port", str(port)],
                cwd=cwd,
                env={**env, "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        server = RunningServer(f"http://127.0.0.1:{port}", process, log)
        try:
            _wait_until_ready(server, timeout)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(server: RunningServer, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    seen: object = "no answer"
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise RuntimeError(f"The server ended by itself and printed:\n{server.output}")
        try:
            seen = server.json("/api/health")
        except OSError as error:  # a URLError is one
            seen = error
        if isinstance(seen, dict) and seen.get("workers") == "ready":
            return
        time.sleep(0.05)
    raise RuntimeError(
        f"The server was not ready after {timeout:.0f} s (last: {seen}) and printed:\n"
        f"{server.output}"
    )
