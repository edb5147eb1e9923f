"""Everything by keyboard, everything has a name, nothing moves for those who asked for that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen

FOCUSED = """() => {
  const node = document.activeElement;
  const style = getComputedStyle(node);
  const label = node.labels?.[0];
  const inner = node.matches("input[type=file], .cards input");
  const ring = getComputedStyle(inner ? label : node);
  return {
    id: node.id || node.dataset.t || node.textContent.trim(),
    visible: node.type === "file" || node.checkVisibility(),
    ring: ring.outlineStyle !== "none" && parseFloat(ring.outlineWidth) >= 1,
    body: node === document.body,
  };
}"""


@pytest.fixture
def two(open_page: Callable[..., Page]) -> Page:
    return screen.ready(open_page(screen.link(model="two", text="the sun is")))


def test_tab_reaches_everything_in_the_order_of_the_page_with_visible_focus(two: Page) -> None:
    page = two
    seen: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUSED)
        if focus["body"] or focus["id"] in seen[:1]:
            break
        assert focus["visible"], focus
        assert focus["ring"], f"no focus ring on {focus['id']}"
        seen.append(focus["id"])
    interactive = page.evaluate("""() => [...document.querySelectorAll(
        "a[href], button, input, select, textarea, [tabindex='0']")]
      .filter(node => !node.disabled && node.tabIndex >= 0 &&
        (node.type === "file" || node.checkVisibility({ visibilityProperty: true })))
      .map(node => node.id || node.dataset.t || node.textContent.trim())""")
    assert seen == interactive
    order = [
        "model",
        "weights",
        "text",
        "file",
        "parity",
        "flow",
        "tab-states",
        "unit",
        "play",
        "scrub",
    ]
    assert [name for name in seen if name in order] == order


def test_every_control_has_a_name(two: Page) -> None:
    page = two
    page.locator("#more").click()
    for role in ("button", "combobox", "textbox", "slider", "spinbutton", "tab", "tabpanel"):
        found = page.get_by_role(role)
        for n in range(found.count()):
            snapshot = found.nth(n).aria_snapshot().splitlines()[0]
            assert '"' in snapshot, f"a {role} without a name: {snapshot}"
    unnamed = page.evaluate("""() => {
      const controls = [...document.querySelectorAll("button, input, select, textarea")];
      return controls.filter(node => !(node.getAttribute("aria-label") || node.title ||
        node.textContent.trim() || node.labels?.length)).map(node => node.outerHTML);
    }""")
    assert unnamed == []


def test_popovers_and_dialogs_open_and_close_by_keyboard_and_focus_returns(two: Page) -> None:
    page = two
    for opener, opened in (
        ("#model", "#models"),
        ("#about-model", "#card"),
        ("#more", "#sentences"),
        ("#parity", "#parity-details"),
        ("#help-button", "#help"),
    ):
        page.locator(opener).focus()
        page.keyboard.press("Enter")
        expect(page.locator(opened)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(opened)).to_be_hidden()
        expect(page.locator(opener)).to_be_focused()
    # The help sheet names every key, and no key works behind it.
    page.locator("#flow").focus()
    page.keyboard.press("?")
    help_sheet = page.get_by_role("dialog", name="What you see")
    expect(help_sheet).to_be_visible()
    for key in ("→", "Space", "Home", "End", "↑", "[", "?"):
        expect(help_sheet.locator("kbd").get_by_text(key, exact=True)).to_be_visible()
    page.keyboard.press("ArrowRight")
    assert screen.read(page)["step"] == "step 0 of 2"
    page.get_by_role("button", name="Close").press("Enter")
    expect(help_sheet).to_be_hidden()
    expect(page.locator("#flow")).to_be_focused()
    # Sentences can be picked without a mouse.
    page.locator("#more").press("Enter")
    expect(page.locator("#sentences .pick")).to_have_count(2)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_have_value("the winter is long")


def test_tabs_follow_the_pattern_for_tabs(two: Page) -> None:
    page = two
    tabs = page.get_by_role("tablist", name="View").get_by_role("tab")
    names = tabs.all_text_contents()
    tabs.first.focus()
    last = len(names) - 1
    rightwards = [("ArrowRight", at) for at in (*range(1, last + 1), 0)]
    for key, at in (*rightwards, ("ArrowLeft", last)):
        page.keyboard.press(key)
        expect(tabs.nth(at)).to_be_focused()
        for n in range(len(names)):
            expect(tabs.nth(n)).to_have_attribute("aria-selected", str(n == at).lower())
            expect(tabs.nth(n)).to_have_attribute("tabindex", "0" if n == at else "-1")
        panel = page.locator("#board > [role=tabpanel]:visible")
        expect(panel).to_have_count(1)
        expect(panel).to_have_attribute("aria-labelledby", tabs.nth(at).get_attribute("id"))
        expect(tabs.nth(at)).to_have_attribute("aria-controls", panel.get_attribute("id"))
    assert screen.read(page)["step"] == "step 0 of 2", "the tabs' keys do not step"


def test_a_step_is_announced_but_not_while_it_plays(two: Page) -> None:
    page = two
    page.locator("#flow").focus()
    screen.press(page, "ArrowRight")
    expect(page.locator("[aria-live=polite]")).to_have_text("timestep 1, sun, layer 1 forward")
    expect(page.locator(".column.now button")).to_have_attribute("aria-current", "step")
    expect(page.locator("[aria-current=step]")).to_have_count(1)


def test_nothing_moves_by_itself_for_those_who_asked_for_that(
    open_page: Callable[..., Page],
) -> None:
    page = screen.ready(open_page(screen.link(model="two", text="the sun"), reduced_motion=True))
    moving = page.evaluate("""() => [...document.querySelectorAll("*")].filter(node => {
      const { transitionDuration, animationName } = getComputedStyle(node);
      return animationName !== "none" || transitionDuration.split(",").some(t => parseFloat(t) > 0);
    }).map(node => node.outerHTML.slice(0, 80))""")
    assert moving == []
    assert page.evaluate("() => document.getAnimations().length") == 0


def test_the_dialogs_are_walked_with_tab_and_keep_the_focus(two: Page) -> None:
    page = two
    page.locator("#model").press("Enter")
    page.get_by_role("button", name="A fresh network…").press("Enter")
    form = page.get_by_role("dialog", name="A fresh network")
    expect(form.get_by_label("input_size").first).to_be_focused()
    seen = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUSED)
        if focus["body"]:
            continue  # the browser's own controls
        assert focus["visible"], focus
        assert focus["ring"], f"no focus ring on {focus['id']}"
        assert page.evaluate("() => document.activeElement.closest('dialog')?.id") == "fresh"
        seen.add(page.evaluate("() => document.activeElement.outerHTML"))
    # Of the radio buttons only the chosen one is a stop.
    stops = form.locator("button, input:not([type=radio]), input[type=radio]:checked")
    assert len(seen) == stops.count()
    # The words that explain a wrong size are said aloud.
    form.get_by_label("hidden_size").fill("0")
    expect(form.get_by_role("alert")).to_contain_text("hidden_size")
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
