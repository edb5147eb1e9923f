"""Makes files that make careless readers run code, hang, crash or take all memory. All harmless.

Each is a few lines; ``files/hang.h5``, which a fuzzer found, is the only one kept as it is.
"""

from __future__ import annotations

import functools
import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests.checkpoints.torch_files import ignoring_warnings, saved, weights

MAGIC = 0x1950A86A20F9469CFC6C
HANG = Path(__file__).parent / "files" / "hang.h5"


class Runs:
    """A value whose pickle calls a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def shell(marker: Path) -> Runs:
    return Runs(os.system, f"echo ran > '{marker}'")


def raw_pickles(marker: Path) -> dict[str, bytes]:
    """Plain pickles that write a marker when they are opened."""
    value = {"state_dict": {"a": 1}, "x": shell(marker)}
    files = {f"pickle{number}": pickle.dumps(value, protocol=number) for number in range(6)}
    command = f"echo ran > '{marker}'"
    evaluated = Runs(eval, f"__import__('os').system({command!r})")
    return files | {"eval": pickle.dumps(evaluated), "import": import_pickle(marker)}


def import_pickle(marker: Path) -> bytes:
    """getattr(__import__("os"), "system")(...), so that the dangerous name is a mere string."""
    return (
        b"\x80\x02cbuiltins\ngetattr\ncbuiltins\n__import__\nX\x02\x00\x00\x00os\x85R"
        b"X\x06\x00\x00\x00system\x86R" + text(f"echo ran > '{marker}'") + b"\x85R."
    )


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def archive(pickled: bytes, **members: bytes) -> bytes:
    """A zip file as torch.save makes it, with any pickle."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as written:
        written.writestr("archive/data.pkl", pickled)
        written.writestr("archive/version", b"3\n")
        written.writestr("archive/byteorder", b"little")
        for name, content in members.items():
            written.writestr(f"archive/data/{name.removeprefix('d')}", content)
    return out.getvalue()


def legacy(pickled: bytes) -> bytes:
    """A file of torch.save before 1.6, with any pickle."""
    before = [MAGIC, 1001, {"protocol_version": 1001, "little_endian": True}]
    parts = [pickle.dumps(value, protocol=2) for value in before]
    return b"".join([*parts, pickled, pickle.dumps([], protocol=2)])


def running(marker: Path) -> dict[str, bytes]:
    """Every form of file that writes a marker if it is opened carelessly."""
    files: dict[str, bytes] = {}
    for name, pickled in raw_pickles(marker).items():
        files |= {name: pickled, f"{name}_zip": archive(pickled), f"{name}_old": legacy(pickled)}
    beside = {"state_dict": weights(), "x": shell(marker)}
    files["beside_weights"] = saved(beside)
    files["beside_weights_old"] = saved(beside, legacy=True)
    files["beside_weights_4"] = saved(beside, protocol=4)
    return files


def storage(kind: str, key: str, count: int) -> bytes:
    """The reference to a storage, in a pickle."""
    number = b"\x8a\x08" + struct.pack("<q", count)
    return (
        b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu")
        + number + b"tQ"
    )  # fmt: skip


