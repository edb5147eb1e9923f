"""The constants of an ONNX graph: what a name stands for, when that is known without running it.

Exporters seldom keep a weight as it was. They cut it, join it, turn it and put an axis before it,
in nodes that depend on no input. Those few operators are computed here, by numpy; anything else is
not a constant. A batch's size is an input, so an initial state is often one row repeated an unknown
number of times: ``Spread``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

from lstm_core.checkpoints.contents import DTYPES, Limits
from lstm_core.errors import CheckpointError

Numbers: TypeAlias = NDArray[Any]

#: Element types by their number: what they are called, and the typed list they may stand in.
#: Strings, and types packed into less than a byte, are not here.
TYPES: dict[int, tuple[str, str]] = {
    TensorProto.FLOAT: ("float32", "float_data"),
    TensorProto.DOUBLE: ("float64", "double_data"),
    TensorProto.FLOAT16: ("float16", "int32_data"),
    TensorProto.BFLOAT16: ("bfloat16", "int32_data"),
    TensorProto.INT8: ("int8", "int32_data"),
    TensorProto.UINT8: ("uint8", "int32_data"),
    TensorProto.INT16: ("int16", "int32_data"),
    TensorProto.UINT16: ("uint16", "int32_data"),
    TensorProto.INT32: ("int32", "int32_data"),
    TensorProto.UINT32: ("uint32", "uint64_data"),
    TensorProto.INT64: ("int64", "int64_data"),
    TensorProto.UINT64: ("uint64", "uint64_data"),
    TensorProto.BOOL: ("bool", "int32_data"),
}

WIDTHS = {"bfloat16": 2}  # of those numpy does not know by itself


@dataclass(frozen=True)
class Spread:
    """A constant that some operator repeats along axes of unknown length, where it has length 1.

    A single number (shape ``()``) stands for a tensor of unknown shape that is this number
    everywhere.
    """

    numbers: Numbers


@dataclass(frozen=True)
class Source:
    """Where a value comes from: an initializer, or a node's output; neither is an input."""

    tensor: TensorProto | None = None
    node: NodeProto | None = None


class Scope:
    """The names of one graph; a subgraph also sees those of the graph around it."""

    def __init__(self, graph: GraphProto, outer: Scope | None = None, place: str = "") -> None:
        self.graph = graph
        self.outer = outer
        self.place = place  # "the body of Loop 'x'", empty for the main graph
        self.sources: dict[str, Source] = {}
        for tensor in graph.initializer:
            self.sources[tensor.name] = Source(tensor=tensor)
        for node in graph.node:
            for name in filter(None, node.output):
                self.sources[name] = Source(node=node)
        self.inputs = {value.name for value in graph.input} - set(self.sources)

    def find(self, name: str) -> tuple[Scope, Source] | None:
        """The scope a name belongs to and its source there; None for an input."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.inputs:
                return None
            if name in scope.sources:
                return scope, scope.sources[name]
            scope = scope.outer
        return None


class Values:
    """Computes constants, each time anew: only what is asked for is held."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.begin()

    def begin(self) -> None:
        """A graph may ask for the same work again and again; what one call asks for has an end."""
        self.steps_left = 100 * self.limits.tensors
        self.numbers_left = 8 * self.limits.parameters

    def constant(self, scope: Scope, name: str) -> Numbers | Spread | None:
        """What ``name`` stands for; None where that depends on an input or an unknown operator."""
        return self._value(scope, name, {}, 0)

    def array(self, scope: Scope, name: str) -> Numbers | None:
        """The constant, if its shape is known too."""
        value = self.constant(scope, name)
        return None if isinstance(value, Spread) else value

    def _value(
        self, scope: Scope, name: str, known: dict[tuple[int, str], Any], depth: int
    ) -> Numbers | Spread | None:
        found = scope.find(name) if name else None
        if found is None or depth > self.limits.nesting:
            return None
        home, source = found
        key = (id(home), name)
        if key not in known:
            known[key] = None  # a graph that runs in a circle stands for nothing
            if source.tensor is not None:
                known[key] = to_numbers(source.tensor)
                self._room(prod(source.tensor.dims))
            elif source.node is not None:

                def value(name: str) -> Numbers | Spread | None:
                    return self._value(home, name, known, depth + 1)

                known[key] = self._output(source.node, value)
        result: Numbers | Spread | None = known[key]
        return result

    def _output(
        self, node: NodeProto, value: Callable[[str], Numbers | Spread | None]
    ) -> Numbers | Spread | None:
        operator = OPERATORS.get(node.op_type) if node.domain in ("", "ai.onnx") else None
        if operator is None:
            return None
        self.steps_left -= 1
        if self.steps_left < 0:
            raise CheckpointError(
                "An ONNX graph whose constants are computed in too many steps.",
                came=f"more than {100 * self.limits.tensors:,} of them",
                expected="a graph with its constants folded into initializers",
            )
        inputs = [value(name) if name else None for name in node.input]
        try:
            result = operator(node, inputs, self._room)
        except CheckpointError:
            raise
        except (ValueError, TypeError, IndexError, OverflowError, ArithmeticError) as error:
            raise CheckpointError(
                f"An ONNX graph with a {node.op_type} that cannot be computed.",
                came=f"the node {label(node)} over constants that do not fit it",
                expected="a graph that the ONNX checker accepts",
            ) from error
        if isinstance(result, np.ndarray):
            self._room(result.size)
        return result

    def _room(self, count: int) -> None:
        """Refuses to make more numbers than the file may hold."""
        self.numbers_left -= count
        if count > self.limits.parameters or self.numbers_left < 0:
            raise CheckpointError(
                "An ONNX graph that makes more numbers of its constants than it may hold.",
                came=f"an operator that makes {count:,}",
                expected=f"at most {self.limits.parameters:,}",
            )


