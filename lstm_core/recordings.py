"""The result: every quantity of one sequence, labelled."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import safetensors
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_core.analysis.summaries import value_range
from lstm_core.errors import FileError, InputError, SelectionError
from lstm_core.exports import checked_format, write_export
from lstm_core.finite import first_not_finite
from lstm_core.parity import ForwardResult, Parity, compare
from lstm_core.predictions import Predictions
from lstm_core.quantities import DIRECTIONS, QUANTITIES, Direction
from lstm_core.shape import ModuleShape, StackShape
from lstm_core.states import CellState, States, as_states
from lstm_core.tensor_files import Entry, encode_header

FORMAT = "gatescope.recording/2"
Key = tuple[str, int, Direction]
Cell = tuple[int, Direction]
#: Is told how much is done, of how much, and what is being done now.
Progress = Callable[[int, int, str], None]

_DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
}


@dataclass(eq=False)
class Recording:
    """All quantities of one sequence of T timesteps through an LSTM.

    ``recording["c", 1, "backward"]`` is a tensor (T, units). Timesteps are in sentence order for
    both directions. Read it, do not write it: the tensors are the recording itself.
    """

    shape: StackShape
    arrays: Mapping[Key, Tensor]  # (quantity, layer, direction) -> (T, units)
    x: Tensor  # (T, input_size), what the first layer read
    initial: Mapping[Cell, CellState]  # (layer, direction) -> h (width of h), c (H)
    #: What dropout multiplied the output of a layer by, (T, D·width of h), where there was any.
    masks: Mapping[int, Tensor] = field(default_factory=dict)
    tokens: tuple[str, ...] | None = None
    predictions: Predictions | None = None
    #: Which engine computed it.
    engine: str = "reference"
    #: Whether hooks could replace values: then there is nothing in PyTorch to compare it with.
    hooked: bool = False
    #: Runs the module's own forward; None when only the stored result is left (a loaded file).
    reference: Callable[[], ForwardResult] | None = None
    weights_not_finite: Callable[[], str | None] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    _parity: Parity | None = None

    def __len__(self) -> int:
        """The number of timesteps T."""
        return len(self.x)

    def __getitem__(self, key: tuple[str, int] | tuple[str, int, str]) -> Tensor:
        """A quantity of one layer and direction, (T, units).

        The direction may be left out when the layer has only one.
        Raises SelectionError when it was not recorded.
        """
        return self.arrays[self.shape.find(key)]

    @property
    def output(self) -> Tensor:
        """h of the last layer at every timestep, directions side by side: (T, D·width of h)."""
        top = self.shape.num_layers - 1
        return torch.cat([self.arrays["h", top, d] for d in self.shape.directions(top)], dim=-1)

    @property
    def h_n(self) -> States:
        """h after the last timestep each cell *processed*, shaped as the module returns it.

        (L·D, width of h) for an nn.LSTM, (H) for a cell, for a list of modules a tuple of these.
        For the backward direction the last timestep processed is timestep 0 of the sentence.
        """
        return as_states(self.shape, [state.h for state in self.last_states])

    @property
    def c_n(self) -> States:
        """c after the last timestep each cell *processed*, shaped like :attr:`h_n`."""
        return as_states(self.shape, [state.c for state in self.last_states])

    @property
    def h_0(self) -> States:
        """h before the first timestep, shaped like :attr:`h_n`."""
        return as_states(self.shape, [self.initial[cell].h for cell in self.shape.cells])

    @property
    def c_0(self) -> States:
        """c before the first timestep, shaped like :attr:`h_n`."""
        return as_states(self.shape, [self.initial[cell].c for cell in self.shape.cells])

    @property
    def last_states(self) -> list[CellState]:
        """The state each cell ended with, in the order of ``shape.cells``."""
        ends = [(cell, -1 if cell[1] == "forward" else 0) for cell in self.shape.cells]
        return [
            CellState(self.arrays["h", *cell][end], self.arrays["c", *cell][end])
            for cell, end in ends
        ]

    @property
    def parity(self) -> float:
        """Largest absolute difference from the module's own forward; computed when first read.

        Raises InputError for a recording with hooks: no module computes that.
        """
        return self.parity_report.difference

    @property
    def parity_report(self) -> Parity:
        """The comparison with its tolerance and where it was left, if it was."""
        if self._parity is None:
            if self.hooked:
                raise InputError(
                    "A recording with hooks has nothing in PyTorch to be compared with.",
                    expected="record without hooks to read .parity",
                )
            if self.reference is None:
                raise FileError("This recording was stored without a parity.")
            last = self.last_states
            ours = ForwardResult(
                self.output, tuple(state.h for state in last), tuple(state.c for state in last)
            )
            self._parity = compare(ForwardResult(*map(_detached, ours)), self.reference())
        return self._parity

    @functools.cached_property
    def not_finite(self) -> str | None:
        """Where NaN or infinity first appeared, in words; None where all numbers are finite.

        Weights come first, then the input, then the cells in the order of computation.
        """
        weight = self.weights_not_finite() if self.weights_not_finite else None
        return weight or first_not_finite(self.shape, self.arrays, self.x, self.initial)

    @property
    def nbytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in self._tensors().values())

    def _tensors(self) -> dict[str, Tensor]:
        """Everything recorded under its name in the file."""
        tensors = {f"{layer}.{d}.{q}": array for (q, layer, d), array in self.arrays.items()}
        tensors["x"] = self.x
        for (layer, d), state in self.initial.items():
            tensors |= {f"{layer}.{d}.h_0": state.h, f"{layer}.{d}.c_0": state.c}
        return tensors | {f"{layer}.dropout": mask for layer, mask in self.masks.items()}

    def to_bytes(self) -> bytes:
        """What :meth:`write` writes."""
        file = io.BytesIO()
        self.write(file)
        return file.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the recording to ``path``, see :meth:`write`."""
        with Path(path).open("wb") as file:
            self.write(file)

    def write(self, file: BinaryIO, *, progress: Progress | None = None) -> None:
        """The recording as a safetensors file: one tensor per ``layer.direction.quantity``.

        Beside them ``x``, ``layer.direction.h_0`` and ``c_0``, ``layer.dropout`` where there was
        dropout and, with a head, its ``scores``. Everything else is JSON in the metadata entry
        ``gatescope``. Array after array, so that no second copy of them is ever held.

        The parity is computed first. ``progress`` is told before that and before the writing.
        """
        if progress:
            progress(0, 2, "comparing with PyTorch")
        if not self.hooked:
            _ = self.parity_report
        if progress:
            progress(1, 2, "writing")
        tensors = self._tensors()
        if self.predictions:
            tensors["scores"] = self.predictions.scores
        entries = [(n, Entry(_DTYPES[t.dtype], tuple(t.shape))) for n, t in sorted(tensors.items())]
        about = {**self._about(), "ranges": {n: _range(t) for n, t in tensors.items()}}
        text = json.dumps(about, allow_nan=False)
        file.write(encode_header(entries, {"gatescope": text}))
        for name, _ in entries:
            file.write(_raw(tensors[name]).data)

    def _about(self) -> dict[str, Any]:
        """Everything but the numbers, as JSON can hold it."""
        parity = None if self.hooked else self.parity_report
        return {
            "format": FORMAT,
            "shape": asdict(self.shape),
            "tokens": self.tokens,
            "parity": parity
            and {
                # JSON has no infinity: null says that a number stands against none.
                "difference": parity.difference if parity.difference < float("inf") else None,
                "tolerance": parity.tolerance,
                "where": parity.where,
            },
            "engine": self.engine,
            "not_finite": self.not_finite,
            "predictions": self.predictions.about() if self.predictions else None,
            "metadata": dict(self.metadata),
        }

    def export(
        self,
        path: str | Path,
        format: str | None = None,
        arrays: Sequence[str] | None = None,
        *,
        start: int = 0,
        stop: int | None = None,
        units: Sequence[int] | None = None,
    ) -> None:
        """Write a slice as ``format``: csv, npz, safetensors, parquet; by default the suffix.

        ``arrays`` are named as in the file of :meth:`save` (``"1.forward.h"``, ``"x"``,
        ``"scores"``), by default all there are; timesteps ``start`` to ``stop``, and the same
        ``units`` of each, by default all. What is in the file: :mod:`lstm_core.exports`.

        Raises SelectionError for arrays, timesteps or units there are not, InputError for a format
        there is not.
        """
        format = checked_format(format or Path(path).suffix.removeprefix(".").lower())
        timesteps = range(start, len(self) if stop is None else stop)
        if not 0 <= timesteps.start < timesteps.stop <= len(self):
            raise SelectionError(
                "There are no such timesteps.",
                came=f"start {start}, stop {stop}",
                expected=f"0 ≤ start < stop ≤ {len(self)}",
            )
        tables = self._tables()
        if unknown := [name for name in arrays or () if name not in tables]:
            raise SelectionError("No such array.", came=repr(unknown[0]), exists=list(tables))
        cut, columns = {}, {}
        for name in tables if arrays is None else arrays:
            columns[name] = _units_of(name, tables[name], units)
            rows = tables[name][timesteps.start : timesteps.stop]
            cut[name] = _as_numpy(rows)[:, columns[name]]
        with Path(path).open("wb") as file:
            write_export(
                file,
                format,
                cut,
                tokens=[self.tokens[t] if self.tokens else "" for t in timesteps],
                start=start,
                units=columns,
                metadata={key: _as_text(value) for key, value in self.metadata.items()},
            )

    def _tables(self) -> dict[str, Tensor]:
        """Everything with timesteps, (T, units), under its name in the file."""
        tables = {name: t for name, t in self._tensors().items() if t.dim() == 2}
        return tables | ({"scores": self.predictions.scores} if self.predictions else {})

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
        modules = tuple(ModuleShape(**module) for module in about["shape"]["modules"])
        if sum(module.num_layers for module in modules) > len(tensors):  # before they are counted
            raise ValueError(f"{modules} in {len(tensors)} arrays")
        shape = StackShape(modules, about["shape"]["listed"])
        for value, kind in ((about["shape"]["listed"], bool), (about["engine"], str)):
            if not isinstance(value, kind):
                raise ValueError(f"{value!r} is no {kind.__name__}")
        predictions = None
        if about["predictions"]:
            predictions = Predictions(**about["predictions"], scores=tensors["scores"])
        tokens = None
        if about["tokens"] is not None:
            tokens = tuple(about["tokens"])
            if list(tokens) != about["tokens"]:  # a string is not its characters
                raise ValueError("tokens are not a list")
        recording = cls(
            shape=shape,
            arrays={(q, n, d): tensors[f"{n}.{d}.{q}"] for n, d in shape.cells for q in QUANTITIES},
            x=tensors["x"],
            initial={
                (n, d): CellState(tensors[f"{n}.{d}.h_0"], tensors[f"{n}.{d}.c_0"])
                for n, d in shape.cells
            },
            masks={
                n: tensors[f"{n}.dropout"]
                for n in range(shape.num_layers)
                if f"{n}.dropout" in tensors
            },
            tokens=tokens,
            predictions=predictions,
            engine=about["engine"],
            hooked=about["parity"] is None,
            metadata=dict(about["metadata"]),
        )
        if (stored := about["parity"]) is not None:
            difference = float("inf") if stored["difference"] is None else stored["difference"]
            recording._parity = Parity(
                float(difference), float(stored["tolerance"]), stored["where"]
            )
        recording._check()
        if about["not_finite"] is not None:  # of weights it cannot be found out again
            recording.__dict__["not_finite"] = str(about["not_finite"])
        return recording

    def _check(self) -> None:
        """Raises ValueError where the parts, read from a file, do not fit each other."""
        T, shape = len(self.x), self.shape
        expected: dict[str, tuple[int, ...]] = {"x": (T, shape.input_size)}
        for layer, d in shape.cells:
            expected |= {f"{layer}.{d}.{q}": (T, shape.width(q, layer)) for q in QUANTITIES}
            expected[f"{layer}.{d}.h_0"] = (shape.width("h", layer),)
            expected[f"{layer}.{d}.c_0"] = (shape.width("c", layer),)
        expected |= {f"{layer}.dropout": (T, shape.output_width(layer)) for layer in self.masks}
        for name, tensor in self._tensors().items():
            if tuple(tensor.shape) != expected[name] or tensor.dtype != self.x.dtype:
                raise ValueError(
                    f"{name} is {tuple(tensor.shape)} {tensor.dtype}, "
                    f"expected {expected[name]} {self.x.dtype}"
                )
        if T == 0 or not self.x.dtype.is_floating_point:
            raise ValueError(f"nothing recorded: x is {tuple(self.x.shape)} {self.x.dtype}")
        if self.tokens is not None and not _are_strings(self.tokens, T):
            raise ValueError(f"tokens are not {T} strings")
        if self.predictions is not None:
            _check_predictions(self.predictions, T)

    def __repr__(self) -> str:
        lines = [
            f"Recording of {self.shape}",
            f"  timesteps   {len(self)}{self._sentence()}",
            f"  quantities  {' '.join(QUANTITIES)}   [quantity, layer, direction] -> (T, units)",
            f"  layers      {self._layers()}",
            f"  numbers     {str(self.x.dtype).removeprefix('torch.')}, {_size(self.nbytes)}",
            f"  parity      {self._comparison()}",
        ]
        if self.masks:
            layers = ", ".join(str(layer) for layer in self.masks)
            lines.insert(4, f"  dropout     above layer {layers}; the masks are recorded")
        if self.not_finite:
            lines.append(f"  not finite  NaN or infinity, first in {self.not_finite}")
        return "\n".join(lines)

    def _layers(self) -> str:
        shape = self.shape
        widths = [shape.width("c", n) for n in range(shape.num_layers)]
        units = str(widths[0]) if len(set(widths)) == 1 else " → ".join(map(str, widths))
        directions = [shape.directions(n) for n in range(shape.num_layers)]
        sides = ", ".join(d for d in DIRECTIONS if any(d in layer for layer in directions))
        if len(set(directions)) > 1:
            sides = f"{sides} (not in all)"
        text = f"{shape.num_layers} × {sides}; {units} units"
        projected = [shape.width("h", n) for n in range(shape.num_layers)]
        if projected != widths:
            text += f", h projected to {' → '.join(map(str, dict.fromkeys(projected)))}"
        return text

    def _comparison(self) -> str:
        if self.hooked:
            return "values may have been replaced by hooks; PyTorch has nothing to compare with"
        if self._parity is None:
            return "not compared with PyTorch yet (read .parity)"
        if self._parity.ok:
            return f"equal to PyTorch within {self._parity.difference:.1e}"
        return (
            f"differs from PyTorch by {self._parity.difference:.1e}, first in {self._parity.where}"
        )

    def _sentence(self) -> str:
        if self.tokens is None:
            return ""
        # A control character must not reach a terminal, a lone surrogate cannot be printed.
        sentence = " ".join(
            token if token.isprintable() and token.strip() else repr(token) for token in self.tokens
        )
        return f": {sentence if len(sentence) <= 60 else sentence[:59] + '…'}"


