"""What runs in a worker process: the only door from the server to the mathematics.

Imported there and nowhere else, because it imports torch.
"""

from __future__ import annotations

import json
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors.torch
import torch

from lstm_core import catalogue
from lstm_core.analysis import decisions
from lstm_core.engines import compiled
from lstm_core.errors import SizeError
from lstm_core.fresh import fresh_model
from lstm_core.models import Precision, SequenceModel, load_model
from lstm_core.quantities import Direction
from lstm_core.shape import LSTMShape
from server.array_file import ArrayFile
from server.data_folder import check_free, writing
from server.decisions import decisions_file
from server.descriptions import describe
from server.errors import ModelChangedError
from server.orphans import end_with_parent
from server.progress import ProgressWriter
from server.schemas import ContinuationCreate, RecordingCreate
from server.store import ARRAYS, DESCRIPTION, PROGRESS
from server.written import WRITTEN, LinesWriter, written_line

#: Of a hundred parts of the time a long recording takes; the comparison takes the rest.
RECORDING_SHARE, WRITING_SHARE = 45, 10

#: A model's description and its weights.
Made = tuple[str, bytes]


def prepare() -> None:
    """Make a fresh worker a good neighbour: one torch thread, and no life after the server's."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "LSTM with projections")  # only says that it is slower
    end_with_parent()


def warm_up(folder: str, digest: str) -> None:
    """Load a model and record a few tokens, so that the first click need not wait for it.

    The recorder's fast path is compiled, or loaded, behind it.
    """
    model = _model(folder, digest, "float32")
    model.record((model.spec.examples or ["a b"])[0][:40]).to_bytes()
    compiled.warm_up(wait=False)


def record(
    folder: str,
    digest: str,
    wanted: RecordingCreate,
    recording_id: str,
    into: str,
    max_tokens: int,
    max_bytes: int,
) -> tuple[ArrayFile, int, bytes]:
    """Where the arrays of a recording lie, its bytes on the disk, and RecordingPublic as JSON.

    It is written into a folder, whose files are there already. Raises TextError, SizeError and
    DiskFullError before anything is computed; also DataFolderError.
    """
    model = _model(folder, digest, wanted.precision)
    check_free(Path(into), _nbytes_of(model, wanted.text, max_tokens, max_bytes))
    tell = ProgressWriter(Path(into, PROGRESS))
    recording = model.record(
        wanted.text,
        max_tokens=max_tokens,
        progress=lambda done, of, what: tell(RECORDING_SHARE * done // of, 100, what),
    )
    with writing(Path(into)):
        path = Path(into, ARRAYS)
        with path.open("r+b") as file:
            comparing = iter((RECORDING_SHARE, 100 - WRITING_SHARE))
            recording.write(file, progress=lambda _, __, what: tell(next(comparing), 100, what))
        arrays, about = ArrayFile.open(path)
        nbytes = path.stat().st_size
        shape = model.spec.lstm
        described = describe(recording_id, wanted, digest, shape, arrays, about, nbytes)
        description = described.model_dump_json().encode()
        Path(into, DESCRIPTION).write_bytes(description)
    return arrays, nbytes + len(description), description


def write_on(
    folder: str,
    digest: str,
    wanted: ContinuationCreate,
    into: str,
    max_tokens: int,
    max_characters: int,
    max_bytes: int,
) -> tuple[str, str]:
    """Appends a line for each token to `WRITTEN` in a folder; the whole text, and why it ends.

    Ends early when the file is gone, because nobody reads it any more. Raises TextError, SizeError
    and InputError before anything is written.
    """
    tell = LinesWriter(Path(into, WRITTEN))
    text = wanted.text
    if not tell.is_read:
        return text, "stopped"
    model = _model(folder, digest, wanted.precision)
    _check_room(model, wanted, max_tokens, max_bytes)
    written = model.write_on(
        text,
        wanted.tokens,
        method=wanted.method,
        temperature=wanted.temperature,
        top_k=wanted.top_k,
        top_p=wanted.top_p,
        seed=wanted.seed,
        first=wanted.first,
    )
    count = 0
    for one in written:
        if len(text) + len(one.appended) > max_characters:
            return text, "limit"
        text += one.appended
        count += 1
        if not tell(written_line(one)):
            return text, "stopped"
    return text, "length" if count == wanted.tokens else "end"


def _check_room(
    model: SequenceModel, wanted: ContinuationCreate, max_tokens: int, max_bytes: int
) -> None:
    """The recording at the end must be one that can be made. Raises TextError, SizeError."""
    timesteps = len(model.tokens(wanted.text, max_tokens=max_tokens))
    if timesteps + wanted.tokens > max_tokens:
        raise SizeError(
            "The text would be too long to step through.",
            came=f"{timesteps} tokens and {wanted.tokens} new ones",
            expected=f"at most {max_tokens} together",
        )
    _check_nbytes(model, timesteps + wanted.tokens, max_bytes)


def unit_weights(
    folder: str, digest: str, precision: Precision, layer: int, direction: Direction, unit: int
) -> bytes:
    """The rows that drive one unit's gates as a safetensors file: W, U and b."""
    return safetensors.torch.save(
        _model(folder, digest, precision).unit_weights(layer, direction, unit)
    )


