"""An HDF5 file as a tree of named arrays, and nothing of what else HDF5 can do.

A dataset may keep its numbers in another file, or be put together from other files; a link may lead
into one; a group may hold itself. All of that is refused by name, before anything is opened that
it leads to. Sizes are declared, so they are held against what is stored.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, prod
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
from h5py import h5a, h5d, h5l, h5o, h5t, h5z
from numpy.typing import NDArray

from lstm_core.checkpoints.contents import Limits
from lstm_core.errors import CheckpointError

SIGNATURE = b"\x89HDF\r\n\x1a\n"

LINKS = {
    h5l.TYPE_SOFT: "a soft link",
    h5l.TYPE_EXTERNAL: "a link into another file",
}

#: Filters that HDF5 brings along. For any other it looks for a library on the machine.
FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32, h5z.FILTER_LZF}

#: What deflate reaches at most.
MAX_RATIO = 1000

MAX_ATTRIBUTES = 1_000
MAX_TEXT = 64_000_000

#: Not part of a network: what its training would go on with.
LEFT_OUT = {"optimizer", "optimizer_weights"}


@dataclass(frozen=True)
class Stored:
    """A dataset of floating-point numbers."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    handle: h5py.Dataset

    @property
    def size(self) -> int:
        return prod(self.shape)

    def read(self) -> NDArray[Any]:
        with damaged():
            array: NDArray[Any] = self.handle[()]
        if self.dtype != "bfloat16":
            return array.astype(self.dtype, copy=False)  # in this machine's order of bytes
        # The upper half of a float32.
        return (array.view("<u2").astype(np.uint32) << 16).view(np.float32)


