"""An ONNX file: the LSTM nodes of its graph and the layers around them. Nothing in it runs.

An ``LSTM`` node is one layer: W (D, 4H, I), R (D, 4H, H) and B (D, 8H), the gates in the order
i o f c. Every node becomes a group of its own; which of them are layers of one network is said in
a note, and their names come in that order.
https://onnx.ai/onnx/operators/onnx__LSTM.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto, NodeProto, TensorProto

from lstm_core.checkpoints import onnx_values as values
from lstm_core.checkpoints.contents import Array, Contents, Limits
from lstm_core.checkpoints.gathering import Gathering
from lstm_core.checkpoints.onnx_values import Numbers, Scope, Spread, Values, label, shape_text
from lstm_core.checkpoints.tables import Tables
from lstm_core.errors import CheckpointError

FORMAT = "ONNX"

DIRECTIONS = {"forward": ("",), "reverse": ("_reverse",), "bidirectional": ("", "_reverse")}
FUNCTIONS = ["sigmoid", "tanh", "tanh"]  # of i, o and f; of c; of h

#: Operators that hand an LSTM's output on to the next layer, turned or cut but the same numbers.
PASSING = {
    *("Cast", "Concat", "Dropout", "Flatten", "Identity"),
    *("Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"),
}

OTHER_LSTMS = {
    "DynamicQuantizeLSTM": "its weights are quantized and stay so while it runs",
    "QLinearLSTM": "its weights are quantized and stay so while it runs",
}

#: The end of a name that would look like a part of an LSTM.
LSTM_PART = re.compile(r"(weight|bias)_(ih|hh|hr)(_l\d+)?(_reverse)?$|(^|\.)[hc]_0$")


def read(path: Path, limits: Limits) -> Contents:
    """What an ONNX file holds; ``CheckpointError`` where it is not one or holds what is refused."""
    model = _model(path, limits)
    try:
        _refuse_bad_text(model)
        _refuse_external_data(model)
        _refuse_too_much(model, limits)
        return _Reader(model, limits).contents()
    except UnicodeDecodeError as error:
        raise CheckpointError(
            "A damaged ONNX file.",
            came="a name in it that is not text",
            expected="a complete file; export it again",
        ) from error


def _model(path: Path, limits: Limits) -> ModelProto:
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise CheckpointError(
            "An ONNX file that is too large.",
            came=f"{size:,} bytes",
            expected=f"at most {limits.file_bytes:,}",
        )
    model = ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except (DecodeError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            "Not an ONNX file, or one that is damaged or cut short.",
            came="bytes that do not parse",
            expected="a file written by torch.onnx.export or another exporter",
        ) from error
    if not model.HasField("graph") or not model.ir_version or not model.opset_import:
        raise CheckpointError(
            "Not an ONNX model, or one that is cut short.",
            came="a file without a graph, or without the version of its operators",
            expected="a whole model (ModelProto), as torch.onnx.export writes it",
        )
    return model


def _refuse_bad_text(model: ModelProto) -> None:
    """A name that is not UTF-8 is handed out as bytes, which no code expects."""
    for name in _names(model):
        if isinstance(name, bytes):
            raise UnicodeDecodeError("utf-8", name, 0, 1, "a name")


def _names(model: ModelProto) -> Iterator[object]:
    for entry in model.metadata_props:
        yield from (entry.key, entry.value)
    nodes = [node for function in model.functions for node in function.node]
    yield from (function.name for function in model.functions)
    for graph in values.graphs_of(model):
        yield from (value.name for value in graph.input)
        yield from (tensor.name for tensor in graph.initializer)
        yield from (sparse.values.name for sparse in graph.sparse_initializer)
        nodes += graph.node
    for node in nodes:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)


def _refuse_external_data(model: ModelProto) -> None:
    for place, tensor in values.tensors_of(model):
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise CheckpointError(
                "An ONNX file that keeps numbers in other files, which are never opened.",
                came=f"external data in {place}",
                expected="one file: onnx.save(model, path, save_as_external_data=False)",
            )


def _refuse_too_much(model: ModelProto, limits: Limits) -> None:
    """Holds what is declared against the limits, and against the bytes that are there."""

    def refuse(what: str, came: int, most: int) -> None:
        if came > most:
            raise CheckpointError(
                f"An ONNX file with too many {what}.",
                came=f"{came:,}",
                expected=f"at most {most:,}",
            )

    nodes = 0
    for depth, graph in _nested(model):
        refuse("graphs within each other", depth, limits.nesting)
        nodes += len(graph.node) + len(graph.input) + len(graph.output)
        refuse("nodes", nodes, 20 * limits.tensors)
    # Every node may hold a constant, most of them a single index.
    initializers = parameters = 0
    for tensors, (_, tensor) in enumerate(values.tensors_of(model), start=1):
        refuse("constants", tensors, 20 * limits.tensors)
        if tensor.data_type in values.TYPES:
            values.check_stored(tensor)
            parameters += int(np.prod(tensor.dims, dtype=object))
            refuse("numbers", parameters, limits.parameters)
    for graph in values.graphs_of(model):
        initializers += len(graph.initializer)
        refuse("tensors", initializers, limits.tensors)


def _nested(model: ModelProto) -> Iterator[tuple[int, onnx.GraphProto]]:
    waiting = [(0, model.graph)]
    while waiting:
        depth, graph = waiting.pop()
        yield depth, graph
        waiting += [
            (depth + 1, inner) for node in graph.node for _, inner in values.subgraphs(node)
        ]


@dataclass(frozen=True)
class LSTMNode:
    """An LSTM node whose attributes have been checked."""

    node: NodeProto
    scope: Scope
    suffixes: tuple[str, ...]  # of its directions
    hidden_size: int

    def input(self, place: int) -> str:
        return self.node.input[place] if place < len(self.node.input) else ""


class _Reader:
    """One pass over a model: LSTMs, embeddings, linear layers, then the initializers left over."""

    def __init__(self, model: ModelProto, limits: Limits) -> None:
        self.model = model
        self.limits = limits
        self.values = Values(limits)
        self.found = Gathering("An ONNX file", limits)
        self.notes = self.found.notes
        self.layers: dict[tuple[int, str, bool], str] = {}  # groups already made of a constant
        self.used: set[tuple[int, str]] = set()  # initializers that came out under another name
        self.scopes = list(_scopes(model))

    def contents(self) -> Contents:
        lstms = [lstm for scope in self.scopes for lstm in self._lstms(scope)]
        for names, lstm in zip(self._prefixes(lstms), lstms, strict=True):
            self._add_lstm(names, lstm)
        for scope in self.scopes:
            self._leave_out_other_networks(scope)
            self._add_layers(scope)
        for scope in self.scopes:
            self._add_initializers(scope)
        for function in self.model.functions:
            if any(node.op_type == "LSTM" for node in function.node):
                self.notes.append(
                    f"An LSTM inside the function '{function.name[:100]}' is left out."
                )
        tables = Tables(self.limits)
        for entry in self.model.metadata_props:
            tables.add_json(entry.key, entry.value)
        return replace(self.found.contents(FORMAT, tables.found), read=self.read)

    def read(self, names: Iterable[str]) -> dict[str, Array]:
        self.values.begin()
        return self.found.read(names)

    # LSTM

    def _lstms(self, scope: Scope) -> Iterator[LSTMNode]:
        for node in scope.graph.node:
            if node.op_type in OTHER_LSTMS:
                raise CheckpointError(
                    f"An ONNX file with a {node.op_type}.",
                    came=f"the node {label(node)}: {OTHER_LSTMS[node.op_type]}",
                    expected="the model as it was before it was quantized",
                )
            if node.op_type == "LSTM" and node.domain in ("", "ai.onnx"):
                yield self._checked(scope, node)
            elif node.domain not in ("", "ai.onnx") and "LSTM" in node.op_type.upper():
                self.notes.append(
                    f"The node {label(node)} is a {node.op_type[:100]} of {node.domain[:100]}, "
                    "which is not known here; it is left out."
                )

    def _checked(self, scope: Scope, node: NodeProto) -> LSTMNode:
        """Refuses by name what computes something else than PyTorch's LSTM."""
        given = values.attributes(node)

        def refuse(what: str, came: str, expected: str) -> None:
            raise CheckpointError(
                f"An ONNX file with an LSTM {what}.",
                came=f"{came} at the node {label(node)}{_in(scope)}",
                expected=expected,
            )

        direction = given["direction"].s.decode() if "direction" in given else "forward"
        if direction not in DIRECTIONS:
            refuse(
                "of an unknown direction",
                f"direction='{direction[:40]}'",
                "forward, reverse or bidirectional",
            )
        suffixes = DIRECTIONS[direction]
        if "clip" in given:
            refuse("that clips its gates", f"clip={given['clip'].f:g}", "no clip")
        if "input_forget" in given and given["input_forget"].i:
            refuse("with coupled gates", "input_forget=1", "an input gate of its own")
        functions = given["activations"].strings if "activations" in given else ()
        named = [name.decode() for name in functions]
        if named and [name.lower() for name in named] != FUNCTIONS * len(suffixes):
            refuse(
                "with other activations",
                f"activations={', '.join(named)[:100]}",
                "Sigmoid, Tanh, Tanh for each direction",
            )
        for name in ("activation_alpha", "activation_beta"):
            if name in given and given[name].floats:
                refuse("with scaled activations", name, "Sigmoid and Tanh as they are")
        if len(node.input) > 7 and node.input[7]:
            peepholes = self.values.array(scope, node.input[7])
            if peepholes is None or peepholes.any():
                refuse("with peepholes", f"P='{node.input[7][:100]}'", "gates that do not see c")
        W, R = (self._weight(scope, node, place) for place in (1, 2))
        B = self._weight(scope, node, 3) if len(node.input) > 3 and node.input[3] else None
        H = R.shape[-1] if R.ndim == 3 else 0
        D = len(suffixes)
        fits = W.ndim == 3 and W.shape[:2] == (D, 4 * H) and R.shape == (D, 4 * H, H) and H > 0
        if not fits or (B is not None and B.shape != (D, 8 * H)):
            shapes = {"W": W, "R": R} | ({} if B is None else {"B": B})
            refuse(
                "whose weights do not fit each other",
                ", ".join(f"{name} {shape_text(part.shape)}" for name, part in shapes.items()),
                f"W {D} × 4H × I, R {D} × 4H × H, B {D} × 8H for '{direction}'",
            )
        if "hidden_size" in given and given["hidden_size"].i != H:
            refuse("of two sizes", f"hidden_size={given['hidden_size'].i}", f"{H}, as its weights")
        return LSTMNode(node, scope, suffixes, H)

    def _weight(self, scope: Scope, node: NodeProto, place: int) -> Numbers:
        name = node.input[place] if place < len(node.input) else ""
        array = self.values.array(scope, name)
        if array is None or array.dtype.kind != "f":
            raise CheckpointError(
                "An ONNX file with an LSTM whose weights are not constants.",
                came=f"{'XWRB'[place]}='{name[:100]}' of the node {label(node)}{_in(scope)}",
                expected="weights as initializers; do_constant_folding=True when exporting",
            )
        return array

    def _prefixes(self, lstms: Sequence[LSTMNode]) -> list[str]:
        """A name for every LSTM; numbered where several would have the same, in their order."""
        wanted = [_readable(lstm.node, "lstm") + _branch(lstm.scope) for lstm in lstms]
        names: list[str] = []
        for place, name in enumerate(wanted):
            several = wanted.count(name) > 1
            number = wanted[:place].count(name)
            names.append(self.found.group(f"{name}.{number}" if several else name))
        below = _below(lstms)
        for chain in _chains(below):
            if len(chain) > 1:
                listed = ", ".join(f"'{names[place]}'" for place in chain[:20])
                self.notes.append(
                    f"In the graph these LSTMs feed each other in this order: {listed}."
                )
        for place, sources in enumerate(below):
            if len(sources) > 1:
                listed = ", ".join(f"'{names[source]}'" for source in sorted(sources))
                self.notes.append(f"The LSTM '{names[place]}' reads several others: {listed}.")
        return names

    def _add_lstm(self, prefix: str, lstm: LSTMNode) -> None:
        scope, node, H = lstm.scope, lstm.node, lstm.hidden_size
        dtype = self._dtype(scope, lstm.input(2))
        I = self._weight(scope, node, 1).shape[-1]  # noqa: E741

        def part(place: int, direction: int, rows: slice) -> Numbers:
            return _ifgo(self._weight(scope, node, place)[direction][rows])

        everything = slice(None)
        for direction, suffix in enumerate(lstm.suffixes):
            parts: dict[str, tuple[tuple[int, ...], Callable[[], Numbers]]] = {
                "weight_ih": ((4 * H, I), partial(part, 1, direction, everything)),
                "weight_hh": ((4 * H, H), partial(part, 2, direction, everything)),
            }
            if lstm.input(3):
                for name, rows in (
                    ("bias_ih", slice(4 * H)),
                    ("bias_hh", slice(4 * H, None)),
                ):
                    parts[name] = ((4 * H,), partial(part, 3, direction, rows))
            for name, (shape, get) in parts.items():
                self.found.add(f"{prefix}.{name}_l0{suffix}", shape, dtype, get)
        for place in (1, 2, 3):
            self._mark(scope, lstm.input(place))
        self._add_states(prefix, lstm, dtype)
        self._note_lengths(prefix, lstm)
        if scope.place:
            self.notes.append(f"The LSTM '{prefix}' stands in {scope.place}.")

    def _add_states(self, prefix: str, lstm: LSTMNode, dtype: str) -> None:
        """(h_0, c_0) where they are constants; what comes from outside means zeros."""
        shape = (len(lstm.suffixes), lstm.hidden_size)
        found: dict[str, Numbers] = {}
        computed = []
        for place, name in ((5, "h_0"), (6, "c_0")):
            value = self.values.constant(lstm.scope, lstm.input(place))
            if value is not None:
                self._mark(lstm.scope, lstm.input(place))
                found[name] = self._state(prefix, lstm, name, value)
            elif lstm.input(place):
                computed.append(name)
        if computed:
            self.notes.append(
                f"In the file the LSTM '{prefix}' is given its {' and '.join(computed)} by an "
                "input or by another node; here zeros stand in for that."
            )
        if any(state.any() for state in found.values()):
            for name in ("h_0", "c_0"):
                state = found.get(name, np.zeros(shape, np.float32))
                self.found.add(f"{prefix}.{name}", shape, dtype, partial(np.copy, state))

    def _state(self, prefix: str, lstm: LSTMNode, name: str, value: Numbers | Spread) -> Numbers:
        """(D, H): the one row that every sequence begins with."""
        D, H = len(lstm.suffixes), lstm.hidden_size
        numbers = value.numbers if isinstance(value, Spread) else value
        if isinstance(value, Spread) and not numbers.shape:
            return np.full((D, H), numbers)
        if values.integer(lstm.node, "layout", 0) and numbers.ndim == 3:
            numbers = numbers.swapaxes(0, 1)
        same = numbers.ndim == 3 and numbers.shape[0] == D and numbers.shape[2] == H
        if not same or not numbers.shape[1] or (numbers != numbers[:, :1]).any():
            raise CheckpointError(
                "An ONNX file with an LSTM whose initial state differs from sequence to sequence.",
                came=f"{name} of shape {shape_text(numbers.shape)} at '{prefix}'",
                expected=f"one state of {D} × 1 × {H} for all, or an input of the graph",
            )
        return np.ascontiguousarray(numbers[:, 0])

    def _note_lengths(self, prefix: str, lstm: LSTMNode) -> None:
        lengths = self.values.array(lstm.scope, lstm.input(4))
        if lengths is not None:
            shown = ", ".join(str(length) for length in lengths.ravel()[:8].tolist())
            self.notes.append(
                f"The LSTM '{prefix}' always reads {shown} timesteps (sequence_lens is a "
                "constant); here it reads as many as there are."
            )

    # Embeddings and linear layers

    def _leave_out_other_networks(self, scope: Scope) -> None:
        for node in scope.graph.node:
            if node.op_type in ("GRU", "RNN") and node.domain in ("", "ai.onnx"):
                for name in node.input[1:4]:
                    self._mark(scope, name)
                self.notes.append(
                    f"The node {label(node)}{_in(scope)} is a {node.op_type}, not an LSTM; "
                    "its weights are left out."
                )

    def _add_layers(self, scope: Scope) -> None:
        users: dict[str, list[NodeProto]] = {}
        for node in scope.graph.node:
            for name in node.input:
                users.setdefault(name, []).append(node)
        for node in scope.graph.node:
            if node.domain not in ("", "ai.onnx"):
                continue
            if node.op_type == "Gather" and not values.integer(node, "axis", 0):
                self._add_embedding(scope, node)
            elif node.op_type == "MatMul" and len(node.input) == 2:
                self._add_product(scope, node, users)
            elif node.op_type == "Gemm":
                self._add_gemm(scope, node)

    def _add_embedding(self, scope: Scope, node: NodeProto) -> None:
        rows = self._matrix(scope, node.input[0]) if node.input else None
        if rows is not None:
            self._add_weight(scope, node, node.input[0], rows.shape, turned=False)

    def _add_product(
        self, scope: Scope, node: NodeProto, users: dict[str, list[NodeProto]]
    ) -> None:
        """x W, and the vector added to it next."""
        matrix = self._matrix(scope, node.input[1])
        if matrix is None:
            return
        name = self._add_weight(scope, node, node.input[1], matrix.shape[::-1], turned=True)
        after = users.get(node.output[0], [])
        if name and len(after) == 1 and after[0].op_type == "Add" and len(after[0].input) == 2:
            [other] = [given for given in after[0].input if given != node.output[0]] or [""]
            self._add_bias(scope, name, other, matrix.shape[1])

    def _add_gemm(self, scope: Scope, node: NodeProto) -> None:
        """α A' B' + β C, where it is a linear layer and nothing else."""
        given = values.attributes(node)
        scaled = any(name in given and given[name].f != 1.0 for name in ("alpha", "beta"))
        matrix = self._matrix(scope, node.input[1]) if len(node.input) > 1 else None
        if matrix is None or scaled or values.integer(node, "transA", 0):
            return
        turned = not values.integer(node, "transB", 0)
        shape = matrix.shape[::-1] if turned else matrix.shape
        name = self._add_weight(scope, node, node.input[1], shape, turned=turned)
        if name and len(node.input) > 2:
            self._add_bias(scope, name, node.input[2], shape[0])

    def _matrix(self, scope: Scope, name: str) -> Numbers | None:
        array = self.values.array(scope, name)
        return array if array is not None and array.ndim == 2 and array.dtype.kind == "f" else None

    def _add_weight(
        self, scope: Scope, node: NodeProto, name: str, shape: tuple[int, ...], *, turned: bool
    ) -> str | None:
        """Adds NAME.weight and returns NAME; None if the initializer keeps its name."""
        root = self._root(scope, name)
        if LSTM_PART.search(root):
            return None  # a cell, unrolled by the exporter: its weights are what they are called

        def get() -> Numbers:
            matrix = self._matrix(scope, name)
            assert matrix is not None
            return matrix.T if turned else matrix

        key = (id(scope), name, node.op_type == "Gather")
        if key not in self.layers:
            group = self.found.group(_own_name(root), _readable(node, node.op_type.lower()))
            self.found.add(f"{group}.weight", shape, self._dtype(scope, name), get)
            self._mark(scope, name)
            self.layers[key] = group
        return self.layers[key]

    def _add_bias(self, scope: Scope, group: str, name: str, width: int) -> None:
        vector = self.values.array(scope, name)
        if vector is None or vector.dtype.kind != "f" or vector.size != width or not vector.ndim:
            return
        if vector.shape[-1] != width or f"{group}.bias" in self.found.infos:
            return
        if LSTM_PART.search(self._root(scope, name)):
            return

        def get() -> Numbers:
            again = self.values.array(scope, name)
            assert again is not None
            return again.reshape(-1)

        self.found.add(f"{group}.bias", (width,), self._dtype(scope, name), get)
        self._mark(scope, name)

    # What is left

    def _add_initializers(self, scope: Scope) -> None:
        for tensor in scope.graph.initializer:
            dtype = values.stored_dtype(tensor)
            if dtype is None or (id(scope), tensor.name) in self.used:
                continue
            name = tensor.name or "tensor"
            if name in self.found.infos:
                name = self.found.group(name)
            self.found.add(name, tuple(tensor.dims), dtype, partial(_numbers, tensor))
        left_out = len(scope.graph.sparse_initializer)
        if left_out:
            self.notes.append(f"{left_out} sparse tensors are left out.")

    # Names and bounds

    def _root(self, scope: Scope, name: str) -> str:
        """The initializer a constant comes from, if it is a single one that was only turned."""
        for _ in range(self.limits.nesting):
            found = scope.find(name)
            if found is None:
                break
            scope, source = found
            if source.node is None or source.node.op_type not in ("Identity", "Cast", "Transpose"):
                break
            name = source.node.input[0] if source.node.input else ""
        return name

    def _mark(self, scope: Scope, name: str) -> None:
        """Every initializer that a constant is made of has come out under that constant's name."""
        waiting, seen = [(scope, name)], set()
        while waiting:
            scope, name = waiting.pop()
            found = scope.find(name) if name else None
            if found is None or (id(found[0]), name) in seen:
                continue
            home, source = found
            seen.add((id(home), name))
            if source.tensor is not None:
                self.used.add((id(home), name))
            elif source.node is not None and source.node.op_type in values.OPERATORS:
                waiting += [(home, given) for given in source.node.input]

    def _dtype(self, scope: Scope, name: str) -> str:
        """What the numbers are stored as, or what becomes of them on the way."""
        found = scope.find(self._root(scope, name))
        if found is not None and found[1].tensor is not None:
            stored = values.stored_dtype(found[1].tensor)
            if stored is not None:
                return stored
        array = self.values.array(scope, name)
        return "float32" if array is None else str(array.dtype)


