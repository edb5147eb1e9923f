"""The screen is in the address bar, and a link restores it."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen

TEXT = "the sun & the <b>winter</b> + 100% #1"


def fragment(page: Page) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(page.url).fragment).items()}


def test_a_reload_restores_everything(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="two", text="the sun")))
    screen.record(page, TEXT)
    page.locator("#order").select_option("processing")
    page.locator("#speed").select_option("8")
    page.get_by_role("combobox", name="Colour scale").select_option("fit")
    page.locator("#flow").focus()
    screen.press(page, "Home", "ArrowDown", "ArrowRight", "]", "]")
    page.get_by_role("tab", name="Shapes").click()
    expected = {
        "model": "two",
        "text": TEXT,
        "order": "processing",
        "speed": "8",
        "scale": "fit",
        "unit": "2",
        "tab": "shapes",
    }
    expect(page).to_have_url(re.compile("tab=shapes"))
    found = fragment(page)
    assert {name: found.get(name) for name in expected} == expected
    before, url = screen.read(page), page.url
    page.reload()
    screen.ready(page)
    assert screen.read(page) == before
    expect(page.get_by_role("tab", name="Shapes")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#order")).to_have_value("processing")
    expect(page.locator("#speed")).to_have_value("8")
    expect(page.locator("#model")).to_have_attribute("value", "two")
    expect(page.locator("#text")).to_have_value(TEXT)
    page.get_by_role("tab", name="States").click()
    expect(page.get_by_role("combobox", name="Colour scale")).to_have_value("fit")
    assert fragment(page).items() >= {(k, v) for k, v in expected.items() if k != "tab"}
    assert url.startswith(page.url.split("#")[0])


def test_back_and_forward_go_through_the_sentences(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="two", text="the sun is cold")))
    page.locator("#flow").focus()
    screen.press(page, "ArrowRight", "ArrowRight")
    expect(page).to_have_url(re.compile("step=2"))
    screen.record(page, "long winter")
    expect(page).to_have_url(re.compile("long"))
    page.locator("#text").press("Escape")
    page.go_back()
    expect(page.locator("#tokens .column")).to_have_count(4)
    screen.painted(page)
    assert screen.tokens(page) == ["the", "sun", "is", "cold"]
    assert screen.read(page)["step"] == "step 2 of 3"
    expect(page.locator("#text")).to_have_value("the sun is cold")
    page.go_forward()
    expect(page.locator("#tokens .column")).to_have_count(2)
    screen.painted(page)
    assert screen.tokens(page) == ["long", "winter"]
    expect(page.locator("#text")).to_have_value("long winter")


@pytest.mark.parametrize(
    "broken",
    [
        "%E0%A4%A&&==&#&model=two",
        "model=two&step=-5&layer=x&direction=up&unit=1e99&tab=<b>&scale=&speed=7&order=random",
        "model=two&step=NaN&precision=float16&gone=1&text=the+sun",
    ],
)
def test_a_broken_or_old_link_still_opens(open_page: Callable[..., Page], broken: str) -> None:
    page = screen.ready(open_page(f"/#{broken}"))
    expect(page.locator("#status")).to_be_hidden()
    assert screen.read(page)["step"].startswith("step 0 of ")
    expect(page.locator("#speed")).to_have_value("2")


def test_a_step_layer_or_unit_beyond_the_end_is_the_last(open_page: Callable[..., Page]) -> None:
    link = screen.link(model="two", text="the sun", step=999, layer=99, unit=99)
    page = screen.ready(open_page(link))
    shown = screen.read(page)
    assert shown["step"] == "step 1 of 1"
    assert "layer 1 · forward · timestep 1 " in shown["title"]
    expect(page.locator("#unit")).to_have_value("5")
    # The direction this model does not have is left out, too.
    page.goto("about:blank")
    page.goto(screen.link(model="one", text="the sun", direction="backward"))
    screen.ready(page)
    assert "layer 0 · forward" in screen.read(page)["title"]


def test_a_link_to_a_model_that_is_not_here_says_so_and_offers_another(
    open_page: Callable[..., Page],
) -> None:
    page = open_page(screen.link(model="gone<b>", text="the sun"))
    status = page.locator("#status")
    expect(status).to_contain_text("gone<b>")
    expect(page.locator("#text")).to_have_value("the sun")
    expect(page.locator("#model")).to_have_text("Choose a model")
    expect(page.locator("#board")).not_to_be_visible()
    # From here on people can go on, and keep their sentence.
    screen.choose(page, "two")
    screen.ready(page)
    expect(status).to_be_hidden()
    assert screen.tokens(page) == ["the", "sun"]
    page.goto("about:blank")
    page.goto(screen.link(model="gone", text="long winter"))
    status.get_by_role("button", name="Use ").click()
    screen.ready(page)
    expect(status).to_be_hidden()
    assert screen.tokens(page) == ["long", "winter"]


def test_another_model_keeps_a_sentence_of_ones_own(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="two", text="my own winter")))
    screen.choose(page, "one")
    expect(page.locator("#network-labels button")).to_have_count(1)
    screen.painted(page)
    assert screen.tokens(page) == ["my", "own", "winter"]
    page.locator("#more").click()
    page.get_by_role("button", name="the winter is long").click()
    expect(page.locator("#tokens .column")).to_have_count(4)
    # An example says little to another model, so that model's own one comes.
    screen.choose(page, "letters")
    expect(page.locator("#text")).to_have_value("to be or not to be")
    expect(page.locator("#tokens .column")).to_have_count(18)


def test_share_copies_the_address(open_page: Callable[..., Page]) -> None:
    page = open_page(
        screen.link(model="two", text="the sun"), permissions=["clipboard-read", "clipboard-write"]
    )
    screen.ready(page)
    page.locator("#flow").focus()
    screen.press(page, "ArrowRight")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert "step=1" in copied  # though the address bar is written a moment later


def test_the_lowest_layer_is_in_the_link_too(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="chain", text="the sun", unit=5)))
    assert "layer 2 · forward" in screen.read(page)["title"]
    page.get_by_role("button", name="layer 0 backward").click()
    page.locator("#unit").fill("11")
    page.locator("#unit").press("Enter")
    expect(page).to_have_url(re.compile("unit=11"))
    page.reload()
    screen.ready(page)
    assert "layer 0 · backward" in screen.read(page)["title"]
    expect(page.locator("#unit")).to_have_value("11")


def test_back_and_forward_go_between_stacks_of_any_depth(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="one", text="the sun", unit=4)))
    screen.choose(page, "eight")
    expect(page.locator("#network-labels button")).to_have_count(16)
    screen.painted(page)
    page.get_by_role("button", name="layer 7 backward").click()
    expect(page).to_have_url(re.compile("layer=7"))
    for go, rows in ((page.go_back, 1), (page.go_forward, 16), (page.go_back, 1)):
        go()
        expect(page.locator("#network-labels button")).to_have_count(rows)
        screen.painted(page)
    assert "layer 0 · forward" in screen.read(page)["title"]
    expect(page.locator("#unit")).to_have_value("4")
