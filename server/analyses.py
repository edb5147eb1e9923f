"""What is asked about a recording's arrays: checked here, answered by the readers."""

from __future__ import annotations

import asyncio
import math
import re
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lstm_core.errors import InputError, SizeError
from lstm_core.quantities import Direction
from server.array_file import INITIAL_STATES
from server.errors import RangeError
from server.shared import SharedWork
from server.store import StoredRecording
from server.workers import ReadingJob, Workers

Sort = Literal["index", "peak", "mean", "variance", "similarity", "cluster"]
Statistic = Literal["extreme", "mean"]
QuantityName = Literal["i", "f", "g", "o", "c", "h"]

#: As in lstm_core.analysis.pooling, which imports numpy.
COLUMNS_PER_TILE = 512
#: Largest reply: the page asks for about a megabyte, a stranger may ask for anything.
MAX_REPLY_BYTES = 64_000_000
#: Orders that are remembered.
MAX_ORDERS = 512

_CELL = re.compile(r"(\d+\.(?:forward|backward))\.[ifgoch]")


@dataclass(frozen=True)
class Tile:
    """A part of any array, and the resolution at which it is shown."""

    level: int
    tile: int
    units_per_row: int
    statistic: Statistic


@dataclass(frozen=True)
class Ordering:
    """How the units of a cell lie; ``unit`` is the one the others are compared with."""

    sort: Sort = "index"
    of: QuantityName = "h"
    unit: int | None = None


#: A recording's id, the array whose values decide, and the order.
_OrderKey = tuple[str, str, Ordering]


class Analyses:
    """Remembers the orders of units, so that each is computed once, by whichever reader."""

    def __init__(self, readers: Workers) -> None:
        self._readers = readers
        self._orders: OrderedDict[_OrderKey, Sequence[int]] = OrderedDict()
        self._ordering: SharedWork[Sequence[int]] = SharedWork()

    async def read(self, job: ReadingJob, *args: Any) -> bytes:
        """What a reader makes of a recording, for who has checked that it can."""
        return await self._readers.run(job, *args)  # type: ignore[no-any-return]

    async def tiles(
        self, recording: StoredRecording, names: Sequence[str], tile: Tile, ordering: Ordering
    ) -> bytes:
        """A safetensors file. Raises UnknownArrayError, RangeError, InputError, SizeError."""
        names = with_timesteps(recording, names)
        columns = columns_of(recording, tile)
        rows = {n: math.ceil(width_of(recording, n) / tile.units_per_row) for n in names}
        check_reply(2 * columns * sum(rows.values()), "units_per_row larger, or fewer arrays")
        return await self._readers.run(  # type: ignore[no-any-return]
            "tiles",
            recording.file.only(names),
            await self.orders_of(recording, names, ordering),
            tile.level,
            tile.tile,
            tile.units_per_row,
            tile.statistic,
        )

    async def order(
        self, recording: StoredRecording, layer: int, direction: Direction, ordering: Ordering
    ) -> Sequence[int]:
        """The units of a cell in order. Raises UnknownArrayError, RangeError, InputError."""
        name = f"{layer}.{direction}.{ordering.of}"
        recording.file.check([name])
        _check_unit(ordering)
        _check_has_unit(name, width_of(recording, name), ordering)
        return await self._order(recording, name, ordering)

    async def unit_summaries(self, recording: StoredRecording, names: Sequence[str]) -> bytes:
        """A safetensors file. Raises UnknownArrayError, InputError, SizeError."""
        names = with_timesteps(recording, names)
        check_reply(4 * 4 * sum(width_of(recording, name) for name in names), "fewer arrays")
        file = recording.file.only(names)
        return await self._readers.run("unit_summaries", file)  # type: ignore[no-any-return]

    async def matching_units(
        self,
        recording: StoredRecording,
        name: str,
        rows: range,
        above: float,
        *,
        off_before: bool,
        off_after: bool,
    ) -> list[int]:
        """Units above a value at all of these timesteps. Raises UnknownArrayError."""
        recording.file.check([name])
        return await self._readers.run(  # type: ignore[no-any-return]
            "matching_units",
            recording.file.only([name]),
            rows.start,
            rows.stop,
            above,
            off_before,
            off_after,
        )

    # --- orders ---

    async def orders_of(
        self, recording: StoredRecording, names: Iterable[str], ordering: Ordering
    ) -> Mapping[str, Sequence[int]]:
        """The order of each array's units; of those that stay as they are, none."""
        _check_unit(ordering)
        if ordering.sort == "index":
            return {}
        fitting = {name: by for name in names if (by := _decides(recording, name, ordering))}
        different = list(dict.fromkeys(fitting.values()))
        found = await asyncio.gather(*(self._order(recording, by, ordering) for by in different))
        orders = dict(zip(different, found, strict=True))
        return {name: orders[by] for name, by in fitting.items()}

    async def _order(
        self, recording: StoredRecording, name: str, ordering: Ordering
    ) -> Sequence[int]:
        if ordering.sort == "index":
            return range(width_of(recording, name))
        if ordering.sort != "similarity":
            ordering = Ordering(ordering.sort, ordering.of)
        key = (recording.id, name, ordering)
        if key not in self._orders:
            found = await self._ordering.result(key, lambda: self._find(recording, name, ordering))
            self._orders[key] = found
            while len(self._orders) > MAX_ORDERS:
                self._orders.popitem(last=False)
        self._orders.move_to_end(key)
        return self._orders[key]

    async def _find(
        self, recording: StoredRecording, name: str, ordering: Ordering
    ) -> Sequence[int]:
        file = recording.file.only([name])
        return array("L", await self._readers.run("order", file, ordering.sort, ordering.unit))


