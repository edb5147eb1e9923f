"""Runs an ``nn.LSTM`` cell by cell and keeps everything it computes."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lstm_core.equations import CellWeights, input_projection, lstm_step
from lstm_core.errors import InputError
from lstm_core.parity import ForwardResult
from lstm_core.quantities import QUANTITIES, Direction
from lstm_core.recording import Key, Recording, RecordingBatch
from lstm_core.shape import LSTMShape

InitialState = tuple[Tensor, Tensor]


def record(
    lstm: nn.LSTM,
    x: Tensor,
    hx: InitialState | None = None,
    *,
    tokens: Sequence[str] | None = None,
) -> Recording | RecordingBatch:
    """Record every gate and state of ``lstm`` on ``x``.

    ``x`` is a single sequence (T, input_size), which gives a :class:`Recording`, or a batch
    (T, B, input_size), (B, T, input_size) for a ``batch_first`` module, which gives a
    :class:`RecordingBatch`. ``hx`` is (h_0, c_0) in PyTorch's shapes, zeros if left out.
    ``tokens`` names the timesteps of a single sequence.

    Nothing is tracked by autograd. Raises InputError for what does not fit, and for a module in
    training mode whose dropout would make its own result random.
    """
    if not isinstance(lstm, nn.LSTM):
        raise InputError(
            "Only an nn.LSTM can be recorded.",
            came=f"a {type(lstm).__name__}",
            expected="a torch.nn.LSTM",
        )
    if lstm.training and lstm.dropout > 0 and lstm.num_layers > 1:
        raise InputError(
            "This LSTM is in training mode, where dropout makes every pass different.",
            came=f"dropout={lstm.dropout}, training=True",
            expected="call lstm.eval() first",
        )
    _check_input(lstm, x)
    if tokens is not None and (x.dim() == 3 or len(tokens) != len(x)):
        raise InputError(
            "Tokens name the timesteps of a single sequence.",
            came=f"{len(tokens)} tokens for an input {tuple(x.shape)}",
            expected="as many tokens as timesteps",
        )
    shape = LSTMShape.of(lstm)
    # A copy: the recording must not change when the caller fills the same tensor again.
    x = x.detach().clone()
    batched = x.dim() == 3
    with torch.no_grad():
        x_tb = _time_major(lstm, x)  # (T, B, input_size)
        h_0, c_0 = _initial_state(shape, x_tb, hx, batched=batched)  # (L·D, B, ·)
        if hx is not None:
            hx = (h_0, c_0) if batched else (h_0[:, 0], c_0[:, 0])  # ours from here on
        arrays = _run(lstm, shape, x_tb, h_0, c_0)  # each (T, B, units)
    forward = _Forward(lstm, x, hx)
    recordings = [
        Recording(
            shape=shape,
            arrays={key: array[:, b] for key, array in arrays.items()},
            x=x_tb[:, b],
            h_0=h_0[:, b],
            c_0=c_0[:, b],
            tokens=tuple(tokens) if tokens is not None else None,
            reference=functools.partial(forward.sequence, b),
        )
        for b in range(x_tb.shape[1])
    ]
    if batched:
        return RecordingBatch(recordings, batch_first=lstm.batch_first)
    return recordings[0]


def cell_weights(lstm: nn.LSTM, layer: int, direction: Direction) -> CellWeights:
    """The weights of one layer and direction, under the names of the equations; no copies."""
    suffix = f"_l{layer}" + ("_reverse" if direction == "backward" else "")

    def weight(name: str) -> Tensor | None:
        found: Tensor | None = getattr(lstm, name + suffix, None)
        return found

    W_ih, W_hh = weight("weight_ih"), weight("weight_hh")
    assert W_ih is not None  # every nn.LSTM has these two
    assert W_hh is not None
    return CellWeights(W_ih, W_hh, weight("bias_ih"), weight("bias_hh"), weight("weight_hr"))


def _run(lstm: nn.LSTM, shape: LSTMShape, x: Tensor, h_0: Tensor, c_0: Tensor) -> dict[Key, Tensor]:
    """All layers from the bottom up; a layer reads the h of both directions below it."""
    T, B, _ = x.shape
    arrays: dict[Key, Tensor] = {
        (quantity, layer, direction): x.new_empty(T, B, shape.width(quantity))
        for layer, direction in shape.cells
        for quantity in QUANTITIES
    }
    layer_input = x
    for layer in range(shape.num_layers):
        for direction in shape.directions:
            weights = cell_weights(lstm, layer, direction)
            row = shape.cells.index((layer, direction))
            h, c = h_0[row], c_0[row]
            z_x = input_projection(layer_input, weights)  # (T, B, 4H)
            timesteps = range(T) if direction == "forward" else range(T - 1, -1, -1)
            for t in timesteps:
                step = lstm_step(z_x[t], h, c, weights)
                h, c = step.h, step.c
                for quantity in QUANTITIES:
                    arrays[quantity, layer, direction][t] = getattr(step, quantity)
        layer_input = torch.cat([arrays["h", layer, d] for d in shape.directions], dim=-1)
    return arrays


class _Forward:
    """The module's own forward on the recorded input, run once, when somebody asks."""

    def __init__(self, lstm: nn.LSTM, x: Tensor, hx: InitialState | None) -> None:
        self._lstm, self._x, self._hx = lstm, x, hx
        # Kept, so that no other tensor can come to lie at the same address.
        self._recorded = [tensor.detach() for tensor in self._tensors()]
        self._identities = self._current_identities()

    def _tensors(self) -> list[Tensor]:
        return [*self._lstm.parameters(), self._x, *(self._hx or ())]

    def _current_identities(self) -> list[tuple[int, int]]:
        """Where each tensor lies, and how often it was written to (if it counts that)."""
        return [(t.data_ptr(), 0 if t.is_inference() else t._version) for t in self._tensors()]

    @functools.cached_property
    def _result(self) -> tuple[Tensor, Tensor, Tensor]:
        if self._current_identities() != self._identities:
            raise InputError(
                "The weights or the input were changed since the recording was made, "
                "so there is nothing left to compare it with. Read .parity before that."
            )
        training = self._lstm.training
        self._lstm.eval()  # what was recorded had no dropout, whatever the mode is now
        try:
            with torch.no_grad(), warnings.catch_warnings():
                # The run is our doing and right; that it is slower concerns nobody here.
                warnings.filterwarnings(
                    "ignore", message="LSTM with projections is not supported with oneDNN"
                )
                output, (h_n, c_n) = self._lstm(self._x, self._hx)
        finally:
            self._lstm.train(training)
        if self._x.dim() == 2:
            output, h_n, c_n = output.unsqueeze(1), h_n.unsqueeze(1), c_n.unsqueeze(1)
        elif self._lstm.batch_first:
            output = output.transpose(0, 1)
        return output, h_n, c_n

    def sequence(self, b: int) -> ForwardResult:
        return ForwardResult(*(tensor[:, b] for tensor in self._result))


