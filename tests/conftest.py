"""What every test shares."""

import os
from pathlib import Path

import pytest

# Two spinning torch threads on a busy core are many times slower than one; torch reads these when
# it is first imported, which is later than this.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Slow ones last. And those in the browser after all that use asyncio: Playwright leaves an event
# loop running in the main thread, in which asyncio.run refuses to work.
LAST = ("browser", "packaging")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of a folder in LAST with the folder's name, and move it to the end."""
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(tests).parts[0]
        return LAST.index(folder) + 1 if folder in LAST else 0

    for item in items:
        if number := place(item):
            item.add_marker(LAST[number - 1])
        if number == 1:
            # A browser on a busy machine may come too late for a click. Once is forgiven, and the
            # summary says so.
            item.add_marker(pytest.mark.flaky(reruns=1))
    items.sort(key=place)
