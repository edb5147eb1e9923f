"""Inert stand-ins for the classes a checkpoint names, so that nobody's code is imported.

``torch.load(weights_only=True)`` refuses a file that names a class it does not know, even when the
weights beside it are plain. Each such name is given a class of ours that keeps what it is given
and does nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from lstm_core.checkpoints.pickled import Look


class StandIn:
    """Some object: what its class was called with, and its state."""

    named = ""
    args: tuple[Any, ...]
    state: Any

    def __new__(cls, *args: Any) -> StandIn:
        self = object.__new__(cls)
        self.args = args
        self.state = None
        return self

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def is_module(self) -> bool:
        """Whether this was a torch.nn.Module."""
        return isinstance(self.state, dict) and {"_parameters", "_modules"} <= self.state.keys()


# The unpickler adds items to plain dicts and lists only, so these make such ones. An OrderedDict
# takes attributes too.


class AsMapping:
    """A defaultdict, or somebody's subclass of dict."""

    def __new__(cls, *args: Any) -> Any:
        return OrderedDict(args[0]) if args and isinstance(args[0], dict) else OrderedDict()


class AsList:
    """A deque, or somebody's subclass of list."""

    def __new__(cls, *_: Any) -> Any:
        return []


def stand_ins(found: Look) -> list[Callable[..., Any] | tuple[Callable[..., Any], str]]:
    """One for each name in the pickle; torch prefers its own for those that it knows."""
    return [(stand_in(name, found), name) for name in found.names]


def stand_in(name: str, found: Look) -> Callable[..., Any]:
    """A class of its own for each name, because an object remembers the name by its class."""
    if name in found.mappings:
        return AsMapping
    if name in found.lists:
        return AsList
    return type("StandIn", (StandIn,), {"named": name})
