"""No file runs code, hangs, crashes or takes the memory of whoever opens it."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lstm_core.checkpoints import formats, sandbox
from lstm_core.checkpoints.contents import Contents
from lstm_core.errors import CheckpointError
from tests.checkpoints import hostile_files

SECONDS = 60.0  # generous: a busy machine imports torch in several


@pytest.fixture(autouse=True)
def look(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tests' own child; and afterwards none is left."""
    monkeypatch.setattr(sandbox, "CHILD", "tests.checkpoints.sandboxed")
    yield
    assert_no_child()


def assert_no_child() -> None:
    """No child of this process is there, running or waited for."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if children.exists():
        ours = [
            number
            for number in children.read_text().split()
            if b"checkpoints" in Path(f"/proc/{number}/cmdline").read_bytes()
        ]
        assert ours == []


def refused(path: Path, seconds: float = SECONDS) -> CheckpointError:
    """The error for a file that is opened in the sandbox; anything else fails."""
    with pytest.raises(CheckpointError) as caught:
        sandbox.run("look", {"path": str(path)}, seconds=seconds)
    error = caught.value
    assert str(path) not in str(error)
    assert str(path.parent) not in str(error)
    assert "Traceback" not in str(error)
    assert error.came
    assert error.expected
    return error


def refused_here(path: Path) -> CheckpointError:
    """The same in this process, for files whose danger is known to be bounded by then."""
    with pytest.raises(CheckpointError) as caught:
        read_all(path)
    assert str(path.parent) not in str(caught.value)
    return caught.value


def placed(folder: Path, data: bytes) -> Path:
    path = folder / "file.pt"
    path.write_bytes(data)
    return path


def test_the_marker_would_be_written(tmp_path: Path) -> None:
    """The payloads work: opened the careless way, they do run."""
    import pickle

    marker = tmp_path / "marker"
    for name, data in hostile_files.raw_pickles(marker).items():
        pickle.loads(data)
        assert marker.exists(), name
        marker.unlink()


def test_files_with_code_are_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for name, data in hostile_files.running(marker).items():
        error = refused_here(placed(tmp_path, data))
        assert "has code in it" in error.message, name
        assert "not run" in error.message, name
        assert not marker.exists(), name


@pytest.mark.parametrize("name", ["pickle2", "pickle4_zip", "import_old", "beside_weights"])
def test_files_with_code_are_refused_in_the_sandbox(tmp_path: Path, name: str) -> None:
    marker = tmp_path / "marker"
    error = refused(placed(tmp_path, hostile_files.running(marker)[name]))
    assert "has code in it" in error.message
    assert not marker.exists()


@pytest.mark.parametrize("name", hostile_files.bombs())
def test_bombs_are_refused(tmp_path: Path, name: str) -> None:
    refused(placed(tmp_path, hostile_files.bombs()[name]))


@pytest.mark.parametrize("name", hostile_files.peculiar())
def test_tensors_without_plain_numbers_are_refused(tmp_path: Path, name: str) -> None:
    refused_here(placed(tmp_path, hostile_files.peculiar()[name]))


@pytest.mark.parametrize("name", hostile_files.bad_safetensors())
def test_safetensors_that_lie_are_refused(tmp_path: Path, name: str) -> None:
    refused_here(placed(tmp_path, hostile_files.bad_safetensors()[name]))


@pytest.mark.parametrize("name", ["many_empty", "claim", "deep_json"])
def test_safetensors_that_lie_are_refused_in_the_sandbox(tmp_path: Path, name: str) -> None:
    refused(placed(tmp_path, hostile_files.bad_safetensors()[name]))


@pytest.mark.parametrize("kind", hostile_files.benign())
def test_what_is_cut_off_is_refused(tmp_path: Path, kind: str) -> None:
    data = hostile_files.benign()[kind]
    read(tmp_path, data)  # whole, it opens
    lengths = {0, 1, 4, 8, 9, 100, len(data) // 2, len(data) - 22, len(data) - 1}
    for length in sorted(lengths | set(range(0, len(data), 97))):
        refused_here(placed(tmp_path, data[:length]))


@pytest.mark.parametrize("kind", hostile_files.benign())
def test_what_is_changed_is_read_or_refused(tmp_path: Path, kind: str) -> None:
    data = hostile_files.benign()[kind]
    chance = random.Random(kind)
    outcomes = set()
    end = time.monotonic() + 3
    for _ in range(400):
        if time.monotonic() > end:
            break
        changed = mutated(data, chance)
        try:
            outcomes.add(type(read(tmp_path, changed)))
        except CheckpointError:
            outcomes.add(CheckpointError)
    assert outcomes <= {Contents, CheckpointError}
    assert CheckpointError in outcomes


def read(folder: Path, data: bytes) -> Contents:
    return read_all(placed(folder, data))


def read_all(path: Path) -> Contents:
    contents = formats.read(path)
    arrays = contents.read(list(contents.tensors))
    assert all(arrays[name].shape == info.shape for name, info in contents.tensors.items())
    return contents


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, taken out or put in; mostly near the start, where the meaning is."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed) if chance.random() < 0.3 else min(2000, len(changed)))
        changes: list[Callable[[int], None]] = [
            lambda at: changed.__setitem__(at, chance.randrange(256)),
            lambda at: changed.__setitem__(at, changed[at] ^ (1 << chance.randrange(8))),
            lambda at: changed.__delitem__(slice(at, at + chance.randrange(1, 9))),
            lambda at: changed.__setitem__(slice(at, at), chance.randbytes(3)),
            lambda at: changed.__setitem__(slice(at, at + 4), b"\xff\xff\xff\x7f"),
        ]
        chance.choice(changes)(place)
    return bytes(changed)


def test_a_file_that_hangs_its_parser_costs_its_time_only() -> None:
    """HDF5 hangs in it and holds the interpreter's lock; the event loop goes on meanwhile."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    async def both() -> CheckpointError:
        beside = asyncio.create_task(tick())
        request = {"path": str(hostile_files.HANG)}
        with pytest.raises(CheckpointError) as caught:
            await sandbox.run_async("hdf5_attributes", request, seconds=4)
        beside.cancel()
        return caught.value

    error = asyncio.run(both())
    assert "took longer than 4 seconds" in error.message
    assert ticks > 50


def test_that_file_is_refused_by_the_reader_too() -> None:
    refused(hostile_files.HANG)
