"""The shape of what is recorded: the options of ``nn.LSTM`` that decide how wide everything is.

No torch here: the web server reads shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import index
from typing import TYPE_CHECKING, TypeVar

from lstm_core.errors import SelectionError
from lstm_core.quantities import DIRECTIONS, QUANTITIES, Direction

if TYPE_CHECKING:
    from torch import nn

Item = TypeVar("Item")

#: What a stack is made of.
KINDS = ("LSTM", "BackwardLSTM", "LSTMCell", "FusedCell")


@dataclass(frozen=True)
class LSTMShape:
    """The options of an ``nn.LSTM`` that decide shapes; names as in PyTorch."""

    input_size: int
    hidden_size: int
    num_layers: int = 1
    bias: bool = True
    bidirectional: bool = False
    proj_size: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError or TypeError for what no ``nn.LSTM`` can have."""
        if index(self.input_size) < 0 or index(self.hidden_size) < 1 or index(self.num_layers) < 1:
            raise ValueError(f"no LSTM has these sizes: {self}")
        if not 0 <= index(self.proj_size) < self.hidden_size:
            raise ValueError(f"proj_size must be smaller than hidden_size: {self}")

    @classmethod
    def of(cls, lstm: nn.LSTM) -> LSTMShape:
        return cls(
            lstm.input_size,
            lstm.hidden_size,
            lstm.num_layers,
            lstm.bias,
            lstm.bidirectional,
            lstm.proj_size,
        )

    @property
    def directions(self) -> tuple[Direction, ...]:
        return DIRECTIONS if self.bidirectional else DIRECTIONS[:1]

    @property
    def cells(self) -> list[tuple[int, Direction]]:
        """(layer, direction) in the order of the rows of ``h_n``."""
        return [
            (layer, direction) for layer in range(self.num_layers) for direction in self.directions
        ]

    @property
    def output_width(self) -> int:
        """Width of h: ``proj_size`` if there is a projection, else ``hidden_size``."""
        return self.proj_size or self.hidden_size

    def width(self, quantity: str) -> int:
        return self.output_width if quantity == "h" else self.hidden_size

    @property
    def numbers_per_timestep(self) -> int:
        """How many numbers one timestep of a recording holds, the input included."""
        per_cell = sum(self.width(quantity) for quantity in QUANTITIES)
        return self.input_size + len(self.cells) * per_cell

    def __str__(self) -> str:
        options = [str(self.input_size), str(self.hidden_size)]
        if self.num_layers != 1:
            options.append(f"num_layers={self.num_layers}")
        if not self.bias:
            options.append("bias=False")
        if self.bidirectional:
            options.append("bidirectional=True")
        if self.proj_size:
            options.append(f"proj_size={self.proj_size}")
        return f"nn.LSTM({', '.join(options)})"


@dataclass(frozen=True)
class ModuleShape(LSTMShape):
    """The shape of one module of a stack: an ``nn.LSTM``, or a cell run one timestep at a time.

    The states of a cell have no axis of layers, as in ``nn.LSTMCell``.
    """

    kind: str = "LSTM"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in KINDS:
            raise ValueError(f"no such kind of module: {self.kind!r}")
        if self.kind == "BackwardLSTM" and (self.num_layers > 1 or self.bidirectional):
            raise ValueError(f"an LSTM that only reads backward has one layer: {self}")
        if self.is_cell and (self.num_layers > 1 or self.bidirectional or self.proj_size):
            raise ValueError(f"a cell has one layer, one direction and no projection: {self}")

    @property
    def is_cell(self) -> bool:
        return self.kind in ("LSTMCell", "FusedCell")

    @property
    def directions(self) -> tuple[Direction, ...]:
        return DIRECTIONS[1:] if self.kind == "BackwardLSTM" else super().directions

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every parameter, as PyTorch's module has them."""
        rows = 4 * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(self.num_layers):
            width = self.input_size if layer == 0 else self.output_width * len(self.directions)
            for suffix in ("", "_reverse") if self.bidirectional else ("",):
                end = "" if self.is_cell else f"_l{layer}{suffix}"
                shapes[f"weight_ih{end}"] = (rows, width)
                shapes[f"weight_hh{end}"] = (rows, self.output_width)
                if self.bias:
                    shapes |= {f"bias_ih{end}": (rows,), f"bias_hh{end}": (rows,)}
                if self.proj_size:
                    shapes[f"weight_hr{end}"] = (self.proj_size, self.hidden_size)
        return shapes

    def __str__(self) -> str:
        name = f"nn.{self.kind}" if self.kind in ("LSTM", "LSTMCell") else self.kind
        return super().__str__().replace("nn.LSTM", name, 1)


