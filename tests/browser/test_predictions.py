"""The tab Predictions: what the head says of every token, against torch's softmax and loss."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from playwright.sync_api import Locator, Page, expect
from torch.nn import functional

from lstm_core.models import load_model
from tests.browser import screen
from tests.browser.models import PRICES, SENSORS
from tests.browser.pictures import NEAR, pixels
from tests.browser.test_unit import softened

LINE = "To be, or not to be: that is the"
NEWS = "Time flies like an arrow and fruit flies like a banana"
REVIEW = "The film was not good but in the end I really loved the acting"

#: Half a unit in the last place shown, and float32 against float64.
SHOWN = 0.00052
TABLE = """() => [...document.querySelectorAll("#table-view tbody tr")].map(
  (row) => [...row.children].map((cell) => cell.textContent))"""


def open_room(open_page: Callable[..., Page], **link: object) -> Page:
    options = {key: link.pop(key) for key in ("width", "height", "color_scheme") if key in link}
    page = screen.ready(open_page(screen.link(tab="predictions", **link), **options))
    # The view is loaded when its tab is opened, and then asks the server.
    expect(page.locator("#predict-findings, #predict-note").first).not_to_be_empty()
    expect(page.locator("#predict-note")).not_to_contain_text("coming")
    page.wait_for_load_state("networkidle")  # the other layers come behind
    screen.painted(page)
    return page


def readout(page: Page) -> tuple[list[str], dict[str, float], str]:
    """The labels listed for the current timestep, what is measured there, and all of the line."""
    labels = page.locator("#predict-readout li:visible bdi").all_inner_texts()
    line = page.locator("#predict-readout .predict-numbers").inner_text()
    found = re.findall(r"(surprise|rank|entropy|margin) ([\d.]+)", line)
    return labels, {name: float(value) for name, value in found}, line


def measured(p: torch.Tensor, target: int | None = None) -> dict[str, float]:
    """What should stand there, from torch."""
    first, second = p.sort(descending=True).values[:2].tolist()
    values = {
        "entropy": float(torch.distributions.Categorical(probs=p).entropy()),
        "margin": first - second,
    }
    if target is not None:
        values["rank"] = 1.0 + int((p > p[target]).sum())
        values["surprise"] = float(functional.nll_loss(p.log()[None], torch.tensor([target])))
    return values


def near(found: dict[str, float], expected: dict[str, float]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert abs(found[name] - value) < SHOWN, name


def at_column(page: Page, strip: Locator, t: int, timesteps: int, y: float) -> None:
    """Click a column of a picture on the time axis, ``y`` below its top."""
    canvas = strip.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": (t + 0.5) * box["width"] / timesteps, "y": y})
    screen.painted(page)


def test_a_language_model_is_measured_as_torch_measures_it(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_room(open_page, model="shakespeare", text=LINE)
    scores, labels = oracle("shakespeare", LINE)[0], load_model("shakespeare").spec.labels
    targets = [labels.index(character) for character in LINE[1:]]
    shown = {" ": "␣", "\n": "⏎"}
    for t in (0, 3, len(LINE) - 1):
        page.evaluate(
            "(t) => { location.hash = location.hash.replace(/&step=\\d+/, '') + `&step=${t}` }", t
        )
        expect(page.locator("#step-text")).to_contain_text(f"step {t} of")
        screen.painted(page)
        listed, values, line = readout(page)
        top = [labels[n] for n in scores[t].topk(5).indices.tolist()]
        assert listed == [shown.get(label, label) for label in top]
        known = t < len(targets)
        near(values, measured(scores[t], targets[t] if known else None))
        assert ("came next" in line) == known, "after the last token nobody knows"
    loss = float(functional.nll_loss(scores[:-1].log(), torch.tensor(targets)))
    said = page.locator(".predict-summary").inner_text()
    mean, perplexity = re.search(r"surprise ([\d.]+) nats.*?perplexity ([\d.]+)", said).groups()
    assert abs(float(mean) - loss) < SHOWN
    assert abs(float(perplexity) - math.exp(loss)) < 0.006
    # The first place worth going to is the worst of all.
    worst = int(np.argmax([-float(scores[t, n].log()) for t, n in enumerate(targets)]))
    page.locator(".predict-places", has_text="most surprising").locator("button").first.click()
    expect(page.locator("#step-text")).to_contain_text(f"step {worst} of")
    # And all of it as a table.
    page.keyboard.press("t")
    expect(page.locator("#table-view table")).to_be_visible()
    rows = page.evaluate(TABLE)
    assert len(rows) == len(LINE)
    for t, row in enumerate(rows[:-1]):
        expected = measured(scores[t], targets[t])
        found = [float(cell.replace("−", "-")) for cell in row[3:7]]
        np.testing.assert_allclose(
            found, [expected[name] for name in ("surprise", "rank", "entropy", "margin")], atol=2e-4
        )
        assert row[2] == shown.get(LINE[t + 1], LINE[t + 1])


def test_labels_and_text_have_the_colours_of_torchs_probabilities(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_room(open_page, model="shakespeare", text=LINE)
    scores = oracle("shakespeare", LINE)[0]
    picture = pixels(page, "#predict-columns canvas")
    width = picture.shape[1] / len(LINE)
    corners = [int((t + 1) * width) - 5 for t in range(len(LINE))]
    row = picture.shape[0] // 7
    for n in range(2):
        expected = softened(page, scores.topk(2).values[:, n], "sequential", 0, 1)
        found = picture[n * row + 3, corners]
        assert (found[:, 3] == 255).all()
        np.testing.assert_allclose(found[:, :3], expected, atol=NEAR + 1)
    # The text: a token has the surprise of having come; the first has none, and no colour.
    labels = load_model("shakespeare").spec.labels
    surprise = [-float(scores[t, labels.index(ch)].log()) for t, ch in enumerate(LINE[1:])]
    end = math.log(len(labels))
    expected = softened(page, np.array(surprise), "sequential", 0, end)
    canvas = pixels(page, "#predict-text canvas")[0]
    middles = page.evaluate(
        """() => {
          const node = document.querySelector("#predict-text .running-text").firstChild;
          const { left } = document.querySelector("#predict-text canvas").getBoundingClientRect();
          const range = document.createRange();
          return [...node.data].map((_, n) => {
            range.setStart(node, n);
            range.setEnd(node, n + 1);
            const { x, width } = range.getBoundingClientRect();
            return Math.floor(x + width / 2 - left);
          });
        }"""
    )
    assert canvas[middles[0], 3] == 0
    np.testing.assert_allclose(canvas[middles[1:], :3], expected, atol=NEAR + 1)


def test_the_lens_is_the_head_on_a_lower_layer_and_says_so(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_room(open_page, model="tagger-en", text=NEWS)
    model = load_model("tagger-en").double()
    cells = oracle("tagger-en", NEWS)[1]
    both = [cells[0, direction].quantity["h"] for direction in ("forward", "backward")]
    with torch.no_grad():
        scores = torch.softmax(model.head(torch.cat(both, dim=1)), dim=1)
    T = len(NEWS.split())
    expect(page.locator("#predict-note")).to_be_hidden()

    at_column(page, page.locator("#predict-grid"), 4, T, 30)  # the lower of two layers

    expect(page.locator("#step-text")).to_contain_text("step 4 of")
    expect(page.locator("#predict-note")).to_contain_text("reads layer 0")
    page.wait_for_function("() => decodeURIComponent(location.hash).includes('predict=layer:0')")
    pressed = page.locator("#predict-tools [aria-pressed=true]").first
    expect(pressed).to_have_accessible_name("layer 0")
    listed, values, _ = readout(page)
    assert listed == [model.spec.labels[n] for n in scores[4].topk(5).indices.tolist()]
    near(values, measured(scores[4]))
    page.locator("#predict-tools").get_by_role("button", name="layer 1, the top one").click()
    screen.painted(page)
    near(readout(page)[1], measured(oracle("tagger-en", NEWS)[0][4]))


def test_the_least_certain_tag_is_one_click_away(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_room(open_page, model="tagger-en", text=NEWS)
    top = oracle("tagger-en", NEWS)[0].topk(2).values
    expected = int((top[:, 0] - top[:, 1]).argmin())

    page.locator(".predict-places", has_text="least certain").locator("button").first.click()

    expect(page.locator("#step-text")).to_contain_text(f"step {expected} of")
    expect(page.locator("#predict-readout")).to_contain_text(f"after “{NEWS.split()[expected]}”")


def test_a_classifier_has_a_line_for_each_class_and_its_flips(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_room(open_page, model="sentiment", text=REVIEW)
    scores = oracle("sentiment", REVIEW)[0]
    best = scores.argmax(dim=1)
    flips = [t for t in range(1, len(best)) if best[t] != best[t - 1]]
    places = page.locator(".predict-places", has_text="the class changes").locator("button")
    assert [int(place.get_attribute("data-t") or -1) for place in places.all()] == flips
    assert flips, "this review changes its mind"
    for n, t in enumerate(flips):
        places.nth(n).click()
        screen.painted(page)
        expect(page.locator("#step-text")).to_contain_text(f"step {t} of")
        numbers = page.locator(".predict-entry output").all_inner_texts()[:2]
        for found, p in zip(numbers, scores[t].tolist(), strict=True):
            assert abs(float(found) - p) < SHOWN


def test_a_step_repaints_no_picture(open_page: Callable[..., Page]) -> None:
    page = open_room(open_page, model="two", text="the sun is shiny and cold")
    stains = """(stain) => [...document.querySelectorAll("#predictions-view .track canvas")].map(
      (canvas) => {
        const context = canvas.getContext("2d");
        if (stain) {
          context.fillStyle = "#010203";
          context.fillRect(0, 0, 2, 2);
        }
        return [...context.getImageData(0, 0, 1, 1).data].join();
      })"""
    before = page.evaluate(stains, True)
    text = readout(page)[2]

    screen.press(page, "ArrowRight", "ArrowRight")

    assert readout(page)[2] != text
    assert page.evaluate(stains, False) == before == ["1,2,3,255"] * 3


def test_heads_of_numbers_layers_that_do_not_fit_and_no_head_say_what_they_are(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_room(open_page, model="prices", text=PRICES)
    expect(page.locator(".predict-summary")).to_contain_text("numbers, not probabilities")
    value = float(page.locator(".predict-entry output").inner_text().replace("−", "-"))
    step = int(re.search(r"step (\d+)", screen.read(page)["step"])[1])
    assert abs(value - float(oracle("prices", PRICES)[0][step, 0])) < SHOWN
    expect(page.locator("#predict-columns")).to_be_hidden()

    page = open_room(open_page, model="turning", text="the sun is shiny")
    buttons = page.locator("#predict-tools").get_by_role("button", name=re.compile("^layer "))
    assert buttons.first.is_disabled()
    expect(page.locator("#predict-lens")).to_contain_text("The head cannot read layer 0")

    page = open_room(open_page, model="sensors", text=SENSORS)
    expect(page.locator("#predict-note")).to_contain_text("This model has no head")
    expect(page.locator("#predict-tools")).to_be_hidden()
