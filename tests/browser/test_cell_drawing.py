"""The cell's drawing and what pushes its gates, compared with PyTorch's own weights and states."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor, nn

from lstm_core.models import SequenceModel, load_model
from tests.browser import screen
from tests.browser.models import PRICES, SENTENCE
from tests.browser.pictures import NEAR, SCALES, colours, pixels

GATES = "ifgo"
HALF = 0.0005 + 2e-5  # half a unit of the last shown place, and what float32 is off
ONE = 0.001 + 2e-5

ROWS = """() => [...document.querySelectorAll('.push-item')]
  .filter(row => row.checkVisibility())
  .sort((a, b) => a.ariaPosInSet - b.ariaPosInSet)
  .map(row => [...row.querySelectorAll('button > :not(.push-bar)')].map(e => e.textContent))"""

#: Where the page says that its vectors are, and the middle of each square but for lines and marks.
SQUARES = """async (content) => {
  const { cellLayout, stripGrid, squareOf } = await import('/js/cell/layout.js');
  const { width, height } = document.getElementById('cell-picture').getBoundingClientRect();
  const { strips, gates } = cellLayout({ x: 0, y: 0, width, height }, content);
  const found = { gates };
  for (const strip of strips) {
    const units = content.units[strip.name];
    const grid = stripGrid(strip.width, strip.height, units);
    found[strip.name] = Array.from({ length: units / grid.unitsPerSquare }, (_, n) => {
      const square = squareOf(strip, grid, n * grid.unitsPerSquare);
      return [square.x + square.width * 0.3, square.y + square.height * 0.4];
    });
  }
  return found;
}"""


class Weights(NamedTuple):
    """Of one cell: W (4·units, input), U (4·units, width of h), b (4·units,)."""

    W: Tensor
    U: Tensor
    b: Tensor


def weights_of(model: SequenceModel, layer: int, direction: str) -> Weights:
    """The parameters of the module that has this layer of the stack, by PyTorch's names."""
    modules = list(model.lstm) if isinstance(model.lstm, nn.ModuleList) else [model.lstm]
    own = layer
    for module in modules:
        layers = getattr(module, "num_layers", 1)
        if own < layers:
            break
        own -= layers
    reverse = "_reverse" if direction == "backward" and module.bidirectional else ""
    suffix = "" if isinstance(module, nn.LSTMCell) else f"_l{own}{reverse}"
    named = {name: p.detach().double() for name, p in module.named_parameters()}
    W, U = (named[f"weight_{kind}{suffix}"] for kind in ("ih", "hh"))
    biases = [named.get(f"bias_{kind}{suffix}", W.new_zeros(len(W))) for kind in ("ih", "hh")]
    return Weights(W, U, biases[0] + biases[1])


def steps_of(cells: dict[Any, Any], cell: tuple[int, str], t: int) -> tuple[Tensor, Tensor]:
    """h and c of the timestep the cell computed before t; zeros at its beginning."""
    before = t - 1 if cell[1] == "forward" else t + 1
    h, c = cells[cell].quantity["h"], cells[cell].quantity["c"]
    if 0 <= before < len(h):
        return h[before], c[before]
    return torch.zeros_like(h[0]), torch.zeros_like(c[0])


def read_by(model: SequenceModel, text: str, cells: dict[Any, Any], layer: int) -> list[Tensor]:
    """What a layer reads, (T, width) for each of its parts."""
    if layer:
        below = [cells[layer - 1, d] for d in ("forward", "backward") if (layer - 1, d) in cells]
        return [cell.quantity["h"] for cell in below]
    with torch.no_grad():
        return [model.double().read(text)[1]]


def open_cell(open_page: Callable[..., Page], **link: object) -> Page:
    page = screen.ready(open_page(screen.link(tab="cell", **link), width=1440, height=900))
    expect(page.locator("#push-sum")).to_contain_text("(z) =")
    page.evaluate(screen.FRAMES)
    return page


