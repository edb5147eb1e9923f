"""A network that has learned nothing: any ``nn.LSTM`` somebody describes, with random weights."""

from __future__ import annotations

from typing import Literal

import torch

from lstm_core.model_spec import TABLE, ModelSpec
from lstm_core.models import SequenceModel, module_of
from lstm_core.shape import LSTMShape, StackShape
from lstm_core.text import BUCKETS

EXAMPLES = ["Nothing has been learned here yet.", "The same word gives the same vector, always."]


def fresh_model(
    shape: LSTMShape,
    *,
    seed: int = 0,
    reads: Literal["words", "numbers"] = "words",
    title: str | None = None,
) -> SequenceModel:
    """The model of ``torch.manual_seed(seed); nn.LSTM(…)``, with exactly those weights.

    With ``reads`` "words" every word of a sentence is a random vector, one of `BUCKETS` chosen by
    the word's checksum; with "numbers" it reads a table. There is no head. PyTorch draws LSTM
    weights evenly from ±1/√hidden_size
    (https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html).
    """
    words = reads == "words"
    spec = ModelSpec(
        title=title or f"Fresh {shape}",
        task=None,
        split="simple" if words else TABLE,
        vocabularies={"bucket": BUCKETS} if words else {},
        embedding={"bucket": shape.input_size} if words else {},
        lstm=StackShape.of(shape),
        labels=[],
        examples=EXAMPLES if words else [_table(shape.input_size)],
        card={
            "summary": "Random weights, nothing learned: for looking at shapes and at how a "
            "network begins.",
            "made by": f"torch.manual_seed({seed}); lstm = {shape}",
            **({"words": f"each is one of {BUCKETS:,} random vectors"} if words else {}),
        },
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        lstm = module_of(spec.lstm.modules[0])
        model = SequenceModel(spec)
    model.lstm.load_state_dict(lstm.state_dict())
    return model.eval()


def _table(columns: int, rows: int = 12) -> str:
    """Waves of different lengths, one per column, to have something to look at."""
    steps = torch.arange(rows, dtype=torch.float64)[:, None]
    waves = torch.sin(steps * (1 + torch.arange(columns, dtype=torch.float64)) / 3)
    return "\n".join(",".join(f"{x:.3f}" for x in row) for row in waves.tolist()) + "\n"
