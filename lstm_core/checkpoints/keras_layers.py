"""Keras' layers as PyTorch's: kernels turned, directions side by side, everything else by its name.

Keras writes the gates in the order i f c o, which is PyTorch's i f g o, and multiplies from the
other side: ``kernel`` (I, 4H) is ``weight_ih`` turned. It has one bias where PyTorch has two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_core.checkpoints.contents import Limits
from lstm_core.checkpoints.gathering import Gathering
from lstm_core.checkpoints.hdf5 import Stored
from lstm_core.checkpoints.keras_weights import InGroups, InList, InTree, Weights
from lstm_core.checkpoints.tables import Tables
from lstm_core.errors import CheckpointError

Config = Mapping[str, Any]

LSTMS = ("LSTM", "CuDNNLSTM")
OTHERS = ("GRU", "CuDNNGRU", "SimpleRNN", "GRUCell", "SimpleRNNCell")
LOOKUPS = ("TextVectorization", "StringLookup")

#: What cannot be one of Keras' own classes.
LSTM_PART = re.compile(r"(weight|bias)_(ih|hh|hr)(_l\d+)?(_reverse)?$|^[hc]_0$")


class Layers:
    """Gathers the weights of layers, one call for each."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.found = Gathering("A Keras file", limits)
        self.notes = self.found.notes
        self.tables = Tables(limits)
        self.lookups: dict[str, str] = {}  # the names of those that keep their words in assets/
        self._layers = 0

    # With a config

    def add_model(self, layer: Config, weights: Weights, prefix: str = "", depth: int = 0) -> None:
        """Every layer of a model, in the order of its config; models within it, flattened."""
        if depth > self.limits.nesting:
            raise CheckpointError(
                "A Keras model with too many models within each other.",
                came=f"more than {self.limits.nesting}",
                expected=f"at most {self.limits.nesting}",
            )
        inner = [part for part in _inner_layers(layer) or () if isinstance(part, dict)]
        self._layers += len(inner)
        if self._layers > self.limits.tensors:
            raise CheckpointError(
                "A Keras model with too many layers.",
                came=f"more than {self.limits.tensors:,}",
                expected=f"at most {self.limits.tensors:,}",
            )
        made_of = [(class_of(part), name_of(part)) for part in inner]
        for part, place in zip(inner, weights.layers(made_of), strict=True):
            name = f"{prefix}{name_of(part)}"
            if _inner_layers(part) is not None:
                self.add_model(part, place, f"{name}.", depth + 1)
            else:
                self._add_layer(part, place, name)

    def _add_layer(self, layer: Config, weights: Weights, name: str) -> None:
        kind, config = class_of(layer), config_of(layer)
        wrapped = config.get("layer") if isinstance(config.get("layer"), dict) else None
        if _is_lstm(layer):
            self._add_lstm(layer, weights, name)
        elif kind == "Bidirectional" and wrapped is not None and _is_lstm(wrapped):
            self._add_bidirectional(config, wrapped, weights, name)
        elif kind == "TimeDistributed" and wrapped is not None:
            self._add_wrapped(wrapped, weights.inner("layer"), name)
        elif kind == "Embedding":
            self._add_embedding(config, weights, name)
        elif kind == "Dense":
            self._add_dense(config, weights, name)
        else:
            self._add_other(layer, weights, name)

    def _add_wrapped(self, layer: Config, weights: Weights, name: str) -> None:
        if _inner_layers(layer) is not None:
            self.add_model(layer, weights, f"{name}.", 1)
        else:
            self._add_layer(layer, weights, name)

    def _add_lstm(self, layer: Config, weights: Weights, name: str) -> None:
        """An LSTM, or an RNN of LSTM cells, of which each is a layer."""
        backward = bool(config_of(layer).get("go_backwards"))
        if backward:
            self.notes.append(
                f"The LSTM '{name}' reads from right to left (go_backwards). Keras hands its "
                "outputs on in that order; here each stands at its own token."
            )
        cells = _cells(layer)
        if len(cells) == 1:
            places = [weights.inner("cell")]
        else:
            places = weights.cells([2 + _has_bias(cell) for cell in cells])
            self.notes.append(f"'{name}' is a stack of {len(cells)} LSTM cells, a layer each.")
            if not places:
                raise _no_weights(name)
        for number, (cell, place) in enumerate(zip(cells, places, strict=True)):
            own = name if len(cells) == 1 else f"{name}.{number}"
            self._add_cell(cell, place, self.found.group(own), "_reverse" if backward else "")

    def _add_bidirectional(
        self, config: Config, forward: Config, weights: Weights, name: str
    ) -> None:
        merged = config.get("merge_mode", "concat")
        given = config.get("backward_layer")
        backward: Config = given if isinstance(given, dict) else forward
        if merged != "concat":
            raise _refused(name, f"merge_mode={str(merged)[:40]}", "merge_mode='concat'")
        if not _is_lstm(backward):
            raise _refused(name, f"a {class_of(backward)} as backward_layer", "an LSTM")
        if config_of(forward).get("go_backwards"):
            raise _refused(name, "a forward layer with go_backwards", "one that reads forward")
        cells = _cells(forward), _cells(backward)
        if len(cells[0]) != 1 or len(cells[1]) != 1:
            raise _refused(name, "a stack of cells in both directions", "one LSTM")
        sizes = {(cell.get("units"), _has_bias(cell)) for [cell] in cells}
        if len(sizes) > 1:
            raise _refused(name, "directions of different sizes", "the same size in both")
        group = self.found.group(name)
        for [cell], attribute, suffix in zip(
            cells, ("forward_layer", "backward_layer"), ("", "_reverse"), strict=True
        ):
            place = _direction(weights, attribute).inner("cell")
            self._add_cell(cell, place, group, suffix)

    def _add_cell(self, cell: Config, weights: Weights, group: str, suffix: str) -> None:
        """Refuses by name what computes something else, or is not what the config says."""
        cudnn = cell.get("class") == "CuDNNLSTM"
        for option, wanted in (("activation", "tanh"), ("recurrent_activation", "sigmoid")):
            came = function_name(cell.get(option, wanted))
            if came != wanted and not cudnn:
                raise _refused(group, f"{option}={came[:60]}", f"{option}='{wanted}'")
        parts = weights.own()
        if not parts:
            raise _no_weights(group)
        if len(parts) == 12:
            raise _refused(
                group, "twelve weights, as Keras 1 wrote them", "a file of Keras 2 or later"
            )
        if not fits_lstm(parts, biases=2 if cudnn else 1):
            raise _disagrees(group, _shapes(parts), "kernel I × 4H, recurrent_kernel H × 4H")
        units, H = cell.get("units"), parts[1].shape[0]
        if units is not None and units != H:
            raise _disagrees(group, f"units={str(units)[:20]}, and weights for {H:,}", "the same")
        if (len(parts) == 3) != _has_bias(cell):
            raise _disagrees(group, f"{len(parts)} weights", "a bias if use_bias, else none")
        self.add_lstm(group, parts, suffix, cudnn=cudnn)

    def _add_embedding(self, config: Config, weights: Weights, name: str) -> None:
        parts = [part for part in weights.own() if len(part.shape) == 2]
        sizes = (config.get("input_dim"), config.get("output_dim"))
        if not parts:
            self.notes.append(f"The file holds no numbers for the Embedding '{name}'.")
            return
        if None not in sizes and sizes != parts[0].shape:
            raise _disagrees(name, f"{_times(sizes)}, and {_shapes(parts[:1])} weights", "the same")
        self.add_matrix(self.found.group(name), parts[:1], turned=False)

    def _add_dense(self, config: Config, weights: Weights, name: str) -> None:
        parts = weights.own()
        if not _fits_dense(parts):
            self.notes.append(f"The Dense layer '{name}' is not stored as plain numbers.")
            return
        units = config.get("units")
        if units is not None and units != parts[0].shape[1]:
            raise _disagrees(name, f"units={str(units)[:20]}, and {_shapes(parts)}", "the same")
        self.add_matrix(self.found.group(name), parts, turned=True)
        activation = function_name(config.get("activation"))
        self.notes.append(f"The Dense layer '{name}' applies {activation[:60]}.")

    def _add_other(self, layer: Config, weights: Weights, name: str) -> None:
        kind, config = class_of(layer), config_of(layer)
        wrapped = config.get("layer")
        inner = class_of(wrapped) if isinstance(wrapped, dict) else None
        cell = config.get("cell")
        inner = class_of(cell) if isinstance(cell, dict) else inner
        if kind in LOOKUPS:
            if isinstance(weights, InTree):
                self.lookups[weights.path] = name
            self._add_lookup(kind, config, name)
        elif kind == "Lambda":
            self.notes.append(
                f"The Lambda layer '{name}' holds code of its own, which is never run."
            )
        elif kind in OTHERS or inner in OTHERS:
            self.notes.append(f"'{name}' is a {inner or kind}, not an LSTM.")
        elif _is_foreign(layer):
            self.notes.append(
                f"'{name}' is a {kind[:60]}, a class that is not Keras' own; it is never run."
            )
            if isinstance(weights, InTree):
                self.infer(weights, name)
                return
        self.add_as_they_are(name, weights.everything())

    def _add_lookup(self, kind: str, config: Config, name: str) -> None:
        """Ids begin with the mask and with what stands for unknown words."""
        words = config.get("vocabulary")
        if not isinstance(words, list) or config.get("output_mode", "int") != "int":
            return
        if len(words) > self.limits.table_entries:
            return
        mask = "" if kind == "TextVectorization" else config.get("mask_token")
        count = config.get("num_oov_indices", 1)
        unknown = config.get("oov_token", "[UNK]")
        special = [mask] * (mask is not None)
        special += [unknown] * (count if isinstance(count, int) and 0 <= count < 100 else 1)
        first = [word or "" for word in words[: len(special)]]
        self.tables.add(name, words if first == special else special + words)

    # Without a config

    def infer(self, weights: InTree, name: str, depth: int = 0) -> None:
        """Layers by the shapes of their weights, and by what their groups are called."""
        base = weights.path.rpartition("/")[2]
        title = weights.title() or base
        both = [weights.inner(way).inner("cell") for way in ("forward_layer", "backward_layer")]
        cell = weights.inner("cell").own()
        own = weights.own()
        if all(fits_lstm(way.own()) for way in both):
            group = self.found.group(name or base)
            for way, suffix in zip(both, ("", "_reverse"), strict=True):
                self.add_lstm(group, way.own(), suffix)
            return
        if fits_lstm(cell) or (fits_lstm(own) and "lstm" in f"{base} {title}".lower()):
            self.add_lstm(self.found.group(name or base), cell if fits_lstm(cell) else own, "")
            return
        if len(own) == 1 and len(own[0].shape) == 2 and "embed" in f"{base} {title}".lower():
            self.add_matrix(self.found.group(name or base), own, turned=False)
        elif len(own) == 2 and _fits_dense(own):
            self.add_matrix(self.found.group(name or base), own, turned=True)
        else:
            listed = [(str(number), part) for number, part in enumerate(own)]
            self.add_as_they_are(name, listed)
        for child in weights.names():
            if child == "vars" or depth >= self.limits.nesting:
                continue
            inner = weights.inner(child)
            if child in ("layers", "_layer_checkpoint_dependencies", "cells"):
                self.infer(inner, name, depth + 1)
            else:
                own_name = inner.title() or child
                self.infer(inner, f"{name}.{own_name}" if name else own_name, depth + 1)

    def infer_groups(self, weights: InGroups) -> None:
        """The same for a list of weights: those beside each other belong together."""
        for name in weights.names():
            together: dict[str, list[tuple[str, Stored]]] = {}
            for path, stored in weights.layer(name).listed:
                together.setdefault(path.rpartition("/")[0], []).append((path, stored))
            cells = {path: InList(listed).own() for path, listed in together.items()}
            # Two biases in one: only a CuDNNLSTM has them.
            cudnn = [path for path, parts in cells.items() if fits_lstm(parts, biases=2)]
            lstms = [path for path, parts in cells.items() if fits_lstm(parts) or path in cudnn]
            if len(lstms) == 2 and "backward" in lstms[1] and "backward" not in lstms[0]:
                group = self.found.group(name)
                for path, suffix in zip(lstms, ("", "_reverse"), strict=True):
                    self.add_lstm(group, cells.pop(path), suffix, cudnn=path in cudnn)
            for path, parts in cells.items():
                own = name if len(together) == 1 else f"{name}.{path.replace('/', '.')}"
                last = together[path][0][0].rpartition("/")[2]
                if path in lstms:
                    self.add_lstm(self.found.group(own), parts, "", cudnn=path in cudnn)
                elif last.startswith("embeddings"):
                    self.add_matrix(self.found.group(own), parts, turned=False)
                elif last.startswith("kernel") and _fits_dense(parts):
                    self.add_matrix(self.found.group(own), parts, turned=True)
                else:
                    self.add_as_they_are(own, InList(together[path]).everything())

    # What is added in the end

    def add_lstm(
        self, group: str, parts: Sequence[Stored], suffix: str, *, cudnn: bool = False
    ) -> None:
        kernel, recurrent = parts[:2]
        (I, G), H = kernel.shape, recurrent.shape[0]  # noqa: E741
        turn_ih, turn_hh = (_from_cudnn, _by_gate) if cudnn else (_turned, _turned)
        self._add(f"{group}.weight_ih_l0{suffix}", (G, I), kernel, turn_ih)
        self._add(f"{group}.weight_hh_l0{suffix}", (G, H), recurrent, turn_hh)
        for number, bias in enumerate(("bias_ih", "bias_hh")[: 1 + cudnn] * (len(parts) == 3)):
            rows = slice(number * G, (number + 1) * G)
            self._add(f"{group}.{bias}_l0{suffix}", (G,), parts[2], partial(_rows, rows))

    def add_matrix(self, group: str, parts: Sequence[Stored], *, turned: bool) -> None:
        shape = parts[0].shape[::-1] if turned else parts[0].shape
        self._add(f"{group}.weight", shape, parts[0], _turned if turned else _as_it_is)
        if len(parts) > 1:
            self._add(f"{group}.bias", parts[1].shape, parts[1], _as_it_is)

    def add_as_they_are(self, name: str, listed: Sequence[tuple[str, Stored]]) -> None:
        for ending, stored in listed:
            if LSTM_PART.search(ending.rpartition(".")[2]):
                ending = f"{ending}_"  # a layer of its own kind, whose gates nobody knows
            own = self.found.group(f"{name}.{ending}" if name else ending)
            self._add(own, stored.shape, stored, _as_it_is)

    def _add(self, name: str, shape: tuple[int, ...], stored: Stored, change: Any) -> None:
        self.found.add(name, shape, stored.dtype, lambda: change(stored.read()))


