"""What stands on the screen, read as a person would: as text, numbers and places."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

READ = """() => {
  const text = id => document.getElementById(id)?.textContent ?? "";
  const strips = {}, diagram = {}, gates = {};
  for (const q of "ifgoch") {
    strips[q] = text(`value-${q}`);
    diagram[q] = text(`at-${q}`);
  }
  diagram["c before"] = text("at-c-before");
  for (const q of "ifgo") {
    const row = document.getElementById(`gate-${q}`);
    gates[q] = row ? [...row.querySelectorAll("td")].map(td => td.textContent) : null;
  }
  return {
    strips, diagram, gates,
    title: text("cell-title"), step: text("step-text"),
    c: text("equation-c"), h: text("equation-h"),
    note: document.querySelector("#equations .note")?.textContent ?? "",
  };
}"""

# A full frame leaves some views to the next one, and a change may come after a frame has begun.
FRAMES = """() => new Promise((done) => {
  const wait = (frames) => (frames ? requestAnimationFrame(() => wait(frames - 1)) : done());
  wait(6);
})"""


def link(**values: object) -> str:
    """The address of a screen."""
    return f"/#{urlencode(values)}"


def ready(page: Page) -> Page:
    """Wait until a recording is on the screen with all its numbers."""
    expect(page.locator("#equations table")).to_be_visible()
    painted(page)
    return page


def painted(page: Page) -> None:
    """Wait until what was done last is painted, and no number is still to come."""
    page.evaluate(FRAMES)
    expect(page.locator("#equations")).not_to_contain_text("…")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    painted(page)


def recorded(page: Page) -> None:
    """Wait until a recording that was asked for is on the screen, or refused."""
    page.evaluate(FRAMES)
    expect(page.locator("#ask [type=submit]")).to_have_text("Record")  # not Recording…
    painted(page)


def record(page: Page, text: str) -> None:
    """Put ``text`` into the box, whatever it holds, press Enter and wait for the answer."""
    box = page.locator("#text")
    box.evaluate("(box, text) => { box.value = text }", text)
    box.press("Enter")
    recorded(page)


def choose(page: Page, model: str) -> None:
    """Choose a model in the list."""
    page.locator("#model").click()
    page.locator(f'#models [data-id="{model}"]').click()


def row(page: Page, name: str) -> Locator:
    """A row of the network by its name: "layer 0 backward"."""
    return page.locator("#network-labels").get_by_role("button", name=name)


def read(page: Page) -> dict[str, Any]:
    return page.evaluate(READ)


def number(text: str) -> Decimal:
    """A shown number, exactly as it is shown."""
    return Decimal(text.replace("−", "-").replace("(", "").replace(")", "").strip())


def numbers(text: str) -> list[Decimal]:
    """All decimal numbers in a line; in "0.585 − 0.189" the second one is negative."""
    return [number(found.replace(" ", "")) for found in re.findall(r"(?:− ?)?\d+\.\d+|NaN|∞", text)]


def tokens(page: Page) -> list[str]:
    """The tokens on the screen, in the order of the document, exactly."""
    return page.locator("#tokens .column button bdi").evaluate_all(
        "found => found.map(node => node.textContent)"
    )


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    """Where the visible elements are: x, y, width, height."""
    return page.evaluate(
        """selector => [...document.querySelectorAll(selector)]
          .filter(node => node.checkVisibility({ visibilityProperty: true }))
          .map(node => {
            const { x, y, width, height } = node.getBoundingClientRect();
            const name = node.id || node.textContent.trim() || node.tagName;
            return { name, x, y, width, height };
          })""",
        selector,
    )
