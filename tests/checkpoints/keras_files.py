"""Small Keras models, saved by Keras itself. Importing it takes seconds, so tests do it late."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import nn

from lstm_core.checkpoints import keras_file
from lstm_core.checkpoints.contents import Array, Contents, Limits

I, H, B, T = 3, 4, 2, 5  # noqa: E741

KINDS = ("keras", "h5", "weights.h5")


@cache
def keras() -> Any:
    """Keras with torch behind it, its settings in a folder of their own."""
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ["KERAS_HOME"] = tempfile.mkdtemp()
    import keras

    return keras


def randomize(model: Any) -> Any:
    """Weights of which none is zero: biases begin as that."""
    random = np.random.default_rng(0)
    model.set_weights([random.uniform(-0.8, 0.8, w.shape) for w in model.get_weights()])
    return model


def sequential(*layers: Any, shape: tuple[int | None, ...] = (T, I), **options: Any) -> Any:
    given = keras().Input(shape)
    return randomize(keras().Sequential([given, *layers], **options))


def save(model: Any, folder: Path, kind: str) -> Path:
    path = folder / f"model.{kind}"
    (model.save_weights if kind == "weights.h5" else model.save)(path)
    return path


def read(path: Path, **limits: int) -> Contents:
    return keras_file.read(path, Limits(**limits))


def saved(model: Any, folder: Path, kind: str) -> tuple[Contents, dict[str, Array]]:
    contents = read(save(model, folder, kind))
    return contents, contents.read(contents.tensors)


def predict(model: Any, x: np.ndarray) -> Any:
    with torch.no_grad():
        result = model(x)
    parts = result if isinstance(result, list | tuple) else [result]
    return [part.detach().numpy() for part in parts]


def forward(arrays: Mapping[str, Array], group: str, x: np.ndarray) -> np.ndarray:
    """The output of PyTorch's LSTM (batch, time, D·H), each direction at its own token."""
    own = {
        name.removeprefix(f"{group}."): array
        for name, array in arrays.items()
        if name.startswith(f"{group}.")
    }
    some = next(array for name, array in own.items() if name.startswith("weight_ih_l0"))
    lstm = nn.LSTM(some.shape[1], some.shape[0] // 4, bidirectional=True, batch_first=True)
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            parameter.copy_(torch.from_numpy(own[name]) if name in own else torch.zeros(()))
        output, _ = lstm(torch.from_numpy(x))
    there = [d for d, end in enumerate(("", "_reverse")) if f"weight_ih_l0{end}" in own]
    return output.unflatten(-1, (2, -1))[:, :, there].flatten(2).numpy()


def linear(arrays: Mapping[str, Array], group: str, x: np.ndarray) -> np.ndarray:
    bias = arrays.get(f"{group}.bias")
    return x @ arrays[f"{group}.weight"].T + (0 if bias is None else bias)


# Files made by hand: what Keras no longer writes, and what it never would.


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name, **config}}


def model_config(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "model", "layers": list(layers)}}


def weights_of(units: int = H, inputs: int = I, biases: int = 1, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    shapes: list[tuple[int, ...]] = [(inputs, 4 * units), (units, 4 * units)]
    shapes += [(4 * units * biases,)] * (biases > 0)
    return [random.uniform(-0.8, 0.8, shape).astype(np.float32) for shape in shapes]


def legacy(
    path: Path,
    layers: Mapping[str, Mapping[str, np.ndarray]],
    config: dict[str, Any] | str | None = None,
) -> Path:
    """As Keras 1 and 2 wrote it: a group for each layer, and the names of its weights beside it."""
    with h5py.File(path, "w") as file:
        holder = file
        if config is not None:
            text = config if isinstance(config, str) else json.dumps(config)
            file.attrs["model_config"] = text.encode()
            holder = file.create_group("model_weights")
        holder.attrs["layer_names"] = [name.encode() for name in layers]
        holder.attrs["keras_version"] = b"2.2.4"
        for name, weights in layers.items():
            group = holder.create_group(name)
            group.attrs["weight_names"] = [weight.encode() for weight in weights]
            for weight, array in weights.items():
                group.create_dataset(weight, data=array)
    return path


def hdf5(fill: Callable[[h5py.File], None]) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file)
    return buffer.getvalue()


def new_lstm(file: h5py.File, place: str = "layers/lstm", **options: Any) -> None:
    """The weights of an LSTM, as Keras 3 writes them."""
    for number, array in enumerate(weights_of(**options)):
        file.create_dataset(f"{place}/cell/vars/{number}", data=array)


def archive(
    path: Path,
    config: dict[str, Any] | str,
    weights: bytes,
    compression: int = zipfile.ZIP_STORED,
    **assets: str,
) -> Path:
    """A .keras file of these parts."""
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        file.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        file.writestr("model.weights.h5", weights)
        for layer_name, text in assets.items():
            file.writestr(f"assets/layers/{layer_name}/vocabulary.txt", text)
    return path
