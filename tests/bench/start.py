"""How soon a started server answers, and how soon it can record."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from tests.bench.measure import Figure

RUNS = 5


def measure() -> list[Figure]:
    answers, ready = zip(*(_start() for _ in range(RUNS)), strict=True)
    return [
        Figure(f"server: start → first answer (median of {RUNS})", statistics.median(answers), "s"),
        Figure(
            f"server: start → ready to record (median of {RUNS})", statistics.median(ready), "s"
        ),
    ]


def _start() -> tuple[float, float]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = tempfile.TemporaryDirectory()
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "GATESCOPE_DATA_FOLDER": data.name},
    )
    try:
        answered = None
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health") as reply:
                    health = json.load(reply)
            except OSError:
                time.sleep(0.005)
                continue
            answered = answered or time.perf_counter() - begin
            if health["workers"] == "ready":
                return answered, time.perf_counter() - begin
            time.sleep(0.02)
    finally:
        process.terminate()
        process.wait()
        data.cleanup()
