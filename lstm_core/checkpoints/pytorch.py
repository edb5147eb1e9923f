"""Reads what torch.save wrote, without running any of it.

The only reader is ``torch.load(weights_only=True)``; there is no second attempt with less care.
Before it, the container's own figures are checked, and the pickle is followed on paper
(``pickled``): it is refused if it names something that acts, and gets inert stand-ins
(``standins``) for the classes it names beside its weights. After it, only dense tensors of plain
numbers are taken, each checked against its storage.

weights_only does not bound memory. A stranger's file is read in a child process (``sandbox``).
"""

from __future__ import annotations

import io
import mmap
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from lstm_core.checkpoints import pickled, reparametrized, standins, tree
from lstm_core.checkpoints.contents import Array, Contents, Limits, TensorInfo
from lstm_core.checkpoints.pickled import SAVE
from lstm_core.errors import CheckpointError

FORMAT = "PyTorch"

#: The first number of a file of torch.save before 1.6.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
#: Such a file begins with five pickles: this number, a version, the machine, the data, the keys.
LEGACY_PICKLES = 5

#: How large the pickle of a zip file may be; the rest of the file is numbers.
PICKLE_BYTES = 256_000_000
#: How many names of classes a file may have.
NAMES = 300

DTYPES = {
    torch.float16: "float16",
    torch.bfloat16: "bfloat16",
    torch.float32: "float32",
    torch.float64: "float64",
}

# Functions with which PyTorch writes tensors that have no plain numbers behind them.
PECULIAR = {
    "torch._utils._rebuild_qtensor": "quantized tensors; save the model before it is quantized",
    "torch._utils._rebuild_sparse_tensor": "sparse tensors; make them dense with .to_dense()",
    "torch._utils._rebuild_meta_tensor_no_storage": "tensors on the meta device, without numbers",
    "torch._utils._rebuild_nested_tensor": "nested tensors",
    "torch._utils._rebuild_wrapper_subclass": "tensors of somebody's own kind",
    "torch._utils._rebuild_device_tensor_from_numpy": (
        "tensors of a device PyTorch does not read back by itself; "
        "move the model with model.cpu() before saving"
    ),
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": (
        "tensors of a device PyTorch does not read back by itself; "
        "move the model with model.cpu() before saving"
    ),
}

# The names given to torch.load are those of the whole process.
_loading = threading.Lock()


def read(path: Path, limits: Limits) -> Contents:
    """The tensors and tables of a file of torch.save, of any age, saved on any device."""
    with path.open("rb") as file:
        found = look_into_zip(file, limits) if is_zip(file) else look_into_legacy(file)
        refuse(found)
        root = load(path, file, found)
    walked = tree.walk(root, limits)
    tensors, notes = plain(walked.tensors)
    refuse_without_tensors(walked, tensors)
    weights = reparametrized.resolved(named(tensors))
    check(weights.named, limits)
    return Contents(
        format=FORMAT,
        tensors={
            name: TensorInfo(weight.shape, DTYPES[weight.dtype])
            for name, weight in weights.named.items()
        },
        read=reader(weights.named),
        tables={
            ".".join(path)[: limits.name_characters] or "list": table
            for path, table in walked.tables.items()
        },
        notes=[*notes, *weights.notes, *notes_on(walked)],
    )


# ------------------------------------------------------------------------- before torch.load


def is_zip(file: BinaryIO) -> bool:
    """By the first bytes, as torch.load decides; a zip archive's own mark is at its end."""
    file.seek(0)
    return file.read(4) == b"PK\x03\x04"


def look_into_zip(file: BinaryIO, limits: Limits) -> pickled.Look:
    """Check the archive's own figures, and follow its pickle."""
    size = file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        check_members(members, size, limits)
        data = [member for member in members if member.filename.endswith("/data.pkl")]
        if len(data) != 1:
            raise CheckpointError(
                "This zip archive is not one of torch.save.",
                came=f"{len(data)} members called data.pkl",
                expected=f"a file saved with {SAVE}",
            )
        if data[0].file_size > PICKLE_BYTES:
            raise CheckpointError(
                "This file's list of contents is larger than any list of weights.",
                came=f"{data[0].file_size:,} bytes",
                expected=f"at most {PICKLE_BYTES:,} bytes",
            )
        return pickled.look(io.BytesIO(archive.read(data[0])))


