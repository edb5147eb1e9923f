"""What a head decided, from the wire: against numpy on the downloaded scores, and against torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from starlette.testclient import TestClient

from lstm_core.analysis import decisions
from lstm_core.model_spec import HeadSpec, ModelSpec
from lstm_core.models import load_model
from lstm_core.shape import LSTMShape, ModuleShape, StackShape
from server import analyses, jobs
from server.errors import ModelChangedError
from tests.server import worlds
from tests.server.worlds import CHARACTERS, arrays, problem, record

TEXT = "the sun is shiny, the sun, the sun"
NUMBERS = ["entropy", "rank", "surprise", "margin", "changed"]


def words_with(stack: StackShape, **fields: Any) -> ModelSpec:
    spec = worlds.words()
    return ModelSpec(**{**vars(spec), "lstm": stack, **fields})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Beside the tiny models: one that pools, one of numbers, one without a head, a funnel."""
    folder = tmp_path_factory.mktemp("heads")
    worlds.save_models(folder)
    two_way = StackShape.of(LSTMShape(7, 6, num_layers=3, bidirectional=True))
    head = HeadSpec("mean", hidden=(4,), activation="tanh")
    worlds.save(folder / "mean", words_with(two_way, task="classify", head=head))
    worlds.save(folder / "value", words_with(two_way, task="value", labels=["low", "high"]))
    worlds.save(folder / "headless", words_with(two_way, task=None, labels=[]))
    funnel = StackShape((ModuleShape(7, 6), ModuleShape(6, 4)), listed=True)
    worlds.save(folder / "funnel", words_with(funnel))
    return folder


def ask(client: TestClient, recording: Any, route: str, **query: Any) -> dict[str, np.ndarray]:
    reply = client.get(f"/api/recordings/{recording['id']}/{route}", params=query)
    assert reply.status_code == 200, reply.text
    assert "immutable" in reply.headers["cache-control"]
    return safetensors.numpy.load(reply.content)


