"""Small ONNX files: written node by node, and by PyTorch's exporter."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from torch import nn

from lstm_core.checkpoints import onnx_file
from lstm_core.checkpoints.contents import Array, Contents, Limits

I, H, B, T = 3, 4, 2, 5  # noqa: E741


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    spread = np.random.default_rng(seed).uniform(-0.8, 0.8, shape)
    return spread.astype(np.float32)


def constants(**arrays: np.ndarray) -> list[TensorProto]:
    return [numpy_helper.from_array(array, name) for name, array in arrays.items()]


def weights(
    D: int = 1, *, inputs: int = I, hidden: int = H, seed: int = 0
) -> dict[str, np.ndarray]:
    return {
        "W": numbers(D, 4 * hidden, inputs, seed=seed),
        "R": numbers(D, 4 * hidden, hidden, seed=seed + 1),
        "B": numbers(D, 8 * hidden, seed=seed + 2),
    }


def model(
    nodes: Sequence[NodeProto],
    initializers: Sequence[TensorProto] = (),
    inputs: dict[str, Any] | None = None,
    outputs: Sequence[str] = ("Y",),
    **parts: Any,
) -> ModelProto:
    """A model whose inputs are float tensors of the given shapes, or tensors of ids (a dtype)."""
    given = [
        helper.make_tensor_value_info(
            name,
            TensorProto.INT64 if shape is int else TensorProto.FLOAT,
            None if shape is int else shape,
        )
        for name, shape in (inputs or {"X": None}).items()
    ]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph(list(nodes), "graph", given, results, list(initializers))
    opsets = [helper.make_opsetid("", 17), *parts.pop("opsets", [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, **parts)


def lstm_node(inputs: Sequence[str] = ("X", "W", "R", "B"), **attributes: Any) -> NodeProto:
    given = {"hidden_size": H, "name": "/lstm/LSTM", **attributes}
    return helper.make_node("LSTM", list(inputs), ["Y", "Y_h", "Y_c"], **given)


def one_lstm(
    inputs: Sequence[str] = ("X", "W", "R", "B"),
    arrays: dict[str, np.ndarray] | None = None,
    graph_inputs: dict[str, Any] | None = None,
    **attributes: Any,
) -> ModelProto:
    D = 2 if attributes.get("direction") == "bidirectional" else 1
    made = {name: array for name, array in weights(D).items() if name in inputs}
    return model(
        [lstm_node(inputs, **attributes)],
        constants(**(made | (arrays or {}))),
        graph_inputs,
        ("Y", "Y_h", "Y_c"),
    )


def within_if(graph: GraphProto) -> ModelProto:
    """The graph as both branches of an If."""
    node = helper.make_node(
        "If", ["yes"], ["Z"], name="choose", then_branch=graph, else_branch=graph
    )
    return model([node], constants(yes=np.array(True)), {"X": None}, ("Z",))


def save(file: ModelProto, folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(file.SerializeToString())
    return path


def read(file: ModelProto | Path, folder: Path, **limits: int) -> Contents:
    path = file if isinstance(file, Path) else save(file, folder)
    return onnx_file.read(path, Limits(**limits))


def run(file: ModelProto | Path, **feeds: np.ndarray) -> list[np.ndarray]:
    """What ONNX Runtime makes of it."""
    data = file.read_bytes() if isinstance(file, Path) else file.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


def as_lstm(arrays: dict[str, Array], prefix: str) -> nn.LSTM:
    """A torch LSTM of one layer and both directions, each of which may be missing."""
    own = {name.removeprefix(prefix + "."): array for name, array in arrays.items()}
    some = next(array for name, array in own.items() if name.startswith("weight_ih_l0"))
    lstm = nn.LSTM(some.shape[1], some.shape[0] // 4, bidirectional=True)
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            parameter.copy_(torch.from_numpy(own[name]) if name in own else torch.zeros(()))
    return lstm


def directions(arrays: dict[str, Array], prefix: str) -> list[int]:
    return [d for d, end in enumerate(("", "_reverse")) if f"{prefix}.weight_ih_l0{end}" in arrays]


def forward(
    arrays: dict[str, Array], prefix: str, x: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Output (T, B, D·H), h_n and c_n (D, B, H) of PyTorch, of the directions there are."""
    lstm, there = as_lstm(arrays, prefix), directions(arrays, prefix)
    hx = None
    if f"{prefix}.h_0" in arrays:
        hx = tuple(torch.zeros(2, x.shape[1], lstm.hidden_size) for _ in range(2))
        for state, name in zip(hx, ("h_0", "c_0"), strict=True):
            for row, direction in enumerate(there):
                state[direction] = torch.from_numpy(arrays[f"{prefix}.{name}"][row])
    with torch.no_grad():
        output, (h_n, c_n) = lstm(torch.from_numpy(x), hx)
    output = output.unflatten(-1, (2, -1))[:, :, there].flatten(2)
    return output.numpy(), h_n[there].numpy(), c_n[there].numpy()


class Tagger(nn.Module):
    """Embedding, LSTM, linear."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.emb = nn.Embedding(11, I)
        self.lstm = nn.LSTM(I, H, **options)
        self.fc = nn.Linear(H * (2 if self.lstm.bidirectional else 1), 3)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.fc(self.lstm(self.emb(ids))[0])
        return result


class Started(nn.Module):
    """An LSTM of one layer that begins with a state it has learned."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(I, H)
        self.h_0 = nn.Parameter(torch.rand(1, 1, H))
        self.c_0 = nn.Parameter(torch.rand(1, 1, H))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = (self.h_0.expand(-1, x.shape[1], -1), self.c_0.expand(-1, x.shape[1], -1))
        result: torch.Tensor = self.lstm(x, tuple(state.contiguous() for state in states))[0]
        return result


def export(module: nn.Module, x: torch.Tensor, path: Path, **options: Any) -> Path:
    """With the exporter that works on TorchScript: the other needs a package more."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it is the old one, and other things
        torch.onnx.export(
            module.eval(),
            (x,),
            str(path),
            dynamo=False,
            input_names=["x"],
            dynamic_axes={"x": {0: "first", 1: "second"}},
            **options,
        )
    return path
