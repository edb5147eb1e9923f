"""‖XᵀY‖² of many pairs of arrays, block by block: what similarity is made of."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
Numbers = NDArray[np.float64]
#: Is told how much is done, of how much, and what is being done.
Progress = Callable[[int, int, str], None]
#: Two arrays by their numbers.
Pair = tuple[int, int]

#: Timesteps of one matrix product, and units on either side of it.
_ROWS, _COLUMNS = 2048, 1024
#: Numbers of products that are held at a time (128 MB as float64).
_HELD = 16_000_000


@dataclass(frozen=True)
class Centred:
    """Some timesteps of an array (T, U), without each unit's mean and all by one factor.

    Copied block by block, since fresh memory costs more than the arithmetic. The factor keeps
    squares inside of float32.
    """

    values: Floats
    places: NDArray[np.intp] | None  # which timesteps; None for all
    mean: Numbers  # [U]
    scale: float

    @classmethod
    def of(cls, values: Floats, places: NDArray[np.intp] | None) -> Centred | None:
        """None where fewer than two timesteps are left, or nothing moves."""
        chosen = values if places is None else values[places]
        if len(chosen) < 2 or not chosen.shape[1]:
            return None
        low, high = chosen.min(axis=0).astype(np.float64), chosen.max(axis=0).astype(np.float64)
        scale = float((high / 2 - low / 2).max())
        if scale == 0:
            return None
        # Rounding can carry the mean out of a unit that never moves, which is to be 0.
        mean = np.clip(np.mean(chosen, axis=0, dtype=np.float64), low, high)
        return cls(values, places, mean, scale)

    @property
    def shape(self) -> tuple[int, int]:
        T = len(self.values) if self.places is None else len(self.places)
        return T, self.values.shape[1]

    def block(self, start: int, room: Floats) -> Floats:
        """Timesteps from ``start`` on, as many as there are and as have ``room``."""
        rows = slice(start, start + len(room))
        chosen = self.values[rows if self.places is None else self.places[rows]]
        block = room[: len(chosen)]
        np.divide(chosen - self.mean, self.scale, out=block, casting="same_kind")
        return block


def product_squares(
    arrays: Mapping[int, Centred],
    pairs: Sequence[Pair],
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> dict[Pair, float]:
    """‖XᵀY‖²_F of each pair of ``arrays``, which all have the same timesteps.

    Σ (XXᵀ ∘ YYᵀ) is the same number, and less work where timesteps are fewer than units.
    """
    shapes = [array.shape for array in arrays.values()]
    few = all(T <= U for T, U in shapes) and sum(T * T for T, _ in shapes) <= _HELD
    if few:
        return _from_timesteps(arrays, pairs)
    return _from_units(arrays, pairs, threads, progress)


def _from_timesteps(arrays: Mapping[int, Centred], pairs: Iterable[Pair]) -> dict[Pair, float]:
    products = {}
    for n, array in arrays.items():
        X = array.block(0, np.empty(array.shape))
        products[n] = X @ X.T
    return {(i, j): float(np.vdot(products[i], products[j])) for i, j in pairs}


class _Tile(NamedTuple):
    """Some units of one array against some of another."""

    pair: Pair
    left: slice
    right: slice

    @property
    def shape(self) -> tuple[int, int]:
        return self.left.stop - self.left.start, self.right.stop - self.right.start


def _from_units(
    arrays: Mapping[int, Centred],
    pairs: Sequence[Pair],
    threads: int,
    progress: Progress | None,
) -> dict[Pair, float]:
    """As many tiles of XᵀY at a time as are to be held: sums over blocks of timesteps."""
    squares = dict.fromkeys(pairs, 0.0)
    tiles = [tile for pair in pairs for tile in _tiles(arrays, pair)]
    starts = range(0, next(iter(arrays.values())).shape[0] if arrays else 0, _ROWS)
    done, of = 0, len(tiles) * len(starts)
    with ThreadPoolExecutor(threads) as pool:
        for held in _held(tiles):
            sums = [np.zeros(tile.shape) for tile in held]
            for blocks in _blocks(arrays, held, starts, pool):
                list(pool.map(functools.partial(_add, blocks), held, sums))
                done += len(held)
                if progress:
                    progress(done, of, "comparing")
            for tile, total in zip(held, sums, strict=True):
                squares[tile.pair] += float(np.vdot(total, total))
    return squares


def _blocks(
    arrays: Mapping[int, Centred],
    tiles: Sequence[_Tile],
    starts: Sequence[int],
    pool: ThreadPoolExecutor,
) -> Iterator[dict[int, Floats]]:
    """All arrays of these tiles, some timesteps at a time, each time in the same memory."""
    involved = sorted({n for tile in tiles for n in tile.pair})
    rooms = [_room(arrays[n]) for n in involved]
    for start in starts:
        read = functools.partial(lambda at, n, room: arrays[n].block(at, room), start)
        yield dict(zip(involved, pool.map(read, involved, rooms), strict=True))


def _tiles(arrays: Mapping[int, Centred], pair: Pair) -> Iterator[_Tile]:
    sides = []
    for n in pair:
        width = arrays[n].shape[1]
        sides.append([slice(k, min(k + _COLUMNS, width)) for k in range(0, width, _COLUMNS)])
    return (_Tile(pair, left, right) for left, right in product(*sides))


def _held(tiles: Sequence[_Tile]) -> Iterator[list[_Tile]]:
    """Tiles by as many as are held at a time."""
    held: list[_Tile] = []
    numbers = 0
    for tile in tiles:
        size = tile.shape[0] * tile.shape[1]
        if held and numbers + size > _HELD:
            yield held
            held, numbers = [], 0
        held.append(tile)
        numbers += size
    if held:
        yield held


def _room(array: Centred) -> Floats:
    """For one block; float32 where that is what came."""
    T, U = array.shape
    return np.empty((min(T, _ROWS), U), np.float32 if array.values.itemsize <= 4 else np.float64)


def _add(blocks: Mapping[int, Floats], tile: _Tile, total: Numbers) -> None:
    i, j = tile.pair
    left = blocks[i][:, tile.left]
    # Of one array with itself numpy computes half.
    right = left if (i, tile.left) == (j, tile.right) else blocks[j][:, tile.right]
    total += left.T @ right
