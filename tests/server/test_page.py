from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.about import STATIC, plotly_file, version
from tests.server.worlds import problem


def test_the_page_is_there_and_asked_for_again_only_when_it_changed(client: TestClient) -> None:
    reply = client.get("/")
    assert reply.content == (STATIC / "index.html").read_bytes()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    again = client.get("/", headers={"If-None-Match": reply.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/js/nothing.js", "/nothing", "/js", "/index.htm"])
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_a_file_that_is_not_there_is_a_problem(client: TestClient, path: str, accept: str) -> None:
    problem(client.get(path, headers={"Accept": accept}), 404)


def test_the_page_takes_no_posts(client: TestClient) -> None:
    problem(client.post("/"), 405)


def test_scripts_are_served_as_scripts(client: TestClient) -> None:
    for script in STATIC.glob("js/*.js"):
        reply = client.get(f"/js/{script.name}")
        assert reply.headers["content-type"].startswith("text/javascript")


def test_plotly_comes_from_the_installed_package(client: TestClient) -> None:
    about = client.get("/api/about").json()
    assert about["plotly"] == version("plotly")
    reply = client.get(about["plotly_url"])
    assert reply.content == plotly_file().read_bytes()
    assert reply.headers["content-type"].startswith("text/javascript")
    assert "immutable" in reply.headers["cache-control"]
    again = client.get(about["plotly_url"], headers={"If-None-Match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head(about["plotly_url"]).status_code == 200


def test_plotly_without_its_version_is_asked_for_again_some_day(client: TestClient) -> None:
    for query in ("", "?v=0"):
        cached = client.get(f"/vendor/plotly.min.js{query}").headers["cache-control"]
        assert "immutable" not in cached


def test_nothing_else_of_that_package_is_served(client: TestClient) -> None:
    assert Path(plotly_file()).parent.joinpath("widgetbundle.js").is_file()
    problem(client.get("/vendor/widgetbundle.js"), 404)
