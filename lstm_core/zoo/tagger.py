"""Train a part-of-speech tagger on a Universal Dependencies treebank.

    python -m lstm_core.zoo.tagger PATH/TO/ud-en-ewt --language en

The folder holds the treebank's CoNLL-U files under the names that `LANGUAGES` gives them.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, dropout
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from lstm_core.errors import FileError
from lstm_core.model_spec import ModelSpec
from lstm_core.models import SequenceModel
from lstm_core.shape import LSTMShape, StackShape
from lstm_core.text import FEATURES, UNKNOWN, Tokenizer, Vocabulary
from lstm_core.zoo import training

Sentence = list[tuple[str, str]]  # (form, tag) of every word
Example = tuple[Tensor, Tensor]  # feature ids (T, features), tag ids (T,)

EMBEDDING = {"word": 64, "suffix3": 32, "suffix2": 16, "prefix3": 16, "shape": 16}
BATCH = 32  # sentences
MINIMUM_COUNT = 2  # occurrences that earn a value its place in a vocabulary
#: A value seen n times is hidden behind <unk> with probability a / (a + n) while training
#: (Kiperwasser and Goldberg 2016): so <unk> stands for rare words, as it will later on.
HIDING = 0.5


@dataclass(frozen=True)
class Language:
    """What differs from one language to another."""

    title: str
    split: str  # how the page cuts a sentence
    files: tuple[str, str, str]  # training, development, test
    examples: list[str]
    data: str
    source: str
    licence: str


LANGUAGES: Mapping[str, Language] = {
    "en": Language(
        title="English part-of-speech tagger",
        split="words",
        files=("train.conllu", "dev.conllu", "test.conllu"),
        examples=[
            "She can open the can if you can find the opener.",
            "Time flies like an arrow.",
            "I read the book before I book a flight.",
            "They fish in the river, but the fish hide well.",
            "The old man the boat.",
        ],
        data="Universal Dependencies English Web Treebank (UD English-EWT)",
        source="https://github.com/UniversalDependencies/UD_English-EWT",
        licence="CC BY-SA 4.0",
    ),
}


class Tagger:
    """The recipe: sentences of gold words, read in both directions, a tag for each word."""

    module = "lstm_core.zoo.tagger"
    hyperparameters = training.Hyperparameters(learning_rate=3e-3, weight_decay=0.02, dropout=0.4)

    def __init__(self, folder: Path, code: str, *, units: int) -> None:
        language = LANGUAGES[code]
        train, development, test = (read_conllu(folder / name) for name in language.files)
        forms = [form for sentence in train for form, _ in sentence]
        counts = {name: Counter(map(FEATURES[name], forms)) for name in EMBEDDING}
        vocabularies = {name: vocabulary(counts[name]) for name in EMBEDDING}
        self.model_id = f"tagger-{code}"
        self.placeholder = f"PATH/TO/{folder.resolve().name} --language {code}"
        self.spec = ModelSpec(
            title=language.title,
            task="tag",
            split=language.split,
            vocabularies=vocabularies,
            embedding=EMBEDDING,
            lstm=StackShape.of(
                LSTMShape(sum(EMBEDDING.values()), units, num_layers=2, bidirectional=True)
            ),
            labels=sorted({tag for sentence in train for _, tag in sentence}),
            examples=language.examples,
            card=card(language, words=sum(map(len, train + development + test))),
        )
        encode = Encoder(self.spec)
        self.train_examples = [encode(sentence) for sentence in train]
        self.development_examples = [encode(sentence) for sentence in development]
        self.test_examples = [encode(sentence) for sentence in test]
        self.hidden = [hiding_table(counts[name], vocabularies[name]) for name in EMBEDDING]
        self.steps = -(-len(train) // BATCH)

    def losses(self, model: SequenceModel, generator: torch.Generator) -> Iterator[Tensor]:
        order = torch.randperm(len(self.train_examples), generator=generator)
        for rows in torch.split(order, BATCH):
            ids, tags = pack([self.train_examples[n] for n in rows.tolist()])
            probability = torch.stack(
                [table[ids.data[:, n]] for n, table in enumerate(self.hidden)], dim=1
            )
            hidden = torch.rand(probability.shape, generator=generator) < probability
            logits = self._logits(model, ids, ids.data.masked_fill(hidden, 0))
            yield cross_entropy(logits, tags)

    def validate(self, model: SequenceModel) -> float:
        return 1 - self._accuracy(model, self.development_examples)

    def test(self, model: SequenceModel) -> float:
        return self._accuracy(model, self.test_examples)

    def _logits(self, model: SequenceModel, packed: PackedSequence, ids: Tensor) -> Tensor:
        """Logits (N, labels) for ids (N, features), the words of all sentences in packed order."""
        rate = self.hyperparameters.dropout if model.training else 0.0
        x = dropout(model.embedding(ids), rate)
        output, _ = model.lstm(
            PackedSequence(x, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
        )
        logits: Tensor = model.head(dropout(output.data, rate))
        return logits

    @torch.no_grad()
    def _accuracy(self, model: SequenceModel, examples: list[Example]) -> float:
        """Share of words that get their tag."""
        right = words = 0
        for start in range(0, len(examples), BATCH):
            ids, tags = pack(examples[start : start + BATCH])
            right += int((self._logits(model, ids, ids.data).argmax(dim=1) == tags).sum())
            words += len(tags)
        return right / words


class Encoder:
    """Sentences to ids, through the tokenizer the page uses, but on the treebank's own words."""

    def __init__(self, spec: ModelSpec) -> None:
        vocabularies = {name: Vocabulary(spec.vocabularies[name]) for name in spec.embedding}
        self._tokenizer = Tokenizer(spec.split, vocabularies)
        self._labels = {tag: n for n, tag in enumerate(spec.labels)}

    def __call__(self, sentence: Sentence) -> Example:
        """Feature ids (T, features) and tags (T,); -1 for a tag that training never showed."""
        tokens = [self._tokenizer.token(form) for form, _ in sentence]
        ids = [[feature.id for feature in token.features] for token in tokens]
        tags = [self._labels.get(tag, -1) for _, tag in sentence]
        return torch.tensor(ids), torch.tensor(tags)


