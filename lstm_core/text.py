"""Text into tokens: where to cut, and what each token looks like to a model.

A token keeps the exact characters it was cut from, so that the page shows what was typed; what
the model reads of it (a character, a word, its ending, its shape) are its *features*, each with
a vocabulary of its own. What no vocabulary has becomes ``<unk>``, visibly.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lstm_core.errors import FileError, SizeError, TextError

UNKNOWN = "<unk>"


@dataclass(frozen=True)
class Feature:
    """What a model reads of a token: the value it looked up, and the id it found."""

    name: str
    value: str
    id: int
    known: bool


@dataclass(frozen=True)
class Token:
    """``text[start:end]`` of the sentence, exactly, and its features; the first one leads."""

    text: str
    start: int
    end: int
    features: tuple[Feature, ...]

    @property
    def known(self) -> bool:
        """Whether the leading feature (the character, the word) is in the vocabulary."""
        return self.features[0].known


class Vocabulary:
    """A list of strings and the way back; id 0 is ``<unk>``."""

    def __init__(self, items: list[str]) -> None:
        if not items or items[0] != UNKNOWN or len(set(items)) != len(items):
            raise FileError(
                "This vocabulary cannot be used.",
                came=f"{len(items)} items, {len(set(items))} of them different",
                expected=f"different strings, the first of them {UNKNOWN!r}",
            )
        self.items = items
        self._ids = {item: n for n, item in enumerate(items)}

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, item: str) -> bool:
        return self._ids.get(item, 0) != 0

    def id(self, item: str) -> int:
        return self._ids.get(item, 0)


class Tokenizer:
    """Cuts a text and looks up the features of every token."""

    def __init__(self, split: str, vocabularies: Mapping[str, Vocabulary]) -> None:
        if split not in SPLITTERS:
            raise FileError("No such way to split.", came=repr(split), exists=list(SPLITTERS))
        for name in vocabularies:
            if name not in FEATURES:
                raise FileError("No such feature.", came=repr(name), exists=list(FEATURES))
        if not vocabularies:
            raise FileError("A tokenizer needs a vocabulary.", came="none")
        self.split = split
        self.vocabularies = dict(vocabularies)

    def __call__(self, text: str, *, max_tokens: int | None = None) -> list[Token]:
        """The tokens of ``text``.

        Raises TextError when there are none, SizeError when there are more than ``max_tokens``.
        """
        spans = list(SPLITTERS[self.split](text))
        if max_tokens is not None and len(spans) > max_tokens:
            raise SizeError(
                "This text is too long to step through.",
                came=f"{len(spans)} tokens",
                expected=f"at most {max_tokens} tokens",
            )
        if not spans:
            raise TextError(
                "There is no token in this text.",
                came="an empty text" if not text else f"{len(text)} characters of white space",
                expected="at least one " + ("character" if self.split == "characters" else "word"),
            )
        return [self.token(text[start:end], start) for start, end in spans]

    def token(self, text: str, start: int = 0) -> Token:
        """The token for an exact piece of text, without cutting it."""
        features = []
        for name, vocabulary in self.vocabularies.items():
            value = FEATURES[name](text)
            features.append(Feature(name, value, vocabulary.id(value), value in vocabulary))
        return Token(text, start, start + len(text), tuple(features))


# --- where to cut -------------------------------------------------------------------------------

# Alternatives in order of precedence. None may look further ahead than it or [^\W_]+ reads
# (an address: 64 times that), or a long line would take quadratic time.
_WORD = re.compile(
    r"""
      https?://\S+ | www\.\S+                                 # addresses whole
    | [\w.+-]{1,64}@\w+(?:[.-]\w+)*\.\w+                      # e-mail addresses whole
    | (?:[^\W\d_]\.){2,}                                      # U.S., a.m.
    | (?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc)\.
    | \d+(?:[.,:/]\d+)*(?:(?:st|nd|rd|th)\b)?                 # 1,000.50  10:30  9/11  1st
    | [^\W_]+?(?=n['’]t\b) | n['’]t\b                         # do n't
    | ['’](?:s|re|ve|ll|d|m)\b                                # it 's, we 're
    | [^\W_]+ | _+
    | \.{2,} | -{2,} | !+ | \?+                               # runs of one sign
    | \S
    """,
    re.VERBOSE | re.IGNORECASE,
)


def _characters(text: str) -> Iterator[tuple[int, int]]:
    """Every code point."""
    return ((n, n + 1) for n in range(len(text)))


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Words and signs, the way English treebanks cut them; white space only separates."""
    spans = ((match.start(), match.end()) for match in _WORD.finditer(text))
    return _with_marks(text, spans)


def _whitespace(text: str) -> Iterator[tuple[int, int]]:
    """Whatever stands between white space."""
    return ((match.start(), match.end()) for match in re.finditer(r"\S+", text))


def _with_marks(text: str, spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join what looks like one sign: accents, joiners and modifiers stay with their base.

    A word goes on after its accent, however that is encoded, and two flag letters are one flag.
    """
    held: tuple[int, int] | None = None
    for start, end in spans:
        if held and held[1] == start and _belongs(text, held[0], start):
            held = (held[0], end)
            continue
        if held:
            yield held
        held = (start, end)
    if held:
        yield held


def _belongs(text: str, held: int, start: int) -> bool:
    """Whether the piece at ``start`` continues the token that began at ``held``."""
    before, character = text[start - 1], text[start]
    return (
        _joins(character)
        or before == ZWJ
        or (_joins(before) and text[held].isalnum() and character.isalnum())
        or (start - held == 1 and _is_flag_letter(before) and _is_flag_letter(character))
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


ZWJ = "\u200d"  # zero-width joiner: family emoji, Indic and Arabic ligatures


def _joins(character: str) -> bool:
    return (
        character == ZWJ
        or unicodedata.category(character).startswith("M")
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
    )


SPLITTERS: Mapping[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "characters": _characters,
    "words": _words,
    "whitespace": _whitespace,
}


# --- what a model reads of a token --------------------------------------------------------------


def word(text: str) -> str:
    """The word in lower case, with every digit as 0: 1987 and 2024 are one word, 0000."""
    return re.sub(r"\d", "0", text.lower())


def shape(text: str) -> str:
    """Capitals, small letters and digits as X, x and 0, runs cut at two: Windiest is Xxx."""
    kinds = (
        "X" if ch.isupper() else "x" if ch.isalpha() else "0" if ch.isdigit() else ch for ch in text
    )
    return re.sub(r"(.)\1{2,}", r"\1\1", "".join(kinds))


FEATURES: Mapping[str, Callable[[str], str]] = {
    "character": lambda text: text,
    "word": word,
    "prefix2": lambda text: word(text)[:2],
    "prefix3": lambda text: word(text)[:3],
    "suffix2": lambda text: word(text)[-2:],
    "suffix3": lambda text: word(text)[-3:],
    "suffix4": lambda text: word(text)[-4:],
    "shape": shape,
}
