"""The folder where the server keeps what people bring, and its room on the disk.

    models/ID/               a model that was opened or made here
    temporary/SERVER/…       recordings, files that wait, and what is being written

Each running server has a folder of its own in ``temporary``, locked as long as it lives: what a
server left that was killed is removed by the next one to start.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from server.errors import DataFolderError, DiskFullError
from server.file_locks import lock, try_lock

logger = logging.getLogger(__name__)

#: What stays free on the disk for everybody else.
RESERVE_BYTES = 500_000_000

_FULL = (errno.ENOSPC, errno.EDQUOT)


class DataFolder:
    """Made when it is first needed. A server works without it, too, but keeps nothing then.

    A ``private`` one stands where everybody may write: it is used only if it is this user's.
    """

    def __init__(self, root: Path, *, private: bool = False) -> None:
        self.root = root.expanduser().absolute()
        self._private = private
        self.models = self.root / "models"
        self._temporary = self.root / "temporary"
        self._own: Path | None = None
        self._lock: IO[bytes] | None = None
        self._opening = threading.Lock()

    def open(self) -> None:
        """Remove what servers left that are no more. Where that fails, the log says why.

        This server's own folder is made now: with the disk full, a model can still be moved there
        to be removed.
        """
        try:
            with self.writing():
                self._own_folder()
                with self._alone():
                    self._sweep()
        except (DataFolderError, DiskFullError):
            pass  # said in the log; whoever brings a file will hear it, too

    @property
    def is_open(self) -> bool:
        """Whether it has a folder for what is temporary."""
        return self._own is not None

    def close(self) -> None:
        """Remove all of this server's that is temporary."""
        own, self._own = self._own, None
        if own is not None and self._lock is not None:
            self._lock.close()
            shutil.rmtree(own, ignore_errors=True)

    def new_path(self) -> Path:
        """A path among what is temporary where there is nothing yet. Raises DataFolderError."""
        with self.writing():
            return self._own_folder() / secrets.token_hex(16)

    def new_folder(self) -> Path:
        """A fresh folder that only this user can read. Raises DataFolderError, DiskFullError."""
        path = self.new_path()
        with self.writing():
            path.mkdir(mode=0o700)
        return path

    def check_room(self, nbytes: int) -> None:
        """Raises DiskFullError unless that much can be written, and read again into another form.

        Also DataFolderError.
        """
        with self.writing():
            free = shutil.disk_usage(self._own_folder()).free
        if free < 2 * nbytes + RESERVE_BYTES:
            raise DiskFullError(
                "There is too little room on the server's disk.",
                came=f"{nbytes / 1e6:,.0f} MB, with {free / 1e6:,.0f} MB free",
                expected=f"twice that and {RESERVE_BYTES / 1e6:,.0f} MB",
            )

    def writing(self) -> AbstractContextManager[None]:
        """What goes wrong inside, as a problem that names no path; the log does."""
        return writing(self.root)

    # --- what is temporary ---

    def _own_folder(self) -> Path:
        with self._opening:
            if self._own is None or not self._own.is_dir():
                if self._private:
                    _make_private(self.root)
                self._temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
                with self._alone():
                    own = self._temporary / secrets.token_hex(8)
                    own.mkdir(mode=0o700)
                    if self._lock is not None:  # somebody has removed the folder
                        self._lock.close()
                    self._lock = (own / "lock").open("wb")
                    lock(self._lock)
                    self._own = own
            return self._own

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other server makes or removes temporary folders meanwhile."""
        with (self._temporary / "lock").open("wb") as file:
            lock(file)
            yield

    def _sweep(self) -> None:
        for folder in self._temporary.iterdir():
            if folder == self._own or not folder.is_dir():
                continue
            if not (folder / "lock").exists() or _is_free(folder / "lock"):
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """OSError inside as DiskFullError or DataFolderError; the log names the place."""
    try:
        yield
    except OSError as error:
        logger.warning("The data folder %s: %s", place, error)
        if error.errno in _FULL:
            raise DiskFullError("The server's disk is full. Nothing was kept.") from error
        raise DataFolderError(
            "The server's data folder cannot be used, so nothing can be opened or kept. "
            "Everything else works; the setting data_folder names another folder.",
            came=error.strerror or type(error).__name__,
        ) from error


def check_free(folder: Path, nbytes: int) -> None:
    """Raises DiskFullError unless that much can be written there. Also DataFolderError."""
    with writing(folder):
        free = shutil.disk_usage(folder).free
    if free < nbytes + RESERVE_BYTES:
        raise DiskFullError(
            "There is too little room on the server's disk.",
            came=f"{nbytes / 1e6:,.0f} MB, with {free / 1e6:,.0f} MB free",
            expected=f"that and {RESERVE_BYTES / 1e6:,.0f} MB",
        )


def _make_private(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid"):
        found = root.lstat()
        theirs = found.st_uid != os.getuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not stat.S_ISDIR(found.st_mode) or theirs:
            raise PermissionError(errno.EPERM, "somebody else can write there", str(root))


def _is_free(path: Path) -> bool:
    with path.open("rb+") as file:
        return try_lock(file)
