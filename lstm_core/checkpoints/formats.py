"""Tells by its bytes what a file is, and lets the reader for it read it. No torch here.

A file's name says nothing: weights are called .bin, .pt, .ckpt or anything else. What is not a
checkpoint is refused by the name of what it is, with what to do.
"""

from __future__ import annotations

import importlib
import mmap
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from lstm_core.checkpoints import pickled
from lstm_core.checkpoints.contents import Contents, Limits
from lstm_core.checkpoints.pickled import SAVE
from lstm_core.errors import CheckpointError

T = TypeVar("T")

DEFAULT_LIMITS = Limits()

#: What is read, in a sentence.
FORMATS = "PyTorch, safetensors, ONNX, Keras (.keras or .h5)"
WEIGHTS = f"a network's weights: {FORMATS}"
AGAIN = "a whole file: copy or download it again"

#: The readers, each with a function read(path, limits); imported when a file needs them.
READERS = {
    "PyTorch": "pytorch",
    "safetensors": "safetensors_file",
    "ONNX": "onnx_file",
    "Keras": "keras_file",
}

HDF5 = b"\x89HDF\r\n\x1a\n"
#: The number with which torch.save begins, before 1.6, as a pickle holds it.
LEGACY = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."

#: How many bytes from the start are looked at, other than by readers.
HEAD = 8192

