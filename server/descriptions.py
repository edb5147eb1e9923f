"""RecordingPublic of a file that has just been written: everything but its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstm_core.shape import StackShape
from server.array_file import ArrayFile
from server.schemas import (
    ArrayPublic,
    FeaturePublic,
    ParityPublic,
    PredictionsPublic,
    RecordingCreate,
    RecordingPublic,
    StackPublic,
    TokenPublic,
)


def describe(
    recording_id: str,
    wanted: RecordingCreate,
    digest: str,
    shape: StackShape,
    file: ArrayFile,
    about: Mapping[str, Any],
    nbytes: int,
) -> RecordingPublic:
    """``about`` is what ``Recording.write`` put beside the arrays."""
    return RecordingPublic(
        id=recording_id,
        model=wanted.model,
        model_digest=digest,
        text=wanted.text,
        precision=wanted.precision,
        timesteps=file.timesteps,
        tokens=_tokens(about),
        lstm=StackPublic.of(shape),
        parity=ParityPublic(**about["parity"], ok=about["parity"]["where"] is None),
        not_finite=about["not_finite"],
        predictions=PredictionsPublic(**about["predictions"]) if about["predictions"] else None,
        arrays=_arrays(file, about["ranges"]),
        nbytes=nbytes,
    )


def _arrays(file: ArrayFile, ranges: Mapping[str, Any]) -> list[ArrayPublic]:
    arrays = []
    for name, entry in file.entries.items():
        low, high, finite = ranges[name]
        shape = list(entry.shape)
        arrays.append(
            ArrayPublic(
                name=name, shape=shape, dtype=entry.dtype, low=low, high=high, finite=finite
            )
        )
    return arrays


def _tokens(about: Mapping[str, Any]) -> list[TokenPublic]:
    texts, metadata = about["tokens"], about["metadata"]
    columns = zip(texts, metadata["spans"], metadata["features"], strict=True)
    return [
        TokenPublic(
            text=text,
            start=start,
            end=end,
            known=features[0][2],
            features=[FeaturePublic(name=n, value=v, known=k) for n, v, k in features],
        )
        for text, (start, end), features in columns
    ]
