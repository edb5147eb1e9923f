"""Small models with random weights, one for each shape an LSTM can have."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from lstm_core.models import ModelSpec, SequenceModel
from lstm_core.shape import LSTMShape
from lstm_core.text import UNKNOWN

WORDS = ["the", "sun", "is", "shiny", "and", "cold", "in", "every", "long", "winter"]
LETTERS = list("abcdefghijklmnopqrstuvwxyz .,'\n")
SENTENCE = "the sun is shiny"


def build(folder: Path) -> None:
    """Write all of them below ``folder``."""
    _words(folder / "one", LSTMShape(8, 5))
    _words(folder / "two", LSTMShape(8, 6, 2, bidirectional=True))
    _words(folder / "eight", LSTMShape(8, 20, 8, bidirectional=True))
    _words(folder / "projected", LSTMShape(8, 16, 2, bidirectional=True, proj_size=5))
    _words(folder / "wide", LSTMShape(16, 512, 4), scale=1)
    _words(folder / "broken", LSTMShape(8, 6, 2), broken=True)
    _save(
        folder / "letters",
        LSTMShape(8, 12, 4),
        split="characters",
        feature="character",
        items=LETTERS,
        task="next_token",
        labels=[UNKNOWN, *LETTERS],
        examples=["to be or not to be"],
    )


def _words(folder: Path, lstm: LSTMShape, **options: object) -> None:
    _save(
        folder,
        lstm,
        split="whitespace",
        feature="word",
        items=WORDS,
        task="tag",
        labels=["NOUN", "VERB", "ADJ", "DET", "CONJ", "ADP", "<b>&lt;"],
        examples=[SENTENCE, "the winter is long"],
        **options,
    )


def _save(folder, lstm, *, feature, items, scale=3.0, broken=False, **spec) -> None:
    torch.manual_seed(len(folder.name))
    model = SequenceModel(
        ModelSpec(
            title=f"Random {folder.name}",
            vocabularies={feature: [UNKNOWN, *items]},
            embedding={feature: lstm.input_size},
            lstm=lstm,
            **spec,
        )
    )
    with torch.no_grad():
        for weight in model.lstm.parameters():
            weight *= scale
        if broken:
            # One weight of the upper layer: what lies below it stays as it was.
            nn.init.constant_(model.lstm.weight_ih_l1[2, :1], float("nan"))
    model.save(folder)
