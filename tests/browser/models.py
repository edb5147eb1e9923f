"""Small models with random weights, one for each shape an LSTM can have."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from lstm_core.model_spec import HeadSpec, ModelSpec
from lstm_core.models import SequenceModel
from lstm_core.shape import LSTMShape, ModuleShape, StackShape
from lstm_core.text import UNKNOWN, byte_name

WORDS = ["the", "sun", "is", "shiny", "and", "cold", "in", "every", "long", "winter"]
LETTERS = list("abcdefghijklmnopqrstuvwxyz .,'\n")
SENTENCE = "the sun is shiny"
PRICES = """day,open,high,low,volume
2024-01-02,4.72,4.81,4.61,1.25
2024-01-03,4.66,4.7,4.4,-0.5
2024-01-04,4.51,4.55,4.33,0.75
2024-01-05,4.4,4.62,4.38,2
"""
#: Sixty columns that nobody named.
SENSORS = "\n".join(
    " ".join(f"{((t * 7 + n * 3) % 19 - 9) / 4:g}" for n in range(60)) for t in range(4)
)


def build(folder: Path) -> None:
    """Write all of them below ``folder``."""
    _words(folder / "one", LSTMShape(8, 5))
    _words(folder / "two", LSTMShape(8, 6, 2, bidirectional=True))
    _words(folder / "eight", LSTMShape(8, 20, 8, bidirectional=True))
    _words(folder / "projected", LSTMShape(8, 16, 2, bidirectional=True, proj_size=5))
    _words(folder / "wide", LSTMShape(16, 512, 4), scale=1)
    _words(folder / "broken", LSTMShape(8, 6, 2), broken=True)
    _stacks(folder)
    _heads(folder)
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


def _stacks(folder: Path) -> None:
    """Not one nn.LSTM: modules of other widths, directions and kinds."""
    two_ways = ModuleShape(8, 12, 2, bidirectional=True)
    _words(folder / "chain", StackShape((two_ways, ModuleShape(24, 6)), listed=True))
    _words(folder / "backward", ModuleShape(8, 7, kind="BackwardLSTM"))
    cells = ModuleShape(8, 9, kind="LSTMCell"), ModuleShape(9, 5, bias=False, kind="LSTMCell")
    _words(folder / "cells", StackShape(cells, listed=True))
    turning = (
        ModuleShape(8, 16, proj_size=4),
        ModuleShape(4, 16, proj_size=4),
        ModuleShape(4, 6, kind="BackwardLSTM"),
        ModuleShape(6, 20, bias=False),
    )
    _words(folder / "turning", StackShape(turning, listed=True))


def _heads(folder: Path) -> None:
    """Heads that do not tag: classes, numbers, none; and other ways to read."""
    _words(
        folder / "judge",
        LSTMShape(8, 10),
        task="classify",
        labels=["negative", "positive"],
        head=HeadSpec(reads="last", sigmoid=True),
    )
    _save(
        folder / "names",
        LSTMShape(8, 10, bidirectional=True),
        split="characters",
        feature="character",
        items=LETTERS,
        task="classify",
        labels=["Czech", "English", "Portuguese", "Vietnamese"],
        head=HeadSpec(reads="last", hidden=(7,), activation="tanh"),
        examples=["dvorak"],
    )
    _words(
        folder / "pooled",
        LSTMShape(8, 10, bidirectional=True),
        task="classify",
        labels=["sport", "weather", "politics"],
        head=HeadSpec(reads="mean"),
    )
    table = {"split": "table", "scale": 2.0}
    _save(
        folder / "prices",
        LSTMShape(4, 9, 2),
        task="value",
        labels=["next close"],
        head=HeadSpec(reads="last", hidden=(5,)),
        columns=["open", "high", "low", "volume"],
        examples=[PRICES],
        **table,
    )
    _save(
        folder / "forecast",
        LSTMShape(4, 9),
        task="value",
        labels=[f"in {n} days" for n in range(1, 15)],
        columns=["open", "high", "low", "a name that is much too long for a line of the panel"],
        examples=[PRICES],
        **table,
    )
    _save(folder / "sensors", LSTMShape(60, 8), task=None, labels=[], examples=[SENSORS], **table)
    names = [byte_name(byte) for byte in range(256)]
    _save(
        folder / "bytes",
        LSTMShape(8, 14),
        split="bytes",
        vocabularies={"byte": names},
        embedding={"byte": 8},
        task="next_token",
        labels=names,
        examples=["naïve café 🙂"],
    )


def _words(folder: Path, lstm: LSTMShape | StackShape, **options: object) -> None:
    _save(
        folder,
        lstm,
        feature="word",
        items=WORDS,
        **{
            "split": "whitespace",
            "task": "tag",
            "labels": ["NOUN", "VERB", "ADJ", "DET", "CONJ", "ADP", "<b>&lt;"],
            "examples": [SENTENCE, "the winter is long"],
            **options,
        },
    )


def _save(folder, lstm, *, feature=None, items=(), scale=3.0, broken=False, **spec) -> None:
    torch.manual_seed(len(folder.name))
    stack = lstm if isinstance(lstm, StackShape) else StackShape.of(lstm)
    reads = {"vocabularies": {}, "embedding": {}}
    if feature:
        reads = {
            "vocabularies": {feature: [UNKNOWN, *items]},
            "embedding": {feature: stack.input_size},
        }
    model = SequenceModel(ModelSpec(title=f"Random {folder.name}", lstm=stack, **{**reads, **spec}))
    with torch.no_grad():
        if spec["task"] == "classify":
            model.head.weight *= 6  # so that it is sure, and changes its mind
        for weight in model.lstm.parameters():
            weight *= scale
        if broken:
            # One weight of the upper layer: what lies below it stays as it was.
            nn.init.constant_(model.lstm.weight_ih_l1[2, :1], float("nan"))
    model.save(folder)