def test_what_is_sent_is_what_the_downloaded_scores_decide(client):
    recording = record(client, TEXT)
    p = arrays(client, recording["id"])["scores"].double().numpy()

    sent = ask(client, recording, "predictions", k=4)

    order = np.argsort(-p, axis=1, kind="stable")
    np.testing.assert_array_equal(sent["top"], order[:, :4])
    near = {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(sent["probability"], -np.sort(-p, axis=1)[:, :4], **near)
    np.testing.assert_allclose(sent["entropy"], -(p * np.log(p)).sum(axis=1), **near)
    np.testing.assert_allclose(sent["margin"], -np.diff(-np.sort(-p)[:, :2])[:, 0], **near)
    targets = [CHARACTERS.index(ch) for ch in TEXT[1:]]
    true = p[np.arange(len(targets)), targets]
    np.testing.assert_allclose(sent["surprise"][:-1], -np.log(true), **near)
    ranks = [1 + row.tolist().index(n) for row, n in zip(order, targets, strict=False)]
    np.testing.assert_array_equal(sent["rank"][:-1], ranks)
    assert np.isnan([sent["rank"][-1], sent["surprise"][-1]]).all()
    changed = [0, *(order[1:, 0] != order[:-1, 0])]
    np.testing.assert_array_equal(sent["changed"], changed)
    assert {values.dtype for values in sent.values()} == {np.dtype("float32")}


def test_a_stretch_is_a_part_of_the_whole(client):
    recording = record(client, TEXT)
    whole = ask(client, recording, "predictions", k=3)

    part = ask(client, recording, "predictions", k=3, start=9, stop=14)

    for name, values in part.items():
        np.testing.assert_array_equal(values, whole[name][9:14])


def test_no_more_labels_come_than_there_are(client):
    sent = ask(client, record(client, "the sun", "words"), "predictions", k=100)

    assert sent["top"].shape == (2, 4)
    assert np.isnan(sent["surprise"]).all()


def test_scores_that_are_not_finite_decide_nothing(client):
    sent = ask(client, record(client, "the sun", "nan"), "predictions")

    assert np.isnan(sent["top"]).all()
    assert np.isnan(sent["entropy"]).all()
    assert not sent["changed"].any()


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("model", ["chars", "mean"])
def test_the_lens_is_the_head_of_the_model_on_each_layer(client, models, model, precision):
    recording = record(client, "the sun is shiny", model, precision)
    loaded = load_model(models / model, precision=precision)
    rec = loaded.record("the sun is shiny")

    for layer in range(rec.shape.num_layers):
        sent = ask(client, recording, "lens", layer=layer, k=2)

        said = loaded.lens(rec, layer)
        probability, top = said.scores.topk(2)
        np.testing.assert_array_equal(sent["top"], top)
        np.testing.assert_allclose(sent["probability"], probability, atol=1e-5)
        np.testing.assert_allclose(sent["entropy"], said.entropy, atol=1e-5)
        np.testing.assert_allclose(sent["surprise"], said.surprise, atol=1e-5)


def test_the_lens_on_the_top_layer_is_the_predictions(client):
    recording = record(client, TEXT)
    said = ask(client, recording, "predictions")

    top = ask(client, recording, "lens", layer=1)

    np.testing.assert_array_equal(top["top"], said["top"])
    for name in NUMBERS:
        np.testing.assert_allclose(top[name], said[name], atol=1e-6)


def test_a_lens_over_a_long_text_is_looked_at_in_blocks(monkeypatch, tmp_path):
    """The job itself, in this process, with room for four timesteps."""
    worlds.save(tmp_path / "chars", worlds.characters())
    with worlds.client_with(tmp_path) as client:
        recording = record(client, TEXT)
        held = client.app.state.services.recordings.held(recording["id"])
        with held as stored:
            args = str(tmp_path / "chars"), str(stored.folder), stored.file, 0, 3
            whole = jobs.lens(*args)
            monkeypatch.setattr(decisions, "_BLOCK", 4 * len(CHARACTERS))

            parts = jobs.lens(*args)

    whole, parts = (safetensors.numpy.load(data) for data in (whole, parts))
    for name, values in whole.items():
        np.testing.assert_allclose(parts[name], values, atol=1e-6)


def test_a_head_of_numbers_has_a_lens_but_no_probabilities(client, models):
    recording = record(client, "the sun", "value")
    url = f"/api/recordings/{recording['id']}"

    refused = problem(client.get(f"{url}/predictions"), 422)
    sent = ask(client, recording, "lens", layer=0, k=1)

    assert "numbers" in refused["detail"]
    model = load_model(models / "value")
    expected = model.lens(model.record("the sun"), 0).scores[:, :1]
    torch.testing.assert_close(torch.from_numpy(sent["scores"]), expected)


@pytest.mark.parametrize(
    ("model", "query", "status", "message"),
    [
        ("headless", "predictions", 404, "no head"),
        ("headless", "lens?layer=0", 404, "no head"),
        ("funnel", "lens?layer=0", 422, "4 units forward"),
        ("words", "lens?layer=1", 404, "0 to 0"),
        ("words", "lens?layer=-1", 422, "layer"),
        ("words", "predictions?k=0", 422, "k"),
        ("words", "predictions?k=101", 422, "k"),
        ("words", "predictions?start=2&stop=1", 422, "start"),
        ("words", "predictions?stop=99", 422, "stop"),
    ],
)
def test_what_cannot_be_said_is_refused(client, model, query, status, message):
    recording = record(client, "the sun", model)

    reply = client.get(f"/api/recordings/{recording['id']}/{query}")

    assert message in problem(reply, status)["detail"]


def test_a_reply_that_would_be_too_large_is_refused(client, monkeypatch):
    recording = record(client, TEXT)
    monkeypatch.setattr(analyses, "MAX_REPLY_BYTES", 1000)

    for route in ("predictions", "lens?layer=0"):
        reply = client.get(f"/api/recordings/{recording['id']}/{route}")

        assert "k smaller" in problem(reply, 422)["detail"]


def test_a_copy_that_is_still_good_is_not_computed_again(client):
    url = f"/api/recordings/{record(client, TEXT)['id']}/lens?layer=0"
    etag = client.get(url).headers["etag"]

    again = client.get(url, headers={"If-None-Match": etag})

    assert again.status_code == 304
    assert not again.content


def test_a_model_written_anew_since_is_not_asked_about_old_states(tmp_path):
    worlds.save(tmp_path / "chars", worlds.characters())
    with worlds.client_with(tmp_path) as client:
        recording = record(client, TEXT)
        worlds.save(tmp_path / "chars", worlds.characters(), seed=1)
        held = client.app.state.services.recordings.held(recording["id"])
        with held as stored, pytest.raises(ModelChangedError):
            jobs.lens(str(tmp_path / "chars"), str(stored.folder), stored.file, 0, 3)
