"""Opening a checkpoint from Python: what is in it, and a model made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from lstm_core.checkpoints.contents import Limits
from lstm_core.checkpoints.inspection import Inspection, TableInfo, tables_from
from lstm_core.checkpoints.proposal import BROUGHT, BYTES, IDS, Proposal, propose
from lstm_core.checkpoints.vocabulary import Strings, as_strings
from lstm_core.errors import CheckpointError
from lstm_core.model_spec import ModelSpec

#: A file, the strings themselves, token → id, or the name of one of the checkpoint's own tables.
Vocabulary: TypeAlias = str | Path | Sequence[str] | Mapping[str, int] | Mapping[int, str]


def inspect_checkpoint(path: str | Path, *, limits: Limits | None = None) -> Inspection:
    """What is inside a checkpoint of any format: tensors by name and shape, LSTMs, vocabularies.

    The file is read in a process of its own, its numbers only where there is no way around it.
    ``print(inspect_checkpoint(path))`` shows a summary. Raises CheckpointError for what is none.
    """
    reply, _ = _run("inspect", {"path": str(_existing(path)), **_limits(limits)})
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
    brought, request = _bring(vocabulary, labels, given, limits)
    inspection = inspect_checkpoint(path, limits=limits)
    if vocabulary is not None and "vocabulary" not in given and isinstance(vocabulary, str | Path):
        _name_own_table(vocabulary, inspection, given)
    proposal = propose(inspection, given, brought)
    _refuse_questions(proposal)
    reply, weights = _run(
        "build",
        {
            "path": str(path),
            "choices": proposal.choices,
            "title": title or path.stem,
            "card": card_of(path.name, inspection, proposal),
            **request,
            **_limits(limits),
        },
    )
    return ModelSpec.from_json(reply["description"]), weights


def card_of(name: str, inspection: Inspection, proposal: Proposal) -> dict[str, Any]:
    """What people are told about an opened model: where it came from, and what was chosen."""
    chosen = {
        f"chosen: {name}": value or "(the only one)" for name, value in proposal.choices.items()
    }
    notes = " ".join([*inspection.notes, *proposal.notes])
    unused = ", ".join(proposal.unused[:40])
    return {
        "summary": f"Opened from {name}.",
        "format": inspection.format,
        **chosen,
        **({"not used": unused} if unused else {}),
        **({"notes": notes} if notes else {}),
    }


def _bring(
    vocabulary: Vocabulary | None,
    labels: Sequence[str] | str | None,
    given: dict[str, str],
    limits: Limits | None,
) -> tuple[list[TableInfo], dict[str, Any]]:
    """What was brought along: infos for the proposal, and the request for the build."""
    tables: dict[str, Strings] = {}
    request: dict[str, Any] = {}
    infos: list[TableInfo] = []
    if isinstance(vocabulary, Path) or (isinstance(vocabulary, str) and Path(vocabulary).is_file()):
        request["vocabulary"] = str(Path(vocabulary).absolute())
        reply, _ = _run("vocabulary", {"path": request["vocabulary"], **_limits(limits)})
        infos += tables_from(reply["tables"])
    elif vocabulary is not None and not isinstance(vocabulary, str):
        tables["vocabulary"] = _strings(vocabulary, "vocabulary")
        given["vocabulary"] = f"{BROUGHT}vocabulary"
    if isinstance(labels, str):
        given["labels"] = labels
    elif labels is not None:
        tables["labels"] = _strings(labels, "labels")
        given["labels"] = f"{BROUGHT}labels"
    if tables:
        request["tables"] = tables
        infos += [TableInfo.of(name, strings) for name, strings in tables.items()]
    return infos, request


def _name_own_table(vocabulary: str | Path, inspection: Inspection, given: dict[str, str]) -> None:
    """A string that is no file: one of the checkpoint's own tables, ids or bytes."""
    if isinstance(vocabulary, Path) or Path(vocabulary).is_file():
        return
    exists = [*(table.name for table in inspection.tables), IDS, BYTES]
    if vocabulary not in exists:
        raise CheckpointError("There is no such vocabulary.", came=repr(vocabulary), exists=exists)
    given["vocabulary"] = vocabulary


def _strings(source: object, name: str) -> Strings:
    strings = as_strings(source)
    if strings is None:
        raise CheckpointError(
            f"These {name} cannot be used.",
            came=f"a {type(source).__name__}",
            expected="a list of strings, a dict of token → id, or of id → token",
        )
    return strings


def _refuse_questions(proposal: Proposal) -> None:
    if proposal.problem:
        raise CheckpointError("No model can be made of this.", came=proposal.problem)
    if proposal.asked:
        field = proposal.asked[0]
        raise CheckpointError(
            f"{field.question} The file does not decide it. {field.why}".strip(),
            expected=f"{field.name}=… with one of those below; {field.value!r} is the guess",
            exists=[repr(option.value) for option in field.options],
        )


def _existing(path: str | Path) -> Path:
    path = Path(path).absolute()
    if not path.is_file():
        raise CheckpointError("There is no such file.", came=path.name)
    return path


def _limits(limits: Limits | None) -> dict[str, Any]:
    return {"limits": asdict(limits)} if limits else {}


def _run(task: str, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    from lstm_core.checkpoints import sandbox

    return sandbox.run(task, request)
