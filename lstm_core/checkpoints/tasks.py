"""What is done with a file in a process of its own; each gives JSON and bytes, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from lstm_core.checkpoints import formats
from lstm_core.checkpoints.building import build as build_model
from lstm_core.checkpoints.building import card_of
from lstm_core.checkpoints.contents import Limits
from lstm_core.checkpoints.inspection import Inspection, table_infos
from lstm_core.checkpoints.proposal import BROUGHT, propose
from lstm_core.checkpoints.string_tables import Strings
from lstm_core.checkpoints.table_files import read_table_file
from lstm_core.checkpoints.vocabulary import read_vocabulary
from lstm_core.errors import CheckpointError
from lstm_core.tables import to_text

Reply = tuple[dict[str, Any], bytes]


def inspect(request: Mapping[str, Any]) -> Reply:
    """``path`` → the Inspection as a dict."""
    path, limits = Path(request["path"]), _limits(request)
    inspection = Inspection.of(formats.read(path, limits), path.stat().st_size)
    return inspection.to_dict(), b""


def vocabulary(request: Mapping[str, Any]) -> Reply:
    """``path`` → what tables are in it; of a checkpoint those beside its tensors."""
    tables = _tables(Path(request["path"]), _limits(request))
    return {"tables": [vars(info) for info in table_infos(tables)]}, b""


def build(request: Mapping[str, Any]) -> Reply:
    """``path``, ``choices``, ``title`` → model.json and its weights as safetensors.

    Also ``name`` (what people call the file), ``vocabulary`` (the path of another), ``tables``
    (strings by name) and ``strict``: refuse what is neither decided nor chosen.
    """
    path, limits = Path(request["path"]), _limits(request)
    contents = formats.read(path, limits)
    brought: dict[str, Strings] = dict(request.get("tables") or {})
    if request.get("vocabulary"):
        brought |= _tables(Path(request["vocabulary"]), limits)
    inspection = Inspection.of(contents, path.stat().st_size)
    proposal = propose(inspection, request["choices"], table_infos(brought))
    if request.get("strict"):
        proposal.refuse_questions()
    tables = dict(contents.tables) | {BROUGHT + name: table for name, table in brought.items()}
    card = card_of(request.get("name", "a file"), inspection, proposal)
    spec, weights = build_model(
        contents, inspection, proposal, tables, title=request["title"], card=card
    )
    stored = {name: np.ascontiguousarray(array) for name, array in weights.items()}
    return {"description": spec.to_json()}, safetensors.numpy.save(stored)


def table(request: Mapping[str, Any]) -> Reply:
    """``path`` of a CSV or NPY file → the same as text."""
    found = read_table_file(Path(request["path"]), _limits(request))
    return {"text": found if isinstance(found, str) else to_text(found)}, b""


def _tables(path: Path, limits: Limits) -> dict[str, Strings]:
    with path.open("rb") as file:
        head = file.read(8)
    if head[:2] in (b"PK", b"\x80\x02") or head[1:4] == b"HDF":
        tables = dict(formats.read(path, limits).tables)
        if not tables:
            raise CheckpointError(
                "There is no vocabulary in this file.",
                came="a file of weights",
                expected="JSON, a text with a token per line, or CoNLL-U",
            )
        return tables
    return read_vocabulary(path, limits)


def _limits(request: Mapping[str, Any]) -> Limits:
    return Limits(**request.get("limits", {}))
