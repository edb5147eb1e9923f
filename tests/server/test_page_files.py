"""Scripts and style sheets come without comments, and only the page's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.about import STATIC
from server.page_files import PageFiles


def test_a_script_comes_without_its_comments_line_for_line(client: TestClient) -> None:
    answer = client.get("/js/frame.js")
    file = (STATIC / "js" / "frame.js").read_text(encoding="utf-8")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "The only place that draws" in file
    assert "The only place that draws" not in answer.text
    assert answer.text.count("\n") == file.count("\n")


def test_a_style_sheet_comes_without_its_comments(client: TestClient) -> None:
    answer = client.get("/css/theme.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "/*" not in answer.text
    assert "--accent:#0b6e75;" in answer.text


def test_what_a_browser_has_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/js/main.js").headers["etag"]
    again = client.get("/js/main.js", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["/js/nothing.js", "/js/types.d.ts", "/js/..%2f..%2fserver%2fapp.py", "/css/%2e%2e/js", "/js/"],
)
def test_there_is_nothing_else(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_an_edited_file_is_what_comes_next(tmp_path: Path) -> None:
    file = tmp_path / "a.js"
    file.write_text("one(); // first")
    files = PageFiles(tmp_path)
    first = files.get("a.js")
    assert first is not None
    assert first.data == b"one();"
    assert files.get("a.js") is first
    file.write_text("two();")
    second = files.get("a.js")
    assert second is not None
    assert (second.data, second.etag != first.etag) == (b"two();", True)
    assert files.get("../a.js") is None
