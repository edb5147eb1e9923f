"""The map of the network: what flows at every step, and from the whole of it into one cell."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from playwright.sync_api import Page, Request, expect
from torch import Tensor, nn

from lstm_core.backward import BackwardLSTM
from lstm_core.models import load_model
from tests.browser import screen
from tests.browser.oracle import Cell

pytestmark = pytest.mark.browser

TEXT = "the sun is shiny"
SVG = "{http://www.w3.org/2000/svg}"

CELL = re.compile(
    r"Layer (\d+) (forward|backward) at timestep (\d+) reads "
    r"(?:h and c of timestep (\d+)|(its initial h and c)), and "
    r"(?:x|h of layer (\d+) ([a-z ]+)) of timestep (\d+)(; its h and c leave as h_n and c_n)?\."
)
PREDICTION = re.compile(r"The prediction of timestep (\d+) reads ([^.]+)\.")


def opened(
    open_page: Callable[..., Page], options: dict[str, Any] | None = None, **link: object
) -> Page:
    page = screen.ready(open_page(screen.link(tab="network", text=TEXT, **link), **(options or {})))
    expect(page.locator("#map-lit")).not_to_be_empty()
    return page


class Said(NamedTuple):
    """What the picture says of one lit cell."""

    layer: int
    direction: str
    timestep: int
    before: int | None
    below: list[str] | None  # the directions it reads of the layer below; None: x
    at: int
    ends: bool


def said(page: Page) -> tuple[int, list[Said], dict[int, str]]:
    """The step, the lit cells, and what is read for each lit prediction."""
    text = page.locator("#map-lit").text_content() or ""
    step = re.match(r"Step (\d+)\.", text)
    assert step, text
    cells = [
        Said(
            layer=int(layer),
            direction=direction,
            timestep=int(t),
            before=None if initial else int(before),
            below=directions.split(" and ") if below else None,
            at=int(at),
            ends=bool(ends),
        )
        for layer, direction, t, before, initial, below, directions, at, ends in CELL.findall(text)
    ]
    assert len(cells) == text.count("Layer ")
    return int(step[1]), cells, {int(t): reads for t, reads in PREDICTION.findall(text)}


def weights_of(model: str | Path) -> Iterator[tuple[tuple[int, str], dict[str, Tensor], Tensor]]:
    """Every cell's weights as PyTorch keeps them, and what the first layer reads of the text."""
    loaded = load_model(model).double()
    _, x = loaded.read(TEXT)
    modules = list(loaded.lstm) if isinstance(loaded.lstm, nn.ModuleList) else [loaded.lstm]
    layer = 0
    for module in modules:
        named = dict(module.named_parameters())
        for own in range(getattr(module, "num_layers", 1)):
            directions = ["forward", "backward"][: 1 + getattr(module, "bidirectional", False)]
            if isinstance(module, BackwardLSTM):
                directions = ["backward"]
            for direction in directions:
                reverse = "_reverse" if len(directions) > 1 and direction == "backward" else ""
                suffix = "" if isinstance(module, nn.LSTMCell) else f"_l{own}{reverse}"
                parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
                found: dict[str, Tensor] = {
                    part: named[part + suffix] for part in parts if part + suffix in named
                }
                yield (layer, direction), found, x
            layer += 1


