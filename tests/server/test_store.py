from __future__ import annotations

from pathlib import Path

import pytest

from server import store as store_module
from server.array_file import ArrayFile
from server.store import RecordingStore, StoredRecording


def recording(key: str, nbytes: int, path: str = __file__) -> StoredRecording:
    return StoredRecording(key, "a model", Path(key), ArrayFile(path, {}), nbytes)


def store_of(limit: int) -> tuple[RecordingStore, list[str]]:
    """A store, and the folders it has removed."""
    removed: list[str] = []
    return RecordingStore(limit, remove=lambda folder: removed.append(str(folder))), removed


def test_the_least_recently_used_goes_first_with_its_files() -> None:
    store, removed = store_of(30)
    for key in "abc":
        store.put(recording(key, 10))
    store.get("a")
    store.put(recording("d", 10))
    assert [key for key in "abcd" if store.get(key)] == ["a", "c", "d"]
    assert (store.nbytes, removed) == (30, ["b"])


def test_the_newest_stays_however_large_it_is() -> None:
    store, removed = store_of(10)
    store.put(recording("small", 5))
    store.put(recording("large", 100))
    assert store.get("small") is None
    assert store.get("large")
    assert (len(store), store.nbytes, removed) == (1, 100, ["small"])


def test_the_same_key_counts_once() -> None:
    store, _ = store_of(100)
    store.put(recording("a", 10))
    store.put(recording("a", 20))
    assert (len(store), store.nbytes) == (1, 20)


def test_files_stay_as_long_as_somebody_reads_them() -> None:
    store, removed = store_of(10)
    first = recording("first", 10)
    store.put(first)
    with store.held(first):
        with store.held(first):
            store.put(recording("second", 10))
            assert (store.get("first"), removed) == (None, [])
        assert removed == []
    assert removed == ["first"]


def test_small_recordings_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MAX_RECORDINGS", 2)
    store, removed = store_of(1000)
    for key in "abc":
        store.put(recording(key, 1))
    assert (len(store), removed) == (2, ["a"])


def test_all_can_be_forgotten_at_once() -> None:
    store, removed = store_of(100)
    assert not store.clear()
    for key in "ab":
        store.put(recording(key, 10))
    assert store.clear()
    assert (len(store), store.nbytes, removed) == (0, 0, ["a", "b"])


def test_one_whose_file_is_gone_is_forgotten() -> None:
    store, removed = store_of(100)
    store.put(recording("a", 10, "nowhere"))
    assert store.get("a") is None
    assert (len(store), store.nbytes, removed) == (0, 0, ["a"])
