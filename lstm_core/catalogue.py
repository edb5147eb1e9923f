"""Which models there are and where they lie. No torch here: the web server imports this module."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from lstm_core.errors import UnknownModelError

#: The models in the box, one folder each.
ZOO = Path(__file__).parent / "zoo" / "models"

#: Where in a model's folder weights from along its training lie, in a folder named by the step,
#: and what is said of them there.
CHECKPOINTS, CHECKPOINT = "checkpoints", "checkpoint.json"

#: What a newcomer meets first, and the server warms up for: words, and both directions.
FIRST = "tagger-en"


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
    """The folder of a model in the box, or ``name`` itself when it is a model folder."""
    found = find_models()
    if str(name) in found:
        return found[str(name)]
    if _is_model_folder(Path(name)):
        return Path(name)
    raise UnknownModelError(
        "No such model.",
        came=repr(str(name)),
        expected="the id of a model in the box, or a folder with a model.json",
        exists=list(found),
    )


def _is_model_folder(folder: Path) -> bool:
    try:
        return (folder / "model.json").is_file()
    except OSError:  # a name longer than a file system takes
        return False


def digest(folder: Path) -> str:
    """A name for exactly these weights and this description: 16 hexadecimal digits."""
    parts = [(folder / name).read_bytes() for name in ("model.json", "weights.safetensors")]
    return hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in parts)).hexdigest()[:16]
