"""Text into tokens: where to cut, and what each token looks like to a model.

A token keeps the exact characters it was cut from, so that the page shows what was typed; what
the model reads of it (a character, a word, its ending, its shape) are its *features*, each with
a vocabulary of its own. What no vocabulary has becomes ``<unk>``, visibly; a vocabulary without
such an entry refuses it.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from lstm_core.errors import FileError, SizeError, TextError

UNKNOWN = "<unk>"

#: What vocabularies call the entry for everything they do not have, the usual name first.
UNKNOWN_NAMES = (
    *(UNKNOWN, "<UNK>", "[UNK]", "UNK", "unk", "<Unk>", "<unknown>", "<UNKNOWN>", "__unk__"),
    *("__UNK__", "_UNK", "<oov>", "<OOV>", "[OOV]", "OOV", "oov", "@@UNKNOWN@@", "\u2047"),
)


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
    """A list of strings and the way back.

    ``unknown`` is the id of the entry for everything else, by one of `UNKNOWN_NAMES`; None where
    there is no such entry. A number n stands for the strings "0" to "n - 1": a model whose
    vocabulary nobody has reads the ids themselves.
    """

    def __init__(self, items: list[str] | int) -> None:
        if isinstance(items, int):
            items = [str(n) for n in range(items)]
        self._ids = {item: n for n, item in enumerate(items)}
        if not items or len(self._ids) != len(items):
            raise FileError(
                "This vocabulary cannot be used.",
                came=f"{len(items)} items, {len(self._ids)} of them different",
                expected="different strings",
            )
        self.items = items
        names = (name for name in UNKNOWN_NAMES if name in self._ids)
        self.unknown = next((self._ids[name] for name in names), None)

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, item: str) -> bool:
        return self._ids.get(item, self.unknown) != self.unknown

    def id(self, item: str) -> int:
        """Raises TextError when the item is not here and there is no entry for that."""
        found = self._ids.get(item, self.unknown)
        if found is None:
            raise TextError(
                "This model does not know everything in this text, and has no entry for what it "
                "does not know.",
                came=f"{item!r}",
                expected="only what is in its vocabulary of "
                f"{len(self.items)}: {_some_of(self.items)}",
            )
        return found


def _some_of(items: list[str], count: int = 40) -> str:
    shown = " ".join(repr(item) for item in items[:count])
    return shown if len(items) <= count else f"{shown} …"


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
        self._cut = SPLITTERS[split]
        if split == "longest":
            known = frozenset(next(iter(vocabularies.values())).items)
            most = min(LONGEST, max(map(len, known)))
            self._cut = partial(_longest, known=known, most=most)

    def __call__(self, text: str, *, max_tokens: int | None = None) -> list[Token]:
        """The tokens of ``text``.

        Raises TextError when there are none, SizeError when there are more than ``max_tokens``.
        """
        spans = list(self._cut(text))
        if max_tokens is not None and len(spans) > max_tokens:
            raise too_many(len(spans), max_tokens)
        if not spans:
            raise TextError(
                "There is no token in this text.",
                came="an empty text" if not text else f"{len(text)} characters of white space",
                expected="at least one " + ("character" if self.split == "characters" else "word"),
            )
        if self.split != "bytes":
            return [self.token(text[start:end], start) for start, end in spans]
        named = [
            (byte_name(byte), start, end)
            for start, end in spans
            for byte in text[start:end].encode("utf-8", "replace")
        ]
        if max_tokens is not None and len(named) > max_tokens:
            raise too_many(len(named), max_tokens)
        return [self.token(*piece) for piece in named]

    def token(self, text: str, start: int = 0, end: int | None = None) -> Token:
        """The token for an exact piece of text, without cutting it."""
        features = []
        for name, vocabulary in self.vocabularies.items():
            value = FEATURES[name](text)
            features.append(Feature(name, value, vocabulary.id(value), value in vocabulary))
        return Token(text, start, start + len(text) if end is None else end, tuple(features))


def too_many(count: int, most: int, what: str = "tokens") -> SizeError:
    return SizeError(
        "This text is too long to step through.",
        came=f"{count} {what}",
        expected=f"at most {most} {what}",
    )


def byte_name(byte: int) -> str:
    """A byte as a vocabulary of bytes has it: an ASCII character itself, others like <0xC3>."""
    return chr(byte) if byte < 128 else f"<0x{byte:02X}>"


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


# What French puts behind a verb with a hyphen, and treebanks cut off: dit -il, a -t-il, vas -y.
_BEHIND = (
    r"-(?:t-)?(?:je|tu|ils?|elles?|on|nous|vous|ce|moi|toi|lui|leur|les?|la|y|en)(?!['’\w]|-\w)"
)
# As in _WORD, nothing looks further ahead than it reads; ++ and *+ give nothing back.
_FRENCH_WORD = re.compile(
    rf"""
      https?://\S+ | www\.\S+
    | [\w.+-]{{1,64}}@\w+(?:[.-]\w+)*\.\w+
    | (?:[^\W\d_]\.-?){{2,}} | (?-i:[A-Z]\.)                    # J.-C.  M.
    | (?:MM|Mme|Mlle|Dr|Pr|St|Ste|av|apr|etc|cf)\.
    | aujourd['’]hui | quelqu['’]une?s?\b | l['’]on\b | c['’]est-à-dire | rendez-vous | n°
    | (?:[cdjlmnst]|(?:jus|lors|puis|quoi|quel|pres)?qu)['’]    # l' homme, lorsqu' il
    | \d{{1,3}}(?:[ \u00a0\u202f]\d{{3}})+(?:,\d+)?(?!\d)        # 80 000
    | \d+(?:[.,:/-]\d+)*(?:(?:ère|ème|nde?|re|er?|s)\b)?        # 1er  1971-72
    | h(?=\d)                                                  # 14 h 30
    | {_BEHIND}
    | [^\W_]++(?:(?!{_BEHIND})-[^\W_]++)*+                      # week-end, lui-même
    | _+ | \.{{2,}} | -{{2,}} | !+ | \?+
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


def _french(text: str) -> Iterator[tuple[int, int]]:
    """Words and signs, the way French treebanks cut them, but for "du", which stays whole."""
    spans = ((match.start(), match.end()) for match in _FRENCH_WORD.finditer(text))
    return _with_marks(text, spans)


def _whitespace(text: str) -> Iterator[tuple[int, int]]:
    """Whatever stands between white space."""
    return ((match.start(), match.end()) for match in re.finditer(r"\S+", text))


# Scripts that write words without spaces between them: each character is a token.
_UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3041-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af"
)
_SIMPLE = re.compile(
    rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_])+(?:['’](?:(?![{_UNSPACED}])[^\W_])+)*|\S"
)


def _simple(text: str) -> Iterator[tuple[int, int]]:
    """Runs of letters and digits, an apostrophe inside included; Chinese by character; signs."""
    spans = ((match.start(), match.end()) for match in _SIMPLE.finditer(text))
    return _with_marks(text, spans, apart=is_unspaced)


def _longest(text: str, known: Container[str] = (), most: int = 1) -> Iterator[tuple[int, int]]:
    """Where there are no spaces, the longest known word of at most ``most`` characters, again and
    again from the left; a character that begins none stands alone. The rest as in `_words`.
    """
    return _with_marks(text, _longest_known(text, known, most), apart=is_unspaced)


def _longest_known(text: str, known: Container[str], most: int) -> Iterator[tuple[int, int]]:
    end = 0
    for run in re.finditer(rf"[{_UNSPACED}]+|\Z", text):
        yield from ((end + a, end + b) for a, b in _words(text[end : run.start()]))
        start, end = run.span()
        while start < end:
            stops = range(min(start + most, end), start, -1)
            stop = next((stop for stop in stops if text[start:stop] in known), start + 1)
            yield start, stop
            start = stop


def _with_marks(
    text: str,
    spans: Iterator[tuple[int, int]],
    apart: Callable[[str], bool] = lambda _: False,
) -> Iterator[tuple[int, int]]:
    """Join what looks like one sign: accents, joiners and modifiers stay with their base.

    A word goes on after its accent, however that is encoded, and two flag letters are one flag.
    Characters that stand ``apart`` have words of their own before and after them all the same.
    """
    held: tuple[int, int] | None = None
    for start, end in spans:
        if held and held[1] == start and _belongs(text, held[0], start, apart):
            held = (held[0], end)
            continue
        if held:
            yield held
        held = (start, end)
    if held:
        yield held


def _belongs(text: str, held: int, start: int, apart: Callable[[str], bool]) -> bool:
    """Whether the piece at ``start`` continues the token that began at ``held``."""
    before, character = text[start - 1], text[start]
    return (
        _joins(character)
        or before == ZWJ
        or (
            _joins(before)
            and text[held].isalnum()
            and character.isalnum()
            and not (apart(text[held]) or apart(character))
        )
        or (start - held == 1 and _is_flag_letter(before) and _is_flag_letter(character))
    )


_ONE_UNSPACED = re.compile(f"[{_UNSPACED}]")


def is_unspaced(character: str) -> bool:
    return _ONE_UNSPACED.match(character) is not None


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


ZWJ = "\u200d"  # zero-width joiner: family emoji, Indic and Arabic ligatures


def _joins(character: str) -> bool:
    return (
        character == ZWJ
        or unicodedata.category(character).startswith("M")
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
    )


#: Characters of the longest word that "longest" looks for, so that it takes linear time.
LONGEST = 8

SPLITTERS: Mapping[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "characters": _characters,
    "words": _words,
    "french": _french,
    "longest": _longest,  # for which the tokenizer's vocabulary is what is known
    "whitespace": _whitespace,
    "simple": _simple,
    "bytes": _characters,  # which the tokenizer then takes apart
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


def bucket(text: str) -> str:
    """One of `BUCKETS` numbers, by the word's checksum: a vocabulary that has every word."""
    return str(zlib.crc32(text.encode("utf-8", "replace")) % BUCKETS)


BUCKETS = 1024

FEATURES: Mapping[str, Callable[[str], str]] = {
    "token": lambda text: text,
    "lower": str.lower,
    "byte": lambda text: text,
    "bucket": bucket,
    "character": lambda text: text,
    "word": word,
    "prefix1": lambda text: word(text)[:1],
    "prefix2": lambda text: word(text)[:2],
    "prefix3": lambda text: word(text)[:3],
    "suffix1": lambda text: word(text)[-1:],
    "suffix2": lambda text: word(text)[-2:],
    "suffix3": lambda text: word(text)[-3:],
    "suffix4": lambda text: word(text)[-4:],
    "second": lambda text: word(text)[1:2],
    "length": lambda text: str(min(len(text), LONGEST)),
    "shape": shape,
}
