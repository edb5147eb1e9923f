"""Work that several wait for: done once, and given up when the last of them has left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Work(Generic[T]):
    task: asyncio.Task[T]
    waiters: int = 0


class SharedWork(Generic[T]):
    """What is being done at the moment, by a key."""

    def __init__(self) -> None:
        self._doing: dict[Hashable, _Work[T]] = {}

    async def result(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Of the work that goes on under this key, or else of one that begins now."""
        if key not in self._doing:
            self._doing[key] = _Work(asyncio.create_task(begin()))
        work = self._doing[key]
        work.waiters += 1
        try:
            return await asyncio.shield(work.task)
        finally:
            work.waiters -= 1
            if not work.waiters:
                work.task.cancel()
                if self._doing.get(key) is work:
                    del self._doing[key]
