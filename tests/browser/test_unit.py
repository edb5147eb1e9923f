"""One unit: coloured text, lines, distribution and saturation, against torch's numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.models import PRICES
from tests.browser.pictures import NEAR, SCALES, colours, css_colour, pixels
from tests.browser.test_long_recordings import TEXT as LONG
from tests.browser.test_long_recordings import of_the_recording, opened

TEXT = "the sun, is shiny\n\nand  cold in every long winter"
#: Half a unit in the last place shown, and float32 against float64.
SHOWN = 0.00052

# The middle of every token of the running text, from the corner of the canvas behind it; tokens are
# found by the characters between them, as in the text itself.
PLACES = """(tokens) => {
  const text = document.querySelector("#unit-text .running-text");
  const { left, top } = document.querySelector("#unit-text canvas").getBoundingClientRect();
  const nodes = [...text.childNodes];
  const range = document.createRange();
  let [n, from] = [0, 0];
  return tokens.map((token) => {
    let at = nodes[n].data.indexOf(token, from);
    while (at < 0) [n, from, at] = [n + 1, 0, nodes[n + 1].data.indexOf(token)];
    range.setStart(nodes[n], at);
    range.setEnd(nodes[n], at + token.length);
    from = at + token.length;
    const box = range.getClientRects()[0];
    return [box.x + box.width / 2 - left, box.y + box.height / 2 - top];
  });
}"""


def open_unit(open_page: Callable[..., Page], **link: object) -> Page:
    options = {key: link.pop(key) for key in ("width", "height", "color_scheme") if key in link}
    page = screen.ready(open_page(screen.link(tab="unit", **link), **options))
    return painted(page)


def painted(page: Page) -> Page:
    """Wait until the view, which is loaded when its tab is opened, has painted what it shows."""
    expect(page.locator("#unit-i")).to_have_text(re.compile(r"\d|NaN"))
    expect(page.locator("#unit-facts .share").first).not_to_be_empty()
    screen.painted(page)
    return page


def luminance(rgb: np.ndarray) -> np.ndarray:
    """WCAG's relative luminance of (…, 3)."""
    part = rgb / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def contrast(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    light, dark = np.maximum(luminance(a), luminance(b)), np.minimum(luminance(a), luminance(b))
    return np.asarray((light + 0.05) / (dark + 0.05))


def softened(page: Page, values: Any, scale: str, low: float, high: float) -> np.ndarray:
    """The colours of values, mixed with the paper just so far that all can be read on."""
    ink, paper = css_colour(page, "--ink"), css_colour(page, "--bg")
    whole = np.append(np.linspace(low, high, 256), np.nan)
    table = colours(page, whole, scale, low, high)
    strengths = np.linspace(1, 0, 1001)
    strength = next(
        s for s in strengths if (contrast(paper + (table - paper) * s, ink) >= 4.5).all()
    )
    return np.asarray(paper + (colours(page, values, scale, low, high) - paper) * strength)


def behind_tokens(page: Page, tokens: list[str]) -> np.ndarray:
    """(T, 4): the pixel behind the middle of each token."""
    places = page.evaluate(PLACES, tokens)
    line = 26
    canvas = pixels(page, "#unit-text canvas")
    return np.stack([canvas[int(y / line), int(x)] for x, y in places])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sentence_has_the_colours_of_torchs_values_and_can_be_read_on_them(
    open_page: Callable[..., Page], oracle: Callable[..., Any], scheme: Literal["light", "dark"]
) -> None:
    page = open_unit(
        open_page,
        model="two",
        text=TEXT,
        layer=1,
        direction="backward",
        unit=2,
        color_scheme=scheme,
    )
    text = page.locator("#unit-text .running-text")
    assert text.evaluate("node => node.textContent") == TEXT, "as it was typed"
    assert text.evaluate("node => node.childElementCount") == 0
    quantities = oracle("two", TEXT)[1][1, "backward"].quantity
    tokens = TEXT.split()
    for name in ("h", "f", "c"):
        page.locator(f"#unit-tools .chips [value={name}]").click()
        page.evaluate(screen.FRAMES)
        low, high = SCALES[name][1:]
        values = quantities[name][:, 2]
        shown = behind_tokens(page, tokens)
        assert (shown[:, 3] == 255).all()
        expected = softened(page, values, SCALES[name][0], low, high)
        np.testing.assert_allclose(shown[:, :3], expected, atol=NEAR + 1, err_msg=name)
        assert (contrast(shown[:, :3], css_colour(page, "--ink")) >= 4.5).all()
    # Fitted to what this unit did, its strongest value has the colour of the end.
    page.locator("#unit-tools").get_by_role("combobox", name="Colour scale").select_option("row")
    page.evaluate(screen.FRAMES)
    most = float(quantities["c"][:, 2].abs().max())
    expected = softened(page, quantities["c"][:, 2], "diverging", -most, most)
    shown = behind_tokens(page, tokens)[:, :3]
    np.testing.assert_allclose(shown, expected, atol=NEAR + 1)
    page.wait_for_function("() => location.hash.includes('colouredBy=c')")


def test_the_running_text_leads_to_its_tokens(open_page: Callable[..., Page]) -> None:
    page = open_unit(open_page, model="two", text=TEXT, unit=1)
    box = page.locator("#unit-text canvas").bounding_box()
    assert box is not None
    for t in (6, 1, 3):
        x, y = page.evaluate(PLACES, TEXT.split())[t]
        page.mouse.move(box["x"] + x, box["y"] + y)
        expect(page.locator("#tooltip")).to_contain_text(f"“{TEXT.split()[t]}” · timestep {t}")
        page.mouse.click(box["x"] + x, box["y"] + y)
        screen.painted(page)
        assert screen.read(page)["step"] == f"step {t} of {len(TEXT.split()) - 1}"
        mark = page.locator("#unit-text .marks div").first.bounding_box()
        assert mark is not None
        assert mark["x"] - 1 <= box["x"] + x <= mark["x"] + mark["width"] + 1
        assert mark["y"] - 1 <= box["y"] + y <= mark["y"] + mark["height"] + 1


#: Lines of the grid, in each band from its upper to its lower end; with the words at them.
BANDS = """() => {
  const { top } = document.getElementById("unit-track").getBoundingClientRect();
  const y = node => node.getBoundingClientRect().y - top;
  const number = node => Number(node.textContent.replace("−", "-"));
  const ticks = [...document.querySelectorAll("#unit-lines .tick")];
  const lines = [...document.querySelectorAll(".unit-grid i:not(.faint)")].map(y);
  return [0, 1, 2].map(n => ({
    high: number(ticks[3 * n]), low: number(ticks[3 * n + 2]),
    top: lines[2 * n], bottom: lines[2 * n + 1],
  }));
}"""
BAND = {"i": 0, "f": 0, "o": 0, "g": 1, "h": 1, "c": 2}
COLOUR = {"i": "accent", "f": "high", "o": "positive", "g": "negative", "h": "positive", "c": "ink"}


def dots(page: Page, values: dict[str, Any]) -> dict[str, np.ndarray]:
    """How far from its line's colour the picture is where the dot of each timestep should be."""
    bands = page.evaluate(BANDS)
    drawn = pixels(page, "#unit-track canvas")
    opacity = drawn[..., 3:] / 255
    canvas = drawn[..., :3] * opacity + css_colour(page, "--bg") * (1 - opacity)
    found = {}
    for name, band in BAND.items():
        own = bands[band]
        part = (own["high"] - values[name].numpy()) / (own["high"] - own["low"])
        y = own["top"] + part * (own["bottom"] - own["top"])
        columns = screen.boxes(page, "#tokens .column")
        left = page.locator("#unit-track").bounding_box()["x"]  # type: ignore[index]
        x = [column["x"] + column["width"] / 2 - left for column in columns]
        at = np.stack([canvas[round(b - 0.5), int(a)] for a, b in zip(x, y.tolist(), strict=True)])
        found[name] = np.abs(at - css_colour(page, f"--{COLOUR[name]}")).max(axis=1)
    return found


def test_six_lines_go_through_torchs_values_column_under_column(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_unit(open_page, model="two", text=TEXT, layer=0, unit=4)
    quantities = oracle("two", TEXT)[1][0, "forward"].quantity
    values = {name: of[:, 4] for name, of in quantities.items()}
    bands = page.evaluate(BANDS)
    assert [(band["low"], band["high"]) for band in bands[:2]] == [(0, 1), (-1, 1)]
    assert bands[2]["low"] <= min(0, float(values["c"].min()))
    assert bands[2]["high"] >= max(0, float(values["c"].max()))
    # Where lines cross, the one that is drawn later is seen.
    for name, far in dots(page, values).items():
        assert (far < 40).mean() >= 0.6, name
    assert (dots(page, values)["c"] < 10).all()

    # The legend has the numbers of the step, and takes lines away.
    page.locator("#flow").focus()
    screen.press(page, "ArrowRight", "ArrowRight")
    for name in BAND:
        shown = screen.number(page.locator(f"#unit-{name}").inner_text())
        assert float(shown) == pytest.approx(float(values[name][2]), abs=SHOWN)
    entry = page.locator("#unit-lines [data-quantity=c]")
    expect(entry).to_have_attribute("aria-pressed", "true")
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "false")
    page.evaluate(screen.FRAMES)
    assert (dots(page, values)["c"] > 100).all()
    page.wait_for_function("() => location.hash.includes('lines=ifgoh')")

    # Under the pointer are all six, exactly; a click goes there.
    column = page.locator('.column[data-t="5"]').bounding_box()
    track = page.locator("#unit-track").bounding_box()
    assert column is not None
    assert track is not None
    x = column["x"] + column["width"] / 2
    page.mouse.move(x, track["y"] + 30)
    tooltip = page.locator("#tooltip").inner_text()
    assert f"“{TEXT.split()[5]}” · timestep 5" in tooltip
    found = dict(re.findall(r"([ifgoch]) = (.+)", tooltip))
    for name in BAND:
        assert float(screen.number(found[name])) == pytest.approx(float(values[name][5]), abs=2e-6)
    page.mouse.click(x, track["y"] + 30)
    expect(page.locator("#step-text")).to_have_text(f"step 5 of {len(TEXT.split()) - 1}")


def test_units_are_flipped_through_from_the_page_the_buttons_and_the_lines(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_unit(open_page, model="two", text=TEXT, layer=0)
    quantities = oracle("two", TEXT)[1][0, "forward"].quantity
    count = page.locator("#unit-tools .flip span")

    def is_unit(unit: int) -> None:
        expect(count).to_have_text(f"unit {unit} of 6")
        values = quantities["h"][:, unit]
        expected = softened(page, values, *SCALES["h"])
        np.testing.assert_allclose(
            behind_tokens(page, TEXT.split())[:, :3], expected, atol=NEAR + 1
        )
        # What is out of sight follows when flipping rests.
        low = page.locator("#unit-facts [data-quantity=h] .number").first
        expect(low).to_have_text(f"{float(values.min()):.3f}".replace("-", "−"))
        # A picture says in words what it is of.
        name = f"unit {unit} of layer 0 forward"
        for part in ("#unit-track canvas", "#unit-text", "#unit-lines"):
            assert name in (page.locator(part).get_attribute("aria-label") or "")

    page.locator("#flow").focus()
    screen.press(page, "]", "]")
    is_unit(2)
    page.get_by_role("button", name="Flip to the previous unit").click()
    screen.painted(page)
    is_unit(1)
    # In the lines up and down are units; elsewhere they are rows of the network.
    page.locator("#unit-lines").focus()
    screen.press(page, "ArrowDown", "ArrowDown", "ArrowUp", "ArrowDown")
    is_unit(3)
    page.locator("#flow").focus()
    screen.press(page, "ArrowUp")
    expect(page.locator("#view-title")).to_contain_text("layer 1")


def test_distribution_and_saturation_are_counted_over_the_whole_sentence(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_unit(open_page, model="two", text=TEXT, layer=0, unit=3)
    quantities = oracle("two", TEXT)[1][0, "forward"].quantity
    tokens = TEXT.split()
    for name in "ifgoch":
        values = quantities[name][:, 3].numpy()
        row = page.locator(f"#unit-facts [data-quantity={name}]")
        shown = [float(screen.number(text)) for text in row.locator(".number").all_inner_texts()]
        expected = [values.min(), values.mean(), values.max()]
        assert shown == pytest.approx(expected, abs=SHOWN)
        stuck = row.locator(".stuck")
        if name in "ch":
            assert stuck.all_inner_texts() == ["", ""]
            continue
        for cell, holds in enumerate((values < (-0.9 if name == "g" else 0.1), values > 0.9)):
            assert stuck.nth(cell).locator(".share").inner_text() == f"{100 * holds.mean():.0f} %"
            link = stuck.nth(cell).locator(".run-link")
            runs = [(t, t + n) for t in range(len(tokens)) for n in range(1, len(tokens) - t + 1)]
            all_stuck = [run for run in runs if holds[slice(*run)].all()]
            if not all_stuck:
                expect(link).to_be_hidden()
                continue
            start, stop = max(all_stuck, key=lambda run: run[1] - run[0])
            where = f"{start}" if stop - start == 1 else f"{start}–{stop - 1}"
            assert link.inner_text().startswith(f"{where} “{tokens[start]}")
            link.click()
            expect(page.locator("#step-text")).to_contain_text(f"step {start} of")
    # Every bar of a histogram is as high as its share of the highest.
    path = page.locator("#unit-facts [data-quantity=o] path").get_attribute("d") or ""
    heights = 1 - np.array([float(found) for found in re.findall(r"V([\d.]+)h1", path)])
    counts, _ = np.histogram(quantities["o"][:, 3].numpy(), bins=40, range=(0, 1))
    np.testing.assert_allclose(heights, counts / counts.max(), atol=0.001)


@pytest.mark.parametrize(
    ("model", "text", "shown"),
    [
        ("letters", "to be\nor not  ", "to be⏎\nor not  "),
        ("bytes", "naïve 🙂", "naïve 🙂"),
        ("prices", PRICES, "  ".join(f"2024-01-0{day}" for day in (2, 3, 4, 5))),
        ("two", "<b>&lt;</b> a\u202eb \u05e9\u05dc\u05d5\u05dd", "<b>&lt;</b> a‹202E›b שלום"),
    ],
)
def test_every_kind_of_text_runs_as_it_was_typed_and_is_coloured_all_over(
    open_page: Callable[..., Page], model: str, text: str, shown: str
) -> None:
    page = open_unit(open_page, model=model, text=text)
    running = page.locator("#unit-text .running-text")
    assert running.evaluate("node => node.textContent") == shown
    assert running.evaluate("node => node.childElementCount") == 0
    canvas = pixels(page, "#unit-text canvas")[..., 3]
    width = running.evaluate(
        """node => {
          const range = document.createRange();
          range.selectNodeContents(node);
          const [first, ...rest] = range.getClientRects();
          const line = [first, ...rest.filter(({ top }) => Math.abs(top - first.top) < 9)];
          return line.reduce((sum, { width }) => sum + width, 0);
        }"""
    )
    coloured = (canvas[0] == 255).sum()
    assert coloured == pytest.approx(width, abs=12 + 5 * shown.count(" "))


def test_what_is_no_number_is_left_out_and_said(open_page: Callable[..., Page]) -> None:
    page = open_unit(open_page, model="broken", text="the sun is cold", unit=2, layer=1)
    expect(page.locator("#unit-view .note")).to_contain_text("is not a finite number, nothing is")
    shown = behind_tokens(page, ["the", "sun", "is", "cold"])[:, :3]
    expected = softened(page, [np.nan] * 4, *SCALES["h"])
    np.testing.assert_allclose(shown, expected, atol=NEAR + 1)
    assert set(page.locator("#unit-facts [data-quantity=h] .number").all_inner_texts()) == {"NaN"}
    # A unit behind the end of a projection has no h.
    page = open_unit(open_page, model="projected", text="the sun", unit=9, layer=0)
    expect(page.locator("#unit-lines [data-quantity=h]")).to_be_disabled()
    expect(page.locator("#unit-view .note")).to_contain_text("unit 9 has no h")


def test_units_of_a_long_text_come_in_blocks_and_their_numbers_are_torchs(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_page("about:blank")
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(screen.link(model="wide", text=LONG, layer=3, tab="unit", step=20))
    opened(page)
    quantities = oracle("wide", LONG)[1][3, "forward"].quantity
    tokens = LONG.split()
    page.locator("#flow").focus()
    for _ in range(20):
        page.keyboard.press("]")
    expect(page.locator("#unit-tools .flip span")).to_have_text("unit 20 of 512")
    mean = page.locator("#unit-facts [data-quantity=c] .number").nth(1)
    values = quantities["c"][:, 20]
    expect(mean).to_have_text(re.compile(f"{float(values.mean()):.3f}".replace("-", "−")))
    page.wait_for_load_state("networkidle")
    blocks = [
        int(parts["unit_start"][0])
        for parts in of_the_recording(asked, "arrays")
        if "unit_start" in parts
    ]
    assert sorted(blocks) == [0, 16, 32], "what is looked at, and one ahead"
    for name in BAND:
        shown = screen.number(page.locator(f"#unit-{name}").inner_text())
        assert float(shown) == pytest.approx(float(quantities[name][20, 20]), abs=SHOWN)

    # The end of the text is scrolled to, and has its own colours.
    screen.press(page, "End")
    mark = page.locator("#unit-text .marks div").first
    box, text = mark.bounding_box(), page.locator("#unit-text").bounding_box()
    assert box is not None
    assert text is not None
    assert text["y"] <= box["y"]
    assert box["y"] + box["height"] <= text["y"] + text["height"]
    last = tokens[-8:]
    shown_pixels = page.evaluate(
        """(words) => {
          const text = document.querySelector("#unit-text .running-text");
          const canvas = document.querySelector("#unit-text canvas");
          const { left, top } = canvas.getBoundingClientRect();
          const node = text.lastChild;
          const range = document.createRange();
          let end = node.data.length;
          const places = words.toReversed().map(word => {
            range.setStart(node, end - word.length);
            range.setEnd(node, end);
            end -= word.length + 1;
            const box = range.getClientRects()[0];
            const [x, y] = [box.x + box.width / 2 - left, box.y + box.height / 2 - top];
            const data = canvas.getContext("2d").getImageData(x, Math.floor(y / 26), 1, 1).data;
            return [...data].slice(0, 3);
          });
          return places.toReversed();
        }""",
        last,
    )
    expected = softened(page, quantities["h"][-8:, 20], *SCALES["h"])
    np.testing.assert_allclose(shown_pixels, expected, atol=NEAR + 1)