def tensor(count: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    """A tensor over a storage of ``count`` numbers, of any shape and stride."""

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", value) for value in values) + b"t"

    return (
        b"\x80\x02}" + text("weight") + b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage("FloatStorage", "0", count) + b"K\x00" + numbers(shape) + numbers(stride)
        + b"\x89ccollections\nOrderedDict\n)RtRs."
    )  # fmt: skip


def call(module: str, name: str, number: int) -> bytes:
    """A pickle that calls a function with a number."""
    head = f"c{module}\n{name}\n".encode()
    return b"\x80\x02}" + text("a") + head + b"\x8a\x08" + struct.pack("<q", number) + b"\x85Rs."


def doubled(times: int) -> bytes:
    return b"\x80\x02)" + b"".join(b"q\x00h\x00\x86" for _ in range(times)) + b"."


def nested(depth: int) -> bytes:
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


def cyclic() -> bytes:
    value: dict[str, Any] = {}
    value["itself"] = [value]
    return pickle.dumps(value, protocol=2)


def deflated(size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("archive/data.pkl", tensor(size // 4, (size // 4,), (1,)))
        written.writestr("archive/version", b"3\n")
        with written.open("archive/data/0", "w") as member:
            for _ in range(size >> 20):
                member.write(bytes(1 << 20))
    return out.getvalue()


@functools.cache
def peculiar() -> dict[str, bytes]:
    """Tensors that are not dense or have no numbers."""
    with ignoring_warnings():
        dense = torch.eye(3)
        values = {
            "sparse_coo": dense.to_sparse(),
            "sparse_csr": dense.to_sparse_csr(),
            "quantized": torch.quantize_per_tensor(dense, 0.1, 0, torch.qint8),
            "meta": torch.ones(2, 2, device="meta"),
            "nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
            "complex": torch.ones(2, dtype=torch.complex64),
            "rank": torch.ones([1] * 60),
            "integers": torch.ones(3, dtype=torch.int64),
        }
        return {name: saved({"weight": value}) for name, value in values.items()}


@functools.cache
def bombs() -> dict[str, bytes]:
    """PyTorch files that take memory or time out of all proportion."""
    big = 20_000_000_000
    sixteen = bytes(64)
    return {
        "bytearray": archive(call("builtins", "bytearray", big)),
        "bytearray_old": legacy(call("builtins", "bytearray", big)),
        "untyped": archive(call("torch.storage", "UntypedStorage", big)),
        "typed": archive(call("torch", "FloatStorage", big)),
        "empty_tensor": archive(call("torch", "Tensor", big)),
        "claimed_storage": archive(tensor(25_000_000_000, (25_000_000_000,), (1,)), d0=sixteen),
        "claimed_storage_old": legacy(tensor(25_000_000_000, (25_000_000_000,), (1,))),
        "claimed_shape": archive(tensor(16, (25_000_000_000,), (1,)), d0=sixteen),
        "stride_0": archive(tensor(16, (25_000_000_000,), (0,)), d0=sixteen),
        "negative": archive(tensor(16, (-4,), (1,)), d0=sixteen),
        "overflow": archive(tensor(16, (1 << 62, 4), (0, 0)), d0=sixteen),
        "laughs": archive(doubled(60)),
        "deep": archive(nested(200_000)),
        "cyclic": archive(cyclic()),
        "deflated": deflated(64 << 20),
        "many_members": archive(tensor(1, (1,), (1,)), **{f"d{n}": b"1234" for n in range(21_000)}),
        "many_names": archive(many_names(2000)),
        "endless": b"\x80\x02" + b")0" * 50_000,
    }


def many_names(count: int) -> bytes:
    return b"\x80\x02(" + b"".join(f"cmine\nC{n}\n".encode() for n in range(count)) + b"t."


# -------------------------------------------------------------------------------- safetensors


def safetensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file with any header."""
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(content) if length is None else length) + content + data


def entry(shape: list[Any], begin: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@functools.cache
def bad_safetensors() -> dict[str, bytes]:
    four = entry([1], 0, 4)
    return {
        "length_huge": safetensors(b"{}", length=1 << 63),
        "length_over": safetensors(b"{}", length=100),
        "no_json": safetensors(b'{"a": '),
        "no_object": safetensors(b"[1]"),
        "bad_utf8": safetensors(b'{"\xff": 1}'),
        "deep_json": safetensors(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        "overflow": safetensors({"a": entry([1 << 62, 4], 0, 4)}, b"1234"),
        "claim": safetensors({"a": entry([25_000_000_000], 0, 100_000_000_000)}, b"1234"),
        "overlap": safetensors({"a": four, "b": four}, b"1234"),
        "hole": safetensors({"a": four, "b": entry([1], 8, 12)}, bytes(12)),
        "negative": safetensors({"a": entry([-1], 0, 4)}, b"1234"),
        "not_numbers": safetensors({"a": entry(["x"], 0, 4)}, b"1234"),
        "no_type": safetensors({"a": {"shape": [1], "data_offsets": [0, 4]}}, b"1234"),
        "unknown_type": safetensors({"a": entry([1], 0, 4, "F31")}, b"1234"),
        "trailing": safetensors({"a": four}, b"12345678"),
        "many_empty": safetensors({f"t{n}": entry([0], 0, 0) for n in range(200_000)}),
        "rank": safetensors({"a": entry([1] * 100_000, 0, 4)}, b"1234"),
        "large_shape": safetensors({"a": entry([0, 1 << 62], 0, 0)}),
        "twice": safetensors(
            b'{"a":' + json.dumps(four).encode() + b',"a":' + json.dumps(four).encode() + b"}",
            b"1234",
        ),
        "bad_name": safetensors({"a\0\u202e": four}, b"1234"),
        "long_name": safetensors({"a" * 10_000: four}, b"1234"),
        "metadata": safetensors({"__metadata__": {"a": "x" * 5_000_000}, "b": four}, b"1234"),
        "empty": safetensors({}),
    }


def benign() -> dict[str, bytes]:
    """Small files that are well, to be cut and changed."""
    from safetensors.torch import save

    tensors = weights()
    with_more = {"model": tensors, "vocab": OrderedDict(a=0, b=1), "tags": ["A", "B"]}
    return {
        "zip": saved(with_more),
        "old": saved(with_more, legacy=True),
        "protocol_4": saved(with_more, protocol=4),
        "safetensors": save(tensors, {"tags": '["A", "B"]'}),
    }
