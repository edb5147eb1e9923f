"""A file is known by its bytes; what is no checkpoint is called by its name."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from lstm_core.checkpoints import formats
from lstm_core.checkpoints.contents import Limits
from lstm_core.errors import CheckpointError
from tests.checkpoints import hostile_files
from tests.checkpoints.torch_files import ignoring_warnings, saved, weights


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", ".").replace("_DOT_", "."), content)
    return out.getvalue()


def tarred(name: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return out.getvalue()


def numpy_file(many: bool) -> bytes:
    out = io.BytesIO()
    np.savez(out, a=np.ones(2)) if many else np.save(out, np.ones(2))
    return out.getvalue()


def message(*fields: tuple[int, int | bytes]) -> bytes:
    """A protocol buffer."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += bytes([number << 3, value])
        else:
            out += bytes([number << 3 | 2, len(value)]) + value
    return out


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2\nsize 12345\n"
PIECE = b"\x0a\x03abc\x15" + struct.pack("<f", -1.5)

OTHERS = {
    "empty": (b"", "empty"),
    "lfs": (LFS, "Git LFS"),
    "html": (b"\n<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "xml": (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "web page"),
    "json": (b'{"the": 1, "a": 2}', "JSON"),
    "json list": (b'  ["the", "a"]', "JSON"),
    "text": ("the 1\nnaïve 2\n".encode() * 2000, "text"),
    "words": (b"the\na\n.\n", "text"),
    "sentencepiece": (message((1, PIECE), (1, PIECE), (2, b"\x0a\x00")), "sentencepiece"),
    "graph": (message((1, b"\x0a\x01a\x12\x05Const"), (4, b"")), "TensorFlow 1"),
    "saved model": (message((1, 1), (2, b"\x0a\x07\x22\x05serve")), "SavedModel"),
    "zipped saved model": (zipped(saved_model_DOT_pb=b"x"), "SavedModel"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(50), "TensorFlow Lite"),
    "tf index": (bytes(range(200)) + bytes.fromhex("57fb808b247547db"), "index of a TensorFlow"),
    "gguf": (b"GGUF\x03\0\0\0" + bytes(50), "GGUF"),
    "npy": (numpy_file(False), "NumPy array"),
    "npz": (numpy_file(True), "NumPy archive"),
    "pickle": (pickle.dumps({"a": [1, 2]}), "plain pickle"),
    "pickle 0": (pickle.dumps({"a": [1, 2]}, protocol=0), "plain pickle"),
    "cut pickle": (pickle.dumps(list(range(300)))[:-20], "damaged"),
    "joblib": (b"\x80\x03cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81.", "joblib"),
    "gzip": (gzip.compress(b"x"), "gzip"),
    "tar": (tarred("a.pt"), "tar archive"),
    "old tar": (tarred("storages"), r"PyTorch before 0\.2"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(30), "7z"),
    "rar": (b"Rar!\x1a\x07\x00" + bytes(30), "RAR"),
    "zip": (zipped(readme_DOT_txt=b"x"), "not one of PyTorch or Keras"),
    "empty zip": (zipped(), "nothing in it"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(30), "picture"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    "noise": (bytes([0x13, 0xF1, 0x07, 0x99] * 20), "no kind that is known"),
    "zeros": (bytes(5000), "no kind that is known"),
    "cut PyTorch": (saved(weights())[:2000], "damaged or cut off"),
    "cut safetensors": (hostile_files.benign()["safetensors"][:60], "damaged or cut off"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_checkpoint_is_called_by_its_name(tmp_path: Path, kind: str) -> None:
    data, words = OTHERS[kind]
    path = tmp_path / "weights.pt"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=words) as caught:
        formats.read(path)
    assert caught.value.came
    assert caught.value.expected
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="folder"):
        formats.read(tmp_path)
    with pytest.raises(CheckpointError, match="cannot be opened") as caught:
        formats.read(tmp_path / "no such file")
    assert str(tmp_path) not in str(caught.value)


def keras_archive() -> bytes:
    return zipped(config_DOT_json=b"{}", model_DOT_weights_DOT_h5=b"")


def script() -> bytes:
    out = io.BytesIO()
    with ignoring_warnings():
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 3)), out)
    return out.getvalue()


def onnx_model() -> bytes:
    import onnx
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    node = helper.make_node("Identity", ["x"], ["y"])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    model: onnx.ModelProto = helper.make_model(helper.make_graph([node], "g", [value], [output]))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("make", "reader"),
    [
        (lambda: saved(weights()), "PyTorch"),
        (lambda: saved(weights(), legacy=True), "PyTorch"),
        (lambda: saved(weights(), legacy=True, protocol=4), "PyTorch"),
        (script, "PyTorch"),
        (lambda: hostile_files.benign()["safetensors"], "safetensors"),
        (lambda: formats.HDF5 + bytes(100), "Keras"),
        (lambda: bytes(512) + formats.HDF5, "Keras"),
        (keras_archive, "Keras"),
        (onnx_model, "ONNX"),
        (lambda: onnx_model()[:-10], "ONNX"),
    ],
)
def test_each_format_goes_to_its_reader(
    tmp_path: Path, make: Callable[[], bytes], reader: str
) -> None:
    path = tmp_path / "weights.txt"
    path.write_bytes(make())
    assert formats.kind_of(path) == reader


class PanicException(BaseException):
    """As a library written in Rust raises it."""


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (RuntimeError("at /some/place/x.cpp:12"), "damaged"),
        (RecursionError(), "damaged"),
        (OSError(22, "Invalid argument", "/some/place"), "damaged"),
        (PanicException(), "damaged"),
        (MemoryError(), "more memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "more memory"),
    ],
)
def test_every_exception_of_a_reader_becomes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: BaseException, words: str
) -> None:
    from lstm_core.checkpoints import safetensors_file

    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(safetensors_file, "read", fail)
    path = tmp_path / "weights"
    path.write_bytes(hostile_files.benign()["safetensors"])
    with pytest.raises(CheckpointError, match=words) as caught:
        formats.read(path)
    assert "/some" not in str(caught.value)
    assert caught.value.__cause__ is raised


def test_a_failure_in_reading_the_numbers_becomes_one_too(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(hostile_files.benign()["safetensors"])
    contents = formats.read(path)
    path.unlink()
    with pytest.raises(CheckpointError, match="damaged"):
        contents.read(contents.tensors)


def test_a_file_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    with path.open("wb") as file:
        file.truncate(1001)
    with pytest.raises(CheckpointError, match="larger") as caught:
        formats.read(path, Limits(file_bytes=1000))
    assert "1,001" in str(caught.value.came)