def check_members(members: list[zipfile.ZipInfo], size: int, limits: Limits) -> None:
    """torch.save stores each member once and as it is, so together they fit into the file."""
    if len(members) > limits.tensors * 4 + 100:
        raise CheckpointError(
            "This PyTorch file has more members than a model has weights.",
            came=f"{len(members):,} members",
            expected=f"at most {limits.tensors:,} tensors",
        )
    names = {member.filename for member in members}
    refuse_other_archives(names)
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise CheckpointError(
            "This PyTorch file is compressed inside, which torch.save never does.",
            came="members that become larger when they are read",
            expected=f"the file as {SAVE} writes it",
        )
    claimed = sum(member.file_size for member in members)
    if len(names) < len(members) or claimed > size:
        raise CheckpointError(
            "This PyTorch file says it holds more than it does.",
            came=f"members of {claimed:,} bytes in a file of {size:,}",
            expected="a whole file: copy or download it again",
        )


def refuse_other_archives(names: Iterable[str]) -> None:
    """PyTorch has other archives, which hold programs."""
    short = {name.partition("/")[2] or name for name in names}
    if "archive_format" in short or any(
        name.endswith(("serialized_exported_program.json", "models/model.json")) for name in names
    ):
        raise CheckpointError(
            "This is a program saved with torch.export, not weights.",
            came="a .pt2 archive",
            expected=f"the weights of the model it was exported from: {SAVE}",
        )
    if "constants.pkl" in short or any(name.startswith("code/") for name in short):
        raise CheckpointError(
            "This is a TorchScript program, which runs when it is loaded; it was not loaded.",
            came="an archive of torch.jit.save",
            expected=f"its weights: where you trust it, model = torch.jit.load(file), then {SAVE}",
        )
    if ".data/extern_modules" in short:
        raise CheckpointError(
            "This is a package of code saved with torch.package; it was not loaded.",
            came="an archive of torch.package",
            expected=f"the weights of the model in it: {SAVE}",
        )


def look_into_legacy(file: BinaryIO) -> pickled.Look:
    """Follow the pickles at the beginning of a file of PyTorch before 1.6."""
    file.seek(0)
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        first = pickled.look(data)
        if first.first != LEGACY_MAGIC:
            refuse(first)
            raise CheckpointError(
                "This is a plain pickle, not a file of torch.save.",
                came="a pickle that was not opened",
                expected=f"the model's weights: {SAVE}",
            )
        data.seek(0)
        return pickled.look(data, LEGACY_PICKLES)


def refuse(found: pickled.Look) -> None:
    """Refuse what acts, what has no plain numbers, and what asks for memory without holding it."""
    found.refuse_code()
    for name in found.names:
        if name in PECULIAR or name.startswith("torch.sparse."):
            kind = PECULIAR.get(name, "sparse tensors")
            raise CheckpointError(
                "This file's tensors are of a kind that is not read here.",
                came=kind,
                expected=f"dense tensors of floating-point numbers: {SAVE}",
            )
    if grabbing := sorted(name for name in found.called if grabs(name)):
        raise CheckpointError(
            "This file asks for memory instead of holding numbers.",
            came=f"a call of {grabbing[0]}",
            expected=f"a file saved with {SAVE}",
        )
    if "module" in found.persistent:
        raise whole_module("a module with its source code")
    if len(found.names) > NAMES:
        raise CheckpointError(
            "This file names more classes than a checkpoint needs.",
            came=f"{len(found.names):,} names",
            expected=f"a file that holds tensors only: {SAVE}",
        )


def grabs(name: str) -> bool:
    """Whether a call of this can set aside any amount of memory."""
    last = name.rpartition(".")[2]
    return name == "builtins.bytearray" or (
        name.startswith("torch.") and (last.endswith(("Storage", "Tensor")))
    )


def whole_module(came: str) -> CheckpointError:
    """The error for a network saved with its class."""
    return CheckpointError(
        "This is a whole module, pickled: opening it would run the code of its classes.",
        came=came,
        expected="its weights by themselves. In the program that saved it, where its classes are, "
        'run these two lines: model = torch.load("the file", weights_only=False)'
        f"\n{SAVE}",
    )


