"""Units are selected by hand, by number and by what they do, and stay selected in every view."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from safetensors.numpy import load

from tests.browser import screen
from tests.serving import RunningServer

TEXT = "the sun is shiny and cold"
#: Longer than what is fetched whole.
LONG = " ".join(["the sun is cold in every long winter"] * 90)


def panel(page: Page) -> None:
    page.locator("#units-button").click()
    expect(page.locator("#brush-text")).to_be_visible()


def units(text: str) -> list[int]:
    """ "3 units: 1, 4-5" as numbers."""
    if text.startswith("No unit"):
        return []
    ranges = re.findall(r"(\d+)(?:-(\d+))?", text.partition(":")[2])
    return [unit for a, b in ranges for unit in range(int(a), int(b or a) + 1)]


def on_throughout(
    values: Any, start: int, stop: int, above: float, before: bool, after: bool
) -> list[int]:
    """LSTMVis's question, column by column."""
    found = []
    for unit, column in enumerate(np.asarray(values).T):
        wanted = all(value > above for value in column[start:stop])
        if before and start > 0:
            wanted &= bool(column[start - 1] <= above)
        if after and stop < len(column):
            wanted &= bool(column[stop] <= above)
        if wanted:
            found.append(unit)
    return found


def ask(page: Page, quantity: str, above: float, first: int, last: int) -> None:
    page.get_by_label("Quantity", exact=True).select_option(quantity)
    page.get_by_label("Above", exact=True).fill(str(above))
    page.get_by_label("First timestep").fill(str(first))
    page.get_by_label("Last timestep").fill(str(last))


def answer(page: Page) -> str:
    """Once what was typed last is answered; the page waits for somebody who types."""
    page.wait_for_timeout(200)
    said = page.locator(".answer")
    expect(said).not_to_have_text("…")
    return said.text_content() or ""


def test_the_units_found_are_those_numpy_finds(
    open_page: Callable[..., Page], oracle: Callable[[str, str], Any]
) -> None:
    page = screen.ready(open_page(screen.link(model="eight", text=TEXT, layer=2)))
    _, cells = oracle("eight", TEXT)
    page.get_by_role("button", name="layer 2 backward", exact=True).first.click()
    panel(page)
    boxes = {
        "before": page.get_by_label("off just before"),
        "after": page.get_by_label("off just after"),
    }
    found = 0
    for quantity, above, first, last, around in [
        ("h", 0.1, 0, 0, ()),
        ("h", 0.05, 1, 3, ("before",)),
        ("c", -0.2, 2, 2, ("after",)),
        ("f", 0.5, 1, 2, ("before", "after")),
        ("g", 0, 3, 5, ("after",)),
    ]:
        for name, box in boxes.items():
            box.set_checked(name in around)
        ask(page, quantity, above, first, last)
        expected = on_throughout(
            cells[2, "backward"].quantity[quantity],
            *(first, last + 1, above, "before" in around, "after" in around),
        )
        assert units(answer(page)) == expected
        found += len(expected)
    assert found > 10, "questions that find nothing show nothing"
    # One that finds nothing says what there is.
    ask(page, "h", 2, 4, 4)
    for box in boxes.values():
        box.set_checked(False)
    highest = cells[2, "backward"].quantity["h"][4]
    said = answer(page)
    assert screen.numbers(said) == [screen.number(f"{float(highest.max()):.2f}")]
    assert said.endswith(f"of unit {int(highest.argmax())}.")


def test_a_recording_too_long_to_be_here_is_asked_on_the_server(
    open_page: Callable[..., Page], server: RunningServer
) -> None:
    page = screen.ready(open_page(screen.link(model="wide", text=LONG, layer=0)))
    recording = server.post("/api/recordings", {"model": "wide", "text": LONG})
    assert recording["nbytes"] > 32e6
    panel(page)
    page.get_by_label("off just before").check()
    ask(page, "g", 0, 100, 100)
    path = f"/api/recordings/{recording['id']}/arrays?name=0.forward.g"
    values = load(server.get(path))["0.forward.g"]
    expected = on_throughout(values, 100, 101, 0, before=True, after=False)
    said = answer(page)
    assert len(expected) > 5
    assert said.startswith(f"{len(expected)} units: ")
    page.get_by_role("button", name="Select", exact=True).click()
    expect(page.locator("#units-button")).to_have_text(f"Units: {len(expected)} of 512")
    shown = page.locator("#brush-text").input_value()
    assert units(f":{shown}") == expected


