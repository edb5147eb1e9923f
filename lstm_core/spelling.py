"""Labels as text that is read back as the same tokens: how a model's own words are written down.

Only what survives that way is ever written. A label cannot be written that the tokenizer would
cut apart, that the model would read as another token or does not know (the entry for unknown
words, names of pieces), or that no text holds (NUL, half a surrogate pair). No torch here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_core.errors import LSTMCoreError
from lstm_core.text import LONGEST, Token, Tokenizer, byte_name, is_unspaced

Mask = NDArray[np.bool_]

#: What goes through no JSON.
_NO_TEXT = re.compile("[\ud800-\udfff\0]")
#: Between two tokens that white space separates; where French reads 80 000 as one number, two
#: spaces part it.
_SPACES = (" ", "  ", "\n")
#: Tokens whose cutting may depend on what follows: where there are no spaces, the longest known
#: word is looked for in so many characters.
_TAIL = LONGEST + 1

_BYTES = {byte_name(byte): byte for byte in range(256)}


@dataclass(frozen=True)
class Spelled:
    """What a label adds to the text, and the token it is read back as.

    A byte within a character adds nothing; the last one adds the character.
    """

    appended: str
    token: Token


class Spelling:
    """How the labels of a model are written. Made once for a model: it tries every label."""

    def __init__(self, tokenizer: Tokenizer, labels: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.labels = labels
        #: Which labels can be written at all, (labels,).
        self.writable: Mask = np.array([self._survives(label) for label in labels], dtype=bool)

    def _survives(self, label: str) -> bool:
        if not label or _NO_TEXT.search(label):
            return False
        try:
            if self.tokenizer.split == "bytes":
                tokens = [self.tokenizer.token(label)] if label in _BYTES else []
            else:
                tokens = self.tokenizer(label)
        except LSTMCoreError:  # white space, or nothing the model knows
            return False
        if len(tokens) != 1 or tokens[0].text != label:
            return False
        lead = tokens[0].features[0]
        return lead.known and lead.value == label

    def begin(self, text: str) -> Speller:
        """Go on after a text. Raises what the tokenizer raises."""
        kind = ByteSpeller if self.tokenizer.split == "bytes" else Speller
        return kind(self, text)


class Speller:
    """Goes on writing one text, label after label. ``text`` is all of it so far."""

    def __init__(self, spelling: Spelling, text: str) -> None:
        self._spelling = spelling
        self.text = text
        self._tail = spelling.tokenizer(text)[-_TAIL:]

    def writable(self, left: int) -> Mask:  # noqa: ARG002
        """Which labels can come next, (labels,), when ``left`` may still be written."""
        return self._spelling.writable

    def write(self, label: int) -> Spelled:
        """Write a label that is writable."""
        piece = self._spelling.labels[label]
        appended = self._between(piece) + piece
        self.text += appended
        token = self._spelling.tokenizer.token(piece, len(self.text) - len(piece))
        self._tail = [*self._tail[1 - _TAIL :], token]
        return Spelled(appended, token)

    def _between(self, piece: str) -> str:
        """What parts a piece from the text before it, so that both stay as they are."""
        if self._spelling.tokenizer.split == "characters":
            return ""
        last = self.text[-1]
        joined = last.isspace() or (is_unspaced(last) and is_unspaced(piece[0]))
        tail = self.text[self._tail[0].start :]
        expected = [*(token.text for token in self._tail), piece]
        for between in ("", *_SPACES) if joined else _SPACES:
            found = self._spelling.tokenizer(tail + between + piece)
            if [token.text for token in found] == expected:
                return between
        return _SPACES[-1]


class ByteSpeller(Speller):
    """The same byte by byte: beyond ASCII a character is several (UTF-8), which stay together."""

    def __init__(self, spelling: Spelling, text: str) -> None:
        super().__init__(spelling, text)
        self._pending = b""
        numbers = [_BYTES.get(label, -1) for label in spelling.labels]
        self._bytes = np.where(spelling.writable, numbers, -1)
        #: A character that is begun must have an end.
        self._complete = set(range(0x80, 0xC0)) <= set(self._bytes.tolist())

    def writable(self, left: int) -> Mask:
        if self._pending:
            low, high = _next_range(self._pending)
            return (self._bytes >= low) & (self._bytes <= high)
        most = 0x80 if left < 2 or not self._complete else (0xE0, 0xF0, 0xF5)[min(left, 4) - 2]
        found = (self._bytes > 0) & (self._bytes < most)
        # Between ASCII and these nothing begins a character.
        return found & ((self._bytes < 0x80) | (self._bytes >= 0xC2))

    def write(self, label: int) -> Spelled:
        byte = int(self._bytes[label])
        start = len(self.text)
        self._pending += bytes([byte])
        appended = ""
        if len(self._pending) == _length(self._pending[0]):
            appended = self._pending.decode()
            self.text += appended
            self._pending = b""
        token = self._spelling.tokenizer.token(byte_name(byte), start, start + 1)
        return Spelled(appended, token)


def _length(lead: int) -> int:
    """Bytes of the character that begins with this one."""
    return 1 + (lead >= 0xC2) + (lead >= 0xE0) + (lead >= 0xF0)


#: Where the second byte has fewer choices: no overlong forms, no surrogates, nothing beyond
#: U+10FFFF. The Unicode Standard, table 3-7, Well-Formed UTF-8 Byte Sequences.
_SECOND = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}


def _next_range(pending: bytes) -> tuple[int, int]:
    """The lowest and the highest byte that can follow."""
    return _SECOND.get(pending[0], (0x80, 0xBF)) if len(pending) == 1 else (0x80, 0xBF)
