"""Tells a vocabulary or a list of labels from other containers. No torch here.

No format says how a vocabulary is written down. A list of strings is one, and so is an object that
gives every string its number, or every number its string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

#: Strings in the order of their ids; None for an id that has none.
Strings: TypeAlias = list[str | None]


def as_strings(value: Any, *, dense: bool = False) -> Strings | None:
    """A list of strings, token → id or id → token in the order of the ids; None for others.

    ``dense`` is for what nobody has called a vocabulary: its ids begin at 0 or 1 and leave few out.
    """
    if isinstance(value, list | tuple):
        strings = [_token(item) for item in value]
        return list(strings) if len(strings) > 1 and None not in strings else None
    if not isinstance(value, Mapping) or len(value) < 2:
        return None
    if all(_is_id(item) and isinstance(key, str | bytes) for key, item in value.items()):
        return ordered([(item, _token(key) or "") for key, item in value.items()], dense=dense)
    pairs = [(_as_id(key), _token(item)) for key, item in value.items()]
    if all(n is not None and token is not None for n, token in pairs):
        return ordered(pairs, dense=dense)  # type: ignore[arg-type]
    return None


def _token(item: Any) -> str | None:
    """A string, its UTF-8 bytes, or the first of a pair of it and a number."""
    if isinstance(item, str):  # halves of surrogate pairs cannot be written as UTF-8
        return item.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(item, bytes):
        return item.decode("utf-8", "replace")
    if isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], str):
        return item[0] if isinstance(item[1], int | float) else None
    return None


def _is_id(item: Any) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and item >= 0


def _as_id(key: Any) -> int | None:
    if _is_id(key):
        return int(key)
    return int(key) if isinstance(key, str) and re.fullmatch(r"\d{1,9}", key) else None


def ordered(pairs: Sequence[tuple[int, str]], *, dense: bool = False) -> Strings | None:
    """By id. Counts are no ids: those lie far apart, or several tokens have the same."""
    ids = [n for n, _ in pairs]
    if len(set(ids)) < len(ids) or max(ids) >= 4 * len(ids) + 16:
        return None
    if dense and (min(ids) > 1 or max(ids) > 2 * len(ids) + 4):
        return None
    strings: Strings = [None] * (max(ids) + 1)
    for n, token in pairs:
        strings[n] = token
    return strings
