"""Compare: two states beside each other, against torch's numbers and numpy's formulas."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.pictures import NEAR, SCALES, colours, pixels

TEXT = "the sun is shiny and cold"
OTHER = "the sun was very shiny and cold"
#: Half a unit in the last place shown, and float32 against float64.
SHOWN = 0.00052


def open_compare(open_page: Callable[..., Page], **link: object) -> Page:
    options = {key: link.pop(key) for key in ("width", "height", "color_scheme") if key in link}
    page = screen.ready(open_page(screen.link(tab="compare", **link), **options))
    return painted(page)


def painted(page: Page) -> Page:
    """Wait until the numbers of the pair have come."""
    expect(page.locator("[data-number=cka]")).to_have_text(re.compile(r"\d|not defined"))
    expect(page.locator("#compare-matrix .matrix.stale")).to_have_count(0)
    expect(page.locator("#compare-canvas")).not_to_have_class(re.compile("waiting"))
    page.evaluate(screen.FRAMES)
    return page


def linear_cka(x: Any, y: Any) -> float:
    """By Gram matrices, as HSIC is defined; the product uses the smaller products of features."""
    x, y = (np.asarray(of, dtype=np.float64) for of in (x, y))
    centre = np.eye(len(x)) - 1 / len(x)
    a, b = (centre @ of @ of.T @ centre for of in (x, y))
    return float(np.trace(a @ b) / np.sqrt(np.trace(a @ a) * np.trace(b @ b)))


def cosines(x: Any, y: Any) -> np.ndarray:
    x, y = (np.asarray(of, dtype=np.float64) for of in (x, y))
    return (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)


def relatives(x: Any, y: Any) -> np.ndarray:
    x, y = (np.asarray(of, dtype=np.float64) for of in (x, y))
    norms = [np.linalg.norm(of, axis=1) for of in (x, y)]
    return 2 * np.linalg.norm(x - y, axis=1) / (norms[0] + norms[1])


def value(page: Page, selector: str) -> float:
    return float(screen.number(page.locator(selector).inner_text()))


def measured(page: Page) -> dict[str, float]:
    """The numbers beside the lines, at the cursor."""
    names = ("cosine", "relative", "norm", "other_norm")
    return {name: value(page, f"[data-measure={name}]") for name in names}


def test_two_directions_side_by_side_are_torchs_and_say_what_each_has_read(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_compare(open_page, model="two", text=TEXT, layer=1, step=2)
    tokens = TEXT.split()
    cells = oracle("two", TEXT)[1]
    forward, backward = (np.asarray(cells[1, way].quantity["h"]) for way in ("forward", "backward"))
    # The other direction suggests itself.
    expect(page.locator(".compare-sentence")).to_contain_text(
        "h of layer 1 forward beside the hidden state h of layer 1 backward"
    )
    for t in (2, 3):
        found = measured(page)
        assert found["cosine"] == pytest.approx(cosines(forward, backward)[t], abs=SHOWN)
        assert found["relative"] == pytest.approx(relatives(forward, backward)[t], abs=SHOWN)
        assert found["norm"] == pytest.approx(np.linalg.norm(forward[t]), abs=SHOWN)
        assert found["other_norm"] == pytest.approx(np.linalg.norm(backward[t]), abs=SHOWN)
        page.locator("#flow").focus()
        screen.press(page, "ArrowRight")
    assert value(page, "[data-number=cka]") == pytest.approx(
        linear_cka(forward, backward), abs=SHOWN
    )
    assert value(page, "[data-number=cosine]") == pytest.approx(
        cosines(forward, backward).mean(), abs=SHOWN
    )

    # Three pictures, a pixel for each column: this side, the other, what is left.
    drawn = pixels(page, "#compare-canvas")[..., :3]
    labels = page.locator(".compare-label")
    expect(labels).to_have_count(3)
    end = float(labels.nth(2).locator(".ends").evaluate("node => node.lastChild.textContent"))
    difference = forward - backward
    assert np.abs(difference).max() <= end <= 1.1 * np.abs(difference).max()
    heights = [int(box["height"]) for box in screen.boxes(page, ".compare-label")]
    top = 0
    for values, limit, height in zip(
        (forward, backward, difference), (1, 1, end), heights, strict=True
    ):
        each = height // 6
        rows = drawn[top : top + height][each // 2 :: each]
        expected = colours(page, values.T, SCALES["h"][0], -limit, limit)
        # Half precision on the way, and 256 colours.
        np.testing.assert_allclose(rows[:6], expected, atol=NEAR + 2)
        top += height + 6

    # What each has read, at the cursor; h_n's backward half is from the first token.
    strip = page.locator("#compare-directions")
    expect(strip).to_contain_text("At timestep 4 forward → has read 0 to 4: the sun is shiny and")
    expect(strip).to_contain_text("backward has read 5 back to 4: cold and.")
    expect(strip).to_contain_text("[h forward(4) | h backward(4)], 6 + 6 = 12 numbers")
    expect(strip).to_contain_text("output[-1] is not h_n")
    strip.get_by_role("button", name="0 “the”").click()
    expect(page.locator("#step-text")).to_have_text("step 0 of 5")
    expect(page.locator('#token-pairs [data-t="0"] .end-of')).to_have_text("h_n ←")
    expect(page.locator(f'#token-pairs [data-t="{len(tokens) - 1}"] .end-of')).to_have_text("h_n →")

    # The value under the pointer is the recorded one; a click goes there, and takes the unit along.
    box = page.locator("#compare-track").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 2.5 / 6, box["y"] + heights[0] * 3.5 / 6
    page.mouse.move(x, y)
    page.mouse.move(x + 1, y)
    expect(page.locator("#tooltip")).to_contain_text("difference = ")
    found = [
        float(screen.number(n))
        for n in re.findall(r"= (.+)", page.locator("#tooltip").inner_text())
    ]
    assert found == pytest.approx([forward[2, 3], backward[2, 3], difference[2, 3]], abs=2e-6)
    page.mouse.click(x, y)
    expect(page.locator("#step-text")).to_have_text("step 2 of 5")
    # Units are selected here as in every heatmap: Shift and a drag.
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(x, y + heights[0] / 6)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.locator("#units-button")).to_contain_text("2")
    page.wait_for_function("() => location.hash.includes('1.forward:3-4')")
    best = np.corrcoef(forward.T, backward.T)[3, 6:]
    match = int(np.abs(best).argmax())
    expect(page.locator(".match-of")).to_contain_text(
        f"Unit 3 moves most like unit {match} of the other side, r "
        + f"{best[match]:.3f}".replace("-", "−")
    )


def test_every_cell_with_every_cell_is_clicked_into_and_in_the_link(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_compare(open_page, model="two", text=TEXT, layer=1)
    cells = oracle("two", TEXT)[1]

    def is_cka_of(quantity: str) -> None:
        for a, one in cells.items():
            for b, other in cells.items():
                name = f"layer {a[0]} {a[1]} with layer {b[0]} {b[1]}: CKA "
                square = page.locator(f'.matrix button[aria-label^="{name}"]')
                shown = float((square.get_attribute("aria-label") or "").rsplit(" ", 1)[1])
                expected = linear_cka(one.quantity[quantity], other.quantity[quantity])
                assert shown == pytest.approx(expected, abs=0.0051), name

    is_cka_of("h")
    page.locator(".matrix [data-own='0.backward.h'][data-other='1.backward.h']").click()
    painted(page)
    expect(page.locator(".compare-sentence")).to_contain_text("layer 0 backward beside")
    expect(page.locator("#network-labels [aria-pressed=true]")).to_contain_text("layer 0 ←")
    page.wait_for_function("() => location.hash.includes('compare=with:1.backward.h')")
    # With the keyboard from square to square.
    page.locator(".matrix [aria-pressed=true]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Tab")
    page.locator("#compare-tools .chips [value=c]").click()
    painted(page)
    expect(page.locator("#compare-matrix h3")).to_contain_text("CKA of c")
    is_cka_of("c")
    # The other side follows.
    page.wait_for_function("() => location.hash.includes('of:c;with:1.backward.c')")
    pair = [
        np.asarray(cells[0, "backward"].quantity["c"]),
        np.asarray(cells[1, "backward"].quantity["c"]),
    ]
    assert value(page, "[data-number=cka]") == pytest.approx(linear_cka(*pair), abs=SHOWN)
    again = open_page("/#" + page.url.split("#", 1)[1])
    painted(screen.ready(again))
    expect(again.locator(".compare-sentence")).to_contain_text("c of layer 0 backward beside")


def test_one_click_edits_a_word_pins_the_run_and_aligns_both(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_compare(open_page, model="two", text=TEXT, layer=0, direction="forward", unit=2)
    page.locator('#token-pairs [data-t="2"] button').click()
    field = page.locator(".word-editor input")
    expect(field).to_be_focused()
    expect(field).to_have_value("is")
    field.fill("was very")
    field.press("Enter")
    expect(page.locator("#text")).to_have_value(OTHER)
    expect(page.locator("#tab-compare .pin-badge")).to_be_visible()
    expect(page.locator("#token-pairs .replaced, #token-pairs .only")).to_have_count(2)
    painted(page)
    pairs = page.locator("#token-pairs .pair")
    kinds = [
        re.sub("pair|now", "", pairs.nth(t).get_attribute("class") or "").strip() for t in range(7)
    ]
    assert sorted(kinds[2:4]) == ["only", "replaced"]
    assert set(kinds[:2] + kinds[4:]) == {"same"}
    theirs = [pairs.nth(t).locator(".theirs").inner_text() for t in range(7)]
    assert [text for text in theirs if text != "–"] == TEXT.split()

    # States, aligned: those of the timesteps that have a partner.
    mine, before = (oracle("two", text)[1][0, "forward"].quantity["h"] for text in (OTHER, TEXT))
    partner = [0, 1, None, None, 3, 4, 5]
    partner[kinds.index("replaced")] = 2
    kept = [t for t in range(7) if partner[t] is not None]
    a, b = np.asarray(mine)[kept], np.asarray(before)[[partner[t] for t in kept]]
    assert value(page, "[data-number=cka]") == pytest.approx(linear_cka(a, b), abs=SHOWN)
    assert value(page, "[data-number=cosine]") == pytest.approx(cosines(a, b).mean(), abs=SHOWN)
    far = [t for t, distance in zip(kept, relatives(a, b), strict=True) if distance > 0.5]
    parts = min([*far, kinds.index("only")])
    expect(page.locator(".parts-at")).to_contain_text(f"at timestep {parts},")
    page.get_by_role("button", name="Go there").click()
    expect(page.locator("#step-text")).to_have_text(f"step {parts} of 6")
    threshold = page.get_by_role("spinbutton", name="Threshold of the relative distance")
    threshold.fill("0.001")
    threshold.press("Tab")
    near = [t for t, distance in zip(kept, relatives(a, b), strict=True) if distance > 0.001]
    expect(page.locator(".parts-at")).to_contain_text(
        f"at timestep {min([*near, kinds.index('only')])},"
    )
    page.wait_for_function("() => location.hash.includes('threshold:0.001')")
    # The same labels: how much probability moved, and to what.
    now, then = (np.asarray(oracle("two", text)[0]) for text in (OTHER, TEXT))
    moved = 0.5 * np.abs(now[6] - then[5]).sum()
    title = pairs.nth(6).locator(".says").get_attribute("title") or ""
    assert f"{round(100 * moved)} % of the probability moved" in title

    page.get_by_role("button", name="Swap").click()
    expect(page.locator("#text")).to_have_value(TEXT)
    expect(page.locator("#token-pairs .lost")).to_have_text(re.compile("^−(was|very)$"))
    page.get_by_role("button", name="Unpin").click()
    expect(page.locator("#tab-compare .pin-badge")).to_be_hidden()
    painted(page)
    expect(page.locator(".compare-sentence")).to_contain_text("beside")
    page.locator("#flow").focus()
    page.keyboard.press("p")
    expect(page.locator("#tab-compare .pin-badge")).to_be_visible()


def test_a_slider_compares_with_the_weights_along_the_training(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    text = "A wonderful film"
    page = screen.ready(open_page(screen.link(tab="compare", model="sentiment", text=text)))
    expect(page.locator("#compare-tools .note")).to_contain_text("two of its quantities")
    slider = page.locator("#compare-checkpoint")
    slider.focus()
    slider.press("Home")
    expect(page.locator(".compare-sentence")).to_contain_text("Both read the same tokens.")
    painted(page)
    models = page.evaluate("fetch('api/models').then((answer) => answer.json())")
    known = next(model for model in models if model["id"] == "sentiment")
    first = known["checkpoints"][0]
    expect(page.locator(".training output")).to_contain_text(f"step {first['step']} of")
    expect(page.locator(".training output")).to_contain_text(
        f"validation {first['validation']:.3f}"
    )
    last = oracle("sentiment", text)[1][0, "forward"].quantity["h"]
    then = oracle(first["id"], text)[1][0, "forward"].quantity["h"]
    assert value(page, "[data-number=cosine]") == pytest.approx(
        cosines(last, then).mean(), abs=SHOWN
    )
    # At its other end nothing is pinned any more.
    slider.press("End")
    expect(page.locator("#compare-tools .note")).to_contain_text("two of its quantities")


def test_cka_over_a_set_of_sentences_has_the_timesteps_of_all(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_compare(open_page, model="letters", text="to be", layer=2)
    models = page.evaluate("fetch('api/models').then((answer) => answer.json())")
    texts = ["to be", *next(model for model in models if model["id"] == "letters")["examples"]]
    page.get_by_role("combobox", name="CKA is over").select_option("set")
    painted(page)
    a, b = (
        np.concatenate(
            [oracle("letters", text)[1][layer, "forward"].quantity["h"] for text in texts]
        )
        for layer in (2, 1)
    )
    expect(page.locator("#compare-numbers .over")).to_have_text(
        f"over {len(a)} timesteps of all sentences"
    )
    assert value(page, "[data-number=cka]") == pytest.approx(linear_cka(a, b), abs=SHOWN)
    page.wait_for_function("() => location.hash.includes('compare=over:set')")


def test_cka_of_two_models_is_over_the_same_set_of_sentences(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_compare(open_page, model="two", text=TEXT, layer=1, pinModel="projected")
    models = page.evaluate("fetch('api/models').then((answer) => answer.json())")
    examples = next(model for model in models if model["id"] == "two")["examples"]
    texts = list(dict.fromkeys([TEXT, *examples]))
    page.get_by_role("combobox", name="CKA is over").select_option("set")
    painted(page)
    a, b = (
        np.concatenate([oracle(model, text)[1][1, "forward"].quantity["h"] for text in texts])
        for model in ("two", "projected")
    )
    expect(page.locator("#compare-numbers .over")).to_have_text(
        f"over {len(a)} timesteps of all sentences"
    )
    assert value(page, "[data-number=cka]") == pytest.approx(linear_cka(a, b), abs=SHOWN)


@pytest.mark.parametrize(
    ("link", "says", "cka"),
    [
        ({"model": "turning", "text": TEXT, "layer": 3}, "need equal widths", r"\d"),
        ({"model": "two", "text": "sun"}, "CKA is not defined", "not defined"),
        ({"model": "broken", "text": TEXT, "layer": 1}, "timesteps", "not defined"),
    ],
)
def test_what_cannot_be_compared_is_said(
    open_page: Callable[..., Page], link: dict[str, Any], says: str, cka: str
) -> None:
    page = open_compare(open_page, **link)
    expect(page.locator("#compare-view")).to_contain_text(says)
    expect(page.locator("[data-number=cka]")).to_have_text(re.compile(cka))


def test_the_comparison_is_a_table_and_a_picture(open_page: Callable[..., Page]) -> None:
    page = open_compare(open_page, model="two", text=TEXT, layer=1)
    page.locator("#flow").focus()
    page.keyboard.press("t")
    table = page.locator("#table-view table")
    expect(table.locator("tbody tr")).to_have_count(6)
    expect(table.locator("thead")).to_contain_text("relative distance")
    page.keyboard.press("Escape")
