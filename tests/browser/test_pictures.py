"""The colours on the canvases are the colours of the values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.pictures import NEAR, SCALES, colours, css_colour, heatmap, pixels, rows

TEXT = "the sun is shiny and cold"


def network_cell(page: Page, row: int, timestep: int, units: int) -> np.ndarray:
    """The colours in the middle of every unit's square, (units, 3)."""
    middle = page.evaluate(
        """([row, t]) => {
          const track = document.getElementById("track").getBoundingClientRect();
          const column = document.querySelector(`.column[data-t="${t}"]`).getBoundingClientRect();
          const label = document.getElementById("network-labels").children[row];
          const { top, height } = label.getBoundingClientRect();
          return {
            x: column.x + column.width / 2 - track.x, width: column.width,
            y: top + height / 2 - track.y, height: height - 2,
          };
        }""",
        [row, timestep],
    )
    width = middle["width"] - 14  # 7 free at each side of a wide column
    rows = max(1, min(units, round(math.sqrt(units * middle["height"] / width))))
    columns = math.ceil(units / rows)
    canvas = pixels(page, "#network-canvas")[..., :3]
    left, top = middle["x"] - width / 2, middle["y"] - middle["height"] / 2
    return np.stack(
        [
            canvas[
                int(top + (unit // columns + 0.5) * middle["height"] / rows),
                int(left + (unit % columns + 0.5) * width / columns),
            ]
            for unit in range(units)
        ]
    )


def test_the_network_shows_the_hidden_state_of_every_cell(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = screen.ready(open_page(screen.link(model="two", text=TEXT)))
    _, cells = oracle("two", TEXT)
    rows = [(1, "forward"), (1, "backward"), (0, "forward"), (0, "backward")]
    for n, row in enumerate(rows):
        for timestep in (0, 2, 5):
            expected = colours(page, cells[row].quantity["h"][timestep], "diverging", -1, 1)
            shown = network_cell(page, n, timestep, 6)
            np.testing.assert_allclose(shown, expected, atol=NEAR, err_msg=f"{row} {timestep}")


#: From one strip to the next on their canvas, in pixels.
APART = 3


@pytest.mark.parametrize("model", ["two", "projected"])
def test_strips_follow_the_step(
    open_page: Callable[..., Page], oracle: Callable[..., Any], model: str
) -> None:
    page = screen.ready(open_page(screen.link(model=model, text=TEXT, layer=0)))
    cell = oracle(model, TEXT)[1][0, "forward"]
    units = cell.quantity["c"].shape[1]
    page.locator("#flow").focus()
    for timestep in range(3):
        canvas = pixels(page, "#strips canvas")[..., :3]
        assert canvas.shape[1] == units
        for n, (quantity, (scale, low, high)) in enumerate(SCALES.items()):
            values = cell.quantity[quantity][timestep]
            # A projected h has fewer units, and the same width.
            values = values[np.arange(units) * len(values) // units]
            expected = colours(page, values, scale, low, high)
            np.testing.assert_allclose(canvas[n * APART], expected, atol=NEAR, err_msg=quantity)
            assert (canvas[n * APART] == canvas[n * APART + 1]).all()
        screen.press(page, "ArrowRight")


def test_what_is_no_number_has_a_colour_of_its_own_and_the_badge_warns(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = screen.ready(open_page(screen.link(model="broken", text=TEXT, layer=1, unit=2)))
    cell = oracle("broken", TEXT)[1][1, "forward"]
    bad = css_colour(page, "--not-finite")
    shown = rows(heatmap(page, 1, "forward", "i"), 6)
    expected = colours(page, cell.quantity["i"].T, "sequential", 0, 1)
    np.testing.assert_allclose(shown, expected, atol=NEAR)
    assert (shown == bad).all(axis=-1).any()
    assert (network_cell(page, 0, 3, 6) == bad).all(axis=-1).any()
    assert not (network_cell(page, 1, 3, 6) == bad).all(axis=-1).any(), "layer 0 is sound"
    assert "not a number" in page.locator("#legend").inner_text()

    badge = page.locator("#parity")
    assert "NaN" in badge.inner_text()
    assert "✓" not in badge.inner_text()
    assert css_colour(page, "--bad").tolist() == page.evaluate(
        "() => getComputedStyle(document.getElementById('parity')).color.match(/\\d+/g).map(Number)"
    )
    badge.click()
    expect(page.locator("#parity-details")).to_contain_text("first in W_ih of layer 1 forward")
    assert screen.read(page)["strips"]["i"] == "NaN"
    assert "not numbers" in page.locator("#predictions").inner_text()
    page.keyboard.press("Escape")

    # What lies below the broken weight is shown as ever.
    screen.row(page, "layer 0 forward").click()
    screen.painted(page)
    h = float(oracle("broken", TEXT)[1][0, "forward"].quantity["h"][0, 2])
    assert float(screen.number(screen.read(page)["strips"]["h"])) == pytest.approx(h, abs=0.00052)
