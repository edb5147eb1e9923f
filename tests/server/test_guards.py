from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.guards import CSP, careful_headers, cookie_name
from tests.server import worlds
from tests.server.worlds import problem

TOKEN = "a-secret_token"
HEADERS = careful_headers()


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ("localhost", True),
        ("LOCALHOST:8000", True),
        ("127.0.0.1:1", True),
        ("[::1]:8000", True),
        ("[::1]", True),
        ("", False),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("localhost@evil.example", False),
        ("evil.example@localhost", False),
        ("localhost.", False),
        ("localhost:8000:8000", False),
        ("localhost/x", False),
        ("192.168.0.2:8000", False),
        ("127.0.0.1.nip.io", False),
        ("0x7f.1", False),
        ("[::1", False),
        ("a" * 5000, False),
    ],
)
def test_only_our_own_names_are_answered(client: TestClient, host: str, good: bool) -> None:
    for path in ("/api/health", "/", "/vendor/plotly.min.js"):
        reply = client.get(path, headers={"Host": host})
        if good:
            assert reply.status_code == 200
        else:
            told = problem(reply, 400)
            assert "localhost" in told["exists"]


def test_on_a_network_any_address_is_ours_but_no_strange_name(models: Path) -> None:
    with worlds.client_with(models, host="0.0.0.0", allowed_hosts="class.example") as client:
        for host in ("192.168.0.2:8000", "[fe80::1]:8000", "Class.Example", "localhost"):
            assert client.get("/api/health", headers={"Host": host}).status_code == 200
        for host in ("evil.example", "192.168.0.2.nip.io"):
            problem(client.get("/api/health", headers={"Host": host}), 400)


def test_a_name_we_listen_on_is_ours(models: Path) -> None:
    with worlds.client_with(models, host="box.lan") as client:
        assert client.get("/api/health", headers={"Host": "box.lan:8000"}).status_code == 200


# --- other sites --------------------------------------------------------------------------------

