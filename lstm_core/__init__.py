"""Open an LSTM: record every gate and state of every layer, direction and timestep.

    rec = lstm_core.record(lstm, x)
    rec["c", 1, "backward"]
    with lstm_core.recording(any_module) as log:
        any_module(batch)
    model = lstm_core.load_model("shakespeare")
    rec = model.record("To be, or not to be")

The names below are imported when first used, so that the web server can read the vocabulary
(``lstm_core.quantities``) and the list of models without importing torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_core.backward import BackwardLSTM
    from lstm_core.batch import RecordingBatch
    from lstm_core.cells import FusedCell
    from lstm_core.checkpoints.opening import inspect_checkpoint
    from lstm_core.engines.compiled import warm_up
    from lstm_core.equations import CellWeights
    from lstm_core.errors import CheckpointError, LSTMCoreError
    from lstm_core.fresh import fresh_model
    from lstm_core.hooks import Site
    from lstm_core.log import RecordingLog, recording
    from lstm_core.models import SequenceModel, load_model
    from lstm_core.parity import Parity
    from lstm_core.quantities import QUANTITIES, Quantity
    from lstm_core.recorder import record
    from lstm_core.recordings import Recording
    from lstm_core.stack import cell_weights
    from lstm_core.streaming import StreamedStep, steps

__all__ = [
    "QUANTITIES",
    "BackwardLSTM",
    "CellWeights",
    "CheckpointError",
    "FusedCell",
    "LSTMCoreError",
    "Parity",
    "Quantity",
    "Recording",
    "RecordingBatch",
    "RecordingLog",
    "SequenceModel",
    "Site",
    "StreamedStep",
    "cell_weights",
    "fresh_model",
    "inspect_checkpoint",
    "load_model",
    "record",
    "recording",
    "steps",
    "warm_up",
]

_HOME = {
    "QUANTITIES": "quantities",
    "BackwardLSTM": "backward",
    "CellWeights": "equations",
    "CheckpointError": "errors",
    "FusedCell": "cells",
    "LSTMCoreError": "errors",
    "Parity": "parity",
    "Quantity": "quantities",
    "Recording": "recordings",
    "RecordingBatch": "batch",
    "RecordingLog": "log",
    "SequenceModel": "models",
    "Site": "hooks",
    "StreamedStep": "streaming",
    "cell_weights": "stack",
    "fresh_model": "fresh",
    "inspect_checkpoint": "checkpoints.opening",
    "load_model": "models",
    "record": "recorder",
    "recording": "log",
    "steps": "streaming",
    "warm_up": "engines.compiled",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
