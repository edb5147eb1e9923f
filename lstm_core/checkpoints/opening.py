"""Opening a checkpoint from Python: what is in it, and a model made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from lstm_core.checkpoints import sandbox
from lstm_core.checkpoints.contents import Limits
from lstm_core.checkpoints.inspection import Inspection
from lstm_core.checkpoints.proposal import BROUGHT
from lstm_core.checkpoints.string_tables import Strings, as_strings
from lstm_core.errors import CheckpointError
from lstm_core.model_spec import ModelSpec

#: A file, the strings themselves, token → id, or the name of one of the checkpoint's own tables.
Vocabulary: TypeAlias = str | Path | Sequence[str] | Mapping[str, int] | Mapping[int, str]


def inspect_checkpoint(path: str | Path, *, limits: Limits | None = None) -> Inspection:
    """What is inside a checkpoint of any format: tensors by name and shape, LSTMs, vocabularies.

    The file is read in a process of its own, its numbers only where there is no way around it.
    ``print(inspect_checkpoint(path))`` shows a summary. Raises CheckpointError for what is none.
    """
    reply, _ = sandbox.run("inspect", {"path": str(_existing(path)), **_limits(limits)})
    return Inspection.from_dict(reply)


def build_checkpoint(
    path: str | Path,
    *,
    vocabulary: Vocabulary | None = None,
    labels: Sequence[str] | str | None = None,
    choices: Mapping[str, str] | None = None,
    title: str | None = None,
    limits: Limits | None = None,
) -> tuple[ModelSpec, bytes]:
    """A model's description and its weights as safetensors, made of a checkpoint's parts.

    ``choices`` are those of :func:`lstm_core.checkpoints.proposal.propose`. Raises
    CheckpointError for what cannot be opened, and where the file does not decide something that
    was not chosen: the error names the choice and what there is to choose from.
    """
    path = _existing(path)
    given = dict(choices or {})
    tables: dict[str, Strings] = {}
    request: dict[str, Any] = {"path": str(path), "name": path.name, "strict": True}
    if isinstance(vocabulary, str | Path) and _is_file(vocabulary):
        request["vocabulary"] = str(Path(vocabulary).absolute())
    elif isinstance(vocabulary, Path):
        raise CheckpointError("There is no such vocabulary.", came=vocabulary.name)
    elif isinstance(vocabulary, str):
        given["vocabulary"] = vocabulary
    elif vocabulary is not None:
        tables["vocabulary"] = _strings(vocabulary, "vocabulary")
    if isinstance(labels, str):
        given["labels"] = labels
    elif labels is not None:
        tables["labels"] = _strings(labels, "labels")
        given["labels"] = f"{BROUGHT}labels"
    request |= {"choices": given, "tables": tables, "title": title or path.stem}
    reply, weights = sandbox.run("build", request | _limits(limits))
    return ModelSpec.from_json(reply["description"]), weights


def _strings(source: object, name: str) -> Strings:
    strings = as_strings(source)
    if strings is None:
        raise CheckpointError(
            f"These {name} cannot be used.",
            came=f"a {type(source).__name__}",
            expected="a list of strings, a dict of token → id, or of id → token",
        )
    return strings


def _existing(path: str | Path) -> Path:
    path = Path(path).absolute()
    if not path.is_file():
        raise CheckpointError("There is no such file.", came=path.name)
    return path


def _is_file(name: str | Path) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # a name no file system takes
        return False


def _limits(limits: Limits | None) -> dict[str, Any]:
    return {"limits": asdict(limits)} if limits else {}