class Tree:
    """Every group, and every dataset of numbers, by its path; in the order of their names."""

    def __init__(self, file: h5py.File, limits: Limits) -> None:
        self.limits = limits
        self.groups: dict[str, h5py.Group] = {}
        self.datasets: dict[str, Stored] = {}
        self.children: dict[str, list[str]] = {}  # the names of the groups within each group
        self.arrays: dict[str, list[str]] = {}  # and those of the datasets
        self._seen: set[int] = set()
        self._objects = self._numbers = 0
        with damaged():
            self._walk(file["/"], "", 0)

    def text(self, path: str, name: str) -> str | None:
        """A text kept beside a group; None if there is none of that name."""
        texts = self.texts(path, name)
        return texts[0] if texts else None

    def texts(self, path: str, name: str) -> list[str] | None:
        """A list of texts; long ones are kept in several pieces: name0, name1, …"""
        group = self.groups.get(path)
        if group is None:
            return None
        with damaged():
            if h5a.exists(group.id, name.encode()):
                return self._attribute(group, path, name)
            found: list[str] = []
            for number in range(MAX_ATTRIBUTES):
                if not h5a.exists(group.id, f"{name}{number}".encode()):
                    break
                found += self._attribute(group, path, f"{name}{number}")
            return found or None

    def _walk(self, group: h5py.Group, path: str, depth: int) -> None:
        _refuse("groups within each other", depth, self.limits.nesting)
        self._once(group, path)
        self.groups[path] = group
        self.children[path], self.arrays[path] = [], []
        for name in sorted(group, key=natural):
            below = f"{path}/{name}" if path else name
            if below in LEFT_OUT:
                continue
            self._objects += 1
            _refuse("objects", self._objects, 4 * self.limits.tensors)
            _refuse("characters in a name", len(below), 4 * self.limits.name_characters)
            kind = self._kind(group, name, below)
            if kind == h5o.TYPE_GROUP:
                self.children[path].append(name)
                self._walk(group[name], below, depth + 1)
            elif kind == h5o.TYPE_DATASET:
                dataset = group[name]
                self._once(dataset, below)
                self._add(dataset, below)

    def _kind(self, group: h5py.Group, name: str, path: str) -> int:
        """What a link leads to, asked before it is followed."""
        try:
            encoded = name.encode()
        except UnicodeEncodeError:
            raise refusal(
                "a name that is not text", path.encode(errors="replace").decode()
            ) from None
        link = group.id.links.get_info(encoded).type
        if link != h5l.TYPE_HARD:
            raise refusal(LINKS.get(link, "a link of an unknown kind"), path)
        return int(h5o.get_info(group.id, encoded).type)

    def _once(self, found: h5py.Group | h5py.Dataset, path: str) -> None:
        address = h5o.get_info(found.id).addr
        if address in self._seen:
            raise refusal("the same object under two names", path)
        self._seen.add(address)

    def _add(self, dataset: h5py.Dataset, path: str) -> None:
        plan = dataset.id.get_create_plist()
        if plan.get_layout() == h5d.VIRTUAL:
            raise refusal("a virtual dataset, put together from other files", path)
        if plan.get_external_count():
            raise refusal("a dataset whose numbers are in another file", path)
        for place in range(plan.get_nfilters()):
            if plan.get_filter(place)[0] not in FILTERS:
                raise refusal("a dataset packed in a way of its own", path)
        dtype = self._dtype(dataset)
        if dtype is None or dataset.shape is None:
            return
        shape = tuple(int(length) for length in dataset.shape)
        self._check_stored(dataset, plan, path, shape)
        self.arrays[path.rpartition("/")[0]].append(path.rpartition("/")[2])
        self.datasets[path] = Stored(path, shape, dtype, dataset)
        _refuse("tensors", len(self.datasets), self.limits.tensors)
        self._numbers += prod(shape)
        _refuse("numbers", self._numbers, self.limits.parameters)

    def _dtype(self, dataset: h5py.Dataset) -> str | None:
        """The name of a floating-point type; None for everything else, which is not read."""
        kind = dataset.id.get_type()
        if isinstance(kind, h5t.TypeFloatID):
            name = {2: "float16", 4: "float32", 8: "float64"}.get(kind.get_size())
            return name if name and kind.dtype.newbyteorder("=") == np.dtype(name) else None
        if isinstance(kind, h5t.TypeOpaqueID) and kind.get_size() == 2:
            named = h5a.exists(dataset.id, b"dtype") and self._attribute(dataset, "", "dtype")
            return "bfloat16" if named == ["bfloat16"] else None
        return None

    def _check_stored(
        self, dataset: h5py.Dataset, plan: Any, path: str, shape: tuple[int, ...]
    ) -> None:
        """Whole chunks are read, so whole chunks are counted."""
        _refuse("axes", len(shape), self.limits.rank)
        _refuse("places along an axis", max(shape, default=0), self.limits.dimension)
        whole = shape
        if plan.get_layout() == h5d.CHUNKED:
            chunk = plan.get_chunk()
            whole = tuple(
                ceil(length / part) * part for length, part in zip(shape, chunk, strict=True)
            )
        stored = dataset.id.get_storage_size()
        declared = prod(whole) * dataset.id.get_type().get_size()
        _refuse("numbers", prod(whole), self.limits.parameters)
        packed = plan.get_nfilters() > 0
        if declared > (stored * MAX_RATIO if packed else stored):
            raise CheckpointError(
                f"An HDF5 file whose dataset '{path[:200]}' does not hold what it declares.",
                came=f"{declared:,} bytes declared, {stored:,} stored",
                expected="a complete file; save it again",
            )

    def _attribute(self, holder: h5py.Group | h5py.Dataset, path: str, name: str) -> list[str]:
        attribute = h5a.open(holder.id, name.encode())
        if attribute.shape == (0,):
            return []  # of no type in particular
        if not isinstance(attribute.get_type(), h5t.TypeStringID):
            raise refusal("an attribute that is not text", f"{path}@{name}")
        count = prod(attribute.shape)
        _refuse("texts in an attribute", count, self.limits.strings)
        _refuse("characters in an attribute", attribute.get_storage_size(), MAX_TEXT)
        values = np.empty(attribute.shape, attribute.dtype)
        attribute.read(values)
        texts = [
            value.decode(errors="replace") if isinstance(value, bytes) else str(value)
            for value in values.ravel().tolist()
        ]
        _refuse("characters in an attribute", sum(map(len, texts)), MAX_TEXT)
        return texts


def open_tree(source: Path | bytes, limits: Limits) -> Tree:
    """The tree of a file, or of one that lies in memory; it stays open as long as the tree."""
    with damaged():
        file = h5py.File(source if isinstance(source, Path) else io.BytesIO(source), "r")
    return Tree(file, limits)


@contextmanager
def damaged() -> Iterator[None]:
    """Whatever h5py makes of a damaged file is one error: it raises a dozen kinds."""
    try:
        yield
    except (CheckpointError, MemoryError):
        raise
    except Exception as error:
        raise CheckpointError(
            "Not an HDF5 file, or one that is damaged or cut short.",
            came="bytes that HDF5 cannot read",
            expected="a complete file, as Keras writes it",
        ) from error


def refusal(what: str, path: str) -> CheckpointError:
    return CheckpointError(
        "An HDF5 file with more in it than arrays of numbers.",
        came=f"{what}: '{path[:200]}'",
        expected="a file as Keras saves it",
    )


def natural(name: str) -> list[tuple[int, str]]:
    """So that lstm_10 comes after lstm_9."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name)]


def _refuse(what: str, came: int, most: int) -> None:
    if came > most:
        raise CheckpointError(
            f"An HDF5 file with too many {what}.", came=f"{came:,}", expected=f"at most {most:,}"
        )
