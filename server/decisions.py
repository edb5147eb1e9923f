"""What a head decided, as the file that is sent. Imported by readers and workers only: numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_core.analysis.decisions import Decisions
from lstm_core.tensor_files import Entry, encode_header


def decisions_file(decisions: Decisions, *, skip: int = 0) -> bytes:
    """A safetensors file, everything as float32; a label that was not decided is NaN.

    Without the first ``skip`` timesteps.
    """
    found: dict[str, NDArray[Any]] = decisions._asdict()
    found["top"] = np.where(decisions.top < 0, np.nan, decisions.top)
    with np.errstate(over="ignore"):
        arrays = {name: values[skip:].astype(np.float32) for name, values in found.items()}
    entries = [(name, Entry("F32", values.shape)) for name, values in arrays.items()]
    return encode_header(entries, {}) + b"".join(values.tobytes() for values in arrays.values())
