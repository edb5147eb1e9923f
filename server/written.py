"""Tokens as they are written: a file that a worker appends lines to and the web process reads.

A file, as for progress: it survives whoever writes it, and is gone when nobody reads it any more,
which is how its writer comes to know.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it imports torch, which the web process does not
    from lstm_core.writing import Written

#: The file in a continuation's folder.
WRITTEN = "written"

#: Up to so many labels their probabilities are sent with every token.
MOST_SCORES = 1024


class LinesWriter:
    """Appends to ``path``, which is there already; False once it is not."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def is_read(self) -> bool:
        return self._path.exists()

    def __call__(self, line: bytes) -> bool:
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        except OSError:
            return False
        try:
            os.write(file, line)
        finally:
            os.close(file)
        return True


class LinesReader:
    """What has come since it was read last, as whole lines without the last line end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def __call__(self, most: int = 1 << 22) -> bytes:
        """Blocks while it is read; b"" where there is nothing new."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                came = file.read(most)
                if came and b"\n" not in came:  # a line that is longer
                    came += file.readline()
        except OSError:
            return b""
        whole = came[: came.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole[:-1]


def written_line(written: Written) -> bytes:
    """A line of JSON for a token; its states are numbers in base64, see :func:`states_of`."""
    token, states = written.token, states_of(written)
    features = [{"name": f.name, "value": f.value, "known": f.known} for f in token.features]
    about = {
        "id": written.id,
        "timestep": written.timestep,
        "text": token.text,
        "start": token.start,
        "end": token.end,
        "known": token.known,
        "features": features,
        "appended": written.appended,
        "probability": written.probability,
        "rank": written.rank,
        "entropy": written.entropy,
        "chosen_from": written.chosen_from,
        "top": written.top,
        "arrays": [[name, len(values)] for name, values in states.items()],
        "states": base64.b64encode(b"".join(map(_float32, states.values()))).decode(),
    }
    return json.dumps({"token": about}).encode() + b"\n"


def states_of(written: Written) -> dict[str, Any]:
    """The arrays of the step that read the token, one after another as they are sent.

    ``scores`` only where the labels are few: of a hundred thousand they would be more than all
    the rest.
    """
    arrays = written.arrays()
    if len(arrays["scores"]) > MOST_SCORES:
        del arrays["scores"]
    return arrays


def _float32(values: Any) -> bytes:
    data: bytes = values.detach().float().cpu().numpy().astype("<f4").tobytes()
    return data
