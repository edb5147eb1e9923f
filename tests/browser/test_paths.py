"""Paths: the states of all timesteps as points, against numpy's SVD of torch's states."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.pictures import pixels

TEXT = "the sun is shiny and cold in every long winter"
OTHER = "the winter is long"
CELLS = [(1, "forward"), (1, "backward"), (0, "forward"), (0, "backward")]
#: Half a unit in the last place of the table, and float32 against float64.
SHOWN = 0.0001
#: Room around the points of a panel, and its name above, in pixels.
SIDE, TOP, BOTTOM, HEAD = 34, 14, 30, 26


def principal(
    arrays: Sequence[Any], components: int = 3
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Points of each (T, U), and shares of variance: the SVD of all rows less their mean."""
    tables = [np.asarray(values, dtype=np.float64) for values in arrays]
    rows = np.concatenate(tables)
    mean = rows.mean(axis=0)
    _, singular, vectors = np.linalg.svd(rows - mean, full_matrices=False)
    largest = np.abs(vectors).argmax(axis=1)
    vectors *= np.sign(vectors[np.arange(len(vectors)), largest])[:, None]
    points = [(table - mean) @ vectors[:components].T for table in tables]
    shares = singular**2 / np.sum(singular**2)
    return points, shares, mean


def open_paths(open_page: Callable[..., Page], paths: str = "", **link: object) -> Page:
    options = {key: link.pop(key) for key in ("width", "height", "reduced_motion") if key in link}
    page = open_page(screen.link(tab="paths", paths=paths, **link), **options)
    screen.ready(page)
    return painted(page)


