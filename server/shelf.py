"""The models that can be recorded, as their ``model.json`` describes them. No torch here."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_core import catalogue
from lstm_core.catalogue import AT
from lstm_core.errors import FileError, UnknownModelError
from lstm_core.model_spec import ModelSpec
from server.kept_models import DESCRIPTION, NAME, WEIGHTS, KeptModels, Name
from server.schemas import (
    ModelDetailPublic,
    ModelSource,
    StackPublic,
    TrainingCheckpointPublic,
)

logger = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True)
class ShelvedModel:
    """A model's folder and its description, read from it."""

    folder: Path
    about: ModelDetailPublic
    since: int = 0  # when it was kept; all others come first

    @property
    def kept(self) -> bool:
        """Whether somebody here opened or made it, and may rename and remove it."""
        return self.about.source in ("opened", "fresh")


class ModelShelf:
    """Finds models; reads a folder again only when its files have changed."""

    def __init__(self, folders: Sequence[Path], kept: KeptModels) -> None:
        self._folders = folders
        self._kept = kept
        self._read: dict[Path, tuple[Stamp, ShelvedModel | None]] = {}
        self._looking = threading.Lock()

    def models(self) -> dict[str, ShelvedModel]:
        """Model id to model, those kept last, in the order in which they came.

        A damaged folder is left out, and the log says so.
        """
        with self._looking:
            found = catalogue.find_models([*self._folders, self._kept.folder])
            shelved = {name: self._look(name, folder) for name, folder in found.items()}
            there = set(found.values())
            self._read = {folder: read for folder, read in self._read.items() if folder in there}
        models = {name: model for name, model in shelved.items() if model}
        return dict(sorted(models.items(), key=lambda item: item[1].since))

    def get(self, name: str) -> ShelvedModel:
        """Raises UnknownModelError."""
        models = self.models()
        if name in models:
            return models[name]
        finished, at, step = name.rpartition(AT)
        if at and finished in models:
            return _checkpoint(models[finished], step)
        raise UnknownModelError("No such model.", came=repr(name), exists=list(models))

    def _look(self, name: str, folder: Path) -> ShelvedModel | None:
        try:
            stamp = _stamp(folder)
        except OSError as error:
            logger.warning("Model %r is left out: %s", name, error)
            return None
        if folder not in self._read or self._read[folder][0] != stamp:
            self._read[folder] = stamp, self._describe(name, folder)
        return self._read[folder][1]

    def _describe(self, name: str, folder: Path) -> ShelvedModel | None:
        since = 0
        try:
            spec = ModelSpec.from_json((folder / DESCRIPTION).read_text(encoding="utf-8"))
            if folder.parent == self._kept.folder:
                since = (folder / DESCRIPTION).stat().st_mtime_ns
                called = self._kept.name(folder, spec.title)
                about = _describe_kept(name, folder, spec, called)
            else:
                source: ModelSource = "box" if folder.parent == catalogue.ZOO else "folder"
                digest, on_the_way = catalogue.digest(folder), _checkpoints(name, folder)
                about = _public(name, digest, spec, spec.title, source, on_the_way)
            about.model_dump_json()  # a description that cannot be sent is a damaged one
        except Exception as error:  # whatever is wrong with one folder, the others are served
            logger.warning("Model %r is left out: %r", name, error)
            return None
        return ShelvedModel(folder, about, since)


def _checkpoints(name: str, folder: Path) -> list[TrainingCheckpointPublic]:
    """Those whose weights are there; none of them where one is badly described."""
    try:
        found = catalogue.find_checkpoints(folder)
    except FileError as error:
        logger.warning("The checkpoints of model %r are left out: %s", name, error)
        return []
    return [
        TrainingCheckpointPublic(
            id=f"{name}{AT}{checkpoint.step}",
            digest=catalogue.digest(checkpoint.folder),
            step=checkpoint.step,
            of=checkpoint.of,
            validation=checkpoint.validation,
        )
        for checkpoint in found
        if (checkpoint.folder / WEIGHTS).is_file()
    ]


def _checkpoint(finished: ShelvedModel, step: str) -> ShelvedModel:
    """A model on the way as a model of its own. Raises UnknownModelError."""
    id = f"{finished.about.id}{AT}{step}"
    there = [checkpoint.id for checkpoint in finished.about.checkpoints]
    if id not in there:
        raise UnknownModelError("This model has no such checkpoint.", came=repr(id), exists=there)
    folder = catalogue.checkpoint_folder(finished.folder, finished.about.id, step)
    (found,) = (c for c in finished.about.checkpoints if c.id == id)
    changed = {
        "id": id,
        "digest": found.digest,
        "title": f"{finished.about.title}, step {step}",
        "checkpoints": [],
    }
    return ShelvedModel(folder, finished.about.model_copy(update=changed))


def _stamp(folder: Path) -> Stamp:
    """Changes whenever one of the model's files does."""
    paths = [folder / DESCRIPTION, folder / WEIGHTS]
    on_the_way = folder / catalogue.CHECKPOINTS
    if on_the_way.is_dir():
        paths += sorted(path for path in on_the_way.glob("*/*") if path.is_file())
    stats = [path.stat() for path in paths]
    stamp: Stamp = tuple((stat.st_mtime_ns, stat.st_size) for stat in stats)
    try:
        stat = (folder / NAME).stat()
    except OSError:
        return (*stamp, None)
    return (*stamp, (stat.st_mtime_ns, stat.st_size))


def _describe_kept(name: str, folder: Path, spec: ModelSpec, called: Name) -> ModelDetailPublic:
    """Its name is its digest, so gigabytes need not be read only to list them."""
    _check_whole(folder / WEIGHTS, spec)
    return _public(name, name, spec, called.title, called.source)


def _check_whole(path: Path, spec: ModelSpec) -> None:
    """Raises FileError for weights that were cut off, or are those of another model."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > path.stat().st_size:
            raise FileError("These weights are damaged.")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    end = max((info["data_offsets"][1] for info in header.values()), default=0)
    shapes = {name: tuple(info["shape"]) for name, info in header.items()}
    if 8 + length + end != path.stat().st_size or shapes != spec.weight_shapes():
        raise FileError("These weights are damaged.")


def _public(
    name: str,
    digest: str,
    spec: ModelSpec,
    title: str,
    source: ModelSource,
    checkpoints: Sequence[TrainingCheckpointPublic] = (),
) -> ModelDetailPublic:
    return ModelDetailPublic(
        id=name,
        digest=digest,
        title=title,
        source=source,
        task=spec.task,
        reads=spec.head.reads,
        split=spec.split,
        columns=spec.columns,
        lstm=StackPublic.of(spec.lstm),
        embedding=dict(spec.embedding),
        vocabulary={name: spec.vocabulary_size(name) for name in spec.embedding},
        parameters=spec.parameters,
        examples=spec.examples,
        checkpoints=list(checkpoints),
        card=dict(spec.card),
        labels=spec.labels,
    )
