"""The errors of ``lstm_core``. No torch here: the web server imports this module.

LSTMCoreError
├── InputError             x, hx or the module do not fit each other
├── TextError              a text that cannot be turned into tokens
├── SizeError              a text whose recording would be larger than allowed
├── SelectionError         a quantity, layer, direction or unit that was not recorded
├── UnknownModelError      no model of that name
└── FileError              a file or folder that is not what it should be
    └── CheckpointError    a checkpoint, vocabulary or table of numbers that cannot be opened
"""

from __future__ import annotations

from collections.abc import Sequence


class LSTMCoreError(Exception):
    """Says what came, what was expected and, where there is a choice, what exists."""

    def __init__(
        self,
        message: str,
        *,
        came: str | None = None,
        expected: str | None = None,
        exists: Sequence[str] | None = None,
    ) -> None:
        # Only the message goes to Exception: pickling rebuilds an exception from its
        # positional arguments and then restores the attributes, and these errors cross
        # from worker processes to the server.
        super().__init__(message)
        self.message = message
        self.came = came
        self.expected = expected
        self.exists = list(exists) if exists is not None else None

    def __str__(self) -> str:
        parts = [self.message]
        if self.came is not None:
            parts.append(f"Came: {self.came}.")
        if self.expected is not None:
            parts.append(f"Expected: {self.expected}.")
        if self.exists is not None:
            parts.append(f"There are: {', '.join(self.exists) or 'none'}.")
        return " ".join(parts)


class InputError(LSTMCoreError, ValueError):
    """The input, the initial state or the module do not fit each other."""


class TextError(LSTMCoreError, ValueError):
    """A text that cannot be turned into tokens."""


class SizeError(LSTMCoreError, ValueError):
    """A text whose recording would be larger than allowed."""


class SelectionError(LSTMCoreError, KeyError):
    """A quantity, layer, direction or unit that was not recorded."""


class UnknownModelError(LSTMCoreError, LookupError):
    """No model of that name."""


class FileError(LSTMCoreError, ValueError):
    """A file or folder that is not what it should be."""


class CheckpointError(FileError):
    """A file that was brought along and cannot be opened: what it is, and what to do."""
