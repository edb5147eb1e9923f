"""One LSTM step, written once; every other number in the project is tested against it.

    z = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
    i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o);   g = tanh(z_g)
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)                 (then W_hr h_t when there is a projection)

Source: https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html; Hochreiter and Schmidhuber
(1997) with the forget gate of Gers et al. (2000) and the projection of Sak et al. (2014).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from lstm_core.errors import SelectionError

#: The gates in PyTorch's order of rows.
GATES = "ifgo"

#: Takes the name of a quantity and its value, (B, units); gives the value to go on with.
Edit = Callable[[str, Tensor], Tensor]


class CellWeights(NamedTuple):
    """The weights of one layer and direction, fused: the rows of the four gates one below another.

    ``gates`` is their order; PyTorch's is i f g o. :meth:`W`, :meth:`U` and :meth:`b` give one
    gate's rows under the names of the papers.
    """

    W_ih: Tensor  # (4H, input width)
    W_hh: Tensor  # (4H, width of h)
    b_ih: Tensor | None  # (4H,)
    b_hh: Tensor | None  # (4H,)
    W_hr: Tensor | None  # (width of h, H), only with a projection
    gates: str = GATES

    @property
    def hidden_size(self) -> int:
        return len(self.W_ih) // 4

    def W(self, gate: str) -> Tensor:
        """What the gate makes of the input: (H, input width), a view."""
        return self.W_ih[self.rows(gate)]

    def U(self, gate: str) -> Tensor:
        """What the gate makes of the last h: (H, width of h), a view."""
        return self.W_hh[self.rows(gate)]

    def b(self, gate: str, part: Literal["ih", "hh"] | None = None) -> Tensor | None:
        """The gate's bias, (H,); None when there is none.

        PyTorch keeps two biases that only ever act as their sum, which is what the papers write:
        that sum is new. Where there is one bias, and for a ``part`` asked for by name, it is a
        view.
        """
        rows = self.rows(gate)
        b_ih = None if self.b_ih is None or part == "hh" else self.b_ih[rows]
        b_hh = None if self.b_hh is None or part == "ih" else self.b_hh[rows]
        return b_ih + b_hh if b_ih is not None and b_hh is not None else _either(b_ih, b_hh)

    @property
    def bias(self) -> Tensor | None:
        """Both biases together, (4H,)."""
        if self.b_ih is not None and self.b_hh is not None:
            return self.b_ih + self.b_hh
        return _either(self.b_ih, self.b_hh)

    def rows(self, gate: str) -> slice:
        """Where the gate's rows stand. Raises SelectionError."""
        if len(gate) != 1 or gate not in self.gates:
            raise SelectionError("No such gate.", came=repr(gate), exists=list(self.gates))
        start = self.gates.index(gate) * self.hidden_size
        return slice(start, start + self.hidden_size)


class Step(NamedTuple):
    """Everything one cell computes at one timestep; each (B, H), h (B, width of h)."""

    i: Tensor
    f: Tensor
    g: Tensor
    o: Tensor
    c: Tensor
    h: Tensor


def input_projection(x: Tensor, weights: CellWeights) -> Tensor:
    """The part of z that does not wait for h, for all timesteps at once: (…, 4H).

    Both biases are in it, so that a step only adds ``W_hh h_{t-1}``.
    """
    return functional.linear(x, weights.W_ih, weights.bias)


def lstm_step(
    z_x: Tensor, h: Tensor, c: Tensor, weights: CellWeights, edit: Edit | None = None
) -> Step:
    """One timestep from ``z_x`` (B, 4H), a row of :func:`input_projection`, and the last state.

    ``edit`` sees every quantity as soon as it is there and says with which value to go on.
    """
    edit = edit or _as_it_is
    z = z_x + functional.linear(h, weights.W_hh)  # (B, 4H)
    z_gate = dict(zip(weights.gates, z.chunk(4, dim=-1), strict=True))  # (B, H) each
    i = edit("i", torch.sigmoid(z_gate["i"]))
    f = edit("f", torch.sigmoid(z_gate["f"]))
    g = edit("g", torch.tanh(z_gate["g"]))
    o = edit("o", torch.sigmoid(z_gate["o"]))
    c = edit("c", f * c + i * g)
    h = o * torch.tanh(c)
    if weights.W_hr is not None:
        h = functional.linear(h, weights.W_hr)
    return Step(i, f, g, o, c, edit("h", h))


def _as_it_is(_quantity: str, value: Tensor) -> Tensor:
    return value


def _either(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return b if a is None else a
