"""Vocabularies and labels that a file keeps beside its numbers, as lists in the order of the ids.

No format says how a vocabulary is written down. A list of strings is one, and so is an object that
gives every string its number, or every number its string. Anything else is no table.
"""

from __future__ import annotations

import json
from typing import Any

from lstm_core.checkpoints.contents import Limits
from lstm_core.errors import CheckpointError

Table = list[str | None]

#: JSON in a file: a description of a network, or a vocabulary. The largest seen is 20 million.
MAX_JSON = 64_000_000


class Tables:
    """The tables of one file; all of them together are bounded."""

    def __init__(self, limits: Limits) -> None:
        self.found: dict[str, Table] = {}
        self._limits = limits
        self._strings = 0

    def add_json(self, name: str, text: str) -> None:
        """Adds what the JSON text holds, if that is a table."""
        if text[:1] not in ("{", "[") or len(text) > MAX_JSON:
            return
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return
        self.add(name, value)

    def add(self, name: str, value: object) -> None:
        """Adds a list, or an object of strings and ids, if it is a table."""
        table = self._table(value)
        if not table:
            return
        self._strings += len(table)
        if self._strings > self._limits.strings:
            raise CheckpointError(
                "A file whose vocabularies hold too many strings.",
                came=f"{self._strings:,}",
                expected=f"at most {self._limits.strings:,}",
            )
        unique, number = name[: self._limits.name_characters] or "table", 1
        while unique in self.found:
            number += 1
            unique = f"{name[: self._limits.name_characters]} {number}"
        self.found[unique] = table

    def _table(self, value: object) -> Table | None:
        if isinstance(value, list):
            if len(value) > self._limits.table_entries:
                return None
            return list(value) if all(isinstance(entry, str) for entry in value) else None
        if not isinstance(value, dict) or len(value) > self._limits.table_entries:
            return None
        pairs = _pairs(value)
        if pairs is None or max(pairs, default=-1) >= self._limits.table_entries:
            return None
        table: Table = [None] * (max(pairs, default=-1) + 1)
        for place, string in pairs.items():
            table[place] = string
        return table


def _pairs(value: dict[str, Any]) -> dict[int, str] | None:
    """The string of every id, from an object either way round; None if it is neither."""
    if all(type(number) is int and number >= 0 for number in value.values()):
        turned = {number: string for string, number in value.items()}
        return turned if len(turned) == len(value) else None
    digits = all(key.isascii() and key.isdigit() and len(key) < 10 for key in value)
    if digits and all(isinstance(string, str) for string in value.values()):
        return {int(key): string for key, string in value.items()}
    return None
