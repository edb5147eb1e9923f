"""From choices to a model: its description, and its weights under our names. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from lstm_core.checkpoints.contents import Array, Contents
from lstm_core.checkpoints.discovery import FoundLSTM, Matrix
from lstm_core.checkpoints.inspection import Inspection
from lstm_core.checkpoints.proposal import (
    BYTES,
    IDS,
    JOIN,
    NONE,
    NUMBERS,
    ONE_HOT,
    Proposal,
)
from lstm_core.checkpoints.string_tables import Strings
from lstm_core.errors import CheckpointError
from lstm_core.model_spec import TABLE, HeadSpec, ModelSpec, Reads, Task
from lstm_core.text import byte_name

Weights = dict[str, Array]


def build(
    contents: Contents,
    inspection: Inspection,
    proposal: Proposal,
    tables: Mapping[str, Strings],
    *,
    title: str,
    card: Mapping[str, object],
) -> tuple[ModelSpec, Weights]:
    """A model of the chosen parts. ``tables`` holds all strings by the names of their options.

    Raises CheckpointError for choices that do not make one.
    """
    if proposal.problem:
        raise CheckpointError("No model can be made of this.", came=proposal.problem)
    return _Building(contents, inspection, proposal, tables).build(title, card)


def card_of(name: str, inspection: Inspection, proposal: Proposal) -> dict[str, Any]:
    """What people are told about an opened model: where it came from, and what was chosen."""
    chosen = {
        f"chosen: {name}": value or "(the only one)" for name, value in proposal.choices.items()
    }
    notes = " ".join([*inspection.notes, *proposal.notes])
    unused = ", ".join(proposal.unused[:40])
    return {
        "summary": f"Opened from {name}.",
        "format": inspection.format,
        **chosen,
        **({"not used": unused} if unused else {}),
        **({"notes": notes} if notes else {}),
    }


class _Building:
    def __init__(
        self,
        contents: Contents,
        inspection: Inspection,
        proposal: Proposal,
        tables: Mapping[str, Strings],
    ) -> None:
        found = inspection.discovery
        self.choices = proposal.choices
        self.proposal = proposal
        self.tables = tables
        self.matrices = {matrix.name: matrix for matrix in found.matrices}
        by_name = {lstm.name: lstm for lstm in found.lstms}
        self.lstms = _chain(self.choices["lstm"], by_name)
        head = self.choices.get("head", NONE)
        self.head = [] if head == NONE else [self.matrices[name] for name in head.split(JOIN)]
        initial = self.choices.get("initial", NONE)
        self.initial = [] if initial == NONE else initial.split(JOIN)
        self.arrays = contents.read(self._wanted())

    def _wanted(self) -> list[str]:
        names = [n for lstm in self.lstms for n in (*lstm.weights.values(), *lstm.initial.values())]
        names += [name for m in self.head for name in (m.name, m.bias) if name]
        names += self.initial
        if self.choices["embedding"] in self.matrices:
            names.append(self.choices["embedding"])
        return list(dict.fromkeys(names))

    def build(self, title: str, card: Mapping[str, object]) -> tuple[ModelSpec, Weights]:
        spec = ModelSpec(
            title=title,
            task=None,
            split=TABLE,
            vocabularies={},
            embedding={},
            lstm=self.proposal.shape,
            labels=[],
            initial_state=bool(self.initial) or any(lstm.initial for lstm in self.lstms),
            card=card,
        )
        weights: Weights = {}
        if self.choices["embedding"] != NUMBERS:
            spec, weights = self._with_embedding(spec)
        if self.head:
            spec = self._with_head(spec)
            weights |= self._head_weights()
        weights |= self._lstm_weights(spec)
        # In the order and the shapes of the description; whatever does not fit is our mistake.
        shapes = spec.weight_shapes()
        assert {name: array.shape for name, array in weights.items()} == shapes
        return spec, {name: weights[name] for name in shapes}

    # --- what goes in ---

    def _with_embedding(self, spec: ModelSpec) -> tuple[ModelSpec, Weights]:
        choice = self.choices["embedding"]
        width = spec.lstm.input_size
        table = np.eye(width, dtype=np.float32) if choice == ONE_HOT else self.arrays[choice]
        rows = len(table)
        vocabulary = self.choices["vocabulary"]
        items: list[str] | int
        if vocabulary == IDS:
            split, feature, items = "whitespace", "token", rows
        elif vocabulary == BYTES:
            split, feature = "bytes", "byte"
            items = [byte_name(n) if n < 256 else f"<{n}>" for n in range(rows)]
        else:
            split = self.choices["tokenizer"]
            feature = "lower" if self.choices["lowercase"] == "yes" else "token"
            first_row = int(self.choices.get("first_row", "0"))
            items = distinct([None] * first_row + self.tables[vocabulary], rows)
        changed = replace(
            spec, split=split, vocabularies={feature: items}, embedding={feature: width}
        )
        return changed, {f"embedding.{feature}.weight": table}

    # --- what comes out ---

    def _with_head(self, spec: ModelSpec) -> ModelSpec:
        task = cast(Task, self.choices["task"])
        outputs = self.head[-1].rows
        sigmoid = task == "classify" and outputs == 1
        head = HeadSpec(
            reads=cast(Reads, self.choices["reads"]),
            hidden=tuple(matrix.rows for matrix in self.head[:-1]),
            activation=self.choices.get("activation", "relu"),  # type: ignore[arg-type]
            sigmoid=sigmoid,
        )
        return replace(
            spec, task=task, head=head, labels=self._labels(2 if sigmoid else outputs, spec)
        )

    def _labels(self, count: int, spec: ModelSpec) -> list[str]:
        choice = self.choices["labels"]
        if choice == NUMBERS:
            return [str(n) for n in range(count)]
        if choice == "vocabulary":
            (items,) = spec.vocabularies.values()
            return [str(n) for n in range(count)] if isinstance(items, int) else items[:count]
        return distinct(self.tables[choice], count)

    def _head_weights(self) -> Weights:
        weights: Weights = {}
        names = [f"hidden.{n}" for n in range(len(self.head) - 1)] + ["head"]
        for name, matrix in zip(names, self.head, strict=True):
            weights[f"{name}.weight"] = self.arrays[matrix.name]
            weights[f"{name}.bias"] = self._bias(matrix)
        return weights

    def _bias(self, matrix: Matrix) -> Array:
        if matrix.bias:
            return self.arrays[matrix.bias]
        return np.zeros(matrix.rows, dtype=np.float32)

    # --- in between ---

    def _lstm_weights(self, spec: ModelSpec) -> Weights:
        weights: Weights = {}
        for n, lstm in enumerate(self.lstms):
            prefix = f"lstm.{n}." if spec.lstm.listed else "lstm."
            for name, shape in lstm.shape.weights().items():
                weights[prefix + name] = (
                    self.arrays[lstm.weights[name]]
                    if name in lstm.weights
                    else np.zeros(shape, dtype=np.float32)  # one bias of two
                )
            if spec.initial_state:
                weights |= self._initial(n, lstm, spec)
        return weights

    def _initial(self, n: int, lstm: FoundLSTM, spec: ModelSpec) -> Weights:
        shapes = spec.weight_shapes()
        initial = dict(zip(("h_0", "c_0"), self.initial, strict=False)) or lstm.initial
        return {
            f"{name}_{n}": self.arrays[initial[name]].reshape(shapes[f"{name}_{n}"])
            if name in initial
            else np.zeros(shapes[f"{name}_{n}"], dtype=np.float32)
            for name in ("h_0", "c_0")
        }


def _chain(name: str, by_name: Mapping[str, FoundLSTM]) -> list[FoundLSTM]:
    if name in by_name:
        return [by_name[name]]
    return [by_name[part] for part in name.split(JOIN)]


def distinct(strings: Sequence[str | None], count: int) -> list[str]:
    """As many different strings as ids: gaps, and what is said twice, get names of their own.

    Of two equal strings the later one keeps its id, as in a dictionary filled in that order.
    """
    cut = list(strings[:count]) + [None] * (count - len(strings))
    last = {string: n for n, string in enumerate(cut)}
    named: list[str] = []
    taken = {string for string in cut if string is not None}
    for n, string in enumerate(cut):
        if string is None or last[string] != n:
            string = f"<{n}>"
            while string in taken:
                string = f"<{string}>"
            taken.add(string)
        named.append(string)
    return named
