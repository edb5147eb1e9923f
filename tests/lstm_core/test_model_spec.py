"""What model.json says: out and back in, which weights follow from it, and everything damaged."""

from __future__ import annotations

import copy
import json
import tracemalloc

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.errors import FileError
from lstm_core.model_spec import HeadSpec, ModelSpec
from lstm_core.models import SequenceModel, load_model, model_of
from lstm_core.shape import LSTMShape, ModuleShape, StackShape
from lstm_core.text import FEATURES, SPLITTERS
from tests.lstm_core.worlds import steady

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@st.composite
def modules(draw, input_size: int) -> ModuleShape:
    kind = draw(st.sampled_from(["LSTM", "LSTMCell", "BackwardLSTM"]))
    hidden_size = draw(st.integers(1, 5))
    return ModuleShape(
        input_size,
        hidden_size,
        num_layers=draw(st.integers(1, 3)) if kind == "LSTM" else 1,
        bias=draw(st.booleans()),
        bidirectional=kind == "LSTM" and draw(st.booleans()),
        proj_size=0 if kind == "LSTMCell" else draw(st.integers(0, hidden_size - 1)),
        kind=kind,
    )


@st.composite
def stacks(draw, input_size: int) -> StackShape:
    listed = draw(st.booleans())
    found: list[ModuleShape] = []
    for _ in range(draw(st.integers(1, 4)) if listed else 1):
        below = StackShape((found[-1],)) if found else None
        width = below.output_width(below.num_layers - 1) if below else input_size
        found.append(draw(modules(width)))
    return StackShape(tuple(found), listed)


@st.composite
def specs(draw) -> ModelSpec:
    task = draw(st.sampled_from([None, "next_token", "tag", "classify", "value"]))
    embedding: dict[str, int] = {}
    vocabularies = {}
    if split := draw(st.sampled_from(["", *SPLITTERS])):
        features = draw(st.lists(st.sampled_from(list(FEATURES)), min_size=1, max_size=3))
        embedding = {name: draw(st.integers(1, 3)) for name in features}
        vocabulary = st.integers(1, 9) | st.lists(words, min_size=1, max_size=4, unique=True)
        vocabularies = {name: draw(vocabulary) for name in embedding}
    input_size = sum(embedding.values()) or draw(st.integers(1, 4))
    columns = draw(st.lists(words, min_size=input_size, max_size=input_size))
    sigmoid = task not in (None, "value") and draw(st.booleans())
    size = 2 if sigmoid else draw(st.integers(1, 4))
    return ModelSpec(
        title=draw(words),
        task=task,
        split=split or "table",
        vocabularies=vocabularies,
        embedding=embedding,
        lstm=draw(stacks(input_size)),
        labels=draw(st.lists(words, min_size=size, max_size=size)) if task else [],
        head=HeadSpec(
            reads=draw(st.sampled_from(["each", "last", "mean", "max"])),
            hidden=tuple(draw(st.lists(st.integers(1, 4), max_size=3))),
            activation=draw(st.sampled_from(["relu", "tanh", "none"])),
            sigmoid=sigmoid,
        ),
        columns=draw(st.sampled_from([columns, []])) if not split else [],
        initial_state=draw(st.booleans()),
        examples=draw(st.lists(words, max_size=2)),
        card=draw(st.dictionaries(words, words | st.integers() | st.none(), max_size=2)),
    )


# --- out and back in ----------------------------------------------------------------------------


@steady
@given(specs())
def test_what_is_written_is_read(spec):
    text = spec.to_json()

    back = ModelSpec.from_json(text)

    assert back == spec
    assert back.to_json() == text
    assert hash(back.lstm) == hash(spec.lstm)


@steady
@given(specs())
def test_the_weights_that_are_described_are_those_of_the_model(spec):
    shapes = spec.weight_shapes()

    state = SequenceModel(spec).state_dict()

    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == shapes
    assert spec.parameters == sum(tensor.numel() for tensor in state.values())
    model = model_of(spec, state)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, state[name])


def spec_of(**fields) -> ModelSpec:
    return ModelSpec(
        **{
            "title": "A table",
            "task": "value",
            "split": "table",
            "vocabularies": {},
            "embedding": {},
            "lstm": StackShape(
                (ModuleShape(2, 3, num_layers=2, bidirectional=True), ModuleShape(6, 4)), True
            ),
            "labels": ["tomorrow"],
            "columns": ["a", "b"],
            **fields,
        }
    )


def test_a_shape_alone_is_the_stack_of_it():
    spec = spec_of(lstm=LSTMShape(2, 3, num_layers=2))

    assert spec.lstm == StackShape((ModuleShape(2, 3, num_layers=2),))
    assert ModelSpec.from_json(spec.to_json()) == spec


def test_the_widths_of_the_head_follow_from_what_it_stands_on():
    shapes = spec_of(head=HeadSpec(hidden=(5, 7))).weight_shapes()

    assert {name: shape for name, shape in shapes.items() if not name.startswith("lstm")} == {
        "hidden.0.weight": (5, 4),
        "hidden.0.bias": (5,),
        "hidden.1.weight": (7, 5),
        "hidden.1.bias": (7,),
        "head.weight": (1, 7),
        "head.bias": (1,),
    }


def test_without_a_task_there_is_no_head():
    shapes = spec_of(task=None, labels=[], initial_state=True).weight_shapes()

    assert [name for name in shapes if not name.startswith("lstm.")] == [
        "h_0_0", "c_0_0", "h_0_1", "c_0_1"
    ]  # fmt: skip
    assert shapes["h_0_0"] == (4, 3)
    assert shapes["c_0_1"] == (1, 4)


