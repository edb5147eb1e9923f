"""The shape of an LSTM: the options of ``nn.LSTM`` that decide how wide everything is."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index

from torch import nn

from lstm_core.quantities import DIRECTIONS, QUANTITIES, Direction


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