def class_of(layer: Config) -> str:
    kind = layer.get("class_name")
    return kind.rpartition(">")[2] if isinstance(kind, str) else ""


def config_of(layer: Config) -> Config:
    config = layer.get("config")
    return config if isinstance(config, dict) else {}


def name_of(layer: Config) -> str:
    name = config_of(layer).get("name", layer.get("name"))
    return name if isinstance(name, str) and name else class_of(layer).lower() or "layer"


def function_name(value: object) -> str:
    """Of an activation, which newer releases describe as an object."""
    if isinstance(value, dict):
        inner = value.get("config")
        value = inner if isinstance(inner, str) else inner or value.get("class_name")
        value = value.get("name") if isinstance(value, dict) else value
    return value if isinstance(value, str) else "linear" if value is None else "something else"


def fits_lstm(parts: Sequence[Stored], biases: int = 1) -> bool:
    if len(parts) not in (2, 3) or any(len(part.shape) != 2 for part in parts[:2]):
        return False
    H = parts[1].shape[0]
    kernels = H > 0 and all(part.shape[1] == 4 * H for part in parts[:2])
    return kernels and (len(parts) == 2 or parts[2].shape == (4 * H * biases,))


def _fits_dense(parts: Sequence[Stored]) -> bool:
    if len(parts) not in (1, 2) or len(parts[0].shape) != 2:
        return False
    return len(parts) == 1 or parts[1].shape == parts[0].shape[1:]