def one_step(weights: dict[str, Tensor], x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """h and c by PyTorch's own cell."""
    bias = [weights.get(name) for name in ("bias_ih", "bias_hh")]
    # Its own h is o · tanh c, whatever the width of the h before.
    sums = x @ weights["weight_ih"].T + h @ weights["weight_hh"].T
    for b in bias:
        sums = sums if b is None else sums + b
    i, f, g, o = sums.chunk(4)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (weights["weight_hr"] @ h if "weight_hr" in weights else h), c


@pytest.mark.parametrize("order", ["sentence", "processing"])
@pytest.mark.parametrize("model", ["two", "turning", "chain", "cells"])
def test_what_flows_into_every_lit_cell_is_all_that_torch_needs_to_compute_it(
    open_page: Callable[..., Page],
    oracle: Callable[[str, str], Any],
    models_folder: Path,
    model: str,
    order: str,
) -> None:
    """From nothing but what the picture names, PyTorch's formulas give PyTorch's h and c."""
    _, cells = oracle(model, TEXT)
    weights = {cell: (own, x) for cell, own, x in weights_of(models_folder / model)}
    page = opened(open_page, model=model, order=order)
    last = int(page.locator("#scrub").get_attribute("max") or 0)
    seen: dict[tuple[int, str, int], int] = {}
    for step in range(last + 1):
        shown, lit, _ = said(page)
        assert shown == step
        for cell in lit:
            key = (cell.layer, cell.direction)
            assert (*key, cell.timestep) not in seen
            seen[*key, cell.timestep] = step
            check_by_torch(cell, weights[key], cells)
            if order == "processing":
                check_computed(cell, seen, step)
        page.keyboard.press("ArrowRight")
        screen.painted(page)
    assert set(seen) == {(*cell, t) for cell in cells for t in range(len(TEXT.split()))}


def check_by_torch(
    cell: Said, weights: tuple[dict[str, Tensor], Tensor], cells: dict[tuple[int, str], Cell]
) -> None:
    own, x = weights
    quantity = cells[cell.layer, cell.direction].quantity
    width = {q: quantity[q].shape[1] for q in "hc"}
    before = {
        q: x.new_zeros(width[q]) if cell.before is None else quantity[q][cell.before] for q in "hc"
    }
    read = (
        x[cell.at]
        if cell.below is None
        else torch.cat([cells[cell.layer - 1, d].quantity["h"][cell.at] for d in cell.below])
    )
    h, c = one_step(own, read, before["h"], before["c"])
    torch.testing.assert_close(h, quantity["h"][cell.timestep])
    torch.testing.assert_close(c, quantity["c"][cell.timestep])
    # What PyTorch returns as h_n: of the last timestep forward, of the first one backward.
    end = 0 if cell.direction == "backward" else len(quantity["h"]) - 1
    assert cell.ends == (cell.timestep == end)


def check_computed(cell: Said, seen: dict[tuple[int, str, int], int], step: int) -> None:
    """In processing order a cell reads only what was computed before it, or beside it below."""
    if cell.before is not None:
        assert seen[cell.layer, cell.direction, cell.before] < step
    for direction in cell.below or []:
        # Rows are said from the top: a lower one of the same step comes after it.
        assert seen.get((cell.layer - 1, direction, cell.at), step) <= step


@pytest.mark.parametrize(
    ("model", "reads"),
    [
        ("two", "h of layer 1 forward and backward of timestep {t}"),
        ("judge", "h of layer 0 forward of timestep {t}"),
        ("pooled", "the mean of h of layer 0 forward and backward of timesteps 0 to {t}"),
    ],
)
def test_a_prediction_says_what_its_head_reads(
    open_page: Callable[..., Page], model: str, reads: str
) -> None:
    page = opened(open_page, model=model, step=2)
    _, _, predictions = said(page)
    assert predictions == {2: reads.format(t=2)}


def test_the_head_of_a_classifier_reads_the_backward_state_of_the_first_token(
    open_page: Callable[..., Page], models_folder: Path
) -> None:
    """The last one that backward computes, and what PyTorch calls h_n[1]."""
    page = opened(open_page, model="names", order="processing")
    page.keyboard.press("End")
    screen.painted(page)
    _, lit, predictions = said(page)
    last = len(load_model(models_folder / "names").read(TEXT)[1]) - 1
    assert {(cell.direction, cell.timestep) for cell in lit if cell.ends} == {
        ("forward", last),
        ("backward", 0),
    }
    assert predictions == {
        last: f"h of layer 0 forward of timestep {last} and h of layer 0 backward of timestep 0"
    }


def tooltip(page: Page, x: float, y: float) -> list[str]:
    """What is said of a point of the map."""
    page.mouse.move(x + 1, y)
    page.mouse.move(x, y)
    expect(page.locator("#tooltip")).to_be_visible()
    return page.locator("#tooltip > div").all_inner_texts()


def find(page: Page, wanted: str) -> tuple[float, float]:
    """A point of the screen where the tooltip begins as wanted."""
    box = page.locator("#network-map").bounding_box()
    assert box
    for part in range(1, 40):
        for line in range(1, 30):
            x, y = box["x"] + box["width"] * part / 40, box["y"] + box["height"] * line / 30
            page.mouse.move(x, y)
            if page.locator("#tooltip").is_visible():
                text = page.locator("#tooltip > div").first.inner_text()
                if text.startswith(wanted):
                    return x, y
    raise AssertionError(f"{wanted} is nowhere on the map")


def camera(page: Page) -> str:
    """As the link says it, when the longest flight is over and the address has followed."""
    page.wait_for_timeout(1400)
    found = re.search(r"[#&]camera=([^&]*)", page.evaluate("location.hash"))
    return found[1].replace("%2C", ",") if found else ""


def test_what_is_under_the_pointer_stays_there_from_the_whole_into_the_cell(
    open_page: Callable[..., Page],
) -> None:
    page = opened(open_page, model="two", options={"width": 1440, "height": 900})
    x, y = find(page, "layer 0 backward · timestep 2 “is”")
    for _ in range(16):
        page.mouse.wheel(0, -100)
        screen.painted(page)
        assert tooltip(page, x, y)[0] == "layer 0 backward · timestep 2 “is”"
    _, _, across = camera(page).split(",")
    assert float(across) < 1.5, "hardly more than one cell is seen"
    for _ in range(20):
        page.mouse.wheel(0, 100)
    assert camera(page) == "", "and back to the whole"


def test_the_numbers_in_the_cell_are_torchs(
    open_page: Callable[..., Page], oracle: Callable[[str, str], Any]
) -> None:
    """Read off the picture of what is on the screen, kept as SVG."""
    at = {"step": 2, "layer": 1, "direction": "backward", "unit": 3}
    page = opened(open_page, model="two", **at, options={"width": 1440, "height": 900})
    page.locator("#network-map").focus()
    page.keyboard.press("Enter")
    assert camera(page) != ""
    page.locator("#keep-button").click()
    with page.expect_download() as download:
        page.locator("#keep-menu").get_by_role("button", name="SVG").click()
    root = ET.fromstring(Path(download.value.path()).read_bytes())
    shown = ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]
    _, cells = oracle("two", TEXT)
    cell = cells[1, "backward"]
    value = {q: float(values[2, 3]) for q, values in cell.quantity.items()}
    c_before = float(cell.quantity["c"][3, 3])  # the timestep after, as it reads backward
    assert c_before == pytest.approx(float(cell.c_before[2, 3]))
    for expected in (
        *value.values(),
        c_before,
        float(cell.quantity["h"][3, 3]),
        value["f"] * c_before,
        value["i"] * value["g"],
    ):
        text = f"{abs(expected):.3f}"
        assert any(found in (text, f"−{text}") for found in shown), (expected, shown)
    assert {"c₃", "h₃", "h₂ below →", "h₂ below ←", "forget f", "σ", "tanh"} <= set(shown)


