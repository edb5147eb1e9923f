"""One LSTM step, written once; every other number in the project is tested against it.

    z = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
    i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o);   g = tanh(z_g)
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)                 (then W_hr h_t when there is a projection)

Source: https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html; Hochreiter and Schmidhuber
(1997) with the forget gate of Gers et al. (2000) and the projection of Sak et al. (2014).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class CellWeights(NamedTuple):
    """The weights of one layer and direction as PyTorch keeps them: H units, rows i f g o."""

    W_ih: Tensor  # (4H, input width)
    W_hh: Tensor  # (4H, width of h)
    b_ih: Tensor | None  # (4H,)
    b_hh: Tensor | None  # (4H,)
    W_hr: Tensor | None  # (width of h, H), only with a projection


class Step(NamedTuple):
    """Everything one cell computes at one timestep; each (B, H), h (B, width of h)."""

    i: Tensor
    f: Tensor
    g: Tensor
    o: Tensor
    c: Tensor
    h: Tensor


def input_projection(x: Tensor, weights: CellWeights) -> Tensor:
    """The part of z that does not wait for h, for all timesteps at once: (T, B, 4H).

    Both biases are in it, so that a step only adds ``W_hh h_{t-1}``.
    """
    bias = None if weights.b_ih is None or weights.b_hh is None else weights.b_ih + weights.b_hh
    return functional.linear(x, weights.W_ih, bias)


def lstm_step(z_x: Tensor, h: Tensor, c: Tensor, weights: CellWeights) -> Step:
    """One timestep from ``z_x`` (B, 4H), a row of :func:`input_projection`, and the last state."""
    z = z_x + functional.linear(h, weights.W_hh)  # (B, 4H)
    z_i, z_f, z_g, z_o = z.chunk(4, dim=-1)  # (B, H) each
    i, f, g, o = torch.sigmoid(z_i), torch.sigmoid(z_f), torch.tanh(z_g), torch.sigmoid(z_o)
    c = f * c + i * g
    h = o * torch.tanh(c)
    if weights.W_hr is not None:
        h = functional.linear(h, weights.W_hr)
    return Step(i, f, g, o, c, h)
