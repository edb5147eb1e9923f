"""The screen is in the address bar, and a link restores it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser import screen

TEXT = "the sun & the <b>winter</b> + 100% #1"


def fragment(page: Page) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(page.url).fragment).items()}


def settled(page: Page) -> None:
    """Wait until the address is written, which takes it a moment."""
    page.wait_for_timeout(700)


def test_a_reload_restores_everything(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="two", text="the sun")))
    screen.record(page, TEXT)
    page.locator("#order").select_option("processing")
    page.locator("#speed").select_option("8")
    page.get_by_role("combobox", name="Colour scale").select_option("layer")
    page.locator("#flow").focus()
    screen.press(page, "Home", "ArrowDown", "ArrowRight", "]", "]")
    page.get_by_role("tab", name="Shapes").click()
    expected = {
        "model": "two",
        "text": TEXT,
        "order": "processing",
        "speed": "8",
        "scale": "layer",
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
    expect(page.get_by_role("combobox", name="Colour scale")).to_have_value("layer")
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
    screen.row(page, "layer 0 backward").click()
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
    for go, rows in ((page.go_back, 1), (page.go_forward, 16), (page.go_back, 1)):
        go()
        expect(page.locator("#network-labels button")).to_have_count(rows)
        screen.painted(page)
    assert "layer 0 · forward" in screen.read(page)["title"]
    expect(page.locator("#unit")).to_have_value("4")


# --- Back and Forward ---------------------------------------------------------------------------


def shown(page: Page) -> dict[str, str]:
    """What stands on the screen of what one can go back to."""
    screen.painted(page)
    tab = page.locator('[role=tab][aria-selected="true"]').text_content()
    row = page.locator('#network-labels [aria-pressed="true"]').get_attribute("aria-label")
    units = page.locator("#units-button").text_content()
    title = screen.read(page)["title"]
    return {"tab": tab or "", "row": row or "", "units": units or "", "title": title}


def test_back_and_forward_go_through_views_rows_and_selections(
    open_page: Callable[..., Page],
) -> None:
    page = screen.ready(open_page(screen.link(model="two", text="the sun is cold")))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    seen = [shown(page)]

    def note() -> None:
        settled(page)
        seen.append(shown(page))

    page.get_by_role("tab", name="Shapes").click()
    note()
    screen.row(page, "layer 0 backward").click()
    page.locator("#flow").focus()
    screen.press(page, "ArrowLeft", "]")
    note()
    page.get_by_role("tab", name="States").click()
    screen.press(page, "b")
    note()
    page.locator("#units-button").click()
    page.locator("#brush-text").fill("0-3")
    page.locator("#units-panel").press("Escape")
    note()
    assert len({tuple(entry.values()) for entry in seen}) == 5
    for n in (3, 2, 1, 0, 1, 2, 3, 4):
        (page.go_back if seen.index(shown(page)) > n else page.go_forward)()
        expect(page.locator("#units-button")).to_have_text(seen[n]["units"])
        assert shown(page) == seen[n], n
    assert not any(line.startswith("POST") for line in asked), "nothing is recorded again"


def test_steps_and_units_fill_no_history(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="two", text="the sun is cold")))
    settled(page)
    length = page.evaluate("history.length")
    page.locator("#flow").focus()
    screen.press(page, "ArrowRight", "]", "+", "ArrowRight")
    settled(page)
    assert fragment(page).items() >= {("step", "2"), ("unit", "1"), ("speed", "4")}
    assert page.evaluate("history.length") == length


def test_the_part_of_a_long_text_that_is_shown_is_in_the_link(
    open_page: Callable[..., Page],
) -> None:
    text = " ".join(["the sun is cold"] * 50)
    page = screen.ready(open_page(screen.link(model="two", text=text, step=3)))

    def first() -> int:
        page.wait_for_timeout(300)
        return page.evaluate("""() => {
          const { left } = document.getElementById("track").getBoundingClientRect();
          const shown = [...document.querySelectorAll("#tokens .column")].filter(
            column => column.getBoundingClientRect().right > left + 1);
          return Math.min(...shown.map(column => Number(column.dataset.t)));
        }""")

    assert first() == 0
    # Away from the cursor.
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    away = first()
    assert away > 10
    settled(page)
    page.reload()
    screen.ready(page)
    assert first() == away
    page.get_by_role("tab", name="Shapes").click()
    settled(page)
    page.locator("#flow").focus()
    screen.press(page, "End")
    assert first() > away
    page.go_back()
    expect(page.get_by_role("tab", name="States")).to_have_attribute("aria-selected", "true")
    assert first() == away
    # As soon as the cursor moves, it is followed.
    page.locator("#flow").focus()
    screen.press(page, "ArrowRight")
    assert first() <= 4
    page.goto("about:blank")
    page.goto(screen.link(model="two", text=text, step=150))
    screen.ready(page)
    assert first() > 100


# --- for teaching -------------------------------------------------------------------------------


def test_what_a_link_takes_away_is_gone_for_everybody(open_page: Callable[..., Page]) -> None:
    link = screen.link(model="two", text="the sun is cold", hide="sentence,equations,help,tabs")
    page = open_page(link)
    expect(page.locator("#predictions")).to_be_visible()
    for gone in ("#ask", "#equations", "#help-button", ".tabs", ".skip"):
        expect(page.locator(gone)).to_be_hidden()
    for left in ("#model", "#transport", "#share", "#cell"):
        expect(page.locator(left)).to_be_visible()
    # The keys of what is gone do nothing, and Tab does not go there.
    page.locator("#flow").focus()
    page.keyboard.press("/")
    expect(page.locator("#flow")).to_be_focused()
    page.keyboard.press("?")
    page.wait_for_timeout(300)
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#step-text")).to_have_text("step 1 of 3")
    # It stays so when the address is written, and what is no part does nothing.
    settled(page)
    assert fragment(page)["hide"] == "sentence,help,tabs,equations"
    # Without it, it is all there again.
    page.goto(screen.link(model="two", text="the sun is cold"))
    expect(page.locator("#ask")).to_be_visible()


def test_the_time_axis_stays_without_the_network(open_page: Callable[..., Page]) -> None:
    text = "the sun is cold"
    page = screen.ready(open_page(screen.link(model="two", text=text, hide="network,header")))
    expect(page.locator("#network-canvas")).to_be_hidden()
    token = page.locator('#tokens [data-t="2"]').bounding_box()
    track = page.locator("#state-track").bounding_box()
    assert token
    assert track
    assert token["y"] < 40, "the tokens are at the top"
    page.mouse.click(token["x"] + token["width"] / 2, track["y"] + 60)
    expect(page.locator("#step-text")).to_have_text("step 2 of 3")


def test_a_slide_holds_the_page_and_keeps_its_focus_and_its_history(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("about:blank")
    link = screen.link(model="two", text="the sun is cold", step=1)
    large_one = f"{link}&embed=cell&hide=transport"
    slide = f"""<!doctype html><title>Slide</title><input id="note" autofocus>
      <iframe title="small" width="320" height="200" src="{link}&embed"></iframe>
      <iframe title="large" width="960" height="540" src="{large_one}"></iframe>
    """
    page.route("**/slide", lambda route: route.fulfill(body=slide, content_type="text/html"))
    page.goto("/slide")
    small, large = (page.frame_locator(f'[title="{name}"]') for name in ("small", "large"))
    expect(small.locator("#step-text")).to_have_text("step 1 of 3")
    expect(large.locator("#equations table")).to_be_visible()
    expect(small.locator("#embed-line")).to_contain_text("Random two")
    expect(small.locator("#embed-line")).to_contain_text("the sun is cold")
    for gone in ("header", "#cell"):
        expect(small.locator(gone)).to_be_hidden()
    expect(large.locator("#transport")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "note"
    for frame in page.frames[1:]:
        width, room = frame.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert width <= room
    # The token, its cells and the bar are all inside of the smallest one.
    for node in ('#tokens [data-t="1"]', "#play", "#scrub"):
        box = small.locator(node).bounding_box()
        frame = page.locator('[title="small"]').bounding_box()
        assert box
        assert frame
        assert box["y"] + box["height"] <= frame["y"] + 202, node
    # What is done inside is no entry of the page around it.
    length = page.evaluate("history.length")
    large.get_by_role("tab", name="Shapes").click()
    large.locator("#embed-line .play").click()
    expect(large.locator("#embed-line .play")).to_have_attribute("aria-label", "Pause")
    expect(large.locator("#cell-title")).to_contain_text("timestep 3")
    settled(page)
    assert page.evaluate("history.length") == length
    with page.context.expect_page() as opened:
        large.get_by_role("link", name="Open in Gatescope").click()
    whole = screen.ready(opened.value)
    expect(whole.locator("header")).to_be_visible()
    assert fragment(whole).items() >= {("step", "3"), ("tab", "shapes"), ("hide", "transport")}
    assert "embed" not in fragment(whole)


def test_an_embedded_page_plays_when_it_comes_into_sight(open_page: Callable[..., Page]) -> None:
    link = screen.link(model="two", text="the sun is cold", speed=4)
    slide = f"""<!doctype html><title>Slide</title><p style="height: 3000px">Far below:</p>
      <iframe title="far" width="640" height="400" src="{link}&embed=play"></iframe>"""

    def start(**options: Any) -> tuple[Page, FrameLocator]:
        page = open_page("about:blank", **options)
        page.route("**/slide", lambda route: route.fulfill(body=slide, content_type="text/html"))
        page.goto("/slide")
        far = page.frame_locator('[title="far"]')
        expect(far.locator("#step-text")).to_have_text("step 0 of 3")
        page.wait_for_timeout(600)
        expect(far.locator("#step-text")).to_have_text("step 0 of 3")
        page.locator("iframe").scroll_into_view_if_needed()
        return page, far

    _, far = start()
    expect(far.locator("#step-text")).to_have_text("step 3 of 3")
    page, far = start(reduced_motion=True)
    page.wait_for_timeout(800)
    expect(far.locator("#step-text")).to_have_text("step 0 of 3")


def test_the_share_panel_makes_links_and_frames(open_page: Callable[..., Page]) -> None:
    page = open_page(
        screen.link(model="two", text='the "sun" <b>', step=1),
        permissions=["clipboard-read", "clipboard-write"],
    )
    screen.ready(page)
    page.get_by_role("button", name="Links for teaching").click()
    share = page.locator("#share-panel")
    share.get_by_text("Take parts of the page away").click()
    share.get_by_label("Equations", exact=True).check()
    share.get_by_label("Predictions of a timestep").check()
    share.get_by_label("Width in pixels").fill("640")
    share.get_by_label("plays when it comes into sight").check()
    share.get_by_role("button", name="Copy", exact=True).nth(1).click()
    expect(share.get_by_role("button", name="Copied")).to_be_visible()
    code = page.evaluate("() => navigator.clipboard.readText()")
    found = page.evaluate(
        """code => {
          const parsed = new DOMParser().parseFromString(code, "text/html");
          const [frame] = parsed.body.children;
          const { src, title, width, height, loading } = frame;
          return { tag: frame.localName, src, title, width, height, loading,
                   children: parsed.body.children.length };
        }""",
        code,
    )
    assert found == found | {"tag": "iframe", "width": "640", "height": "540", "loading": "lazy"}
    assert found["children"] == 1
    assert 'the "sun" <b>' in found["title"]
    assert "embed=play" in found["src"]
    shared = share.get_by_label("Link to this screen").input_value()
    assert "embed" not in shared
    other = open_page(shared)
    expect(other.locator("#cell-title")).to_contain_text("timestep 1")
    expect(other.locator("#equations")).to_be_hidden()
    expect(other.locator("#predictions")).to_be_hidden()
    expect(other.locator("#strips")).to_be_visible()
