from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from starlette.testclient import TestClient

import lstm_core
from lstm_core.quantities import QUANTITIES
from server.array_file import ArrayFile
from tests.server.worlds import WORDS, arrays, client_with, problem, record, save, words

SENTENCE = "the sun is shiny"


def test_a_recording_is_made_once_and_found_again(client: TestClient) -> None:
    body = {"model": "chars", "text": "made once"}
    first = client.post("/api/recordings", json=body)
    second = client.post("/api/recordings", json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.headers["location"] == f"/api/recordings/{first.json()['id']}"
    assert client.get(first.headers["location"]).json() == first.json()


def test_it_says_everything_but_the_numbers(client: TestClient) -> None:
    made = record(client, SENTENCE, "words")
    assert made["text"] == SENTENCE
    assert made["timesteps"] == 4
    assert [token["text"] for token in made["tokens"]] == SENTENCE.split()
    assert made["tokens"][2] == {
        "text": "is",
        "start": 8,
        "end": 10,
        "known": True,
        "features": [
            {"name": "word", "value": "is", "known": True},
            {"name": "suffix2", "value": "is", "known": False},
        ],
    }
    assert [layer["directions"] for layer in made["lstm"]["layers"]] == [["forward", "backward"]]
    assert made["predictions"]["task"] == "tag"
    assert made["predictions"]["targets"] is None
    assert made["parity"]["ok"]
    assert made["parity"]["difference"] < made["parity"]["tolerance"] == 1e-5
    assert made["not_finite"] is None
    shapes = {array["name"]: (array["shape"], array["dtype"]) for array in made["arrays"]}
    assert shapes["0.backward.c"] == ([4, 6], "F32")
    assert shapes["0.backward.c_0"] == ([6], "F32")
    assert {array["name"] for array in made["arrays"]} == {
        *(f"0.{d}.{q}" for d in ("forward", "backward") for q in (*QUANTITIES, "h_0", "c_0")),
        *("x", "scores"),
    }


def test_a_language_model_says_which_token_really_came(client: TestClient) -> None:
    predictions = record(client, "ab€a")["predictions"]
    labels = predictions["labels"]
    assert predictions["targets"] == [labels.index("b"), None, labels.index("a"), None]


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("model", ["chars", "words", "projected"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_numbers_are_those_of_torch(
    client: TestClient, models: Path, model: str, precision: Any
) -> None:
    made = record(client, SENTENCE, model, precision)
    ours = arrays(client, made["id"])
    oracle = lstm_core.load_model(models / model, precision=precision)
    with torch.no_grad():
        x = oracle.embedding(oracle.ids(oracle.tokenizer(SENTENCE)))
        output, (h_n, c_n) = oracle.lstm(x)
        probabilities = torch.softmax(oracle.head(output), dim=-1)
    layers = made["lstm"]["layers"]
    top = len(layers) - 1
    directions = layers[top]["directions"]
    tolerance = {"rtol": 0, "atol": 1e-6 if precision == "float32" else 1e-12}
    torch.testing.assert_close(ours["x"], x, **tolerance)
    torch.testing.assert_close(
        torch.cat([ours[f"{top}.{d}.h"] for d in directions], dim=-1), output, **tolerance
    )
    torch.testing.assert_close(ours["scores"], probabilities, **tolerance)
    ends = [
        (layer, d, -1 if d == "forward" else 0)
        for layer in range(len(layers))
        for d in layers[layer]["directions"]
    ]
    for row, (layer, d, end) in enumerate(ends):
        torch.testing.assert_close(ours[f"{layer}.{d}.h"][end], h_n[row], **tolerance)
        torch.testing.assert_close(ours[f"{layer}.{d}.c"][end], c_n[row], **tolerance)


def test_precision_is_part_of_the_id(client: TestClient) -> None:
    ids = {record(client, SENTENCE, precision=p)["id"] for p in ("float32", "float64")}
    assert len(ids) == 2
    assert record(client, SENTENCE, precision="float64")["arrays"][0]["dtype"] == "F64"


def test_weights_that_are_no_numbers_give_a_recording_in_strict_json(client: TestClient) -> None:
    made = record(client, SENTENCE, "nan")  # reads it strictly
    assert made["parity"] == {"difference": 0.0, "tolerance": 1e-5, "where": None, "ok": True}
    assert made["not_finite"] == "W_hh of layer 0 forward"
    assert arrays(client, made["id"], "?name=0.forward.h")["0.forward.h"].isnan().any()


def test_the_first_timestep_that_is_no_number_is_named(tmp_path: Path) -> None:
    model = save(tmp_path / "tagger", words())
    with torch.no_grad():
        model.embedding["word"].weight[WORDS.index("is"), 0] = float("inf")
    model.save(tmp_path / "tagger")
    with client_with(tmp_path) as client:
        assert record(client, SENTENCE, "tagger")["not_finite"] == "x at timestep 2"
        assert record(client, "the sun", "tagger")["not_finite"] is None


# --- arrays -------------------------------------------------------------------------------------


def test_arrays_can_be_chosen_cut_and_converted(client: TestClient) -> None:
    made = record(client, SENTENCE)
    whole = arrays(client, made["id"])
    cut, uncut = "1.forward.c", ("0.forward.h_0", "1.forward.c_0")
    names = "".join(f"&name={name}" for name in (cut, *uncut, cut))
    some = arrays(client, made["id"], f"?start=2&stop=5&dtype=float16{names}")
    assert set(some) == {cut, *uncut}
    assert torch.equal(some[cut], whole[cut][2:5].half())
    for name in uncut:
        assert some[name].shape == whole[name].shape == (6,)


def test_all_arrays_are_there_when_none_is_named(client: TestClient) -> None:
    made = record(client, SENTENCE)
    sent = arrays(client, made["id"])
    assert {name: list(array.shape) for name, array in sent.items()} == {
        array["name"]: array["shape"] for array in made["arrays"]
    }


def test_numbers_start_at_a_multiple_of_eight(client: TestClient) -> None:
    made = record(client, SENTENCE)
    for names in ("?name=x", "?name=0.forward.i&name=0.forward.h_0", ""):
        data = client.get(f"/api/recordings/{made['id']}/arrays{names}").content
        assert int.from_bytes(data[:8], "little") % 8 == 0


def test_arrays_never_change_and_say_so(client: TestClient) -> None:
    url = f"/api/recordings/{record(client, SENTENCE)['id']}/arrays?name=x"
    reply = client.get(url)
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert int(reply.headers["content-length"]) == len(reply.content)
    again = client.get(url, headers={"If-None-Match": f'"other", W/{reply.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(url + "&start=1")
    assert other.headers["etag"] != reply.headers["etag"]


def test_an_unknown_array_is_answered_with_those_there_are(client: TestClient) -> None:
    made = record(client, SENTENCE)
    told = problem(client.get(f"/api/recordings/{made['id']}/arrays?name=0.forward.z"), 404)
    assert told["came"] == "'0.forward.z'"
    assert told["exists"] == [array["name"] for array in made["arrays"]]


@pytest.mark.parametrize(
    "query", ["start=-1", "start=16", "stop=17", "stop=0", "start=5&stop=5", "start=7&stop=3"]
)
def test_timesteps_outside_are_refused_with_the_range(client: TestClient, query: str) -> None:
    made = record(client, SENTENCE)
    told = problem(client.get(f"/api/recordings/{made['id']}/arrays?{query}"), 422)
    assert told["expected"] == "0 ≤ start < stop ≤ 16"


def test_the_download_opens_in_the_library(client: TestClient, tmp_path: Path) -> None:
    made = record(client, SENTENCE, "words")
    reply = client.get(f"/api/recordings/{made['id']}/recording.safetensors")
    assert (
        reply.headers["content-disposition"] == f'attachment; filename="{made["id"]}.safetensors"'
    )
    assert len(reply.content) == made["nbytes"]
    path = tmp_path / "downloaded.safetensors"
    path.write_bytes(reply.content)
    opened = lstm_core.Recording.load(path)
    assert list(opened.tokens or ()) == SENTENCE.split()
    sent = arrays(client, made["id"])
    assert torch.equal(opened["c", 0, "backward"], sent["0.backward.c"])


def test_float16_turns_what_it_cannot_hold_into_infinities(tmp_path: Path) -> None:
    x = torch.tensor([[1e6, 1.0]])
    safetensors.torch.save_file({"x": x}, tmp_path / "file")
    file, _ = ArrayFile.open(tmp_path / "file")
    half = safetensors.torch.load(file.cut(dtype="float16").to_bytes())
    assert torch.equal(half["x"], x.half())


# --- what cannot be recorded --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty text"),
        ("a" * 20_001, "at most 20000 tokens"),
        ("a" * 4_000_001, "at most 4,000,000 bytes"),
        ("a" * 200_001, "at most 200,000 characters"),
        ("ab\0c", "Character 2 is a NUL character"),
        ("abc\ud800", "Character 3 is half of a surrogate pair (U+D800)"),
        ("\udfffabc", "Character 0"),
    ],
)
def test_a_text_that_cannot_be_recorded_is_refused_with_the_reason(
    client: TestClient, text: str, says: str
) -> None:
    body = json.dumps({"model": "chars", "text": text})  # the client itself refuses to send halves
    reply = client.post(
        "/api/recordings", content=body, headers={"Content-Type": "application/json"}
    )
    assert reply.status_code in (413, 422)
    assert says in problem(reply, reply.status_code)["detail"]


def test_only_spaces_are_no_words(client: TestClient) -> None:
    reply = client.post("/api/recordings", json={"model": "words", "text": " \t\n "})
    assert "4 characters of white space" in problem(reply, 422)["detail"]


@pytest.mark.parametrize(
    "text",
    [
        "€ŋ漢字",  # in no vocabulary
        "שלום עולם",  # right to left
        "👩‍👩‍👧‍👦 👍🏽 🇩🇪",
        "e\u0301\u0302\u0303 a\u0300",  # combining marks
        "\u202eabc\u202c \u200b\ufeff",
        '<img src=x onerror="alert(1)"> <b> &lt; </s>',
        "\x01\x1b[31m\x7f\x85",
    ],
)
@pytest.mark.parametrize("model", ["chars", "words"])
def test_strange_text_is_shown_exactly_as_it_is(client: TestClient, text: str, model: str) -> None:
    made = record(client, text, model)
    for token in made["tokens"]:
        assert text[token["start"] : token["end"]] == token["text"]
    if model == "chars":
        assert "".join(token["text"] for token in made["tokens"]) == text


def test_an_unknown_model_is_answered_with_those_there_are(client: TestClient) -> None:
    told = problem(client.post("/api/recordings", json={"model": "<b>", "text": "a"}), 404)
    assert told["exists"] == ["chars", "nan", "projected", "words"]
    assert told["came"] == "'<b>'"


def test_a_recording_that_is_gone_tells_how_to_get_it_back(client: TestClient) -> None:
    for path in ("", "/arrays", "/recording.safetensors"):
        told = problem(client.get(f"/api/recordings/{'0' * 32}{path}"), 404)
        assert "makes it again" in told["detail"]