def label(node: NodeProto) -> str:
    """How messages call a node."""
    name = node.name or next(filter(None, node.output), "")
    return f"'{name[:100]}'" if name else "without a name"


def attributes(node: NodeProto) -> dict[str, AttributeProto]:
    return {attribute.name: attribute for attribute in node.attribute}


def integer(node: NodeProto, name: str, default: int) -> int:
    attribute = attributes(node).get(name)
    return default if attribute is None else attribute.i


def to_numbers(tensor: TensorProto) -> Numbers | None:
    """A tensor's numbers; bfloat16 as float32. None for strings and types that are not numbers."""
    if tensor.data_type not in TYPES:
        return None
    check_stored(tensor)
    array = numpy_helper.to_array(tensor)
    return array.astype(np.float32) if TYPES[tensor.data_type][0] == "bfloat16" else array


def check_stored(tensor: TensorProto) -> None:
    """Refuses a tensor whose shape is not that of the numbers it holds, before they are copied."""
    dtype, typed = TYPES[tensor.data_type]
    width = WIDTHS.get(dtype) or np.dtype(dtype).itemsize
    negative = any(length < 0 for length in tensor.dims)
    wanted = prod(tensor.dims)
    if tensor.HasField("raw_data"):
        stored, rest = divmod(len(tensor.raw_data), width)
    else:
        stored, rest = len(getattr(tensor, typed)), 0
    if negative or rest or stored != wanted or tensor.HasField("segment"):
        raise CheckpointError(
            f"An ONNX file whose tensor '{tensor.name[:100]}' does not hold what it declares.",
            came=f"shape {shape_text(tensor.dims)}, and {stored:,} numbers",
            expected="a complete file; export it again",
        )


def stored_dtype(tensor: TensorProto) -> str | None:
    """The name of a floating-point type; None for others."""
    dtype = TYPES.get(tensor.data_type, ("", ""))[0]
    return dtype if dtype in DTYPES else None


def shape_text(shape: Iterable[int]) -> str:
    return " × ".join(f"{length:,}" for length in shape) or "of a single number"


def tensors_of(model: ModelProto) -> Iterator[tuple[str, TensorProto]]:
    """Every tensor anywhere in a model, and what holds it."""
    for graph in graphs_of(model):
        for tensor in graph.initializer:
            yield f"the initializer '{tensor.name[:100]}'", tensor
        for sparse in graph.sparse_initializer:
            yield f"the sparse initializer '{sparse.values.name[:100]}'", sparse.values
            yield f"the sparse initializer '{sparse.values.name[:100]}'", sparse.indices
        yield from _tensors_of_nodes(graph.node)
    for function in model.functions:
        yield from _tensors_of_nodes(function.node)
        yield from _tensors_of_attributes(function.attribute_proto, f"the function {function.name}")


