"""A server with a token asks for it, once; and a server that is gone is said to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.serving import RunningServer, serve

TOKEN = "correct horse & battery #staple"


@pytest.fixture(scope="module")
def guarded(models_folder: Path) -> Iterator[RunningServer]:
    with serve(settings={"token": TOKEN, "model_folders": models_folder}) as running:
        yield running


def test_the_page_asks_for_the_token_and_refuses_a_wrong_one(
    open_page: Callable[..., Page], guarded: RunningServer
) -> None:
    page = open_page(screen.link(model="two", text="the sun"), url=guarded.url, expected="401")
    dialog = page.get_by_role("dialog", name="This server asks for its token")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Token")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    dialog.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    screen.ready(page)
    assert screen.tokens(page) == ["the", "sun"]
    # Not asked again, and the token is nowhere to be seen.
    page.reload()
    screen.ready(page)
    expect(dialog).to_be_hidden()
    assert "token" not in page.url
    assert page.evaluate("() => document.cookie") == ""


def test_a_link_with_the_token_opens_and_the_token_leaves_the_address_bar(
    open_page: Callable[..., Page], guarded: RunningServer
) -> None:
    page = open_page("/" + screen.link(token=TOKEN)[1:], url=guarded.url)
    screen.ready(page)
    assert "token" not in page.url
    assert "horse" not in page.url
    assert page.evaluate("() => JSON.stringify(history.state)") == "null"


def test_only_the_token_leaves_a_link_that_says_more(
    open_page: Callable[..., Page], guarded: RunningServer
) -> None:
    link = screen.link(token=TOKEN, model="shakespeare", text="To be")
    page = open_page("/" + link[1:], url=guarded.url)
    screen.ready(page)
    assert screen.tokens(page) == ["T", "o", "␣", "b", "e"]
    assert "token" not in page.url
    assert "model=shakespeare" in page.url


def test_a_server_that_is_gone_is_said_to_be_and_recording_goes_on_when_it_is_back(
    open_page: Callable[..., Page],
) -> None:
    page = open_page(screen.link(model="two", text="the sun"), expected="ERR_|Failed to load")
    screen.ready(page)
    # As if it were gone: every connection fails.
    page.context.set_offline(True)
    screen.record(page, "long winter")
    status = page.locator("#status")
    expect(status).to_contain_text("does not answer")
    assert screen.tokens(page) == ["the", "sun"]
    page.locator("#text").press("Escape")
    screen.press(page, "ArrowRight")
    assert screen.read(page)["step"] == "step 1 of 1", "what is there can still be stepped"
    page.context.set_offline(False)
    screen.record(page, "long winter")
    expect(status).to_be_hidden()
    assert screen.tokens(page) == ["long", "winter"]


def test_a_server_that_was_started_anew_answers_an_open_page(
    open_page: Callable[..., Page], models_folder: Path
) -> None:
    settings = {"model_folders": models_folder}
    with serve(settings=settings) as first:
        page = open_page(
            screen.link(model="two", text="the sun"), url=first.url, expected="ERR_|Failed to load"
        )
        screen.ready(page)
        page.wait_for_load_state("networkidle")
    screen.record(page, "long winter")
    expect(page.locator("#status")).to_contain_text("No connection")
    with serve(settings=settings, port=int(first.url.rpartition(":")[2])):
        screen.record(page, "long winter")
        expect(page.locator("#status")).to_be_hidden()
        assert screen.tokens(page) == ["long", "winter"]
        # The recording the new server does not know is made again.
        page.go_back()
        expect(page.locator("#text")).to_have_value("the sun")
        screen.recorded(page)
        assert screen.tokens(page) == ["the", "sun"]
