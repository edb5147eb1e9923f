"""A model that reads sentences or tables: tokenizer, embedding, LSTM, head.

A model is a folder: ``model.json`` (what it is, its vocabularies, its card),
``weights.safetensors`` and, in the box, ``card.md`` for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from lstm_core import catalogue
from lstm_core.backward import BackwardLSTM
from lstm_core.catalogue import model_folder
from lstm_core.checkpoints.opening import Vocabulary as VocabularySource
from lstm_core.checkpoints.opening import build_checkpoint
from lstm_core.errors import FileError, InputError, SelectionError
from lstm_core.model_spec import Activation, ModelSpec
from lstm_core.predictions import Predictions
from lstm_core.quantities import Direction
from lstm_core.recorder import record
from lstm_core.recordings import Progress, Recording
from lstm_core.shape import ModuleShape, StackShape
from lstm_core.stack import cell_weights
from lstm_core.tables import Table, read_table
from lstm_core.text import Feature, Token, Tokenizer, Vocabulary

if TYPE_CHECKING:
    from lstm_core.analysis.sampling import Method
    from lstm_core.writing import Written

Precision = Literal["float32", "float64"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

_ACTIVATIONS: dict[Activation, nn.Module] = {
    "relu": nn.ReLU(),
    "tanh": nn.Tanh(),
    "none": nn.Identity(),
}


class FeatureEmbedding(nn.ModuleDict):
    """One table per feature, side by side: ids (…, features) to vectors (…, input_size)."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(
            {
                name: nn.Embedding(spec.vocabulary_size(name), width)
                for name, width in spec.embedding.items()
            }
        )

    def forward(self, ids: Tensor) -> Tensor:
        return torch.cat([table(ids[..., n]) for n, table in enumerate(self.values())], dim=-1)


