"""Models for measuring: random weights, sizes that strain the page."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path

import torch

from lstm_core.model_spec import ModelSpec
from lstm_core.models import SequenceModel
from lstm_core.shape import LSTMShape, StackShape

LAYERS = 4
#: Timesteps and units that the page is measured at.
SIZES = ((200, 128), (1_000, 256), (10_000, 512))
WORDS = [f"w{n}" for n in range(300)]


def words(count: int) -> str:
    """A text of so many tokens."""
    return " ".join(islice(cycle(WORDS), count))


def write_models(folder: Path) -> None:
    """Models of 4 layers called ``bench-UNITS``."""
    for _, units in SIZES:
        torch.manual_seed(0)
        spec = ModelSpec(
            title=f"Bench: {LAYERS} × {units}",
            task="tag",
            split="words",
            vocabularies={"word": ["<unk>", *WORDS]},
            embedding={"word": 64},
            lstm=StackShape.of(LSTMShape(64, units, num_layers=LAYERS)),
            labels=["A", "B", "C", "D"],
            examples=[words(10)],
        )
        SequenceModel(spec).save(folder / f"bench-{units}")
