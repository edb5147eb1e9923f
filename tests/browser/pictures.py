"""Pixels of the canvases, and the colours that values should have."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from playwright.sync_api import Page

from lstm_core.quantities import QUANTITIES

STOPS = {"sequential": ("--low", "--high"), "diverging": ("--negative", "--zero", "--positive")}
#: Quantity → its colours and their fixed ends.
SCALES = {name: (q.scale, q.shown_low, q.shown_high) for name, q in QUANTITIES.items()}
# float32 against float64 may choose the neighbour among the 256 colours.
NEAR = 2

#: Layer, direction and quantity of a heatmap.
Name = tuple[int, str, str]

HEATMAPS = """() => {
  const found = [];
  let cell = "";
  for (const node of document.getElementById("state-labels").children) {
    if (node.matches(".group")) cell = node.getAttribute("aria-label");
    else found.push([cell, node.querySelector("b").textContent,
      parseFloat(node.style.top), parseFloat(node.style.height)]);
  }
  return found;
}"""


def css_colour(page: Page, name: str) -> np.ndarray:
    hex_colour = page.evaluate(
        "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()", name
    )
    return np.array([int(hex_colour[n : n + 2], 16) for n in (1, 3, 5)], dtype=float)


def colours(page: Page, values: Any, scale: str, low: Any, high: Any) -> np.ndarray:
    """(…, 3): between the stops linearly, clipped at the ends, another one for no number.

    The ends may be arrays that fit ``values``.
    """
    values = np.asarray(values, dtype=float)
    stops = np.stack([css_colour(page, name) for name in STOPS[scale]])
    part = np.clip((values - low) / (np.asarray(high) - low), 0, 1) * (len(stops) - 1)
    at = np.arange(len(stops))
    shown = np.stack([np.interp(part, at, stops[:, n]) for n in range(3)], axis=-1)
    return np.where(np.isfinite(values)[..., None], shown, css_colour(page, "--not-finite"))


def pixels(page: Page, selector: str, index: int = 0) -> np.ndarray:
    """A canvas, (height, width, 4), with its opacity last."""
    size, data = page.evaluate(
        """([selector, index]) => {
          const canvas = document.querySelectorAll(selector)[index];
          const { width, height } = canvas;
          const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
          let bytes = "";
          for (let n = 0; n < data.length; n += 30000) {
            bytes += String.fromCharCode(...data.subarray(n, n + 30000));
          }
          return [[height, width], btoa(bytes)];
        }""",
        [selector, index],
    )
    flat = np.frombuffer(base64.b64decode(data), dtype=np.uint8)
    return flat.reshape(*size, 4).astype(float)


def heatmaps(page: Page) -> dict[Name, np.ndarray]:
    """Every heatmap as (pixels of height, columns, 3), from top to bottom.

    Where they stand is read from their labels, on a screen of one device pixel per CSS pixel.
    """
    canvas = pixels(page, "#state-canvas")[..., :3]
    found = {}
    for cell, quantity, top, height in page.evaluate(HEATMAPS):
        _, layer, direction = cell.split()
        found[int(layer), direction, quantity] = canvas[round(top) : round(top + height)]
    return found


def heatmap(page: Page, layer: int, direction: str, quantity: str) -> np.ndarray:
    return heatmaps(page)[layer, direction, quantity]


def rows(picture: np.ndarray, count: int) -> np.ndarray:
    """(count, columns, 3): rows of pixels that are of the same units are the same."""
    each = len(picture) // count
    assert each * count == len(picture), f"{len(picture)} pixels are not for {count} rows"
    blocks = picture.reshape(count, each, *picture.shape[1:])
    assert (blocks == blocks[:, :1]).all()
    return blocks[:, 0]


def furthest(values: np.ndarray, columns: int, units: int) -> np.ndarray:
    """(T, U) → [columns, rows] of so many timesteps and units: the value furthest from the mean;
    of two that are as far the larger magnitude, then the positive one."""

    def of(bucket: np.ndarray) -> float:
        low, high = bucket.min(), bucket.max()
        above = (low + high) / 2 - bucket.mean()
        if abs(above) < 1e-12:
            return low if -low > high else high
        return high if above > 0 else low

    return _pooled(values, columns, units, of)


def mean(values: np.ndarray, columns: int, units: int) -> np.ndarray:
    return _pooled(values, columns, units, np.mean)


def _pooled(values: np.ndarray, columns: int, units: int, of: Any) -> np.ndarray:
    T, U = values.shape
    return np.array(
        [
            [of(values[t : t + columns, u : u + units].ravel()) for u in range(0, U, units)]
            for t in range(0, T, columns)
        ]
    )