def _tensors_of_nodes(nodes: Iterable[NodeProto]) -> Iterator[tuple[str, TensorProto]]:
    for node in nodes:
        yield from _tensors_of_attributes(
            node.attribute, f"an attribute of the {node.op_type} {label(node)}"
        )


def _tensors_of_attributes(
    found: Iterable[AttributeProto], place: str
) -> Iterator[tuple[str, TensorProto]]:
    for attribute in found:
        for tensor in (*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors):
            yield place, tensor
        one = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
        for sparse in (*one, *attribute.sparse_tensors):
            yield place, sparse.values
            yield place, sparse.indices


def graphs_of(model: ModelProto) -> Iterator[GraphProto]:
    """Every graph: the main one, those for training, and all within them and within functions."""
    waiting = [model.graph]
    for training in model.training_info:
        waiting += [training.initialization, training.algorithm]
    for function in model.functions:
        waiting += [graph for node in function.node for _, graph in subgraphs(node)]
        waiting += [graph for part in function.attribute_proto for graph in (part.g, *part.graphs)]
    while waiting:
        graph = waiting.pop()
        yield graph
        waiting += [inner for node in graph.node for _, inner in subgraphs(node)]


def subgraphs(node: NodeProto) -> Iterator[tuple[str, GraphProto]]:
    """The graphs a node holds (If, Loop, Scan), by the name of the attribute."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.name, attribute.g
        for graph in attribute.graphs:
            yield attribute.name, graph


# What follows computes one operator each: of the node, its inputs (None where one is missing or not
# a constant) and a function that refuses too many numbers.

Inputs: TypeAlias = list[Numbers | Spread | None]
Room: TypeAlias = Callable[[int], None]
Operator: TypeAlias = Callable[[NodeProto, Inputs, Room], "Numbers | Spread | None"]


def each(
    change: Callable[[NodeProto, Numbers, Inputs], Numbers | None],
) -> Operator:
    """An operator on its first input that means the same along an axis of unknown length.

    What has no shape, one number everywhere, stays what it is.
    """

    def operator(node: NodeProto, inputs: Inputs, _room: Room) -> Numbers | Spread | None:
        first = inputs[0] if inputs else None
        if not isinstance(first, Spread):
            return None if first is None else change(node, first, inputs)
        if not first.numbers.shape:
            return first
        changed = change(node, first.numbers, inputs)
        return None if changed is None else Spread(changed)

    return operator


def integers(node: NodeProto, attribute: str, inputs: Inputs, place: int) -> list[int] | None:
    """A list of axes or indices: an attribute in old versions of ONNX, an input in new ones."""
    found = attributes(node).get(attribute)
    if found is not None:
        return list(found.ints)
    given = inputs[place] if place < len(inputs) else None
    return [int(number) for number in given.ravel()] if isinstance(given, np.ndarray) else None


def constant(node: NodeProto, _inputs: Inputs, _room: Room) -> Numbers | None:
    for name, attribute in attributes(node).items():
        if name == "value":
            return to_numbers(attribute.t)
        if name in ("value_float", "value_floats"):
            whole = name.endswith("s")
            return np.array(attribute.floats if whole else attribute.f, dtype=np.float32)
        if name in ("value_int", "value_ints"):
            whole = name.endswith("s")
            return np.array(attribute.ints if whole else attribute.i, dtype=np.int64)
    return None


def constant_of_shape(node: NodeProto, inputs: Inputs, room: Room) -> Numbers | Spread | None:
    given = attributes(node).get("value")
    number = np.zeros((1,), np.float32) if given is None else to_numbers(given.t)
    if number is None or number.size != 1:
        return None
    shape = inputs[0] if inputs else None
    if not isinstance(shape, np.ndarray):
        return Spread(number.reshape(()))
    lengths = tuple(int(length) for length in shape.ravel())
    room(prod(lengths))
    return np.full(lengths, number.reshape(()))


def expand(node: NodeProto, inputs: Inputs, room: Room) -> Numbers | Spread | None:
    """Expand and Tile, which repeat what they are given."""
    first, lengths = (*inputs, None, None)[:2]
    if not isinstance(first, np.ndarray):
        return first
    if isinstance(lengths, np.ndarray):
        wanted = tuple(int(length) for length in lengths.ravel())
        if node.op_type == "Expand":
            wanted = np.broadcast_shapes(first.shape, wanted)
            room(prod(wanted))
            return np.broadcast_to(first, wanted)
        room(first.size * prod(wanted))
        return np.tile(first, wanted)
    same = bool(first.size) and bool((first == first.flat[0]).all())
    return Spread(first.flat[0].reshape(()) if same else first)


def transpose(node: NodeProto, numbers: Numbers, _inputs: Inputs) -> Numbers:
    order = attributes(node).get("perm")
    return numbers.transpose(None if order is None else tuple(order.ints))


def squeeze(node: NodeProto, numbers: Numbers, inputs: Inputs) -> Numbers | None:
    axes = integers(node, "axes", inputs, 1)
    if axes is None:
        return None if len(node.input) > 1 else numbers.squeeze()
    return numbers.squeeze(tuple(axes))


def unsqueeze(node: NodeProto, numbers: Numbers, inputs: Inputs) -> Numbers | None:
    axes = integers(node, "axes", inputs, 1)
    return None if axes is None else np.expand_dims(numbers, tuple(axes))


def reshape(node: NodeProto, inputs: Inputs, _room: Room) -> Numbers | Spread | None:
    first = inputs[0] if inputs else None
    if isinstance(first, Spread):
        return None if first.numbers.shape else first
    shape = integers(node, "shape", inputs, 1)
    if first is None or shape is None:
        return None
    if not integer(node, "allowzero", 0):
        shape = [length or first.shape[axis] for axis, length in enumerate(shape)]
    return first.reshape(shape)


def cut(node: NodeProto, numbers: Numbers, inputs: Inputs) -> Numbers | None:
    starts, ends = integers(node, "starts", inputs, 1), integers(node, "ends", inputs, 2)
    if starts is None or ends is None:
        return None
    given = len(node.input) > 3 and node.input[3]
    axes = integers(node, "axes", inputs, 3)
    steps = integers(node, "steps", inputs, 4)
    if (given and axes is None) or (len(node.input) > 4 and node.input[4] and steps is None):
        return None
    places = [slice(None)] * numbers.ndim
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(axes) if steps is None else steps
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        # Backwards to before the first element is a very negative number in ONNX, None in Python.
        last = None if step < 0 and end < -numbers.shape[axis] else end
        places[axis] = slice(start, last, step)
    return numbers[tuple(places)]


def cast(node: NodeProto, numbers: Numbers, _inputs: Inputs) -> Numbers | None:
    dtype = TYPES.get(integer(node, "to", 0), ("", ""))[0]
    if dtype == "bfloat16" or not dtype:
        return None
    return numbers.astype(dtype)


def concat(node: NodeProto, inputs: Inputs, room: Room) -> Numbers | Spread | None:
    parts = [part for part in inputs if isinstance(part, np.ndarray)]
    if not parts or len(parts) < len(inputs):
        return None
    room(sum(part.size for part in parts))
    return np.concatenate(parts, integer(node, "axis", 0))


def dequantize(node: NodeProto, inputs: Inputs, _room: Room) -> Numbers | None:
    """(x − zero point) · scale, with one scale for all or one for each place along an axis."""
    numbers, scale, zero = (*inputs, None, None, None)[:3]
    if not isinstance(numbers, np.ndarray) or not isinstance(scale, np.ndarray):
        return None
    if integer(node, "block_size", 0) or isinstance(zero, Spread):
        return None
    if zero is None:
        if len(node.input) > 2 and node.input[2]:
            return None
        zero = np.zeros_like(scale)
    if scale.ndim:
        shape = [1] * numbers.ndim
        shape[integer(node, "axis", 1)] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    whole: Numbers = (numbers.astype(np.float32) - zero.astype(np.float32)) * scale
    return whole.astype(np.float32)


OPERATORS: dict[str, Operator] = {
    "Cast": each(cast),
    "Concat": concat,
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "DequantizeLinear": dequantize,
    "Expand": expand,
    "Identity": each(lambda _node, numbers, _inputs: numbers),
    "Reshape": reshape,
    "Slice": each(cut),
    "Squeeze": each(squeeze),
    "Tile": expand,
    "Transpose": each(transpose),
    "Unsqueeze": each(unsqueeze),
}
