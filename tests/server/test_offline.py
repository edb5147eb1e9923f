"""The page in one file: everything in it, nothing outside it, and a policy that says so."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import safetensors.torch
import torch
from starlette.testclient import TestClient

from lstm_core.models import load_model
from server import offline
from server.about import STATIC, plotly_file
from tests.server.worlds import problem


class Page(HTMLParser):
    """Elements with their attributes, and the text of those that hold nothing else."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.comments: list[str] = []
        self._open = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        self._open = True

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.elements[-1][2].append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data.strip())

    def texts(self, tag: str, **attributes: str) -> list[str]:
        return [
            "".join(text)
            for name, attrs, text in self.elements
            if name == tag and attributes.items() <= attrs.items()
        ]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(offline.offline_page(charts=False))


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy_of(page: Page) -> dict[str, list[str]]:
    [policy] = [
        attrs["content"]
        for tag, attrs, _ in page.elements
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    return {name: sources for name, *sources in (part.split() for part in policy.split(";"))}


def test_nothing_in_it_names_another_file(page: Page) -> None:
    for tag, attrs, _ in page.elements:
        for name in ("src", "href", "action", "srcset", "data"):
            value = attrs.get(name)
            # A link that says what is in the page already asks for nothing: it has no rel.
            if value and not value.startswith(("data:", "#")):
                assert (tag, name, "rel" in attrs) == ("link", "href", False), value
    assert not re.search(r"@import|url\(", "".join(page.texts("style")))


def test_the_style_sheets_of_the_page_are_in_it_and_those_of_later_asleep(page: Page) -> None:
    sheets = {path.name: path.read_text(encoding="utf-8") for path in STATIC.glob("css/*.css")}
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    linked = re.findall(r'rel="stylesheet" href="css/([^"]+)"', index)
    styles = [(attrs, "".join(text)) for tag, attrs, text in page.elements if tag == "style"]
    assert [text for attrs, text in styles if not attrs] == [sheets[name] for name in linked]
    later = {str(attrs["data-href"]): (attrs.get("media"), text) for attrs, text in styles if attrs}
    assert later["css/keep.css"] == ("not all", sheets["keep.css"])
    assert later["css/offline.css"] == (None, sheets["offline.css"])
    scripts = "".join(path.read_text(encoding="utf-8") for path in STATIC.rglob("*.js"))
    for href in later.keys() - offline.AWAKE:
        assert f'"{href}"' in scripts


def test_its_policy_lets_through_its_own_text_and_nothing_else(page: Page) -> None:
    policy = policy_of(page)
    assert policy["default-src"] == ["'none'"]
    [import_map] = page.texts("script", type="importmap")
    inline = [
        "".join(text)
        for tag, attrs, text in page.elements
        if tag == "script" and attrs.get("type") in (None, "importmap", "module")
    ]
    assert policy["script-src"] == [*map(hash_of, inline), "data:"]
    assert inline[0] == import_map  # before the first module
    assert policy["style-src"][: len(page.texts("style"))] == [
        hash_of(css) for css in page.texts("style")
    ]
    assert "connect-src" not in policy  # default-src says none
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"} & {
        *policy["script-src"],
        *policy["style-src"],
    }


def test_its_policy_comes_before_anything_it_is_for(page: Page) -> None:
    tags = [tag for tag, attrs, _ in page.elements]
    policy = next(n for n, (_, attrs, _) in enumerate(page.elements) if "http-equiv" in attrs)
    assert tags.index("meta") == policy - 1  # the charset
    assert policy < min(tags.index(tag) for tag in ("style", "script", "link"))


def test_every_module_is_there_once_and_imports_only_what_is_there(page: Page) -> None:
    [text] = page.texts("script", type="importmap")
    sources = {
        name: base64.b64decode(url.partition(",")[2]).decode()
        for name, url in json.loads(text)["imports"].items()
    }
    starts = [f'import "{name}";' for name in sources]
    assert 'import "gatescope/js/main.js";' in starts
    assert {*page.texts("script", type="module")} <= {*starts}
    for name, source in sources.items():
        original = (STATIC / name.removeprefix("gatescope/")).read_text(encoding="utf-8")
        code = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
        # The original again, were it not for the names.
        assert len(source.splitlines()) == len(original.splitlines())
        for found in re.findall(r"""(?<!["'])\b(?:from|import)\s*\(?\s*["']([^"']+)["']""", code):
            assert found in sources, (name, found)


