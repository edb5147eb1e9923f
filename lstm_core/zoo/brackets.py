"""Train a network of sixteen units that counts how deep brackets are nested.

python -m lstm_core.zoo.brackets

It needs no texts: it makes the strings it trains on, and others to measure itself.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from lstm_core.model_spec import ModelSpec
from lstm_core.models import SequenceModel
from lstm_core.shape import LSTMShape, StackShape
from lstm_core.text import UNKNOWN
from lstm_core.zoo import training

State = tuple[Tensor, Tensor]  # h and c, each (layers, strings, units)
Example = tuple[str, list[int]]  # a string, and the depth after each of its characters

DEEPEST = 5
PAIRS = ["()", "[]"]
LETTERS = "abc"
CHARACTERS = [*"".join(PAIRS), *LETTERS]
STRETCH = 8  # characters, on average, of the same kind
UNSEEN = "?"  # stands for everything that is not in the vocabulary
UNKNOWN_SHARE = 0.05  # of the characters that are no brackets: whatever else one may type
EMBEDDING = 4
LENGTHS = (20, 40)  # characters of a string to train on: at least, at most
#: Every few characters c is disturbed by normal noise while training: so the network learns to pull
#: it back to the count it stands for, and no small error can grow over a long string.
DISTURBED_EVERY = 5  # characters
DISTURBANCE = 0.6
STEPS = 100  # updates per epoch
BATCH = 32  # strings
TEST_LENGTH = 2 * LENGTHS[1]
TEST_STRINGS = 2000
TEST_SEED = 1_000_003  # another than any training has by default
VALIDATION_SEED = 1_000_033
FAR = 200  # much longer strings, on which `remarks` says how it does, and their length
FARTHEST = 5_120

EXAMPLES = [
    "((a)[b])",
    "a(b[c(a[b(c)a]b)c]a)b",
    "(((((aaaaaaaaaaaaaaaa)))))",
    "()[]()[]([([([])])])",
    "f(x[0], g(y[i], z))",
]
CARD = {
    "summary": (
        "Says how many brackets are open after every character of a string. One job, sixteen "
        "units: small enough to find the units that count, and to read every number."
    ),
    "data": (
        "strings made by the script: brackets of two kinds that all match, at most "
        f"{DEEPEST} deep, with letters between them"
    ),
    "source": "lstm_core/zoo/brackets.py, which needs no texts",
    "licence": "MIT, as the program",
    "metric": "of strings right after every character",
    "goal": "at least 1.0",
    "split": (
        f"trained on strings of up to {LENGTHS[1]} characters, made anew for every step; measured "
        f"on {TEST_STRINGS:,} strings of {TEST_LENGTH} characters, made from another seed"
    ),
    "not_trained_on": (
        f"more than {DEEPEST} open brackets, or a closing bracket where none is open"
    ),
}


class Brackets(training.Recipe):
    """The recipe: strings made anew for every step, and a depth for every character."""

    model_id = "brackets"
    module = "lstm_core.zoo.brackets"
    placeholder = ""
    hyperparameters = training.Hyperparameters(
        learning_rate=1e-2, weight_decay=0.0, dropout=0.0, average=0.99
    )

    def __init__(self, *, units: int) -> None:
        self.spec = ModelSpec(
            title="How deep the brackets are",
            task="tag",
            split="characters",
            vocabularies={"character": [UNKNOWN, *CHARACTERS]},
            embedding={"character": EMBEDDING},
            lstm=StackShape.of(LSTMShape(EMBEDDING, units)),
            labels=[str(depth) for depth in range(DEEPEST + 1)],
            examples=EXAMPLES,
            card=CARD,
        )
        self.steps = STEPS
        self._ids = {character: n for n, character in enumerate(CHARACTERS, start=1)}

    def losses(self, model: SequenceModel, generator: torch.Generator) -> Iterator[Tensor]:
        draw = random.Random(int(torch.randint(2**62, (1,), generator=generator)))
        for _ in range(STEPS):
            length = draw.randint(*LENGTHS)
            ids, depths = self._batch([made(draw, length) for _ in range(BATCH)])
            state: State | None = None
            outputs: list[Tensor] = []
            for part in torch.split(model.embedding(ids[..., None]), DISTURBED_EVERY):
                if state is not None:
                    noise = torch.randn(state[1].shape, generator=generator)
                    state = (state[0], state[1] + DISTURBANCE * noise)
                output, state = model.lstm(part, state)
                outputs.append(output)
            yield cross_entropy(model.head(torch.cat(outputs)).flatten(0, 1), depths.flatten())

    def validate(self, model: SequenceModel) -> float:
        """How unsure the network is of the depth, in nats; errors alone would soon be none."""
        ids, depths = self._batch(strings(VALIDATION_SEED, TEST_STRINGS // 4, TEST_LENGTH))
        with torch.no_grad():
            return cross_entropy(_logits(model, ids).flatten(0, 1), depths.flatten()).item()

    def test(self, model: SequenceModel) -> float:
        return self.share_right(model, strings(TEST_SEED, TEST_STRINGS, TEST_LENGTH))

    def remarks(self, model: SequenceModel) -> dict[str, str]:
        right = round(FAR * self.share_right(model, strings(TEST_SEED, FAR, FARTHEST)))
        return {
            "much_longer_strings": (
                f"of {FAR} strings of {FARTHEST:,} characters {right} without an error"
            ),
            "units_that_count": self._units_that_count(model),
        }

    @torch.no_grad()
    def _units_that_count(self, model: SequenceModel) -> str:
        ids, depths = self._batch(strings(TEST_SEED, FAR, TEST_LENGTH))
        h, _ = model.lstm(model.embedding(ids[..., None]))
        rows = torch.cat([h.flatten(0, 1).t(), depths.flatten()[None].to(h)])
        follows = torch.corrcoef(rows)[-1, :-1]
        up, down = int(follows.argmax()), int(follows.argmin())
        return (
            f"h of unit {up} rises with the depth (correlation {follows[up]:.2f}), "
            f"that of unit {down} falls ({follows[down]:.2f})"
        )

    @torch.no_grad()
    def share_right(self, model: SequenceModel, examples: list[Example]) -> float:
        """Share of strings of the same length with the right depth after every character."""
        ids, depths = self._batch(examples)
        right = (_logits(model, ids).argmax(dim=-1) == depths).all(dim=0)
        return int(right.sum()) / len(examples)

    def _batch(self, examples: list[Example]) -> tuple[Tensor, Tensor]:
        """Ids and depths of strings of the same length, both (T, strings)."""
        ids = [[self._ids.get(character, 0) for character in text] for text, _ in examples]
        return torch.tensor(ids).t(), torch.tensor([depths for _, depths in examples]).t()


def _logits(model: SequenceModel, ids: Tensor) -> Tensor:
    logits: Tensor = model.head(model.lstm(model.embedding(ids[..., None]))[0])
    return logits


def strings(seed: int, count: int, length: int) -> list[Example]:
    """The same strings for the same seed."""
    draw = random.Random(seed)
    return [made(draw, length) for _ in range(count)]


def made(draw: random.Random, length: int) -> Example:
    """A string whose brackets all match and never are deeper than `DEEPEST`.

    How often something else than a bracket stands in it, and how much it is drawn into the depth,
    change from stretch to stretch: it stays deep for long, or comes up in a moment.
    """
    text, depths, is_open = "", [], ""  # the pairs that are open, as their closing brackets
    others = opens = 0.5
    for left in range(length, 0, -1):
        if draw.random() < 1 / STRETCH or left == length:
            others, opens = draw.uniform(0, 0.95), draw.uniform(0.2, 0.8)
        if len(is_open) == left:  # all that is left is needed to close them
            choice = "close"
        elif draw.random() < others:
            choice = "other"
        else:
            choice = "open" if draw.random() < opens else "close"
        if choice == "open" and len(is_open) < min(DEEPEST, left - 1):
            pair = draw.choice(PAIRS)
            text, is_open = text + pair[0], is_open + pair[1]
        elif choice == "close" and is_open:
            text, is_open = text + is_open[-1], is_open[:-1]
        else:
            text += UNSEEN if draw.random() < UNKNOWN_SHARE else draw.choice(LETTERS)
        depths.append(len(is_open))
    return text, depths


def main(arguments: Sequence[str] | None = None) -> int:
    parser = training.argument_parser(
        "Train a counter of brackets.", epochs=100, units=16, reads_texts=False
    )
    options = parser.parse_args(arguments)
    recipe = Brackets(units=options.units)
    return training.run(recipe, options, training.changed_options(parser, options))


if __name__ == "__main__":
    sys.exit(main())
