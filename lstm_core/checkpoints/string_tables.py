"""Tells a vocabulary or a list of labels from other containers of strings. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lstm_core.checkpoints.contents import Limits


def as_table(value: Any, limits: Limits) -> list[str | None] | None:
    """The strings in the order of their ids, if this is a list of strings or a vocabulary."""
    if isinstance(value, list | tuple):
        return listed(value, limits)
    if isinstance(value, dict) and value:
        keys, values = value.keys(), value.values()
        if all(type(one) is int for one in values) and all(type(key) is str for key in keys):
            return by_id(zip(values, keys, strict=True), len(value), limits)
        if all(type(key) is int for key in keys) and all(type(one) is str for one in values):
            return by_id(iter(value.items()), len(value), limits)
    return None


def listed(value: Sequence[Any], limits: Limits) -> list[str | None] | None:
    if not 2 <= len(value) <= limits.table_entries or not all(type(one) is str for one in value):
        return None
    return [clean(one) for one in value]


def by_id(pairs: Iterator[tuple[Any, Any]], count: int, limits: Limits) -> list[str | None] | None:
    """A dict as a list, if its numbers look like ids: from 0 or 1 on, each once, few left out."""
    if not 2 <= count <= limits.table_entries:
        return None
    strings = dict(pairs)
    length = max(strings) + 1
    if len(strings) < count or not 0 <= min(strings) <= 1:
        return None
    if length > min(2 * count + 4, limits.table_entries):
        return None
    table: list[str | None] = [None] * length
    for number, string in strings.items():
        table[number] = clean(string)
    return table


def clean(text: str) -> str:
    """Halves of surrogate pairs cannot be written as UTF-8."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
