"""Our own writing and reading of safetensors, against the format's own library."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import lstm_core
from lstm_core.tensor_files import Entry, encode_header, read_header


def recorded(dtype: torch.dtype = torch.float32, T: int = 5) -> lstm_core.Recording:
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True).to(dtype)
    recording = lstm_core.record(lstm, torch.randn(T, 3, dtype=dtype))
    assert isinstance(recording, lstm_core.Recording)
    return recording


@given(
    shapes=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=3), max_size=4),
    text=st.text(max_size=20),
)
def test_the_formats_own_library_reads_what_we_write(shapes: list[list[int]], text: str) -> None:
    arrays = {f"array {n}\u00e9": torch.randn(shape) for n, shape in enumerate(shapes)}
    entries = [(name, Entry("F32", tuple(t.shape))) for name, t in arrays.items()]
    data = encode_header(entries, {"about": text}) + b"".join(
        t.numpy().tobytes() for t in arrays.values()
    )
    read = safetensors.torch.load(data)
    assert set(read) == set(arrays)
    assert all(torch.equal(read[name], array) for name, array in arrays.items())
    found, metadata = read_header(io.BytesIO(data))
    assert metadata == {"about": text}
    for name, entry in found.items():
        own = data[entry.start : entry.start + entry.nbytes]
        assert own == arrays[name].numpy().tobytes()
        assert entry.shape == tuple(arrays[name].shape)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_a_recording_is_written_in_every_precision(dtype: torch.dtype, tmp_path: Path) -> None:
    recording = recorded(dtype)
    path = tmp_path / "recording.safetensors"
    recording.save(path)
    assert path.read_bytes() == recording.to_bytes()
    read = safetensors.torch.load_file(path)
    assert torch.equal(read["x"], recording.x)
    for (quantity, layer, direction), array in recording.arrays.items():
        assert torch.equal(read[f"{layer}.{direction}.{quantity}"], array)
    assert lstm_core.Recording.load(path).to_bytes() == recording.to_bytes()


def test_the_range_of_every_array_is_written_beside_it(tmp_path: Path) -> None:
    recording = recorded()
    assert recording.parity < 1e-5  # before the input is changed
    recording.x[0, 0], recording.x[1, 1] = float("nan"), float("-inf")
    finite = recording.x[recording.x.isfinite()]
    with (tmp_path / "recording").open("wb") as file:
        recording.write(file)
    with safetensors.safe_open(tmp_path / "recording", "pt") as opened:
        ranges = json.loads(opened.metadata()["gatescope"])["ranges"]
        assert set(ranges) == set(opened.keys())
    assert ranges["x"] == [float(finite.min()), float(finite.max()), False]
    h = recording["h", 1, "backward"]
    assert ranges["1.backward.h"] == [float(h.min()), float(h.max()), True]


def test_each_array_is_written_from_where_it_lies() -> None:
    """No copy of all of them: the largest piece is the largest array."""

    class Pieces(io.RawIOBase):
        def __init__(self) -> None:
            self.sizes: list[int] = []

        def write(self, data: object) -> int:
            size = memoryview(data).nbytes  # type: ignore[arg-type]
            self.sizes.append(size)
            return size

    recording = recorded(T=500)
    pieces = Pieces()
    recording.write(pieces)  # type: ignore[arg-type]
    header, *arrays = pieces.sizes
    assert max(arrays) == 500 * 4 * 4
    assert header + sum(arrays) == len(recording.to_bytes())


# --- how far it is ------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_every_layer_and_direction_is_told_before_it_runs(threads: int) -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    x = torch.randn(6, 3)
    before = torch.get_num_threads()
    steps: list[tuple[int, int, str]] = []
    torch.set_num_threads(threads)
    try:
        recording = lstm_core.record(lstm, x, progress=lambda *step: steps.append(step))
    finally:
        torch.set_num_threads(before)
    if threads == 1:
        assert steps == [
            (0, 4, "layer 0 forward"),
            (1, 4, "layer 0 backward"),
            (2, 4, "layer 1 forward"),
            (3, 4, "layer 1 backward"),
        ]
    else:
        assert steps == [
            (0, 4, "layer 0 forward and backward"),
            (2, 4, "layer 1 forward and backward"),
        ]
    plain = lstm_core.record(lstm, x)
    assert all(torch.equal(recording.arrays[key], plain.arrays[key]) for key in plain.arrays)
    steps.clear()
    recording.write(io.BytesIO(), progress=lambda *step: steps.append(step))
    assert steps == [(0, 2, "comparing with PyTorch"), (1, 2, "writing")]