_ARCHIVE = "the file with the weights that is packed in it"
_PICTURE = "This is a picture."
#: What other files begin with: the bytes, what that is, and what to bring.
SIGNATURES = (
    (b"GGUF", "This is a GGUF file, of language models that are no LSTMs.", WEIGHTS),
    (b"\x1f\x8b", "This is a gzip archive.", _ARCHIVE),
    (b"BZh", "This is a bzip2 archive.", _ARCHIVE),
    (b"\xfd7zXZ\x00", "This is an xz archive.", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", "This is a zstd archive.", _ARCHIVE),
    (b"\x04\x22\x4d\x18", "This is an lz4 archive.", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", "This is a 7z archive.", _ARCHIVE),
    (b"Rar!", "This is a RAR archive.", _ARCHIVE),
    (b"PK\x05\x06", "This is a zip archive with nothing in it.", WEIGHTS),
    (b"\x93NUMPY", "This is a NumPy array (.npy), one without a name.", WEIGHTS),
    (b"\x89PNG", _PICTURE, WEIGHTS),
    (b"\xff\xd8\xff", _PICTURE, WEIGHTS),
    (b"GIF8", _PICTURE, WEIGHTS),
    (b"%PDF", "This is a PDF document.", WEIGHTS),
    (b"\x7fELF", "This is a program.", WEIGHTS),
    (b"MZ", "This is a program.", WEIGHTS),
    (b"PAR1", "This is a Parquet table.", WEIGHTS),
    (b"ARROW1", "This is an Arrow table.", WEIGHTS),
    (b"SQLite format 3", "This is a database.", WEIGHTS),
)


def read(path: Path, limits: Limits = DEFAULT_LIMITS) -> Contents:
    """What is in a file, whatever its format; raises CheckpointError, and nothing else.

    A stranger's file is read in a process of its own (``sandbox``): a reader can hang or crash.
    """
    try:
        kind = guarded("", lambda: kind_of(path, limits))
        reader = importlib.import_module(f"lstm_core.checkpoints.{READERS[kind]}")
    except OSError as error:
        raise CheckpointError(
            "This file cannot be opened.",
            came="no file, or none that may be read",
            expected=WEIGHTS,
        ) from error
    contents: Contents = guarded(kind, lambda: reader.read(path, limits))
    inner = contents.read
    return replace(contents, read=lambda names: guarded(kind, lambda: inner(names)))


def guarded(kind: str, reading: Callable[[], T]) -> T:
    """What a reader returns, with one error for all that it and its library can raise."""
    try:
        return reading()
    except CheckpointError:
        raise
    except Exception as error:
        if not kind and isinstance(error, OSError):
            raise
        raise failure(kind, error) from error
    except BaseException as error:
        # What a library in Rust raises when it fails is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise failure(kind, error) from error


def failure(kind: str, error: BaseException) -> CheckpointError:
    """A reader's exception, in words."""
    file = f"{kind} file" if kind else "file"
    if isinstance(error, MemoryError) or "allocate memory" in str(error):
        return CheckpointError(
            "Reading this file takes more memory than is allowed.",
            came=f"a {file} that is very large, or asks for memory without holding it",
            expected="the weights by themselves, without an optimizer's state",
        )
    return CheckpointError(
        f"This {file} is damaged or cut off, or was written in a way that is not read here.",
        came="a file that its own library does not read",
        expected=AGAIN,
    )


# --------------------------------------------------------------------------- what a file is


def kind_of(path: Path, limits: Limits = DEFAULT_LIMITS) -> str:
    """A key of READERS; raises CheckpointError for anything else."""
    if path.is_dir():
        raise CheckpointError(
            "This is a folder, not a file.",
            came="a folder (TensorFlow's SavedModel is one)",
            expected=f"one file: {FORMATS}",
        )
    size = path.stat().st_size
    if size == 0:
        raise CheckpointError("This file is empty.", came="0 bytes", expected=WEIGHTS)
    if size > limits.file_bytes:
        raise CheckpointError(
            "This file is larger than is read here.",
            came=f"{size:,} bytes",
            expected=f"at most {limits.file_bytes:,} bytes: the weights without optimizer state",
        )
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return kind_of_bytes(path, data)


def kind_of_bytes(path: Path, data: mmap.mmap) -> str:
    """``kind_of``, for a file that is open."""
    head = data[:HEAD]
    if any(data[start : start + 8] == HDF5 for start in (0, 512, 1024, 2048)):
        return "Keras"
    if head.startswith(b"PK\x03\x04"):
        return kind_of_zip(path)
    if is_safetensors(data):
        return "safetensors"
    if head[:1] == b"\x80" and LEGACY in head[:64]:
        return "PyTorch"
    refuse_signatures(head, data)
    if is_text(head):
        refuse_if_pickled(data)
        refuse_text(head)
    if is_protobuf(data):
        return "ONNX"
    refuse_if_pickled(data)
    raise CheckpointError(
        "This file is of no kind that is known here, or its beginning is damaged.",
        came=f"a file that begins with the bytes {head[:8].hex(' ')}",
        expected=WEIGHTS,
    )


def is_safetensors(data: mmap.mmap) -> bool:
    """A length, then JSON; a file that was cut off has the beginning too."""
    length = int.from_bytes(data[:8], "little")
    return data[8:9] == b"{" and (length <= len(data) or data[8:10] in (b'{"', b"{}"))


def kind_of_zip(path: Path) -> str:
    """By the members of the archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CheckpointError(
            "This zip archive (of PyTorch, perhaps) is damaged or cut off.",
            came="an archive without its end",
            expected=AGAIN,
        ) from error
    if "config.json" in names and any(name.endswith(".weights.h5") for name in names):
        return "Keras"
    marks = ("data.pkl", "constants.pkl", "archive_format", "serialized_exported_program.json")
    if any(name.rpartition("/")[2] in marks for name in names):
        return "PyTorch"
    if names and all(name.endswith(".npy") for name in names):
        raise CheckpointError(
            "This is a NumPy archive (.npz).",
            came=f"{len(names):,} arrays",
            expected="the weights as safetensors: safetensors.numpy.save_file(dict(npz), ...)",
        )
    if "saved_model.pb" in {name.rpartition("/")[2] for name in names}:
        raise saved_model()
    raise CheckpointError(
        "This is a zip archive, but not one of PyTorch or Keras.",
        came=f"{len(names):,} members, none of which is a checkpoint's",
        expected="the file with the weights itself, not packed into an archive",
    )


def refuse_signatures(head: bytes, data: mmap.mmap) -> None:
    """Refuse what other programs write, by what it begins with."""
    for signature, what, instead in SIGNATURES:
        if head.startswith(signature):
            raise CheckpointError(what, came="something else than weights", expected=instead)
    if head[:4] == b"RIFF" or head[4:8] == b"ftyp":
        raise CheckpointError(
            "This is a picture, sound or film.", came="no weights", expected=WEIGHTS
        )
    if head[257:262] == b"ustar":
        old = head.startswith((b"sys_info\0", b"pickle\0", b"storages\0", b"tensors\0"))
        raise CheckpointError(
            "This was saved with PyTorch before 0.2." if old else "This is a tar archive.",
            came="a tar archive",
            expected=f"the weights in today's form: {SAVE}" if old else _ARCHIVE,
        )
    if head[4:8] == b"TFL3":
        raise CheckpointError(
            "This is a TensorFlow Lite model.",
            came="a program for small devices, its weights rearranged",
            expected="the Keras model it was made from: model.save('model.keras')",
        )
    # The end of LevelDB's tables.
    if data[-8:] == bytes.fromhex("57fb808b247547db"):
        raise CheckpointError(
            "This is the index of a TensorFlow checkpoint.",
            came="names, without the numbers",
            expected="the Keras model: model.save('model.keras')",
        )
    if head[:1] == b"\x78" and head[1:2] in b"\x01\x5e\x9c\xda":
        raise CheckpointError(
            "This is compressed data, of joblib perhaps.", came="no weights", expected=_ARCHIVE
        )


def is_text(head: bytes) -> bool:
    """UTF-8 without control characters, perhaps cut within a character."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < HEAD or error.start < HEAD - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return not any(character < " " and character not in "\t\n\r\f" for character in text)


def refuse_text(head: bytes) -> None:
    """Refuse a text, by what it says."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            "This is a placeholder of Git LFS: the weights themselves were not downloaded.",
            came="a text of three lines that stands for the file",
            expected="the file itself: run git lfs pull in its repository, or download it",
        )
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml", b"<error")):
        raise CheckpointError(
            "This is a web page: the download brought a message instead of the file.",
            came="HTML or XML",
            expected="the file itself: download it again, in a browser if you must sign in there",
        )
    if start[:1] in (b"{", b"["):
        raise CheckpointError(
            "This is a JSON text, not weights.",
            came="a configuration or a vocabulary, perhaps",
            expected="the weights first; a vocabulary goes with them",
        )
    raise CheckpointError(
        "This is a text, not weights.",
        came="a vocabulary or a table, perhaps",
        expected="the weights first; a vocabulary goes with them",
    )


def refuse_if_pickled(data: mmap.mmap) -> None:
    """Refuse a pickle, with the name of what it would run if there is one."""
    data.seek(0)
    try:
        found = pickled.look(data)
    except CheckpointError:
        # A pickle that was cut off still begins like one.
        if data[:2] in {bytes([0x80, protocol]) for protocol in range(2, 6)}:
            raise
        return
    if data.tell() < 3:
        return
    found.refuse_code()
    joblib = any(name.startswith("joblib.") for name in found.names)
    raise CheckpointError(
        "This is a file of joblib." if joblib else "This is a plain pickle.",
        came="Python objects, which were not opened: opening a pickle can run code",
        expected=f"the model's weights: {SAVE}",
    )


# ----------------------------------------------------------------------------------- protobuf


def is_protobuf(data: mmap.mmap) -> bool:
    """Whether this may be ONNX; raises CheckpointError for the other protocol buffers."""
    fields = []
    whole = False
    for number, wire, start in top_level(data):
        if number == 0:
            whole = True
            break
        fields.append((number, wire, start))
        if len(fields) == 200:
            whole = True
            break
    if not fields:
        return False
    first = fields[0]
    if first[:2] == (1, 2) and whole:
        refuse_pieces(data, first[2])
        return False
    kinds = {(number, wire) for number, wire, _ in fields}
    if (1, 0) in kinds and kinds <= {(1, 0), (2, 2)} and whole and len(fields) > 1:
        if data[:2] == b"\x08\x01" and b"serve" in data[: 1 << 22]:
            raise saved_model()
        return False
    return (7, 2) in kinds and (1, 0) in kinds


def refuse_pieces(data: mmap.mmap, start: int) -> None:
    """A repeated first field: sentencepiece's pieces, or the nodes of TensorFlow's graph."""
    inner = data[start : start + 200]
    length = inner[1] if len(inner) > 1 else 0
    after = inner[2 + length : 3 + length]
    if inner[:1] == b"\x0a" and after == b"\x15":
        raise CheckpointError(
            "This is a sentencepiece model, which cuts text into pieces; it holds no network.",
            came="a tokenizer",
            expected=f"the network's weights ({FORMATS}); a vocabulary goes with them",
        )
    if inner[:1] == b"\x0a" and after == b"\x12":
        raise CheckpointError(
            "This is a frozen graph of TensorFlow 1.",
            came="a .pb file",
            expected="the Keras model it was made from: model.save('model.keras')",
        )


def saved_model() -> CheckpointError:
    return CheckpointError(
        "This is a SavedModel of TensorFlow, a program.",
        came="saved_model.pb",
        expected="the Keras model it was made from: model.save('model.keras')",
    )


def top_level(data: mmap.mmap) -> Iterator[tuple[int, int, int]]:
    """The fields of a message: number, wire type, where the value starts; (0, 0, 0) at its end."""
    here = 0
    while here < len(data):
        tag, here = varint(data, here)
        number, wire = tag >> 3, tag & 7
        if tag < 8 or number > 1000:
            return
        start = here
        if wire == 0:
            value, here = varint(data, here)
        elif wire == 2:
            length, start = varint(data, here)
            value, here = length, start + length
        elif wire in (1, 5):
            value, here = 0, here + (8 if wire == 1 else 4)
        else:
            return
        if value < 0:
            return
        yield number, wire, start
    if here == len(data):
        yield 0, 0, 0


def varint(data: mmap.mmap, here: int) -> tuple[int, int]:
    """A number of seven bits per byte, and where it ends; -1 if there is none."""
    value = 0
    for place in range(10):
        if here + place >= len(data):
            break
        byte = data[here + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, here + place + 1
    return -1, len(data) + 1
