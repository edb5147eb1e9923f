"""From a file of any format to a recording, against the library that wrote the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import safetensors.torch
import torch
from torch import nn

from lstm_core import CheckpointError, inspect_checkpoint, load_model
from lstm_core.errors import InputError
from tests.checkpoints import keras_files, onnx_files

# Keras, with torch behind it, asks NumPy in an old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

WORDS = ["<unk>", "the", "sun", "is", "shiny", "!", "now"]
IDS = [1, 2, 3, 0, 5]
TEXT = "The sun is bright!"


class LanguageModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.encoder = nn.Embedding(len(WORDS), 5)
        self.rnn = nn.LSTM(5, 6, num_layers=2)
        self.decoder = nn.Linear(6, len(WORDS))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.decoder(self.rnn(self.encoder(ids))[0]), dim=-1)


def state_dict(model, path):
    torch.save(model.state_dict(), path)


def training_run(model, path):
    optimizer = torch.optim.Adam(model.parameters())
    torch.save({"epoch": 3, "model": model.state_dict(), "opt": optimizer.state_dict()}, path)


def legacy(model, path):
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)


def plain_numbers(model, path):
    safetensors.torch.save_file(model.state_dict(), path)


def with_vocabulary(model, path):
    torch.save({"state_dict": model.state_dict(), "itos": WORDS}, path)


@pytest.mark.parametrize(
    ("save", "extension"),
    [(state_dict, ".pt"), (training_run, ".ckpt"), (legacy, ".th"), (plain_numbers, ".whatever")],
)
def test_a_language_model_and_its_vocabulary(tmp_path, save, extension):
    model, path = LanguageModel(), tmp_path / f"weights{extension}"
    save(model, path)
    (tmp_path / "words.json").write_text(
        json.dumps({"word2idx": {w: n for n, w in enumerate(WORDS)}})
    )

    opened = load_model(path, vocabulary=tmp_path / "words.json")
    rec = opened.record(TEXT)

    expected = model(torch.tensor(IDS)).detach()
    torch.testing.assert_close(rec.predictions.probabilities, expected, rtol=0, atol=1e-5)
    assert rec.parity <= 1e-5
    assert opened.spec.title == "weights"
    assert opened.spec.card["chosen: head"] == "decoder.weight"


@pytest.mark.parametrize("vocabulary", [WORDS, {w: n for n, w in enumerate(WORDS)}, None])
def test_a_vocabulary_may_be_given_as_it_is_or_lie_in_the_file(tmp_path, vocabulary):
    model = LanguageModel()
    (with_vocabulary if vocabulary is None else state_dict)(model, tmp_path / "weights.pt")

    rec = load_model(tmp_path / "weights.pt", vocabulary=vocabulary).record(TEXT)

    expected = model(torch.tensor(IDS)).detach()
    torch.testing.assert_close(rec.predictions.probabilities, expected, rtol=0, atol=1e-5)


def test_without_a_vocabulary_ids_are_typed(tmp_path):
    model = LanguageModel()
    state_dict(model, tmp_path / "weights.pt")

    rec = load_model(tmp_path / "weights.pt", vocabulary="ids").record("1 2 3 0 5")

    expected = model(torch.tensor(IDS)).detach()
    torch.testing.assert_close(rec.predictions.probabilities, expected, rtol=0, atol=1e-5)


def test_onnx_by_way_of_pytorchs_own_exporter(tmp_path):
    model = onnx_files.Tagger(num_layers=2, bidirectional=True).eval()
    ids = torch.tensor([[1], [4], [2], [0]])  # (T, B): the exporter's LSTM is not batch_first
    path = onnx_files.export(model, ids, tmp_path / "tagger.onnx")

    rec = load_model(path, vocabulary="ids", task="tag").record("1 4 2 0")

    (logits,) = onnxruntime.InferenceSession(path).run(None, {"x": ids.numpy()})
    expected = torch.softmax(torch.from_numpy(logits), dim=-1).reshape(4, -1)
    torch.testing.assert_close(rec.predictions.scores, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", keras_files.KINDS)
def test_keras_a_classifier_of_two_lstms(tmp_path, kind):
    layers = keras_files.keras().layers
    model = keras_files.sequential(
        layers.Embedding(9, 4),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.LSTM(5),
        layers.Dense(1, activation="sigmoid"),
        shape=(None,),
    )
    path = keras_files.save(model, tmp_path, kind)

    found = inspect_checkpoint(path)
    chain = " + ".join(lstm.name for lstm in found.discovery.lstms)
    opened = load_model(path, lstm=chain, vocabulary="ids", task="classify", reads="last")
    rec = opened.record("3 1 8 8 2")

    expected = float(np.ravel(keras_files.predict(model, np.array([[3, 1, 8, 8, 2]])))[0])
    assert float(rec.predictions.probabilities[-1, 1]) == pytest.approx(expected, abs=1e-5)
    assert str(opened.spec.lstm) == "[nn.LSTM(4, 3, bidirectional=True), nn.LSTM(6, 5)]"


# --- asking and refusing ------------------------------------------------------------------------


def test_what_is_not_decided_is_asked_with_what_there_is_to_choose_from(tmp_path):
    both = nn.ModuleDict({"a": nn.LSTM(3, 4), "b": nn.LSTM(7, 8)})
    torch.save(both.state_dict(), tmp_path / "w.pt")

    with pytest.raises(CheckpointError) as error:
        load_model(tmp_path / "w.pt")

    assert "Which LSTM?" in str(error.value)
    assert error.value.exists == ["'a'", "'b'"]
    assert str(load_model(tmp_path / "w.pt", lstm="b").spec.lstm) == "nn.LSTM(7, 8)"


def test_inspecting_shows_names_shapes_and_what_was_left_out(tmp_path):
    training_run(LanguageModel(), tmp_path / "w.pt")

    found = inspect_checkpoint(tmp_path / "w.pt")

    assert found.tensors["rnn.weight_hh_l1"].shape == (24, 6)
    assert [(lstm.name, str(lstm.shape)) for lstm in found.discovery.lstms] == [
        ("rnn", "nn.LSTM(5, 6, num_layers=2)")
    ]
    assert "rnn: nn.LSTM(5, 6, num_layers=2)" in str(found)
    assert "optimizer" in str(found)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vocabulary": "colours"}, "no such vocabulary"),
        ({"vocabulary": Path("nowhere.json")}, "nowhere.json"),
        ({"vocabulary": 3}, "a int"),
        ({"vocabulary": WORDS[:3]}, "3 entries"),
        ({"vocabulary": "ids", "labels": ["a", "b"]}, "no such labels"),
        ({"vocabulary": "ids", "head": "rnn"}, "no such head"),
        ({"vocabulary": "ids", "colour": "red"}, "no such choice"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_in_words(tmp_path, options, words):
    state_dict(LanguageModel(), tmp_path / "w.pt")

    with pytest.raises(CheckpointError) as error:
        load_model(tmp_path / "w.pt", **options)

    assert words in str(error.value)
    assert str(tmp_path) not in str(error.value)


def test_a_whole_module_is_told_how_to_save_its_weights(tmp_path):
    torch.save(nn.LSTM(2, 3), tmp_path / "m.pt")

    with pytest.raises(CheckpointError) as error:
        load_model(tmp_path / "m.pt")

    assert "whole module" in str(error.value)
    assert "model = torch.load(" in str(error.value)
    assert 'torch.save(model.state_dict(), "weights.pt")' in str(error.value)


def test_a_model_of_the_box_leaves_nothing_to_choose():
    with pytest.raises(InputError):
        load_model("tagger-en", vocabulary=WORDS)


def test_it_works_in_a_script_without_a_main_guard_and_from_any_folder(tmp_path):
    state_dict(LanguageModel(), tmp_path / "w.pt")
    script = tmp_path / "script.py"
    script.write_text("import lstm_core\nprint(lstm_core.inspect_checkpoint('w.pt').format)\n")

    ran = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert ran.stdout == "PyTorch\n"