def test_a_click_selects_a_cell_and_a_double_click_opens_it(
    open_page: Callable[..., Page],
) -> None:
    page = opened(open_page, model="two", options={"width": 1440, "height": 900})
    x, y = find(page, "layer 0 backward · timestep 1 ")
    page.mouse.click(x, y)
    title = page.locator("#cell-title")
    expect(title).to_have_text("layer 0 · backward · timestep 1 “sun”")
    assert camera(page) == ""
    x, y = find(page, "layer 1 forward · timestep 3 ")
    page.mouse.dblclick(x, y)
    expect(title).to_have_text("layer 1 · forward · timestep 3 “shiny”")
    left, _, across = camera(page).split(",")
    assert float(left) == pytest.approx(3.5, abs=0.1)
    assert float(across) < 2
    # Inside, a square of a vector is a unit.
    for_unit = find(page, "layer 1 forward · timestep 3 ")
    lines = tooltip(page, *for_unit)
    assert any("norm of h" in line for line in lines)


def test_the_camera_goes_where_the_step_goes_while_it_follows(
    open_page: Callable[..., Page],
) -> None:
    page = opened(open_page, model="two", step=1, options={"width": 1440, "height": 900})
    page.locator("#network-map").focus()
    page.keyboard.press("Enter")
    assert float(camera(page).split(",")[0]) == pytest.approx(1.5, abs=0.1)
    page.keyboard.press("ArrowRight")
    assert float(camera(page).split(",")[0]) == pytest.approx(2.5, abs=0.1)
    page.get_by_role("button", name="Follow").click()
    expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("ArrowRight")
    assert float(camera(page).split(",")[0]) == pytest.approx(2.5, abs=0.1)


