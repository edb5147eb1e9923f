"""Small worlds: an LSTM of any shape, something to read, and the paper's equations in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lstm_core import FusedCell
from lstm_core.engines import ENGINES

#: Which one runs otherwise depends on whether the compiled one is ready; all three run on a CPU.
each_engine = pytest.mark.parametrize("engine", ENGINES)

Arrays = dict[tuple[str, int, str], np.ndarray]  # (quantity, layer, direction) -> (T, B, units)
State = tuple[Tensor, Tensor]

#: The same examples in every run, on machines of any speed.
steady = settings(deadline=None, derandomize=True, max_examples=60)

#: The options of an ``nn.LSTM``, with a projection where the hidden size leaves room for one.
lstm_options = st.integers(1, 8).flatmap(
    lambda hidden_size: st.fixed_dictionaries(
        {
            "input_size": st.integers(1, 8),
            "hidden_size": st.just(hidden_size),
            "num_layers": st.integers(1, 3),
            "bias": st.booleans(),
            "bidirectional": st.booleans(),
            "batch_first": st.booleans(),
            "proj_size": st.integers(0, hidden_size - 1),
        }
    )
)


def make_lstm(
    input_size: int = 3,
    hidden_size: int = 4,
    *,
    kind: type[nn.LSTM] = nn.LSTM,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    scale: float = 1.0,
    **options: Any,
) -> Any:
    """An LSTM in evaluation mode whose weights are large enough for every mistake to show.

    They are so large that it is chaotic: two correct ways to compute it in float32 differ by 2e-6.
    Half of that (``scale``) is the size of trained weights, where both stay within 1e-6.
    """
    lstm = kind(input_size, hidden_size, dtype=dtype, **options).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in lstm.parameters():
            drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(scale * drawn)
    return lstm


def numbers(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def state_for(lstm: nn.LSTM, batch: int | None, seed: int = 2) -> State:
    """A random (h_0, c_0) in the shapes PyTorch asks for; ``batch=None`` for one sequence."""
    rows = lstm.num_layers * (2 if lstm.bidirectional else 1)
    axes = (rows,) if batch is None else (rows, batch)
    dtype = lstm.weight_ih_l0.dtype
    h_0 = numbers(*axes, lstm.proj_size or lstm.hidden_size, seed=seed, dtype=dtype)
    return h_0, numbers(*axes, lstm.hidden_size, seed=seed + 1, dtype=dtype)


def largest_difference(ours: Any, theirs: Any) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True))


def paper(lstm: nn.LSTM, x: Tensor, hx: State | None = None) -> Arrays:
    """Every quantity of a time-major batch (T, B, input_size), in float64, by the paper.

    One sequence, one timestep and one gate at a time; shares no line with ``lstm_core``.
    """
    weights = {name: p.detach().double().numpy() for name, p in lstm.named_parameters()}
    suffixes = {"forward": "", "backward": "_reverse"} if lstm.bidirectional else {"forward": ""}
    H, P = lstm.hidden_size, lstm.proj_size or lstm.hidden_size
    T, B = x.shape[:2]
    below = x.detach().double().numpy()  # (T, B, width)
    arrays: Arrays = {}
    for layer in range(lstm.num_layers):
        for n, (direction, suffix) in enumerate(suffixes.items()):
            row = layer * len(suffixes) + n
            for q in "ifgoch":
                arrays[q, layer, direction] = np.full((T, B, P if q == "h" else H), np.nan)
            for b in range(B):
                h = np.zeros(P) if hx is None else hx[0][row, b].double().numpy()
                c = np.zeros(H) if hx is None else hx[1][row, b].double().numpy()
                order = range(T) if direction == "forward" else reversed(range(T))
                for t in order:
                    gate = {}
                    for position, q in enumerate("ifgo"):
                        rows = slice(position * H, (position + 1) * H)
                        W = weights[f"weight_ih_l{layer}{suffix}"][rows]
                        U = weights[f"weight_hh_l{layer}{suffix}"][rows]
                        z = W @ below[t, b] + U @ h
                        if lstm.bias:
                            z = z + weights[f"bias_ih_l{layer}{suffix}"][rows]
                            z = z + weights[f"bias_hh_l{layer}{suffix}"][rows]
                        gate[q] = np.tanh(z) if q == "g" else 1 / (1 + np.exp(-z))
                    c = gate["f"] * c + gate["i"] * gate["g"]
                    h = gate["o"] * np.tanh(c)
                    if lstm.proj_size:
                        h = weights[f"weight_hr_l{layer}{suffix}"] @ h
                    for q, value in (gate | {"c": c, "h": h}).items():
                        arrays[q, layer, direction][t, b] = value
        below = np.concatenate([arrays["h", layer, d] for d in suffixes], axis=-1)
    return arrays


def randomised(module: Any, seed: int = 0) -> Any:
    """The module in evaluation mode, with weights large enough for every mistake to show."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return module.eval()


def make_cell(
    input_size: int = 3, hidden_size: int = 4, *, seed: int = 0, **options: Any
) -> nn.LSTMCell:
    return randomised(
        nn.LSTMCell(input_size, hidden_size, **{"dtype": torch.float64, **options}), seed
    )


def fused(cell: nn.LSTMCell, gates: str = "iofc") -> FusedCell:
    """A cell written by hand that computes what ``cell`` does, its gates in another order."""
    places = ["ifgo".index(gate.replace("c", "g")) for gate in gates]

    def reordered(weight: Tensor | None) -> Tensor | None:
        return None if weight is None else torch.cat([weight.chunk(4)[n] for n in places]).detach()

    return FusedCell(
        reordered(cell.weight_ih),
        reordered(cell.weight_hh),
        reordered(getattr(cell, "bias_ih", None)),
        reordered(getattr(cell, "bias_hh", None)),
        gates=gates,
    )