def test_imports_are_found_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "js" / "views").mkdir(parents=True)
    (tmp_path / "js" / "main.js").write_text(
        "import './a.js';\n"
        'import b, {\n  c,\n} from "./views/b.js";\n'
        'export * from "./d.js";\n'
        'const e = () => import("./views/e.js").then(({ f }) => f);\n'
        "/** @import {X} from './types.js' */\n"
        'const text = "it came from here";\n'
    )
    for name in ("a", "d", "views/b", "views/e"):
        (tmp_path / "js" / f"{name}.js").write_text('import "../js/d.js";' if name == "a" else "")
    (tmp_path / "js" / "views" / "b.js").write_text('import "../a.js";')
    (tmp_path / "js" / "alone.js").write_text("")
    found = offline.modules(["js/main.js"], tmp_path)
    assert sorted(found) == sorted(
        f"js/{name}.js" for name in ("main", "a", "d", "views/b", "views/e")
    )
    assert found["js/main.js"] == (
        "import 'gatescope/js/a.js';\n"
        'import b, {\n  c,\n} from "gatescope/js/views/b.js";\n'
        'export * from "gatescope/js/d.js";\n'
        'const e = () => import("gatescope/js/views/e.js").then(({ f }) => f);\n'
        "/** @import {X} from './types.js' */\n"
        'const text = "it came from here";\n'
    )
    assert found["js/views/b.js"] == 'import "gatescope/js/a.js";'
    assert found["js/a.js"] == 'import "gatescope/js/d.js";'


def test_a_page_it_does_not_know_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<meta charset="utf-8"><script src="x.js"></script>')
    with pytest.raises(ValueError, match=r"index\.html"):
        offline.offline_page(static=tmp_path)


def test_a_session_has_one_place(page: Page) -> None:
    assert page.comments.count("session") == 1
    assert offline.offline_page(charts=False).count(offline.SESSION) == 1


def test_plotly_is_in_it_when_charts_are_wanted_and_runs_only_when_asked(page: Page) -> None:
    assert page.texts("script", id="plotly") == []
    with_charts = Page(offline.offline_page())
    [packed] = with_charts.texts("script", id="plotly")
    assert gzip.decompress(base64.b64decode(packed)) == plotly_file().read_bytes()
    assert with_charts.texts("script", id="plotly", type="text/plain") == [packed]


def test_the_server_gives_it_to_be_saved_not_opened(client: TestClient) -> None:
    reply = client.get("/api/offline-page", params={"charts": False})
    assert reply.status_code == 200
    assert reply.text == offline.offline_page(charts=False)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["content-disposition"].startswith("attachment")
    again = client.get(
        "/api/offline-page",
        params={"charts": False},
        headers={"If-None-Match": reply.headers["etag"]},
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("model", ["words", "projected"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_weights_of_a_cell_are_those_of_its_units(
    client: TestClient, models: Path, model: str, precision: str
) -> None:
    loaded = load_model(models / model, precision=precision)
    layer = loaded.spec.lstm.num_layers - 1
    for direction in ("forward", "backward"):
        of = {"layer": layer, "direction": direction, "precision": precision}
        reply = client.get(f"/api/models/{model}/cell-weights", params=of)
        found = safetensors.torch.load(reply.content)
        assert found["W"].dtype == getattr(torch, precision)
        suffix = f"_l{layer}" + ("_reverse" if direction == "backward" else "")
        # PyTorch has all units of a gate together, we have all gates of a unit together.
        for ours, theirs in (("W", "weight_ih"), ("U", "weight_hh")):
            weight = getattr(loaded.lstm, theirs + suffix).detach()
            expected = weight.reshape(4, -1, weight.shape[1]).transpose(0, 1)
            assert torch.equal(found[ours], expected)
        biases = [getattr(loaded.lstm, f"bias_{end}{suffix}").detach() for end in ("ih", "hh")]
        expected = torch.stack([bias.reshape(4, -1).T for bias in biases], dim=2)
        assert torch.equal(found["b"], expected)


@pytest.mark.parametrize(
    ("model", "of"),
    [
        ("words", {"layer": 9}),
        ("chars", {"layer": 0, "direction": "backward"}),
        ("no", {"layer": 0}),
    ],
)
def test_there_are_no_weights_of_what_there_is_not(
    client: TestClient, model: str, of: dict[str, object]
) -> None:
    problem(client.get(f"/api/models/{model}/cell-weights", params=of), 404)
