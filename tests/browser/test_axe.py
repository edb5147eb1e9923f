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