def test_a_named_set_is_in_the_link_and_is_selected_again(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="eight", text=TEXT, layer=5)))
    panel(page)
    field = page.locator("#brush-text")
    field.fill("3-5, 9, 40")
    expect(page.locator(".problem")).to_contain_text("“40” is no unit here")
    expect(page.locator("#units-button")).to_have_text("Units: 4 of 20")
    page.get_by_label("Name of the set").fill("odd / ~ones")
    page.get_by_role("button", name="Keep", exact=True).last.click()
    page.locator("#units-panel").get_by_role("button", name="Invert").click()
    page.get_by_label("Name of the set").press("Enter")
    page.get_by_role("button", name="Rename set 1").click()
    page.get_by_label("New name").fill("the <b>rest</b>")
    page.get_by_label("New name").press("Enter")
    expect(page).to_have_url(re.compile("rest"))
    page.reload()
    screen.ready(page)
    expect(page.locator("#units-button")).to_have_text("Units: 16 of 20")
    page.get_by_role("button", name="layer 0 forward", exact=True).first.click()
    panel(page)
    names = page.locator(".sets .pick bdi")
    assert names.all_text_contents() == ["odd / ~ones", "the <b>rest</b>"]
    page.get_by_role("button", name="odd / ~ones").first.click()
    # A set is seen where its units are.
    expect(page.locator("#units-title")).to_have_text("Units of layer 5 forward")
    expect(field).to_have_value("3-5, 9")
    page.get_by_role("button", name="Add the <b>rest</b> to the selection").click()
    expect(field).to_have_value("0-19")
    page.get_by_role("button", name="Take odd / ~ones out of the selection").click()
    expect(page.locator("#units-button")).to_have_text("Units: 16 of 20")
    page.get_by_role("button", name="Remove odd / ~ones").click()
    expect(names).to_have_text(["the <b>rest</b>"])
    page.keyboard.press("Escape")
    expect(page.locator("#units-panel")).to_be_hidden()


def test_the_tokens_asked_about_are_dragged_over(open_page: Callable[..., Page]) -> None:
    page = screen.ready(open_page(screen.link(model="eight", text=TEXT)))
    panel(page)
    columns = [page.locator(f'#tokens [data-t="{t}"]').bounding_box() for t in (4, 2)]
    places = [(box["x"] + box["width"] / 2, box["y"] + 12) for box in columns if box]
    page.keyboard.down("Shift")
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.get_by_label("First timestep")).to_have_value("2")
    expect(page.get_by_label("Last timestep")).to_have_value("4")
    expect(page.locator(".question .note")).to_have_text("is shiny and")
    assert screen.read(page)["step"].startswith("step 0"), "the step stays"


# --- on the heatmaps ----------------------------------------------------------------------------


@pytest.fixture
def alone(open_page: Callable[..., Page]) -> Page:
    """One row of the network, so that its pictures are large."""
    link = screen.link(model="one", text=TEXT, rows="one")
    return screen.ready(open_page(link, has_touch=True))


def place(page: Page, unit: int, of: int, quantity: str = "h") -> tuple[float, float]:
    """The middle of a row of a picture, between the first and the second timestep."""
    label = page.locator("#state-labels .quantity", has_text=quantity).filter(
        has=page.locator("b", has_text=re.compile(f"^{quantity}$"))
    )
    track = page.locator("#state-track").bounding_box()
    box = label.bounding_box()
    assert track
    assert box
    return track["x"] + 90, box["y"] + (unit + 0.5) / of * box["height"]


def brushed(page: Page) -> str:
    """What is selected, as the link says it."""
    page.wait_for_timeout(600)
    found = re.search(r"brush=([^&]*)", page.url)
    return found[1] if found else ""


