"""Whatever can be recorded, read as one stack of layers with their weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

from torch import Tensor, nn

from lstm_core.backward import BackwardLSTM
from lstm_core.cells import FusedCell
from lstm_core.equations import CellWeights
from lstm_core.errors import InputError, SelectionError
from lstm_core.quantities import DIRECTIONS, Direction
from lstm_core.shape import ModuleShape, StackShape

#: One module that can be recorded.
Recordable: TypeAlias = nn.LSTM | nn.LSTMCell | FusedCell

#: Relatives that people mean when they say LSTM, and what they are.
_RELATIVES = {nn.GRU: "a GRU", nn.GRUCell: "a GRUCell", nn.RNN: "an RNN", nn.RNNCell: "an RNNCell"}


@dataclass(frozen=True)
class Layer:
    """The cells of one layer by direction, and the dropout on what it hands up."""

    cells: Mapping[Direction, CellWeights]
    dropout: float = 0.0


@dataclass(frozen=True)
class Stack:
    """Modules from the bottom up, and their layers numbered through."""

    modules: tuple[Recordable, ...]
    layers: tuple[Layer, ...]
    shape: StackShape
    batch_first: bool

    def __iter__(self) -> Iterator[tuple[int, Direction, CellWeights]]:
        for n, layer in enumerate(self.layers):
            for direction, weights in layer.cells.items():
                yield n, direction, weights

    @property
    def like(self) -> Tensor:
        """A weight; everything that takes part has its type and its device."""
        return next(iter(self.layers[0].cells.values())).W_ih

    @property
    def has_dropout(self) -> bool:
        return any(layer.dropout for layer in self.layers)


def cell_weights(source: object, layer: int = 0, direction: Direction = "forward") -> CellWeights:
    """The weights of one layer and direction, under the names of the equations; no copies.

    ``weights.W("i")``, ``weights.U("f")``, ``weights.b("o")`` are one gate's. ``source`` is
    anything that can be recorded. Raises SelectionError for a layer or direction it has not.
    """
    cells = {(n, d): weights for n, d, weights in read_stack(source)}
    if (layer, direction) not in cells:
        exists = [f"layer {n} {d}" for n, d in cells]
        raise SelectionError("No such cell.", came=f"layer {layer} {direction}", exists=exists)
    return cells[layer, direction]


def read_stack(source: object) -> Stack:
    """``source`` as a stack: an nn.LSTM, an nn.LSTMCell, a FusedCell, or a list of them.

    In a list, from the bottom up, ``nn.Dropout`` may stand between two modules. Raises InputError
    for anything else, and for modules that cannot stand on each other.
    """
    listed = isinstance(source, list | tuple | nn.ModuleList | nn.Sequential)
    modules: list[Recordable] = []
    layers: list[Layer] = []
    waiting: nn.Dropout | None = None  # for the next module
    entries = list(source) if listed else [source]  # type: ignore[call-overload]
    for position, entry in enumerate(entries):
        if listed and isinstance(entry, nn.Dropout):
            if not modules or position == len(entries) - 1 or waiting:
                raise InputError(
                    "Dropout in a stack stands between two of its modules.",
                    came=f"{entry} at place {position} of {len(entries)}",
                    expected="one nn.Dropout between two modules, none before or after all",
                )
            waiting = entry
            continue
        module = _recordable(entry, f"[{position}]" if listed else "")
        if waiting:
            layers[-1] = Layer(layers[-1].cells, waiting.p if waiting.training else 0.0)
            waiting = None
        modules.append(module)
        layers += _layers_of(module)
    if not modules:
        raise InputError(
            "There is no LSTM in the list.",
            came=f"a {type(source).__name__} of {len(entries)}",
            expected="modules from the bottom up",
        )
    stack = Stack(
        tuple(modules),
        tuple(layers),
        _stack_shape(_shapes(modules), listed),
        batch_first=_batch_first(modules),
    )
    _check_kind(stack)
    return stack


def _recordable(module: object, place: str) -> Recordable:
    if isinstance(module, nn.LSTM | nn.LSTMCell | FusedCell):
        return module
    for kind, name in _RELATIVES.items():
        if isinstance(module, kind):
            raise InputError(
                f"This is {name}; Gatescope opens LSTMs. {name[0].upper()}{name[1:]} has other "
                "gates and no cell state.",
                came=f"{name}{_at(place)}",
                expected="a torch.nn.LSTM or nn.LSTMCell",
            )
    expected = "a torch.nn.LSTM, nn.LSTMCell, lstm_core.FusedCell, or a list of them"
    if isinstance(module, nn.Module) and any(
        isinstance(child, nn.LSTM | nn.LSTMCell) for child in module.modules()
    ):
        expected += "; for a module with LSTMs inside use lstm_core.recording(module)"
    raise InputError(
        "Only an LSTM can be recorded.",
        came=f"a {type(module).__name__}{_at(place)}",
        expected=expected,
    )


def _at(place: str) -> str:
    return f" at {place}" if place else ""


def _layers_of(module: Recordable) -> list[Layer]:
    if isinstance(module, FusedCell):
        return [Layer({"forward": module.weights})]
    if isinstance(module, nn.LSTMCell):
        b_ih, b_hh = (module.bias_ih, module.bias_hh) if module.bias else (None, None)
        weights = CellWeights(module.weight_ih, module.weight_hh, b_ih, b_hh, None)
        return [Layer({"forward": weights})]
    if isinstance(module, BackwardLSTM):
        return [Layer({"backward": _of_lstm(module, 0, "forward")})]
    top = module.num_layers - 1
    dropout = module.dropout if module.training else 0.0
    directions = DIRECTIONS if module.bidirectional else DIRECTIONS[:1]
    return [
        Layer({d: _of_lstm(module, n, d) for d in directions}, dropout if n < top else 0.0)
        for n in range(module.num_layers)
    ]


def _of_lstm(lstm: nn.LSTM, layer: int, direction: Direction) -> CellWeights:
    suffix = f"_l{layer}" + ("_reverse" if direction == "backward" else "")

    def weight(name: str) -> Tensor | None:
        found: Tensor | None = getattr(lstm, name + suffix, None)
        return found

    W_ih, W_hh = weight("weight_ih"), weight("weight_hh")
    assert W_ih is not None  # every nn.LSTM has these two
    assert W_hh is not None
    return CellWeights(W_ih, W_hh, weight("bias_ih"), weight("bias_hh"), weight("weight_hr"))


def _shapes(modules: list[Recordable]) -> tuple[ModuleShape, ...]:
    shapes = tuple(_shape(module) for module in modules)
    for n, (below, above) in enumerate(pairwise(shapes)):
        width = below.output_width * len(below.directions)
        if above.input_size != width:
            raise InputError(
                "Two modules of the stack do not fit on each other.",
                came=f"{above} at [{n + 1}] above {below} at [{n}]",
                expected=f"input_size {width}, which is what [{n}] hands up",
            )
    return shapes


def _shape(module: Recordable) -> ModuleShape:
    if isinstance(module, nn.LSTM):
        return _module_shape(
            module.input_size,
            module.hidden_size,
            module.num_layers,
            module.bias,
            module.bidirectional,
            module.proj_size,
            "BackwardLSTM" if isinstance(module, BackwardLSTM) else "LSTM",
        )
    if isinstance(module, nn.LSTMCell):
        bias, kind = module.bias, "LSTMCell"
    else:
        bias, kind = module.weights.bias is not None, "FusedCell"
    return _module_shape(module.input_size, module.hidden_size, 1, bias, False, 0, kind)


# Kept, because what they derive is kept with them; a short recording takes no longer than that.
_module_shape = lru_cache(maxsize=256)(ModuleShape)
_stack_shape = lru_cache(maxsize=256)(StackShape)


def _batch_first(modules: list[Recordable]) -> bool:
    found = {module.batch_first for module in modules if isinstance(module, nn.LSTM)}
    if len(found) > 1:
        raise InputError(
            "The LSTMs of a stack do not agree where the batch stands.",
            came="batch_first=True beside batch_first=False",
            expected="the same batch_first in all of them",
        )
    return found == {True}


def _check_kind(stack: Stack) -> None:
    like = stack.like
    for layer, direction, weights in stack:
        for name, weight in zip(weights._fields, weights, strict=True):
            if not isinstance(weight, Tensor):
                continue
            if weight.dtype != like.dtype or weight.device != like.device:
                raise InputError(
                    "The weights differ in kind.",
                    came=f"{name} of layer {layer} {direction}: {weight.dtype} on {weight.device}",
                    expected=f"{like.dtype} on {like.device}, as W_ih of layer 0",
                )
