"""Which LSTMs, embeddings and heads a file holds, from the names and shapes of its tensors.

No torch here, and no numbers: everything is decided by what :class:`TensorInfo` says.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lstm_core.checkpoints.contents import TensorInfo
from lstm_core.shape import ModuleShape

Tensors = Mapping[str, TensorInfo]

#: PREFIX.weight_ih_l0_reverse, or PREFIX.weight_ih of an nn.LSTMCell.
_WEIGHT = re.compile(
    r"(?P<prefix>.*?)(?P<kind>weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)"
    r"(?P<layer>_l(?P<n>\d{1,3})(?P<reverse>_reverse)?)?$"
)

#: How many blocks of hidden_size rows a recurrent network stacks in weight_hh.
_GATES = {4: "LSTM", 3: "GRU", 1: "RNN"}


@dataclass(frozen=True)
class FoundLSTM:
    """One LSTM of a file: its prefix, its shape, and which tensor is which of its weights.

    ``weights`` maps PyTorch's own name in the module (weight_ih_l0, or weight_ih of a cell; of a
    ``BackwardLSTM`` without ``_reverse``) to the tensor's name; a missing bias is not in it.
    """

    name: str
    shape: ModuleShape
    weights: Mapping[str, str]
    initial: Mapping[str, str] = field(default_factory=dict)  # h_0, c_0 → the tensor's name

    @property
    def output_size(self) -> int:
        return self.shape.output_width * len(self.shape.directions)


@dataclass(frozen=True)
class Matrix:
    """A weight (rows, width) that may be an embedding or a linear layer, and its bias."""

    name: str
    rows: int
    width: int
    bias: str | None


@dataclass(frozen=True)
class Discovery:
    """What was found; ``refused`` says of recurrent networks that cannot be opened why not."""

    lstms: list[FoundLSTM]
    matrices: list[Matrix]
    refused: list[str]


def discover(tensors: Tensors) -> Discovery:
    """Everything in a file that could be part of a model. Raises nothing."""
    groups: dict[str, dict[str, str]] = {}
    for name in tensors:
        if match := _WEIGHT.match(name):
            groups.setdefault(match["prefix"], {})[name[len(match["prefix"]) :]] = name
    lstms, refused = [], []
    for prefix, weights in groups.items():
        found = _read_group(prefix, weights, tensors)
        if isinstance(found, str):
            refused.append(found)
        else:
            lstms += [_with_initial_states(lstm, tensors) for lstm in found]
    used = {name for weights in groups.values() for name in weights.values()}
    used |= {name for lstm in lstms for name in lstm.initial.values()}
    return Discovery(lstms, _matrices(tensors, used), refused)


# --- LSTMs --------------------------------------------------------------------------------------


def _read_group(prefix: str, weights: dict[str, str], tensors: Tensors) -> list[FoundLSTM] | str:
    """The LSTMs under one prefix, or in a sentence why there is none."""
    called = prefix.rstrip("./") or "(no prefix)"
    cell = {name: full for name, full in weights.items() if "_l" not in name}
    layered = {name: full for name, full in weights.items() if "_l" in name}
    found = []
    for part, is_cell in ((cell, True), (layered, False)):
        if not part:
            continue
        read = _read_lstm(prefix, part, tensors, is_cell=is_cell)
        if isinstance(read, str):
            return f"{called}: {read}"
        found.append(read)
    return found


def _read_lstm(
    prefix: str, weights: dict[str, str], tensors: Tensors, *, is_cell: bool
) -> FoundLSTM | str:
    shapes = {name: tensors[full].shape for name, full in weights.items()}
    first = "weight_hh" if is_cell else min((n for n in shapes if "weight_hh" in n), default="")
    if first not in shapes or first.replace("hh", "ih") not in shapes:
        missing = "weight_hh" if not first or first not in shapes else first.replace("hh", "ih")
        return f"{missing} is missing beside {', '.join(sorted(weights)[:3])}"
    if any(len(shapes[name]) != 2 for name in shapes if "weight" in name):
        return "its weights are not matrices"
    projection = shapes.get(first.replace("hh", "hr"))
    rows, width = shapes[first]
    hidden = projection[1] if projection else width
    kind = _GATES.get(rows // hidden if hidden and rows % hidden == 0 else 0)
    if kind != "LSTM":
        what = {"GRU": "a GRU", "RNN": "a plain RNN"}.get(kind or "", "no LSTM")
        return f"{what}: weight_hh has {rows} rows for {hidden} units, an LSTM has {4 * hidden}"
    return _with_shape(prefix, weights, shapes, is_cell=is_cell)


def _with_shape(
    prefix: str,
    weights: dict[str, str],
    shapes: dict[str, tuple[int, ...]],
    *,
    is_cell: bool,
) -> FoundLSTM | str:
    only_backward = not is_cell and all(name.endswith("_reverse") for name in shapes)
    if only_backward:
        weights = {name.removesuffix("_reverse"): full for name, full in weights.items()}
        shapes = {name.removesuffix("_reverse"): shape for name, shape in shapes.items()}
    end = "" if is_cell else "_l0"
    if f"weight_ih{end}" not in shapes or f"weight_hh{end}" not in shapes:
        return f"layer 0 is missing beside {', '.join(sorted(shapes)[:3])}"
    hidden = shapes[f"weight_ih{end}"][0] // 4
    projected = shapes.get(f"weight_hr{end}")
    layers = 1 if is_cell else 1 + max(int(re.search(r"_l(\d+)", n)[1]) for n in shapes)  # type: ignore[index]
    try:
        shape = ModuleShape(
            input_size=shapes[f"weight_ih{end}"][1],
            hidden_size=hidden,
            num_layers=layers,
            bias=any(name.startswith("bias_") for name in shapes),
            bidirectional=not only_backward and any(n.endswith("_reverse") for n in shapes),
            proj_size=projected[0] if projected else 0,
            kind="LSTMCell" if is_cell else "BackwardLSTM" if only_backward else "LSTM",
        )
    except ValueError as error:
        return str(error)
    return _checked(prefix, weights, shapes, shape)


def _checked(
    prefix: str,
    weights: dict[str, str],
    shapes: dict[str, tuple[int, ...]],
    shape: ModuleShape,
) -> FoundLSTM | str:
    """Every weight that such a module has is there, in its shape; one bias of two may miss."""
    expected = shape.weights()
    for name, dims in expected.items():
        came = shapes.get(name)
        if came is None and name.startswith("bias_"):
            continue
        if came != dims:
            came_words = f"has shape {came}" if came else "is missing"
            return f"{name} {came_words}; {shape} has {dims}"
    if extra := sorted(set(shapes) - set(expected)):
        return f"{extra[0]} belongs to no {shape}"
    return FoundLSTM(
        prefix.rstrip("./"), shape, {name: weights[name] for name in expected if name in weights}
    )


def _with_initial_states(found: FoundLSTM, tensors: Tensors) -> FoundLSTM:
    """The same, with the h_0 and c_0 that lie beside its weights."""
    prefix = f"{found.name}." if found.name else ""
    initial = {
        name: prefix + name
        for name, width in (("h_0", found.shape.output_width), ("c_0", found.shape.hidden_size))
        if prefix + name in tensors
        and tensors[prefix + name].shape == (len(found.shape.cells), width)
    }
    return FoundLSTM(found.name, found.shape, found.weights, initial)


# --- embeddings and heads -----------------------------------------------------------------------


def _matrices(tensors: Tensors, used: set[str]) -> list[Matrix]:
    found = []
    for name, info in tensors.items():
        if name in used or len(info.shape) != 2 or 0 in info.shape:
            continue
        rows, width = info.shape
        bias = re.sub(r"weight$", "bias", name)
        has_bias = bias != name and bias in tensors and tensors[bias].shape == (rows,)
        found.append(Matrix(name, rows, width, bias if has_bias else None))
    return found


#: How likely a name makes it that a matrix is the one that is looked for.
_EMBEDDING_NAMES = re.compile(
    r"emb|encoder\.weight|wte|lookup|word_?vec|vectors|token|glove|w2v|\bwe\b", re.IGNORECASE
)
_HEAD_NAMES = re.compile(
    r"fc|out|decod|linear|classif|head|logit|proj|predict|dense|hidden2|to_?tag|to_?vocab|"
    r"generator|softmax|score|label|lm_|\btag|cls|regress|\bh2|affine|output",
    re.IGNORECASE,
)


def embeddings(matrices: Iterable[Matrix], width: int) -> list[Matrix]:
    """Those as wide as an LSTM's input, the likeliest first."""
    fitting = [matrix for matrix in matrices if matrix.width == width and matrix.bias is None]

    def score(matrix: Matrix) -> tuple[bool, bool, int]:
        named = bool(_EMBEDDING_NAMES.search(matrix.name)) and not _is_decoder(matrix.name)
        return named, matrix.rows > matrix.width, matrix.rows

    return sorted(fitting, key=score, reverse=True)