# --- damaged ------------------------------------------------------------------------------------


def paths(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(inner, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    value = copy.copy(value)
    value[path[0]] = replaced(value[path[0]], path[1:], new)
    return value


def text_spec() -> ModelSpec:
    return spec_of(
        task="classify",
        split="words",
        vocabularies={"word": ["<unk>", "a"], "suffix2": 3},
        embedding={"word": 1, "suffix2": 1},
        labels=["no", "yes"],
        columns=[],
        head=HeadSpec("mean", (3,), "tanh", True),
        initial_state=True,
        examples=["a"],
        card={"data": [1, {"x": None}]},
    )


ODD = [
    *(None, True, False, 0, -1, 1, 2, 3.5, 10**9, 10**18, 10**30, -(10**9), 10**4000, 1e400),
    *("", "x", "LSTM", "10", "\ud800", [], [None], [1], ["a"], {}, {"a": 1}, [[]]),
]
BOTH = [("table", spec_of()), ("words", text_spec())]


@pytest.mark.parametrize(("name", "spec"), BOTH, ids=["table", "words"])
def test_one_odd_value_anywhere_is_refused_or_can_be_used(name, spec):  # noqa: ARG001
    """Whatever from_json lets through can be asked everything at once, and written again."""
    fields = json.loads(spec.to_json())
    weights = SequenceModel(spec).state_dict()
    refused = 0
    for path in paths(fields):
        for odd in ODD:
            text = json.dumps(replaced(fields, path, odd))
            try:
                read = ModelSpec.from_json(text)
            except FileError:
                refused += 1
                continue
            assert len(read.weight_shapes()) < 100_000
            assert len(str(read.parameters)) < 4000
            assert read.lstm.numbers_per_timestep > 0
            assert str(read.lstm)
            assert ModelSpec.from_json(read.to_json()).weight_shapes() == read.weight_shapes()
            try:
                model_of(read, dict(weights))
            except FileError:
                refused += 1
    assert refused > 500


@pytest.mark.parametrize(("name", "spec"), BOTH, ids=["table", "words"])
def test_one_missing_or_additional_entry_is_refused_or_can_be_used(name, spec):  # noqa: ARG001
    fields = json.loads(spec.to_json())
    for path in list(paths(fields))[1:]:
        damaged = copy.deepcopy(fields)
        parent = damaged
        for key in path[:-1]:
            parent = parent[key]
        for change in ("remove", "add"):
            if change == "remove":
                del parent[path[-1]]
            elif isinstance(parent, dict):
                parent["colour"] = 1
            else:
                parent.append(1)
            try:
                ModelSpec.from_json(json.dumps(damaged)).weight_shapes()
            except FileError:
                continue


@pytest.mark.parametrize("size", [10**6, 10**9, 10**12, 10**15, 10**100])
@pytest.mark.parametrize("field", ["hidden_size", "num_layers", "hidden", "word", "width"])
def test_sizes_that_no_file_holds_are_refused_before_anything_is_made(tmp_path, field, size):
    spec = text_spec()
    SequenceModel(spec).save(tmp_path)
    fields = json.loads(spec.to_json())
    module = fields["lstm"]["modules"][1]
    if field in module:
        module[field] = size
    elif field == "hidden":
        fields["head"]["hidden"] = [size]
    elif field == "word":
        fields["vocabularies"]["word"] = size
    else:
        fields["embedding"]["word"] = size
        fields["lstm"]["modules"][0]["input_size"] = size + 1
    (tmp_path / "model.json").write_text(json.dumps(fields))

    tracemalloc.start()
    try:
        with pytest.raises(FileError):
            load_model(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("count", [999, 10**7])
def test_many_modules_of_many_layers_are_too_many(count):
    spec = spec_of(lstm=StackShape((ModuleShape(2, 2, count), ModuleShape(2, 2, 3)), True))

    with pytest.raises(FileError, match="does not describe a model"):
        ModelSpec.from_json(spec.to_json())


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1.0", "4.0"])
def test_a_size_that_is_no_whole_number_is_refused(number):
    text = spec_of().to_json().replace('"hidden_size": 4', f'"hidden_size": {number}')

    with pytest.raises(FileError, match="does not describe a model"):
        ModelSpec.from_json(text)


def test_numbers_instead_of_labels_have_no_sigmoid():
    spec = spec_of(labels=["a", "b"], head=HeadSpec(sigmoid=True))

    with pytest.raises(FileError, match="does not describe a model") as error:
        ModelSpec.from_json(spec.to_json())
    assert "head" in error.value.came


@pytest.mark.parametrize("columns", [["a"], ["a", "b", "c"]])
def test_a_table_has_as_many_columns_as_the_lstm_reads(columns):
    with pytest.raises(FileError, match="a column for each input") as error:
        ModelSpec.from_json(spec_of(columns=columns).to_json())

    assert error.value.expected == "2 columns (input_size)"
    assert ModelSpec.from_json(spec_of(columns=[]).to_json()).columns == []


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_weights_that_are_no_fractions_are_a_file_error(dtype):
    spec = text_spec()
    weights = SequenceModel(spec).state_dict()
    weights["head.bias"] = weights["head.bias"].to(dtype)

    with pytest.raises(FileError, match="do not fit") as error:
        model_of(spec, weights)
    assert "head.bias" in error.value.came


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_any_precision_are_taken(dtype):
    spec = text_spec()
    weights = {name: t.to(dtype) for name, t in SequenceModel(spec).state_dict().items()}

    model = model_of(spec, weights)

    assert {t.dtype for t in model.state_dict().values()} == {torch.float32}
    assert model.record("1 2").parity < 1e-5
