"""Models that were opened or made here, each a folder under the digest of what is in it.

    models/ID/model.json, weights.safetensors   never change: ID is their digest
    models/ID/name.json                         what people call it, and where it came from

A model is written elsewhere and moved here whole, so there is never half of one.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lstm_core import catalogue
from server.data_folder import DataFolder
from server.errors import KeptFullError

Source = Literal["opened", "fresh"]

DESCRIPTION, WEIGHTS, NAME = "model.json", "weights.safetensors", "name.json"


@dataclass(frozen=True)
class Name:
    """What a kept model is called, and whether it was opened or made."""

    title: str
    source: Source = "opened"


class KeptModels:
    """Writes and removes them; ``ModelShelf`` finds them."""

    def __init__(self, data: DataFolder, *, max_models: int, max_bytes: int) -> None:
        self._data = data
        self._max_models = max_models
        self._max_bytes = max_bytes
        self._changing = threading.Lock()

    @property
    def folder(self) -> Path:
        return self._data.models

    def keep(
        self, description: str, weights: bytes, name: Name, *, titled: bool = False
    ) -> tuple[str, bool]:
        """Its id, and whether it was not there yet.

        Of one that was there nothing changes but, where ``titled``, its title. Raises
        DiskFullError, KeptFullError, DataFolderError; nothing is left behind then.
        """
        self._data.check_room(len(weights))
        stage = self._data.new_folder()
        try:
            with self._data.writing():
                for file, data in (
                    (DESCRIPTION, description.encode()),
                    (WEIGHTS, weights),
                    (NAME, _to_json(name)),
                ):
                    _write(stage / file, data)
                _sync_folder(stage)
            with self._changing:
                model_id, made = self._publish(stage, len(description.encode()) + len(weights))
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        if titled and not made:
            self.rename(model_id, name.title)
        return model_id, made

    def _publish(self, stage: Path, nbytes: int) -> tuple[str, bool]:
        with self._data.writing():
            model_id = catalogue.digest(stage)
            target = self.folder / model_id
            if _same_files(stage, target):
                return model_id, False
            self._check_limits(nbytes, without=target)
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if target.exists():  # somebody has damaged it
                self._move_out(target)
            try:
                stage.rename(target)
            except OSError:
                if not _same_files(stage, target):  # else another server was faster
                    raise
                return model_id, False
            _sync_folder(self.folder)
            return model_id, True

    def _check_limits(self, nbytes: int, *, without: Path) -> None:
        others = [path for path in _folders(self.folder) if path != without]
        if len(others) >= self._max_models:
            raise KeptFullError(
                "There are as many models here as there may be. Remove one first.",
                came=f"{len(others)} opened and fresh models",
                expected=f"fewer than {self._max_models}",
            )
        total = sum(_nbytes(path) for path in others)
        if total + nbytes > self._max_bytes:
            raise KeptFullError(
                "There is no room for another model. Remove one first.",
                came=f"{total / 1e6:,.0f} MB kept, and {nbytes / 1e6:,.0f} MB more",
                expected=f"at most {self._max_bytes / 1e6:,.0f} MB",
            )

    def rename(self, model_id: str, title: str) -> None:
        """Raises DiskFullError, DataFolderError; the old title stays then."""
        with self._changing, self._data.writing():
            folder = self.folder / model_id
            written = self._data.new_path()
            try:
                _write(written, _to_json(Name(title, self.name(folder, title).source)))
                os.replace(written, folder / NAME)
            finally:
                written.unlink(missing_ok=True)

    def remove(self, model_id: str) -> None:
        """Gone at once for everybody; the bytes follow. Raises DataFolderError."""
        with self._changing, self._data.writing():
            self._move_out(self.folder / model_id)

    def _move_out(self, folder: Path) -> None:
        out = self._data.new_path()
        with contextlib.suppress(FileNotFoundError):  # two at once have removed it
            folder.rename(out)
        shutil.rmtree(out, ignore_errors=True)

    def name(self, folder: Path, title: str) -> Name:
        """What a kept model is called; ``title`` where nobody has said or the file is damaged."""
        try:
            fields = json.loads((folder / NAME).read_text(encoding="utf-8"))
            source: Source = "fresh" if fields["source"] == "fresh" else "opened"
            return Name(str(fields["title"])[:1000] or title, source)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return Name(title)


def _to_json(name: Name) -> bytes:
    return json.dumps(asdict(name)).encode()


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _nbytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _same_files(folder: Path, other: Path) -> bool:
    """Whether the other has the model's files as long as these; their digest is the same."""
    try:
        return all(
            (folder / name).stat().st_size == (other / name).stat().st_size
            for name in (DESCRIPTION, WEIGHTS)
        )
    except OSError:
        return False


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """So that a name survives a power cut; Windows does that by itself."""
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
