"""Recorded arrays beside each other: checked here, answered by readers and comparers."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import AsyncGenerator, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lstm_core.errors import InputError, SizeError
from server.analyses import (
    Analyses,
    Ordering,
    Tile,
    check_reply,
    columns_of,
    width_of,
    with_timesteps,
)
from server.errors import DataFolderError, DiskFullError
from server.progress import read_progress
from server.recording_folders import RecordingFolders
from server.shared import SharedWork
from server.store import PROGRESS, StoredRecording
from server.workers import ReadingJob, Workers

Space = Literal["own", "shared"]

#: Numbers that one comparison may hold in memory, and pairs of arrays it may be made of.
MAX_NUMBERS, MAX_PAIRS = 200_000_000, 10_000
#: Pairs of units whose correlations are held at a time.
MAX_UNIT_PAIRS = 20_000_000
#: Up to so many numbers, or products of two of them, a comparison takes a reader some
#: milliseconds; with more it goes to a process of its own, so that no picture waits for it.
SMALL_NUMBERS, SMALL_PRODUCTS = 1_000_000, 1_000_000_000
#: Matrices that are remembered: a reply of lines is not kept by the browser.
MAX_MATRICES = 64
#: How often is looked how far a comparison is.
PROGRESS_SECONDS = 0.1


@dataclass(frozen=True)
class Sides:
    """A recording and the one beside it: None for the same one again."""

    recording: StoredRecording
    other: StoredRecording | None

    @property
    def second(self) -> StoredRecording:
        return self.other or self.recording


@dataclass(frozen=True)
class Matrix:
    """Which arrays against which others; ``also`` are sentences whose timesteps are added."""

    sides: Sides
    names: Sequence[str]
    other_names: Sequence[str]
    rows: range
    also: Sequence[Sides]

    @property
    def products(self) -> int:
        """How many products of two numbers it is made of, at most."""
        timesteps = len(self.rows) + sum(further.recording.file.timesteps for further in self.also)
        left = sum(width_of(self.sides.recording, name) for name in self.names)
        return timesteps * left * sum(width_of(self.sides.second, n) for n in self.other_names)

    @property
    def key(self) -> Hashable:
        ids = [(sides.recording.id, sides.second.id) for sides in (self.sides, *self.also)]
        asked = (tuple(self.names), tuple(self.other_names), self.rows.start, self.rows.stop)
        return (*ids, *asked)


class Comparisons:
    """Remembers the last matrices; a comparison nobody waits for is ended with its process."""

    def __init__(self, analyses: Analyses, comparers: Workers, folders: RecordingFolders) -> None:
        self._analyses = analyses
        self._comparers = comparers
        self._folders = folders
        self._matrices: OrderedDict[Hashable, bytes] = OrderedDict()
        self._comparing: SharedWork[bytes] = SharedWork()
        self._progress: dict[Hashable, Path] = {}

    async def similarity(self, matrix: Matrix) -> bytes:
        """CKA of every pair, as JSON."""
        key = matrix.key
        if key not in self._matrices:
            found = await self._comparing.result(key, lambda: self._compare(matrix))
            self._matrices[key] = found
            while len(self._matrices) > MAX_MATRICES:
                self._matrices.popitem(last=False)
        self._matrices.move_to_end(key)
        return self._matrices[key]

    async def follow(self, matrix: Matrix) -> AsyncGenerator[dict[str, Any] | bytes]:
        """How far it is, and at last the line with the result."""
        if matrix.key not in self._matrices:
            yield {"done": 0, "of": 1, "what": "waiting"}
        comparing = asyncio.create_task(self.similarity(matrix))
        told = 0
        try:
            while not comparing.done():
                await asyncio.wait([comparing], timeout=PROGRESS_SECONDS)
                path = self._progress.get(matrix.key)
                steps = await asyncio.to_thread(read_progress, path) if path else []
                for step in steps[told:]:
                    yield step
                told = max(told, len(steps))
            yield b'{"similarity": ' + comparing.result() + b"}"
        finally:
            comparing.cancel()

    async def comparison(
        self, sides: Sides, name: str, other_name: str, rows: range, threshold: float
    ) -> bytes:
        """Two arrays at every pair of timesteps, as JSON."""
        numbers = self._checked(sides, [name], [other_name], len(rows))
        if sides.other:
            heads = [r for r in (sides.recording, sides.other) if "scores" in r.file.entries]
            numbers += len(rows) * sum(width_of(recording, "scores") for recording in heads)
        files = self._files(sides)
        return await self._run(numbers, "comparison", *files, name, other_name, rows, threshold)

    async def best_matches(self, sides: Sides, name: str, other_name: str, rows: range) -> bytes:
        """The partners of every unit, as JSON."""
        numbers = self._checked(sides, [name], [other_name], len(rows))
        U, V = width_of(sides.recording, name), width_of(sides.second, other_name)
        if U * V > MAX_UNIT_PAIRS:
            raise SizeError(
                "So many units cannot be compared with each other.",
                came=f"{U:,} and {V:,} units",
                expected=f"at most {MAX_UNIT_PAIRS:,} pairs of units",
            )
        files = self._files(sides)
        # The assignment grows with the third power of the units.
        numbers = max(numbers, U * V * 8)
        return await self._run(numbers, "best_matches", *files, name, other_name, rows)

    async def paths(
        self,
        recordings: Sequence[StoredRecording],
        names: Sequence[str],
        rows: range,
        components: int,
        space: Space,
    ) -> bytes:
        """Principal components of every array, as a safetensors file."""
        names = list(dict.fromkeys(names))
        for recording in recordings:
            with_timesteps(recording, names)
        _check_widths(recordings, names, together=space == "shared")
        lengths = [len(rows), *(recording.file.timesteps for recording in recordings[1:])]
        check_reply(4 * components * len(names) * sum(lengths), "fewer arrays or recordings")
        numbers = sum(lengths) * sum(width_of(recordings[0], name) for name in names)
        _check_numbers(numbers)
        files = [recording.file for recording in recordings]
        shared = space == "shared"
        return await self._run(8 * numbers, "paths", files, names, rows, components, shared)

    async def tiles(
        self, sides: Sides, name: str, other_name: str, tile: Tile, ordering: Ordering
    ) -> bytes:
        """A tile of two arrays and of their difference, as a safetensors file."""
        names = with_timesteps(sides.recording, [name])
        with_timesteps(sides.second, [other_name])
        columns = columns_of(sides.recording, tile)
        units = [2 * width_of(sides.recording, name), width_of(sides.second, other_name)]
        rows = sum(math.ceil(n / tile.units_per_row) for n in units)
        check_reply(2 * columns * rows, "units_per_row larger")
        orders = await self._analyses.orders_of(sides.recording, names, ordering)
        return await self._analyses.read(
            "comparison_tiles",
            *self._files(sides),
            name,
            other_name,
            orders,
            tile.level,
            tile.tile,
            tile.units_per_row,
            tile.statistic,
        )

    # --- who does it ---

    async def _run(self, numbers: int, job: ReadingJob, *args: Any) -> bytes:
        if numbers <= SMALL_NUMBERS:
            return await self._analyses.read(job, *args)
        return await self._comparers.run(job, *args)  # type: ignore[no-any-return]

    async def _compare(self, matrix: Matrix) -> bytes:
        asked = (
            *self._files(matrix.sides),
            matrix.names,
            matrix.other_names,
            matrix.rows,
            [self._files(further) for further in matrix.also],
        )
        if matrix.products <= SMALL_PRODUCTS:
            return await self._analyses.read("similarity", *asked, None)
        folder = await asyncio.to_thread(self._folder)
        path = folder / PROGRESS if folder else None
        if path:
            self._progress[matrix.key] = path
        try:
            return await self._comparers.run(  # type: ignore[no-any-return]
                "similarity", *asked, str(path) if path else None
            )
        finally:
            self._progress.pop(matrix.key, None)
            if folder:
                self._folders.remove(folder)

    def _folder(self) -> Path | None:
        """Where a comparer says how far it is. None on a full disk: then it says nothing."""
        for place in self._folders.places:
            try:
                return self._folders.make(place, [PROGRESS])
            except (DiskFullError, DataFolderError):
                continue
        return None

    @staticmethod
    def _files(sides: Sides) -> tuple[Any, Any]:
        return sides.recording.file, sides.other and sides.other.file

    @staticmethod
    def _checked(
        sides: Sides, names: Sequence[str], other_names: Sequence[str], timesteps: int
    ) -> int:
        """How many numbers are looked at. Raises UnknownArrayError, InputError, SizeError."""
        with_timesteps(sides.recording, names)
        with_timesteps(sides.second, other_names)
        width = sum(width_of(sides.recording, name) for name in names)
        width += sum(width_of(sides.second, name) for name in other_names)
        _check_numbers(width * timesteps)
        return width * timesteps


def checked_matrix(
    sides: Sides,
    names: Sequence[str],
    other_names: Sequence[str],
    rows: range,
    also: Sequence[Sides],
) -> Matrix:
    """Raises UnknownArrayError; InputError for what does not fit; SizeError."""
    names = with_timesteps(sides.recording, names)
    other_names = with_timesteps(sides.second, other_names or names)
    for further in also:
        with_timesteps(further.recording, names)
        with_timesteps(further.second, other_names)
    if also:
        every = [sides, *also]
        _check_widths([each.recording for each in every], names, together=False)
        _check_widths([each.second for each in every], other_names, together=False)
    if len(names) * len(other_names) > MAX_PAIRS:
        raise SizeError(
            "So many arrays cannot be compared with each other.",
            came=f"{len(names):,} with {len(other_names):,}",
            expected=f"at most {MAX_PAIRS:,} pairs",
        )
    timesteps = len(rows) + sum(further.recording.file.timesteps for further in also)
    width = sum(width_of(sides.recording, name) for name in names)
    if sides.other or names != other_names:
        width += sum(width_of(sides.second, name) for name in other_names)
    _check_numbers(timesteps * width)
    return Matrix(sides, names, other_names, rows, also)


def _check_widths(
    recordings: Sequence[StoredRecording], names: Sequence[str], *, together: bool
) -> None:
    """Whether each array is as wide in all recordings, and, together, all arrays alike."""
    first: tuple[str, int] | None = None
    for name in names:
        for recording in recordings:
            width = width_of(recording, name)
            if first is not None and width != first[1]:
                raise InputError(
                    "Only arrays of the same width have a space in common.",
                    came=f"{first[0]} of {first[1]} units, {name} of {width}",
                    expected="the same number of units"
                    + (", or a space of its own for each" if together else " in each recording"),
                )
            first = (name, width)
        if not together:
            first = None


def _check_numbers(count: int) -> None:
    if count > MAX_NUMBERS:
        raise SizeError(
            "So many numbers cannot be compared at once.",
            came=f"{count:,} numbers",
            expected=f"at most {MAX_NUMBERS:,}: fewer arrays, or fewer timesteps",
        )