def cell_weights(
    folder: str, digest: str, precision: Precision, layer: int, direction: Direction
) -> bytes:
    """The same of all units of a cell, one after another: W (units, 4, input), U and b."""
    model = _model(folder, digest, precision)
    model.spec.lstm.find(("c", layer, direction))  # raises SelectionError
    units = range(model.spec.lstm.width("c", layer))
    rows = [model.unit_weights(layer, direction, unit) for unit in units]
    return safetensors.torch.save({n: torch.stack([row[n] for row in rows]) for n in rows[0]})


def lens(folder: str, recording_folder: str, file: ArrayFile, layer: int, k: int) -> bytes:
    """What the head makes of a layer of a recording; of a head of numbers the first k of them.

    Raises SelectionError, and InputError for a layer it cannot read; ModelChangedError.
    """
    about = json.loads(Path(recording_folder, DESCRIPTION).read_bytes())
    model = _model(folder, about["model_digest"], about["precision"])
    model.check_lens(layer)
    directions = model.spec.lstm.directions(layer)
    arrays = file.only([f"{layer}.{d}.h" for d in directions]).arrays()
    # A mapped file is not to be written to: torch wants arrays of its own.
    h = [torch.from_numpy(np.array(values)) for values in arrays.values()]
    with torch.inference_mode():
        given = model.read_by_head(dict(zip(directions, h, strict=True)))
        if model.spec.task == "value":
            return safetensors.torch.save({"scores": model.scores(given)[:, :k].float().clone()})
        rows = decisions.rows_per_block(len(model.spec.labels))
        # A vocabulary times a long text has no room: some timesteps at a time.
        blocks = (model.scores(part).numpy() for part in torch.split(given, rows))
        said = about["predictions"]["targets"]
        return decisions_file(decisions.decide_blocks(blocks, said, k))


def fresh(options: Mapping[str, Any], seed: int, reads: Literal["words", "numbers"]) -> Made:
    """A model with random weights: its description, and its weights as safetensors.

    What it is called is no part of it.
    """
    model = fresh_model(LSTMShape(**options), seed=seed, reads=reads)
    return model.spec.to_json(), safetensors.torch.save(model.state_dict())


#: The models in use, the latest last. Together they are not larger than MODEL_BYTES, but for one
#: that is so by itself.
_models: OrderedDict[tuple[str, str, Precision], SequenceModel] = OrderedDict()
MODEL_BYTES = 600_000_000


def _model(folder: str, digest: str, precision: Precision) -> SequenceModel:
    """The digest is part of the key: a model trained again is another model."""
    key = (folder, digest, precision)
    if key not in _models:
        model = _load(folder, digest, precision)
        room = MODEL_BYTES - _nbytes(model)
        while _models and sum(map(_nbytes, _models.values())) > room:
            _models.popitem(last=False)
        _models[key] = model
    _models.move_to_end(key)
    return _models[key]


def _nbytes(model: SequenceModel) -> int:
    return sum(weight.nbytes for weight in model.state_dict().values())


def _load(folder: str, digest: str, precision: Precision) -> SequenceModel:
    try:
        changed = catalogue.digest(Path(folder)) != digest
    except FileNotFoundError:
        changed = True  # it has just been removed
    if changed:
        raise ModelChangedError("The model has just changed on disk. Ask again.")
    return load_model(folder, precision=precision)


def _nbytes_of(model: SequenceModel, text: str, max_tokens: int, max_bytes: int) -> int:
    """About how large the recording will be. Raises TextError, SizeError."""
    return _check_nbytes(model, len(model.tokens(text, max_tokens=max_tokens)), max_bytes)


def _check_nbytes(model: SequenceModel, timesteps: int, max_bytes: int) -> int:
    numbers = model.spec.lstm.numbers_per_timestep + len(model.spec.labels)
    estimate = timesteps * numbers * model.like.element_size()
    if estimate > max_bytes:
        raise SizeError(
            "The recording would be too large.",
            came=f"{timesteps} tokens × {numbers} numbers, {estimate / 1e6:,.1f} MB",
            expected=f"at most {max_bytes / 1e6:,.1f} MB",
        )
    return estimate
