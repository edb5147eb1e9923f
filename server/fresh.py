"""Networks that have learned nothing, made by a worker."""

from __future__ import annotations

from dataclasses import asdict

from lstm_core.errors import CheckpointError, InputError
from lstm_core.shape import LSTMShape, ModuleShape
from lstm_core.text import BUCKETS
from server.schemas import FreshModelCreate
from server.workers import Workers

OPTIONS = ("input_size", "hidden_size", "num_layers", "bias", "bidirectional", "proj_size")


async def make_fresh(
    wanted: FreshModelCreate, workers: Workers, *, max_parameters: int
) -> tuple[str, str, bytes]:
    """What to call it, its description and its weights.

    Raises InputError for sizes no LSTM can have, CheckpointError for too many weights, before
    anything is allocated.
    """
    shape = _shape(wanted)
    count = parameters(shape, words=wanted.reads == "words")
    if count > max_parameters:
        raise CheckpointError(
            "This model would be too large.",
            came=f"{count:,} parameters",
            expected=f"at most {max_parameters:,}",
        )
    description, weights = await workers.run("fresh", asdict(shape), wanted.seed, wanted.reads)
    return f"Fresh {shape}", description, weights


def _shape(wanted: FreshModelCreate) -> LSTMShape:
    if wanted.proj_size >= wanted.hidden_size:
        raise InputError(
            "A projection makes h narrower than the cell.",
            came=f"proj_size {wanted.proj_size:,}, hidden_size {wanted.hidden_size:,}",
            expected="proj_size smaller than hidden_size, or 0 for none",
        )
    return LSTMShape(**{name: getattr(wanted, name) for name in OPTIONS})


def parameters(shape: LSTMShape, *, words: bool) -> int:
    """How many numbers: the LSTM's, and those of the random vectors of words."""
    weights = ModuleShape(**vars(shape)).weights().values()
    count = sum(dims[0] * (dims[1] if len(dims) > 1 else 1) for dims in weights)
    return count + (BUCKETS * shape.input_size if words else 0)
