"""What the page asks for, and what it never asks for."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen


def open_chart(page: Page) -> None:
    page.get_by_role("button", name="Explore in a chart").click()
    # Plotly is 4.8 MB.
    expect(page.locator("#unit-chart .main-svg").first).to_be_visible(timeout=30_000)
    expect(page.locator("#unit-chart .nsewdrag").first).to_be_attached()


def test_plotly_comes_when_a_chart_is_opened_and_not_before(
    open_page: Callable[..., Page], server_url: str
) -> None:
    page = open_page("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(screen.link(model="two", text="the sun"))
    screen.ready(page)
    for tab in ("Shapes", "Network", "Cell", "One unit"):
        page.get_by_role("tab", name=tab).click()
        page.evaluate(screen.FRAMES)
    opener = page.get_by_role("button", name="Explore in a chart")
    expect(opener).to_be_visible()
    assert asked
    assert not [url for url in asked if "plotly" in url]
    open_chart(page)
    assert len([url for url in asked if "plotly" in url]) == 1
    # It comes from here, and so does everything else.
    assert {urlsplit(url).netloc for url in asked if url.startswith("http")} == {
        urlsplit(server_url).netloc
    }
    # None of its buttons sends the sentence anywhere.
    titles = page.locator("#unit-chart .modebar-btn").evaluate_all(
        "found => found.map(node => (node.dataset.title ?? node.dataset.attr ?? '').toLowerCase())"
    )
    assert titles
    assert not [t for t in titles if any(word in t for word in ("cloud", "edit", "share", "send"))]
    assert page.locator("#unit-chart a[href]").count() == 0


def test_the_chart_shows_torchs_values_and_follows_the_unit(
    open_page: Callable[..., Page], oracle
) -> None:
    text = "the sun is cold"
    page = open_page(screen.link(model="two", text=text, tab="unit", unit=1, layer=0))
    screen.ready(page)
    _, cells = oracle("two", text)
    open_chart(page)
    page.locator("#flow").focus()
    for unit in (1, 2):
        if unit == 2:
            screen.press(page, "]")
        expected = {
            name: pytest.approx(values[:, unit].tolist(), abs=1e-5)
            for name, values in cells[0, "forward"].quantity.items()
        }
        for _ in range(100):  # Plotly draws when it likes
            traces = page.evaluate(
                """() => document.getElementById("unit-chart").data
                    .filter(({ type }) => type === "scatter")
                    .map(({ name, y }) => [name.split(" ")[0], [...y]])"""
            )
            if dict(traces) == expected:
                break
            page.wait_for_timeout(50)
        assert sorted(name for name, _ in traces) == sorted("ifgoch")
        assert dict(traces) == expected
    # A click on a point goes there.
    point = page.locator("#unit-chart .trace.scatter").first.locator(".point").nth(2)
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#step-text")).to_have_text("step 2 of 3")


def test_a_unit_without_numbers_does_not_leave_a_blank_picture(
    open_page: Callable[..., Page],
) -> None:
    page = open_page(
        screen.link(model="broken", text="the sun is cold", tab="unit", unit=2, layer=1)
    )
    screen.ready(page)
    expect(page.locator("#unit-view")).to_contain_text("is not a finite number, nothing is drawn")
    open_chart(page)


def test_a_second_record_of_the_same_sentence_asks_for_no_array_again(
    open_page: Callable[..., Page],
) -> None:
    page = screen.ready(open_page(screen.link(model="two", text="the sun")))
    page.wait_for_load_state("networkidle")
    bodies: list[int] = []
    page.on(
        "response",
        lambda response: (
            bodies.append(response.request.sizes()["responseBodySize"])
            if "/arrays" in response.url
            else None
        ),
    )
    screen.record(page, "the sun")
    assert [size for size in bodies if size > 0] == []  # from the browser's cache