def looks_like_embedding(matrix: Matrix) -> bool:
    return bool(_EMBEDDING_NAMES.search(matrix.name)) and not _is_decoder(matrix.name)


def _is_decoder(name: str) -> bool:
    return bool(re.search(r"decoder\.weight|classif|\bfc|logit|head", name, re.IGNORECASE))


def heads(matrices: Iterable[Matrix], width: int) -> list[list[Matrix]]:
    """Chains of linear layers from h (``width`` wide) to something, the likeliest first.

    A layer goes on in another one where that reads just as many numbers, and nothing else could.
    """
    matrices = list(matrices)
    chains = [[m, *_above(m, matrices)] for m in matrices if m.width == width]

    def score(chain: list[Matrix]) -> tuple[int, bool, bool]:
        named = bool(_HEAD_NAMES.search(chain[0].name)) and not _is_attention(chain[0].name)
        kind: Literal[0, 1, 2] = 0 if looks_like_embedding(chain[0]) else 2 if named else 1
        return kind, not _is_attention(chain[0].name), chain[0].bias is not None

    return sorted(chains, key=score, reverse=True)


def belongs(name: str, chosen: Iterable[str], others: Iterable[str]) -> bool:
    """Whether a matrix stands closer to the chosen LSTMs than to any other, by its path.

    In a file with encoder.lstm and decoder.lstm, decoder.out is the decoder's.
    """
    closest = max(_shared(name, lstm) for lstm in chosen)
    return all(_shared(name, lstm) <= closest for lstm in others)


def _shared(a: str, b: str) -> int:
    """How many parts of their dotted paths two names begin with together."""
    parts = zip(a.split("."), b.split("."), strict=False)
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], parts)))


def looks_like_attention(matrix: Matrix) -> bool:
    return _is_attention(matrix.name)


def _is_attention(name: str) -> bool:
    return bool(
        re.search(r"att|query|key|value|\b[qkv]_?proj|energy|align|gate|norm", name, re.IGNORECASE)
    )


def _above(matrix: Matrix, matrices: list[Matrix]) -> list[Matrix]:
    chain: list[Matrix] = []
    current = matrix
    while len(chain) < 4:
        following = [
            m
            for m in matrices
            if m.width == current.rows
            and m not in (matrix, *chain)
            and _same_family(current.name, m.name)
        ]
        if len(following) != 1:
            break
        current = following[0]
        chain.append(current)
    return chain


def _same_family(below: str, above: str) -> bool:
    """fc1 and fc2, head.0 and head.3, fc and out: not an embedding above a classifier."""
    return (
        above.endswith("weight")
        and not _EMBEDDING_NAMES.search(above)
        and not _is_attention(above)
        and below != above
    )