@pytest.mark.parametrize(
    ("model", "text", "cell", "unit", "t", "gate", "names"),
    [
        ("one", SENTENCE, (0, "forward"), 3, 2, "f", ["embedding 0", "unit 4"]),
        ("one", SENTENCE, (0, "forward"), 0, 0, "g", ["embedding 7", "unit 0"]),  # h_0
        ("two", SENTENCE, (1, "backward"), 5, 1, "o", ["unit 5, layer 0 →", "unit 0, layer 0 ←"]),
        ("projected", SENTENCE, (1, "forward"), 15, 3, "i", ["number 4, layer 0 ←", "number 0"]),
        ("cells", SENTENCE, (1, "forward"), 2, 3, "f", ["unit 8, layer 0 →", "unit 4"]),
        ("prices", PRICES, (0, "forward"), 8, 3, "i", ["open", "high", "low", "volume", "unit 8"]),
    ],
)
def test_what_pushes_a_gate_is_weights_times_numbers_of_torch(
    open_page: Callable[..., Page],
    oracle: Callable[..., Any],
    models_folder: Path,
    model: str,
    text: str,
    cell: tuple[int, str],
    unit: int,
    t: int,
    gate: str,
    names: list[str],
) -> None:
    layer, direction = cell
    link = {"model": model, "text": text, "layer": layer, "direction": direction}
    page = open_cell(open_page, **link, unit=unit, step=t, gate=gate)
    page.get_by_role("combobox", name="How many terms").select_option("all")
    page.evaluate(screen.FRAMES)
    rows = page.evaluate(ROWS)

    own = load_model(models_folder / model)
    _, cells = oracle(model, text)
    W, U, b = weights_of(own, layer, direction)
    parts = [part[t] for part in read_by(own, text, cells, layer)]
    h, _ = steps_of(cells, cell, t)
    row = GATES.index(gate) * (len(W) // 4) + unit
    read = torch.cat([*parts, h])
    weights = torch.cat([W[row], U[row]])
    terms = (weights * read).numpy()
    assert len(rows) == len(terms)
    assert {name for name, *_ in rows} >= set(names)
    assert len({name for name, *_ in rows}) == len(rows)

    # By name: which number of x or h it is.
    places = {}
    for n in range(len(terms)):
        at, part = n, 0
        while at >= len([*parts, h][part]):
            at -= len([*parts, h][part])
            part += 1
        places[part, at] = n
    for name, product, term in rows:
        column = {"open": 0, "high": 1, "low": 2, "volume": 3}.get(name)
        at = column if column is not None else int(re.sub(r"\D.*", "", name.split()[1]))
        part = len(parts) if re.fullmatch(r"(unit|number) \d+", name) else int(name.endswith("←"))
        n = places[part, at]
        assert float(screen.number(term)) == pytest.approx(terms[n], abs=ONE), name
        factors = [float(screen.number(factor)) for factor in product.split(" × ")]
        assert factors == pytest.approx([float(weights[n]), float(read[n])], abs=0.00502)
    shown = [abs(screen.number(term)) for *_, term in rows]
    np.testing.assert_allclose([float(s) for s in shown], sorted(np.abs(terms))[::-1], atol=ONE)

    bias = screen.number(page.locator(".push.b > :last-child").inner_text())
    assert float(bias) == pytest.approx(float(b[row]), abs=ONE)
    total, result = page.locator("#push-sum span").all_inner_texts()
    z = screen.number(total.split("=")[-1])
    assert sum(screen.number(term) for *_, term in rows) + bias == z, "what is shown adds up"
    assert float(z) == pytest.approx(float(cells[cell].z[gate][t, unit]), abs=HALF)
    recorded = float(cells[cell].quantity[gate][t, unit])
    assert float(screen.number(result.split("=")[-1])) == pytest.approx(recorded, abs=HALF)
    equation = [screen.number(text) for text in screen.read(page)["gates"][gate]]
    assert equation[2:4] == [bias, z], "as in the equations"


@pytest.mark.parametrize(
    ("model", "cell", "t"),
    [
        ("two", (1, "backward"), 1),
        ("projected", (0, "forward"), 0),
        ("projected", (1, "forward"), 2),
    ],
)
def test_the_wires_carry_torchs_vectors(
    open_page: Callable[..., Page],
    oracle: Callable[..., Any],
    models_folder: Path,
    model: str,
    cell: tuple[int, str],
    t: int,
) -> None:
    layer, direction = cell
    link = {"model": model, "text": SENTENCE, "layer": layer, "direction": direction}
    page = open_cell(open_page, **link, step=t)
    _, cells = oracle(model, SENTENCE)
    own = {q: values[t] for q, values in cells[cell].quantity.items()}
    h, c = steps_of(cells, cell, t)
    read = read_by(load_model(models_folder / model), SENTENCE, cells, layer)
    vectors = {
        **own,
        "hBefore": h,
        "cBefore": c,
        "ig": own["i"] * own["g"],
        "fc": own["f"] * c,
        "tanhC": own["c"].tanh(),
        **{f"x{n}": part[t] for n, part in enumerate(read)},
    }
    projected = len(own["h"]) < len(own["c"])
    if projected:
        vectors["m"] = own["o"] * own["c"].tanh()
    content = {
        "direction": direction,
        "inputs": len(read),
        "projected": projected,
        "units": {name: len(values) for name, values in vectors.items()},
    }
    squares = page.evaluate(SQUARES, content)
    picture = pixels(page, "#cell-picture")[..., :3]
    quantity = {"cBefore": "c", "fc": "c", "hBefore": "h", "m": "h", "ig": "g", "tanhC": "g"}
    quantity |= {f"x{n}": "h" for n in range(len(read))}
    scales = {name: SCALES[quantity.get(name, name)] for name in vectors}
    if not layer:
        most = float(read[0].abs().max())
        scales["x0"] = ("diverging", -most, most)
    assert set(squares) == {*vectors, "gates"}
    for name, values in vectors.items():
        shown = np.array([picture[int(y), int(x)] for x, y in squares[name]])
        expected = colours(page, values, *scales[name])
        # A square may be cut by the line of its neighbour: nearly all must be right.
        off = np.abs(shown - expected).max(axis=-1) > NEAR
        assert off.mean() <= 0.1, f"{name}: {shown[off]} is not {expected[off]}"


def test_gates_units_and_terms_lead_where_they_come_from(open_page: Callable[..., Page]) -> None:
    link = {"model": "two", "text": SENTENCE, "layer": 1, "direction": "forward", "unit": 1}
    page = open_cell(open_page, **link, step=2)
    heading = page.locator("#pushes h3")
    expect(heading).to_have_text("What pushes gate i of unit 1 at “is”")
    names = [*"ifgoch", "ig", "fc", "tanhC", "hBefore", "cBefore", "x0", "x1"]
    units = dict.fromkeys(names, 6)
    content = {"direction": "forward", "inputs": 2, "projected": False, "units": units}
    places = page.evaluate(SQUARES, content)
    canvas = page.locator("#cell-picture")

    gate = next(gate for gate in places["gates"] if gate["name"] == "g")
    canvas.click(position={"x": gate["x"] + 5, "y": gate["y"] + 5})
    expect(heading).to_have_text("What pushes gate g of unit 1 at “is”")
    x, y = places["f"][4]
    canvas.click(position={"x": x, "y": y})
    expect(heading).to_have_text("What pushes gate g of unit 4 at “is”")
    page.get_by_role("tab", name="g candidate").press("ArrowRight")
    expect(page.get_by_role("tab", name="o output")).to_be_focused()
    expect(heading).to_have_text("What pushes gate o of unit 4 at “is”")

    page.get_by_role("combobox", name="How many terms").select_option("all")
    page.locator(".push").filter(has_text=re.compile("^unit 2(?!,)")).click()
    expect(heading).to_have_text("What pushes gate o of unit 2 at “is”")
    page.locator(".push").filter(has_text="unit 5, layer 0 ←").click()
    screen.painted(page)
    assert "layer 0 · backward · timestep 2" in screen.read(page)["title"]
    expect(heading).to_have_text("What pushes gate o of unit 5 at “is”")

    # What leads nowhere stays; the table of equations and the small diagram lead here.
    page.locator(".push.ends").first.click(force=True)
    expect(heading).to_have_text("What pushes gate o of unit 5 at “is”")
    page.get_by_role("tab", name="States").click()
    page.locator("#gate-f button").click()
    expect(page.get_by_role("tab", name="Cell", exact=True)).to_be_focused()
    expect(heading).to_have_text("What pushes gate f of unit 5 at “is”")
    page.locator("#diagram .gate text", has_text="i").click()
    expect(heading).to_have_text("What pushes gate i of unit 5 at “is”")


def test_a_thousand_terms_are_a_list_of_few_elements_that_scrolls(
    open_page: Callable[..., Page], oracle: Callable[..., Any], models_folder: Path
) -> None:
    link = {"model": "wide", "text": SENTENCE, "layer": 2, "unit": 300, "step": 3, "gate": "o"}
    page = open_cell(open_page, **link)
    select = page.get_by_role("combobox", name="How many terms")
    texts = {}
    for count in ("10", "25", "all"):
        select.select_option(label=count if count == "all" else f"{count} largest")
        page.evaluate(screen.FRAMES)
        texts[count] = [row[0] for row in page.evaluate(ROWS)]
    assert [len(texts["10"]), len(texts["25"])] == [10, 25]
    assert texts["25"][:10] == texts["10"]
    assert 10 < len(texts["all"]) < 25
    assert texts["all"] == texts["25"][: len(texts["all"])]
    page.locator(".push-list").evaluate("list => { list.scrollTop = list.scrollHeight }")
    page.evaluate(screen.FRAMES)
    last = page.locator('.push-item[aria-posinset="1024"]')
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    W, U, _ = weights_of(load_model(models_folder / "wide"), 2, "forward")
    _, cells = oracle("wide", SENTENCE)
    read = torch.cat([cells[1, "forward"].quantity["h"][3], cells[2, "forward"].quantity["h"][2]])
    row = 3 * 512 + 300
    terms = torch.cat([W[row], U[row]]) * read
    place = int(terms.abs().argmin())
    name = f"unit {place}, layer 1 →" if place < 512 else f"unit {place - 512}"
    expect(last).to_contain_text(name)


def test_the_table_of_the_view_holds_every_term(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_cell(open_page, model="two", text=SENTENCE, layer=1, unit=2, step=1, gate="f")
    page.keyboard.press("t")
    table = page.locator("dialog[open] table, [popover]:popover-open table").first
    expect(table).to_contain_text("pre-activation")
    rows = table.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    *terms, _, z, _gate = [float(row[-1].replace("−", "-")) for row in rows]
    assert len(terms) == 12 + 6
    assert z == pytest.approx(
        float(oracle("two", SENTENCE)[1][1, "forward"].z["f"][1, 2]), abs=1e-4
    )
