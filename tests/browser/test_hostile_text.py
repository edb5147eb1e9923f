"""Whatever is typed: a clear message, or the right picture of exactly that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser import screen

#: Text → the tokens as they must be shown, by a model that cuts at white space.
SHOWN = {
    "<img src=x onerror=alert(1)>": ["<img", "src=x", "onerror=alert(1)>"],
    "<script>alert(1)</script>": ["<script>alert(1)</script>"],
    '<a href="https://evil.example/">x</a>': ["<a", 'href="https://evil.example/">x</a>'],
    "</s> <b>bold</b> &lt; &amp;amp; $x^2$": ["</s>", "<b>bold</b>", "&lt;", "&amp;amp;", "$x^2$"],
    "%{y} {{7*7}} ${1} %s": ["%{y}", "{{7*7}}", "${1}", "%s"],
    "__proto__ constructor toString": ["__proto__", "constructor", "toString"],
    "שלום עולם the مرحبا": ["שלום", "עולם", "the", "مرحبا"],
    "👨‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 ❤️ 🇩🇪": ["👨‍👩‍👧‍👦", "👩🏽‍🚀", "🏳️‍🌈", "❤️", "🇩🇪"],
    "e\u0301te\u0301 z\u0351\u036b\u0343 नमस्ते": ["e\u0301te\u0301", "z\u0351\u036b\u0343", "नमस्ते"],
    "a\u202eb the c\u2066d \u2069": ["a‹202E›b", "the", "c‹2066›d", "‹2069›"],
    "a\u200bb \u200d \ufeff \u00ad": ["a‹200B›b", "‹200D›", "‹FEFF›", "‐"],
    "a\u0007b \u0085x \u001b[31m": ["a‹0007›b", "x", "‹001B›[31m"],
    "the\u00a0sun": ["the", "sun"],
    "x" * 200 + " the": ["x" * 63 + "…", "the"],
    "𝔊𝔞𝔱𝔢 日本語 ﷽": ["𝔊𝔞𝔱𝔢", "日本語", "﷽"],
}

#: The same for a model that reads every character.
CHARACTERS = {
    "a b\tc\nd": ["a", "␣", "b", "⇥", "c", "⏎", "d"],
    "<&'\"": ["<", "&", "'", '"'],
    "א1ב": ["א", "1", "ב"],
    "x\u202ey\u200b\u2028": ["x", "‹202E›", "y", "‹200B›", "‹2028›"],
    "\u00a0\u3000\u2003": ["⍽", "‹3000›", "‹2003›"],
}

OURS = """() => ({
  foreign: [...document.querySelectorAll("img, iframe, object, embed, video, script, form, a")]
    .filter(node => !node.matches("script[src^='js/'], #ask, a.skip")).map(node => node.outerHTML),
  handlers: [...document.querySelectorAll("*")]
    .filter(node => [...node.attributes].some(({ name }) => name.startsWith("on")))
    .map(node => node.outerHTML),
  tokens: [...document.querySelectorAll("#tokens .column")].map(column => {
    const bdi = column.querySelector("button bdi");
    return { text: bdi.textContent, children: bdi.childElementCount,
      width: bdi.getBoundingClientRect().width, x: column.getBoundingClientRect().x };
  }),
})"""


def check(page: Page, text: str, expected: list[str]) -> None:
    screen.record(page, text)
    expect(page.locator("#status")).to_be_hidden()
    expect(page.locator("#tokens .column")).to_have_count(len(expected))
    seen = page.evaluate(OURS)
    assert [token["text"] for token in seen["tokens"]] == expected
    places = [token["x"] for token in seen["tokens"]]
    assert places == sorted(set(places)), f"{text!r} is not in the order of the text"
    for token in seen["tokens"]:
        assert token["width"] > 0, f"{token} of {text!r} cannot be seen"
        assert token["children"] == 0
    assert seen["foreign"] == []
    assert seen["handlers"] == []


def no_dialog(page: Page) -> None:
    def on_dialog(dialog: Dialog) -> None:
        dialog.dismiss()
        pytest.fail(f"A dialog opened: {dialog.message}")

    page.on("dialog", on_dialog)


def test_words_are_shown_exactly_in_the_order_of_the_text(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="two", text="the sun")))
    no_dialog(page)
    for text, expected in SHOWN.items():
        check(page, text, expected)


def test_characters_are_shown_exactly_in_the_order_of_the_text(
    open_page: Callable[..., Page],
) -> None:
    page = screen.ready(open_page(screen.link(model="letters", text="abc")))
    no_dialog(page)
    for text, expected in CHARACTERS.items():
        check(page, text, expected)


def test_a_sign_that_needs_another_one_can_be_seen_alone(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="letters", text="abc")))
    screen.record(page, "e\u0301\u0327\u0361\ufe0f")
    widths = page.locator("#tokens .column button bdi").evaluate_all(
        "found => found.map(node => node.getBoundingClientRect().width)"
    )
    assert len(widths) == 5
    assert all(width > 0 for width in widths), widths


def test_the_same_text_from_a_link_is_as_harmless(open_page: Callable[..., Page]) -> None:
    text = "<img src=x onerror=alert(1)>"
    page = screen.ready(open_page(screen.link(model="two", text=text)))
    no_dialog(page)
    assert page.evaluate(OURS)["foreign"] == []
    for tab in ("Shapes", "One unit", "Network", "Cell", "States"):
        page.get_by_role("tab", name=tab).click()
        page.evaluate(screen.FRAMES)
    page.locator("#about-model").click()
    page.keyboard.press("Escape")
    assert page.evaluate(OURS)["handlers"] == []


def test_what_no_vocabulary_has_is_marked(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="two", text="the zyx 🦆")))
    columns = page.locator("#tokens .column")
    marked = columns.evaluate_all("""found => found.map(column => {
      const style = getComputedStyle(column.querySelector("bdi"));
      return style.textDecorationLine + " " + style.textDecorationStyle;
    })""")
    assert marked == ["none solid", "underline dotted", "underline dotted"]
    assert "<unk>" not in page.locator("#reads").inner_text()
    columns.nth(2).locator("button").click()
    expect(page.locator("#reads")).to_contain_text("<unk>: “🦆” is not in the vocabulary")
    assert "U+1F986" in columns.nth(2).locator("button").get_attribute("title")


@pytest.mark.parametrize("model", ["two", "letters"])
def test_what_cannot_be_recorded_gets_a_message_and_the_page_goes_on(
    open_page: Callable[..., Page], model: str
) -> None:
    page = open_page(screen.link(model=model, text="sun"), expected="422|413")
    screen.ready(page)
    before = screen.tokens(page)
    status = page.locator("#status")
    refused = {
        "": ["no token", "empty"],
        "a" * 300_000: ["too long", "300,000", "200,000"],
        " ".join(["sun"] * 30_000): ["too long", "20000"],
        "the\0sun": ["NUL", "3"],
        "the \ud83d sun": ["surrogate", "4", "D83D"],
        "a" * 1_000_000: ["too long", "1,000,000", "200,000"],
    }
    if model == "two":  # a space is a character
        refused["   \t "] = ["no token", "white space"]
    for text, words in refused.items():
        screen.record(page, text)
        for part in words:
            expect(status, f"for {text[:20]!r}").to_contain_text(part, ignore_case=True)
        assert screen.tokens(page) == before, "what was there stays"
    screen.record(page, "no")
    expect(status).to_be_hidden()
    assert screen.tokens(page) == (["no"] if model == "two" else ["n", "o"])


def test_the_chart_shows_tokens_exactly(open_page: Callable[..., Page]) -> None:
    tokens = [
        "<b>bold</b>",
        "&lt;",
        "<a href='javascript:alert(1)'>",
        "%{y}",
        "a‹202E›b",
        "שלום",
        "👨‍👩‍👧‍👦",
        "antidisestablishmentarianism",
    ]
    text = " ".join(tokens).replace("‹202E›", "\u202e").replace("<a ", "<a\u200b")
    shown = [*tokens]
    shown[2] = "<a‹200B›href='javascript:alert(1)'>"
    page = open_page(screen.link(model="two", text=text, tab="unit"), width=1700)
    screen.ready(page)
    no_dialog(page)
    page.get_by_role("button", name="Explore in a chart").click()
    points = page.locator("#unit-chart .trace.scatter").first.locator(".point")
    expect(points).to_have_count(len(shown), timeout=30_000)  # Plotly is 4.8 MB
    for t, expected in enumerate(shown):
        points.nth(t).scroll_into_view_if_needed()
        box = points.nth(t).bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        names = page.locator("#unit-chart .hoverlayer .hovertext .name")
        expect(names.first).to_have_text(expected)
        # A distribution beside the lines has a name of its own.
        assert set(names.all_text_contents()) <= {expected, *"ifgoch"}
    assert page.locator("#unit-chart a:not(.modebar-btn)").count() == 0
