"""Train a network that says whether a sentence about a film praises or pans it.

    python -m lstm_core.zoo.sentiment PATH/TO/movie-reviews

The folder holds ``pos.txt`` and ``neg.txt``, a sentence per line.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from lstm_core.errors import FileError
from lstm_core.model_spec import HeadSpec, ModelSpec
from lstm_core.models import FeatureEmbedding, SequenceModel
from lstm_core.shape import LSTMShape, StackShape
from lstm_core.text import SPLITTERS, Tokenizer, Vocabulary
from lstm_core.zoo import training
from lstm_core.zoo.hiding import Hiding

Sentence = tuple[str, int]  # a text, and the number of its label
Example = tuple[Tensor, int]  # feature ids (T, features), and the number of the label

LABELS = ["negative", "positive"]
FILES = ("neg.txt", "pos.txt")
SPLIT = "words"
SPLIT_SEED = 1  # which sentences are held out; not --seed, which would move them
HELD_OUT = 10  # one part in so many for the figure, and another to choose the epoch
MINIMUM = 40  # sentences; with fewer there are none left to hold out
EMBEDDING = {"word": 48, "prefix3": 16, "suffix3": 16}
MINIMUM_COUNT = 2  # occurrences that earn a value its place in a vocabulary
BATCH = 32  # sentences

EXAMPLES = [
    "Great fun until the ending ruins it.",
    "Slow and silly at first, it becomes a gripping and touching film.",
    "Brilliant actors trapped in a boring mess.",
    "A warm, funny and beautifully told story.",
    "It begins like a masterpiece and ends like a tax form.",
]
CARD = {
    "summary": (
        "Says whether a sentence about a film praises or pans it. It reads from the left and was "
        "asked only at the last word; asked after every word, it shows where it changes its mind."
    ),
    "source": (
        "Pang and Lee 2005, sentence polarity dataset v1.0, by way of "
        "https://github.com/dennybritz/cnn-text-classification-tf"
    ),
    "licence": "none is stated for the sentences, of which none is in the box; the weights: MIT",
    "metric": "accuracy per sentence",
    "goal": "at least 0.74",
    "split": (
        "a tenth of the sentences, drawn once, was never seen and gives the figure; another tenth "
        "chose the epoch and settled the recipe; trained on the rest, the figure measured once"
    ),
}


class Sentiment(training.Recipe):
    """The recipe: sentences read from the left, a class at the last word."""

    model_id = "sentiment"
    module = "lstm_core.zoo.sentiment"
    hyperparameters = training.Hyperparameters(
        learning_rate=4e-3, weight_decay=0.02, dropout=0.5, average=0.99
    )

    def __init__(self, folder: Path, *, units: int) -> None:
        sentences = read_sentences(folder)
        random.Random(SPLIT_SEED).shuffle(sentences)
        part = len(sentences) // HELD_OUT
        test, validation, train = (
            sentences[:part],
            sentences[part : 2 * part],
            sentences[2 * part :],
        )
        words = [text[start:end] for text, _ in train for start, end in SPLITTERS[SPLIT](text)]
        self.hiding = Hiding(words, EMBEDDING, minimum=MINIMUM_COUNT)
        vocabularies = self.hiding.vocabularies
        self.placeholder = f"PATH/TO/{folder.resolve().name}"
        self.spec = ModelSpec(
            title="Praise or pan: sentences about films",
            task="classify",
            split=SPLIT,
            vocabularies=vocabularies,
            embedding=EMBEDDING,
            lstm=StackShape.of(LSTMShape(sum(EMBEDDING.values()), units)),
            labels=LABELS,
            head=HeadSpec(reads="last"),
            examples=EXAMPLES,
            card={**CARD, "data": f"{len(sentences):,} sentences of film reviews"},
        )
        tokenizer = Tokenizer(SPLIT, {name: Vocabulary(vocabularies[name]) for name in EMBEDDING})
        self.train_examples = [encoded(tokenizer, sentence) for sentence in train]
        self.validation_examples = [encoded(tokenizer, sentence) for sentence in validation]
        self.test_examples = [encoded(tokenizer, sentence) for sentence in test]
        self.steps = -(-len(train) // BATCH)

    @torch.no_grad()
    def prepare(self, model: SequenceModel) -> None:
        """The first number of each value begins as how much more praise has it than pans.

        That is its weight in naive Bayes (Wang and Manning 2012): in a net that begins with it,
        8,000 sentences teach what words do to one another, and not first what they mean.
        """
        assert isinstance(model.embedding, FeatureEmbedding)
        for n, table in enumerate(model.embedding.values()):
            assert isinstance(table, nn.Embedding)
            counts = torch.ones(len(LABELS), table.num_embeddings)
            for ids, label in self.train_examples:
                counts[label, list({*ids[:, n].tolist()})] += 1
            log = (counts / counts.sum(dim=1, keepdim=True)).log()
            table.weight[1:, 0] = (log[1] - log[0])[1:]
            table.weight[0, 0] = 0  # <unk> is not for either

    def losses(self, model: SequenceModel, generator: torch.Generator) -> Iterator[Tensor]:
        rate = self.hyperparameters.dropout
        order = torch.randperm(len(self.train_examples), generator=generator)
        for rows in torch.split(order, BATCH):
            ids, labels = pack([self.train_examples[n] for n in rows.tolist()])
            x = dropout(model.embedding(self.hiding(ids.data, generator)), rate)
            yield cross_entropy(model.head(dropout(last_h(model, ids, x), rate)), labels)

    def validate(self, model: SequenceModel) -> float:
        return 1 - accuracy(model, self.validation_examples)

    def test(self, model: SequenceModel) -> float:
        return accuracy(model, self.test_examples)


def read_sentences(folder: Path) -> list[Sentence]:
    """Every sentence once, with the number of its label, in the order of the files.

    Raises FileError when there is no such file, or there are too few sentences.
    """
    sentences: dict[str, int] = {}
    for label, name in enumerate(FILES):
        if not (folder / name).is_file():
            raise FileError("A part of the reviews is missing.", came="no file", expected=name)
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            if text := line.strip():
                sentences.setdefault(text, label)
    if len(sentences) < MINIMUM:
        raise FileError(
            "These are too few sentences to train on.",
            came=f"{len(sentences)} sentences",
            expected=f"at least {MINIMUM} sentences",
        )
    return list(sentences.items())


def encoded(tokenizer: Tokenizer, sentence: Sentence) -> Example:
    text, label = sentence
    ids = [[feature.id for feature in token.features] for token in tokenizer(text)]
    return torch.tensor(ids), label


def pack(examples: list[Example]) -> tuple[PackedSequence, Tensor]:
    """Sentences of different lengths side by side, without padding, and their labels."""
    ids = pack_sequence([ids for ids, _ in examples], enforce_sorted=False)
    return ids, torch.tensor([label for _, label in examples])


def last_h(model: SequenceModel, ids: PackedSequence, x: Tensor) -> Tensor:
    """h after the last word of every sentence, (sentences, units); x in packed order."""
    packed = PackedSequence(x, ids.batch_sizes, ids.sorted_indices, ids.unsorted_indices)
    _, (h_n, _) = model.lstm(packed)
    return h_n[-1]  # type: ignore[no-any-return]


@torch.no_grad()
def accuracy(model: SequenceModel, examples: list[Example]) -> float:
    """Share of sentences that get their label at the last word."""
    right = 0
    for start in range(0, len(examples), BATCH):
        ids, labels = pack(examples[start : start + BATCH])
        logits = model.head(last_h(model, ids, model.embedding(ids.data)))
        right += int((logits.argmax(dim=1) == labels).sum())
    return right / len(examples)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = training.argument_parser("Train a judge of film reviews.", epochs=8, units=64)
    options = parser.parse_args(arguments)
    recipe = Sentiment(options.data, units=options.units)
    return training.run(recipe, options, training.changed_options(parser, options))


if __name__ == "__main__":
    sys.exit(main())