@dataclass(frozen=True)
class StackShape:
    """The modules of a recording, from the bottom up; their layers are numbered through.

    ``listed`` is whether they came as a list: then states are tuples, one entry per module.
    """

    modules: tuple[ModuleShape, ...]
    listed: bool = False

    @classmethod
    def of(cls, shape: LSTMShape) -> StackShape:
        """The stack of one module, which is not a list."""
        if isinstance(shape, ModuleShape):
            return cls((shape,))
        return cls((ModuleShape(**vars(shape)),))

    def __post_init__(self) -> None:
        """Raises ValueError for modules that cannot stand on each other."""
        if not self.modules or (len(self.modules) > 1 and not self.listed):
            raise ValueError(f"no stack has these modules: {self.modules}")
        for below, above in pairwise(self.modules):
            if above.input_size != below.output_width * len(below.directions):
                raise ValueError(f"{above} cannot read {below}")

    @cached_property
    def _layers(self) -> list[ModuleShape]:
        return [module for module in self.modules for _ in range(module.num_layers)]

    @property
    def input_size(self) -> int:
        return self.modules[0].input_size

    @property
    def num_layers(self) -> int:
        return len(self._layers)

    def directions(self, layer: int) -> tuple[Direction, ...]:
        return self._layers[layer].directions

    @cached_property
    def cells(self) -> list[tuple[int, Direction]]:
        """(layer, direction) from the bottom up; for one module the order of the rows of h_n."""
        return [(n, direction) for n in range(self.num_layers) for direction in self.directions(n)]

    def width(self, quantity: str, layer: int) -> int:
        return self._layers[layer].width(quantity)

    def output_width(self, layer: int) -> int:
        """What the layer hands up: h of all its directions, side by side."""
        return self._layers[layer].output_width * len(self.directions(layer))

    @property
    def numbers_per_timestep(self) -> int:
        """How many numbers one timestep of a recording holds, the input included."""
        return self.input_size + sum(self.width(q, n) for n, _ in self.cells for q in QUANTITIES)

    def find(self, key: object) -> tuple[str, int, Direction]:
        """(quantity, layer, direction), the last filled in where there is only one.

        Raises SelectionError for what there is not.
        """
        if not isinstance(key, tuple) or len(key) not in (2, 3):
            raise SelectionError(
                "Say which quantity and layer.",
                came=repr(key),
                expected="(quantity, layer, direction)",
                exists=list(QUANTITIES),
            )
        quantity, layer, *rest = key
        if not isinstance(quantity, str) or quantity not in QUANTITIES:
            raise SelectionError("No such quantity.", came=repr(quantity), exists=list(QUANTITIES))
        if not isinstance(layer, int) or layer not in range(self.num_layers):
            layers = [str(n) for n in range(self.num_layers)]
            raise SelectionError("No such layer.", came=repr(layer), exists=layers)
        directions = self.directions(layer)
        if not rest and len(directions) > 1:
            raise SelectionError(
                "This layer has two directions; say which.",
                came=repr(key),
                expected=f"({quantity!r}, {layer}, direction)",
                exists=directions,
            )
        direction = rest[0] if rest else directions[0]
        if direction not in directions:
            raise SelectionError("No such direction.", came=repr(direction), exists=directions)
        return quantity, layer, direction

    def by_module(self, rows: Sequence[Item]) -> list[list[Item]]:
        """Cut something that has one item per cell into the items of each module."""
        counts = [len(module.cells) for module in self.modules]
        starts = [sum(counts[:n]) for n in range(len(counts))]
        return [list(rows[start : start + n]) for start, n in zip(starts, counts, strict=True)]

    def __str__(self) -> str:
        names = [str(module) for module in self.modules]
        return f"[{', '.join(names)}]" if self.listed else names[0]
