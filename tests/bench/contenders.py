"""What people do to see inside an LSTM, beside the LSTM that shows nothing. Each is a function of
no arguments that runs once, on a batch (T, B, input_size)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lstm_core import cell_weights, record

#: The one that all others are compared with.
BASE = "nn.LSTM"
OURS = "record"

Contender = Callable[[], object]


def contenders(lstm: nn.LSTM, x: Tensor) -> dict[str, Contender]:
    return {
        BASE: lambda: lstm(x),
        OURS: lambda: record(lstm, x),
        "forward hook": lambda: _hooked(lstm, x),
        "LSTMCell loop": _layers(lstm, x, _cell_loop),
        "plain cell": _layers(lstm, x, _plain_cell),
    }


def _hooked(lstm: nn.LSTM, x: Tensor) -> list[Tensor]:
    """All a hook can see: the output and the last states, nothing of the gates."""
    kept: list[Tensor] = []
    handle = lstm.register_forward_hook(
        lambda _module, _args, result: kept.extend([result[0].clone(), *result[1]])
    )
    lstm(x)
    handle.remove()
    return kept


def _layers(
    lstm: nn.LSTM, x: Tensor, run: Callable[[nn.LSTMCell, Tensor], tuple[Tensor, object]]
) -> Contender:
    """Every layer and direction by its own cell, each with the weights of the nn.LSTM."""
    directions = ("forward", "backward") if lstm.bidirectional else ("forward",)
    cells = [
        [_cell(lstm, layer, direction) for direction in directions]
        for layer in range(lstm.num_layers)
    ]

    def all_layers() -> list[object]:
        below, kept = x, []
        for layer in cells:
            outputs = []
            for cell, direction in zip(layer, directions, strict=True):
                backward = direction == "backward"
                h, states = run(cell, below.flip(0) if backward else below)
                outputs.append(h.flip(0) if backward else h)
                kept.append(states)
            below = torch.cat(outputs, dim=-1)
        return kept

    return all_layers


def _cell(lstm: nn.LSTM, layer: int, direction: str) -> nn.LSTMCell:
    weights = cell_weights(lstm, layer, direction)  # type: ignore[arg-type]
    cell = nn.LSTMCell(weights.W_ih.shape[1], lstm.hidden_size)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    with torch.no_grad():
        for name, weight in zip(names, weights[:4], strict=True):
            getattr(cell, name).copy_(weight)
    return cell


def _cell_loop(cell: nn.LSTMCell, x: Tensor) -> tuple[Tensor, object]:
    """h and c of every timestep; the gates stay inside."""
    state, hs, cs = None, [], []
    for x_t in x:
        state = cell(x_t, state)
        hs.append(state[0])
        cs.append(state[1])
    return torch.stack(hs), torch.stack(cs)


def _plain_cell(cell: nn.LSTMCell, x: Tensor) -> tuple[Tensor, object]:
    """All six quantities, written as every tutorial writes them."""
    h = c = x.new_zeros(x.shape[1], cell.hidden_size)
    kept: dict[str, list[Tensor]] = {quantity: [] for quantity in "ifgoch"}
    for x_t in x:
        z = x_t @ cell.weight_ih.T + cell.bias_ih + h @ cell.weight_hh.T + cell.bias_hh
        i, f, g, o = z.chunk(4, dim=1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        c = f * c + i * g
        h = o * torch.tanh(c)
        for quantity, value in zip("ifgoch", (i, f, g, o, c, h), strict=True):
            kept[quantity].append(value)
    stacked = {quantity: torch.stack(values) for quantity, values in kept.items()}
    return stacked["h"], stacked
