"""Every view on fixed data, as pictures: ``python -m tests.browser.gallery`` writes them anew.

Pictures are a third as wide and high as the screen, so that letters of another font are the same
grey, and lines half a pixel further left the same line.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import chromium
from tests.serving import serve

PICTURES = Path(__file__).parent / "pictures"
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDTH, HEIGHT = 960, 600
SMALLER = 3

#: Half a second in which nothing is fetched is not yet a picture that is painted.
PAINTED = """() => new Promise((done) => {
  const wait = (frames) => (frames ? requestAnimationFrame(() => wait(frames - 1)) : done());
  wait(20);
})"""

SHRINK = """async ({ source, width, height }) => {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  return canvas.toDataURL("image/png");
}"""

COMPARE = """async ([a, b]) => {
  const pixels = [];
  for (const source of [a, b]) {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { width, height } = image;
    pixels.push({ width, data: context.getImageData(0, 0, width, height).data });
  }
  const [one, other] = pixels;
  if (one.width !== other.width || one.data.length !== other.data.length) return null;
  let sum = 0, strong = 0;
  for (let n = 0; n < one.data.length; n += 4) {
    let most = 0;
    for (let k = n; k < n + 3; k++)
      most = Math.max(most, Math.abs(one.data[k] - other.data[k]));
    sum += most;
    strong += most > 48;
  }
  const count = one.data.length / 4;
  return { mean: sum / count, strong: strong / count };
}"""


@dataclass(frozen=True)
class Difference:
    """Of two pictures: the mean over their pixels, of 255, and the share that clearly differs."""

    mean: float
    strong: float

    @property
    def is_same(self) -> bool:
        return self.mean < 4 and self.strong < 0.03


def views(browser: Browser, url: str) -> dict[str, str]:
    """Name and address of every view in the gallery."""
    page = browser.new_page()
    page.goto(f"{url}/gallery.html")
    page.locator("#views figure").first.wait_for()
    found: dict[str, str] = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#views figure')]"
        ".map((figure) => [figure.id, figure.querySelector('iframe').src]))"
    )
    page.close()
    return found


def take(browser: Browser, address: str, scheme: Scheme) -> str:
    """A view's picture, as a data URL."""
    page = browser.new_page(
        viewport={"width": WIDTH, "height": HEIGHT},
        color_scheme=scheme,
        reduced_motion="reduce",
        device_scale_factor=1,
    )
    page.goto(address)
    page.locator("#tokens .column.now").wait_for()
    page.wait_for_load_state("networkidle")
    page.evaluate(PAINTED)
    picture = page.screenshot()
    page.close()
    return shrink(browser, picture)


def shrink(browser: Browser, png: bytes) -> str:
    page = browser.new_page()
    small = {"width": WIDTH // SMALLER, "height": HEIGHT // SMALLER}
    result: str = page.evaluate(SHRINK, {"source": _data(png), **small})
    page.close()
    return result


def compare(page: Page, stored: bytes, taken: str) -> Difference | None:
    """None where they are of different sizes."""
    found = page.evaluate(COMPARE, [_data(stored), taken])
    return found and Difference(**found)


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with serve() as server, sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for name, address in views(browser, server.url).items():
            for scheme in SCHEMES:
                _, data = take(browser, address, scheme).split(",", 1)
                path = PICTURES / f"{name}-{scheme}.png"
                path.write_bytes(base64.b64decode(data))
                print(path.relative_to(PICTURES.parents[2]))
        browser.close()


if __name__ == "__main__":
    main()
