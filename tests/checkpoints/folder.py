"""A folder of small checkpoints of every kind, and of every kind that is refused.

    python -m tests.checkpoints FOLDER

writes ``opened/`` and ``refused/``: to try the page and the command line on. The hostile ones are
harmless where nothing runs; where something does, they leave the file ``MARKER`` behind.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import nn

from tests.checkpoints import hostile_files, keras_files, onnx_files, torch_files

#: A hidden folder of its own would not be seen; whoever finds this knows that a file has run.
MARKER = "A-FILE-HAS-RUN"


def write(folder: Path) -> None:
    """Write both folders below ``folder``."""
    (folder / "opened").mkdir(parents=True, exist_ok=True)
    (folder / "refused").mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries' remarks on their own old ways
        write_opened(folder / "opened")
        write_refused(folder / "refused", folder / MARKER)


# --- what opens ---------------------------------------------------------------------------------


def write_opened(folder: Path) -> None:
    for name, make in torch_files.KINDS.items():
        value, expected = make()
        if any("weight_hh" in key for key in expected):
            (folder / f"torch-{name}.pt").write_bytes(torch_files.saved(value))
    plain = torch_files.plain()[0]
    (folder / "torch-legacy.th").write_bytes(torch_files.saved(plain, legacy=True))
    (folder / "torch-from-cuda.bin").write_bytes(torch_files.from_cuda(torch_files.saved(plain)))
    (folder / "safetensors.dat").write_bytes(safetensors.torch.save(dict(plain)))
    (folder / "words.json").write_text(json.dumps({"word2idx": _ids(torch_files.TOKENS)}))
    (folder / "words.txt").write_text("\n".join(torch_files.TOKENS) + "\n")
    write_series(folder)
    write_onnx(folder)
    write_keras(folder)


def _ids(tokens: list[str]) -> dict[str, int]:
    return {token: n for n, token in enumerate(tokens)}


def write_series(folder: Path) -> None:
    """A regression on two columns, and a table for it."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"lstm": nn.LSTM(2, 5), "linear": nn.Linear(5, 1)})
    torch.save(model.state_dict(), folder / "series.pt")
    steps = np.arange(40, dtype=np.float32)
    values = np.stack([np.sin(steps / 4), np.cos(steps / 7)], axis=1)
    np.save(folder / "series.npy", values)
    rows = "\n".join(f"2026-01-{n % 28 + 1:02},{a},{b}" for n, (a, b) in enumerate(values))
    (folder / "series.csv").write_text(f"day,wind,tide\n{rows}\n")


def write_onnx(folder: Path) -> None:
    ids = torch.tensor([[1], [2]])
    tagger = onnx_files.Tagger(num_layers=2, bidirectional=True)
    onnx_files.export(tagger, ids, folder / "onnx-tagger.onnx")
    for direction in ("forward", "reverse", "bidirectional"):
        file = onnx_files.one_lstm(direction=direction)
        (folder / f"onnx-{direction}.onnx").write_bytes(file.SerializeToString())


def write_keras(folder: Path) -> None:
    layers = keras_files.keras().layers
    model = keras_files.sequential(
        layers.Embedding(9, 4),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.LSTM(5),
        layers.Dense(1, activation="sigmoid"),
        shape=(None,),
    )
    for kind in keras_files.KINDS:
        keras_files.save(model, folder, kind).rename(folder / f"keras.{kind}")


# --- what is refused ----------------------------------------------------------------------------


def write_refused(folder: Path, marker: Path) -> None:
    for name, data in {
        **{f"runs-{name}.pt": data for name, data in hostile_files.running(marker).items()},
        **{f"bomb-{name}.pt": data for name, data in hostile_files.bombs().items()},
        **{f"{name}.safetensors": data for name, data in hostile_files.bad_safetensors().items()},
    }.items():
        (folder / name).write_bytes(data)
    module = torch_files.Tagger()
    torch.save(module.lstm, folder / "whole-module.pt")
    torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)).save(folder / "torchscript.pt")
    torch.save(nn.GRU(3, 4).state_dict(), folder / "gru.pt")
    torch.save(nn.Linear(3, 4).state_dict(), folder / "no-lstm.pt")
    torch.save(torch_files.trained()[1].state_dict(), folder / "optimizer.pt")
    data = torch_files.saved(module.state_dict())
    (folder / "truncated.pt").write_bytes(data[: len(data) // 2])
    peepholes = onnx_files.one_lstm(
        ("X", "W", "R", "B", "", "", "", "P"), {"P": np.ones((1, 3 * onnx_files.H), np.float32)}
    )
    (folder / "peepholes.onnx").write_bytes(peepholes.SerializeToString())
    clipped = onnx_files.one_lstm(clip=1.0)
    (folder / "clip.onnx").write_bytes(clipped.SerializeToString())
    layers = keras_files.keras().layers
    hard = keras_files.sequential(layers.LSTM(3, recurrent_activation="hard_sigmoid"))
    hard.save(folder / "hard-sigmoid.keras")
