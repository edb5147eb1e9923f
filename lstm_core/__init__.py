"""Open an LSTM: record every gate and state of every layer, direction and timestep.

    rec = lstm_core.record(lstm, x)
    rec["c", 1, "backward"]
    model = lstm_core.load_model("shakespeare")
    rec = model.record("To be, or not to be")

The names below are imported when first used, so that the web server can read the vocabulary
(``lstm_core.quantities``) and the list of models without importing torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_core.errors import LSTMCoreError
    from lstm_core.models import SequenceModel, load_model
    from lstm_core.parity import Parity
    from lstm_core.quantities import QUANTITIES, Quantity
    from lstm_core.recorder import record
    from lstm_core.recording import Recording, RecordingBatch

__all__ = [
    "QUANTITIES",
    "LSTMCoreError",
    "Parity",
    "Quantity",
    "Recording",
    "RecordingBatch",
    "SequenceModel",
    "load_model",
    "record",
]

_HOME = {
    "QUANTITIES": "quantities",
    "LSTMCoreError": "errors",
    "Parity": "parity",
    "Quantity": "quantities",
    "Recording": "recording",
    "RecordingBatch": "recording",
    "SequenceModel": "models",
    "load_model": "models",
    "record": "recorder",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
