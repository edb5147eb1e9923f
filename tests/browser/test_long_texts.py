"""200 tokens, 4 layers, 512 units: a step moves an overlay; scrolling shows other columns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen

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
    return page.locator("#tokens .column").evaluate_all("all => all.map(c => Number(c.dataset.t))")


def test_a_step_in_sight_draws_no_network_and_no_heatmap(wide: Page) -> None:
    assert wide.evaluate("() => drawn['network-canvas']") > 0
    wide.evaluate("() => { window.drawn = {} }")
    screen.press(wide, "ArrowRight", "ArrowRight")
    assert screen.read(wide)["step"] == "step 2 of 199"
    assert set(wide.evaluate("() => drawn")) == {"strip"}
    # Another unit moves a mark, and draws nothing new either.
    screen.press(wide, "]")
    assert set(wide.evaluate("() => drawn")) <= {"strip"}


def test_the_cursor_is_followed_and_the_numbers_stay_the_same(
    wide: Page, oracle: Callable[..., object]
) -> None:
    assert shown_timesteps(wide)[0] == 0
    assert len(shown_timesteps(wide)) < 30, "only what is on the screen exists"
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
    # Whoever scrolls away from the cursor is left alone.
    wide.locator("#flow").evaluate("flow => { flow.scrollLeft = 2000 }")
    wide.evaluate(screen.FRAMES)
    middle = shown_timesteps(wide)
    assert 0 < middle[0] < middle[-1] < 199
    assert screen.read(wide) == before
    expect(wide.locator("#band")).to_be_hidden()
    # The next step brings it back.
    screen.press(wide, "ArrowLeft")
    assert 198 in shown_timesteps(wide)
    expect(wide.locator("#band")).to_be_visible()


def test_pictures_of_a_scrolled_text_stand_under_their_tokens(
    wide: Page, oracle: Callable[..., object]
) -> None:
    wide.locator("#flow").evaluate("flow => { flow.scrollLeft = 3333 }")
    wide.evaluate(screen.FRAMES)
    timestep = shown_timesteps(wide)[4]
    column = wide.locator(f'.column[data-t="{timestep}"]').bounding_box()
    track = wide.locator("#states .track").nth(4).bounding_box()
    assert column is not None
    assert track is not None
    wide.mouse.move(column["x"] + column["width"] / 2, track["y"] + 1)
    tooltip = wide.locator("#tooltip")
    expect(tooltip).to_contain_text(f"timestep {timestep}")
    expect(tooltip).to_contain_text(TEXT.split()[timestep])
    unit = int(tooltip.inner_text().partition("unit")[2].split()[1].rstrip(":"))
    c = oracle("wide", TEXT)[1][2, "forward"].quantity["c"][timestep, unit]
    shown = screen.numbers(tooltip.inner_text())[0]
    assert float(shown) == pytest.approx(float(c), abs=0.00006)
    # A click there goes there, and does not scroll what can be seen.
    before = shown_timesteps(wide)
    wide.mouse.click(column["x"] + column["width"] / 2, track["y"] + 1)
    screen.painted(wide)
    assert screen.read(wide)["step"] == f"step {timestep} of 199"
    assert shown_timesteps(wide) == before
