"""Texts too long to fetch: pictures as fine as the screen, exact numbers at the cursor."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Error, Page, Request, Route, expect

from tests.browser import screen
from tests.browser.pictures import NEAR, SCALES, colours, furthest, heatmap, rows
from tests.browser.test_numbers import compare
from tests.browser.test_states import axis, eventually
from tests.serving import RunningServer

WORDS = ["the", "sun", "is", "shiny", "and", "cold", "in", "every", "long", "winter"]
T = 700
#: 34 MB with four layers of 512 units; up to 32 MB are fetched whole.
TEXT = " ".join(WORDS[n * n % 10 if n % 7 else 3] for n in range(T))

LINK = screen.link(model="wide", text=TEXT, layer=3)


@pytest.fixture
def requests(open_page: Callable[..., Page]) -> tuple[Page, list[Request]]:
    """A page on which nothing is open yet, and what it has asked for."""
    page = open_page("about:blank")
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    return page, asked


def opened(page: Page) -> Page:
    """Wait until the recording is on the screen, which takes its time."""
    expect(page.locator("#equations table")).to_be_visible(timeout=90_000)
    return screen.ready(page)


def of_the_recording(asked: list[Request], what: str) -> list[dict[str, list[str]]]:
    return [
        parse_qs(urlsplit(request.url).query)
        for request in asked
        if f"/{what}?" in request.url and "/recordings/" in request.url
    ]


def picture_is_torchs(page: Page, values: np.ndarray, first: int, each: int) -> None:
    """c of layer 3, of the columns on the screen, in the colours of what they pool."""
    shown = heatmap(page, 3, "forward", "c")
    columns = shown.shape[1]
    part = values[first * each : (first + columns) * each]
    units = -(-values.shape[1] // len(shown))
    expected = colours(page, furthest(part, each, units), *SCALES["c"]).swapaxes(0, 1)
    found = rows(shown, expected.shape[0])
    # Tiles are half-precision numbers: a few may be of the colour beside theirs.
    np.testing.assert_allclose(found, expected, atol=NEAR + 1)


def test_its_numbers_are_exact_wherever_one_jumps_and_little_of_it_is_fetched(
    requests: tuple[Page, list[Request]], oracle: Callable[..., Any]
) -> None:
    page, asked = requests
    received: list[int] = []
    page.on(
        "requestfinished",
        lambda request: (
            received.append(request.sizes()["responseBodySize"])
            if "/recordings/" in request.url
            else None
        ),
    )
    page.goto(LINK)
    opened(page)
    _, cells = oracle("wide", TEXT)
    page.locator("#flow").focus()
    scrub = "(scrub, t) => { scrub.value = t; scrub.dispatchEvent(new Event('input')) }"
    for go, cell, timestep, unit in (
        (lambda: None, (3, "forward"), 0, 0),
        (lambda: screen.press(page, "End", "]"), (3, "forward"), T - 1, 1),
        (lambda: screen.press(page, "ArrowDown", "ArrowLeft"), (2, "forward"), T - 2, 1),
        (lambda: page.locator("#scrub").evaluate(scrub, 350), (2, "forward"), 350, 1),
        (lambda: screen.row(page, "layer 0 forward").click(), (0, "forward"), 350, 1),
    ):
        go()
        page.evaluate(screen.FRAMES)
        screen.ready(page)  # the equations are hidden while their numbers are on the way
        compare(page, cells, cell, timestep, unit)

    for part in of_the_recording(asked, "arrays"):
        whole = "start" not in part
        assert whole == all(name.endswith("_0") for name in part["name"])
        if not whole:
            assert int(part["stop"][0]) - int(part["start"][0]) <= 64
    assert of_the_recording(asked, "tiles")
    assert 0 < sum(received) < 34e6 / 3


def test_its_pictures_are_torchs_numbers_near_and_whole(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = opened(open_page(LINK))
    values = np.asarray(oracle("wide", TEXT)[1][3, "forward"].quantity["c"])
    page.locator("#flow").focus()
    eventually(page, lambda: picture_is_torchs(page, values, 0, 1))
    screen.press(page, "End")
    eventually(page, lambda: picture_is_torchs(page, values, int(axis(page)[0] + 1e-6), 1))
    page.set_viewport_size({"width": 1000, "height": 800})
    screen.press(page, "w")
    width = page.locator("#state-track").evaluate("track => track.clientWidth")
    each = 2 ** int(np.ceil(np.log2(T / width)))
    assert each == 2
    eventually(page, lambda: picture_is_torchs(page, values, 0, each))


def test_what_is_no_longer_looked_at_is_no_longer_fetched(
    requests: tuple[Page, list[Request]], oracle: Callable[..., Any]
) -> None:
    page, asked = requests
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    held: list[Route] = []
    holding = True
    page.route("**/tiles?*", lambda route: held.append(route) if holding else route.continue_())
    page.goto(LINK)
    opened(page)
    page.locator("#flow").focus()
    for _ in range(50):
        if held:
            break
        page.wait_for_timeout(100)
    early = {route.request.url for route in held}
    assert early
    assert {part["tile"][0] for part in of_the_recording(asked, "tiles")} == {"0"}
    # Beyond the first 512 columns nothing of that tile is seen any more.
    screen.press(page, "End")
    page.wait_for_timeout(300)
    level_0 = {url for url in early if "level=0" in url}
    assert level_0 <= set(failed)
    # What is wanted now comes, and only that.
    holding = False
    for route in held:
        with suppress(Error):  # broken off
            route.continue_()
    values = np.asarray(oracle("wide", TEXT)[1][3, "forward"].quantity["c"])
    eventually(page, lambda: picture_is_torchs(page, values, int(axis(page)[0] + 1e-6), 1))
    late = [part for part in of_the_recording(asked, "tiles") if part["level"] == ["0"]]
    assert late[-1]["tile"] == ["1"]


BOTH = """async ({ id, names, cases }) => {
  const [{ createApi }, { poolTile }] =
    await Promise.all([import("/js/api.js"), import("/js/heatmaps/pooling.js")]);
  const api = createApi((input, init) => fetch(input, init));
  const arrays = await api.arrays(id, names);
  const answers = [];
  for (const of of cases) {
    const served = await api.tiles(id, names, of);
    for (const name of names) {
      const [layer, direction, quantity] = name.split(".");
      let order = null;
      if (quantity) {
        const asked = { layer, direction, sort: of.sort, sort_of: of.sort_of, unit: of.unit };
        ({ order } = await api.order(id, asked));
        if (order.length !== arrays.get(name).shape[1]) order = null;
      }
      const made = poolTile(arrays.get(name), {
        level: of.level, tile: of.tile, unitsPerRow: of.units_per_row,
        statistic: of.statistic, order,
      });
      const text = ({ shape, data }) => [shape, [...data].map(String)];
      answers.push([name, text(served.get(name)), text(made)]);
    }
  }
  return answers;
}"""

CASES = [
    {"level": 0, "tile": 0, "units_per_row": 1, "sort": "index", "sort_of": "h"},
    {"level": 0, "tile": 1, "units_per_row": 2, "sort": "peak", "sort_of": "h"},
    {"level": 1, "tile": 0, "units_per_row": 5, "sort": "mean", "sort_of": "c"},
    {"level": 3, "tile": 0, "units_per_row": 1, "sort": "similarity", "sort_of": "c"},
    {"level": 4, "tile": 0, "units_per_row": 3, "sort": "cluster", "sort_of": "i"},
    {"level": 12, "tile": 0, "units_per_row": 100, "sort": "variance", "sort_of": "h"},
]


@pytest.mark.parametrize("model", ["two", "projected", "broken"])
def test_the_servers_tiles_are_those_the_page_makes_of_whole_arrays(
    page: Page, server: RunningServer, model: str
) -> None:
    opened(page)
    body = {"model": model, "text": TEXT, "precision": "float32"}
    recording = server.post("/api/recordings", body)
    names = ["x", "scores", *(f"1.forward.{q}" for q in "ifgoch")]
    cases = [
        {**case, "statistic": statistic, "unit": 2}
        for case in CASES
        for statistic in ("extreme", "mean")
    ]
    answers = page.evaluate(BOTH, {"id": recording["id"], "names": names, "cases": cases})
    assert len(answers) == len(names) * len(cases)
    for n, (name, served, made) in enumerate(answers):
        case = cases[n // len(names)]
        assert served[0] == made[0], f"{name} {case}"
        theirs, ours = (np.array(data, dtype=np.float64) for _, data in (served, made))
        ours = ours.astype(np.float16).astype(np.float64)
        np.testing.assert_array_equal(ours, theirs, err_msg=f"{name} {case}")
