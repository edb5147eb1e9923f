"""The colours on the canvases are the colours of the values."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from lstm_core.quantities import QUANTITIES
from tests.browser import screen

TEXT = "the sun is shiny and cold"
STOPS = {"sequential": ("--low", "--high"), "diverging": ("--negative", "--zero", "--positive")}
SCALES = {name: (q.scale, q.shown_low, q.shown_high) for name, q in QUANTITIES.items()}
# float32 against float64 may choose the neighbour among the 256 colours.
NEAR = 2


def css_colour(page: Page, name: str) -> np.ndarray:
    hex_colour = page.evaluate(
        "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()", name
    )
    return np.array([int(hex_colour[n : n + 2], 16) for n in (1, 3, 5)], dtype=float)


def colours(page: Page, values: Any, scale: str, low: float, high: float) -> np.ndarray:
    """(…, 3): between the stops linearly, clipped at the ends, another one for no number."""
    values = np.asarray(values, dtype=float)
    stops = np.stack([css_colour(page, name) for name in STOPS[scale]])
    part = np.clip((values - low) / (high - low), 0, 1) * (len(stops) - 1)
    at = np.arange(len(stops))
    shown = np.stack([np.interp(part, at, stops[:, n]) for n in range(3)], axis=-1)
    return np.where(np.isfinite(values)[..., None], shown, css_colour(page, "--not-finite"))


def pixels(page: Page, selector: str, index: int = 0) -> np.ndarray:
    """A canvas, (height, width, 3)."""
    size, data = page.evaluate(
        """([selector, index]) => {
          const canvas = document.querySelectorAll(selector)[index];
          const { width, height } = canvas;
          const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
          let bytes = "";
          for (let n = 0; n < data.length; n += 30000) {
            bytes += String.fromCharCode(...data.subarray(n, n + 30000));
          }
          return [[height, width], btoa(bytes)];
        }""",
        [selector, index],
    )
    flat = np.frombuffer(base64.b64decode(data), dtype=np.uint8)
    return flat.reshape(*size, 4)[..., :3].astype(float)


def heatmap(page: Page, quantity: str) -> np.ndarray:
    return pixels(page, "#states canvas", list(SCALES).index(quantity))


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
    canvas = pixels(page, "#network-canvas")
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_heatmaps_have_the_colours_of_torchs_values(
    open_page: Callable[..., Page], oracle: Callable[..., Any], scheme: Literal["light", "dark"]
) -> None:
    link = screen.link(model="two", text=TEXT, layer=1, direction="backward")
    page = screen.ready(open_page(link, color_scheme=scheme))
    cell = oracle("two", TEXT)[1][1, "backward"]
    for quantity, (scale, low, high) in SCALES.items():
        expected = colours(page, cell.quantity[quantity].T, scale, low, high)
        np.testing.assert_allclose(heatmap(page, quantity), expected, atol=NEAR, err_msg=quantity)

    page.get_by_role("combobox", name="Colour scale").select_option("fit")
    page.evaluate(screen.FRAMES)
    for quantity in ("f", "c"):
        scale, *_ = SCALES[quantity]
        values = cell.quantity[quantity].T
        low, high = float(values.min()), float(values.max())
        if scale == "diverging":
            low, high = -max(-low, high), max(-low, high)
        expected = colours(page, values, scale, low, high)
        np.testing.assert_allclose(heatmap(page, quantity), expected, atol=NEAR, err_msg=quantity)


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


def test_strips_follow_the_step(open_page: Callable[..., Page], oracle: Callable[..., Any]) -> None:
    page = screen.ready(open_page(screen.link(model="two", text=TEXT, layer=0)))
    cell = oracle("two", TEXT)[1][0, "forward"]
    page.locator("#flow").focus()
    for timestep in range(3):
        for n, (quantity, (scale, low, high)) in enumerate(SCALES.items()):
            expected = colours(page, cell.quantity[quantity][timestep], scale, low, high)
            shown = pixels(page, "#strips canvas", n)[0]
            np.testing.assert_allclose(shown, expected, atol=NEAR, err_msg=quantity)
        screen.press(page, "ArrowRight")


def test_a_row_of_many_units_shows_the_one_furthest_from_zero(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = screen.ready(open_page(screen.link(model="wide", text=TEXT, layer=3)))
    values = oracle("wide", TEXT)[1][3, "forward"].quantity["c"].numpy()
    shown = heatmap(page, "c")
    per_row = math.ceil(512 / len(shown))
    assert per_row > 1
    groups = [values[:, n : n + per_row] for n in range(0, 512, per_row)]
    furthest = np.stack([g[np.arange(len(g)), np.abs(g).argmax(axis=1)] for g in groups])
    np.testing.assert_allclose(shown, colours(page, furthest, *SCALES["c"]), atol=NEAR)


def test_what_is_no_number_has_a_colour_of_its_own_and_the_badge_warns(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = screen.ready(open_page(screen.link(model="broken", text=TEXT, layer=1, unit=2)))
    cell = oracle("broken", TEXT)[1][1, "forward"]
    bad = css_colour(page, "--not-finite")
    shown = heatmap(page, "i")
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
    page.get_by_role("button", name="layer 0 forward").click()
    screen.painted(page)
    h = float(oracle("broken", TEXT)[1][0, "forward"].quantity["h"][0, 2])
    assert float(screen.number(screen.read(page)["strips"]["h"])) == pytest.approx(h, abs=0.00052)