def _raw(tensor: Tensor) -> NDArray[np.uint8]:
    """The bytes of a tensor, without a copy where they lie in memory as they should."""
    whole = tensor.detach().cpu().contiguous().resolve_neg()
    return cast("NDArray[np.uint8]", whole.reshape(-1).view(torch.uint8).numpy())


def _range(tensor: Tensor) -> tuple[float | None, float | None, bool]:
    """Its lowest and highest finite value, and whether all of them are finite."""
    half = tensor.dtype not in (torch.float32, torch.float64)  # numpy has no bfloat16
    values = tensor.detach().cpu()
    return value_range((values.float() if half else values).numpy())


def _units_of(name: str, table: Tensor, units: Sequence[int] | None) -> list[int]:
    """The units to export of one array, all by default. Raises SelectionError."""
    width = table.shape[1]
    if unknown := [unit for unit in units or () if not 0 <= unit < width]:
        raise SelectionError(
            f"{name} has no such unit.", came=str(unknown[0]), expected=f"0 to {width - 1}"
        )
    return list(range(width) if units is None else units)


def _as_numpy(tensor: Tensor) -> NDArray[Any]:
    tensor = tensor.detach().cpu()
    # NumPy has no bfloat16; all its numbers are numbers of float32, too.
    array: NDArray[Any] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return array


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _detached(part: Any) -> Any:
    return tuple(t.detach() for t in part) if isinstance(part, tuple) else part.detach()


def _are_strings(items: Sequence[Any], length: int) -> bool:
    return len(items) == length and all(isinstance(item, str) for item in items)


def _check_predictions(predictions: Predictions, T: int) -> None:
    labels, scores, targets = predictions.labels, predictions.scores, predictions.targets
    if not isinstance(labels, list) or not _are_strings(labels, len(labels)):
        raise ValueError("labels are not a list of strings")
    if tuple(scores.shape) != (T, len(labels)):
        raise ValueError(f"scores {tuple(scores.shape)}, {len(labels)} labels")
    if targets is not None and (
        len(targets) != T or not all(n is None or 0 <= n < len(labels) for n in targets)
    ):
        raise ValueError(f"targets are not {T} ids of labels")


def _size(nbytes: int) -> str:
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if nbytes >= factor:
            return f"{nbytes / factor:.1f} {unit}"
    return f"{nbytes} bytes"
