"""The result: every quantity of one sequence, labelled; and a batch of them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, overload

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from lstm_core.errors import FileError, SelectionError
from lstm_core.parity import ForwardResult, Parity, compare
from lstm_core.predictions import Predictions
from lstm_core.quantities import DIRECTIONS, QUANTITIES, Direction
from lstm_core.shape import LSTMShape

FORMAT = "gatescope.recording/1"
Key = tuple[str, int, Direction]


@dataclass(eq=False)
class Recording:
    """All quantities of one sequence of T timesteps through an ``nn.LSTM``.

    ``recording["c", 1, "backward"]`` is a tensor (T, units). Timesteps are in sentence order for
    both directions. Read it, do not write it: the tensors are the recording itself.
    """

    shape: LSTMShape
    arrays: Mapping[Key, Tensor]  # (quantity, layer, direction) -> (T, units)
    x: Tensor  # (T, input_size), what the first layer read
    h_0: Tensor  # (L·D, width of h)
    c_0: Tensor  # (L·D, H)
    tokens: tuple[str, ...] | None = None
    predictions: Predictions | None = None
    #: Runs the module's own forward; None when only the stored result is left (a loaded file).
    reference: Callable[[], ForwardResult] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    _parity: Parity | None = None

    def __len__(self) -> int:
        """The number of timesteps T."""
        return len(self.x)

    def __getitem__(self, key: tuple[str, int] | tuple[str, int, str]) -> Tensor:
        """A quantity of one layer and direction, (T, units).

        The direction may be left out when the LSTM has only one.
        Raises SelectionError when it was not recorded.
        """
        if not isinstance(key, tuple) or len(key) not in (2, 3):
            raise SelectionError(
                "Say which quantity and layer.",
                came=repr(key),
                expected="recording[quantity, layer, direction]",
                exists=list(QUANTITIES),
            )
        quantity, layer, *rest = key
        if not isinstance(quantity, str) or quantity not in QUANTITIES:
            raise SelectionError("No such quantity.", came=repr(quantity), exists=list(QUANTITIES))
        if layer not in range(self.shape.num_layers):
            layers = [str(n) for n in range(self.shape.num_layers)]
            raise SelectionError("No such layer.", came=repr(layer), exists=layers)
        if not rest and self.shape.bidirectional:
            raise SelectionError(
                "This LSTM has two directions; say which.",
                came=repr(key),
                expected=f"recording[{quantity!r}, {layer}, direction]",
                exists=DIRECTIONS,
            )
        direction = rest[0] if rest else DIRECTIONS[0]
        if direction not in self.shape.directions:
            raise SelectionError(
                "No such direction.", came=repr(direction), exists=self.shape.directions
            )
        return self.arrays[quantity, layer, direction]

    @property
    def output(self) -> Tensor:
        """h of the last layer at every timestep, directions side by side: (T, D·width of h)."""
        top = self.shape.num_layers - 1
        return torch.cat([self.arrays["h", top, d] for d in self.shape.directions], dim=-1)

    @property
    def h_n(self) -> Tensor:
        """h after the last timestep each cell *processed*: (L·D, width of h).

        For the backward direction that is timestep 0 of the sentence.
        """
        return self._last("h")

    @property
    def c_n(self) -> Tensor:
        """c after the last timestep each cell *processed*: (L·D, H)."""
        return self._last("c")

    def _last(self, quantity: str) -> Tensor:
        return torch.stack(
            [
                self.arrays[quantity, layer, direction][-1 if direction == "forward" else 0]
                for layer, direction in self.shape.cells
            ]
        )

    @property
    def parity(self) -> float:
        """Largest absolute difference from the module's own forward; computed when first read."""
        return self.parity_report.difference

    @property
    def parity_report(self) -> Parity:
        """The comparison with its tolerance and where it was left, if it was."""
        if self._parity is None:
            if self.reference is None:
                raise FileError("This recording was stored without a parity.")
            ours = ForwardResult(self.output, self.h_n, self.c_n)
            self._parity = compare(ours, self.reference())
        return self._parity

    @property
    def nbytes(self) -> int:
        tensors = [*self.arrays.values(), self.x, self.h_0, self.c_0]
        return sum(t.numel() * t.element_size() for t in tensors)

    def to_bytes(self) -> bytes:
        """The recording as a safetensors file: one tensor per ``layer.direction.quantity``.

        Beside them ``x``, ``h_0``, ``c_0`` and, with a head, ``probabilities``. Everything else
        is JSON in the metadata entry ``gatescope``. The parity is computed first.
        """
        parity = self.parity_report
        about = {
            "format": FORMAT,
            "shape": asdict(self.shape),
            "tokens": self.tokens,
            "parity": {
                # JSON has no infinity: null says that a number stands against none.
                "difference": parity.difference if parity.difference < float("inf") else None,
                "tolerance": parity.tolerance,
                "where": parity.where,
            },
            "predictions": self.predictions.about() if self.predictions else None,
            "metadata": dict(self.metadata),
        }
        tensors = {f"{layer}.{d}.{q}": array for (q, layer, d), array in self.arrays.items()}
        tensors |= {"x": self.x, "h_0": self.h_0, "c_0": self.c_0}
        if self.predictions:
            tensors["probabilities"] = self.predictions.probabilities
        # Clones: a recording of a batch is a view, and safetensors refuses shared memory.
        stored = {
            name: t.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, t in tensors.items()
        }
        return safetensors.torch.save(stored, {"gatescope": json.dumps(about, allow_nan=False)})

    def save(self, path: str | Path) -> None:
        """Write :meth:`to_bytes` to ``path``."""
        Path(path).write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: str | Path) -> Recording:
        """Read what :meth:`save` wrote. Raises FileError for any other file."""
        try:
            with safetensors.safe_open(path, framework="pt") as file:
                about = json.loads((file.metadata() or {}).get("gatescope", "{}"))
                # Clones: get_tensor() reads from the file itself, which may be written again.
                names = list(file.keys())
                tensors = {name: file.get_tensor(name).clone() for name in names}
        except (safetensors.SafetensorError, RecursionError, ValueError) as error:
            raise FileError(
                "This is not a safetensors file.", came=f"{Path(path).name}: {error}"
            ) from error
        stored_format = about.get("format") if isinstance(about, dict) else None
        if stored_format != FORMAT:
            raise FileError(
                "This safetensors file is not a recording.",
                came=f"format {stored_format!r}",
                expected=repr(FORMAT),
            )
        try:
            return cls._from_parts(about, tensors)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise FileError("This recording is damaged.", came=repr(error)) from error

    @classmethod
    def _from_parts(cls, about: Mapping[str, Any], tensors: dict[str, Tensor]) -> Recording:
        shape = LSTMShape(**about["shape"])
        if shape.num_layers > len(tensors):  # before anything is built that long
            raise ValueError(f"{shape.num_layers} layers in {len(tensors)} arrays")
        arrays: dict[Key, Tensor] = {
            (q, layer, d): tensors[f"{layer}.{d}.{q}"]
            for layer, d in shape.cells
            for q in QUANTITIES
        }
        predictions = None
        if about["predictions"]:
            predictions = Predictions(
                **about["predictions"], probabilities=tensors["probabilities"]
            )
        tokens = None
        if about["tokens"] is not None:
            tokens = tuple(about["tokens"])
            if list(tokens) != about["tokens"]:  # a string is not its characters
                raise ValueError("tokens are not a list")
        stored = about["parity"]
        difference = float("inf") if stored["difference"] is None else stored["difference"]
        recording = cls(
            shape=shape,
            arrays=arrays,
            x=tensors["x"],
            h_0=tensors["h_0"],
            c_0=tensors["c_0"],
            tokens=tokens,
            predictions=predictions,
            metadata=dict(about["metadata"]),
            _parity=Parity(float(difference), float(stored["tolerance"]), stored["where"]),
        )
        recording._check()
        return recording

    def _check(self) -> None:
        """Raises ValueError where the parts, read from a file, do not fit each other."""
        T, rows = len(self.x), len(self.shape.cells)
        shapes = {
            "x": (self.x, (T, self.shape.input_size)),
            "h_0": (self.h_0, (rows, self.shape.output_width)),
            "c_0": (self.c_0, (rows, self.shape.hidden_size)),
        }
        for (q, layer, d), array in self.arrays.items():
            shapes[f"{layer}.{d}.{q}"] = array, (T, self.shape.width(q))
        for name, (tensor, shape) in shapes.items():
            if tuple(tensor.shape) != shape or tensor.dtype != self.x.dtype:
                raise ValueError(
                    f"{name} is {tuple(tensor.shape)} {tensor.dtype}, "
                    f"expected {shape} {self.x.dtype}"
                )
        if T == 0 or not self.x.dtype.is_floating_point:
            raise ValueError(f"nothing recorded: x is {tuple(self.x.shape)} {self.x.dtype}")
        if self.tokens is not None and not _are_strings(self.tokens, T):
            raise ValueError(f"tokens are not {T} strings")
        if self.predictions is not None:
            _check_predictions(self.predictions, T)

    def __repr__(self) -> str:
        if self._parity is None:
            parity = "not compared with nn.LSTM yet (read .parity)"
        elif self._parity.ok:
            parity = f"equal to nn.LSTM within {self._parity.difference:.1e}"
        else:
            parity = (
                f"differs from nn.LSTM by {self._parity.difference:.1e}, "
                f"first in {self._parity.where}"
            )
        lines = [
            f"Recording of {self.shape}",
            f"  timesteps   {len(self)}{self._sentence()}",
            f"  quantities  {' '.join(QUANTITIES)}   [quantity, layer, direction] -> (T, units)",
            f"  layers      {self.shape.num_layers} × {', '.join(self.shape.directions)}; "
            f"{self.shape.hidden_size} units"
            + (f", h projected to {self.shape.proj_size}" if self.shape.proj_size else ""),
            f"  numbers     {str(self.x.dtype).removeprefix('torch.')}, {_size(self.nbytes)}",
            f"  parity      {parity}",
        ]
        return "\n".join(lines)

    def _sentence(self) -> str:
        if self.tokens is None:
            return ""
        # A control character must not reach a terminal, a lone surrogate cannot be printed.
        sentence = " ".join(
            token if token.isprintable() and token.strip() else repr(token) for token in self.tokens
        )
        return f": {sentence if len(sentence) <= 60 else sentence[:59] + '…'}"


