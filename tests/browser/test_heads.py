"""What a head says besides tags and next tokens: a class so far, numbers, nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.models import PRICES, SENSORS

TEXT = "the sun is shiny and cold in every long winter"


def columns(page: Page) -> list[dict[str, Any]]:
    """What stands in the token strip, column by column."""
    return page.locator("#tokens .column").evaluate_all("""found => found.map(column => ({
      flip: column.classList.contains("flip"),
      label: column.querySelector("button").ariaLabel,
      title: column.querySelector(".prediction")?.title ?? "",
      says: [...column.querySelectorAll(".prediction bdi")]
        .filter(node => node.checkVisibility({ visibilityProperty: true }))
        .map(node => node.textContent).join(),
      bar: column.querySelector(".of-two i")?.offsetWidth /
        column.querySelector(".of-two")?.offsetWidth,
    }))""")


@pytest.mark.parametrize(
    ("model", "text", "labels"),
    [
        ("judge", TEXT, ["negative", "positive"]),
        ("names", "dvorak and smith", ["Czech", "English", "Portuguese", "Vietnamese"]),
    ],
)
def test_it_is_seen_and_said_where_the_class_changes(
    open_page: Callable[..., Page], oracle: Callable[..., Any], model: str, text: str, labels: list
) -> None:
    page = screen.ready(open_page(screen.link(model=model, text=text)))
    expect(page.locator("#prediction-label")).to_contain_text("class so far")
    scores, _ = oracle(model, text)
    classes = [labels[n] for n in scores.argmax(dim=1)]
    changes = [t for t in range(1, len(classes)) if classes[t] != classes[t - 1]]
    assert changes, "a model that never changes its mind shows nothing here"
    found = columns(page)
    assert [t for t, column in enumerate(found) if column["flip"]] == changes
    for t, column in enumerate(found):
        said = f"class changes to {classes[t]}" in column["label"]
        assert said == (t in changes) == ("changes here" in column["title"])


def test_the_bar_under_a_token_is_the_second_of_two_classes(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = screen.ready(open_page(screen.link(model="judge", text=TEXT)))
    expect(page.locator("#prediction-label")).to_contain_text("bar: positive")
    scores, _ = oracle("judge", TEXT)
    shown = [column["bar"] for column in columns(page)]
    assert shown == pytest.approx([float(p) for p in scores[:, 1]], abs=0.03)


def test_a_class_of_narrow_columns_is_named_where_it_begins(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    text = "to be or not to be that is the question"
    page = screen.ready(open_page(screen.link(model="names", text=text), width=1000))
    scores, _ = oracle("names", text)
    ids = scores.argmax(dim=1).tolist()
    for t, column in enumerate(columns(page)):
        assert bool(column["says"]) == (t == 0 or ids[t] != ids[t - 1])


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("judge", ["last h", "if this were the end"]),
        ("names", ["each direction", "has read everything", "timestep 5"]),
        ("pooled", ["mean of h", "all that follows"]),
        ("prices", ["last h"]),
    ],
)
def test_what_the_head_reads_is_said(
    open_page: Callable[..., Page], model: str, said: list[str]
) -> None:
    text = PRICES if model == "prices" else "dvorak" if model == "names" else TEXT
    page = screen.ready(open_page(screen.link(model=model, text=text)))
    for words in said:
        expect(page.locator("#predictions .note")).to_contain_text(words)


@pytest.mark.parametrize("model", ["prices", "forecast"])
def test_numbers_are_numbers_and_torchs(
    open_page: Callable[..., Page], oracle: Callable[..., Any], model: str
) -> None:
    page = screen.ready(open_page(screen.link(model=model, text=PRICES)))
    scores, _ = oracle(model, PRICES)
    rows = page.locator("#predictions li:not([hidden])")
    page.locator("#flow").focus()
    for t, row in enumerate(scores):
        assert float(screen.number(columns(page)[t]["says"])) == pytest.approx(
            float(row[0]), abs=0.00052
        )
        shown = rows.evaluate_all("rows => rows.map(row => row.lastChild.textContent)")
        expected = [float(value) for value in row[:12]]
        assert [float(screen.number(text)) for text in shown] == pytest.approx(
            expected, abs=0.00052
        )
        screen.press(page, "ArrowRight")
    expect(page.locator("#predictions")).not_to_contain_text("%")
    expect(page.locator("#predictions .bar:visible")).to_have_count(0)
    if model == "forecast":
        expect(page.locator("#predictions .note")).to_contain_text("and 2 more")


def test_without_a_head_nothing_is_predicted_and_no_room_is_kept_for_it(
    open_page: Callable[..., Page],
) -> None:
    page = screen.ready(open_page(screen.link(model="prices", text=PRICES)))
    room = page.locator("#tokens").bounding_box()
    screen.choose(page, "sensors")
    screen.record(page, SENSORS)
    screen.ready(page)
    expect(page.locator("#predictions")).to_be_hidden()
    expect(page.locator(".prediction")).to_have_count(0)
    expect(page.locator("#prediction-label")).to_have_text("")
    less = page.locator("#tokens").bounding_box()
    assert room is not None
    assert less is not None
    assert less["height"] < room["height"] - 15


def test_a_row_of_a_table_is_a_token_and_its_columns_are_what_is_read(
    open_page: Callable[..., Page],
) -> None:
    page = screen.ready(open_page(screen.link(model="prices", text=PRICES, step=1)))
    assert screen.tokens(page) == ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
    expect(page.locator(".tokens .row-label b")).to_have_text("rows")
    read = "found => found.map(node => node.textContent)"
    assert page.locator("#reads dt").evaluate_all(read) == ["open", "high", "low", "volume"]
    assert page.locator("#reads dd").evaluate_all(read) == ["4.66", "4.7", "4.4", "-0.5"]
    assert page.locator("#text").input_value() == PRICES
    page.get_by_role("tab", name="Shapes").click()
    expect(page.locator("#shapes")).to_contain_text("one row of the table")


def test_a_date_is_whole_on_a_phone(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="prices", text=PRICES), width=390, height=844))
    cut = """found => found.filter(node => node.scrollWidth > node.clientWidth).length"""
    assert page.locator("#tokens .column button").evaluate_all(cut) == 0


def test_bytes_are_shown_by_their_names(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="bytes", text="né")))
    assert screen.tokens(page) == ["n", "‹C3›", "‹A9›"]
    expect(page.locator("#cell-title")).to_contain_text("n")