def test_units_are_selected_on_the_heatmaps(alone: Page) -> None:
    page = alone
    mouse = page.mouse
    mouse.click(*place(page, 4, 5))
    assert brushed(page) == "", "a plain click selects one unit and its timestep"
    expect(page.locator("#unit")).to_have_value("4")
    page.keyboard.down("Control")
    mouse.click(*place(page, 1, 5))
    mouse.click(*place(page, 3, 5, "c"))
    page.keyboard.up("Control")
    expect(page.locator("#unit")).to_have_value("4")
    assert brushed(page) == "0.forward:1,3"
    page.keyboard.down("Shift")
    mouse.move(*place(page, 4, 5))
    mouse.down()
    mouse.move(*place(page, 3, 5), steps=3)
    expect(page.locator("#units-button")).to_have_text("Units: 2 of 5")  # while it is dragged
    mouse.move(*place(page, 2, 5), steps=3)
    # However far it goes, it stays in the picture where it began.
    mouse.move(*place(page, 4, 5, "f"), steps=3)
    expect(page.locator("#units-button")).to_have_text("Units: 5 of 5")
    mouse.move(*place(page, 2, 5), steps=3)
    mouse.up()
    assert brushed(page) == "0.forward:2-4"
    # Escape takes it back, and what is left of the drag does nothing.
    mouse.move(*place(page, 0, 5))
    mouse.down()
    mouse.move(*place(page, 1, 5), steps=3)
    page.keyboard.press("Escape")
    mouse.move(*place(page, 3, 5), steps=3)
    mouse.up()
    page.keyboard.up("Shift")
    assert brushed(page) == "0.forward:2-4"
    # A plain drag scrubs, as ever.
    x, y = place(page, 0, 5)
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 300, y, steps=5)
    mouse.up()
    assert brushed(page) == "0.forward:2-4"
    assert not screen.read(page)["step"].startswith("step 0")


def test_a_finger_that_stays_selects_and_one_that_moves_does_not(alone: Page) -> None:
    page = alone
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    start, end = place(page, 1, 5), place(page, 3, 5)
    send("touchStart", start)
    send("touchMove", end)
    send("touchEnd")
    assert brushed(page) == ""
    send("touchStart", start)
    page.wait_for_timeout(600)
    send("touchMove", (end[0], (start[1] + end[1]) / 2))
    send("touchMove", end)
    send("touchEnd")
    assert brushed(page) == "0.forward:1-3"
    # On what is selected it takes away.
    send("touchStart", end)
    page.wait_for_timeout(600)
    send("touchEnd")
    assert brushed(page) == "0.forward:1-2"


def test_a_drag_takes_the_units_it_goes_over_in_their_order_on_the_screen(
    open_page: Callable[..., Page], server: RunningServer
) -> None:
    link = screen.link(model="eight", text=TEXT, rows="one", sort="mean", layer=1)
    page = screen.ready(open_page(link, height=1200))
    recording = server.post("/api/recordings", {"model": "eight", "text": TEXT})
    asked = "layer=1&direction=forward&sort=mean&sort_of=h"
    order = server.json(f"/api/recordings/{recording['id']}/orders?{asked}")["order"]
    assert order != sorted(order)
    page.keyboard.down("Shift")
    page.mouse.move(*place(page, 2, 20, "c"))
    page.mouse.down()
    page.mouse.move(*place(page, 6, 20, "c"), steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    assert units(brushed(page)) == sorted(order[2:7])


def test_the_keys_go_through_the_selected_units(alone: Page) -> None:
    page = alone
    page.locator("#flow").focus()
    screen.press(page, "]", "b", "]", "]", "b")
    expect(page.locator("#units-button")).to_have_text("Units: 2 of 5")
    panel(page)
    page.get_by_text("step through these only").click()
    page.keyboard.press("Escape")
    page.locator("#flow").focus()
    unit = page.locator("#unit")
    screen.press(page, "[")
    expect(unit).to_have_value("1")
    screen.press(page, "[")
    expect(unit).to_have_value("1")
    screen.press(page, "]")
    expect(unit).to_have_value("3")
    # The link says so, too.
    expect(page).to_have_url(re.compile("only=1"))
