"""Files as people bring them, and as somebody brings them who means no good."""

from __future__ import annotations

import io
import json
import os
import pickle
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import safetensors.torch
import torch
from starlette.testclient import TestClient
from torch import Tensor, nn

from tests.server.worlds import problem

OCTETS = {"Content-Type": "application/octet-stream"}
LETTERS = [*"abcdefghijklmnopqrstuvwxyz ,."]
VOCABULARY = json.dumps({letter: n for n, letter in enumerate(LETTERS)}).encode()


class Letters(nn.Module):
    """A language model of letters, written as most people write one."""

    def __init__(self, hidden: int = 12, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.embedding = nn.Embedding(len(LETTERS), 8)
        self.lstm = nn.LSTM(8, hidden, num_layers=2, batch_first=True)
        self.fc = nn.Linear(hidden, len(LETTERS))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(x))[0])


def saved(state: Any) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def letters(**options: Any) -> bytes:
    """The format that is read fastest."""
    return safetensors.torch.save(Letters(**options).state_dict())


def numbers(width: int = 3) -> bytes:
    """An LSTM alone: it reads rows of numbers, and nothing is to be asked."""
    torch.manual_seed(0)
    return safetensors.torch.save(nn.LSTM(width, 5, bidirectional=True).state_dict())


def bring(
    client: TestClient, data: bytes, name: str = "letters.safetensors", *, to: str = "checkpoints"
) -> Any:
    reply = client.post(f"/api/{to}", params={"name": name}, content=data, headers=OCTETS)
    assert reply.status_code in (200, 201), reply.text
    return reply.json()


def open_model(client: TestClient, data: bytes, **wanted: Any) -> Any:
    checkpoint = bring(client, data)["id"]
    reply = client.post("/api/models", json={"checkpoint": checkpoint, **wanted})
    assert reply.status_code in (200, 201), reply.text
    return reply.json()


def refused(client: TestClient, data: bytes, status: int = 422, *, to: str = "checkpoints") -> Any:
    return problem(client.post(f"/api/{to}", content=data, headers=OCTETS), status)


# --- of somebody who means no good --------------------------------------------------------------


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def zipped(pickled: bytes) -> bytes:
    """A pickle in the archive that torch.save writes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", b"3\n")
        archive.writestr("archive/byteorder", b"little")
    return buffer.getvalue()


def hostile(marker: str) -> dict[str, bytes]:
    """Files that run code, ask for all memory or are broken. Code would write ``marker``."""
    shell = pickle.dumps({"lstm.weight_ih_l0": Call(os.system, f"touch {marker}")}, protocol=2)
    huge = pickle.dumps({"a": Call(bytearray, 20_000_000_000)}, protocol=2)
    scripted = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), scripted)
    whole = saved(Letters().state_dict())
    return {
        "a pickle that calls the shell": shell,
        "the same in an archive": zipped(shell),
        "twenty gigabytes": zipped(huge),
        "a whole module": saved(nn.Linear(2, 2)),
        "TorchScript": scripted.getvalue(),
        "half a file": whole[: len(whole) // 2],
        "a file without its end": whole[:-1],
        "deep lists": zipped(b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b"."),
        "nothing": b"",
        "noise": bytes(range(256)) * 40,
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "safetensors that lie": (2**62).to_bytes(8, "little") + b"{}",
    }
