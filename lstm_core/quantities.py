"""The vocabulary: every recorded value once. No torch here: the web server imports this module.

The recorder, the file format, the API and the legend on the page all read this table, so a
new quantity is a new row here and nothing else has to learn its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scale = Literal["sequential", "diverging"]
Direction = Literal["forward", "backward"]

DIRECTIONS: tuple[Direction, ...] = ("forward", "backward")


@dataclass(frozen=True)
class Quantity:
    """One recorded value of an LSTM cell.

    ``low`` and ``high`` are the mathematical bounds (``None``: unbounded); ``shown_low`` and
    ``shown_high`` the fixed ends of its colour scale.
    """

    name: str
    label: str
    formula: str
    sentence: str
    scale: Scale
    low: float | None
    high: float | None
    shown_low: float
    shown_high: float


QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity(
            name="i",
            label="input gate",
            formula="σ(W_i x_t + U_i h_{t-1} + b_i)",
            sentence="How much of the candidate is written: 0 keeps it out, 1 lets all of it in.",
            scale="sequential",
            low=0.0,
            high=1.0,
            shown_low=0.0,
            shown_high=1.0,
        ),
        Quantity(
            name="f",
            label="forget gate",
            formula="σ(W_f x_t + U_f h_{t-1} + b_f)",
            sentence="How much of the old cell state stays: 0 forgets it, 1 keeps all of it.",
            scale="sequential",
            low=0.0,
            high=1.0,
            shown_low=0.0,
            shown_high=1.0,
        ),
        Quantity(
            name="g",
            label="candidate",
            formula="tanh(W_g x_t + U_g h_{t-1} + b_g)",
            sentence="The value that could be written into the cell at this timestep.",
            scale="diverging",
            low=-1.0,
            high=1.0,
            shown_low=-1.0,
            shown_high=1.0,
        ),
        Quantity(
            name="o",
            label="output gate",
            formula="σ(W_o x_t + U_o h_{t-1} + b_o)",
            sentence="How much of the cell is shown to the outside: 0 hides it, 1 shows it.",
            scale="sequential",
            low=0.0,
            high=1.0,
            shown_low=0.0,
            shown_high=1.0,
        ),
        Quantity(
            name="c",
            label="cell state",
            formula="f ⊙ c_{t-1} + i ⊙ g",
            sentence="The memory: what was kept of the old one plus what was written now.",
            scale="diverging",
            low=None,
            high=None,
            shown_low=-3.0,
            shown_high=3.0,
        ),
        Quantity(
            name="h",
            label="hidden state",
            formula="o ⊙ tanh(c_t)",
            sentence="What the cell says: read by its own next timestep and by the layer above.",
            scale="diverging",
            low=None,
            high=None,
            shown_low=-1.0,
            shown_high=1.0,
        ),
    )
}
