"""What runs in a reader process: looks at recorded arrays where they lie on the disk.

A reader has numpy and no need of torch, and answers while a worker records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.analysis.decisions import decide
from lstm_core.analysis.matching import matching_units as find_matching_units
from lstm_core.analysis.ordering import order_units
from lstm_core.analysis.pooling import COLUMNS_PER_TILE, pool
from lstm_core.analysis.summaries import summarize_units
from lstm_core.errors import InputError
from lstm_core.exports import write_export
from server.array_file import ArrayFile
from server.array_replies import to_file, to_half
from server.comparing import best_matches, comparison, comparison_tiles, paths, similarity
from server.data_folder import check_free, writing
from server.decisions import decisions_file
from server.orphans import end_with_parent

# Jobs are found in this module by their names, those from elsewhere, too.
__all__ = [
    "best_matches",
    "comparison",
    "comparison_tiles",
    "decisions",
    "export",
    "matching_units",
    "order",
    "paths",
    "prepare",
    "similarity",
    "tiles",
    "unit_summaries",
]

Array = np.ndarray[Any, Any]


def prepare() -> None:
    """Make a fresh reader a good neighbour: no life after the server's."""
    end_with_parent()


def tiles(
    file: ArrayFile,
    orders: Mapping[str, Sequence[int]],
    level: int,
    tile: int,
    units_per_row: int,
    statistic: str,
) -> bytes:
    """One tile of every array of ``file`` as float16; ``orders`` are those of their units."""
    pooled = {}
    for name, values in file.arrays().items():
        order = np.asarray(orders[name]) if name in orders else None
        pooled[name] = to_half(
            pool(
                values,
                timesteps_per_column=min(2**level, len(values)),
                units_per_row=min(units_per_row, values.shape[1]),
                statistic=statistic,
                order=order,
                first_column=tile * COLUMNS_PER_TILE,
                columns=COLUMNS_PER_TILE,
            )
        )
    return to_file(pooled)


def order(file: ArrayFile, sort: str, unit: int | None) -> list[int]:
    """The order of the units of the only array of ``file``."""
    (values,) = file.arrays().values()
    found: list[int] = order_units(values, sort, unit).tolist()
    return found


def unit_summaries(file: ArrayFile) -> bytes:
    """The low, high, mean and variance of every unit of every array, as float32."""
    found = {}
    for name, values in file.arrays().items():
        for statistic, numbers in summarize_units(values)._asdict().items():
            with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
                found[f"{name}.{statistic}"] = numbers.astype(np.float32)
    return to_file(found)


def matching_units(
    file: ArrayFile, start: int, stop: int, above: float, off_before: bool, off_after: bool
) -> list[int]:
    """The units of the only array that are above a value at these timesteps."""
    (values,) = file.arrays().values()
    found: list[int] = find_matching_units(
        values, start, stop, above, off_before=off_before, off_after=off_after
    ).tolist()
    return found


def decisions(file: ArrayFile, start: int, stop: int, k: int) -> bytes:
    """What the scores, the only array of ``file``, decide at these timesteps.

    Raises InputError for a head whose scores are no probabilities.
    """
    (scores,) = file.arrays().values()
    said = ArrayFile.open(file.path)[1]["predictions"]
    if said["task"] == "value":
        raise InputError(
            "This head gives numbers: they have no probability, entropy or rank.",
            came="a head of values",
            expected="a head that chooses between labels; the numbers are the array scores",
        )
    # The timestep before says whether the label changed at the first.
    first = max(0, start - 1)
    targets = said["targets"] and said["targets"][first:stop]
    return decisions_file(decide(scores[first:stop], targets, k), skip=start - first)


def export(
    file: ArrayFile,
    path: str,
    format: str,
    rows: range,
    units: Mapping[str, Sequence[int]],
    metadata: Mapping[str, str],
    nbytes: int,
) -> None:
    """Write these timesteps and units of every array into ``path``, which is there already.

    Raises DiskFullError, before anything is written if about ``nbytes`` have no room;
    DataFolderError, InputError.
    """
    check_free(Path(path).parent, nbytes)
    tokens = ArrayFile.open(file.path)[1]["tokens"][rows.start : rows.stop]
    arrays = {
        name: _columns(values[rows.start : rows.stop], units[name])
        for name, values in file.arrays().items()
    }
    with writing(Path(path)), Path(path).open("r+b") as out:
        write_export(
            out, format, arrays, tokens=tokens, start=rows.start, units=units, metadata=metadata
        )


def _columns(values: Array, units: Sequence[int]) -> Array:
    """All of them without a copy."""
    return values if list(units) == list(range(values.shape[1])) else values[:, units]
