"""The scripts and style sheets of the page as they are sent, each made plain once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from server.plain_text import plain_script, plain_style

_PLAIN = {".js": plain_script, ".css": plain_style}
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@dataclass(frozen=True)
class PageFile:
    data: bytes
    media_type: str
    etag: str


class PageFiles:
    """What is edited is what the next request gets: a file is made plain again when it changes."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._kept: dict[Path, tuple[int, PageFile]] = {}

    def get(self, path: str) -> PageFile | None:
        """None where the page has no such script or style sheet."""
        file = (self._root / path).resolve()
        if file.suffix not in _PLAIN or not file.is_relative_to(self._root) or not file.is_file():
            return None
        changed = file.stat().st_mtime_ns
        kept = self._kept.get(file)
        if kept is None or kept[0] != changed:
            kept = self._kept[file] = (changed, _read(file))
        return kept[1]


def _read(file: Path) -> PageFile:
    data = _PLAIN[file.suffix](file.read_text(encoding="utf-8")).encode()
    etag = hashlib.sha256(data).hexdigest()[:32]
    return PageFile(data, _TYPES[file.suffix], f'"{etag}"')