# --- what may be asked --------------------------------------------------------------------------


def with_timesteps(recording: StoredRecording, names: Sequence[str]) -> list[str]:
    """Each once. Raises UnknownArrayError; InputError for an array that has none, and for none."""
    names = list(dict.fromkeys(names))
    recording.file.check(names)
    without = [name for name in names if name.endswith(INITIAL_STATES)]
    if without or not names:
        raise InputError(
            "This is asked of arrays that have timesteps.",
            came=repr(without[0]) if without else "no name",
            expected="the names of such arrays",
        )
    return names


def width_of(recording: StoredRecording, name: str) -> int:
    return recording.file.entries[name].shape[1]


def columns_of(recording: StoredRecording, tile: Tile) -> int:
    """How many the tile has. Raises RangeError for a tile there is not."""
    columns = math.ceil(recording.file.timesteps / (1 << tile.level))
    tiles = math.ceil(columns / COLUMNS_PER_TILE)
    if not 0 <= tile.tile < tiles:
        raise RangeError(
            "There is no such tile.",
            came=f"tile={tile.tile}",
            expected=f"0 ≤ tile < {tiles} at level {tile.level}",
        )
    return min(COLUMNS_PER_TILE, columns - tile.tile * COLUMNS_PER_TILE)


def check_reply(nbytes: int, remedy: str) -> None:
    """Raises SizeError."""
    if nbytes > MAX_REPLY_BYTES:
        raise SizeError(
            "The reply would be too large.",
            came=f"{nbytes / 1e6:,.0f} MB",
            expected=f"at most {MAX_REPLY_BYTES / 1e6:,.0f} MB: {remedy}",
        )


def _check_unit(ordering: Ordering) -> None:
    if ordering.sort == "similarity" and ordering.unit is None:
        raise InputError(
            "An order by similarity needs the unit the others are compared with.",
            came="no unit",
            expected="unit=0, or another unit of the cell",
        )


def _check_has_unit(name: str, width: int, ordering: Ordering) -> None:
    if ordering.sort == "similarity" and not _has_unit(width, ordering):
        raise RangeError(
            f"{name} has no such unit.",
            came=f"unit={ordering.unit}",
            expected=f"0 ≤ unit < {width}",
        )


def _has_unit(width: int, ordering: Ordering) -> bool:
    return ordering.unit is not None and ordering.unit < width


def _decides(recording: StoredRecording, name: str, ordering: Ordering) -> str | None:
    """The array whose values decide the order of this one's units; None where they stay.

    They stay outside of cells, where a projection makes the widths differ, and where a cell lacks
    the unit that its own would be compared with.
    """
    cell = _CELL.fullmatch(name)
    if cell is None:
        return None
    by = f"{cell[1]}.{ordering.of}"
    width = width_of(recording, by)
    if width != width_of(recording, name):
        return None
    return None if ordering.sort == "similarity" and not _has_unit(width, ordering) else by
