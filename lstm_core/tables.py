"""A table of numbers as text: what a model without an embedding reads. No torch here.

A line is a timestep, a column a feature. Columns are separated by commas, semicolons, tabs or
white space; the first line may name them, and columns that hold no numbers (dates, say) only label
their timesteps. The text stays what it was, so that a table travels like a sentence.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_core.errors import TextError
from lstm_core.text import too_many

#: The first that most lines have: where a comma stands beside another, it is in the numbers.
SEPARATORS = ("\t", ";", ",")


_LINE = re.compile(r"[^\r\n]+")


@dataclass(frozen=True)
class Row:
    """One timestep: ``text[start:end]`` is its line, ``label`` what to call it."""

    label: str
    start: int
    end: int


@dataclass(frozen=True)
class Table:
    """``values`` (T, columns) in float64, and what its columns and rows are called."""

    columns: list[str]
    rows: list[Row]
    values: NDArray[np.float64]


def read_table(text: str, *, width: int | None = None, max_rows: int | None = None) -> Table:
    """The table in ``text``.

    Raises TextError when it is none or has another number of columns than ``width``, naming the
    line; SizeError above ``max_rows``.
    """
    begin = 1 if text.startswith("\ufeff") else 0  # a byte order mark
    lines = [(m.start(), m.end(), m[0]) for m in _LINE.finditer(text, begin) if m[0].strip()]
    if not lines:
        raise TextError(
            "There is no row in this table.",
            came="an empty text" if not text else f"{len(text)} characters of white space",
            expected="a line of numbers for each timestep",
        )
    if max_rows is not None and len(lines) > max_rows + 1:
        raise too_many(len(lines), max_rows, "timesteps")
    separator = _separator([line for *_, line in lines[:20]])
    cells = [_split(line, separator) for *_, line in lines]
    names = cells[0] if _is_header(cells) else None
    if names is not None:
        lines, cells = lines[1:], cells[1:]
    if max_rows is not None and len(lines) > max_rows:
        raise too_many(len(lines), max_rows, "timesteps")
    _check_widths(cells, names, text, lines)
    numeric = [n for n in range(len(cells[0])) if _number(cells[0][n]) is not None]
    others = [n for n in range(len(cells[0])) if _number(cells[0][n]) is None]
    for n in others:
        _refuse_several(cells[0][n], text, lines[0])
    if width is not None and len(numeric) != width:
        raise TextError(
            "This table has another number of columns than the model reads.",
            came=f"{len(numeric)} columns of numbers"
            + (f" ({', '.join(names[n] for n in numeric)})" if names else ""),
            expected=f"{width}, its input_size",
        )
    values = np.array(
        [
            [_value(row[n], text, line, n) for n in numeric]
            for row, line in zip(cells, lines, strict=True)
        ],
        dtype=np.float64,
    )
    labels = [" ".join(row[n] for n in others) or _label(row) for row in cells]
    return Table(
        columns=[names[n] if names else f"column {k}" for k, n in enumerate(numeric)],
        rows=[Row(label, start, end) for label, (start, end, _) in zip(labels, lines, strict=True)],
        values=values,
    )


def to_text(values: NDArray[np.floating], columns: Sequence[str] = ()) -> str:
    """A table (T, columns) or a single column (T,) as text that reads back exactly."""
    rows = [row.tolist() if row.ndim else [row.item()] for row in values]
    lines = [",".join(_quoted(name) for name in columns)] if columns else []
    # repr of a float32 made a float64 would show digits nobody stored.
    shortest = str if values.dtype == np.float64 else (lambda x: str(values.dtype.type(x)))
    lines += [",".join(shortest(x) for x in row) for row in rows]
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    name = re.sub(r"[\r\n]+", " ", name)
    return '"' + name.replace('"', '""') + '"' if re.search(r'[",;\t]', name) else name


def _separator(lines: Sequence[str]) -> str | None:
    """The sign most lines are cut by; None for white space."""
    for sign in SEPARATORS:
        if sum(sign in line for line in lines) > len(lines) / 2:
            return sign
    name, *column = lines
    if column and _number(name.split()[-1]) is None and all(map(_is_number, column)):
        return ","  # one column, whose name may be more than one word
    return None


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    return [cell.strip() for cell in next(_reader(line, separator))]


def _reader(line: str, separator: str) -> Iterator[list[str]]:
    try:
        return iter(list(csv.reader([line], delimiter=separator)))
    except csv.Error as error:  # a cell longer than csv takes
        raise TextError("This line is no row of a table.", came=str(error)) from error


def _number(cell: str) -> float | None:
    """A finite number, or one that is written out as none: nan, inf."""
    try:
        return float(cell.replace("_", "x"))  # Python alone takes 1_000
    except ValueError:
        return None


def _is_number(cell: str) -> bool:
    return _number(cell) is not None


def _is_header(cells: list[list[str]]) -> bool:
    """Whether the first line names columns: somewhere a word stands above a number."""
    if len(cells) < 2 or len(cells[0]) != len(cells[1]):
        return False
    return any(
        above and _number(above) is None and _number(below) is not None
        for above, below in zip(cells[0], cells[1], strict=True)
    )


def _check_widths(
    cells: list[list[str]],
    names: list[str] | None,
    text: str,
    lines: list[tuple[int, int, str]],
) -> None:
    expected = len(names or cells[0])
    for row, (start, _, _) in zip(cells, lines, strict=True):
        if len(row) != expected:
            raise TextError(
                f"Line {_line(text, start)} is not as long as the first.",
                came=f"{len(row)} cells",
                expected=f"{expected}",
            )
    if all(_number(cell) is None for cell in cells[0]):
        raise TextError(
            "There are no numbers in this table.",
            came=f"the line {lines[0][2][:60]!r}",
            expected="a line of numbers for each timestep",
        )


def _value(cell: str, text: str, line: tuple[int, int, str], column: int) -> float:
    found = _number(cell)
    if found is None or not math.isfinite(found):
        raise TextError(
            f"A cell of line {_line(text, line[0])} is no number.",
            came=f"{cell!r} in column {column + 1}",
            expected="a number, as in the first row; fill gaps before you bring the table",
        )
    return found


def _refuse_several(cell: str, text: str, line: tuple[int, int, str]) -> None:
    """Several numbers in a cell are no label: a decimal comma, or another separator."""
    parts = re.split(r"[,\s]+", cell.strip())
    if len(parts) > 1 and all(_number(part) is not None for part in parts):
        raise TextError(
            f"A cell of line {_line(text, line[0])} holds more than one number.",
            came=repr(cell),
            expected="one number between two separators, with a point for its decimals: 1.5",
        )


def _line(text: str, start: int) -> int:
    return len(re.findall(r"\r\n|\r|\n", text[:start])) + 1


def _label(row: list[str]) -> str:
    """Short numbers speak for themselves; of many only the first is shown."""
    return row[0] if len(row) == 1 else f"{row[0]} …"
