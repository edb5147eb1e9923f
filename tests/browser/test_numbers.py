"""Every number on the screen is PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.models import PRICES, SENSORS
from tests.browser.oracle import Cell

HALF = 0.0005 + 2e-5  # half a unit of the last shown place, and what float32 is off
ONE = 0.001 + 2e-5

WINTER = "the winter is shiny and cold"


def compare(
    page: Page,
    cells: dict[tuple[int, str], Cell],
    cell: tuple[int, str],
    timestep: int,
    unit: int,
) -> None:
    """Everything the panel "One cell" shows."""
    shown = screen.read(page)
    layer, direction = cell
    assert f"layer {layer} · {direction} · timestep {timestep} " in shown["title"]
    expected = cells[cell]
    value = {q: float(v[timestep, unit]) for q, v in expected.quantity.items() if unit < v.shape[1]}
    for q, text in shown["strips"].items():
        if q not in value:  # a projected h has fewer units
            assert text == "–"
            continue
        assert float(screen.number(text)) == pytest.approx(value[q], abs=HALF), q
        assert shown["diagram"][q] == text, q
    c_before = float(expected.c_before[timestep, unit])
    assert float(screen.number(shown["diagram"]["c before"])) == pytest.approx(c_before, abs=HALF)

    for gate, texts in shown["gates"].items():
        *terms, z, result = [screen.number(text) for text in texts]
        assert sum(terms) == z, f"{gate}: the shown terms do not add up: {texts}"
        parts = (expected.Wx[gate][timestep], expected.Uh[gate][timestep], expected.b[gate])
        for term, part in zip(terms, parts, strict=True):
            assert float(term) == pytest.approx(float(part[unit]), abs=ONE), gate
        assert float(z) == pytest.approx(float(expected.z[gate][timestep, unit]), abs=HALF), gate
        assert float(result) == pytest.approx(value[gate], abs=HALF), gate

    f, c_old, i, g, kept, written, c = screen.numbers(shown["c"])
    assert kept + written == c, f"the shown products do not add up: {shown['c']}"
    for number, exact in ((f, value["f"]), (c_old, c_before), (i, value["i"]), (g, value["g"])):
        assert float(number) == pytest.approx(exact, abs=HALF)
    assert float(kept) == pytest.approx(value["f"] * c_before, abs=ONE)
    assert float(written) == pytest.approx(value["i"] * value["g"], abs=ONE)
    assert float(c) == pytest.approx(value["c"], abs=HALF)

    tanh = float(expected.quantity["c"][timestep, unit].tanh())
    o, squashed, h = screen.numbers(shown["h"])
    assert float(o) == pytest.approx(value["o"], abs=HALF)
    assert float(squashed) == pytest.approx(tanh, abs=HALF)
    assert float(h) == pytest.approx(value["o"] * tanh, abs=HALF)


def test_a_typed_sentence_stepped_with_the_keyboard_shows_torchs_numbers(
    page: Page, oracle: Callable[..., Any]
) -> None:
    sentence = "The old man the boats near Xyzzyville"
    screen.ready(page)
    page.locator("#text").fill(sentence)
    page.locator("#text").press("Enter")
    expect(page.locator("#tokens .column")).to_have_count(7)
    screen.ready(page)
    assert screen.tokens(page) == sentence.split()
    page.locator("#flow").focus()  # out of the box: from here on keys step
    _, cells = oracle("tagger-en", sentence)

    compare(page, cells, (1, "forward"), 0, 0)
    screen.press(page, "ArrowRight", "ArrowRight")
    compare(page, cells, (1, "forward"), 2, 0)
    screen.press(page, "End", "]")
    compare(page, cells, (1, "forward"), 6, 1)
    screen.press(page, "ArrowLeft", "ArrowDown")
    compare(page, cells, (1, "backward"), 5, 1)
    screen.press(page, "ArrowDown", "}", "Home")
    compare(page, cells, (0, "forward"), 0, 11)
    screen.press(page, "ArrowDown", "[")
    compare(page, cells, (0, "backward"), 0, 10)
    screen.press(page, "Shift+ArrowRight")  # ten on, but there are only six
    compare(page, cells, (0, "backward"), 6, 10)
    screen.press(page, "ArrowUp", "{", "{")
    compare(page, cells, (0, "forward"), 6, 0)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        *((model, WINTER) for model in ("one", "eight", "projected", "wide")),
        *((model, WINTER) for model in ("chain", "backward", "cells", "turning")),
        ("letters", "the sun?"),
        ("bytes", "né 🙂"),
        ("prices", PRICES),
        ("sensors", SENSORS),
    ],
    ids=lambda value: value if len(value) < 10 else "",
)
def test_the_numbers_are_torchs_for_every_shape_of_lstm(
    open_page: Callable[..., Page], oracle: Callable[..., Any], model: str, text: str
) -> None:
    page = screen.ready(open_page(screen.link(model=model, text=text, step=3, unit=4)))
    _, cells = oracle(model, text)
    top = max(layer for layer, _ in cells)
    screen.press(page, "ArrowUp")
    for layer in sorted({0, top // 2, top}):
        for direction in [d for n, d in cells if n == layer]:
            screen.row(page, f"layer {layer} {direction}").click()
            timesteps, units = cells[layer, direction].c_before.shape
            expect(page.locator("#unit-count")).to_have_text(f"of {units}")
            for key, timestep, unit in (("End", timesteps - 1, 4), ("Home", 0, units - 1)):
                page.locator("#unit").fill(str(unit))
                page.locator("#unit").press("Tab")
                screen.press(page, key)
                compare(page, cells, (layer, direction), timestep, unit)


def test_a_projected_h_says_what_it_is(open_page: Callable[..., Page], oracle) -> None:
    text = "the sun is cold"
    page = screen.ready(open_page(screen.link(model="projected", text=text, step=2, unit=3)))
    _, cells = oracle("projected", text)
    h = float(cells[1, "forward"].quantity["h"][2, 3])
    shown = screen.read(page)
    assert shown["h"].startswith("m = ")
    assert "from 16 units to 5" in shown["note"]
    assert float(screen.numbers(shown["note"])[-1]) == pytest.approx(h, abs=HALF)
    page.locator("#unit").fill("9")
    page.locator("#unit").press("Enter")
    screen.painted(page)
    assert "Unit 9 has no h of its own" in screen.read(page)["note"]


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("tagger-en", "Can the can open?"),
        ("letters", "to be or"),
        ("chain", WINTER),
        ("cells", WINTER),
        ("judge", WINTER),
        ("names", "dvorak"),
        ("pooled", WINTER),
    ],
)
def test_the_predictions_are_torchs(
    open_page: Callable[..., Page], oracle: Callable[..., Any], model: str, text: str
) -> None:
    page = screen.ready(open_page(screen.link(model=model, text=text)))
    probabilities, _ = oracle(model, text)
    labels = page.evaluate("model => fetch(`api/models/${model}`).then(r => r.json())", model)
    names = [label.replace(" ", "␣").replace("\n", "⏎") for label in labels["labels"]]
    under = page.locator("#tokens .prediction")
    for t, row in enumerate(probabilities):
        best = int(row.argmax())
        assert under.nth(t).text_content() == names[best]
        line = under.nth(t).get_attribute("title").split("\n")[0]
        name, _, percent = line.removesuffix(" %").rpartition(": ")
        assert name == names[best]
        assert float(percent) == pytest.approx(100 * float(row[best]), abs=0.051)
    page.locator("#flow").focus()
    for t, row in enumerate(probabilities):
        values, ids = row.topk(min(5, len(row)))
        five = page.locator("#predictions li:not([hidden])").evaluate_all(
            "rows => rows.map(row => [row.children[0].textContent, row.children[2].textContent])"
        )
        assert [name for name, _ in five] == [names[n] for n in ids], f"timestep {t}"
        shown = [float(percent.removesuffix(" %")) for _, percent in five]
        assert shown == pytest.approx([100 * float(v) for v in values], abs=0.051)
        screen.press(page, "ArrowRight")


def test_the_badge_shows_the_recordings_parity_and_float64_makes_it_smaller(
    page: Page, server
) -> None:
    screen.ready(page)
    text = page.locator("#text").input_value()
    badge = page.locator("#parity")
    differences = {}
    for precision in ("float32", "float64"):
        body = {"model": "tagger-en", "text": text, "precision": precision}
        parity = server.post("/api/recordings", body)["parity"]
        differences[precision] = parity["difference"]
        mantissa, _, exponent = f"{parity['difference']:.0e}".partition("e")
        expect(badge).to_have_text(f"= nn.LSTM ✓ {mantissa}e{int(exponent)}".replace("-", "−"))
        badge.click()
        expect(page.locator("#parity-details")).to_contain_text("Equal to PyTorch")
        expect(page.locator("#parity-details")).not_to_contain_text("NaN")
        if precision == "float32":
            page.get_by_role("button", name="Record again in float64").click()
            expect(page.locator("#parity-details")).to_be_hidden()
    assert 0 < differences["float32"] < 1e-5
    assert differences["float64"] < 1e-12
