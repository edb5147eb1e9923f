"""A fixed number of turns behind one bounded queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.errors import BusyError


class Turns:
    """Whoever finds the queue full is refused at once."""

    def __init__(self, count: int, *, queue_limit: int) -> None:
        self._free = asyncio.Semaphore(count)
        self._queue_limit = queue_limit
        self._waiting = 0

    def check(self) -> None:
        """Raises BusyError when there would be no place in the queue."""
        if self._free.locked() and self._waiting >= self._queue_limit:
            raise BusyError(
                "The server is busy. Try again in a moment.",
                came=f"{self._waiting} requests waiting",
                expected=f"at most {self._queue_limit}",
            )

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for it. Raises BusyError."""
        self.check()
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()
