"""``gatescope open``: a checkpoint into a model, from the command line.

The same way as over HTTP: files are read in a process of their own, what is neither decided by the
file nor given is asked, and the model is kept in the data folder. No torch here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lstm_core.checkpoints import sandbox
from lstm_core.checkpoints.inspection import Inspection, TableInfo, tables_from
from lstm_core.checkpoints.proposal import CHOICES, Field, Proposal, propose
from lstm_core.errors import CheckpointError, LSTMCoreError
from server.data_folder import DataFolder
from server.errors import visible
from server.kept_models import KeptModels, Name
from server.opening import (
    build_request,
    check_built,
    checkpoint_limits,
    small_file_limits,
    stem,
)
from server.settings import Settings
from server.uploads import shown_name

DESCRIPTION = "Open a checkpoint: PyTorch, safetensors, ONNX or Keras. Nothing in it is ever run."

#: What each choice is for, for --help; ``--inspect`` shows what a file has to choose from.
HELP = {
    "lstm": "which LSTM; several that stand on each other with ' + ' between them",
    "embedding": "the embedding, or one-hot, or numbers",
    "vocabulary": "a vocabulary's file; or a table of the checkpoint, or ids, or bytes",
    "first_row": "which row of the embedding is the first entry of the vocabulary",
    "tokenizer": "how text is cut: characters, words, …",
    "lowercase": "whether capitals are made small: yes or no",
    "head": "the linear layers above the LSTM, with ' + ' between them, or none",
    "activation": "what stands between the head's layers",
    "task": "what is predicted: next_token, tag, classify or value",
    "reads": "what the head is given: each, last, mean or max",
    "labels": "where the labels are: a table of the checkpoint, vocabulary, or numbers",
    "initial": "the h_0 and c_0 to begin with",
}

#: How many options of a question are listed on a terminal.
SHOWN_OPTIONS = 20


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="the checkpoint, and the file of its vocabulary; in any order",
    )
    for name in CHOICES:
        parser.add_argument(_option(name), help=HELP.get(name), metavar="CHOICE")
    parser.add_argument("--title", help="what to call the model; else the file's name")
    parser.add_argument("--inspect", action="store_true", help="only print what is in the file")
    parser.add_argument("--no-serve", action="store_true", help="keep the model, start no server")


def open_files(options: argparse.Namespace, settings: Settings) -> tuple[int, str | None]:
    """The exit code, and the id of the model that was kept, if one was."""
    try:
        return _open(options, settings)
    except LSTMCoreError as error:
        print(visible(str(error), 4000), file=sys.stderr)
        return 2, None
    except (EOFError, KeyboardInterrupt):
        print("\nNothing was kept.", file=sys.stderr)
        return 130, None


@dataclass(frozen=True)
class _Found:
    """A checkpoint, and the vocabulary that came with it."""

    path: Path
    inspection: Inspection
    vocabulary: Path | None = None
    tables: list[TableInfo] = field(default_factory=list)


def _open(options: argparse.Namespace, settings: Settings) -> tuple[int, str | None]:
    given = {name: value for name in CHOICES if (value := getattr(options, name)) is not None}
    files = list(options.files)
    if "vocabulary" in given and _is_file(given["vocabulary"]):
        files.append(Path(given.pop("vocabulary")))
    found = _find(files, settings, only_look=options.inspect)
    print(visible(str(found.inspection), 20_000))
    proposal = propose(found.inspection, given, found.tables)
    if not options.inspect:
        if proposal.asked and not (sys.stdin.isatty() and sys.stdout.isatty()):
            print(_summary(proposal))
            _say_what_is_open(proposal)
            return 2, None
        proposal = _decide(found, given, proposal)
    print(_summary(proposal))
    if options.inspect:
        return 0, None
    if proposal.problem:
        raise CheckpointError("No model can be made of this.", came=proposal.problem)
    model_id, title = _keep(found, proposal, options.title, settings)
    print(f"{visible(title, 200)} is kept as {model_id}.")
    return 0, model_id


# --- what the files are -------------------------------------------------------------------------


def _find(files: Sequence[Path], settings: Settings, *, only_look: bool) -> _Found:
    """The one with an LSTM is the checkpoint, another one the vocabulary."""
    if len(files) > 2:
        raise CheckpointError(
            "These are too many files.",
            came=", ".join(path.name for path in files),
            expected="a checkpoint, and at most one vocabulary",
        )
    checkpoints: list[tuple[Path, Inspection]] = []
    others: list[tuple[Path, CheckpointError]] = []
    for path in files:
        if not path.is_file():
            raise CheckpointError("There is no such file.", came=str(path))
        try:
            inspection = Inspection.from_dict(
                _read("inspect", path, checkpoint_limits(settings), settings)
            )
            if only_look and len(files) == 1 and not inspection.discovery.lstms:
                print(visible(str(inspection), 20_000))
            inspection.check()
            checkpoints.append((path, inspection))
        except CheckpointError as error:
            others.append((path, error))
    if not checkpoints:
        if len(others) == 1:
            raise others[0][1]
        raise CheckpointError(
            "None of these files is a checkpoint with an LSTM.",
            came="; ".join(f"{path.name}: {error}" for path, error in others),
        )
    if len(checkpoints) > 1:
        raise CheckpointError(
            "Each of these files has an LSTM.",
            came=", ".join(path.name for path, _ in checkpoints),
            expected="one checkpoint, and its vocabulary",
        )
    [(path, inspection)] = checkpoints
    if not others:
        return _Found(path, inspection)
    vocabulary = others[0][0]
    reply = _read("vocabulary", vocabulary, small_file_limits(settings), settings)
    return _Found(path, inspection, vocabulary, tables_from(reply["tables"]))


def _read(task: str, path: Path, limits: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    request = {"path": str(path.absolute()), "limits": dict(limits)}
    return _run(task, request, settings)[0]


def _run(task: str, request: dict[str, Any], settings: Settings) -> tuple[dict[str, Any], bytes]:
    return sandbox.run(
        task,
        request,
        seconds=settings.parse_seconds,
        memory_bytes=settings.parse_memory_bytes,
    )


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # a name no file system takes
        return False


# --- choices ------------------------------------------------------------------------------------


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _say_what_is_open(proposal: Proposal) -> None:
    print("\nThe file does not decide everything. Say it with:", file=sys.stderr)
    for asked in proposal.asked:
        values = ", ".join(repr(option.value) for option in asked.options[:SHOWN_OPTIONS])
        line = f"  {_option(asked.name)}  {asked.question} {asked.why} One of {values}"
        print(visible(line, 2000), file=sys.stderr)


def _decide(found: _Found, given: dict[str, str], proposal: Proposal) -> Proposal:
    """Ask whatever is open; each answer narrows what comes after it."""
    while proposal.asked:
        question = proposal.asked[0]
        given[question.name] = _ask(question)
        proposal = propose(found.inspection, given, found.tables)
    return proposal


def _ask(question: Field) -> str:
    """An answer from the terminal: a number, or what an option is called. Enter takes the guess."""
    options = question.options
    values = [option.value for option in options]
    print(f"\n{visible(f'{question.question} {question.why}', 500)}")
    for number, option in enumerate(options[:SHOWN_OPTIONS], start=1):
        mark = "*" if option.value == question.value else " "
        print(visible(f" {mark}{number:>3}  {option.label}  {option.detail}", 200))
    if len(options) > SHOWN_OPTIONS:
        print(f"      and {len(options) - SHOWN_OPTIONS} more, by name")
    while True:
        answer = input("Number (Enter takes the one with the star): ").strip()
        if not answer:
            return question.value
        if answer in values:
            return answer
        if answer.isdecimal() and len(answer) < 6 and 1 <= int(answer) <= len(options):
            return values[int(answer) - 1]
        print(f"That is none of them. A number from 1 to {len(options)}, please.")


def _summary(proposal: Proposal) -> str:
    """Every choice on a line; a question mark stands where it is only a guess."""
    lines = [""]
    for choice in proposal.fields:
        option = next((o for o in choice.options if o.value == choice.value), None)
        # What to type comes first: what the page calls "words" is "simple" here.
        label = option.label if option and option.label != choice.value else ""
        said = f"{choice.value}  ({label})" if label else choice.value
        mark = "  ?" if choice.asked else ""
        lines.append(visible(f"  {_option(choice.name):<13} {said}{mark}", 300))
    lines += [visible(note, 500) for note in proposal.notes]
    return "\n".join(lines)


# --- the model ----------------------------------------------------------------------------------


def _keep(
    found: _Found, proposal: Proposal, title: str | None, settings: Settings
) -> tuple[str, str]:
    """The id and the title of the model, which stays."""
    name = shown_name(found.path.name)
    request = build_request(name, proposal.choices) | {
        "path": str(found.path.absolute()),
        "limits": checkpoint_limits(settings),
    }
    if found.vocabulary:
        request["vocabulary"] = str(found.vocabulary.absolute())
    reply, weights = _run("build", request, settings)
    check_built(reply["description"], settings.max_parameters)
    data = DataFolder(settings.data_folder)
    kept = KeptModels(data, max_models=settings.max_kept_models, max_bytes=settings.max_kept_bytes)
    called = Name((title or "").strip()[:200] or stem(name))
    try:
        model_id, _ = kept.keep(reply["description"], weights, called, titled=bool(title))
        return model_id, kept.name(kept.folder / model_id, called.title).title
    finally:
        data.close()
