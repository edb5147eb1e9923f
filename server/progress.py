"""How far a computation is: a file beside its result, a line per step.

A file, because it survives whoever writes it, and whoever reads it need not be there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class ProgressWriter:
    """Says in ``path``, which is there already, what is being done.

    Once the folder is removed, because nobody waits any more, nothing is written anywhere.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, done: int, of: int, what: str) -> None:
        line = json.dumps({"done": done, "of": of, "what": what}) + "\n"
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        except OSError:
            return
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)


def read_progress(path: Path) -> list[dict[str, Any]]:
    """Every step so far, the first one first; none while nothing has begun."""
    try:
        lines = path.read_text().splitlines(keepends=True)
    except OSError:
        return []
    return [json.loads(line) for line in lines if line.endswith("\n")]
