"""Bodies that broke other servers. None may give a 5xx, whatever it gives."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.server.worlds import problem

JSON = {"Content-Type": "application/json"}
GOOD = b'{"model": "chars", "text": "a"}'

BODIES = {
    "nothing": b"",
    "not json": b"{",
    "a number": b"1",
    "a list": b"[]",
    "null": b"null",
    "NaN": b"NaN",
    "a NaN text": b'{"model": "chars", "text": NaN}',
    "an infinite text": b'{"model": "chars", "text": -Infinity}',
    "a huge float": b'{"model": "chars", "text": 1e999}',
    "a huge integer": b'{"model": "chars", "text": ' + b"9" * 5000 + b"}",
    "a deep list": b"[" * 100_000,
    "a deep list that ends": b"[" * 100_000 + b"]" * 100_000,
    "a deep object": b'{"text":' * 30_000,
    "a deep text": b'{"model": "chars", "text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a lone surrogate": b'{"model": "chars", "text": "\\ud800"}',
    "a lone surrogate as a key": b'{"\\ud800": 1, "model": "chars", "text": "a"}',
    "a lone surrogate as a model": b'{"model": "\\udc00", "text": "a"}',
    "a NUL": b'{"model": "chars", "text": "\\u0000"}',
    "a NUL as a model": b'{"model": "\\u0000", "text": "a"}',
    "a raw NUL": b'{"model": "chars", "text": "\0"}',
    "bad UTF-8": b'{"model": "chars", "text": "\xff"}',
    "UTF-16": '{"model": "chars", "text": ""}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"model": "chars", "text": ""}',
    "a path as a model": b'{"model": "../../chars", "text": "a"}',
    "a long model": b'{"model": "' + b"m" * 5000 + b'", "text": "a"}',
    "a wrong precision": b'{"model": "chars", "text": "a", "precision": "float8"}',
    "an extra field": b'{"model": "chars", "text": "a", "id": "x"}',
    "a million extra fields": b'{"model": "chars"' + b',"a":1' * 40_000 + b"}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_strange_body_is_refused(client: TestClient, body: bytes) -> None:
    reply = client.post("/api/recordings", content=body, headers=JSON)
    assert 400 <= reply.status_code < 500
    problem(reply, reply.status_code)
    assert len(reply.content) < 20_000


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "x/" + "y" * 999,
    ],
)
def test_json_must_say_that_it_is_json(client: TestClient, content_type: str) -> None:
    reply = client.post("/api/recordings", content=GOOD, headers={"Content-Type": content_type})
    assert "application/json" in problem(reply, 422)["expected"]


def test_of_two_equal_keys_the_last_one_counts(client: TestClient) -> None:
    body = b'{"model": "nothing", "model": "chars", "text": "a"}'
    reply = client.post("/api/recordings", content=body, headers=JSON)
    assert reply.json()["model"] == "chars"


def test_a_wrong_field_is_named(client: TestClient) -> None:
    reply = client.post("/api/recordings", json={"model": "chars", "txet": "a"})
    told = problem(reply, 422)
    assert {error["where"] for error in told["errors"]} == {"body.text", "body.txet"}
    assert "body.text" in told["detail"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(model=VALUES | st.just("words"), text=VALUES, precision=VALUES | st.just("float64"))
def test_whatever_the_fields_hold_the_answer_is_no_fault(
    client: TestClient, model: object, text: object, precision: object
) -> None:
    body = json.dumps({"model": model, "text": text, "precision": precision})
    reply = client.post("/api/recordings", content=body, headers=JSON)
    assert reply.status_code < 500


@pytest.mark.parametrize(
    "path",
    [
        "/api/recordings/%00",
        "/api/recordings/%ff%fe",
        "/api/recordings/%ed%a0%80",
        "/api/models/..%2f..%2fetc",
        "/api/models/" + "m" * 5000,
        "/api/models/%3Cscript%3E",
        "/api/recordings/%0d%0aX-Evil:1",
        "/..%2f..%2fpyproject.toml",
        "/%2e%2e/pyproject.toml",
        "/js/..%5c..%5cpyproject.toml",
        "/%00",
        "/" + "a" * 5000,
        "/api/recordings/x/arrays?name=%00%ed%a0%80",
    ],
)
def test_a_strange_address_leads_nowhere(client: TestClient, path: str) -> None:
    reply = client.get(path, follow_redirects=False)
    problem(reply, reply.status_code)
    assert reply.status_code in (404, 422)
