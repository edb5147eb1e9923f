"""What the screen should show, from PyTorch's own LSTM, in float64.

Nothing of the recorder is used here: h and c come from nn.LSTM, run one layer and one timestep at
a time, and the gates from the formulas on PyTorch's page, written on matrices. What the layers give
together is compared with the modules' own forward.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from lstm_core.backward import BackwardLSTM
from lstm_core.models import SequenceModel


class Cell(NamedTuple):
    """One layer and direction over a sentence; every tensor (T, units), in sentence order."""

    Wx: dict[str, Tensor]
    Uh: dict[str, Tensor]
    b: dict[str, Tensor]  # (units,)
    z: dict[str, Tensor]
    quantity: dict[str, Tensor]
    c_before: Tensor


def run(model: SequenceModel, text: str) -> tuple[Tensor | None, dict[tuple[int, str], Cell]]:
    """Scores (T, labels), None without a head, and every cell."""
    model = model.double()
    modules = list(model.lstm) if isinstance(model.lstm, nn.ModuleList) else [model.lstm]
    with torch.no_grad():
        _, reads = model.read(text)
        whole = reads
        cells: dict[tuple[int, str], Cell] = {}
        for module in modules:
            whole = _output(module, whole)
            layer = 1 + max((n for n, _ in cells), default=-1)
            for own in range(getattr(module, "num_layers", 1)):
                found = {d: _cell(module, own, d, reads) for d in _directions(module)}
                cells |= {(layer + own, d): cell for d, cell in found.items()}
                reads = torch.cat([cell.quantity["h"] for cell in found.values()], dim=-1)
        torch.testing.assert_close(reads, whole, equal_nan=True)
        return _scores(model, whole, _directions(modules[-1])), cells


def _directions(module: nn.Module) -> list[str]:
    if isinstance(module, BackwardLSTM):
        return ["backward"]
    return ["forward", "backward"][: 1 + getattr(module, "bidirectional", False)]


def _output(module: nn.Module, x: Tensor) -> Tensor:
    """What PyTorch's own forward gives for a module, (T, D·width of h)."""
    if isinstance(module, BackwardLSTM):
        return nn.LSTM.forward(module, x.flip(0))[0].flip(0)
    if not isinstance(module, nn.LSTMCell):
        return module(x)[0]
    states, rows = None, []
    for row in x:
        states = module(row, states)
        rows.append(states[0])
    return torch.stack(rows)


def _scores(model: SequenceModel, output: Tensor, directions: list[str]) -> Tensor | None:
    """The head, by what its specification says."""
    spec = model.spec
    if spec.task is None:
        return None
    T = len(output)
    if spec.head.reads == "last":
        parts = output.chunk(len(directions), dim=-1)
        rows = [
            torch.cat([h[t if d == "forward" else 0] for d, h in zip(directions, parts)])  # noqa: B905
            for t in range(T)
        ]
        output = torch.stack(rows)
    elif spec.head.reads != "each":
        pool = {"mean": lambda h: h.mean(0), "max": lambda h: h.amax(0)}[spec.head.reads]
        output = torch.stack([pool(output[: t + 1]) for t in range(T)])
    for layer in model.hidden:
        between = {"relu": torch.relu, "tanh": torch.tanh, "none": lambda z: z}
        output = between[spec.head.activation](layer(output))
    z = model.head(output)
    if spec.head.sigmoid:
        return torch.cat([torch.sigmoid(-z), torch.sigmoid(z)], dim=-1)
    return z if spec.task == "value" else torch.softmax(z, dim=-1)


def _cell(module: nn.LSTM | nn.LSTMCell, layer: int, direction: str, x: Tensor) -> Cell:
    """The cell run alone, as a one-layer nn.LSTM with its weights."""
    suffix = "_reverse" if direction == "backward" and module.bidirectional else ""
    suffix = "" if isinstance(module, nn.LSTMCell) else f"_l{layer}{suffix}"
    proj_size = getattr(module, "proj_size", 0)
    alone = nn.LSTM(x.shape[1], module.hidden_size, proj_size=proj_size).double()
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"):
        own = f"{name}_l0"
        if getattr(module, name + suffix, None) is not None:
            getattr(alone, own).copy_(getattr(module, name + suffix))
        elif hasattr(alone, own):
            getattr(alone, own).zero_()  # no bias
    T = len(x)
    h = x.new_zeros(1, proj_size or module.hidden_size)
    c = x.new_zeros(1, module.hidden_size)
    rows: dict[int, tuple[Tensor, Tensor, Tensor, Tensor]] = {}
    for t in range(T) if direction == "forward" else reversed(range(T)):
        before = (h[0], c[0])
        _, (h, c) = alone(x[t : t + 1], (h, c))
        rows[t] = (*before, h[0], c[0])
    h_before, c_before, h_all, c_all = (
        torch.stack([rows[t][n] for t in range(T)]) for n in range(4)
    )
    gates = "ifgo"
    Wx = dict(zip(gates, (x @ alone.weight_ih_l0.T).chunk(4, 1), strict=True))
    Uh = dict(zip(gates, (h_before @ alone.weight_hh_l0.T).chunk(4, 1), strict=True))
    b = dict(zip(gates, (alone.bias_ih_l0 + alone.bias_hh_l0).chunk(4), strict=True))
    z = {gate: Wx[gate] + Uh[gate] + b[gate] for gate in gates}
    quantity = {gate: torch.tanh(z[gate]) if gate == "g" else torch.sigmoid(z[gate]) for gate in z}
    torch.testing.assert_close(
        quantity["f"] * c_before + quantity["i"] * quantity["g"], c_all, equal_nan=True
    )
    return Cell(Wx, Uh, b, z, {**quantity, "c": c_all, "h": h_all}, c_before)
