"""A model that reads sentences: tokenizer, embedding, LSTM, head.

A model is a folder: ``model.json`` (what it is, its vocabularies, its card),
``weights.safetensors`` and ``card.md`` for people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from lstm_core.catalogue import model_folder
from lstm_core.errors import FileError, InputError, SelectionError
from lstm_core.predictions import Predictions, Task
from lstm_core.quantities import Direction
from lstm_core.recorder import record
from lstm_core.recordings import Recording
from lstm_core.shape import LSTMShape
from lstm_core.stack import cell_weights
from lstm_core.text import Token, Tokenizer, Vocabulary

FORMAT = "gatescope.model/1"
Precision = Literal["float32", "float64"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True)
class ModelSpec:
    """Everything about a model but its weights; what ``model.json`` holds.

    ``embedding`` gives the width of each feature's table; together they are the LSTM's input.
    ``labels`` names the rows of the head. ``card`` is for people and never read by the code.
    """

    title: str
    task: Task
    split: str
    vocabularies: Mapping[str, list[str]]
    embedding: Mapping[str, int]
    lstm: LSTMShape
    labels: list[str]
    examples: list[str] = field(default_factory=list)
    card: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Raises FileError when ``text`` does not describe a model."""
        try:
            fields = json.loads(text)
            if fields.pop("format") != FORMAT:
                raise ValueError(f"format is not {FORMAT}")
            spec = cls(**{**fields, "lstm": LSTMShape(**fields["lstm"])})
            spec._check_types()
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise FileError(
                "This model.json does not describe a model.", came=repr(error)
            ) from error
        if spec.task not in get_args(Task):
            raise FileError("No such task.", came=repr(spec.task), exists=get_args(Task))
        if set(spec.embedding) != set(spec.vocabularies):
            raise FileError(
                "Every feature needs a vocabulary and a width.",
                came=f"vocabularies {sorted(spec.vocabularies)}, widths {sorted(spec.embedding)}",
            )
        if sum(spec.embedding.values()) != spec.lstm.input_size:
            raise FileError(
                "The embedding and the LSTM differ in width.",
                came=f"embedding {sum(spec.embedding.values())}",
                expected=f"{spec.lstm.input_size} (input_size)",
            )
        return spec

    def _check_types(self) -> None:
        """Raises ValueError where a field does not hold what its annotation says."""
        checks = {
            "title": isinstance(self.title, str),
            "split": isinstance(self.split, str),
            "vocabularies": isinstance(self.vocabularies, dict)
            and all(_are_strings(items) for items in self.vocabularies.values()),
            "embedding": isinstance(self.embedding, dict)
            and all(isinstance(n, int) and n > 0 for n in self.embedding.values()),
            "labels": _are_strings(self.labels) and len(self.labels) > 0,
            "examples": _are_strings(self.examples),
            "card": isinstance(self.card, dict),
        }
        for name, right in checks.items():
            if not right:
                raise ValueError(f"{name} does not hold what it should")


def _are_strings(items: object) -> bool:
    return isinstance(items, list) and all(isinstance(item, str) for item in items)


