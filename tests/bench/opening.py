"""How long it takes until a dropped file is understood, and until its model is there."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from tests.bench.measure import Figure
from tests.serving import RunningServer

RUNS = 5


def measure(server: RunningServer) -> list[Figure]:
    """A language model of a million weights, 4 MB, as PyTorch and safetensors save it."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        files = _write(Path(folder))
        for kind, path in files.items():
            inspected, built = zip(*(_open(server, path) for _ in range(RUNS)), strict=True)
            size = f"{path.stat().st_size / 1e6:.1f} MB"
            figures += [
                Figure(f"{kind} file of {size} → what is in it", statistics.median(inspected), "s"),
                Figure(f"{kind} file of {size}: answers → model", statistics.median(built), "s"),
            ]
    return figures


def _write(folder: Path) -> dict[str, Path]:
    torch.manual_seed(0)
    model = nn.ModuleDict(
        {
            "encoder": nn.Embedding(2000, 128),
            "rnn": nn.LSTM(128, 192, num_layers=2),
            "decoder": nn.Linear(192, 2000),
        }
    )
    files = {"PyTorch": folder / "model.pt", "safetensors": folder / "model.safetensors"}
    torch.save(model.state_dict(), files["PyTorch"])
    safetensors.torch.save_file(model.state_dict(), files["safetensors"])
    return files


def _open(server: RunningServer, path: Path) -> tuple[float, float]:
    """Seconds for each of the two requests; the model is removed again."""
    begin = time.perf_counter()
    found = _send(server, f"/api/checkpoints?name={path.name}", path.read_bytes())
    middle = time.perf_counter()
    body = {"checkpoint": found["id"], "vocabulary": None, "choices": {"vocabulary": "ids"}}
    model = server.post("/api/models", body)
    end = time.perf_counter()
    _send(server, f"/api/models/{model['id']}", method="DELETE")
    return middle - begin, end - middle


def _send(server: RunningServer, path: str, data: bytes | None = None, method: str = "POST") -> Any:
    request = urllib.request.Request(
        server.url + path,
        data=data,
        method=method,
        headers={"Content-Type": "application/octet-stream"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        body = response.read()
    return json.loads(body) if body else None