def pack(examples: list[Example]) -> tuple[PackedSequence, Tensor]:
    """Sentences of different lengths side by side, without padding; tags in the same order."""
    ids = pack_sequence([ids for ids, _ in examples], enforce_sorted=False)
    tags = pack_sequence([tags for _, tags in examples], enforce_sorted=False)
    return ids, tags.data


def read_conllu(path: Path) -> list[Sentence]:
    """Forms and universal tags; lines of multi-word tokens and empty nodes are skipped.

    Raises FileError when there is no such file, or no sentence in it.
    """
    if not path.is_file():
        raise FileError("A part of the treebank is missing.", came="no file", expected=path.name)
    sentences: list[Sentence] = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        columns = [line.split("\t") for line in block.splitlines() if line[:1].isdigit()]
        if sentence := [(row[1], row[3]) for row in columns if row[0].isdigit()]:
            sentences.append(sentence)
    if not sentences:
        raise FileError("There is no sentence in this file.", came=path.name, expected="CoNLL-U")
    return sentences


def vocabulary(counts: Counter[str]) -> list[str]:
    """``<unk>`` and every value seen often enough, the most frequent first."""
    return [UNKNOWN, *(value for value, n in counts.most_common() if n >= MINIMUM_COUNT)]


def hiding_table(counts: Counter[str], items: list[str]) -> Tensor:
    """Probability (items,) with which training hides each value of a vocabulary."""
    n = torch.tensor([float(counts[item]) for item in items])
    return HIDING / (HIDING + n)


def card(language: Language, *, words: int) -> dict[str, str]:
    """What a card says before training."""
    return {
        "summary": (
            "Says what part of speech each word of a sentence is: noun, verb, adjective and so on. "
            "It reads the sentence in both directions, so the words on either side of a word "
            "help to decide."
        ),
        "data": f"{language.data}, {words:,} words",
        "source": language.source,
        "licence": language.licence,
        "metric": "accuracy per word",
        "goal": "at least 0.90",
        "split": "the treebank's own: training, development (chose the epoch), test (the figure)",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = training.argument_parser("Train a part-of-speech tagger.", epochs=20, units=64)
    parser.add_argument("--language", choices=list(LANGUAGES), required=True)
    options = parser.parse_args(arguments)
    recipe = Tagger(options.data, options.language, units=options.units)
    return training.run(recipe, options, training.changed_options(parser, options))


if __name__ == "__main__":
    sys.exit(main())
