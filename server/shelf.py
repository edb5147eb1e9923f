"""The models that can be recorded, as their ``model.json`` describes them. No torch here."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_core import catalogue
from lstm_core.errors import UnknownModelError
from lstm_core.model_spec import ModelSpec
from server.schemas import ModelDetailPublic, StackPublic

logger = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ShelvedModel:
    """A model's folder and its description, read from it."""

    folder: Path
    about: ModelDetailPublic


class ModelShelf:
    """Finds models; reads a folder again only when its files have changed."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._read: dict[Path, tuple[Stamp, ShelvedModel | None]] = {}

    def models(self) -> dict[str, ShelvedModel]:
        """Model id to model. A damaged folder is left out, and the log says so."""
        found = catalogue.find_models(self._folders)
        shelved = {name: self._look(name, folder) for name, folder in found.items()}
        return {name: model for name, model in shelved.items() if model}

    def get(self, name: str) -> ShelvedModel:
        """Raises UnknownModelError."""
        models = self.models()
        if name not in models:
            raise UnknownModelError("No such model.", came=repr(name), exists=list(models))
        return models[name]

    def _look(self, name: str, folder: Path) -> ShelvedModel | None:
        try:
            stamp = _stamp(folder)
        except OSError as error:
            logger.warning("Model %r is left out: %s", name, error)
            return None
        if folder not in self._read or self._read[folder][0] != stamp:
            self._read[folder] = stamp, _read(name, folder)
        return self._read[folder][1]


def _stamp(folder: Path) -> Stamp:
    """Changes whenever one of the model's files does."""
    stats = [(folder / name).stat() for name in ("model.json", "weights.safetensors")]
    return tuple((stat.st_mtime_ns, stat.st_size) for stat in stats)


def _read(name: str, folder: Path) -> ShelvedModel | None:
    try:
        spec = ModelSpec.from_json((folder / "model.json").read_text(encoding="utf-8"))
        about = ModelDetailPublic(
            id=name,
            digest=catalogue.digest(folder),
            title=spec.title,
            source="box" if folder.parent == catalogue.ZOO else "folder",
            task=spec.task,
            reads=spec.head.reads,
            split=spec.split,
            columns=spec.columns,
            lstm=StackPublic.of(spec.lstm),
            embedding=dict(spec.embedding),
            vocabulary={name: spec.vocabulary_size(name) for name in spec.embedding},
            parameters=spec.parameters,
            examples=spec.examples,
            card=dict(spec.card),
            labels=spec.labels,
        )
        about.model_dump_json()  # a description that cannot be sent is a damaged one
    except Exception as error:  # whatever is wrong with one folder, the others are served
        logger.warning("Model %r is left out: %r", name, error)
        return None
    return ShelvedModel(folder, about)