class SequenceModel(nn.Module):
    """Tokenizer, embedding, LSTM and head; records sentences, or tables of numbers.

    ``lstm`` is an ``nn.LSTM``, or a list of modules where the spec says so; without a task there
    is no ``head``.
    """

    head: nn.Linear

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.tokenizer = None if spec.reads_numbers else _tokenizer(spec)
        self.embedding = FeatureEmbedding(spec)
        modules = [module_of(shape) for shape in spec.lstm.modules]
        self.lstm = nn.ModuleList(modules) if spec.lstm.listed else modules[0]
        self.hidden = nn.ModuleList()
        if spec.task is not None:
            self._add_head()
        if spec.initial_state:
            for name, shape in spec.weight_shapes().items():
                if name.startswith(("h_0_", "c_0_")):
                    self.register_buffer(name, torch.zeros(shape))

    def _add_head(self) -> None:
        spec = self.spec
        width = spec.lstm.output_width(spec.lstm.num_layers - 1)
        for above in spec.head.hidden:
            self.hidden.append(nn.Linear(width, above))
            width = above
        self.head = nn.Linear(width, spec.outputs)

    @property
    def like(self) -> Tensor:
        """A weight; everything that is computed has its type and its device."""
        return next(self.lstm.parameters())

    @property
    def precision(self) -> str:
        return str(self.like.dtype).removeprefix("torch.")

    def record(
        self, text: str, *, max_tokens: int | None = None, progress: Progress | None = None
    ) -> Recording:
        """Record a sentence from the model's initial state, with the head's predictions.

        For a model that reads numbers ``text`` is a table, see :mod:`lstm_core.tables`.
        ``progress`` is that of :func:`lstm_core.record`.
        Raises TextError when there is no token in it, SizeError above ``max_tokens``.
        """
        with torch.no_grad():
            tokens, x = self.read(text, max_tokens=max_tokens)
            recording = cast(
                Recording,
                record(
                    self._source,
                    x,
                    self._hx,
                    tokens=[token.text for token in tokens],
                    progress=progress,
                ),
            )
            if self.spec.task is not None:
                recording.predictions = self._predict(recording, tokens)
        recording.metadata = {
            "text": text,
            "model": self.spec.title,
            "spans": [[token.start, token.end] for token in tokens],
            "features": [[[f.name, f.value, f.known] for f in token.features] for token in tokens],
        }
        return recording

    def write_on(
        self,
        text: str,
        tokens: int = 100,
        *,
        method: Method = "greedy",
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        first: int | str | None = None,
        max_tokens: int | None = None,
    ) -> Iterator[Written]:
        """Go on from a text, token by token: a language model's own continuation.

        The text is read once; from its last state each token that is written is one LSTM step,
        and comes with all quantities of that step, as `record` of the whole text has them.
        "greedy" takes the most probable label, of equals the one with the lowest id. "sample"
        draws from what ``temperature``, ``top_k`` and ``top_p`` leave, see
        :func:`lstm_core.analysis.sampling.remaining`, with a number that depends on ``seed`` and
        the token's place in the text alone: the same text and seed give the same continuation,
        also in parts. (Where two machines differ in the last digit of a probability, a draw that
        falls between the two may differ.) ``first``, a label or its id, is the first token.

        A label that cannot be written as text that is read back as the same token is never chosen:
        see :mod:`lstm_core.spelling`. It ends early where none is left, or where what the model
        says is not finite.

        Raises InputError for a model that cannot write on (no language model, or one that reads
        backward) and for options that cannot be; TextError and SizeError as `record` does.
        """
        from lstm_core.writing import write_on

        return write_on(
            self,
            text,
            tokens,
            method=method,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            seed=seed,
            first=first,
            max_tokens=max_tokens,
        )

    def read(self, text: str, *, max_tokens: int | None = None) -> tuple[list[Token], Tensor]:
        """The tokens of a text and what they are to the LSTM, (T, input_size)."""
        if self.tokenizer is None:
            table = self._table(text, max_tokens)
            return _rows(table, self.spec.columns), torch.from_numpy(table.values).to(self.like)
        tokens = self.tokenizer(text, max_tokens=max_tokens)
        return tokens, cast(Tensor, self.embedding(self.ids(tokens)))

    def tokens(self, text: str, *, max_tokens: int | None = None) -> list[Token]:
        """The tokens of a text, without what they are to the LSTM. Raises as `record` does."""
        if self.tokenizer is None:
            return _rows(self._table(text, max_tokens), self.spec.columns)
        return self.tokenizer(text, max_tokens=max_tokens)

    def _table(self, text: str, max_rows: int | None) -> Table:
        return read_table(text, width=self.spec.lstm.input_size, max_rows=max_rows)

    def ids(self, tokens: Sequence[Token]) -> Tensor:
        """Feature ids (T, features)."""
        return torch.tensor(
            [[feature.id for feature in token.features] for token in tokens],
            device=self.like.device,
        )

    @property
    def _source(self) -> nn.LSTM | nn.ModuleList:
        return cast("nn.LSTM | nn.ModuleList", self.lstm)

    @property
    def _hx(self) -> object:
        """(h_0, c_0) as :func:`lstm_core.record` takes them; None stands for zeros."""
        if not self.spec.initial_state:
            return None
        count = len(self.spec.lstm.modules)
        states = [
            tuple(getattr(self, f"{name}_{n}") for n in range(count)) for name in ("h_0", "c_0")
        ]
        return tuple(states) if self.spec.lstm.listed else tuple(state[0] for state in states)

    def _predict(self, recording: Recording, tokens: Sequence[Token]) -> Predictions:
        task = self.spec.task
        assert task is not None  # who calls has looked
        top = recording.shape.num_layers - 1
        scores = self.scores(self.read_by_head(_states(recording, top)))
        targets: list[int | None] | None = None
        if task == "next_token" and self.tokenizer is not None:
            ids = {label: n for n, label in enumerate(self.spec.labels)}
            targets = [ids.get(token.features[0].value) for token in tokens[1:]] + [None]
        return Predictions(task, self.spec.labels, scores, targets)

    def scores(self, h: Tensor) -> Tensor:
        """What the head makes of h (…, D·width): probabilities, or for "value" its numbers."""
        for layer in self.hidden:
            h = _ACTIVATIONS[self.spec.head.activation](layer(h))
        z: Tensor = self.head(h)
        if self.spec.task == "value":
            return z
        if self.spec.head.sigmoid:
            p = torch.sigmoid(z)
            return torch.cat([1 - p, p], dim=-1)
        return torch.softmax(z, dim=-1)

    def read_by_head(self, h: Mapping[Direction, Tensor]) -> Tensor:
        """What the head is given at every timestep, (T, D·width of h).

        ``h`` is (T, width of h) of each direction of a layer: of the top one, or under the lens.
        """
        reads = self.spec.head.reads
        if reads == "last":
            # Forward has read up to t, backward everything: after the last timestep this is h_n.
            parts = [own if d == "forward" else own[:1].expand_as(own) for d, own in h.items()]
            return torch.cat(parts, dim=-1)
        output = torch.cat(list(h.values()), dim=-1)
        if reads == "mean":
            counts = torch.arange(1, len(output) + 1, dtype=output.dtype, device=output.device)
            return output.cumsum(dim=0) / counts[:, None]
        return output.cummax(dim=0).values if reads == "max" else output

    def lens(self, recording: Recording, layer: int) -> Predictions:
        """What the head would say if it read a lower layer: of the top layer its predictions.

        The head, its hidden layers and its pooling included, is applied to h of ``layer`` as it is
        to h of the top layer. It was never trained to read that layer: what it says shows what of
        the answer stands there already in the form the head reads, not what the layer knows.

        The idea is the "logit lens" of nostalgebraist, "interpreting GPT: the logit lens"
        (LessWrong, 2020), there for the residual stream of a transformer, whose layers share one
        space. The layers of an LSTM do not.

        Raises SelectionError where there is no head or no such layer, InputError where the layer
        is not as wide as the top one.
        """
        self.check_lens(layer)
        with torch.no_grad():
            scores = self.scores(self.read_by_head(_states(recording, layer)))
        assert self.spec.task is not None  # has just been checked
        targets = recording.predictions.targets if recording.predictions else None
        return Predictions(self.spec.task, self.spec.labels, scores, targets)

    def check_lens(self, layer: int) -> None:
        """Raises what :meth:`lens` raises."""
        if self.spec.task is None:
            raise SelectionError("This model has no head that could read a layer.")
        shape = self.spec.lstm
        if layer not in range(shape.num_layers):
            raise SelectionError(
                "No such layer.", came=str(layer), expected=f"0 to {shape.num_layers - 1}"
            )
        came, expected = _width(shape, layer), _width(shape, shape.num_layers - 1)
        if came != expected:
            raise InputError(
                f"The head cannot read layer {layer}: it is not as wide as the top layer.",
                came=came,
                expected=expected,
            )

    def unit_weights(self, layer: int, direction: Direction, unit: int) -> dict[str, Tensor]:
        """The rows that drive one unit's gates, in order i f g o.

        ``W`` (4, input width), ``U`` (4, width of h), ``b`` (4, 2) for b_ih and b_hh, zeros when
        the LSTM has no bias. Raises SelectionError for a unit that does not exist.
        """
        shape = self.spec.lstm
        if (layer, direction) not in shape.cells:
            cells = [f"layer {n} {d}" for n, d in shape.cells]
            raise SelectionError("No such cell.", came=f"layer {layer} {direction}", exists=cells)
        hidden_size = shape.width("c", layer)
        if unit not in range(hidden_size):
            raise SelectionError(
                "No such unit.", came=str(unit), expected=f"0 to {hidden_size - 1}"
            )
        weights = cell_weights(self._source, layer, direction)
        rows = torch.arange(4, device=weights.W_ih.device) * hidden_size + unit
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


