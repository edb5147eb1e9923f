"""Sentences from a text file: picked, dropped, and what is no text file."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser import screen

LINES = "the sun is shiny\n\n   \nthe <b>winter</b> is long\r\nשלום עולם\n"


def file(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": data}


@pytest.fixture
def two(open_page: Callable[..., Page]) -> Page:
    # A refused file is a 4xx, which Chromium reports on the console.
    page = open_page(screen.link(model="two", text="long winter"), expected="422|413")
    return screen.ready(page)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_file_gives_sentences_to_pick(two: Page, encoding: str) -> None:
    page = two
    page.set_input_files("#file", file("my <i>file.txt", LINES.encode(encoding)))
    popover = page.locator("#sentences")
    expect(popover).to_contain_text("my <i>file.txt: 3 sentences")
    picks = popover.locator(".pick:has(small)")
    expect(picks).to_have_count(3)
    expect(picks.nth(1)).to_contain_text("the <b>winter</b> is long")
    picks.nth(1).click()
    expect(popover).to_be_hidden()
    expect(page.locator("#tokens .column")).to_have_count(4)
    screen.painted(page)
    assert screen.tokens(page) == ["the", "<b>winter</b>", "is", "long"]
    expect(page.locator("#text")).to_have_value("the <b>winter</b> is long")
    # The file stays at hand.
    page.locator("#more").click()
    picks.nth(2).click()
    expect(page.locator("#tokens .column")).to_have_count(2)
    assert screen.tokens(page) == ["שלום", "עולם"]


def test_what_is_no_text_file_gets_a_message_and_the_page_goes_on(two: Page) -> None:
    page = two
    status = page.locator("#status")
    for name, data, words in (
        ("latin.txt", "Grüße".encode("latin-1"), ["not UTF-8", "0xFC", "offset 2"]),
        ("photo.jpg", b"\xff\xd8\xff\xe0" + bytes(100), ["not UTF-8", "0xFF"]),
        ("program", b"text\0more", ["binary file", "5th character"]),
        ("half.txt", b"\xff\xfea", ["UTF-16", "offset"]),
        ("empty.txt", b"", ["no sentence"]),
        ("blank.txt", b"  \n\t\n", ["no sentence"]),
        ("big.txt", b"a " * 500_001, ["too large", "1,000,002", "1,000,000"]),
        ("line.txt", b"a" * 200_001, ["line 1", "200,001", "200,000"]),
        ("lines.txt", b"a\n" * 2_001, ["2,001", "2,000"]),
    ):
        page.set_input_files("#file", file(name, data))
        for part in words:
            expect(status, f"for {name}").to_contain_text(part)
        expect(page.locator("#sentences")).to_be_hidden()
        assert screen.tokens(page) == ["long", "winter"]
        status.get_by_role("button").click()
        expect(status).to_be_hidden()
    # The same file again is read again, and a right one is taken.
    page.set_input_files("#file", file("blank.txt", b" "))
    expect(status).to_contain_text("no sentence")
    page.set_input_files("#file", file("right.txt", b"the sun"))
    expect(page.locator("#sentences")).to_be_visible()
    expect(status).to_be_hidden()


def test_a_file_can_be_dropped_anywhere(two: Page) -> None:
    page = two
    transfer = page.evaluate_handle(
        """data => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([atob(data)], "dropped.txt", { type: "text/plain" }));
          return transfer;
        }""",
        base64.b64encode(b"the sun\nthe winter").decode(),
    )
    page.dispatch_event("#flow", "dragover", {"dataTransfer": transfer})
    expect(page.locator("body.dropping")).to_be_visible()
    page.dispatch_event("#flow", "drop", {"dataTransfer": transfer})
    expect(page.locator("body.dropping")).to_have_count(0)
    expect(page.locator("#sentences")).to_contain_text("dropped.txt: 2 sentences")
    page.locator("#sentences .pick:has(small)").nth(1).click()
    expect(page.locator("#text")).to_have_value("the winter")
