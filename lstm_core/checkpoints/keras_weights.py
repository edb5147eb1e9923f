"""Where Keras puts the weights of a layer in a file: by the tree of objects, or in a list.

Keras 3 writes ``layers/lstm/cell/vars/0``: what a layer holds is found under the names of its
attributes. Before, and in ``.h5`` files still, a layer of the model is a group with all its weights
in a row, whatever it holds inside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from lstm_core.checkpoints.hdf5 import Stored, Tree

#: What the group of a model's layers is called: since Keras 3, and in the releases just before it.
CONTAINERS = ("layers", "_layer_checkpoint_dependencies")


class Weights(Protocol):
    """The weights of one layer, or of something within it."""

    def own(self) -> list[Stored]:
        """In the order in which the layer made them."""

    def everything(self) -> list[tuple[str, Stored]]:
        """With all that is within, each under the end of its path."""

    def inner(self, attribute: str) -> Weights:
        """Of what the layer keeps in an attribute: its cell, or one of its directions."""

    def cells(self, sizes: Sequence[int]) -> list[Weights]:
        """Of the cells of a stack, which have so many weights each."""

    def layers(self, made_of: Sequence[tuple[str, str]]) -> list[Weights]:
        """Of a model's layers, given the class and the name of each."""


class InTree:
    """Keras 3: below a group, by attributes."""

    def __init__(self, tree: Tree, path: str) -> None:
        self.tree = tree
        self.path = path

    def own(self) -> list[Stored]:
        place = self.inner("vars").path
        names = self.tree.arrays.get(place, [])
        return [self.tree.datasets[f"{place}/{name}"] for name in names]

    def everything(self) -> list[tuple[str, Stored]]:
        found = []
        waiting = [self.path]
        while waiting:
            place = waiting.pop()
            for name in self.tree.arrays.get(place, []):
                whole = f"{place}/{name}" if place else name
                ending = whole[len(self.path) :].strip("/").split("/")
                found.append((".".join(part for part in ending if part != "vars"), whole))
            inside = [
                f"{place}/{name}" if place else name for name in self.tree.children.get(place, [])
            ]
            waiting += reversed(inside)
        return [(ending, self.tree.datasets[path]) for ending, path in found]

    def inner(self, attribute: str) -> InTree:
        return InTree(self.tree, f"{self.path}/{attribute}" if self.path else attribute)

    def names(self) -> list[str]:
        """Of the groups within."""
        return self.tree.children.get(self.path, [])

    def title(self) -> str | None:
        """The layer's own name, which newer releases write beside its weights."""
        return self.tree.text(self.inner("vars").path, "name")

    def cells(self, sizes: Sequence[int]) -> list[Weights]:
        stack = self.inner("cell").inner("cells")
        found: list[Weights] = [stack.inner(name) for name in stack.names()]
        return found if len(found) == len(sizes) else []

    def layers(self, made_of: Sequence[tuple[str, str]]) -> list[Weights]:
        container = next((self.inner(name) for name in CONTAINERS if name in self.names()), self)
        titled: dict[str | None, str] = {}
        for name in container.names():
            titled.setdefault(container.inner(name).title(), name)
        counts: dict[str, int] = {}
        found: list[Weights] = []
        for kind, name in made_of:
            base = snake_case(kind)
            number = counts.get(base, 0)
            counts[base] = number + 1
            place = titled.get(name, f"{base}_{number}" if number else base)
            found.append(container.inner(place))
        return found


class InList:
    """A list of weights with the paths of their variables."""

    def __init__(self, listed: Sequence[tuple[str, Stored]]) -> None:
        self.listed = list(listed)

    def own(self) -> list[Stored]:
        return [stored for _, stored in self.listed]

    def everything(self) -> list[tuple[str, Stored]]:
        return [(path.split("/")[-1].split(":")[0], stored) for path, stored in self.listed]

    def inner(self, attribute: str) -> InList:
        half = len(self.listed) // 2
        if attribute == "forward_layer":
            return InList(self.listed[:half])
        if attribute == "backward_layer":
            return InList(self.listed[half:])
        return self

    def cells(self, sizes: Sequence[int]) -> list[Weights]:
        if sum(sizes) != len(self.listed):
            return []
        ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
        return [
            InList(self.listed[end - size : end]) for end, size in zip(ends, sizes, strict=True)
        ]

    def layers(self, made_of: Sequence[tuple[str, str]]) -> list[Weights]:
        return [
            InList([(path, stored) for path, stored in self.listed if name in path.split("/")])
            for _, name in made_of
        ]


class InGroups:
    """A model in an ``.h5`` file: its layers are groups, each with a list."""

    def __init__(self, tree: Tree, path: str) -> None:
        self.tree = tree
        self.path = path

    def names(self) -> list[str]:
        """Of the layers, in the model's order."""
        return self.tree.texts(self.path, "layer_names") or []

    def layer(self, name: str) -> InList:
        place = f"{self.path}/{name}" if self.path else name
        paths = self.tree.texts(place, "weight_names") or []
        listed = [(path, self.tree.datasets.get(f"{place}/{path}")) for path in paths]
        return InList([(path, stored) for path, stored in listed if stored is not None])

    def own(self) -> list[Stored]:
        return []

    def everything(self) -> list[tuple[str, Stored]]:
        return [pair for name in self.names() for pair in self.layer(name).everything()]

    def inner(self, attribute: str) -> Weights:
        return self.layer(attribute)

    def cells(self, sizes: Sequence[int]) -> list[Weights]:  # noqa: ARG002
        return []

    def layers(self, made_of: Sequence[tuple[str, str]]) -> list[Weights]:
        return [self.layer(name) for _, name in made_of]


def snake_case(name: str) -> str:
    """As Keras makes a group's name of a class: ``TimeDistributed`` is ``time_distributed``."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
