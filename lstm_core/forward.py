"""PyTorch's own forward of whatever was recorded: what a recording is compared with."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_core.backward import BackwardLSTM
from lstm_core.cells import FusedCell
from lstm_core.equations import GATES, CellWeights
from lstm_core.errors import InputError
from lstm_core.finite import first_weight_not_finite
from lstm_core.inputs import Inputs, exactly
from lstm_core.parity import ForwardResult
from lstm_core.sequences import Layout
from lstm_core.stack import Layer, Recordable, Stack
from lstm_core.states import CellState


def torch_lstm(
    data: Tensor, batch_sizes: Tensor, weights: CellWeights, state: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """PyTorch's LSTM of one layer and direction on packed data: (output, h_n, c_n)."""
    matrices, biases = _ordered(weights)
    projection = [] if weights.W_hr is None else [weights.W_hr]
    h_0, c_0 = (t[None] for t in state)
    with _without_remarks():
        output, h_n, c_n = torch.lstm(
            data,
            batch_sizes,
            (h_0, c_0),
            [*matrices, *biases, *projection],
            len(biases) > 0,
            1,
            0.0,
            False,
            False,
        )
    return output, h_n[0], c_n[0]


class Reference(Protocol):
    """What a batch of recordings is compared with."""

    def of_sequence(self, b: int) -> Callable[[], ForwardResult]: ...

    def weights_not_finite(self) -> str | None:
        """The first weight that is NaN or infinite, in words."""


class Forward:
    """The modules' own forward on the recorded input, run once, when somebody asks."""

    def __init__(
        self,
        inputs: Inputs,
        masks: Mapping[int, Tensor],
    ) -> None:
        self._stack, self._layout, self._masks = inputs.stack, inputs.layout, masks
        self._rows = inputs.rows.detach()
        self._initial = [CellState(s.h.detach(), s.c.detach()) for s in inputs.initial]
        # Kept, so that no other tensor can come to lie at the same address.
        self._recorded = [tensor.detach() for tensor in self._tensors()]
        self._identities = self._current_identities()

    def of_sequence(self, b: int) -> Callable[[], ForwardResult]:
        def result() -> ForwardResult:
            output, states = self._result
            own = self._layout.each[b]
            return ForwardResult(
                output[own], tuple(s.h[b] for s in states), tuple(s.c[b] for s in states)
            )

        return result

    def weights_not_finite(self) -> str | None:
        if self._current_identities() != self._identities:
            return None  # nobody knows any more
        return first_weight_not_finite(self._stack)

    def _tensors(self) -> list[Tensor]:
        weights = [p for module in self._stack.modules for p in module.parameters()]
        return [*weights, self._rows, *(tensor for state in self._initial for tensor in state)]

    def _current_identities(self) -> list[tuple[int, int]]:
        """Where each tensor lies, and how often it was written to (if it counts that)."""
        return [(t.data_ptr(), 0 if t.is_inference() else t._version) for t in self._tensors()]

    @cached_property
    def _result(self) -> tuple[Tensor, list[CellState]]:
        """Output as rows, and the last state of every cell, (B, ·)."""
        if self._current_identities() != self._identities:
            raise InputError(
                "The weights or the input were changed since the recording was made, "
                "so there is nothing left to compare it with. Read .parity before that."
            )
        shape = self._stack.shape
        rows, states = self._rows, []
        layer = 0
        initial = shape.by_module(self._initial)
        with exactly(self._stack.like), _without_remarks():
            for module, own in zip(self._stack.modules, initial, strict=True):
                above = layer + (module.num_layers if isinstance(module, nn.LSTM) else 1)
                rows, last = self._run(module, range(layer, above), rows, own)
                states += last
                if above < shape.num_layers and above - 1 in self._masks:
                    rows = rows * self._masks[above - 1]
                layer = above
        return rows, states

    def _run(
        self, module: Recordable, layers: range, rows: Tensor, initial: list[CellState]
    ) -> tuple[Tensor, list[CellState]]:
        if not isinstance(module, nn.LSTM):
            return self._run_cell(module, rows, initial[0])
        if isinstance(module, BackwardLSTM) or any(n in self._masks for n in layers[:-1]):
            return self._run_layers(layers, rows, initial)
        return self._run_lstm(module, rows, initial)

    def _run_lstm(
        self, lstm: nn.LSTM, rows: Tensor, initial: list[CellState]
    ) -> tuple[Tensor, list[CellState]]:
        layout = self._layout
        # A padded batch goes packed: padding would run into the states.
        plain = layout.form == "sequence" or (layout.form == "batch" and not layout.padded)
        x = layout.result(_cut(rows, layout)) if plain else layout.pack(rows)
        hx = tuple(torch.stack([state[n] for state in initial]) for n in (0, 1))
        if not layout.batched:
            hx = tuple(t.squeeze(1) for t in hx)
        with _in_evaluation(lstm):
            output, last = lstm(x, hx)
        if isinstance(output, PackedSequence):
            out_rows = layout.unpack(output.data)
        elif layout.batched:
            out_rows = (output if lstm.batch_first else output.transpose(0, 1)).flatten(0, 1)
        else:
            out_rows, last = output, tuple(t.unsqueeze(1) for t in last)
        return out_rows, [CellState(h, c) for h, c in zip(*last, strict=True)]

    def _run_layers(
        self, layers: range, rows: Tensor, initial: list[CellState]
    ) -> tuple[Tensor, list[CellState]]:
        """Layer by layer, with the recorded masks between them."""
        layout = self._layout
        sizes, states = torch.tensor(layout.active, device="cpu"), []
        waiting = iter(initial)
        for n in layers:
            layer: Layer = self._stack.layers[n]
            outputs = []
            for direction, weights in layer.cells.items():
                packed = layout.packed_rows(direction).to(rows.device)
                state = next(waiting)
                output, h_n, c_n = torch_lstm(
                    rows[packed], sizes, weights, (layout.sort(state.h), layout.sort(state.c))
                )
                outputs.append(output[torch.argsort(packed)])
                states.append(CellState(layout.unsort(h_n), layout.unsort(c_n)))
            rows = torch.cat(outputs, dim=-1)
            if n in self._masks and n != layers[-1]:
                rows = rows * self._masks[n]
        return rows, states

    def _run_cell(
        self, cell: nn.LSTMCell | FusedCell, rows: Tensor, initial: CellState
    ) -> tuple[Tensor, list[CellState]]:
        layout = self._layout
        h, c = layout.sort(initial.h), layout.sort(initial.c)  # of every sequence, its last
        output = rows.new_empty(len(rows), h.shape[1])
        for step in layout.rows("forward"):
            x = rows[step]
            n = len(x)
            h_new, c_new = _step(cell, x, (h[:n], c[:n]))
            output[step] = h_new
            h, c = torch.cat([h_new, h[n:]]), torch.cat([c_new, c[n:]])
        return output, [CellState(layout.unsort(h), layout.unsort(c))]


