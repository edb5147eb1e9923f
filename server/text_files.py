"""An uploaded text file into sentences, one per line; or what is wrong with it, and where."""

from __future__ import annotations

import codecs
import re

from server.errors import TextFileError

#: Byte order mark, how it is called, and the codec for what follows it.
_MARKS = (
    (codecs.BOM_UTF8, "UTF-8 with byte order mark", "utf-8"),
    (codecs.BOM_UTF16_LE, "UTF-16, little end first", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "UTF-16, big end first", "utf-16-be"),
)


def decode(data: bytes) -> tuple[str, str]:
    """The encoding's name and the text. Raises TextFileError; nothing is ever replaced."""
    for mark, name, codec in _MARKS:
        if data.startswith(mark):
            return name, _decode(data, len(mark), name, codec)
    return "UTF-8", _decode(data, 0, "UTF-8", "utf-8")


def _decode(data: bytes, start: int, name: str, codec: str) -> str:
    try:
        text = data[start:].decode(codec)
    except UnicodeDecodeError as error:
        offset = start + error.start
        raise TextFileError(
            f"This file is not {name}.",
            came=f"byte 0x{data[offset]:02X} at offset {offset}: {error.reason}",
            expected="UTF-8, or UTF-16 with a byte order mark; save the file as UTF-8",
        ) from error
    if "\0" in text:
        raise TextFileError(
            "This looks like a binary file.",
            came=f"a NUL character, the {text.index(chr(0)) + 1:,}th character",
            expected="a text, one sentence per line",
        )
    return text


def sentences(text: str, *, max_sentences: int, max_characters: int) -> list[str]:
    """Every line that holds more than white space, as it is. Raises TextFileError."""
    lines = [
        (number, line)
        for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1)
        if line.strip()
    ]
    if not lines:
        raise TextFileError(
            "There is no sentence in this file.", expected="a text, one sentence per line"
        )
    if len(lines) > max_sentences:
        raise TextFileError(
            "This file holds too many sentences.",
            came=f"{len(lines):,} sentences",
            expected=f"at most {max_sentences:,}",
        )
    for number, line in lines:
        if len(line) > max_characters:
            raise TextFileError(
                f"The sentence on line {number} is too long.",
                came=f"{len(line):,} characters",
                expected=f"at most {max_characters:,}",
            )
    return [line for _, line in lines]
