"""Vocabularies and labels from files: strings in the order of their ids. No torch here."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lstm_core.checkpoints.contents import Limits
from lstm_core.checkpoints.string_tables import Strings, as_strings, ordered
from lstm_core.errors import CheckpointError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_vocabulary(path: Path, limits: Limits) -> dict[str, Strings]:
    """Every list of strings in a JSON, CoNLL-U or plain text file, by its place in it.

    Raises CheckpointError for what is none.
    """
    data = path.read_bytes()
    if len(data) > limits.file_bytes:
        raise CheckpointError(
            "This file is too large for a vocabulary.",
            came=f"{len(data):,} bytes",
            expected=f"at most {limits.file_bytes:,} bytes",
        )
    text = decode_text(data, "vocabulary")
    if text.lstrip()[:1] in ("{", "[") and (found := _json(text)) is not None:
        tables = dict(tables_in(found, limits))
        if not tables:
            raise CheckpointError(
                "There is no vocabulary in this JSON.",
                came=_kind(found),
                expected="a list of strings, or an object of token → id or id → token; it may lie "
                "inside other objects",
            )
        return tables
    lines = text.split("\n")
    tables = _conllu(lines) or _lines(lines)
    for name, strings in tables.items():
        _check_length(name, len(strings), limits)
    return tables


def decode_text(data: bytes, what: str) -> str:
    """UTF-8, or UTF-16 with its mark. Raises CheckpointError; nothing is ever replaced."""
    mark, codec = next(((m, c) for m, c in _MARKS if data.startswith(m)), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(codec)
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"This {what} is no text.",
            came=f"byte 0x{data[len(mark) + error.start]:02X} at offset {len(mark) + error.start}",
            expected="text in UTF-8; save the file as UTF-8",
        ) from error
    if "\0" in text:
        raise CheckpointError(
            "This looks like a binary file.",
            came=f"a NUL character, the {text.index(chr(0)) + 1:,}th character",
            expected=f"a {what} as text",
        )
    return text


def _json(text: str) -> Any:
    """What the JSON holds; None where it is none, as a text may begin with a bracket, too."""
    try:
        return json.loads(text)
    except ValueError:
        return None
    except RecursionError as error:
        raise CheckpointError(
            "This JSON is nested too deeply.", expected="a list, or an object of token → id"
        ) from error


# --- in JSON and in what a checkpoint keeps -----------------------------------------------------


def tables_in(found: Any, limits: Limits) -> Iterator[tuple[str, Strings]]:
    """Every list of strings inside lists and objects, with its path; the file's order."""
    stack: list[tuple[str, Any, int]] = [("", found, 0)]
    seen: set[int] = set()
    while stack:
        path, value, depth = stack.pop()
        if isinstance(value, str) and depth and value[:1] in "{[" and len(value) > 2:
            value = _json(value)  # Keras keeps its word_index as a string of JSON
        if not isinstance(value, Mapping | list | tuple) or id(value) in seen:
            continue
        seen.add(id(value))
        if (strings := as_strings(value)) is not None:
            _check_length(path, len(strings), limits)
            yield path, strings
        elif depth < limits.nesting:
            inner = value.items() if isinstance(value, Mapping) else enumerate(value)
            below = [
                (f"{path}.{name}" if path else str(name), part, depth + 1) for name, part in inner
            ]
            stack.extend(reversed(below[: limits.tensors]))


def _check_length(path: str, length: int, limits: Limits) -> None:
    if length > limits.table_entries:
        raise CheckpointError(
            "This vocabulary is too long.",
            came=f"{length:,} entries{f' in {path}' if path else ''}",
            expected=f"at most {limits.table_entries:,}",
        )


def _kind(found: Any) -> str:
    if isinstance(found, Mapping):
        keys = ", ".join(str(key)[:30] for key in list(found)[:6])
        return f"an object with {len(found)} keys: {keys}"
    return f"a list of {len(found)}" if isinstance(found, list) else type(found).__name__


# --- in text ------------------------------------------------------------------------------------


def _conllu(lines: list[str]) -> dict[str, Strings] | None:
    """Forms and tags of a CoNLL-U file, each in the order in which they first appear."""
    words = [
        columns
        for line in lines
        if not line.startswith("#")
        and len(columns := line.rstrip("\r").split("\t")) == 10
        and columns[0].isdecimal()
    ]
    if not words:
        return None
    forms: Strings = list(dict.fromkeys(columns[1] for columns in words))
    tags: Strings = [*sorted({columns[3] for columns in words if columns[3] != "_"})]
    return {"forms": forms} | ({"tags": tags} if len(tags) > 1 else {})


def _lines(lines: list[str]) -> dict[str, Strings]:
    """A token per line; beside it may stand its id, how often it occurs, or its vector."""
    tokens = [line.removesuffix("\r") for line in lines]
    while tokens and tokens[-1] == "":
        tokens.pop()
    if len(tokens) < 2:
        raise CheckpointError(
            "There is no vocabulary in this file.",
            came=f"{len(tokens)} lines",
            expected="JSON, or a text with a token per line",
        )
    numbered = _numbered(tokens) or _numbered(tokens[1:])  # the first line may name the columns
    if numbered:
        return {"": ordered(numbered) or [token for _, token in numbered]}
    if words := _with_vectors(tokens):
        return {"": [*words]}
    # AllenNLP leaves its row 0, for padding, out of the file.
    return {"": [None, *tokens] if tokens[0] == "@@UNKNOWN@@" else [*tokens]}


def _numbered(lines: list[str]) -> list[tuple[int, str]] | None:
    """(number, token) of every line, whichever comes first; None where a line is not so."""
    for pattern, number, token in (
        (r"(.+?)[ \t]+(\d{1,12})", 2, 1),
        (r"(\d{1,12})[ \t]+(.+)", 1, 2),
        (r"(\".+\"|.+?),(\d{1,12})", 2, 1),
        (r"(\d{1,12}),(.+)", 1, 2),
    ):
        pairs = [re.fullmatch(pattern, line) for line in lines]
        if lines and all(pairs):
            return [(int(pair[number]), _unquoted(pair[token])) for pair in pairs if pair]
    return None


def _unquoted(cell: str) -> str:
    """A cell as CSV writes it: "," in quotation marks is a comma."""
    if len(cell) > 2 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"')
    return cell


def _with_vectors(lines: list[str]) -> list[str] | None:
    """The words of a file of word vectors: each line a word and many numbers."""
    rows = [line.rstrip().split(" ") for line in lines]
    if len(rows[0]) == 2 and all(cell.isdecimal() for cell in rows[0]):
        rows = rows[1:]  # word2vec begins with how many there are
    width = len(rows[0])
    if width < 6 or not all(len(row) >= width for row in rows):
        return None
    if not all(re.fullmatch(r"[-+\d.eE]+", cell) for row in rows[:50] for cell in row[1 - width :]):
        return None
    return [" ".join(row[: 1 - width]) for row in rows]