def _time_major(lstm: nn.LSTM, x: Tensor) -> Tensor:
    if x.dim() == 2:
        return x.unsqueeze(1)
    return x.transpose(0, 1) if lstm.batch_first else x


def _check_input(lstm: nn.LSTM, x: Tensor) -> None:
    if not isinstance(x, Tensor):
        raise InputError(
            "The input is not a tensor.",
            came=f"a {type(x).__name__}",
            expected="a torch.Tensor, (T, input_size) for one sequence, 3 axes for a batch",
        )
    if x.dim() not in (2, 3):
        raise InputError(
            "The input has the wrong number of axes.",
            came=f"shape {tuple(x.shape)}",
            expected="(T, input_size) for one sequence, 3 axes for a batch",
        )
    if x.shape[-1] != lstm.input_size:
        raise InputError(
            "The input has the wrong width.",
            came=f"shape {tuple(x.shape)}",
            expected=f"last axis {lstm.input_size} (input_size)",
        )
    if 0 in x.shape[:-1]:
        raise InputError(
            "There is nothing to record.",
            came=f"shape {tuple(x.shape)}",
            expected="at least one timestep and one sequence",
        )
    _check_kind("x", x, lstm)


def _check_kind(name: str, tensor: Tensor, lstm: nn.LSTM) -> None:
    weight = lstm.weight_ih_l0
    assert isinstance(weight, Tensor)
    if tensor.dtype != weight.dtype or tensor.device != weight.device:
        raise InputError(
            f"{name} and the weights differ in kind.",
            came=f"{name} {tensor.dtype} on {tensor.device}",
            expected=f"{weight.dtype} on {weight.device}, as the weights",
        )


def _initial_state(
    shape: LSTMShape, x: Tensor, hx: InitialState | None, *, batched: bool
) -> InitialState:
    """(h_0, c_0), each (L·D, B, ·)."""
    rows, B = len(shape.cells), x.shape[1]
    widths = {"h_0": shape.output_width, "c_0": shape.hidden_size}
    if hx is None:
        return x.new_zeros(rows, B, widths["h_0"]), x.new_zeros(rows, B, widths["c_0"])
    if (
        not isinstance(hx, tuple | list)
        or len(hx) != 2
        or not all(isinstance(state, Tensor) for state in hx)
    ):
        raise InputError(
            "The initial state is not a pair of tensors.",
            came=f"a {type(hx).__name__}"
            + (f" of {len(hx)}" if isinstance(hx, tuple | list) else ""),
            expected="(h_0, c_0)",
        )
    states: list[Tensor] = []
    for (name, width), state in zip(widths.items(), hx, strict=True):
        expected = (rows, B, width) if batched else (rows, width)
        if tuple(state.shape) != expected or state.dtype != x.dtype or state.device != x.device:
            raise InputError(
                f"The initial state {name} does not fit.",
                came=f"shape {tuple(state.shape)}, {state.dtype} on {state.device}",
                expected=f"shape {expected}, {x.dtype} on {x.device}",
            )
        state = state.detach().clone()
        states.append(state if batched else state.unsqueeze(1))
    h_0, c_0 = states
    return h_0, c_0
