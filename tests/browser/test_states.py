"""All layers × directions × quantities on one screen, in the colours of PyTorch's numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import pdist

from tests.browser import pictures, screen
from tests.browser.oracle import Cell
from tests.browser.pictures import NEAR, SCALES, colours, furthest, heatmap, heatmaps, rows

TEXT = "the sun is shiny and cold"
Cells = dict[tuple[int, str], Cell]
Ends = Callable[[str, np.ndarray], tuple[Any, Any]]


def fixed(quantity: str, _: np.ndarray) -> tuple[float, float]:
    return SCALES[quantity][1:]


def fitted(quantity: str, values: np.ndarray, axis: int | None = None) -> tuple[Any, Any]:
    """The ends that just hold values; zero-centred where the colours are."""
    low, high = values.min(axis=axis), values.max(axis=axis)
    if SCALES[quantity][0] == "sequential":
        return low, high
    most = np.maximum(-low, high)
    return -most, most


def eventually(page: Page, check: Callable[[], None]) -> None:
    """Try a check again while pictures are still to come, for ten seconds."""
    for _ in range(50):
        try:
            return check()
        except AssertionError:
            page.wait_for_timeout(200)
    return check()


def compare(page: Page, cells: Cells, **how: Any) -> None:
    """Every heatmap there is with PyTorch's numbers, units and timesteps in their places."""
    eventually(page, lambda: compare_now(page, cells, **how))