def _inner_layers(layer: Config) -> list[Any] | None:
    """The layers of a model; None for a layer. The first Keras had a list for a config."""
    config = layer.get("config")
    layers = config.get("layers") if isinstance(config, dict) else config
    return layers if isinstance(layers, list) else None


def _is_lstm(layer: Config) -> bool:
    return bool(_cells(layer))


def _cells(layer: Config) -> list[Config]:
    """The configs of an LSTM's cells: one, or those of an RNN. Empty for everything else."""
    kind, config = class_of(layer), config_of(layer)
    if kind in LSTMS and not _is_foreign(layer):
        return [{**config, "class": kind}]
    cell = config.get("cell")
    if kind != "RNN" or not isinstance(cell, dict):
        return []
    stack = config_of(cell).get("cells") if class_of(cell) == "StackedRNNCells" else [cell]
    if not isinstance(stack, list) or not stack:
        return []
    lstm = all(isinstance(part, dict) and class_of(part) == "LSTMCell" for part in stack)
    return [config_of(part) for part in stack] if lstm else []


def _direction(weights: Weights, attribute: str) -> Weights:
    """One half of a list is a direction: told by the names, as frozen weights come last."""
    if isinstance(weights, InList):
        backward = [pair for pair in weights.listed if re.search(r"(^|/)backward", pair[0])]
        forward = [pair for pair in weights.listed if pair not in backward]
        if len(backward) == len(forward):
            return InList(backward if attribute == "backward_layer" else forward)
    return weights.inner(attribute)


