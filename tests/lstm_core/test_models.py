"""A model that reads sentences, against the same computation in plain torch."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from lstm_core import Recording, SequenceModel, load_model, warm_up
from lstm_core.catalogue import digest
from lstm_core.errors import (
    FileError,
    InputError,
    SelectionError,
    SizeError,
    TextError,
    UnknownModelError,
)
from lstm_core.model_spec import ModelSpec
from lstm_core.shape import LSTMShape, StackShape
from lstm_core.text import FEATURES, UNKNOWN
from tests.lstm_core.worlds import numbers, steady

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


@pytest.fixture(autouse=True, scope="module")
def _one_engine():
    """The compiled one runs from the first recording on; bits of two engines would differ."""
    warm_up()


SENTENCE = "The sun is shining, the old man sings."


def make_spec(task="tag", **lstm) -> ModelSpec:
    """A tagger of words, or a language model of characters."""
    if task == "tag":
        features = {"word": ["the", "sun", "is", "man"], "suffix2": ["ng", "un", "he"]}
        embedding, split, labels = {"word": 3, "suffix2": 2}, "words", ["NOUN", "VERB", "X"]
    else:
        characters = sorted(set("the sun shines"))
        features = {"character": characters}
        embedding, split, labels = {"character": 5}, "characters", [UNKNOWN, *characters]
    return ModelSpec(
        title="A small model",
        task=task,
        split=split,
        vocabularies={name: [UNKNOWN, *items] for name, items in features.items()},
        embedding=embedding,
        lstm=StackShape.of(LSTMShape(5, 4, **lstm)),
        labels=labels,
        examples=["The sun is shining."],
        card={"data": "none"},
    )


def make_model(task="tag", *, seed=3, **lstm) -> SequenceModel:
    model = SequenceModel(make_spec(task, **lstm)).eval()
    with torch.no_grad():
        for n, parameter in enumerate(model.parameters()):
            parameter.copy_(numbers(*parameter.shape, seed=100 * seed + n))
    return model


def saved(folder, **lstm):
    make_model(**lstm).save(folder)
    return folder


def plain_forward(model: SequenceModel, tokens: list[str]) -> Tensor:
    """Probabilities (T, labels) with torch modules made here, from the weights by their names."""
    weights = {name: tensor.double() for name, tensor in model.state_dict().items()}
    spec = model.spec
    columns = []
    for name in spec.embedding:
        items = spec.vocabularies[name]
        values = [FEATURES[name](token) for token in tokens]
        ids = torch.tensor([items.index(v) if v in items else 0 for v in values])
        columns.append(functional.embedding(ids, weights[f"embedding.{name}.weight"]))
    (module,) = spec.lstm.modules
    lstm = nn.LSTM(
        5,
        4,
        module.num_layers,
        bias=module.bias,
        bidirectional=module.bidirectional,
        proj_size=module.proj_size,
        dtype=torch.float64,
    )
    lstm.load_state_dict(
        {name[5:]: tensor for name, tensor in weights.items() if name.startswith("lstm.")}
    )
    with torch.no_grad():
        output, _ = lstm(torch.cat(columns, dim=1))
    scores = functional.linear(output, weights["head.weight"], weights["head.bias"])
    return (scores.exp() / scores.exp().sum(dim=1, keepdim=True)).detach()


# --- recording a sentence -----------------------------------------------------------------------

kinds = pytest.mark.parametrize(
    "lstm",
    [
        {},
        {"num_layers": 2, "bidirectional": True},
        {"num_layers": 2, "proj_size": 2},
        {"bidirectional": True, "proj_size": 3, "bias": False},
    ],
    ids=["plain", "two-way", "projected", "no-bias"],
)


@kinds
@pytest.mark.parametrize("task", ["tag", "next_token"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_predictions_are_those_of_the_same_network_in_plain_torch(task, lstm, precision):
    model = make_model(task, **lstm).to(getattr(torch, precision))

    rec = model.record(SENTENCE)

    expected = plain_forward(model, list(rec.tokens))
    atol = {"float32": 1e-5, "float64": 1e-12}[precision]
    assert rec.predictions.probabilities.dtype == getattr(torch, precision)
    torch.testing.assert_close(rec.predictions.probabilities.double(), expected, rtol=0, atol=atol)
    torch.testing.assert_close(
        rec.predictions.probabilities.sum(dim=1),
        torch.ones(len(rec), dtype=getattr(torch, precision)),
    )
    assert rec.predictions.labels == model.spec.labels
    assert rec.predictions.task == task
    assert rec.parity < atol


def test_a_tagger_has_a_prediction_per_word_and_no_targets():
    rec = make_model("tag").record("The sun is shining.")

    assert rec.tokens == ("The", "sun", "is", "shining", ".")
    assert rec.predictions.probabilities.shape == (5, 3)
    assert rec.predictions.targets is None


def test_the_target_of_a_language_model_is_the_next_character():
    model = make_model("next_token")

    rec = model.record("thexus")

    names = [None if n is None else model.spec.labels[n] for n in rec.predictions.targets]
    assert names == ["h", "e", None, "u", "s", None]  # x is in no vocabulary, the end has no next


def test_a_recording_of_a_model_knows_its_text_its_tokens_and_what_was_read_of_them():
    text = " The  sun\U0001f31e"

    rec = make_model("tag").record(text)

    assert rec.metadata["text"] == text
    assert rec.metadata["model"] == "A small model"
    assert [text[a:b] for a, b in rec.metadata["spans"]] == list(rec.tokens)
    assert rec.metadata["features"] == [
        [["word", "the", True], ["suffix2", "he", True]],
        [["word", "sun", True], ["suffix2", "un", True]],
        [["word", "\U0001f31e", False], ["suffix2", "\U0001f31e", False]],
    ]


@pytest.mark.parametrize("task", ["tag", "next_token"])
def test_nothing_of_a_model_recording_is_part_of_an_autograd_graph(task):
    model = make_model(task)
    rec = model.record(SENTENCE)

    for tensor in (rec.x, rec.output, rec.predictions.probabilities):
        assert tensor.grad_fn is None
        assert not tensor.requires_grad
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


def test_every_sentence_starts_from_a_fresh_state():
    model = make_model("tag", num_layers=2)

    first = model.record("the sun")
    model.record("is shining")
    again = model.record("the sun")

    assert not first.h_0.any()
    assert not first.c_0.any()
    assert first.to_bytes() == again.to_bytes()


@steady
@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=20))
def test_any_text_is_recorded_or_has_no_token(text):
    for model in (make_model("tag"), make_model("next_token")):
        try:
            rec = model.record(text)
        except TextError:
            assert not text.strip()
            continue
        assert "".join(rec.tokens) == (
            text if model.spec.split == "characters" else "".join(text.split())
        )
        assert rec.predictions.probabilities.isfinite().all()
        repr(rec).encode("utf-8")


def test_a_model_recording_comes_back_from_its_file(tmp_path):
    rec = make_model("next_token", num_layers=2).record("the sun \ud83d\ud800 <unk>")

    rec.save(tmp_path / "a")
    back = Recording.load(tmp_path / "a")

    assert back.tokens == rec.tokens
    assert back.metadata == rec.metadata
    assert back.predictions.about() == rec.predictions.about()
    assert torch.equal(back.predictions.probabilities, rec.predictions.probabilities)


def test_a_text_that_is_too_long_or_empty_is_refused():
    model = make_model("tag")

    assert len(model.record("the sun", max_tokens=2)) == 2
    with pytest.raises(SizeError):
        model.record("the sun is", max_tokens=2)
    with pytest.raises(TextError):
        model.record(" \n")


# --- the weights of one unit --------------------------------------------------------------------


@kinds
def test_the_rows_of_a_unit_reproduce_its_recorded_gates(lstm):
    model = make_model("tag", **lstm).double()
    rec = model.record(SENTENCE)
    T, directions = len(rec), model.spec.lstm.directions(0)

    below = rec.x
    for layer in range(model.spec.lstm.num_layers):
        for row, direction in enumerate(directions, start=layer * len(directions)):
            h = rec["h", layer, direction]
            order = range(T) if direction == "forward" else range(T - 1, -1, -1)
            for unit in range(4):
                rows = model.unit_weights(layer, direction, unit)
                assert rows["W"].shape == (4, below.shape[1])
                assert rows["U"].shape == (4, h.shape[1])
                assert rows["b"].shape == (4, 2)
                assert torch.equal(rec.initial[layer, direction].h, rec.h_0[row])
                h_before = rec.h_0[row]
                for t in order:
                    z = rows["W"] @ below[t] + rows["U"] @ h_before + rows["b"].sum(dim=1)
                    for n, q in enumerate("ifgo"):
                        gate = torch.tanh(z[n]) if q == "g" else torch.sigmoid(z[n])
                        recorded = rec[q, layer, direction][t, unit]
                        assert float(gate) == pytest.approx(float(recorded), abs=1e-12)
                    h_before = h[t]
        below = torch.cat([rec["h", layer, d] for d in directions], dim=1)


def test_the_two_biases_stay_apart():
    model = make_model("tag")

    b = model.unit_weights(0, "forward", 2)["b"]

    assert torch.equal(b[:, 0], model.lstm.bias_ih_l0.detach()[2::4])
    assert torch.equal(b[:, 1], model.lstm.bias_hh_l0.detach()[2::4])
    assert not b.requires_grad


def test_without_a_bias_the_rows_say_zero():
    assert not make_model("tag", bias=False).unit_weights(0, "forward", 0)["b"].any()


def test_the_rows_of_a_unit_are_copies():
    model = make_model("tag")
    before = model.lstm.weight_ih_l0.detach().clone()

    model.unit_weights(0, "forward", 0)["W"].zero_()

    assert torch.equal(model.lstm.weight_ih_l0, before)


@pytest.mark.parametrize(
    ("layer", "direction", "unit", "message"),
    [
        (2, "forward", 0, "No such cell"),
        (-1, "forward", 0, "No such cell"),
        (0, "backward", 0, "No such cell"),
        (0, "sideways", 0, "No such cell"),
        (0, "forward", 4, "No such unit"),
        (0, "forward", -1, "No such unit"),
    ],
)
def test_a_unit_that_does_not_exist_is_refused(layer, direction, unit, message):
    with pytest.raises(SelectionError, match=message):
        make_model("tag", num_layers=2).unit_weights(layer, direction, unit)


# --- saving and loading -------------------------------------------------------------------------


@kinds
@pytest.mark.parametrize("task", ["tag", "next_token"])
def test_a_saved_model_comes_back_and_says_the_same(tmp_path, task, lstm):
    model = make_model(task, **lstm)
    model.save(tmp_path / "a" / "model")

    back = load_model(tmp_path / "a" / "model")

    assert back.spec == model.spec
    assert not back.training
    assert back.precision == "float32"
    assert back.record(SENTENCE).to_bytes() == model.record(SENTENCE).to_bytes()


def test_float64_is_the_same_weights_computed_more_precisely(tmp_path):
    folder = saved(tmp_path / "a", num_layers=2, bidirectional=True)

    single, double = load_model(folder), load_model(folder, precision="float64")
    a, b = single.record(SENTENCE), double.record(SENTENCE)

    assert double.precision == "float64"
    for name, weight in double.state_dict().items():
        assert torch.equal(weight, single.state_dict()[name].double())
    for key in a.arrays:
        assert b[key].dtype == torch.float64
        torch.testing.assert_close(a[key].double(), b[key], rtol=0, atol=1e-5)
    assert b.parity < 1e-12
    assert b.parity_report.tolerance == 1e-10


def test_a_double_model_is_saved_as_float32(tmp_path):
    make_model("tag").double().save(tmp_path)

    weights = safetensors.torch.load_file(tmp_path / "weights.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}


def test_saving_twice_gives_the_same_bytes(tmp_path):
    assert digest(saved(tmp_path / "a")) == digest(saved(tmp_path / "b"))


def test_a_loaded_model_does_not_follow_its_file(tmp_path):
    model = load_model(saved(tmp_path / "a"))
    before = model.record(SENTENCE).to_bytes()

    make_model(seed=9).save(tmp_path / "a")

    assert model.record(SENTENCE).to_bytes() == before


@pytest.mark.parametrize("precision", ["float16", "double", "", None])
def test_an_unknown_precision_is_refused(tmp_path, precision):
    with pytest.raises(InputError, match="No such precision") as error:
        load_model(saved(tmp_path / "a"), precision=precision)

    assert error.value.exists == ["float32", "float64"]


def test_an_unknown_model_is_refused(tmp_path):
    with pytest.raises(UnknownModelError, match="No such model"):
        load_model(tmp_path / "none")


@pytest.mark.parametrize("task", ["tag", "next_token"])
def test_a_description_comes_back_from_json(task):
    spec = make_spec(task, num_layers=2, proj_size=1)

    assert ModelSpec.from_json(spec.to_json()) == spec
    assert json.loads(spec.to_json())["format"] == "gatescope.model/2"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", "null", '"text"', "{}", '{"format": "gatescope.model/2"}', "[" * 9999,
     '{"format": "gatescope.model/1"}', '{"format": "gatescope.model/2", "lstm": {}}'],
    ids=lambda text: text[:14],
)  # fmt: skip
def test_json_that_describes_no_model_is_refused(text):
    with pytest.raises(FileError, match="does not describe a model"):
        ModelSpec.from_json(text)


LSTM = json.loads(make_spec().to_json())["lstm"]["modules"][0]

BAD_FIELDS = [
    ("task", "translate"),
    ("task", None),
    ("title", 3),
    ("split", ["words"]),
    ("labels", "NOUN"),
    ("labels", []),
    ("labels", ["NOUN", 3]),
    ("vocabularies", []),
    ("vocabularies", {"word": "abc", "suffix2": [UNKNOWN]}),
    ("vocabularies", {"word": [UNKNOWN, ["a"]], "suffix2": [UNKNOWN]}),
    ("vocabularies", {"word": [UNKNOWN]}),
    ("embedding", ["word", "suffix2"]),
    ("embedding", {"word": 5}),
    ("embedding", {"word": 5, "suffix2": 0}),
    ("embedding", {"word": 6, "suffix2": -1}),
    ("embedding", {"word": 2.5, "suffix2": 2.5}),
    ("embedding", {"word": 4, "suffix2": 4}),
    ("examples", "one"),
    ("card", "a card"),
    ("lstm", None),
    ("lstm", {"modules": [LSTM], "listed": None}),
    ("lstm", {"modules": [LSTM]}),
    ("lstm", {"listed": False}),
    ("lstm", {"modules": [], "listed": True}),
    ("lstm", {"modules": LSTM, "listed": False}),
    ("lstm", {"modules": [LSTM, LSTM | {"input_size": 4}], "listed": False}),
    ("lstm", {"modules": [LSTM, LSTM], "listed": True}),
    ("lstm", LSTM),
    *(
        ("lstm", {"modules": [LSTM | field], "listed": False})
        for field in (
            {"hidden_size": 0},
            {"hidden_size": -4},
            {"hidden_size": "4"},
            {"hidden_size": 4.0},
            {"hidden_size": True},
            {"input_size": True},
            {"input_size": "5"},
            {"num_layers": 0},
            {"num_layers": None},
            {"num_layers": True},
            {"proj_size": 4},
            {"proj_size": -1},
            {"proj_size": True},
            {"bias": "no"},
            {"bias": None},
            {"bias": 1},
            {"bidirectional": "yes"},
            {"bidirectional": []},
            {"kind": "GRU"},
            {"kind": None},
            {"kind": ["LSTM"]},
            {"kind": "LSTMCell", "num_layers": 2},
            {"kind": "LSTMCell", "proj_size": 2},
            {"kind": "BackwardLSTM", "bidirectional": True},
            {"kind": "FusedCell"},
            {"dropout": 0.5},
        )
    ),
    ("lstm", {"modules": [{"hidden_size": 4}], "listed": False}),
    *(
        ("head", {"reads": "each", "hidden": [], "activation": "relu", "sigmoid": False} | field)
        for field in (
            {"reads": "middle"},
            {"reads": None},
            {"reads": ["each"]},
            {"hidden": None},
            {"hidden": 3},
            {"hidden": "3"},
            {"hidden": [0]},
            {"hidden": [-1]},
            {"hidden": [2.5]},
            {"hidden": [True]},
            {"hidden": [[3]]},
            {"activation": "gelu"},
            {"activation": {}},
            {"sigmoid": None},
            {"sigmoid": 1},
            {"sigmoid": True},  # of three labels
            {"bias": True},
        )
    ),
    ("head", None),
    ("head", []),
    ("head", {"reads": "each"}),
    ("columns", None),
    ("columns", "a"),
    ("columns", [1]),
    ("initial_state", None),
    ("initial_state", 1),
    ("initial_state", [0.0]),
    ("split", "table"),
    ("vocabularies", {"word": 0, "suffix2": 3}),
    ("vocabularies", {"word": -3, "suffix2": 3}),
    ("vocabularies", {"word": True, "suffix2": 3}),
    ("vocabularies", {"word": 3.5, "suffix2": 3}),
    ("vocabularies", {"word": None, "suffix2": 3}),
    ("vocabularies", {"word": {"a": 0}, "suffix2": 3}),
    ("colour", "red"),
]


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS, ids=str)
def test_a_description_with_a_wrong_field_is_refused(field, value):
    fields = json.loads(make_spec().to_json()) | {field: value}

    with pytest.raises(FileError):
        ModelSpec.from_json(json.dumps(fields))


@pytest.mark.parametrize("field", [*asdict(make_spec()), "format"])
def test_a_description_that_lacks_a_field_is_refused_unless_it_may(field):
    fields = json.loads(make_spec().to_json())
    del fields[field]

    if field in ("columns", "initial_state", "examples", "card"):
        assert not getattr(ModelSpec.from_json(json.dumps(fields)), field)
    else:
        with pytest.raises(FileError, match="does not describe a model") as error:
            ModelSpec.from_json(json.dumps(fields))
        assert field in error.value.came


def test_a_width_that_does_not_fit_says_both_numbers():
    with pytest.raises(FileError, match="differ in width") as error:
        ModelSpec.from_json(replace(make_spec(), embedding={"word": 3, "suffix2": 3}).to_json())

    assert error.value.came == "embedding 6"
    assert error.value.expected == "5 (input_size)"


def stack(**options):
    return {"modules": [LSTM | options], "listed": False}


def with_description(folder, **fields):
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"split": "letters"},
        {"vocabularies": {"word": ["a", "b", "c", "d"], "suffix2": [UNKNOWN, "a", "b", "c"]}},
        {"vocabularies": {"word": 10**9, "suffix2": 4}},
        {"vocabularies": {"word": [], "suffix2": []}},
        {"vocabularies": {"word": [UNKNOWN] * 5, "suffix2": [UNKNOWN, "a", "b", "c"]}},
        {"vocabularies": {"a": [UNKNOWN], "b": [UNKNOWN]}, "embedding": {"a": 2, "b": 3}},
        {"vocabularies": {}, "embedding": {}, "lstm": stack(input_size=0)},
        {"vocabularies": {}, "embedding": {}, "split": "table"},
        {"labels": ["NOUN", "VERB"]},
        {"lstm": stack(hidden_size=5)},
        {"lstm": stack(num_layers=2)},
        {"lstm": stack(bias=False)},
        {"lstm": stack(bidirectional=True)},
        {"lstm": stack(proj_size=2)},
        {"lstm": stack(kind="LSTMCell")},
        {"lstm": stack() | {"listed": True}},
        {"head": {"reads": "each", "hidden": [4], "activation": "relu", "sigmoid": False}},
        {"task": None, "labels": []},
        {"initial_state": True},
    ],
    ids=str,
)
def test_a_description_that_does_not_fit_its_weights_is_refused(tmp_path, fields):
    with_description(saved(tmp_path / "a"), **fields)

    with pytest.raises(FileError):
        load_model(tmp_path / "a")


def test_weights_that_do_not_fit_say_which(tmp_path):
    with_description(saved(tmp_path / "a"), labels=["NOUN", "VERB"])

    with pytest.raises(FileError, match="do not fit") as error:
        load_model(tmp_path / "a")

    assert "head.weight" in error.value.came


@pytest.mark.parametrize("content", [None, b"", b"x" * 100, "cut"], ids=str)
def test_damaged_weights_are_a_file_error(tmp_path, content):
    path = saved(tmp_path / "a") / "weights.safetensors"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-8] if content == "cut" else content)

    with pytest.raises(FileError, match="do not fit"):
        load_model(tmp_path / "a")


@pytest.mark.parametrize("name", ["head.bias", "lstm.weight_hh_l0", "embedding.word.weight"])
def test_weights_that_lack_one_name_it(tmp_path, name):
    path = saved(tmp_path / "a") / "weights.safetensors"
    weights = safetensors.torch.load(path.read_bytes())
    del weights[name]
    safetensors.torch.save_file(weights, path)

    with pytest.raises(FileError, match="do not fit") as error:
        load_model(tmp_path / "a")

    assert name in error.value.came


@pytest.mark.parametrize("content", [b"", b"\xff\xfe{}", b'{"a"', "é".encode("latin-1")])
def test_a_description_that_is_no_json_is_a_file_error(tmp_path, content):
    (saved(tmp_path / "a") / "model.json").write_bytes(content)

    with pytest.raises(FileError, match=r"model\.json"):
        load_model(tmp_path / "a")