class FeatureEmbedding(nn.ModuleDict):
    """One table per feature, side by side: ids (…, features) to vectors (…, input_size)."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(
            {
                name: nn.Embedding(len(spec.vocabularies[name]), width)
                for name, width in spec.embedding.items()
            }
        )

    def forward(self, ids: Tensor) -> Tensor:
        return torch.cat([table(ids[..., n]) for n, table in enumerate(self.values())], dim=-1)


class SequenceModel(nn.Module):
    """Tokenizer, embedding, LSTM and head; records sentences."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.tokenizer = Tokenizer(
            spec.split, {name: Vocabulary(spec.vocabularies[name]) for name in spec.embedding}
        )
        self.embedding = FeatureEmbedding(spec)
        self.lstm = nn.LSTM(
            spec.lstm.input_size,
            spec.lstm.hidden_size,
            spec.lstm.num_layers,
            bias=spec.lstm.bias,
            bidirectional=spec.lstm.bidirectional,
            proj_size=spec.lstm.proj_size,
        )
        self.head = nn.Linear(spec.lstm.output_width * len(spec.lstm.directions), len(spec.labels))

    @property
    def precision(self) -> str:
        return str(self.head.weight.dtype).removeprefix("torch.")

    def record(self, text: str, *, max_tokens: int | None = None) -> Recording:
        """Record a sentence from a fresh zero state, with the head's predictions.

        Raises TextError when there is no token in it, SizeError above ``max_tokens``.
        """
        tokens = self.tokenizer(text, max_tokens=max_tokens)
        with torch.no_grad():
            x = self.embedding(self.ids(tokens))  # (T, input_size)
            recording = cast(
                Recording, record(self.lstm, x, tokens=[token.text for token in tokens])
            )
            recording.predictions = self._predict(recording.output, tokens)
        recording.metadata = {
            "text": text,
            "model": self.spec.title,
            "spans": [[token.start, token.end] for token in tokens],
            "features": [[[f.name, f.value, f.known] for f in token.features] for token in tokens],
        }
        return recording

    def ids(self, tokens: Sequence[Token]) -> Tensor:
        """Feature ids (T, features)."""
        return torch.tensor(
            [[feature.id for feature in token.features] for token in tokens],
            device=self.head.weight.device,
        )

    def _predict(self, output: Tensor, tokens: Sequence[Token]) -> Predictions:
        probabilities = torch.softmax(self.head(output), dim=-1)  # (T, labels)
        targets: list[int | None] | None = None
        if self.spec.task == "next_token":
            ids = {label: n for n, label in enumerate(self.spec.labels)}
            targets = [ids.get(token.features[0].value) for token in tokens[1:]] + [None]
        return Predictions(self.spec.task, self.spec.labels, probabilities, targets)

    def unit_weights(self, layer: int, direction: Direction, unit: int) -> dict[str, Tensor]:
        """The rows that drive one unit's gates, in order i f g o.

        ``W`` (4, input width), ``U`` (4, width of h), ``b`` (4, 2) for b_ih and b_hh, zeros when
        the LSTM has no bias. Raises SelectionError for a unit that does not exist.
        """
        shape = self.spec.lstm
        if (layer, direction) not in shape.cells:
            cells = [f"layer {n} {d}" for n, d in shape.cells]
            raise SelectionError("No such cell.", came=f"layer {layer} {direction}", exists=cells)
        if unit not in range(shape.hidden_size):
            raise SelectionError(
                "No such unit.", came=str(unit), expected=f"0 to {shape.hidden_size - 1}"
            )
        weights = cell_weights(self.lstm, layer, direction)
        rows = torch.arange(4, device=weights.W_ih.device) * shape.hidden_size + unit
        zeros = weights.W_ih.new_zeros(4)
        b_ih = zeros if weights.b_ih is None else weights.b_ih[rows]
        b_hh = zeros if weights.b_hh is None else weights.b_hh[rows]
        with torch.no_grad():
            return {
                "W": weights.W_ih[rows].clone(),
                "U": weights.W_hh[rows].clone(),
                "b": torch.stack([b_ih, b_hh], dim=1),
            }

    def save(self, folder: str | Path) -> None:
        """Write ``model.json`` and ``weights.safetensors``, weights as float32."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        weights = {
            name: tensor.detach().float().cpu().contiguous()
            for name, tensor in self.state_dict().items()
        }
        # Not save_file(), which makes files that nobody else may read.
        (folder / "weights.safetensors").write_bytes(safetensors.torch.save(weights))
        (folder / "model.json").write_text(self.spec.to_json(), encoding="utf-8")


def load_model(name: str | Path, *, precision: Precision = "float32") -> SequenceModel:
    """Load a model in the box by its id, or any model folder by its path; in evaluation mode.

    Raises UnknownModelError when there is none, FileError when the folder is damaged.
    """
    if precision not in PRECISIONS:
        raise InputError("No such precision.", came=repr(precision), exists=PRECISIONS)
    folder = model_folder(name)
    try:
        description = (folder / "model.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError("This model.json cannot be read.", came=str(error)) from error
    model = SequenceModel(ModelSpec.from_json(description))
    try:
        weights = safetensors.torch.load_file(folder / "weights.safetensors")
        model.load_state_dict(weights)
    except (OSError, RuntimeError, safetensors.SafetensorError) as error:
        # Of a misfit torch says only in its second line what it is.
        came = " ".join(line.strip() for line in str(error).splitlines()[:2])
        raise FileError("These weights do not fit their model.json.", came=came) from error
    return model.to(getattr(torch, precision)).eval()