class Observed:
    """What the module has just returned, where it was recorded while it ran."""

    def __init__(
        self,
        stack: Stack,
        layout: Layout,
        output: Tensor | PackedSequence,
        h_n: Tensor,
        c_n: Tensor,
        *,
        weight: str | None,
    ) -> None:
        """Copies: what the caller does to the module's results must not show here.

        ``weight`` is what :func:`first_weight_not_finite` said at the time.
        """
        self._weight = weight
        self._layout = layout
        if isinstance(output, PackedSequence):
            self._rows = layout.unpack(output.data.detach())  # a copy
        else:
            batch = output if layout.batched else output[None]
            if layout.batched and not stack.batch_first:
                batch = batch.transpose(0, 1)
            self._rows = batch.detach().flatten(0, 1).clone()
        self._h, self._c = (
            _by_cell(stack, layout, states.detach().clone()) for states in (h_n, c_n)
        )

    def of_sequence(self, b: int) -> Callable[[], ForwardResult]:
        own = self._layout.each[b]
        return lambda: ForwardResult(
            self._rows[own], tuple(h[b] for h in self._h), tuple(c[b] for c in self._c)
        )

    def weights_not_finite(self) -> str | None:
        return self._weight


def _by_cell(stack: Stack, layout: Layout, states: Tensor) -> list[Tensor]:
    """What a module returns as h_n or c_n, as (B, ·) of every cell."""
    (module,) = stack.shape.modules
    rows = [states] if module.is_cell else states.unbind(0)
    return [row if layout.batched else row[None] for row in rows]


def _step(
    cell: nn.LSTMCell | FusedCell, x: Tensor, state: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    if isinstance(cell, nn.LSTMCell):
        h, c = cell(x, state)
        return h, c
    weights = cell.weights
    (W_ih, W_hh), biases = _ordered(weights)
    return torch.lstm_cell(x, state, W_ih, W_hh, *biases)


def _ordered(weights: CellWeights) -> tuple[list[Tensor], list[Tensor]]:
    """Matrices and biases in PyTorch's order of gates, and with two biases or none."""
    matrices = [weights.W_ih, weights.W_hh]
    biases = [b for b in (weights.b_ih, weights.b_hh) if b is not None]
    if weights.gates != GATES:
        matrices = [torch.cat([of(gate) for gate in GATES]) for of in (weights.W, weights.U)]
    if weights.gates != GATES or len(biases) == 1:
        bias = [weights.b(gate) for gate in GATES] if biases else []
        joined = [torch.cat([b for b in bias if b is not None])] if bias else []
        biases = [*joined, *(torch.zeros_like(b) for b in joined)]
    return matrices, biases


def _cut(rows: Tensor, layout: Layout) -> list[Tensor]:
    return [rows[own] for own in layout.each]


@contextmanager
def _in_evaluation(lstm: nn.LSTM) -> Iterator[None]:
    """What was recorded had no dropout in it, whatever the mode is now."""
    training = lstm.training
    lstm.eval()
    try:
        yield
    finally:
        lstm.train(training)


@contextmanager
def _without_remarks() -> Iterator[None]:
    """The run is our doing and right; that it is slower, or copies weights, concerns nobody."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="LSTM with projections is not supported")
        warnings.filterwarnings("ignore", message="RNN module weights are not part of single")
        yield
