"""No violation of the accessibility rules that axe-core knows, in any view, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.browser import screen

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TEXT = "the sun is shiny and cold"
TABS = (
    *("states", "unit", "network", "cell"),
    *("compare", "paths", "predictions", "write", "shapes"),
)
#: What opens, and the button that opens it.
OPENED = {
    "#models": "#model",
    "#card": "#about-model",
    "#sentences": "#more",
    "#parity-details": "#parity",
    "#help": "#help-button",
    "#keep-menu": "#keep-button",
    "#share-panel": "#share-options",
    "#units-panel": "#units-button",
}

RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const where = ({ target, failureSummary }) =>
    `${target} (${failureSummary.split("\\n").slice(1, 2)})`;
  return violations.map(({ id, help, nodes }) =>
    `${id}: ${help}: ${nodes.slice(0, 4).map(where).join(", ")}`);
}"""


def violations(page: Page) -> list[str]:
    """Injected past the page's own policy, which lets no such script in."""
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    return page.evaluate(RUN)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tab", TABS)
def test_a_view_breaks_no_rule(
    open_page: Callable[..., Page], tab: str, scheme: Literal["light", "dark"]
) -> None:
    page = open_page(screen.link(model="tagger-en", text=TEXT, tab=tab), color_scheme=scheme)
    screen.ready(page)
    page.wait_for_load_state("networkidle")
    assert violations(page) == []


#: What a view may show beside what it shows of a tagger.
OTHERS = {
    "a stack of different widths": {"model": "turning"},
    "different widths compared": {"model": "turning", "tab": "compare"},
    "a pinned run": {"model": "tagger-en", "tab": "compare", "pinText": "the sun is very cold"},
    "an earlier checkpoint": {"model": "tagger-en", "tab": "compare", "pinModel": "tagger-en@157"},
    "paths in space": {"model": "tagger-en", "tab": "paths", "paths": "dims:3;space:shared"},
    "what comes next": {"model": "shakespeare", "tab": "predictions"},
    "a verdict": {"model": "sentiment", "tab": "predictions"},
    "a text to go on with": {"model": "shakespeare", "tab": "write"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_nor_do_other_things_a_view_shows(open_page: Callable[..., Page], name: str) -> None:
    page = screen.ready(open_page(screen.link(**{"text": TEXT, **OTHERS[name]})))
    page.wait_for_load_state("networkidle")
    assert violations(page) == []


@pytest.mark.parametrize("tab", ["compare", "paths", "predictions"])
def test_a_view_on_a_phone_breaks_no_rule(open_page: Callable[..., Page], tab: str) -> None:
    link = screen.link(model="tagger-en", text=TEXT, tab=tab)
    page = screen.ready(open_page(link, width=390, height=844))
    page.wait_for_load_state("networkidle")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_opens_breaks_no_rule(
    open_page: Callable[..., Page], scheme: Literal["light", "dark"]
) -> None:
    page = open_page(screen.link(model="tagger-en", text=TEXT), color_scheme=scheme)
    screen.ready(page)
    found = {}
    for opened, button in OPENED.items():
        page.locator(button).click()
        page.locator(opened).wait_for()
        page.wait_for_load_state("networkidle")
        found[opened] = violations(page)
        page.keyboard.press("Escape")
        if page.locator(opened).is_visible():
            page.locator(button).click()
    page.keyboard.press("t")
    page.locator("#table-view").wait_for()
    found["#table-view"] = violations(page)
    assert {name: broken for name, broken in found.items() if broken} == {}


def test_a_long_text_a_phone_and_an_empty_page_break_no_rule(
    open_page: Callable[..., Page],
) -> None:
    words = " ".join(["the sun is shiny and cold"] * 30)
    page = open_page(screen.link(model="tagger-en", text=words), width=390, height=844)
    screen.ready(page)
    assert violations(page) == []
    page = open_page(screen.link(model="no-such-model", text="x"))
    page.locator("#status").wait_for()
    assert violations(page) == []


def test_the_gallery_breaks_no_rule(open_page: Callable[..., Page]) -> None:
    page = open_page("/gallery.html")
    page.locator("#views figure").first.wait_for()
    assert violations(page) == []


def test_a_page_that_breaks_a_rule_is_found(page: Page) -> None:
    """What makes the tests above ones that can fail."""
    screen.ready(page)
    page.evaluate("document.querySelector('#play').replaceChildren(document.createElement('img'))")
    page.evaluate("document.querySelector('#play').removeAttribute('aria-label')")
    assert violations(page) != []