def _scopes(model: ModelProto) -> Iterator[Scope]:
    """The main graph, then those within it."""
    waiting = [Scope(model.graph)]
    while waiting:
        scope = waiting.pop(0)
        yield scope
        waiting += [
            Scope(graph, scope, f"the {name[:40]} of the {node.op_type[:40]} {label(node)}")
            for node in scope.graph.node
            for name, graph in values.subgraphs(node)
        ]


def _in(scope: Scope) -> str:
    return f" in {scope.place}" if scope.place else ""


def _branch(scope: Scope) -> str:
    """The branches of an If stand beside each other, not on each other; names say so."""
    found = re.match(r"the (then|else)_branch", scope.place)
    return f".{found[1]}" if found else ""


def _numbers(tensor: TensorProto) -> Numbers:
    numbers = values.to_numbers(tensor)
    assert numbers is not None
    return numbers


def _ifgo(rows: Numbers) -> Numbers:
    """ONNX's gates i o f c as PyTorch's i f g o."""
    i, o, f, g = np.split(rows, 4)
    return np.concatenate([i, f, g, o])


def _own_name(name: str) -> str | None:
    """An initializer's own name without what says that it is a weight, if a person chose it."""
    name = re.sub(r":\d+$", "", name)
    if not name or name.isdigit() or "::" in name or "_output_" in name:
        return None
    name = re.sub(r"/(ReadVariableOp|Read|read|MatMul|embedding_lookup)(/.*)?$", "", name)
    name = re.sub(r"[./](weight|kernel|embeddings|embedding)$", "", name)
    return _clean(name) or None


