"""200 tokens, 4 layers, 512 units: a step moves an overlay; another part shows other columns."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.pictures import HEATMAPS

WORDS = ["the", "sun", "is", "shiny", "and", "cold", "in", "every", "long", "winter"]
TEXT = " ".join(WORDS[n * n % 10] for n in range(200))

COUNT = """
window.drawn = {};
const count = name => {
  const original = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...given) {
    const { id, parentElement } = this.canvas;
    const where = id || (parentElement?.className ?? "scratch");
    drawn[where] = (drawn[where] ?? 0) + 1;
    return original.apply(this, given);
  };
};
for (const name of ["putImageData", "drawImage", "fill", "stroke", "fillRect", "clearRect"]) {
  count(name);
}
"""


@pytest.fixture
def wide(open_page: Callable[..., Page]) -> Page:
    page = open_page("about:blank")
    page.add_init_script(COUNT)
    page.goto(screen.link(model="wide", text=TEXT, layer=2))
    screen.ready(page)
    page.wait_for_load_state("networkidle")
    screen.painted(page)
    page.locator("#flow").focus()
    return page


def shown_timesteps(page: Page) -> list[int]:
    """Of the tokens that can be seen; the current one is there wherever one looks."""
    return page.locator("#tokens .column").evaluate_all("""all => {
      const { left, right } = document.getElementById("track").getBoundingClientRect();
      return all.filter(column => {
        const box = column.getBoundingClientRect();
        return box.right > left && box.left < right;
      }).map(column => Number(column.dataset.t));
    }""")


def test_a_step_in_sight_draws_no_network_and_no_heatmap(wide: Page) -> None:
    assert wide.evaluate("() => drawn['network-canvas']") > 0
    wide.evaluate("() => { window.drawn = {} }")
    screen.press(wide, "ArrowRight", "ArrowRight")
    assert screen.read(wide)["step"] == "step 2 of 199"
    assert set(wide.evaluate("() => drawn")) == {"network-overlay", "strip-track"}
    # Another unit moves a mark, and draws nothing new either.
    wide.evaluate("() => { window.drawn = {} }")
    screen.press(wide, "]")
    assert set(wide.evaluate("() => drawn")) <= {"strip-track"}


def test_the_cursor_is_followed_and_the_numbers_stay_the_same(
    wide: Page, oracle: Callable[..., object]
) -> None:
    assert shown_timesteps(wide)[0] == 0
    assert wide.locator("#tokens .column").count() < 30, "only what is on the screen exists"
    screen.press(wide, "End")
    assert shown_timesteps(wide)[-1] == 199
    assert screen.tokens(wide) == TEXT.split()[-len(shown_timesteps(wide)) :]
    _, cells = oracle("wide", TEXT)
    h = float(cells[2, "forward"].quantity["h"][199, 0])
    before = screen.read(wide)
    assert float(screen.number(before["strips"]["h"])) == pytest.approx(h, abs=0.00052)
    assert wide.locator("#band").evaluate("b => b.getBoundingClientRect().right") <= (
        wide.locator("#track").evaluate("t => t.getBoundingClientRect().right") + 1
    )
    # Whoever moves away from the cursor is left alone.
    screen.press(wide, "PageUp", "PageUp", "PageUp")
    middle = shown_timesteps(wide)
    assert 0 < middle[0] < middle[-1] < 199
    assert screen.read(wide) == before
    expect(wide.locator("#band")).to_be_hidden()
    # The next step brings it back.
    screen.press(wide, "ArrowLeft")
    assert 198 in shown_timesteps(wide)
    expect(wide.locator("#band")).to_be_visible()


def test_pictures_of_a_later_part_stand_under_their_tokens(
    wide: Page, oracle: Callable[..., object]
) -> None:
    # To a place between two columns.
    track = wide.locator("#track").bounding_box()
    assert track is not None
    wide.mouse.move(track["x"] + 50, track["y"] + 20)
    wide.mouse.wheel(3333, 0)
    wide.evaluate(screen.FRAMES)
    timestep = shown_timesteps(wide)[4]
    assert timestep > 20
    column = wide.locator(f'.column[data-t="{timestep}"]').bounding_box()
    states = wide.locator("#state-track").bounding_box()
    assert column is not None
    assert states is not None
    tops = {(cell, name): top for cell, name, top, _ in wide.evaluate(HEATMAPS)}
    x, y = column["x"] + column["width"] / 2, states["y"] + tops["layer 2 forward", "c"] + 1
    wide.mouse.move(x, y)
    tooltip = wide.locator("#tooltip")
    expect(tooltip).to_contain_text(f"timestep {timestep}")
    expect(tooltip).to_contain_text(TEXT.split()[timestep])
    # Several units share a row of pixels: "c of 13 units (0, 1, …): 0.1 0.2 …".
    units = re.search(r"c of (?:unit (\d+)|\d+ units \((\d+))", tooltip.inner_text())
    assert units
    unit = int(units[1] or units[2])
    c = oracle("wide", TEXT)[1][2, "forward"].quantity["c"][timestep, unit]
    line = tooltip.locator("div").nth(1).inner_text()
    shown = screen.number(line.partition(": ")[2].split()[0])
    assert float(shown) == pytest.approx(float(c), abs=0.00006)
    # A click there goes there, and does not scroll what can be seen.
    before = shown_timesteps(wide)
    wide.mouse.click(x, y)
    screen.painted(wide)
    assert screen.read(wide)["step"] == f"step {timestep} of 199"
    assert shown_timesteps(wide) == before
