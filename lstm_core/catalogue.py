"""Which models there are and where they lie. No torch here: the web server imports this module."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lstm_core.errors import FileError, UnknownModelError

#: The models in the box, one folder each.
ZOO = Path(__file__).parent / "zoo" / "models"

#: Where in a model's folder weights from along its training lie, in a folder named by the step,
#: and what is said of them there.
CHECKPOINTS, CHECKPOINT = "checkpoints", "checkpoint.json"

#: Between the id of a model and the step of a checkpoint: "shakespeare@100".
AT = "@"

#: What a newcomer meets first, and the server warms up for: words, and both directions.
FIRST = "tagger-en"


@dataclass(frozen=True)
class TrainingCheckpoint:
    """A model as it was after ``step`` of ``of`` steps of its training.

    ``folder`` holds its weights; its description is the finished model's. ``validation`` is the
    figure that chose the finished model, measured there; lower is better.
    """

    step: int
    of: int
    validation: float
    folder: Path


def find_checkpoints(folder: Path) -> list[TrainingCheckpoint]:
    """What was kept while the model of a folder was trained, the earliest first.

    Raises FileError where what is said of one cannot be read.
    """
    found = []
    for path in folder.glob(f"{CHECKPOINTS}/*/{CHECKPOINT}"):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            numbers = int(said["step"]), int(said["of"]), float(said["validation"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileError(
                f"This {CHECKPOINT} cannot be read.",
                came=f"{path.parent.name}: {error}",
                expected='{"step": 80, "of": 4000, "validation": 2.5}',
            ) from error
        if path.parent.name == str(numbers[0]):  # its id says the same as its file
            found.append(TrainingCheckpoint(*numbers, path.parent))
    return sorted(found, key=lambda checkpoint: checkpoint.step)


def finished(folder: Path) -> Path:
    """The folder of the model whose training a checkpoint is from; any other folder itself."""
    return folder.parent.parent if folder.parent.name == CHECKPOINTS else folder


def description(folder: Path) -> Path:
    """The ``model.json`` of a model, or of the model whose checkpoint this is."""
    return finished(folder) / "model.json"


def find_models(folders: Iterable[Path] = ()) -> dict[str, Path]:
    """Model id to folder: the models in the box, FIRST first, then those below ``folders``.

    The id is the folder's name; of two equal ids the first one wins.
    """
    found: dict[str, Path] = {}
    for parent in (ZOO, *folders):
        models = (description.parent for description in parent.glob("*/model.json"))
        for folder in sorted(models, key=lambda folder: (folder.name != FIRST, folder.name)):
            found.setdefault(folder.name, folder)
    return found


def model_folder(name: str | Path) -> Path:
    """The folder of a model in the box, or ``name`` itself when it is a model folder.

    "ID@STEP" is the folder of a checkpoint of the model ID. Raises UnknownModelError.
    """
    found = find_models()
    if str(name) in found:
        return found[str(name)]
    model, at, step = str(name).rpartition(AT)
    if at and model in found:
        return checkpoint_folder(found[model], model, step)
    if _is_model_folder(Path(name)):
        return Path(name)
    raise UnknownModelError(
        "No such model.",
        came=repr(str(name)),
        expected="the id of a model in the box, or a folder with a model.json",
        exists=list(found),
    )


def checkpoint_folder(folder: Path, model: str, step: str) -> Path:
    """Where the checkpoint ``model``@``step`` lies. Raises UnknownModelError."""
    found = {str(checkpoint.step): checkpoint.folder for checkpoint in find_checkpoints(folder)}
    if step not in found:
        raise UnknownModelError(
            f"The model {model!r} has no such checkpoint.",
            came=repr(f"{model}{AT}{step}"),
            exists=[f"{model}{AT}{step}" for step in found],
        )
    return found[step]


def _is_model_folder(folder: Path) -> bool:
    try:
        return folder.is_dir() and description(folder).is_file()
    except OSError:  # a name longer than a file system takes
        return False


def digest(folder: Path) -> str:
    """A name for exactly these weights and this description: 16 hexadecimal digits."""
    parts = [path.read_bytes() for path in (description(folder), folder / "weights.safetensors")]
    return hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in parts)).hexdigest()[:16]
