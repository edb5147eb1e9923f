"""A checkpoint's containers, walked once: the tensors in them, and the lists of strings.

What came out of a file may contain itself, share its parts a billion times or be nested without
end, so containers are visited once each, with a stack of our own, and no deeper than allowed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch

from lstm_core.checkpoints.contents import Limits
from lstm_core.checkpoints.standins import StandIn
from lstm_core.checkpoints.string_tables import as_strings
from lstm_core.errors import CheckpointError

Path: TypeAlias = tuple[str, ...]

#: How many values are looked at in all.
VALUES = 20_000_000
#: How many lists of strings are kept; the others are somebody's training data.
TABLES = 100
#: What optimizers keep for each weight, under these names.
OPTIMIZER_NAMES = (
    "exp_avg",
    "exp_avg_sq",
    "max_exp_avg_sq",
    "momentum_buffer",
    "square_avg",
    "acc_delta",
    "grad_avg",
    "sqr_avg",
)


@dataclass
class Tree:
    """What a walk found, under the path that leads there."""

    tensors: dict[Path, torch.Tensor] = field(default_factory=dict)
    tables: dict[Path, list[str | None]] = field(default_factory=dict)
    optimizer: bool = False  # an optimizer's state was passed by
    modules: list[str] = field(default_factory=list)  # the classes of pickled modules
    objects: dict[str, None] = field(default_factory=dict)  # those of the other objects
    arrays: bool = False  # NumPy arrays were passed by


def walk(root: Any, limits: Limits) -> Tree:
    """Everything that can be reached from ``root``."""
    tree = Tree()
    seen: set[int] = set()
    values = 0
    waiting: list[tuple[Path, Any, bool]] = [((), root, False)]
    while waiting:
        path, value, inside = waiting.pop()
        values += 1
        if isinstance(value, torch.Tensor):
            if not inside:
                take(tree, path, value)
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        if len(path) > limits.nesting or values > VALUES:
            raise CheckpointError(
                "This file's contents are nested without end.",
                came=f"containers within containers, more than {limits.nesting} deep",
                expected="a state dict: torch.save(model.state_dict(), ...)",
            )
        note(tree, value)
        table = as_strings(value, dense=True)
        if table is not None:
            if len(table) <= limits.table_entries:
                tree.tables[path] = table
            continue
        inside = inside or isinstance(value, StandIn)
        waiting.extend((path + step, child, inside) for step, child in reversed(children(value)))
    tree.tables = bounded(tree.tables, limits)
    return tree


def take(tree: Tree, path: Path, tensor: torch.Tensor) -> None:
    """Keep a tensor, unless it is an optimizer's."""
    if path and path[-1] in OPTIMIZER_NAMES:
        tree.optimizer = True
        return
    if path in tree.tensors:
        raise CheckpointError(
            "Two tensors in this file have the same name.",
            came=".".join(path)[:100],
            expected="one tensor per name",
        )
    tree.tensors[path] = tensor


def note(tree: Tree, value: Any) -> None:
    """Remember that this was there, though it is not taken."""
    if is_optimizer(value):
        tree.optimizer = True
    elif isinstance(value, StandIn):
        if value.is_module():
            tree.modules.append(value.named)
        elif "numpy" in value.named and "_reconstruct" in value.named:
            tree.arrays = True
        else:
            tree.objects[value.named] = None


def is_optimizer(value: Any) -> bool:
    """A torch optimizer's state dict, or fastai's."""
    return (
        isinstance(value, dict)
        and "state" in value
        and ("param_groups" in value or "hypers" in value)
    )


def children(value: Any) -> list[tuple[Path, Any]]:
    """The values in a container that may hold something, each with its step of the path."""
    if is_optimizer(value):
        return []
    if isinstance(value, dict):
        return [
            *(
                (step(key, number), one)
                for number, (key, one) in enumerate(value.items())
                if may_hold(one)
            ),
            *attributes(value),
        ]
    if isinstance(value, list | tuple):
        return [((str(number),), one) for number, one in enumerate(value) if may_hold(one)]
    if isinstance(value, StandIn) and not value.is_module():
        arguments = [
            ((str(number),), one) for number, one in enumerate(value.args) if may_hold(one)
        ]
        return [*arguments, *([((), value.state)] if may_hold(value.state) else [])]
    return []


def may_hold(value: Any) -> bool:
    return isinstance(value, torch.Tensor | dict | list | tuple | StandIn)


def attributes(value: dict[Any, Any]) -> Iterator[tuple[Path, Any]]:
    """What a subclass of dict had beside its items; state dicts have _metadata."""
    kept = getattr(value, "__dict__", {})
    return (((name,), one) for name, one in kept.items() if name != "_metadata" and may_hold(one))


def step(key: Any, number: int) -> Path:
    """A key as a part of a name."""
    return (str(key),) if isinstance(key, str | int) else (str(number),)


def bounded(tables: dict[Path, list[str | None]], limits: Limits) -> dict[Path, list[str | None]]:
    """Those nearest to the root, as many as allowed."""
    kept: dict[Path, list[str | None]] = {}
    strings = 0
    for path in sorted(tables, key=len):
        strings += len(tables[path])
        if len(kept) == TABLES or strings > limits.strings:
            break
        kept[path] = tables[path]
    return kept


# ------------------------------------------------------------------------------------ names


def names_of(paths: Sequence[Path], sizes: Sequence[int]) -> list[str]:
    """Names without what only wraps: the one dict that holds the weights, DataParallel, compile."""
    short = unwrapped(list(paths), list(sizes))
    holders: dict[Path, list[int]] = {}
    for number, path in enumerate(short):
        holders.setdefault(path[:-1], []).append(number)
    for numbers in holders.values():
        last = [short[number][-1] if short[number] else "" for number in numbers]
        for number, name in zip(numbers, without_wrapper(last), strict=True):
            short[number] = (*short[number][:-1], name)
    names = [".".join(path) for path in short]
    if len(set(names)) == len(names):
        return names
    return [".".join(path) for path in paths]


def unwrapped(paths: list[Path], sizes: list[int]) -> list[Path]:
    """While one container holds nearly all, its key is left out of the names."""
    while True:
        held = Counter(path[0] for path in paths if len(path) > 1)
        if len(held) != 1:
            return paths
        key = next(iter(held))
        beside = sum(size for path, size in zip(paths, sizes, strict=True) if len(path) <= 1)
        within = sum(size for path, size in zip(paths, sizes, strict=True) if len(path) > 1)
        shorter = [path[1:] if len(path) > 1 else path for path in paths]
        if beside >= within or len(set(shorter)) < len(paths):
            return paths
        direct = any(len(path) == 2 and path[0] == key for path in paths)
        paths = shorter
        if direct:  # this container is the state dict: its keys are names
            return paths


def without_wrapper(names: list[str]) -> list[str]:
    """The names of one state dict without the prefix that a wrapper gave to all of them."""
    for prefix in ("module.", "_orig_mod."):
        if all(name.startswith(prefix) and len(name) > len(prefix) for name in names):
            return without_wrapper([name.removeprefix(prefix) for name in names])
    return names
