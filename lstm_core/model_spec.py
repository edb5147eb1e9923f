"""Everything about a model but its weights: what ``model.json`` holds. No torch here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal, get_args

from lstm_core.errors import FileError
from lstm_core.shape import LSTMShape, ModuleShape, StackShape
from lstm_core.text import FEATURES, SPLITTERS

FORMAT = "gatescope.model/2"

#: ``classify`` is one class for all that was read so far, ``value`` numbers instead of labels.
Task = Literal["next_token", "tag", "classify", "value"]

#: What the head is given at a timestep: h of the top layer there; what it would be given if the
#: sequence ended there (the last h of each direction); the mean or the maximum of h up to there.
Reads = Literal["each", "last", "mean", "max"]

Activation = Literal["relu", "tanh", "none"]

#: How a table of numbers is cut: into its rows. Every other way is one of `SPLITTERS`.
TABLE = "table"

#: What no model has more of: a damaged file must not make anybody count without end.
MOST_LAYERS = 1_000
MOST_NUMBERS = 2**40  # in one dimension


@dataclass(frozen=True)
class HeadSpec:
    """How h becomes predictions: linear layers with ``activation`` between them, then softmax.

    ``hidden`` are the widths between h and the labels. With ``sigmoid`` the last layer has one
    number, the probability of the second of two labels.
    """

    reads: Reads = "each"
    hidden: tuple[int, ...] = ()
    activation: Activation = "relu"
    sigmoid: bool = False


@dataclass(frozen=True)
class ModelSpec:
    """What a model reads, what it is made of, and what it predicts.

    ``embedding`` gives the width of each feature's table; together they are the LSTM's input. A
    vocabulary is a list of strings or, where nobody has one, the number of ids. A model without
    an embedding reads a table of numbers (``split`` is "table"), whose columns may have names.
    ``labels`` names what the head predicts; without a ``task`` there is no head. With
    ``initial_state`` the weights hold an h_0 and c_0. ``card`` is for people and never read by
    the code. An ``LSTMShape`` stands for the stack of it alone.
    """

    title: str
    task: Task | None
    split: str
    vocabularies: Mapping[str, list[str] | int]
    embedding: Mapping[str, int]
    lstm: StackShape
    labels: list[str]
    head: HeadSpec = HeadSpec()
    columns: list[str] = field(default_factory=list)
    initial_state: bool = False
    examples: list[str] = field(default_factory=list)
    card: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.lstm, LSTMShape):
            object.__setattr__(self, "lstm", StackShape.of(self.lstm))

    @property
    def reads_numbers(self) -> bool:
        return self.split == TABLE

    @property
    def outputs(self) -> int:
        """How many numbers the head's last layer gives."""
        return 1 if self.head.sigmoid else len(self.labels)

    def vocabulary_size(self, feature: str) -> int:
        items = self.vocabularies[feature]
        return items if isinstance(items, int) else len(items)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, as ``weights.safetensors`` holds them."""
        shapes: dict[str, tuple[int, ...]] = {}
        for name, width in self.embedding.items():
            shapes[f"embedding.{name}.weight"] = (self.vocabulary_size(name), width)
        for n, module in enumerate(self.lstm.modules):
            prefix = f"lstm.{n}." if self.lstm.listed else "lstm."
            shapes |= {prefix + name: shape for name, shape in module.weights().items()}
            if self.initial_state:
                rows = () if module.is_cell else (len(module.cells),)
                shapes[f"h_0_{n}"] = (*rows, module.output_width)
                shapes[f"c_0_{n}"] = (*rows, module.hidden_size)
        if self.task is not None:
            top = self.lstm.output_width(self.lstm.num_layers - 1)
            widths = [top, *self.head.hidden, self.outputs]
            names = [f"hidden.{n}" for n in range(len(self.head.hidden))] + ["head"]
            for name, (below, above) in zip(names, pairwise(widths), strict=True):
                shapes |= {f"{name}.weight": (above, below), f"{name}.bias": (above,)}
        return shapes

    @property
    def parameters(self) -> int:
        return sum(math.prod(shape) for shape in self.weight_shapes().values())

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Raises FileError when ``text`` does not describe a model."""
        try:
            fields = json.loads(text)
            if (found := fields.pop("format")) != FORMAT:
                raise ValueError(f"the format is {found!r}, not {FORMAT!r}")
            modules = tuple(ModuleShape(**module) for module in fields["lstm"]["modules"])
            head = {**fields["head"], "hidden": tuple(fields["head"]["hidden"])}
            spec = cls(
                **{
                    **fields,
                    "lstm": StackShape(modules, fields["lstm"]["listed"]),
                    "head": HeadSpec(**head),
                }
            )
            spec._check()
        except FileError:
            raise
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise FileError(
                "This model.json does not describe a model.", came=repr(error)
            ) from error
        return spec

    def _check(self) -> None:
        self._check_types()
        if self.task is not None and self.task not in get_args(Task):
            raise FileError("No such task.", came=repr(self.task), exists=get_args(Task))
        if self.split not in (*SPLITTERS, TABLE):
            raise FileError(
                "No such way to split.", came=repr(self.split), exists=[*SPLITTERS, TABLE]
            )
        if unknown := [name for name in self.vocabularies if name not in FEATURES]:
            raise FileError("No such feature.", came=repr(unknown[0]), exists=list(FEATURES))
        if set(self.embedding) != set(self.vocabularies):
            raise FileError(
                "Every feature needs a vocabulary and a width.",
                came=f"vocabularies {sorted(self.vocabularies)}, widths {sorted(self.embedding)}",
            )
        if self.reads_numbers:
            if self.embedding or len(self.columns) not in (0, self.lstm.input_size):
                raise FileError(
                    "A model that reads a table has a column for each input, and no embedding.",
                    came=f"embedding {sorted(self.embedding)}, {len(self.columns)} columns",
                    expected=f"{self.lstm.input_size} columns (input_size)",
                )
        elif sum(self.embedding.values()) != self.lstm.input_size:
            raise FileError(
                "The embedding and the LSTM differ in width.",
                came=f"embedding {sum(self.embedding.values())}",
                expected=f"{self.lstm.input_size} (input_size)",
            )

    def _check_types(self) -> None:
        """Raises ValueError where a field does not hold what its annotation says."""
        head = self.head
        checks = {
            "title": isinstance(self.title, str),
            "split": isinstance(self.split, str),
            "vocabularies": isinstance(self.vocabularies, dict)
            and all(_is_vocabulary(items) for items in self.vocabularies.values()),
            "embedding": isinstance(self.embedding, dict) and _are_counts(self.embedding.values()),
            "lstm": all(_is_module(module) for module in self.lstm.modules)
            and sum(module.num_layers for module in self.lstm.modules) <= MOST_LAYERS
            and isinstance(self.lstm.listed, bool),
            "labels": _are_strings(self.labels)
            and (len(self.labels) > 0) == (self.task is not None),
            "head": head.reads in get_args(Reads)
            and head.activation in get_args(Activation)
            and _are_counts(head.hidden)
            and isinstance(head.sigmoid, bool)
            and (not head.sigmoid or (len(self.labels) == 2 and self.task != "value")),
            "columns": _are_strings(self.columns),
            "initial_state": isinstance(self.initial_state, bool),
            "examples": _are_strings(self.examples),
            "card": isinstance(self.card, dict),
        }
        for name, right in checks.items():
            if not right:
                raise ValueError(f"{name} does not hold what it should")


def _are_strings(items: object) -> bool:
    return isinstance(items, list) and all(isinstance(item, str) for item in items)


def _is_vocabulary(items: object) -> bool:
    return _are_strings(items) or _are_counts([items])


def _is_module(module: ModuleShape) -> bool:
    return (
        module.kind != "FusedCell"  # an LSTMCell computes the same
        and _are_counts([module.input_size, module.hidden_size, module.num_layers])
        and (module.proj_size == 0 or _are_counts([module.proj_size]))
        and all(isinstance(flag, bool) for flag in (module.bias, module.bidirectional))
    )


def _are_counts(numbers: Any) -> bool:
    return all(
        isinstance(n, int) and not isinstance(n, bool) and 0 < n <= MOST_NUMBERS for n in numbers
    )
