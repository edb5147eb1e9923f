"""What the screen should show, from PyTorch's own LSTM, in float64.

Nothing of the recorder is used here: h and c come from nn.LSTM, run one layer and one timestep at
a time, and the gates from the formulas on PyTorch's page, written on matrices.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from lstm_core.models import SequenceModel


class Cell(NamedTuple):
    """One layer and direction over a sentence; every tensor (T, units), in sentence order."""

    Wx: dict[str, Tensor]
    Uh: dict[str, Tensor]
    b: dict[str, Tensor]  # (units,)
    z: dict[str, Tensor]
    quantity: dict[str, Tensor]
    c_before: Tensor


def run(model: SequenceModel, text: str) -> tuple[Tensor, dict[tuple[int, str], Cell]]:
    """Probabilities (T, labels), and every cell."""
    model = model.double()
    ids = model.ids(model.tokenizer(text))
    with torch.no_grad():
        reads = model.embedding(ids)
        cells: dict[tuple[int, str], Cell] = {}
        for layer in range(model.lstm.num_layers):
            directions = ["forward", "backward"][: 1 + model.lstm.bidirectional]
            for direction in directions:
                cells[layer, direction] = _cell(model.lstm, layer, direction, reads)
            reads = torch.cat([cells[layer, d].quantity["h"] for d in directions], dim=-1)
        whole, _ = model.lstm(model.embedding(ids))
        torch.testing.assert_close(reads, whole, equal_nan=True)
        return torch.softmax(model.head(whole), dim=-1), cells


def _cell(lstm: nn.LSTM, layer: int, direction: str, x: Tensor) -> Cell:
    """The cell run alone, as a one-layer nn.LSTM with its weights."""
    suffix = f"_l{layer}" + ("_reverse" if direction == "backward" else "")
    alone = nn.LSTM(x.shape[1], lstm.hidden_size, proj_size=lstm.proj_size).double()
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"):
        if hasattr(lstm, name + suffix):
            getattr(alone, f"{name}_l0").copy_(getattr(lstm, name + suffix))
    T = len(x)
    h = x.new_zeros(1, lstm.proj_size or lstm.hidden_size)
    c = x.new_zeros(1, lstm.hidden_size)
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