def painted(page: Page) -> Page:
    expect(page.locator("#paths-picture")).to_be_visible()
    expect(page.locator(".paths-progress")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    screen.painted(page)
    return page


def table(page: Page) -> list[dict[str, str]]:
    """Every row that the table of this view shows."""
    page.locator("#flow").focus()
    page.keyboard.press("t")
    page.locator("#table-view").wait_for()
    columns, rows = page.evaluate(
        """() => [
          [...document.querySelectorAll("#table-view th[scope=col]")].map(th => th.textContent),
          [...document.querySelectorAll("#table-view tbody tr")].map(
            row => [...row.children].map(cell => cell.textContent)),
        ]"""
    )
    page.keyboard.press("Escape")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def points_of(rows: list[dict[str, str]], dims: int, **of: str) -> np.ndarray:
    """(T, dims) of one path of the table."""
    own = [row for row in rows if all(row[key] == value for key, value in of.items())]
    return np.array(
        [[float(screen.number(row[f"PC {n + 1}"])) for n in range(dims)] for row in own]
    )


def places(page: Page, points: np.ndarray) -> np.ndarray:
    """Where the points of a panel that has the picture for itself are, in pixels of the page."""
    box = page.locator("#paths-picture").bounding_box()
    assert box is not None
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    room = np.array([box["width"] - 2 * SIDE, box["height"] - HEAD - TOP - BOTTOM])
    scale = (room / (high - low)).min()
    middle = np.array([SIDE, HEAD + TOP]) + room / 2
    found = middle + (points[:, :2] - (low + high) / 2) * [scale, -scale]
    return np.asarray(found + np.array([box["x"], box["y"]]))


def test_paths_have_the_coordinates_of_the_svd_of_torchs_states(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_paths(open_page, "dims:3", model="two", text=TEXT)
    rows = table(page)
    cells = oracle("two", TEXT)[1]
    held = []
    for layer, direction in CELLS:
        (expected,), shares, _ = principal([cells[layer, direction].quantity["h"]])
        shown = points_of(rows, 3, layer=str(layer), direction=direction)
        np.testing.assert_allclose(shown, expected, atol=SHOWN)
        held.append(f"{100 * shares[:3].sum():.0f}")
    assert [row["token"] for row in rows[: len(TEXT.split())]] == TEXT.split()
    expect(page.locator("#paths-explained")).to_contain_text(
        f"holds {min(held)} to {max(held)}\u00a0% of the variance"
    )
    # Another quantity has other paths.
    page.locator("#paths-tools").get_by_role("button", name="c, cell state").click()
    painted(page)
    (expected,), *_ = principal([cells[0, "backward"].quantity["c"]])
    shown = points_of(table(page), 3, layer="0", direction="backward")
    np.testing.assert_allclose(shown, expected, atol=SHOWN)
    page.wait_for_function("() => decodeURIComponent(location.hash).includes('paths=of:c;dims:3')")


def test_every_point_is_drawn_in_its_place_and_leads_to_its_timestep(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_paths(open_page, "cells:1.backward;tokens:0", model="two", text=TEXT, step=4)
    tokens = TEXT.split()
    (points,), *_ = principal([oracle("two", TEXT)[1][1, "backward"].quantity["h"]])
    at = places(page, points)
    box = page.locator("#paths-picture").bounding_box()
    assert box is not None
    # Backward, from the last token on, everything down to the current one has been passed.
    drawn = pixels(page, "#paths-picture canvas:nth-of-type(3)")[..., 3]
    for t, (x, y) in enumerate(at - [box["x"], box["y"]]):
        assert (drawn[int(y), int(x)] > 200) == (t >= 4), t
    for t in (7, 2, 9):
        page.mouse.move(*at[t])
        tooltip = page.locator("#tooltip")
        expect(tooltip).to_contain_text(f"“{tokens[t]}” · timestep {t}")
        expect(tooltip).to_contain_text("layer 1 backward · h")
        shown = re.findall(r"PC \d = (.+)", tooltip.inner_text())
        found = [float(screen.number(text)) for text in shown]
        np.testing.assert_allclose(found, points[t, :2], atol=SHOWN)
        page.mouse.click(*at[t])
        expect(page.locator("#step-text")).to_have_text(f"step {t} of {len(tokens) - 1}")
    expect(page.locator("#cell-title")).to_contain_text("layer 1 · backward")
    # The transport moves on, and what is said with it.
    page.locator("#flow").focus()
    screen.press(page, "Home", "ArrowRight")
    expect(page.locator("#paths-words")).to_contain_text("layer 1 backward at timestep 1 “sun”")
    drawn = pixels(page, "#paths-picture canvas:nth-of-type(3)")[..., 3]
    x, y = at[0] - [box["x"], box["y"]]
    assert drawn[int(y), int(x)] < 200


def test_several_sentences_are_in_one_space_with_a_look_of_their_own(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_paths(open_page, "cells:0.forward,0.backward", model="two", text=TEXT)
    page.locator("#paths-sentences-button").click()
    box = page.locator("#paths-sentences")
    box.get_by_role("checkbox", name=OTHER).check()
    expect(box).to_contain_text("1 of 20 chosen")
    page.keyboard.press("Escape")
    expect(page.locator("#paths-legend")).to_contain_text(OTHER)
    page.get_by_role("combobox", name="Space").select_option("shared")
    painted(page)
    states = [oracle("two", text)[1] for text in (TEXT, OTHER)]
    directions = ("forward", "backward")
    arrays = [state[0, direction].quantity["h"] for state in states for direction in directions]
    expected, *_ = principal(arrays)
    rows = table(page)
    for n, sentence in enumerate((TEXT, OTHER)):
        title = next(row["sentence"] for row in rows if row["sentence"][:7] == sentence[:7])
        for k, direction in enumerate(directions):
            shown = points_of(rows, 2, direction=direction, sentence=title)
            np.testing.assert_allclose(shown, expected[2 * n + k][:, :2], atol=SHOWN)
    # Cells by colour and shape, sentences by dashes; and a link brings all of it back.
    expect(page.locator("#paths-legend .entry-of-path")).to_have_count(4)
    page.wait_for_function("() => /space:shared;also:e1/.test(decodeURIComponent(location.hash))")
    page.reload()
    screen.ready(page)
    painted(page)
    assert table(page) == rows
    # The run is pinned, another sentence is read, and both are there.
    page.locator("#paths-sentences-button").click()
    box.get_by_role("button", name="None").click()
    box.get_by_role("button", name="Pin this run").click()
    page.keyboard.press("Escape")
    screen.record(page, OTHER)
    painted(page)
    expect(page.locator("#paths-legend")).to_contain_text(f"pinned: {TEXT[:20]}")
    expect(page.locator("#paths-legend")).to_contain_text(f"{OTHER} (on the screen)")


def test_a_space_is_turned_by_keys_and_by_dragging(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_paths(open_page, "cells:1.forward;dims:3;turn:0,0", model="two", text=TEXT, step=3)
    picture = page.locator("#paths-picture")
    picture.focus()
    screen.press(page, "ArrowRight", "ArrowRight", "ArrowDown")
    page.wait_for_function("() => decodeURIComponent(location.hash).includes('turn:20,10')")
    expect(page.locator("#step-text")).to_contain_text("step 3 of")
    # Turned, points lie where a rotation puts them.
    (points,), *_ = principal([oracle("two", TEXT)[1][1, "forward"].quantity["h"]])
    centred = points - (points.min(axis=0) + points.max(axis=0)) / 2
    yaw, pitch = np.radians([20, 10])
    x = centred[:, 0] * np.cos(yaw) + centred[:, 2] * np.sin(yaw)
    z = centred[:, 2] * np.cos(yaw) - centred[:, 0] * np.sin(yaw)
    y = centred[:, 1] * np.cos(pitch) - z * np.sin(pitch)
    shape = np.stack([x, y], axis=1)
    box = picture.bounding_box()
    assert box is not None
    middle = [
        box["x"] + box["width"] / 2,
        box["y"] + HEAD + TOP + (box["height"] - HEAD - TOP - BOTTOM) / 2,
    ]
    far = np.hypot(centred[:, 0], centred[:, 2]).max()
    height = (
        np.abs(centred[:, 1]) * np.cos(pitch)
        + np.hypot(centred[:, 0], centred[:, 2]) * np.sin(pitch)
    ).max()
    room = np.array([box["width"] - 2 * SIDE, box["height"] - HEAD - TOP - BOTTOM]) / 2
    scale = (room / [far, height]).min()
    for t in (0, 5, 8):
        page.mouse.move(*(middle + shape[t] * [scale, -scale]))
        expect(page.locator("#tooltip")).to_contain_text(f"timestep {t}")
        expect(page.locator("#tooltip")).to_contain_text("PC 3 =")
    # A drag turns it, too; nothing is selected by it.
    page.mouse.move(middle[0] + 40, middle[1])
    page.mouse.down()
    page.mouse.move(middle[0] + 100, middle[1], steps=4)
    page.mouse.up()
    page.wait_for_function(r"() => /turn:[3-5]\d,10/.test(decodeURIComponent(location.hash))")
    expect(page.locator("#step-text")).to_contain_text("step 3 of")
    page.get_by_role("button", name="Turn back").click()
    page.wait_for_function("() => !location.hash.includes('turn')")


@pytest.mark.parametrize(
    ("model", "text", "paths", "said"),
    [
        ("one", "sun", "", "There is one timestep, hence a single point"),
        ("broken", OTHER, "", "4 points of 8 are left out: h is not a finite number there"),
    ],
)
def test_what_has_no_path_says_so(
    open_page: Callable[..., Page], model: str, text: str, paths: str, said: str
) -> None:
    page = open_paths(open_page, paths, model=model, text=text)
    expect(page.locator("#paths-notes")).to_contain_text(said)


def test_one_space_needs_layers_of_one_width(open_page: Callable[..., Page]) -> None:
    page = open_paths(open_page, "space:shared", model="chain", text=TEXT)
    space = page.get_by_role("combobox", name="Space")
    expect(space).to_have_value("own")
    expect(space.locator("option[value=shared]")).to_be_disabled()
    assert "as many units: these have 6 and 12" in (space.get_attribute("title") or "")
    # Without the narrow one there is one space again.
    page.locator("#paths-tools").get_by_role("button", name="layer 2 forward").click()
    painted(page)
    expect(space).to_have_value("shared")
    expect(page.locator(".paths-heads > *")).to_have_count(1)


#: Arrays as the page keeps them, through the module a saved session asks instead of a server.
COMPONENTS = """async ({ shape, data }) => {
  const { principalPaths } = await import("/js/paths/components.js");
  const arrays = data.map((rows) => ({
    shape: [rows.length / shape, shape],
    data: Float64Array.from(rows),
  }));
  const { points, explained } = principalPaths(arrays, 3);
  return { points: points.map(({ data }) => [...data]), explained };
}"""


def test_the_page_finds_the_same_components_where_there_is_no_server(
    page: Page, oracle: Callable[..., Any]
) -> None:
    random = np.random.default_rng(0)
    waves = np.cumsum(random.normal(size=(300, 60)) * np.linspace(2, 0.1, 60), axis=0)
    states = oracle("two", TEXT)[1][1, "forward"].quantity["h"].numpy()
    for arrays in ([states], [waves[:40], waves[40:]], [random.normal(size=(9, 80))]):
        given = {"shape": arrays[0].shape[1], "data": [rows.ravel().tolist() for rows in arrays]}
        found = page.evaluate(COMPONENTS, given)
        expected, shares, _ = principal(arrays)
        np.testing.assert_allclose(found["explained"], shares[:3], rtol=1e-9)
        for points, own in zip(found["points"], expected, strict=True):
            np.testing.assert_allclose(np.reshape(points, (-1, 3)), own, rtol=1e-5, atol=1e-5)
