"""How long the numbers of a comparison take: the jobs of the server, on a long recording.

    python -m tests.bench.comparing

Each in a process of its own, on two cores, with a BLAS that keeps to one: as the server runs them.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.analysis.alignment import align
from lstm_core.tensor_files import Entry, encode_header
from server import comparing
from server.array_file import ArrayFile
from tests.bench.measure import Figure, number

T, UNITS, LAYERS = 10_000, 512, 8
SIZE = f"{T:,} × {UNITS} × {LAYERS} layers"
RUNS = 5
CORES = 2


def measure() -> list[Figure]:
    """What `make bench` shows of it."""
    command = [sys.executable, "-m", "tests.bench.comparing", "--times"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    seconds = json.loads(done.stdout)
    return [
        Figure(f"CKA of all pairs of layers, {SIZE}", seconds["cka"], "s", 2.0),
        Figure(f"CKA of all pairs of layers ÷ its matrix products alone, {SIZE}",
               seconds["cka"] / seconds["products"], "×"),
        Figure(f"PCA of one layer, {T:,} × {UNITS}", seconds["pca"], "s", 1.0),
        Figure(f"PCA of every layer, {SIZE}", seconds["every pca"], "s", 1.0),
        Figure(f"best-matching units of two layers, {T:,} × {UNITS}", seconds["matches"], "s"),
        Figure("alignment of two texts of 20,000 random characters", seconds["align"], "s"),
    ]  # fmt: skip


def _times() -> dict[str, float]:
    """Seconds of each, the least of a few runs: what else the machine does is no part of it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
    names = [f"{layer}.forward.h" for layer in range(LAYERS)]
    rows = range(T)
    letters = random.Random(0)
    texts = [letters.choices("abcdefghijklmnopqrstuvwxyz ", k=20_000) for _ in range(2)]
    with tempfile.TemporaryDirectory() as folder:
        file = _write(Path(folder, "recording.safetensors"), names)
        first, second = (file.arrays()[name] for name in names[:2])
        pairs = LAYERS * (LAYERS + 1) / 2
        return {
            "cka": _least(lambda: comparing.similarity(file, None, names, names, rows, [], None)),
            "products": _least(lambda: first.T @ second) * pairs / CORES,
            "pca": _least(lambda: comparing.paths([file], names[:1], rows, 3, False)),
            "every pca": _least(lambda: comparing.paths([file], names, rows, 3, False)),
            "matches": _least(lambda: comparing.best_matches(file, None, *names[:2], rows)),
            "align": _least(lambda: align(*texts)),
        }


def _least(job: Callable[[], Any]) -> float:
    job()  # what is imported and what is read for the first time
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        job()
        times.append(time.perf_counter() - begin)
    return min(times)


def _write(path: Path, names: list[str]) -> ArrayFile:
    """States that have something in common, as they would lie on the disk."""
    drawn = np.random.default_rng(0)
    below = drawn.standard_normal((T, 40), dtype=np.float32)
    entries = [(name, Entry("F32", (T, UNITS))) for name in ("x", *names)]
    with path.open("wb") as file:
        file.write(encode_header(entries, {}))
        for _ in entries:
            mixed = below @ drawn.standard_normal((40, UNITS), dtype=np.float32) / 6
            noise = drawn.standard_normal((T, UNITS), dtype=np.float32) / 2
            file.write(np.tanh(mixed + noise).data)
    return ArrayFile.open(path)[0]


if __name__ == "__main__":
    if "--times" in sys.argv:
        print(json.dumps(_times()))
    else:
        print("\n".join(f"{f.name}: {number(f.value)} {f.unit} {f.verdict}" for f in measure()))
