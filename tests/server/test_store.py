from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from server.store import RecordingStore


def recording(nbytes: int) -> Any:
    return SimpleNamespace(about=SimpleNamespace(nbytes=nbytes))


def test_the_least_recently_used_goes_first() -> None:
    store = RecordingStore(30)
    for key in "abc":
        store.put(key, recording(10))
    store.get("a")
    store.put("d", recording(10))
    assert [key for key in "abcd" if store.get(key)] == ["a", "c", "d"]
    assert store.nbytes == 30


def test_the_newest_stays_however_large_it_is() -> None:
    store = RecordingStore(10)
    store.put("small", recording(5))
    store.put("large", recording(100))
    assert store.get("small") is None
    assert store.get("large")
    assert (len(store), store.nbytes) == (1, 100)


def test_the_same_key_counts_once() -> None:
    store = RecordingStore(100)
    store.put("a", recording(10))
    store.put("a", recording(20))
    assert (len(store), store.nbytes) == (1, 20)
