"""Models for measuring: random weights, a size that strains the page."""

from __future__ import annotations

from pathlib import Path

import torch

from lstm_core.model_spec import ModelSpec
from lstm_core.models import SequenceModel
from lstm_core.shape import LSTMShape, StackShape

WIDE = "bench-wide"
WORDS = [f"w{n}" for n in range(300)]


def write_models(folder: Path) -> None:
    """4 layers of 512 units, as the speed goals ask for."""
    torch.manual_seed(0)
    spec = ModelSpec(
        title="Bench: 4 × 512",
        task="tag",
        split="words",
        vocabularies={"word": ["<unk>", *WORDS]},
        embedding={"word": 64},
        lstm=StackShape.of(LSTMShape(64, 512, num_layers=4)),
        labels=["A", "B", "C", "D"],
        examples=[" ".join(WORDS[:10])],
    )
    SequenceModel(spec).save(folder / WIDE)
