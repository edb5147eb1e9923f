"""What Keras saves: ``.keras``, ``.weights.h5`` and ``.h5``, read as JSON and HDF5. Nothing runs.

A model's description says what its layers are called and which function they apply; sizes come from
the weights alone, since a description may claim anything.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from lstm_core.checkpoints.contents import Contents, Limits
from lstm_core.checkpoints.hdf5 import MAX_RATIO, Tree, open_tree
from lstm_core.checkpoints.keras_layers import Layers
from lstm_core.checkpoints.keras_weights import InGroups, InTree
from lstm_core.checkpoints.tables import MAX_JSON
from lstm_core.errors import CheckpointError

ASSUMED = (
    "The file holds weights and no description of the model: its LSTMs are taken to read from left "
    "to right unless they are bidirectional, with tanh and sigmoid, and to come in the order of "
    "their names."
)


def read(path: Path, limits: Limits) -> Contents:
    """What a Keras file holds; ``CheckpointError`` where it is not one or holds what is refused."""
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise CheckpointError(
            "A Keras file that is too large.",
            came=f"{size:,} bytes",
            expected=f"at most {limits.file_bytes:,}",
        )
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"PK"):
        return _read_archive(path, limits)
    return _read_hdf5(open_tree(path, limits), limits)


def _read_archive(path: Path, limits: Limits) -> Contents:
    """``.keras``: config.json, model.weights.h5, and vocabularies in assets/."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, limits)
            if "config.json" not in members or "model.weights.h5" not in members:
                raise CheckpointError(
                    "A zip archive that is not a Keras model.",
                    came=", ".join(sorted(members))[:200] or "nothing in it",
                    expected="config.json and model.weights.h5, as model.save('x.keras') writes",
                )
            config = parse(_extract(archive, members["config.json"], MAX_JSON))
            weights = _extract(archive, members["model.weights.h5"], limits.file_bytes)
            layers = Layers(limits)
            _add(layers, config, InTree(open_tree(weights, limits), ""))
            for name, member in members.items():
                if name.startswith("assets/") and name.endswith("vocabulary.txt"):
                    lines = _extract(archive, member, MAX_JSON).decode(errors="replace").split("\n")
                    place = name.removeprefix("assets/").rpartition("/")[0]
                    layers.tables.add(layers.lookups.get(place, place.rpartition("/")[2]), lines)
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(
            "A damaged .keras file, or one that is cut short.",
            came="a zip archive that cannot be read",
            expected="a complete file; save it again",
        ) from error
    return layers.found.contents("Keras", layers.tables.found)


def _members(archive: zipfile.ZipFile, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    """The archive's files by their names, held against what a careful packer would make."""
    members = archive.infolist()
    declared = sum(member.file_size for member in members)
    if len(members) > limits.tensors or declared > limits.file_bytes:
        raise CheckpointError(
            "A .keras file with too much in it.",
            came=f"{len(members):,} files of {declared:,} bytes together",
            expected=f"at most {limits.tensors:,} of {limits.file_bytes:,} bytes",
        )
    for member in members:
        packed = member.compress_type != zipfile.ZIP_STORED
        most = member.compress_size * (MAX_RATIO if packed else 1)
        if member.flag_bits & 1 or member.file_size > most:
            raise CheckpointError(
                "A .keras file with a file in it that is encrypted or swells when unpacked.",
                came=f"'{member.filename[:100]}': {member.compress_size:,} bytes that become "
                f"{member.file_size:,}",
                expected="a file as model.save writes it",
            )
    by_name = {member.filename: member for member in members}
    if len(by_name) < len(members):
        raise CheckpointError(
            "A .keras file that holds two files of one name.",
            came=f"{len(members):,} files of {len(by_name):,} names",
            expected="a file as model.save writes it",
        )
    return by_name


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    if member.file_size > most:
        raise CheckpointError(
            "A .keras file with a file in it that is too large.",
            came=f"'{member.filename[:100]}' of {member.file_size:,} bytes",
            expected=f"at most {most:,}",
        )
    with archive.open(member) as file:
        return file.read(most)


def _read_hdf5(tree: Tree, limits: Limits) -> Contents:
    """``.h5`` with or without a description, or ``.weights.h5``."""
    layers = Layers(limits)
    described = tree.text("", "model_config")
    legacy = next((path for path in ("model_weights", "") if _is_legacy(tree, path)), None)
    weights = InTree(tree, "") if legacy is None else InGroups(tree, legacy)
    if described is not None:
        _add(layers, parse(described), weights)
    else:
        if not tree.datasets:
            raise CheckpointError(
                "An HDF5 file without weights.",
                came="no arrays of floating-point numbers",
                expected="a file written by model.save or model.save_weights",
            )
        layers.notes.append(ASSUMED)
        if isinstance(weights, InGroups):
            layers.infer_groups(weights)
        else:
            layers.infer(weights, "")
    return layers.found.contents("Keras", layers.tables.found)


def _is_legacy(tree: Tree, path: str) -> bool:
    return tree.texts(path, "layer_names") is not None


def _add(layers: Layers, config: dict[str, Any], weights: InTree | InGroups) -> None:
    """A model that its config describes; one that is a class of its own, by its weights."""
    inner = config.get("config")
    if isinstance(inner, list) or (isinstance(inner, dict) and "layers" in inner):
        layers.add_model(config, weights)
        return
    kind = str(config.get("class_name"))[:60]
    layers.notes.append(
        f"The model is a class of its own, '{kind}', which is never run; its layers are told by "
        "their weights. LSTMs are taken to apply tanh and sigmoid."
    )
    if isinstance(weights, InGroups):
        layers.infer_groups(weights)
    else:
        layers.infer(weights, "")


def parse(text: str | bytes) -> dict[str, Any]:
    """The description of a model."""
    value: object = None
    if len(text) <= MAX_JSON:
        try:
            value = json.loads(text)
            # Half a character (\\ud800) is JSON, but no text that can be written anywhere.
            value = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict):
        raise CheckpointError(
            "A Keras file whose description of the model cannot be read.",
            came=f"{len(text):,} characters that are not the JSON of a model",
            expected="a file as model.save writes it",
        )
    return value
