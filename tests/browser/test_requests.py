"""What the page asks for, and what it never asks for."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen


def test_plotly_comes_when_its_tab_is_opened_and_not_before(
    open_page: Callable[..., Page], server_url: str
) -> None:
    page = open_page("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(screen.link(model="two", text="the sun"))
    screen.ready(page)
    page.get_by_role("tab", name="Shapes").click()
    page.wait_for_load_state("networkidle")
    assert asked
    assert not [url for url in asked if "plotly" in url]
    page.get_by_role("tab", name="Unit over time").click()
    expect(page.locator("#unit-chart .main-svg").first).to_be_visible()
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
    page.locator("#flow").focus()
    for unit in (1, 2):
        expect(page.locator("#unit-view .note")).to_contain_text(f"unit {unit} in layer 0 forward")
        expect(page.locator("#unit-chart .nsewdrag")).to_be_attached()
        expected = {
            name: pytest.approx(values[:, unit].tolist(), abs=1e-5)
            for name, values in cells[0, "forward"].quantity.items()
        }
        for _ in range(100):  # Plotly draws when it likes
            traces = page.evaluate(
                """() => document.getElementById("unit-chart").data
                    .map(({ name, y }) => [name.split(" ")[0], [...y]])"""
            )
            if dict(traces) == expected:
                break
            page.wait_for_timeout(50)
        assert [name for name, _ in traces] == list("ifgoch")
        assert dict(traces) == expected
        screen.press(page, "]")
    # A point stands in the middle of its token's column; a click goes there.
    column = page.locator(".column").nth(2).bounding_box()
    area = page.locator("#unit-chart .nsewdrag").bounding_box()
    assert column is not None
    assert area is not None
    x = column["x"] + column["width"] / 2
    points = (
        page.locator("#unit-chart .trace")
        .first.locator(".point")
        .evaluate_all(
            "found => found.map(node => { const b = node.getBoundingClientRect();"
            " return b.x + b.width / 2 })"
        )
    )
    assert points[2] == pytest.approx(x, abs=2)
    page.mouse.move(x, area["y"] + 40)
    page.mouse.click(x, area["y"] + 40)
    expect(page.locator("#step-text")).to_have_text("step 2 of 3")


def test_a_unit_without_numbers_does_not_leave_a_blank_chart(
    open_page: Callable[..., Page],
) -> None:
    page = open_page(
        screen.link(model="broken", text="the sun is cold", tab="unit", unit=2, layer=1)
    )
    screen.ready(page)
    expect(page.locator("#unit-chart .main-svg").first).to_be_visible()
    expect(page.locator("#unit-view")).to_contain_text("is not a finite number, nothing is drawn")


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
