"""Nothing is cut off or overlaps, on a desk and on a phone; text can be read in both schemes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.models import PRICES, SENSORS

TEXT = "the sun is shiny and cold"
SCREENS = [(1440, 900), (1280, 720), (390, 844), (360, 740)]
UNEQUAL = ("chain", "turning", "cells", "judge", "names", "bytes", "forecast", "sensors")
TABLES = {"forecast": PRICES, "sensors": SENSORS}
CONTROLS = (
    "header h1",
    "header select",
    "header button",
    "header textarea",
    "header label.button",
    "footer button",
    "footer input",
    "footer select",
    "footer output",
)


def overlaps(page: Page, selectors: tuple[str, ...]) -> list[str]:
    found = screen.boxes(page, ", ".join(selectors))
    assert len(found) > 1
    return [
        f"{a['name']} on {b['name']}"
        for a, b in combinations(found, 2)
        if min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"]) > 1
        and min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"]) > 1
    ]


def spilling(page: Page) -> list[str]:
    """What is wider than the panel it stands in, or smaller than the words in it."""
    return page.evaluate("""() => {
      const panel = document.getElementById("cell");
      const wide = panel.scrollWidth > panel.clientWidth ? ["the cell's panel"] : [];
      const labels = "#network-labels > *, #state-labels > *, .tokens .row-label";
      const low = [...document.querySelectorAll(labels)]
        .filter(node => node.checkVisibility() && (node.scrollHeight > node.clientHeight + 1 ||
          node.scrollWidth > node.clientWidth + 1))
        .map(node => node.textContent);
      return [...wide, ...low];
    }""")


def cut_off(page: Page, width: int) -> list[str]:
    return [
        box["name"]
        for box in screen.boxes(page, ", ".join(CONTROLS))
        if box["x"] < -0.5 or box["x"] + box["width"] > width + 0.5
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_nothing_is_cut_off_or_overlaps(
    open_page: Callable[..., Page], width: int, height: int, scheme: Literal["light", "dark"]
) -> None:
    every = ("one", "two", "eight", "projected", "letters", *UNEQUAL)
    models = every if scheme == "light" else ("eight", "judge", "forecast")
    page = open_page(
        screen.link(model=models[0], text=TEXT), width=width, height=height, color_scheme=scheme
    )
    for n, model in enumerate(models):
        if n:
            screen.choose(page, model)
            screen.recorded(page)
        if model in TABLES:
            screen.record(page, TABLES[model])
        elif n and models[n - 1] in TABLES:
            screen.record(page, TEXT)
        screen.ready(page)
        assert page.evaluate("() => document.body.scrollWidth - document.body.clientWidth") <= 0
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert overlaps(page, CONTROLS) == []
        assert cut_off(page, width) == []
        # Rows of the network lie under each other, tokens beside each other.
        assert overlaps(page, ("#network-labels > *",)) == []
        assert overlaps(page, ("#tokens .column",)) == []
        assert overlaps(page, (".section-head > *",)) == []
        assert overlaps(page, (".column .prediction, .column button",)) == []
        assert overlaps(page, ("#reads h2, #reads dt, #reads dd",)) == []
        assert overlaps(page, ("#cell > :not([hidden])",)) == []
        assert spilling(page) == []
        assert overlaps(page, ("#strips span, #strips canvas, #strips output",)) == []
        # The tools of the heatmaps, and what stands beside their rows.
        assert overlaps(page, ("#states-tools > *",)) == []
        assert overlaps(page, ("#state-labels > *, #state-track",)) == []
        # The numbers of the equations fit their box.
        box, table = (
            page.locator("#equations").bounding_box(),
            page.locator("#equations table").bounding_box(),
        )
        assert box is not None
        assert table is not None
        assert table["x"] + table["width"] <= box["x"] + box["width"] + 1


def test_a_long_sentence_in_the_box_is_one_clean_line(open_page: Callable[..., Page]) -> None:
    page = open_page(screen.link(model="two", text=TEXT * 5), width=390, height=844)
    screen.ready(page)
    shown = page.locator("#text").evaluate("""box => {
      const style = getComputedStyle(box);
      return (box.clientHeight - parseFloat(style.paddingTop)) / parseFloat(style.lineHeight);
    }""")
    wraps = page.locator("#text").evaluate("box => box.scrollHeight > box.clientHeight + 4")
    assert shown < 1.2 or not wraps, f"{shown} lines can be seen of a text that wraps"


def test_an_open_message_pushes_nothing_off_the_screen(open_page: Callable[..., Page]) -> None:
    for width, height in ((1280, 720), (360, 740)):
        page = open_page(
            screen.link(model="two", text=TEXT), width=width, height=height, expected="422"
        )
        screen.ready(page)
        screen.record(page, "x" * 200_001)
        status = page.locator("#status")
        expect(status).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        close = status.get_by_role("button").bounding_box()
        assert close is not None
        assert close["x"] + close["width"] <= width


def luminance(hex_colour: str) -> float:
    parts = [int(hex_colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """WCAG 2: from 1 to 21."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(
    open_page: Callable[..., Page], scheme: Literal["light", "dark"]
) -> None:
    page = open_page(color_scheme=scheme)
    names = ["ink", "soft", "accent", "good", "bad", "bg", "panel", "accent-ink", "warn-bg"]
    css = page.evaluate(
        """names => Object.fromEntries(names.map(name => [name,
          getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()]))""",
        names,
    )
    pairs = [(text, on) for text in names[:5] for on in ("bg", "panel")]
    pairs += [("accent-ink", "accent"), ("bad", "warn-bg"), ("ink", "warn-bg")]
    weak = {
        f"--{text} on --{on}": round(contrast(css[text], css[on]), 2)
        for text, on in pairs
        if contrast(css[text], css[on]) < 4.5
    }
    assert weak == {}


def test_the_pictures_follow_the_scheme_without_a_reload(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="two", text=TEXT)))
    read = """() => {
      const canvas = document.getElementById("state-canvas");
      return [...canvas.getContext("2d").getImageData(0, 0, 1, 1).data].join();
    }"""
    light = page.evaluate(read)
    page.emulate_media(color_scheme="dark")
    page.evaluate(screen.FRAMES)
    dark = page.evaluate(read)
    page.emulate_media(color_scheme="light")
    page.evaluate(screen.FRAMES)
    assert page.evaluate(read) == light != dark