def compare_now(
    page: Page,
    cells: Cells,
    *,
    ends: Ends = fixed,
    order: Callable[[Cell, int], Any] = lambda _, units: np.arange(units),
    quantities: str = "ifgoch",
) -> None:
    shown = heatmaps(page)
    assert list(shown) == [
        (layer, direction, q)
        for layer in sorted({n for n, _ in cells}, reverse=True)
        for direction in ("forward", "backward")
        if (layer, direction) in cells
        for q in quantities
    ]
    for (layer, direction, quantity), picture in shown.items():
        cell = cells[layer, direction]
        values = np.asarray(cell.quantity[quantity])
        values = values[:, order(cell, values.shape[1])]
        units = values.shape[1]
        low, high = ends(quantity, values)
        if len(picture) < units:  # too low for a row of pixels for every unit
            per_row = -(-units // len(picture))
            values = furthest(values, 1, per_row)
        expected = colours(page, values, SCALES[quantity][0], low, high)
        found = rows(picture, values.shape[1])
        name = f"{layer} {direction} {quantity}"
        np.testing.assert_allclose(found, expected.swapaxes(0, 1), atol=NEAR, err_msg=name)


def choose(page: Page, name: str, value: str) -> None:
    page.get_by_role("combobox", name=name, exact=True).select_option(value)
    page.evaluate(screen.FRAMES)


def place(page: Page, layer: int, direction: str, quantity: str) -> dict[str, float]:
    """Where a heatmap stands on the screen: x, y, width, height."""
    box = page.locator("#state-track").bounding_box()
    assert box is not None
    for cell, name, top, height in page.evaluate(pictures.HEATMAPS):
        if (cell, name) == (f"layer {layer} {direction}", quantity):
            return {**box, "y": box["y"] + top, "height": height}
    raise AssertionError(f"there is no heatmap {layer} {direction} {quantity}")


def axis(page: Page) -> tuple[float, float]:
    """The first timestep on the screen and how many there are, read from the tokens."""
    left, width, columns = page.evaluate("""() => {
      const { left, width } = document.getElementById("track").getBoundingClientRect();
      const columns = [...document.querySelectorAll("#tokens .column")].map(column => {
        const box = column.getBoundingClientRect();
        return [Number(column.dataset.t), box.left + box.width / 2];
      });
      return [left, width, columns.sort((a, b) => a[0] - b[0])];
    }""")
    (t, x), (last, end) = columns[0], columns[-1]
    column = (end - x) / (last - t)
    return t + 0.5 - (x - left) / column, width / column


@pytest.mark.parametrize(
    ("model", "scheme"),
    [("two", "light"), ("projected", "dark"), ("turning", "light"), ("eight", "light")],
)
def test_every_state_is_on_one_screen_in_the_colours_of_torchs_numbers(
    open_page: Callable[..., Page],
    oracle: Callable[..., Any],
    model: str,
    scheme: Literal["light", "dark"],
) -> None:
    page = screen.ready(
        open_page(screen.link(model=model, text=TEXT), width=1440, height=900, color_scheme=scheme)
    )
    compare(page, oracle(model, TEXT)[1])
    if model != "eight":  # 96 heatmaps need a higher screen
        assert page.locator("#flow").evaluate("flow => flow.scrollHeight <= flow.clientHeight")


def test_the_value_under_the_pointer_and_the_same_unit_in_the_other_quantities(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    link = screen.link(model="projected", text=TEXT, layer=0)
    page = screen.ready(open_page(link, width=1440, height=900))
    cells = oracle("projected", TEXT)[1]
    tooltip = page.locator("#tooltip")
    for layer, direction, quantity, timestep, unit in (
        (0, "forward", "c", 3, 11),  # the selected row, a unit that has no h
        (0, "forward", "h", 1, 4),
        (0, "forward", "i", 5, 2),
    ):
        box = place(page, layer, direction, quantity)
        value = cells[layer, direction].quantity
        units = value[quantity].shape[1]
        x = box["x"] + (timestep + 0.5) / 6 * box["width"]
        page.mouse.move(x, box["y"] + (unit + 0.5) / units * box["height"])
        expect(tooltip).to_contain_text(f"layer {layer} {direction}")
        where, own, others = tooltip.locator("div").all_inner_texts()
        assert f"“{TEXT.split()[timestep]}”" in where
        assert f"timestep {timestep}" in where
        assert own.startswith(f"{quantity} of unit {unit}: ")
        exact = float(value[quantity][timestep, unit])
        assert float(screen.numbers(own)[-1]) == pytest.approx(exact, abs=0.00006)
        found = dict(re.findall(r"([ifgoch]) (−?\d+\.\d+)", others))
        assert list(found) == [q for q in "ifgoch" if q != quantity and unit < value[q].shape[1]]
        for name, text in found.items():
            assert float(screen.number(text)) == pytest.approx(
                float(value[name][timestep, unit]), abs=0.00052
            )
    # In a picture of another row two units share a row of pixels.
    box = place(page, 1, "backward", "i")
    assert box["height"] == 8
    page.mouse.move(x, box["y"] + 1.5)
    expect(tooltip).to_contain_text("layer 1 backward")
    own = tooltip.locator("div").nth(1).inner_text()
    assert own.startswith("i of 2 units (2, 3): ")
    exact = cells[1, "backward"].quantity["i"][5, 2:4].tolist()
    shown = [float(n) for n in screen.numbers(own.partition("):")[2])]
    assert shown == pytest.approx(exact, abs=0.00006)
    # Between two pictures there is nothing to say.
    page.mouse.move(x, box["y"] + box["height"] + 1)
    expect(tooltip).to_be_hidden()


def orders(values: np.ndarray, unit: int) -> dict[str, np.ndarray]:
    """The six orders of units, with numpy and scipy alone."""
    like = np.nan_to_num(np.corrcoef(values.T)[unit], nan=-2)
    like[unit] = 2
    distances = pdist(values.T, "correlation")
    tree = optimal_leaf_ordering(linkage(distances, "average"), distances)
    return {
        "index": np.arange(values.shape[1]),
        "peak": np.argsort(np.abs(values).argmax(axis=0), kind="stable"),
        "mean": np.argsort(-values.mean(axis=0), kind="stable"),
        "variance": np.argsort(-values.var(axis=0), kind="stable"),
        "similarity": np.argsort(-like, kind="stable"),
        "cluster": leaves_list(tree),
    }


def test_units_stand_in_each_of_the_six_orders(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = screen.ready(open_page(screen.link(model="projected", text=TEXT, unit=3)))
    cells = oracle("projected", TEXT)[1]
    expect(page.get_by_role("combobox", name="Ordered by which quantity")).to_be_hidden()
    choose(page, "Order of the units", "peak")
    choose(page, "Ordered by which quantity", "c")

    def ordered(sort: str, of: str, unit: int) -> Callable[[Cell, int], Any]:
        def order(cell: Cell, units: int) -> Any:
            values = np.asarray(cell.quantity[of])
            # What has another number of units stays as it is.
            return orders(values, unit)[sort] if values.shape[1] == units else np.arange(units)

        return order

    for sort in ("peak", "mean", "variance", "similarity", "cluster", "index"):
        choose(page, "Order of the units", sort)
        compare(page, cells, order=ordered(sort, "c", 3))
    # By h, which has fewer units, only h is put in order.
    choose(page, "Order of the units", "mean")
    choose(page, "Ordered by which quantity", "h")
    compare(page, cells, order=ordered("mean", "h", 3))
    # The mark and the pointer mean the unit, wherever it stands.
    order = list(orders(np.asarray(cells[1, "forward"].quantity["h"]), 3)["mean"])
    box = place(page, 1, "forward", "h")
    mark = page.locator(".unit-mark").nth(5).bounding_box()
    assert mark is not None
    middle = box["y"] + (order.index(3) + 0.5) / 5 * box["height"]
    assert mark["y"] == pytest.approx(middle, abs=1)
    page.mouse.click(box["x"] + 5, box["y"] + 0.5 / 5 * box["height"])
    expect(page.locator("#unit")).to_have_value(str(order[0]))
    # Likeness to another unit is another order.
    choose(page, "Ordered by which quantity", "c")
    choose(page, "Order of the units", "similarity")
    page.locator("#unit").fill("9")
    page.locator("#unit").press("Enter")
    compare(page, cells, order=ordered("similarity", "c", 9))


def test_colours_are_fixed_or_of_the_layer_or_of_each_unit(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = screen.ready(open_page(screen.link(model="two", text=TEXT)))
    cells = oracle("two", TEXT)[1]
    legend = page.locator("#legend")
    expect(legend).to_contain_text("i f o")
    choose(page, "Colour scale", "layer")
    compare(page, cells, ends=fitted)
    # The legend says the ends of the selected row.
    low, high = fitted("c", np.asarray(cells[1, "forward"].quantity["c"]))
    shown = next(part for part in legend.locator(".ramps > span").all_inner_texts() if "c" in part)
    ends = [float(screen.number(end)) for end in re.findall(r"−?\d+\.\d\d", shown)]
    assert ends == pytest.approx([low, high], abs=0.0051)
    choose(page, "Colour scale", "row")
    compare(page, cells, ends=lambda quantity, values: fitted(quantity, values, axis=0))
    expect(legend).to_contain_text("i f olowhigh")  # each unit has its own
    choose(page, "Colour scale", "fixed")
    compare(page, cells)


def test_quantities_and_rows_are_chosen(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = screen.ready(open_page(screen.link(model="two", text=TEXT, layer=0)))
    cells = oracle("two", TEXT)[1]
    chips = page.get_by_role("group", name="Quantities shown").get_by_role("button")
    for chip in (chips.nth(0), chips.nth(2), chips.nth(3)):
        chip.click()
    compare(page, cells, quantities="fch")
    pressed = [chip.get_attribute("aria-pressed") for chip in chips.all()]
    assert pressed == ["false", "true", "false", "false", "true", "true"]
    # One is always left.
    for chip in (chips.nth(1), chips.nth(4), chips.nth(5)):
        chip.click()
    compare(page, cells, quantities="h")
    chips.nth(0).click()
    choose(page, "Rows", "one")
    own = {(0, "forward"): cells[0, "forward"]}
    compare(page, own, quantities="ih")
    expect(page.locator("#view-title")).to_have_text("layer 0 forward", ignore_case=True)
    screen.row(page, "layer 1 backward").click()
    compare(page, {(1, "backward"): cells[1, "backward"]}, quantities="ih")
    # A link holds it all.
    choose(page, "Rows", "all")
    choose(page, "Colour scale", "layer")
    expect(page).to_have_url(re.compile("scale=layer"))  # written when things rest
    page.reload()
    screen.ready(page)
    compare(page, cells, ends=fitted, quantities="ih")


WORDS = ["the", "sun", "is", "shiny", "and", "cold", "in", "every", "long", "winter"]
LONG = " ".join(WORDS[n * n % 10] for n in range(300))


@pytest.fixture
def long(open_page: Callable[..., Page]) -> Page:
    """300 tokens: more than can be read at once."""
    return screen.ready(open_page(screen.link(model="two", text=LONG)))


def test_the_wheel_zooms_around_the_token_under_the_pointer(long: Page) -> None:
    track = long.locator("#track").bounding_box()
    tokens = long.locator("#tokens").bounding_box()
    states = long.locator("#state-track").bounding_box()
    assert track is not None
    assert tokens is not None
    assert states is not None
    x = track["x"] + 0.3 * track["width"]
    part = 0.3

    def under() -> float:
        first, count = axis(long)
        return first + part * count

    long.mouse.move(x, tokens["y"] + 10)
    long.mouse.wheel(0, 300)  # away from the start, so that both ends are out of sight
    long.evaluate(screen.FRAMES)
    screen.press(long, "PageDown")
    before, (_, count) = under(), axis(long)
    for delta in (-240, 120, -500):
        long.mouse.wheel(0, delta)
        long.evaluate(screen.FRAMES)
        now, (_, shown) = under(), axis(long)
        assert (shown < count) == (delta < 0)
        assert now == pytest.approx(before, abs=0.05)
        count = shown
    # On the pictures the wheel scrolls the page; with Ctrl, as a pinch comes, it zooms there, too.
    long.mouse.move(x, states["y"] + 30)
    long.mouse.wheel(0, 60)
    long.evaluate(screen.FRAMES)
    assert axis(long)[1] == pytest.approx(count, abs=0.01)
    long.keyboard.down("Control")
    long.mouse.wheel(0, 30)
    long.keyboard.up("Control")
    long.evaluate(screen.FRAMES)
    assert axis(long)[1] > count * 1.1
    assert under() == pytest.approx(before, abs=0.05)
    # Sideways it moves on.
    first, count = axis(long)
    long.mouse.wheel(100, 0)
    long.evaluate(screen.FRAMES)
    moved, shown = axis(long)
    assert shown == pytest.approx(count, abs=0.01)
    assert (moved - first) / count == pytest.approx(100 / track["width"], abs=0.01)


def test_the_tokens_are_dragged_like_a_strip_of_paper_and_not_clicked_by_that(long: Page) -> None:
    screen.press(long, "PageDown")
    box = long.locator("#tokens .column").nth(5).bounding_box()
    assert box is not None
    first, count = axis(long)
    x, y = box["x"] + box["width"] / 2, box["y"] + 10
    long.mouse.move(x, y)
    long.mouse.down()
    for n in range(1, 5):
        long.mouse.move(x - 40 * n, y)
    long.mouse.up()
    long.evaluate(screen.FRAMES)
    moved, shown = axis(long)
    assert shown == pytest.approx(count, abs=0.01)
    assert (moved - first) * box["width"] == pytest.approx(160, abs=1)
    expect(long.locator("#step-text")).to_have_text("step 0 of 299")
    # What is held still is a click.
    long.mouse.click(x, y)
    expect(long.locator("#step-text")).not_to_have_text("step 0 of 299")


def test_two_fingers_zoom_around_what_lies_between_them(open_page: Callable[..., Page]) -> None:
    page = open_page(
        screen.link(model="two", text=LONG), width=390, height=844, has_touch=True, is_mobile=True
    )
    screen.ready(page)
    track = page.locator("#track").bounding_box()
    assert track is not None
    middle, y = track["x"] + 0.5 * track["width"], track["y"] + 20
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, apart: float) -> None:
        points = [{"x": middle + side * apart / 2, "y": y, "id": side} for side in (-1, 1)]
        given = {"type": kind, "touchPoints": [] if kind == "touchEnd" else points}
        touch.send("Input.dispatchTouchEvent", given)

    first, count = axis(page)
    at = first + count / 2
    fingers("touchStart", 200)
    for apart in (180, 150, 120, 100):
        fingers("touchMove", apart)
    fingers("touchEnd", 100)
    page.evaluate(screen.FRAMES)
    out, shown = axis(page)
    assert shown == pytest.approx(2 * count, rel=0.05)
    assert out == 0  # the start is in sight: there is nothing before it
    fingers("touchStart", 60)
    for apart in (90, 120, 150, 180):
        fingers("touchMove", apart)
    fingers("touchEnd", 180)
    page.evaluate(screen.FRAMES)
    near, fewer = axis(page)
    assert fewer == pytest.approx(shown / 3, rel=0.05)
    assert near + fewer / 2 == pytest.approx(out + shown / 2, abs=0.2)
    assert at < near + fewer / 2
    expect(page.locator("#step-text")).to_have_text("step 0 of 299")


def test_what_follows_a_finger_that_moved_the_axis_is_a_tap_again(
    open_page: Callable[..., Page],
) -> None:
    page = open_page(
        screen.link(model="two", text=LONG), width=390, height=844, has_touch=True, is_mobile=True
    )
    screen.ready(page)
    track = page.locator("#track").bounding_box()
    assert track is not None
    touch = page.context.new_cdp_session(page)
    for kind, x in (("touchStart", 300), ("touchMove", 250), ("touchMove", 180), ("touchEnd", 180)):
        points = [] if kind == "touchEnd" else [{"x": x, "y": track["y"] + 20}]
        if not points:
            page.wait_for_timeout(500)  # a tap after a fling would only end the fling
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.evaluate(screen.FRAMES)
    assert axis(page)[0] > 1
    page.wait_for_timeout(1000)
    page.get_by_role("tab", name="Shapes").tap()
    expect(page.locator("#shapes")).to_be_visible()


def test_the_map_of_the_text_is_dragged_by_its_window_and_by_its_ends(long: Page) -> None:
    page = long
    box = page.locator("#minimap").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    at = lambda timestep: box["x"] + timestep / 300 * box["width"]  # noqa: E731

    def drag(start: float, end: float) -> tuple[float, float]:
        page.mouse.move(at(start), y)
        page.mouse.down()
        page.mouse.move(at((start + end) / 2), y)
        page.mouse.move(at(end), y)
        page.mouse.up()
        page.evaluate(screen.FRAMES)
        return axis(page)

    first, count = axis(page)
    assert first == pytest.approx(0, abs=0.1)
    window = page.locator("#minimap-window").bounding_box()
    assert window is not None
    assert window["width"] / box["width"] * 300 == pytest.approx(count, abs=0.5)
    first, shown = drag(count / 2, 100 + count / 2)
    assert (first, shown) == pytest.approx((100, count), abs=0.6)
    # Its right end: more is seen, from the same place; its left end: the right one stays.
    first, shown = drag(first + shown, 160)
    assert (first, first + shown) == pytest.approx((100, 160), abs=0.6)
    first, shown = drag(first, 130)
    assert (first, first + shown) == pytest.approx((130, 160), abs=0.6)
    # Elsewhere the window jumps under the pointer, and stays inside.
    first, shown = drag(250, 250)
    assert (first, shown) == pytest.approx((235, 30), abs=0.6)
    first, shown = drag(250, 400)
    assert first + shown == pytest.approx(300, abs=0.6)
    # The pictures are those of the tokens.
    timestep = int(page.locator("#tokens .column").nth(2).get_attribute("data-t"))
    column = page.locator(f'.column[data-t="{timestep}"]').bounding_box()
    states = page.locator("#state-track").bounding_box()
    assert column is not None
    assert states is not None
    page.mouse.move(column["x"] + column["width"] / 2, states["y"] + 4)
    expect(page.locator("#tooltip")).to_contain_text(f"timestep {timestep}")
    # By keyboard it is a slider.
    page.locator("#minimap").focus()
    screen.press(page, "Home")
    assert axis(page)[0] == pytest.approx(0, abs=0.1)
    screen.press(page, "ArrowRight")
    assert axis(page)[0] == pytest.approx(3, abs=0.3)
    expect(page.locator("#minimap")).to_have_attribute("aria-valuetext", re.compile("^timesteps 3"))
    expect(page.locator("#step-text")).to_have_text("step 0 of 299")


def test_keys_go_through_a_long_text_part_by_part_zoom_and_show_it_whole(long: Page) -> None:
    page = long
    page.locator("#flow").focus()
    _, count = axis(page)
    screen.press(page, "PageDown")
    assert axis(page) == pytest.approx((0.9 * count, count), abs=0.2)
    expect(page.locator("#step-text")).to_have_text("step 0 of 299")
    expect(page.locator("#band")).to_be_hidden()
    screen.press(page, "PageDown", "PageUp", "PageUp", "PageUp")
    assert axis(page) == pytest.approx((0, count), abs=0.2)
    for _ in range(30):
        page.keyboard.press("PageDown")
    screen.painted(page)
    first, shown = axis(page)
    assert first + shown == pytest.approx(300, abs=0.2)
    screen.press(page, "Home", "z")
    assert axis(page)[1] == pytest.approx(count / 1.5, abs=0.2)
    screen.press(page, "Shift+Z", "Shift+Z")
    assert axis(page)[1] == pytest.approx(count * 1.5, abs=0.2)
    screen.press(page, "w")
    assert axis(page) == pytest.approx((0, 300), abs=0.6)
    expect(page.locator("#minimap-row")).to_be_hidden()
    # Of all the tokens those are there that can be read, and the current one.
    shown_tokens = screen.boxes(page, "#tokens .column")
    assert 5 < len(shown_tokens) < 60
    screen.press(page, "w")
    assert axis(page)[1] == pytest.approx(count, abs=0.2)


def test_one_token_among_thousands_stays_visible_and_is_lost_in_the_mean(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    spike = 1234
    text = " ".join("shiny" if t == spike else "the" for t in range(1900))
    page = screen.ready(open_page(screen.link(model="one", text=text)))
    page.locator("#flow").focus()
    screen.press(page, "w")
    tool = page.get_by_role("combobox", name="What a pixel shows")
    expect(tool).to_be_visible()
    width = page.locator("#state-track").evaluate("track => track.clientWidth")
    each = 2 ** int(np.ceil(np.log2(1900 / width)))
    assert each > 1
    expect(page.locator(".pooling")).to_contain_text(f"{each} timesteps a pixel")
    values = np.asarray(oracle("one", text)[1][0, "forward"].quantity["i"])
    assert len(values) == 1900
    shows = {}
    for statistic, pool in (("extreme", furthest), ("mean", pictures.mean)):
        tool.select_option(statistic)
        expected = colours(page, pool(values, each, 1), *SCALES["i"]).swapaxes(0, 1)

        def check(statistic: str = statistic, expected: np.ndarray = expected) -> None:
            shows[statistic] = rows(heatmap(page, 0, "forward", "i"), 5)
            np.testing.assert_allclose(shows[statistic], expected, atol=NEAR, err_msg=statistic)

        eventually(page, check)
    # The unit that stands out most: fully in the one, a fraction of it in the other.
    unit = np.abs(values[spike] - values[spike - 9]).argmax()
    column = spike // each
    far = colours(page, values[spike, unit], *SCALES["i"])
    near = colours(page, values[spike - 9, unit], *SCALES["i"])
    out = {
        name: np.abs(found[unit, column] - near).max() / np.abs(far - near).max()
        for name, found in shows.items()
    }
    assert out["extreme"] > 0.95
    assert out["mean"] < 2 / each