class RecordingBatch(Sequence[Recording]):
    """The recordings of a batch, one per sequence, and the batched results of ``nn.LSTM``.

    ``output`` is (T, B, D·H), or (B, T, D·H) for a ``batch_first`` module; ``h_n`` and ``c_n``
    are (L·D, B, H) in both cases, as PyTorch returns them.
    """

    def __init__(self, recordings: Sequence[Recording], *, batch_first: bool) -> None:
        self._recordings = tuple(recordings)
        self._batch_first = batch_first

    def __len__(self) -> int:
        return len(self._recordings)

    @overload
    def __getitem__(self, index: int) -> Recording: ...
    @overload
    def __getitem__(self, index: slice) -> RecordingBatch: ...
    def __getitem__(self, index: int | slice) -> Recording | RecordingBatch:
        if isinstance(index, slice):
            return RecordingBatch(self._recordings[index], batch_first=self._batch_first)
        return self._recordings[index]

    def __iter__(self) -> Iterator[Recording]:
        return iter(self._recordings)

    @property
    def output(self) -> Tensor:
        outputs = [recording.output for recording in self._recordings]
        return torch.stack(outputs, dim=0 if self._batch_first else 1)

    @property
    def h_n(self) -> Tensor:
        return torch.stack([recording.h_n for recording in self._recordings], dim=1)

    @property
    def c_n(self) -> Tensor:
        return torch.stack([recording.c_n for recording in self._recordings], dim=1)

    @functools.cached_property
    def parity(self) -> float:
        """The largest of the recordings' parities."""
        return max(recording.parity for recording in self._recordings)

    def __repr__(self) -> str:
        if not self._recordings:
            return "RecordingBatch of 0 recordings"
        first = self._recordings[0]
        return f"RecordingBatch of {len(self)} recordings of {len(first)} timesteps, {first.shape}"


def _are_strings(items: Sequence[Any], length: int) -> bool:
    return len(items) == length and all(isinstance(item, str) for item in items)


def _check_predictions(predictions: Predictions, T: int) -> None:
    labels, probabilities, targets = (
        predictions.labels,
        predictions.probabilities,
        predictions.targets,
    )
    if not isinstance(labels, list) or not _are_strings(labels, len(labels)):
        raise ValueError("labels are not a list of strings")
    if tuple(probabilities.shape) != (T, len(labels)):
        raise ValueError(f"probabilities {tuple(probabilities.shape)}, {len(labels)} labels")
    if targets is not None and (
        len(targets) != T or not all(n is None or 0 <= n < len(labels) for n in targets)
    ):
        raise ValueError(f"targets are not {T} ids of labels")


def _size(nbytes: int) -> str:
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if nbytes >= factor:
            return f"{nbytes / factor:.1f} {unit}"
    return f"{nbytes} bytes"
