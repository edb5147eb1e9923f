"""A model made of a file's parts computes what those parts compute in PyTorch."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from lstm_core.checkpoints.building import build, distinct
from lstm_core.checkpoints.contents import Contents, TensorInfo
from lstm_core.checkpoints.discovery import discover
from lstm_core.checkpoints.inspection import Inspection, TableInfo
from lstm_core.checkpoints.proposal import BROUGHT, propose
from lstm_core.errors import CheckpointError
from lstm_core.models import model_of
from lstm_core.shape import ModuleShape

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

WORDS = ["<pad>", "<unk>", "the", "sun", "is", "shiny"]


def contents_of(state, **tables) -> Contents:
    arrays = {name: tensor.detach().numpy() for name, tensor in state.items()}
    return Contents(
        "a test",
        {name: TensorInfo(a.shape, str(a.dtype)) for name, a in arrays.items()},
        lambda names: {name: arrays[name] for name in names},
        tables,
    )


def opened(state, choices=None, brought=None, **tables):
    contents = contents_of(state, **tables)
    inspection = Inspection.of(contents, 1)
    brought = brought or {}
    proposal = propose(inspection, choices, [TableInfo.of(*item) for item in brought.items()])
    strings = dict(contents.tables) | {BROUGHT + name: table for name, table in brought.items()}
    spec, weights = build(contents, inspection, proposal, strings, title="A test", card={})
    json.loads(spec.to_json())
    model = model_of(
        spec, {n: torch.from_numpy(a) for n, a in weights.items()}, precision="float64"
    )
    return model, proposal


def named(**modules):
    return {
        f"{name}.{key}": value
        for name, module in modules.items()
        for key, value in module.double().state_dict().items()
    }


def close(a, b):
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


# --- every LSTM is found ------------------------------------------------------------------------

shapes = st.builds(
    lambda i, h, layers, bias, two, p, kind: ModuleShape(
        i,
        h,
        layers if kind == "LSTM" else 1,
        bias,
        two and kind == "LSTM",
        min(p, h - 1) if kind != "LSTMCell" else 0,
        kind,
    ),
    *(st.integers(1, 5), st.integers(2, 5), st.integers(1, 3), st.booleans(), st.booleans()),
    st.integers(0, 3),
    st.sampled_from(["LSTM", "LSTM", "LSTMCell", "BackwardLSTM"]),
)
prefixes = st.sampled_from(
    ["", "lstm", "module.encoder.rnn", "rnns.0.module", "a/b", "lstm_weight_ih", "x.weight_ih_l0"]
)


def names_of(shape: ModuleShape):
    ending = "_reverse" if shape.kind == "BackwardLSTM" else ""
    return {name + ending: dims for name, dims in shape.weights().items()}


@given(st.dictionaries(prefixes, shapes, min_size=1, max_size=3))
def test_every_lstm_is_found_under_every_prefix_with_its_shape(wanted):
    tensors = {
        f"{prefix}.{name}" if prefix else name: TensorInfo(dims, "float32")
        for prefix, shape in wanted.items()
        for name, dims in names_of(shape).items()
    }

    found = discover(tensors)

    assert {lstm.name: lstm.shape for lstm in found.lstms} == wanted
    assert found.refused == []
    assert {name for lstm in found.lstms for name in lstm.weights.values()} == set(tensors)


@given(shapes, st.data())
def test_an_lstm_without_one_of_its_matrices_is_refused(shape, data):
    tensors = {name: TensorInfo(dims, "float32") for name, dims in names_of(shape).items()}
    gone = data.draw(st.sampled_from([name for name in tensors if "bias" not in name]))
    rest = {name: info for name, info in tensors.items() if name != gone}

    found = discover(rest)

    # Without its projection it may still be an LSTM of another kind; never the same one.
    assert all(lstm.shape != shape for lstm in found.lstms)
    if "_hr" not in gone and shape.num_layers == 1 and not shape.bidirectional:
        assert found.lstms == []
        assert found.refused


# --- and computes what PyTorch computes ---------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(shapes)
def test_the_recording_of_a_table_is_pytorchs_own_output(shape):
    if shape.kind != "LSTM":
        shape = ModuleShape(shape.input_size, shape.hidden_size, 1, shape.bias)
    lstm = nn.LSTM(
        shape.input_size,
        shape.hidden_size,
        shape.num_layers,
        bias=shape.bias,
        bidirectional=shape.bidirectional,
        proj_size=shape.proj_size,
    )
    model, _ = opened(named(rnn=lstm))
    x = torch.linspace(-2, 2, 4 * shape.input_size, dtype=torch.float64).view(4, -1)

    rec = model.record("\n".join(",".join(map(repr, row)) for row in x.tolist()))

    output, (h_n, c_n) = lstm(x)
    close(rec.output, output.detach())
    close(rec.h_n, h_n.detach())
    close(rec.c_n, c_n.detach())


def test_a_language_model_with_a_vocabulary():
    embedding, lstm, decoder = nn.Embedding(6, 3), nn.LSTM(3, 4, 2), nn.Linear(4, 6)
    state = named(encoder=embedding, rnn=lstm, decoder=decoder)

    model, proposal = opened(state, brought={"": WORDS})
    rec = model.record("The sun is bright")

    ids = torch.tensor([2, 3, 4, 1])
    expected = torch.softmax(decoder(lstm(embedding(ids))[0]), dim=-1)
    close(rec.predictions.probabilities, expected.detach())
    assert rec.predictions.labels == WORDS
    assert rec.predictions.targets == [3, 4, None, None]
    assert proposal.choices["task"] == "next_token"


def test_characters_as_one_hot_rows():
    characters = list("abcd efg")
    lstm, fc = nn.LSTM(8, 5), nn.Linear(5, 8)

    model, _ = opened(named(lstm=lstm, fc=fc), chars=characters)
    rec = model.record("bad cafe")

    x = functional.one_hot(torch.tensor([characters.index(ch) for ch in "bad cafe"]), 8).double()
    close(rec.x, x)
    close(rec.output, lstm(x)[0].detach())


@pytest.mark.parametrize("reads", ["each", "last", "mean", "max"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "none"])
def test_a_classifier_with_a_head_of_two_layers_and_one_output(reads, activation):
    embedding, lstm = nn.Embedding(6, 3), nn.LSTM(3, 4, bidirectional=True)
    fc1, fc2 = nn.Linear(8, 5), nn.Linear(5, 1)
    state = named(emb=embedding, lstm=lstm, fc1=fc1, fc2=fc2)
    choices = {"task": "classify", "reads": reads, "activation": activation, "vocabulary": "ids"}

    rec = opened(state, choices)[0].record("2 3 5 1")

    output, (h_n, _) = lstm(embedding(torch.tensor([2, 3, 5, 1])))
    h = {
        "each": output[-1],
        "last": torch.cat([h_n[0], h_n[1]]),
        "mean": output.mean(dim=0),
        "max": output.max(dim=0).values,
    }[reads]
    between = {"relu": torch.relu, "tanh": torch.tanh, "none": lambda x: x}[activation]
    p = torch.sigmoid(fc2(between(fc1(h)))).item()
    assert rec.predictions.labels == ["0", "1"]
    assert rec.predictions.probabilities[-1].tolist() == pytest.approx([1 - p, p], abs=1e-12)


def test_lstms_on_each_other_and_cells():
    first, second = nn.LSTM(3, 4, bidirectional=True), nn.LSTM(8, 2)
    model, _ = opened(named(**{"rnns.0": first, "rnns.1": second}))
    x = torch.linspace(-1, 1, 15, dtype=torch.float64).view(5, 3)
    text = "\n".join(" ".join(map(repr, row)) for row in x.tolist())

    close(model.record(text).output, second(first(x)[0])[0].detach())

    cell = nn.LSTMCell(3, 4)
    model, _ = opened(named(cell=cell))
    h, c = torch.zeros(4).double(), torch.zeros(4).double()
    for row in x:
        h, c = cell(row, (h, c))
    close(model.record(text).output[-1], h.detach())


def test_a_missing_bias_of_two_is_zeros():
    lstm = nn.LSTM(3, 4)
    state = named(lstm=lstm)
    del state["lstm.bias_hh_l0"]
    with torch.no_grad():
        lstm.bias_hh_l0.zero_()
    x = torch.linspace(-1, 1, 6, dtype=torch.float64).view(2, 3)

    rec = opened(state)[0].record("\n".join(" ".join(map(repr, row)) for row in x.tolist()))

    close(rec.output, lstm(x)[0].detach())


def test_initial_states_are_where_it_begins():
    lstm = nn.LSTM(3, 4, bidirectional=True).double()
    h_0, c_0 = torch.randn(2, 4).double(), torch.randn(2, 4).double()
    state = named(lstm=lstm) | {"lstm.h_0": h_0, "lstm.c_0": c_0}
    x = torch.linspace(-1, 1, 6, dtype=torch.float64).view(2, 3)

    rec = opened(state)[0].record("\n".join(" ".join(map(repr, row)) for row in x.tolist()))

    close(rec.output, lstm(x, (h_0, c_0))[0].detach())
    close(rec.h_0, h_0)


def test_learned_initial_states_are_where_it_begins():
    lstm = nn.LSTM(3, 4, 2).double()
    h_0, c_0 = torch.randn(2, 1, 4).double(), torch.randn(2, 1, 4).double()
    x = torch.linspace(-1, 1, 6, dtype=torch.float64).view(2, 3)
    state = named(lstm=lstm) | {"h_init": h_0, "c_init": c_0}

    rec = opened(state)[0].record("\n".join(" ".join(map(repr, row)) for row in x.tolist()))

    close(rec.output, lstm(x, (h_0[:, 0], c_0[:, 0]))[0].detach())


@pytest.mark.parametrize("first_row", ["0", "2"])
def test_the_first_entry_of_the_vocabulary_may_belong_to_a_later_row(first_row):
    embedding, lstm = nn.Embedding(8, 3), nn.LSTM(3, 4)
    choices = {"first_row": first_row}

    rec = opened(named(emb=embedding, lstm=lstm), choices, {"": WORDS})[0].record("sun is")

    ids = torch.tensor([3, 4]) + int(first_row)
    close(rec.x, embedding(ids).detach())


def test_a_vocabulary_that_does_not_fit_makes_no_model():
    state = named(emb=nn.Embedding(60, 3), lstm=nn.LSTM(3, 4))

    with pytest.raises(CheckpointError, match="6 entries"):
        opened(state, brought={"": WORDS})


@given(
    st.lists(st.none() | st.sampled_from(["a", "b", "<1>", "<<1>>"]), max_size=8), st.integers(0, 9)
)
def test_as_many_different_strings_as_rows(strings, count):
    named_ = distinct(strings, count)

    assert len(named_) == len(set(named_)) == count
    for n, string in enumerate(strings[:count]):
        if string is not None and string not in strings[n + 1 : count]:
            assert named_[n] == string


def test_weights_that_are_no_numbers_are_opened_and_said():
    lstm = nn.LSTM(1, 2)
    with torch.no_grad():
        lstm.weight_hh_l0[0, 0] = float("nan")

    rec = opened(named(lstm=lstm))[0].record("1\n2")

    assert rec.not_finite == "W_hh of layer 0 forward"


def test_numbers_keep_their_precision():
    lstm = nn.LSTM(1, 2)
    model, _ = opened(named(lstm=lstm))

    assert np.array_equal(
        model.lstm.weight_ih_l0.detach().numpy(), lstm.weight_ih_l0.detach().numpy()
    )