OWN = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("headers", "good"),
    [
        ({}, True),  # a program
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": OWN}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://proxy.example"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": OWN}, False),
        ({"Sec-Fetch-Site": "?"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://127.0.0.1:9000"}, False),
        ({"Origin": "http://127.0.0.1:8000.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "http://["}, False),
    ],
)
def test_only_our_own_page_may_post(
    client: TestClient, headers: dict[str, str], good: bool
) -> None:
    for path in ("/api/sentences", "/api/recordings", "/api/session", "/api/nothing"):
        reply = client.post(path, content=b"one line", headers=headers)
        if good:
            assert reply.status_code != 403
        else:
            problem(reply, 403)


def test_a_link_from_another_site_may_be_followed(client: TestClient) -> None:
    reply = client.get("/", headers={"Sec-Fetch-Site": "cross-site"})
    assert reply.status_code == 200


# --- headers ------------------------------------------------------------------------------------


def test_every_reply_carries_the_careful_headers(client: TestClient, models: Path) -> None:
    replies = [
        client.get("/"),
        client.get("/nothing.js"),
        client.get("/vendor/plotly.min.js"),
        client.get("/api/health"),
        client.get("/api/nothing"),
        client.delete("/api/models"),
        client.post("/api/recordings", content=b"{"),
        client.post("/api/sentences", content=b"x" * 1_000_001),
        client.get("/", headers={"Host": "evil.example"}),
        client.post("/api/session", headers={"Origin": "null"}),
        client.get(f"/api/recordings/{worlds.record(client, 'a')['id']}/arrays"),
    ]
    with worlds.client_with(models) as other:
        other.app.state.services = None  # type: ignore[attr-defined]
        replies.append(other.get("/api/models"))
    assert {reply.status_code for reply in replies} == {200, 400, 403, 404, 405, 413, 422, 500}
    for reply in replies:
        assert {name: reply.headers[name] for name in HEADERS} == HEADERS
        assert reply.headers["content-type"]
        assert "server" not in reply.headers


def test_the_policy_allows_no_other_host_and_no_eval() -> None:
    assert "http" not in CSP
    assert "unsafe-eval" not in CSP
    assert "script-src 'self';" in CSP


def test_replies_of_the_api_are_not_stored_and_those_of_the_page_asked_for(
    client: TestClient,
) -> None:
    assert client.get("/api/models").headers["cache-control"] == "no-store"
    assert client.get("/api/nothing").headers["cache-control"] == "no-store"
    assert client.get("/").headers["cache-control"] == "no-cache"


# --- faults -------------------------------------------------------------------------------------


def test_a_fault_of_ours_is_logged_and_tells_nothing_but_where_to_look(
    models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with worlds.client_with(models) as client:
        client.app.state.services = "a secret"  # type: ignore[attr-defined]
        told = problem(client.get("/api/models"), 500)
    assert told["request_id"] in caplog.text
    assert "AttributeError" in caplog.text
    assert "secret" not in str(told)
    assert "Attribute" not in str(told)


# --- the token ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def locked(models: Path) -> Iterator[TestClient]:
    with worlds.client_with(models, token=TOKEN) as client:
        yield client


def test_without_the_token_only_the_page_and_health_answer(locked: TestClient) -> None:
    for path in ("/", "/api/health", "/vendor/plotly.min.js"):
        assert locked.get(path).status_code == 200
    for path in ("/api/models", "/api/about", "/api/openapi.json", "/api/nothing", "/api"):
        reply = locked.get(path)
        problem(reply, 401)
        assert reply.headers["www-authenticate"] == "Bearer"
    problem(locked.post("/api/recordings", json={}), 401)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_header_opens(locked: TestClient, scheme: str) -> None:
    reply = locked.get("/api/models", headers={"Authorization": f"{scheme} {TOKEN}"})
    assert reply.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer \xff"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Cookie": f"gatescope={TOKEN}"},
        {"Cookie": f"{cookie_name(TOKEN)}=x"},
        {"Cookie": ";=;;"},
    ],
)
def test_nothing_else_opens(locked: TestClient, headers: dict[str, str]) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    problem(locked.get("/api/models", headers=encoded), 401)


def test_the_right_token_becomes_a_cookie_no_script_can_read(models: Path) -> None:
    with worlds.client_with(models, token=TOKEN) as client:
        for wrong in ("wrong", "", "é", "a" * 1001):
            reply = client.post("/api/session", json={"token": wrong})
            problem(reply, 422 if len(wrong) > 1000 else 401)
        assert client.get("/api/models").status_code == 401
        reply = client.post("/api/session", json={"token": TOKEN})
        assert reply.status_code == 204
        cookie = reply.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert client.get("/api/models").status_code == 200
        made = worlds.record(client, "a")
        arrays = client.get(f"/api/recordings/{made['id']}/arrays")
        assert arrays.headers["cache-control"].startswith("private")


def test_without_a_token_there_is_nothing_to_log_in_to(client: TestClient) -> None:
    reply = client.post("/api/session", json={"token": "any"})
    assert reply.status_code == 204
    assert "set-cookie" not in reply.headers


# --- frames -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "ancestors", "option"),
    [
        ("self", "'self'", "SAMEORIGIN"),
        ("'none'", "'none'", "DENY"),
        ("self, https://*.school.example:8443", "'self' https://*.school.example:8443", None),
        ("file:", "file:", None),
    ],
)
def test_only_who_is_named_may_show_the_page_in_a_frame(
    models: Path, named: str, ancestors: str, option: str | None
) -> None:
    with worlds.client_with(models, frame_ancestors=named) as client:
        headers = client.get("/").headers
    assert headers["content-security-policy"].endswith(f"; frame-ancestors {ancestors}")
    assert headers.get("x-frame-options") == option


def test_by_default_only_our_own_pages_may() -> None:
    assert HEADERS["Content-Security-Policy"].endswith("; frame-ancestors 'self'")
    assert HEADERS["X-Frame-Options"] == "SAMEORIGIN"


def test_the_page_may_play_and_draw_what_it_has_made_itself() -> None:
    assert "media-src 'self' blob:;" in CSP
    assert "img-src 'self' data: blob:;" in CSP
