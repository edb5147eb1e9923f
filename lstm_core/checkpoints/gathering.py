"""What a reader of a foreign format gathers: names, shapes, and how to get the numbers later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_core.checkpoints.contents import Array, Contents, Limits, TensorInfo
from lstm_core.errors import CheckpointError

Get = Callable[[], NDArray[Any]]


class Gathering:
    """Tensors under their new names, held against the limits one by one."""

    def __init__(self, what: str, limits: Limits) -> None:
        self.what = what  # "An ONNX file"
        self.limits = limits
        self.infos: dict[str, TensorInfo] = {}
        self.notes: list[str] = []
        self._getters: dict[str, Get] = {}
        self._groups: set[str] = set()
        self._parameters = 0

    def add(self, name: str, shape: Sequence[int], dtype: str, get: Get) -> None:
        limits, info = self.limits, TensorInfo(tuple(shape), dtype)
        self._parameters += info.size
        for what, came, most in (
            ("too long a name", len(name), limits.name_characters),
            ("too many axes", len(shape), limits.rank),
            ("too long an axis", max(shape, default=0), limits.dimension),
            ("too many tensors", len(self.infos) + 1, limits.tensors),
            ("too many numbers", self._parameters, limits.parameters),
        ):
            if came > most:
                raise CheckpointError(
                    f"{self.what} whose tensor '{name[:100]}' is refused: {what}.",
                    came=f"{came:,}",
                    expected=f"at most {most:,}",
                )
        self.infos[name] = info
        self._getters[name] = get

    def group(self, *wanted: str | None) -> str:
        """A name for a group: the first that is still free, or the last with a number."""
        names = [name for name in wanted if name]
        for name in names:
            if self._is_free(name):
                break
        else:
            number = 1
            while not self._is_free(f"{names[-1]}_{number}"):
                number += 1
            name = f"{names[-1]}_{number}"
        self._groups.add(name)
        return name

    def contents(self, format_: str, tables: Mapping[str, list[str | None]]) -> Contents:
        return Contents(format_, self.infos, self.read, tables, self.notes)

    def read(self, names: Iterable[str]) -> dict[str, Array]:
        return {name: self._floats(name) for name in names}

    def _is_free(self, name: str) -> bool:
        return name not in self._groups and name not in self.infos

    def _floats(self, name: str) -> Array:
        info = self.infos[name]
        dtype = np.float64 if info.dtype == "float64" else np.float32
        array: Array = np.require(self._getters[name](), dtype, ["C", "W"]).reshape(info.shape)
        return array