def load_folder(folder: Path, *, precision: Precision = "float32") -> SequenceModel:
    """The model of a folder, in evaluation mode. Raises FileError when it is damaged."""
    try:
        description = catalogue.description(folder).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError("This model.json cannot be read.", came=str(error)) from error
    spec = ModelSpec.from_json(description)
    if catalogue.finished(folder) != folder:
        spec = replace(spec, title=f"{spec.title}, step {folder.name}")
    try:
        # Read whole, not mapped: a model must not follow its file.
        weights = safetensors.torch.load((folder / "weights.safetensors").read_bytes())
    except (OSError, safetensors.SafetensorError) as error:
        raise _misfit(str(error)) from error
    return model_of(spec, weights, precision=precision)


def model_of(
    spec: ModelSpec, weights: dict[str, Tensor], *, precision: Precision = "float32"
) -> SequenceModel:
    """A model in evaluation mode; the weights decide how much memory it takes.

    Raises FileError when they are not those that ``spec`` describes.
    """
    expected = spec.weight_shapes()
    for name in [*expected, *weights]:
        came = tuple(weights[name].shape) if name in weights else None
        if came != expected.get(name):
            raise _misfit(f"{name}: {came or 'missing'}", str(expected.get(name, "no such weight")))
        if not weights[name].is_floating_point():
            raise _misfit(f"{name}: {weights[name].dtype}", "floating-point numbers")
    with torch.device("meta"):  # nothing is made that would be thrown away at once
        model = SequenceModel(spec)
    model.load_state_dict(weights, assign=True)
    return model.to(getattr(torch, precision)).eval()