# -------------------------------------------------------------------------------- torch.load


def load(path: Path, file: BinaryIO, found: pickled.Look) -> Any:
    """What torch.load makes of the file, with stand-ins for the classes it names."""
    with (
        _loading,
        torch.serialization.safe_globals(standins.stand_ins(found)),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # about protocols and deprecated classes
        if found.newer:
            return torch.load(rewritten(file), map_location="cpu", weights_only=True)
        file.seek(0)
        # torch.load takes a path with this ending for another format.
        if path.suffix == ".safetensors" or not is_zip(file):
            file.seek(0)
            return torch.load(file, map_location="cpu", weights_only=True)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)


def rewritten(file: BinaryIO) -> io.BytesIO:
    """The same file with its pickles in protocol 2, which weights_only reads."""
    out = io.BytesIO()
    if is_zip(file):
        with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w") as new:
            for member in old.infolist():
                data = old.read(member)
                if member.filename.endswith("/data.pkl"):
                    data = pickled.as_protocol_2(io.BytesIO(data))
                new.writestr(member.filename, data)
    else:
        file.seek(0)
        for _ in range(LEGACY_PICKLES):
            out.write(pickled.as_protocol_2(file))
        out.write(file.read())
    out.seek(0)
    return out


# -------------------------------------------------------------------------- after torch.load


def plain(
    tensors: dict[tuple[str, ...], torch.Tensor],
) -> tuple[dict[tuple[str, ...], torch.Tensor], list[str]]:
    """The dense tensors of floating-point numbers, and what is to be said of the others."""
    kept: dict[tuple[str, ...], torch.Tensor] = {}
    others: set[str] = set()
    expanded: list[CheckpointError] = []
    notes: list[str] = []
    for path, tensor in tensors.items():
        name = ".".join(path)[:100]
        refuse_tensor(name, tensor)
        if error := says_too_much(name, tensor):
            expanded.append(error)
            notes.append(f"Left out: {name}, which is expanded.")
        elif tensor.dtype in DTYPES:
            kept[path] = tensor.detach()
        elif tensor.dtype.is_floating_point or tensor.dtype.is_complex:
            others.add(str(tensor.dtype).removeprefix("torch."))
    if expanded and not kept:
        raise expanded[0]
    if others:
        notes.append(f"Left out: tensors of {', '.join(sorted(others))} numbers.")
    return without_stray_scalars(kept), notes


def refuse_tensor(name: str, tensor: torch.Tensor) -> None:
    """Refuse tensors that have no numbers, or not as rows of them."""
    kind = None
    if tensor.is_nested:
        kind = "nested"
    elif tensor.layout != torch.strided:
        kind = "sparse"
    elif tensor.is_quantized:
        kind = "quantized"
    elif tensor.device.type != "cpu":
        kind = f"on the {tensor.device.type} device, without numbers"
    if kind is not None:
        raise CheckpointError(
            "This file's tensors are of a kind that is not read here.",
            came=f"{name or 'a tensor'}, which is {kind}",
            expected=f"dense tensors of floating-point numbers: {SAVE}",
        )


def says_too_much(name: str, tensor: torch.Tensor) -> CheckpointError | None:
    """What is wrong with a tensor whose shape promises more numbers than there are.

    Its numbers must never be asked for: a few bytes can promise any number of them.
    """
    needed = tensor.numel() * tensor.element_size()
    held = tensor.untyped_storage().nbytes()
    if needed <= held:
        return None
    return CheckpointError(
        "A tensor in this file says it holds more numbers than it does.",
        came=f"{name or 'a tensor'}: {needed:,} bytes by its shape, {held:,} in the file",
        expected="tensors with all their numbers; .contiguous() writes out an expanded one",
    )


def without_stray_scalars(
    tensors: dict[tuple[str, ...], torch.Tensor],
) -> dict[tuple[str, ...], torch.Tensor]:
    """Without losses and scores: single numbers that do not lie beside weights."""
    holders = {path[:-1] for path, tensor in tensors.items() if tensor.ndim > 0}
    return {
        path: tensor
        for path, tensor in tensors.items()
        if tensor.ndim > 0 or path[:-1] in holders or not holders
    }