def _readable(node: NodeProto, otherwise: str) -> str:
    """A node's name as a person would write it: ``/encoder/lstm/LSTM_1`` is ``encoder.lstm``."""
    pieces = [piece for piece in (node.name or next(iter(node.output), "")).split("/") if piece]
    pieces = [piece for piece in pieces if not re.fullmatch(r"\w*PartitionedCall\w*", piece)]
    made = rf"({node.op_type}(_\d+)?(_output_\d+)?(__\d+)?|Y|\d+)(:\d+)?"
    while pieces and re.fullmatch(made, pieces[-1]):
        pieces.pop()
    return _clean(".".join(pieces)) or otherwise


def _clean(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name.replace("/", ".")).strip("._")


def _below(lstms: Sequence[LSTMNode]) -> list[set[int]]:
    """For each LSTM, those whose output it reads with nothing but ``PASSING`` in between."""
    producers = {
        (id(lstm.scope), lstm.node.output[0]): place
        for place, lstm in enumerate(lstms)
        if lstm.node.output and lstm.node.output[0]
    }
    return [_sources(lstm.scope, lstm.input(0), producers) for lstm in lstms]


def _sources(scope: Scope, name: str, producers: dict[tuple[int, str], int]) -> set[int]:
    found: set[int] = set()
    waiting, seen = [(scope, name)], set()
    while waiting:
        scope, name = waiting.pop()
        home = scope.find(name) if name else None
        if home is None or (id(home[0]), name) in seen:
            continue
        scope, source = home
        seen.add((id(scope), name))
        if (id(scope), name) in producers:
            found.add(producers[id(scope), name])
        elif source.node is not None and source.node.op_type in PASSING:
            joined = source.node.op_type == "Concat"
            waiting += [(scope, given) for given in source.node.input[: None if joined else 1]]
    return found


def _chains(below: Sequence[set[int]]) -> Iterator[list[int]]:
    """Runs in which each reads the one before and nothing else does."""
    readers = [sum(place in sources for sources in below) for place in range(len(below))]

    def before(place: int) -> int | None:
        sources = below[place]
        alone = len(sources) == 1 and readers[next(iter(sources))] == 1
        return next(iter(sources)) if alone else None

    after = {before(place): place for place in range(len(below)) if before(place) is not None}
    for first in range(len(below)):
        if before(first) is None:
            chain = [first]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            yield chain
