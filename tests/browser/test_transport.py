"""Stepping, playing, scrubbing, and the order in which a bidirectional LSTM computes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.pictures import HEATMAPS

TEXT = "the sun is shiny and cold"
T = 6


@pytest.fixture
def two(open_page: Callable[..., Page]) -> Page:
    """Two layers, both directions, six tokens, sentence order, layer 0 forward."""
    page = screen.ready(open_page(screen.link(model="two", text=TEXT, layer=0)))
    page.locator("#flow").focus()
    return page


def step(page: Page) -> int:
    return int(screen.read(page)["step"].split()[1])


#: What the overlay shows of every row and column: its frame, and its veil, by their pixels.
OVERLAY = """() => {
  const canvas = document.getElementById("network-overlay");
  const { x: left, y: top } = canvas.getBoundingClientRect();
  const context = canvas.getContext("2d");
  const opacity = (x, y) => context.getImageData(Math.round(x - left), Math.round(y - top), 1, 1)
    .data[3];
  return [...document.querySelectorAll("#network-labels button")].map(row => {
    const { y, height } = row.getBoundingClientRect();
    const columns = [...document.querySelectorAll("#tokens .column")].map(column => {
      const { x, width } = column.getBoundingClientRect();
      const middle = x + width / 2;
      return { t: Number(column.dataset.t), frame: opacity(middle, y),
        veil: opacity(middle + 9, y + height / 2) };
    });
    return [row.getAttribute("aria-label"), columns];
  });
}"""


def lit(page: Page) -> dict[str, int]:
    """Row of the network → the timestep of its lit cell."""
    found = {}
    for name, columns in page.evaluate(OVERLAY):
        framed = [column["t"] for column in columns if column["frame"] > 250]
        assert len(framed) < 2, f"{name} is lit at {framed}"
        if framed:
            found[name] = framed[0]
    return found


def pale(page: Page) -> dict[str, list[int]]:
    """Row of the network → the timesteps under its veil."""
    return {
        name: [column["t"] for column in columns if column["veil"] > 100]
        for name, columns in page.evaluate(OVERLAY)
    }


def test_every_key_does_what_the_help_sheet_says(two: Page) -> None:
    page = two
    for keys, expected in (
        (["ArrowRight", "ArrowRight"], 2),
        (["ArrowLeft"], 1),
        (["End"], T - 1),
        (["ArrowRight"], T - 1),
        (["Home"], 0),
        (["ArrowLeft"], 0),
        (["Shift+ArrowRight"], T - 1),
        (["Shift+ArrowLeft"], 0),
    ):
        screen.press(page, *keys)
        assert step(page) == expected, keys
    unit = page.locator("#unit")
    for key, shown in (("]", "1"), ("}", "5"), ("[", "4"), ("{", "0"), ("[", "0")):
        screen.press(page, key)
        expect(unit).to_have_value(shown)
    pressed = page.locator("#network-labels [aria-pressed=true]")
    for key, name in (
        ("ArrowUp", "layer 1 backward"),
        ("ArrowUp", "layer 1 forward"),
        ("ArrowUp", "layer 1 forward"),
        ("ArrowDown", "layer 1 backward"),
        ("ArrowDown", "layer 0 forward"),
        ("ArrowDown", "layer 0 backward"),
        ("ArrowDown", "layer 0 backward"),
    ):
        screen.press(page, key)
        expect(pressed).to_have_attribute("aria-label", name)
    speed = page.locator("#speed")
    screen.press(page, "+")
    expect(speed).to_have_value("4")
    screen.press(page, "-", "-")
    expect(speed).to_have_value("1")
    screen.press(page, "o")
    expect(page.locator("#order")).to_have_value("processing")
    screen.press(page, "/")
    expect(page.locator("#text")).to_be_focused()


def test_keys_typed_into_the_box_are_text(two: Page) -> None:
    box = two.locator("#text")
    box.fill("")
    box.press_sequentially("a o]? ")
    box.press("Home")
    box.press("ArrowRight")
    expect(box).to_have_value("a o]? ")
    assert step(two) == 0
    expect(two.locator("#order")).to_have_value("sentence")
    box.press("Escape")
    expect(box).not_to_be_focused()


def test_buttons_and_the_slider_step(two: Page) -> None:
    page = two
    for name, expected in (
        ("One step on", 1),
        ("Last step", T - 1),
        ("One step back", T - 2),
        ("First step", 0),
    ):
        page.get_by_role("button", name=name, exact=True).click()
        screen.painted(page)
        assert step(page) == expected
    page.locator(".column button").nth(3).click()
    screen.painted(page)
    assert step(page) == 3


def test_dragging_the_slider_passes_every_step(two: Page) -> None:
    page = two
    box = page.locator("#scrub").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    seen = [step(page)]
    for n in range(1, 21):
        page.mouse.move(box["x"] + 8 + (box["width"] - 16) * n / 20, middle)
        page.evaluate(screen.FRAMES)
        seen.append(step(page))
    page.mouse.up()
    assert sorted(set(seen)) == list(range(T))
    assert seen == sorted(seen)
    assert "timestep 5 cold" in page.locator("#scrub").get_attribute("aria-valuetext")


def test_playing_goes_on_at_its_speed_and_stops_at_the_end(
    open_page: Callable[..., Page],
) -> None:
    text = " ".join(["sun"] * 13)
    page = screen.ready(open_page(screen.link(model="one", text=text)))
    page.get_by_role("combobox", name="speed").select_option("16")
    # The band is moved at every step, the texts only as often as they can be read.
    page.evaluate("""() => {
      const band = document.getElementById("band");
      const { left: start, width } = band.getBoundingClientRect();
      window.times = [];
      window.began = null;
      addEventListener("keydown", () => { began ??= performance.now(); }, { once: true });
      new MutationObserver(() => times.push([performance.now(),
        Math.round((band.getBoundingClientRect().left - start) / width)]))
        .observe(band, { attributes: true });
    }""")
    page.locator("#flow").focus()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator("#step-text")).to_have_text("step 12 of 12")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    # Frames may come late on a busy machine, and pass over a step; steps never come early.
    began, times = page.evaluate("() => [began, times]")
    steps = [shown for _, shown in times]
    assert steps == sorted(steps)
    assert steps[-1] == 12
    for time, shown in times:
        assert time - began >= 0.95 * shown * 1000 / 16 - 20, f"step {shown} came early"

    # At the end it starts again; any step of one's own pauses it.
    page.get_by_role("combobox", name="speed").select_option("0.5")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#step-text")).to_have_text("step 0 of 12")
    page.locator("#flow").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.locator("#step-text")).to_have_text("step 1 of 12")


def test_a_unit_can_be_typed_while_it_plays(two: Page) -> None:
    two.locator("#speed").select_option("30")
    two.locator("#play").click()
    two.locator("#unit").fill("4")
    expect(two.locator("#step-text")).to_have_text("step 5 of 5")
    expect(two.locator("#unit")).to_have_value("4")
    two.locator("#unit").press("Enter")
    screen.painted(two)
    expect(two.locator(".unit-picker")).to_contain_text("of 6")
    two.locator("#unit").fill("99")
    two.locator("#unit").press("Enter")
    expect(two.locator("#unit")).to_have_value("5")


def test_in_sentence_order_both_directions_stand_at_the_same_token(two: Page) -> None:
    for t in range(T):
        assert lit(two) == {f"layer {n} {d}": t for n in (0, 1) for d in ("forward", "backward")}
        veiled = pale(two)
        for layer in (0, 1):
            assert veiled[f"layer {layer} forward"] == list(range(t + 1, T))
            assert veiled[f"layer {layer} backward"] == list(range(t))
        screen.press(two, "ArrowRight")


def test_in_processing_order_backward_runs_from_the_right_and_layers_follow_each_other(
    two: Page,
) -> None:
    two.locator("#order").select_option("processing")
    two.locator("#flow").focus()
    screen.painted(two)
    everything = list(range(T))
    for n in range(2 * T):
        layer, t = divmod(n, T)
        assert (
            two.locator("#step-text").text_content() == f"step {n} of {2 * T - 1} · layer {layer}"
        )
        assert lit(two) == {f"layer {layer} forward": t, f"layer {layer} backward": T - 1 - t}
        veiled = pale(two)
        assert veiled[f"layer {layer} forward"] == everything[t + 1 :]
        assert veiled[f"layer {layer} backward"] == everything[: T - 1 - t]
        for direction in ("forward", "backward"):
            assert veiled[f"layer {1 - layer} {direction}"] == (everything if layer == 0 else [])
        # The panel follows to the layer that is being computed.
        assert f"layer {layer} · forward · timestep {t} " in screen.read(two)["title"]
        screen.press(two, "ArrowRight")


def test_changing_the_order_stays_at_the_timestep(two: Page) -> None:
    screen.row(two, "layer 1 backward").click()
    screen.press(two, "Home", "ArrowRight")
    two.locator("#order").select_option("processing")
    screen.painted(two)
    assert step(two) == T + T - 2
    assert "layer 1 · backward · timestep 1 " in screen.read(two)["title"]
    two.locator("#order").select_option("sentence")
    screen.painted(two)
    assert step(two) == 1


def test_backward_rows_say_so(two: Page) -> None:
    row = screen.row(two, "layer 0 backward")
    expect(row).to_contain_text("backward")
    expect(row).to_contain_text("←")
    expect(row).to_have_attribute(
        "title", "layer 0 backward: reads from right to left; drawn in sentence order"
    )
    row.click()
    expect(two.locator("#cell-title")).to_contain_text("backward")
    two.get_by_role("combobox", name="Rows", exact=True).select_option("one")
    expect(two.get_by_role("heading", name="layer 0 backward")).to_be_visible()
    two.locator("#flow").focus()
    # The state before is that of the token to the right.
    screen.press(two, "Home", "ArrowRight", "ArrowRight")
    assert "c₂ = f · c₃ + i · g" in screen.read(two)["c"]
    screen.press(two, "End")
    assert "c₅ = f · c initial + i · g" in screen.read(two)["c"]


def test_an_lstm_that_only_reads_forward_has_one_order(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="one", text=TEXT)))
    expect(page.locator("#order")).to_be_disabled()
    assert list(lit(page)) == ["layer 0 forward"]


def test_pictures_can_be_clicked(two: Page) -> None:
    page = two
    column = page.locator(".column").nth(4).bounding_box()
    row = screen.row(page, "layer 1 backward").bounding_box()
    page.mouse.click(column["x"] + column["width"] / 2, row["y"] + row["height"] / 2)
    screen.painted(page)
    assert "layer 1 · backward · timestep 4 " in screen.read(page)["title"]
    # The heatmaps of any row: the last one but one is c of layer 0 backward.
    track = page.locator("#state-track").bounding_box()
    (cell, quantity, top, height) = page.evaluate(HEATMAPS)[-2]
    assert (cell, quantity) == ("layer 0 backward", "c")
    page.mouse.click(track["x"] + 2.5 / T * track["width"], track["y"] + top + 0.6 * height)
    screen.painted(page)
    assert "layer 0 · backward · timestep 2 " in screen.read(page)["title"]
    expect(page.locator("#unit")).to_have_value("3")
    expect(page.locator("#tooltip")).to_contain_text("unit 3: ")
    strip = page.locator("#strips canvas").first.bounding_box()
    for row, quantity in enumerate("ifgoch"):
        page.mouse.click(
            strip["x"] + strip["width"] * 0.95, strip["y"] + (row + 0.3) / 6 * strip["height"]
        )
        expect(page.locator("#unit")).to_have_value("5")
        expect(page.locator("#tooltip")).to_contain_text(f"{quantity} of unit 5: ")


def test_after_enter_the_keys_step_through_the_new_sentence(two: Page) -> None:
    box = two.locator("#text")
    box.fill("cold and shiny")
    box.press("Enter")
    screen.recorded(two)
    screen.press(two, "ArrowRight", "ArrowRight")
    assert step(two) == 2
    assert box.input_value() == "cold and shiny"


def test_a_refused_sentence_leaves_the_keyboard_in_its_box(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="two", text=TEXT), expected="422"))
    box = page.locator("#text")
    box.fill("cold " * 25_000)
    box.press("Enter")
    expect(page.locator("#status")).to_be_visible()
    expect(box).to_be_focused()


def test_dragging_over_a_heatmap_scrubs(two: Page) -> None:
    box = two.locator("#state-track").bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    two.mouse.move(box["x"] + 0.5 * box["width"] / T, y)
    two.mouse.down()
    seen = []
    for timestep in (1, 3, 5, 2):
        two.mouse.move(box["x"] + (timestep + 0.5) * box["width"] / T, y)
        screen.painted(two)
        seen.append(step(two))
    two.mouse.up()
    assert seen == [1, 3, 5, 2]
