"""Vocabularies and labels that a file keeps beside its numbers, as lists in the order of the ids.

No format says how a vocabulary is written down, so whatever is one by ``string_tables`` is taken.
"""

from __future__ import annotations

import json

from lstm_core.checkpoints.contents import Limits
from lstm_core.checkpoints.string_tables import as_table
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
        table = as_table(_numbered(value), self._limits)
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


def _numbered(value: object) -> object:
    """JSON writes ids that are keys as texts; everything else stays as it is."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return value
    digits = all(key.isascii() and key.isdigit() and len(key) < 10 for key in value)
    texts = all(isinstance(string, str) for string in value.values())
    return {int(key): string for key, string in value.items()} if digits and texts else value
