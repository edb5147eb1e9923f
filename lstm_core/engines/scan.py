"""Without a loop over time: for a GPU, where every step of one would cost a launch.

PyTorch's own forward gives h of every timestep. From h all gates follow in one product. Then
``c_t = f_t c_{t-1} + i_t g_t`` is linear in c, and a blocked scan solves it in about 2√T steps on
whole blocks (Blelloch, "Prefix sums and their applications", 1990).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lstm_core.equations import CellWeights, input_projection
from lstm_core.forward import torch_lstm
from lstm_core.quantities import Direction
from lstm_core.sequences import Layout


def run(
    parts: list[Tensor],
    weights: CellWeights,
    state: tuple[Tensor, Tensor],
    layout: Layout,
    direction: Direction,
) -> dict[str, Tensor]:
    """One direction, see :func:`lstm_core.engines.run_layer`."""
    x = torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]
    h_0, c_0 = state
    packed = layout.packed_rows(direction).to(x.device)
    x = x[packed]  # step by step, the sequences that still run; all below is in this order
    batch_sizes = torch.tensor(layout.active, device="cpu")
    h = torch_lstm(x, batch_sizes, weights, (h_0, c_0))[0]

    B = len(layout.order)
    before = _rows_before(batch_sizes).to(x.device)  # of the step before; the first B have none
    h_before = torch.cat([h_0, h[before[B:]]])
    z = input_projection(x, weights) + torch.nn.functional.linear(h_before, weights.W_hh)
    z_gate = dict(zip(weights.gates, z.chunk(4, dim=-1), strict=True))
    i, f, o = (torch.sigmoid(z_gate[gate]) for gate in "ifo")
    g = torch.tanh(z_gate["g"])

    steps = len(batch_sizes)
    place = _places(batch_sizes).to(x.device)
    grid = x.new_zeros(2, steps * B, weights.hidden_size)
    grid[0, place], grid[1, place] = f, i * g
    c = solve(grid[0].view(steps, B, -1), grid[1].view(steps, B, -1), c_0).flatten(0, 1)[place]

    back = torch.argsort(packed)
    return {
        quantity: value[back]
        for quantity, value in (("i", i), ("f", f), ("g", g), ("o", o), ("c", c), ("h", h))
    }


def solve(f: Tensor, u: Tensor, c_0: Tensor) -> Tensor:
    """``c_t = f_t c_{t-1} + u_t`` for all t: f, u (T, …) and c_0 (…) give c (T, …).

    An infinite c_0 may become NaN where it stays infinite step by step: 0 · ∞, once a block's
    product of f underflows.
    """
    T = len(f)
    size = math.ceil(math.sqrt(T))
    blocks = math.ceil(T / size)
    padding = [0, 0] * c_0.dim() + [0, blocks * size - T]
    padded = (torch.nn.functional.pad(t, padding) for t in (f, u))
    f, u = (t.view(blocks, size, *t.shape[1:]) for t in padded)
    c, factor = u.clone(), f.clone()  # within each block, as if it began with c = 0
    for t in range(1, size):
        c[:, t] += f[:, t] * c[:, t - 1]
        factor[:, t] *= factor[:, t - 1]
    start = [c_0]  # c before each block
    for block in range(blocks - 1):
        start.append(c[block, -1] + factor[block, -1] * start[-1])
    return (c + factor * torch.stack(start)[:, None]).flatten(0, 1)[:T]


def _rows_before(batch_sizes: Tensor) -> Tensor:
    """In packed order, the row of the same sequence one step before."""
    starts = torch.cumsum(batch_sizes, 0) - batch_sizes
    previous = torch.cat([starts[:1], starts[:-1]])
    rows = torch.arange(int(batch_sizes.sum()), device="cpu")
    return torch.repeat_interleave(previous - starts, batch_sizes) + rows


def _places(batch_sizes: Tensor) -> Tensor:
    """In packed order, the place in a grid (steps, B) laid out flat."""
    steps, B = len(batch_sizes), int(batch_sizes[0])
    grid = torch.arange(steps * B, device="cpu").view(steps, B)
    return grid[torch.arange(B, device="cpu") < batch_sizes[:, None]]
