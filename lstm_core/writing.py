"""A language model writes on: token by token from a text, with the states of every step.

for written in model.write_on("My lord, I", 50, method="sample", seed=3):
    print(written.appended, end="")
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_core.analysis import sampling
from lstm_core.analysis.sampling import METHODS, Method
from lstm_core.errors import InputError
from lstm_core.quantities import QUANTITIES
from lstm_core.recordings import Recording
from lstm_core.spelling import Speller, Spelling
from lstm_core.streaming import StreamedStep, steps
from lstm_core.text import Token

if TYPE_CHECKING:
    from lstm_core.models import SequenceModel

#: So many of the most probable labels are told with each token.
TOP = 10


@dataclass(frozen=True, eq=False)
class Written:
    """One token that was written, why it might have been another, and the step that read it.

    ``probability``, ``rank``, ``entropy`` (nats) and ``top`` are the model's own, before
    temperature, top-k and top-p; ``chosen_from`` counts the labels that were left after them, 1
    where there was nothing to draw.
    """

    timestep: int
    id: int
    """Of the label."""
    label: str
    token: Token
    appended: str
    """What was added to the text; nothing for a byte within a character."""
    probability: float
    rank: int
    entropy: float
    chosen_from: int
    top: tuple[tuple[int, float], ...]
    step: StreamedStep
    x: Tensor
    """What the LSTM read, (input_size,)."""
    scores: Tensor
    """What the model says after this token, (labels,): what the next one is chosen from."""

    def arrays(self) -> dict[str, Tensor]:
        """All of the step under the names a recording's file has: "x", "0.forward.i", "scores"."""
        layers = range(self.step.shape.num_layers)
        cells = {f"{n}.forward.{name}": self.step[name, n] for n in layers for name in QUANTITIES}
        return {"x": self.x, **cells, "scores": self.scores}


def write_on(
    model: SequenceModel,
    text: str,
    tokens: int = 100,
    *,
    method: Method = "greedy",
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
    first: int | str | None = None,
    max_tokens: int | None = None,
) -> Iterator[Written]:
    """See :meth:`lstm_core.SequenceModel.write_on`."""
    sampling.check_options(temperature, top_k, top_p)
    if method not in METHODS:
        raise InputError("No such method.", came=repr(method), exists=METHODS)
    if tokens < 1:
        raise InputError(
            "There is nothing to write.", came=f"{tokens} tokens", expected="1 or more"
        )
    if seed < 0:
        raise InputError("A seed counts from 0.", came=repr(seed), expected="0 or more")
    check_can_write(model)
    begun = _Writing(model, text, max_tokens)
    chosen = None if first is None else begun.label(first, tokens)

    def choose(p: NDArray[np.float64], allowed: NDArray[np.bool_]) -> tuple[int, int] | None:
        """A label, and from how many; None where none is left."""
        if method == "greedy":
            left = np.where(allowed, p, 0.0)
            return (sampling.most_probable(left), 1) if left.any() else None
        left = sampling.remaining(
            p, temperature=temperature, top_k=top_k, top_p=top_p, allowed=allowed
        )
        if not left.any():
            return None
        number = sampling.number_at(seed, begun.timestep)
        return sampling.draw(left, number), int((left > 0).sum())

    def write() -> Iterator[Written]:
        for n in range(tokens):
            p = begun.probabilities
            if not np.isfinite(p).all():
                return
            forced = (chosen, 1) if n == 0 and chosen is not None else None
            found = forced or choose(p, begun.speller.writable(tokens - n))
            if found is None:
                return
            yield begun.write(p, *found)

    return write()


