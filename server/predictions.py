"""What is asked about a recording's head: checked here, answered by a reader or a worker."""

from __future__ import annotations

from lstm_core.errors import SelectionError
from server.analyses import Analyses, check_reply
from server.shelf import ShelvedModel
from server.store import StoredRecording
from server.workers import Workers


async def read_predictions(
    analyses: Analyses, recording: StoredRecording, rows: range, k: int
) -> bytes:
    """A safetensors file. Raises SelectionError, SizeError; InputError for a head of numbers."""
    _check(recording, len(rows), k)
    file = recording.file.only(["scores"])
    return await analyses.read("decisions", file, rows.start, rows.stop, k)


async def read_lens(
    workers: Workers, recording: StoredRecording, model: ShelvedModel, layer: int, k: int
) -> bytes:
    """The same of the head applied to a layer. Raises SelectionError, SizeError, and InputError
    where it cannot be."""
    _check(recording, recording.file.timesteps, k)
    return await workers.run(  # type: ignore[no-any-return]
        "lens", str(model.folder), str(recording.folder), recording.file, layer, k
    )


def _check(recording: StoredRecording, timesteps: int, k: int) -> None:
    if "scores" not in recording.file.entries:
        raise SelectionError("This model has no head: it says nothing.")
    labels = min(k, recording.file.entries["scores"].shape[1])
    check_reply(4 * timesteps * (2 * labels + 5), "k smaller, or fewer timesteps")