def test_keys_and_buttons_move_the_camera_and_a_link_brings_it_back(
    open_page: Callable[..., Page],
) -> None:
    page = opened(open_page, model="two", step=1)
    page.get_by_role("button", name="Into the cell").click()
    near = camera(page)
    assert near
    page.keyboard.press("Escape")
    assert camera(page) == ""
    page.keyboard.press("z")
    zoomed = camera(page)
    assert zoomed
    assert zoomed != near
    page.keyboard.press("Shift+Z")
    assert camera(page) == ""
    page.get_by_role("button", name="This step").click()
    x, _, across = camera(page).split(",")
    assert float(x) - float(across) / 2 <= 1 <= float(x) + float(across) / 2
    page.keyboard.press("w")
    assert camera(page) == ""
    again = opened(open_page, model="two", step=1, camera=near)
    assert camera(again) == near
    # Another sentence is another map.
    screen.record(again, "the winter is long and cold")
    assert camera(again) == ""


def test_dots_run_along_what_is_read_unless_motion_is_unwanted(
    open_page: Callable[..., Page],
) -> None:
    begun = """() => {
      window.begun = 0;
      const animate = Element.prototype.animate;
      Element.prototype.animate = function (...given) {
        if (this.className === "dot") window.begun++;
        return animate.apply(this, given);
      };
    }"""
    page = opened(open_page, model="one", options={"width": 1440, "height": 900})
    page.evaluate(begun)
    page.keyboard.press("ArrowRight")
    screen.painted(page)
    # h, c and x of the one cell, and h to the prediction.
    assert page.evaluate("window.begun") == 4
    still = opened(open_page, model="one", options={"reduced_motion": True})
    still.evaluate(begun)
    still.keyboard.press("ArrowRight")
    screen.painted(still)
    assert said(still)[0] == 1
    assert still.evaluate("window.begun") == 0


def test_of_a_long_recording_only_what_is_seen_is_fetched(open_page: Callable[..., Page]) -> None:
    """768 timesteps of 4 × 512 units are 38 MB; the whole map is pooled pictures."""
    words = " ".join(["the sun is shiny and cold in every"] * 96)
    sizes: list[int] = []
    page = open_page(screen.link(model="wide", text=words, tab="network"))

    def count(request: Request) -> None:
        if "/tiles" in request.url or "/arrays" in request.url:
            sizes.append(request.sizes()["responseBodySize"])

    page.on("requestfinished", count)
    expect(page.locator("#equations table")).to_be_visible(timeout=90_000)
    expect(page.locator("#map-lit")).not_to_be_empty()
    page.wait_for_load_state("networkidle")
    assert sum(sizes) < 12_000_000
    sizes.clear()
    page.get_by_role("button", name="Into the cell").click()
    page.wait_for_timeout(1500)
    page.wait_for_load_state("networkidle")
    assert sum(sizes) < 12_000_000
    x, y = find(page, "layer 3 forward · timestep 0 ")
    assert tooltip(page, x, y)[1].startswith("norm of h: ")


def test_a_phone_pans_with_a_finger_and_zooms_with_two(open_page: Callable[..., Page]) -> None:
    options = {"width": 390, "height": 844, "has_touch": True}
    page = opened(open_page, model="two", step=1, options=options)
    page.locator("#network-map").scroll_into_view_if_needed()
    box = page.locator("#network-map").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + 150
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        found = [{"x": px, "y": py, "id": n} for n, (px, py) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": found})

    touch("touchStart", (x - 20, y), (x + 20, y))
    for spread in range(25, 125, 10):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    first = camera(page)
    assert first, "two fingers zoom"
    touch("touchStart", (x, y))
    for moved in range(0, 120, 15):
        touch("touchMove", (x - moved, y))
    touch("touchEnd")
    second = camera(page)
    assert float(second.split(",")[0]) > float(first.split(",")[0]), "one finger moves"
    assert second.split(",")[2] == first.split(",")[2]