def _has_bias(cell: Config) -> bool:
    return bool(cell.get("use_bias", True))


def _is_foreign(layer: Config) -> bool:
    """Whether a class is somebody's own, by where it says that it comes from."""
    registered, module, kind = (
        layer.get(key) for key in ("registered_name", "module", "class_name")
    )
    if any(isinstance(name, str) and ">" in name for name in (registered, kind)):
        return True
    return isinstance(module, str) and not re.match(r"(keras|tf_keras|tensorflow)(\.|$)", module)


def _refused(name: str, came: str, expected: str) -> CheckpointError:
    return CheckpointError(
        f"A Keras model whose layer '{name[:100]}' is not an LSTM as PyTorch computes it.",
        came=came,
        expected=expected,
    )


def _disagrees(name: str, came: str, expected: str) -> CheckpointError:
    return CheckpointError(
        f"A Keras file whose layer '{name[:100]}' is described otherwise than it is stored.",
        came=came,
        expected=expected,
    )


def _no_weights(name: str) -> CheckpointError:
    return CheckpointError(
        f"A Keras file without weights for its layer '{name[:100]}'.",
        came="a description only",
        expected="a model that was saved whole",
    )


def _shapes(parts: Sequence[Stored]) -> str:
    return ", ".join(_times(part.shape) for part in parts[:6])


def _times(shape: Sequence[object]) -> str:
    return " × ".join(str(length)[:20] for length in shape)


# How numbers change on their way.


def _as_it_is(array: NDArray[Any]) -> NDArray[Any]:
    return array


def _turned(array: NDArray[Any]) -> NDArray[Any]:
    return array.T


def _rows(rows: slice, array: NDArray[Any]) -> NDArray[Any]:
    return array[rows]


def _from_cudnn(kernel: NDArray[Any]) -> NDArray[Any]:
    """cuDNN keeps each gate's matrix the other way round than the shape of the kernel says."""
    I, G = kernel.shape  # noqa: E741
    gates = [gate.reshape(G // 4, I) for gate in np.split(kernel, 4, axis=1)]
    return np.concatenate(gates)


def _by_gate(kernel: NDArray[Any]) -> NDArray[Any]:
    """(H, 4H) to (4H, H), the matrix of each gate as it is."""
    return np.concatenate(np.split(kernel, 4, axis=1))
