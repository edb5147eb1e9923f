"""Vocabularies and labels that a file keeps beside its numbers, as lists in the order of the ids.

No format says how a vocabulary is written down, so whatever is one by ``string_tables`` is taken.
"""

from __future__ import annotations

import json

from lstm_core.checkpoints.contents import Limits
from lstm_core.checkpoints.string_tables import Strings, as_strings
from lstm_core.errors import CheckpointError

#: JSON in a file: a description of a network, or a vocabulary. The largest seen is 20 million.
MAX_JSON = 64_000_000


class Tables:
    """The tables of one file; all of them together are bounded."""

    def __init__(self, limits: Limits) -> None:
        self.found: dict[str, Strings] = {}
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
        table = as_strings(value, dense=True)
        if not table or len(table) > self._limits.table_entries:
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