def check_can_write(model: SequenceModel) -> None:
    """Raises InputError, in words for people, for a model that cannot write on."""
    spec = model.spec
    if spec.task != "next_token" or model.tokenizer is None:
        raise InputError(
            "This model does not say which token comes next, so it cannot write on.",
            came=f"a head for the task {spec.task!r}" if spec.task else "a model without a head",
            expected="a language model: task 'next_token'",
        )
    backward = [n for n, direction in spec.lstm.cells if direction == "backward"]
    if backward:
        raise InputError(
            "This model reads backward, too: it needs the end of a text before it can say anything "
            "about its beginning, so it cannot write on.",
            came=f"a backward direction in layer {backward[0]}",
            expected="layers that read forward only",
        )
    if not spelling_of(model).writable.any():
        raise InputError(
            "None of this model's labels can be written as a text that it would read as the same "
            "tokens, so it cannot write on.",
            came=f"{len(spec.labels)} labels, beginning with {spec.labels[:3]!r}",
            expected="labels that are in the vocabulary of what it reads",
        )


#: Every label of a model is tried once.
_spellings: WeakKeyDictionary[SequenceModel, Spelling] = WeakKeyDictionary()


def spelling_of(model: SequenceModel) -> Spelling:
    """How the labels of a model that reads text are written."""
    if model not in _spellings:
        assert model.tokenizer is not None  # who calls has looked
        _spellings[model] = Spelling(model.tokenizer, model.spec.labels)
    return _spellings[model]


class _Writing:
    """A text that is read once, and then goes on one step at a time."""

    def __init__(self, model: SequenceModel, text: str, max_tokens: int | None) -> None:
        self._model = model
        recording = model.record(text, max_tokens=max_tokens)
        assert recording.predictions is not None  # a language model has a head
        self.speller: Speller = spelling_of(model).begin(text)
        self.timestep = len(recording.x)  # of the token that comes next
        self._scores = recording.predictions.scores[-1]
        self._head = _HeadInput(model, recording)
        self._x = recording.x[-1]
        lstm = cast("nn.LSTM | nn.ModuleList", model.lstm)
        self._steps = steps(lstm, self._inputs(), state=recording)

    def _inputs(self) -> Iterator[Tensor]:
        while True:
            yield self._x

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """What the model says comes next, (labels,)."""
        p: NDArray[np.float64] = self._scores.double().cpu().numpy()
        return p

    def label(self, wanted: int | str, tokens: int) -> int:
        """The id of a label that can be written next. Raises InputError."""
        labels = self._model.spec.labels
        found = wanted
        if isinstance(found, str):
            found = labels.index(found) if found in labels else -1
        if found not in range(len(labels)):
            raise InputError(
                "No such label to begin with.",
                came=repr(wanted),
                expected=f"a label of the model, or its id from 0 to {len(labels) - 1}",
            )
        if not self.speller.writable(tokens)[found]:
            raise InputError(
                "This label cannot be written here: the text would not be read as it was written.",
                came=repr(labels[found]),
                expected="a label that is a token of its own in the model's vocabulary",
            )
        return found

    def write(self, p: NDArray[np.float64], label: int, chosen_from: int) -> Written:
        spelled = self.speller.write(label)
        with torch.no_grad():
            self._x = self._model.embedding(self._model.ids([spelled.token]))[0]
            step = next(self._steps)
            self._scores = self._model.scores(self._head(step.output))
        written = Written(
            timestep=self.timestep,
            id=label,
            label=self._model.spec.labels[label],
            token=spelled.token,
            appended=spelled.appended,
            probability=float(p[label]),
            rank=sampling.rank(p, label),
            entropy=sampling.entropy(p),
            chosen_from=chosen_from,
            top=tuple((int(n), float(p[n])) for n in sampling.ranking(p)[:TOP]),
            step=step,
            x=self._x,
            scores=self._scores,
        )
        self.timestep += 1
        return written


class _HeadInput:
    """What the head is given after each further step, where it pools over all of them, too."""

    def __init__(self, model: SequenceModel, recording: Recording) -> None:
        self._reads = model.spec.head.reads
        output = recording.output
        self._count = len(output)
        self._sum = output.sum(dim=0)
        self._most = output.amax(dim=0)

    def __call__(self, h: Tensor) -> Tensor:
        """(width of h) of the top layer, and what it makes of it."""
        self._count += 1
        self._sum = self._sum + h
        self._most = torch.maximum(self._most, h)
        if self._reads == "mean":
            return self._sum / self._count
        return self._most if self._reads == "max" else h
