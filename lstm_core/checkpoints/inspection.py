"""What is inside a checkpoint, without its numbers. No torch here, and nothing of the file runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lstm_core.checkpoints.contents import Contents, TensorInfo
from lstm_core.checkpoints.discovery import Discovery, discover
from lstm_core.checkpoints.string_tables import Strings
from lstm_core.errors import CheckpointError
from lstm_core.text import UNKNOWN_NAMES

SAMPLE = 12


@dataclass(frozen=True)
class TableInfo:
    """A list of strings: how many ids, how many of them have one, and what they look like.

    ``single`` is the share of one-character strings, ``capitals`` whether any has a capital.
    """

    name: str
    size: int
    entries: int
    sample: list[str]
    single: float
    capitals: bool
    letters: bool
    unspaced: bool  # has Chinese or Japanese in it
    clitics: bool  # has n't or 's, as treebanks cut them
    pieces: bool  # has parts of words: ##ing, ▁the, Ġthe
    unknown: bool  # has an entry for what it does not know

    @classmethod
    def of(cls, name: str, strings: Strings) -> TableInfo:
        known = [s for s in strings if s is not None]
        return cls(
            name=name,
            size=len(strings),
            entries=len(known),
            sample=[s[:40] for s in known[:SAMPLE]],
            single=sum(len(s) == 1 for s in known) / max(1, len(known)),
            # A special entry such as <PAD> or [UNK] says nothing of how the words are written.
            capitals=any(s != s.lower() for s in known if s[:1] not in "<[_"),
            letters=any(s.lower() != s.upper() for s in known),
            unspaced=any("\u3040" <= s[:1] <= "\u9fff" for s in known),
            clitics=any(s in ("n't", "n’t", "'s", "’s") for s in known),
            pieces=sum(s.startswith(("##", "\u2581", "\u0120")) for s in known) > len(known) / 20,
            unknown=any(s in UNKNOWN_NAMES for s in known),
        )


def table_infos(tables: Mapping[str, Strings]) -> list[TableInfo]:
    return [TableInfo.of(name, strings) for name, strings in tables.items()]


@dataclass(frozen=True)
class Inspection:
    """A checkpoint: its format, the names and shapes of its tensors, the strings beside them.

    Beside these: ``lstms``, ``matrices`` (what may be an embedding or a head), and ``notes``,
    sentences about what was translated or left out.
    """

    format: str
    nbytes: int
    tensors: Mapping[str, TensorInfo]
    tables: list[TableInfo]
    notes: list[str]

    @classmethod
    def of(cls, contents: Contents, nbytes: int) -> Inspection:
        return cls(
            contents.format,
            nbytes,
            dict(contents.tensors),
            table_infos(contents.tables),
            list(contents.notes),
        )

    @cached_property
    def discovery(self) -> Discovery:
        return discover(self.tensors)

    def check(self) -> None:
        """Raises CheckpointError when there is no LSTM in it that can be opened."""
        if self.discovery.lstms:
            return
        if self.discovery.refused:
            raise CheckpointError(
                "There is no LSTM in this file that can be opened.",
                came="; ".join(self.discovery.refused[:4]),
                expected="an LSTM: four gates in weight_ih and weight_hh",
            )
        names = ", ".join(list(self.tensors)[:6])
        count = len(self.tensors)
        said = "".join(f". {note.rstrip('.')}" for note in self.notes[:4])
        raise CheckpointError(
            "There is no LSTM in this file.",
            came=f"{self.format} with {count} tensors: {names}{', …' if count > 6 else ''}" + said
            if count
            else f"{self.format} without any tensor of numbers" + said,
            expected="an LSTM; in PyTorch's files its weights are named as in its state_dict(): "
            "weight_ih_l0, weight_hh_l0",
        )

    def __str__(self) -> str:
        lines = [f"{self.format}, {self.nbytes:,} bytes, {len(self.tensors)} tensors"]
        for lstm in self.discovery.lstms:
            lines.append(f"  {lstm.name or '(no prefix)'}: {lstm.shape}")
        lines += [f"  {m.name}: ({m.rows}, {m.width})" for m in self.discovery.matrices[:20]]
        lines += [f"  {t.name or 'vocabulary'}: {t.entries:,} strings" for t in self.tables]
        return "\n".join([*lines, *self.notes])

    # As JSON, from the process that has read the file.

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "nbytes": self.nbytes,
            "tensors": [[name, info.shape, info.dtype] for name, info in self.tensors.items()],
            "tables": [vars(table) for table in self.tables],
            "notes": self.notes,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Inspection:
        return cls(
            fields["format"],
            fields["nbytes"],
            {name: TensorInfo(tuple(shape), dtype) for name, shape, dtype in fields["tensors"]},
            tables_from(fields["tables"]),
            fields["notes"],
        )


def tables_from(fields: Sequence[Mapping[str, Any]]) -> list[TableInfo]:
    return [TableInfo(**table) for table in fields]