def refuse_without_tensors(walked: tree.Tree, tensors: dict[tuple[str, ...], torch.Tensor]) -> None:
    """Say what the file is, if there is nothing in it to look at."""
    if tensors:
        return
    if walked.modules:
        raise whole_module(f"an object of the class {walked.modules[0][:100]}")
    if walked.optimizer:
        raise CheckpointError(
            "This is an optimizer's state, not a network.",
            came="what an optimizer keeps for each weight, without the weights",
            expected=f"the network's own weights: {SAVE}",
        )
    if walked.arrays:
        raise CheckpointError(
            "This file holds NumPy arrays, not tensors.",
            came="arrays pickled by torch.save",
            expected=f"tensors: {SAVE}",
        )
    raise CheckpointError(
        "This PyTorch file holds no weights.",
        came="no tensor of floating-point numbers" + seen(walked),
        expected=f"a network's weights: {SAVE}",
    )


def seen(walked: tree.Tree) -> str:
    """What else was there."""
    if walked.objects:
        return f", but an object of {next(iter(walked.objects))[:100]}"
    return ", but lists of strings" if walked.tables else ""


def named(tensors: dict[tuple[str, ...], torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors under their names."""
    names = tree.names_of(list(tensors), [tensor.numel() for tensor in tensors.values()])
    if len(set(names)) < len(names):
        raise CheckpointError(
            "Two tensors in this file have the same name.",
            came=next(name for name in names if names.count(name) > 1)[:100],
            expected="one tensor per name",
        )
    return dict(zip(names, tensors.values(), strict=True))


def check(weights: dict[str, reparametrized.Weight], limits: Limits) -> None:
    """Compare what there is with what is allowed."""
    infos = {name: TensorInfo(weight.shape, "") for name, weight in weights.items()}
    exceeded(infos, limits)


def exceeded(infos: dict[str, TensorInfo], limits: Limits) -> None:
    """Raise CheckpointError for the first limit that these tensors exceed."""
    longest = max((len(name) for name in infos), default=0)
    deepest = max((len(info.shape) for info in infos.values()), default=0)
    widest = max((length for info in infos.values() for length in info.shape), default=0)
    for what, came, allowed in (
        ("tensors", len(infos), limits.tensors),
        ("characters in a name", longest, limits.name_characters),
        ("dimensions of a tensor", deepest, limits.rank),
        ("entries along a dimension", widest, limits.dimension),
        ("numbers", sum(info.size for info in infos.values()), limits.parameters),
    ):
        if came > allowed:
            raise CheckpointError(
                "This file holds more than is read here.",
                came=f"{came:,} {what}",
                expected=f"at most {allowed:,} {what}",
            )
    if bad := [name for name in infos if not name.isprintable()]:
        raise CheckpointError(
            "A tensor in this file has a name that is not text.",
            came=ascii(bad[0][:60]),
            expected="names of printable characters",
        )


def notes_on(walked: tree.Tree) -> list[str]:
    """What was passed by."""
    notes = []
    if walked.optimizer:
        notes.append("Left out: the optimizer's state.")
    if walked.modules:
        notes.append(
            f"Left out: {walked.modules[0][:100]}, a whole module pickled beside the weights."
        )
    if walked.objects:
        names = list(walked.objects)
        more = " …" if len(names) > 4 else ""
        notes.append(f"Left out: objects of {', '.join(name[:100] for name in names[:4])}{more}.")
    return notes


def reader(weights: dict[str, reparametrized.Weight]) -> Callable[..., dict[str, Array]]:
    """``Contents.read`` for these weights."""

    def read_some(names: Iterable[str]) -> dict[str, Array]:
        return {name: as_array(weights[name]) for name in names}

    return read_some


def as_array(weight: reparametrized.Weight) -> Array:
    """A copy of the numbers, in C order, float64 as it is and everything else as float32."""
    tensor = weight.make()
    if tuple(tensor.shape) != weight.shape:
        raise ValueError(f"{tuple(tensor.shape)} instead of {weight.shape}")
    wanted = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    return np.array(tensor.to(wanted).numpy(), order="C", copy=True)
