"""python -m tests.browser.screenshot: the pictures in docs/images, taken from the running app."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, sync_playwright

from tests.browser import chromium
from tests.serving import serve

IMAGES = Path(__file__).parents[2] / "docs" / "images"

TAGGER = {
    "model": "tagger-en",
    "text": "The sun is shiny but the beach was very windy today.",
    "step": 4,
    "layer": 1,
    "unit": 17,
}
#: Name, width, height, colour scheme, what is shown.
PICTURES = [
    ("gatescope", 1440, 900, "light", TAGGER),
    ("gatescope-dark", 1440, 900, "dark", TAGGER),
    ("unit", 1440, 900, "light", TAGGER | {"tab": "unit", "unit": 5}),
    ("phone", 390, 844, "dark", TAGGER),
    (
        "shakespeare",
        1440,
        900,
        "light",
        {
            "model": "shakespeare",
            "text": "To be, or not to be: that is the question",
            "step": 20,
            "layer": 1,
        },
    ),
]


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with serve() as server, sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for picture in PICTURES:
            print(take(browser, server.url, *picture))


def take(
    browser: Browser, url: str, name: str, width: int, height: int, scheme: str, shown: dict
) -> Path:
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        device_scale_factor=1,
    )
    page.goto(f"{url}/#{urlencode(shown)}")
    page.locator("#gate-o .result").wait_for()
    if shown.get("tab") == "unit":
        page.locator("#unit-chart .legend").wait_for()
    page.wait_for_load_state("networkidle")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    page.close()
    return path.relative_to(IMAGES.parents[1])


if __name__ == "__main__":
    main()