def load_model(
    name: str | Path,
    *,
    precision: Precision = "float32",
    vocabulary: VocabularySource | None = None,
    labels: Sequence[str] | str | None = None,
    title: str | None = None,
    **choices: str,
) -> SequenceModel:
    """Load a model in the box by its id, a model folder, or a trained checkpoint; for evaluation.

    A checkpoint is a PyTorch, safetensors, ONNX or Keras file. ``vocabulary`` is a file, a list of
    strings, or a dict of token → id (or the name of a table inside the checkpoint, "ids" or
    "bytes"); ``labels`` names what the head predicts. Further ``choices`` are ``lstm``,
    ``embedding``, ``head``, ``tokenizer``, ``lowercase``, ``activation``, ``task`` and ``reads``,
    needed only where the file leaves them open: the error then says what there is to choose from.

    Raises UnknownModelError when there is none, FileError when the folder is damaged, and
    CheckpointError for a file that cannot be opened.
    """
    if precision not in PRECISIONS:
        raise InputError("No such precision.", came=repr(precision), exists=PRECISIONS)
    if path := _checkpoint(name):
        spec, weights = build_checkpoint(
            path, vocabulary=vocabulary, labels=labels, choices=choices, title=title
        )
        return model_of(spec, safetensors.torch.load(weights), precision=precision)
    folder = model_folder(name)
    if vocabulary is not None or labels is not None or title is not None or choices:
        raise InputError(
            "A model that is whole leaves nothing to choose.",
            came=", ".join(choices) or "vocabulary, labels or title",
            expected="choices only for a checkpoint",
        )
    return load_folder(folder, precision=precision)


def _checkpoint(name: str | Path) -> Path | None:
    """The path of a file; None for an id or a folder."""
    try:
        return Path(name) if Path(name).is_file() else None
    except (OSError, ValueError):  # a name no file system takes
        return None


def _misfit(came: str, expected: str | None = None) -> FileError:
    return FileError("These weights do not fit their model.json.", came=came, expected=expected)


def _states(recording: Recording, layer: int) -> dict[Direction, Tensor]:
    """h of every direction of a layer."""
    return {d: recording["h", layer, d] for d in recording.shape.directions(layer)}


def _width(shape: StackShape, layer: int) -> str:
    """What a layer hands up, in words: equal words can be read by the same head."""
    directions = shape.directions(layer)
    return " and ".join(f"{shape.width('h', layer)} units {d}" for d in directions)


def _tokenizer(spec: ModelSpec) -> Tokenizer:
    return Tokenizer(
        spec.split, {name: Vocabulary(spec.vocabularies[name]) for name in spec.embedding}
    )


def module_of(shape: ModuleShape) -> nn.Module:
    """A module of that shape, with the weights PyTorch begins with."""
    if shape.kind == "LSTMCell":
        return nn.LSTMCell(shape.input_size, shape.hidden_size, bias=shape.bias)
    if shape.kind == "BackwardLSTM":
        return BackwardLSTM(
            shape.input_size, shape.hidden_size, bias=shape.bias, proj_size=shape.proj_size
        )
    if shape.kind != "LSTM":
        raise FileError(
            "A model cannot be made of this.", came=shape.kind, exists=["LSTM", "LSTMCell"]
        )
    return nn.LSTM(
        shape.input_size,
        shape.hidden_size,
        shape.num_layers,
        bias=shape.bias,
        bidirectional=shape.bidirectional,
        proj_size=shape.proj_size,
    )


def _rows(table: Table, columns: Sequence[str]) -> list[Token]:
    """The rows of a table as tokens, whose features are its columns."""
    names = columns or table.columns
    return [
        Token(
            row.label,
            row.start,
            row.end,
            tuple(
                Feature(name, f"{x:.6g}", n, True)
                for n, (name, x) in enumerate(zip(names, xs, strict=True))
            ),
        )
        for row, xs in zip(table.rows, table.values.tolist(), strict=True)
    ]
