"""python -m tests.browser.screenshot: the pictures in docs/images, taken from the running app."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import urlencode

import torch
from playwright.sync_api import Browser, sync_playwright
from torch import nn

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
    (
        "compare",
        1440,
        900,
        "light",
        TAGGER
        | {
            "tab": "compare",
            "pinModel": "tagger-en",
            "pinText": "The sun is shiny and the beach is windy today.",
        },
    ),
    ("paths", 1440, 900, "light", TAGGER | {"tab": "paths"}),
    (
        "predictions",
        1440,
        900,
        "light",
        {
            "model": "shakespeare",
            "text": "To be, or not to be: that is the question",
            "step": 20,
            "tab": "predictions",
        },
    ),
    (
        "sentiment",
        1440,
        900,
        "light",
        {"model": "sentiment", "text": "Great fun until the ending ruins it.", "step": 5},
    ),
]


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with serve() as server, sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for picture in PICTURES:
            print(take(browser, server.url, *picture))
        print(take_opening(browser, server.url))


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
        page.locator("#unit-facts .share").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)  # what came last is painted, too
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    page.close()
    return path.relative_to(IMAGES.parents[1])


def take_opening(browser: Browser, url: str) -> Path:
    """The panel that asks what a file leaves open."""
    page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page.goto(url)
    page.locator("#gate-o .result").wait_for()
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, "reviews.ckpt")
        vocabulary = ["<pad>", "<unk>", *(f"word{n}" for n in range(998))]
        modules = {
            "embedding": nn.Embedding(len(vocabulary), 64),
            "lstm": nn.LSTM(64, 128, num_layers=2, bidirectional=True),
            "fc": nn.Linear(256, 3),
        }
        state = nn.ModuleDict(modules).state_dict()
        torch.save({"epoch": 12, "state_dict": state, "word2idx": vocabulary}, weights)
        page.locator("#weights").set_input_files(weights)
        page.locator("dialog[open] [type=submit]").wait_for()
        page.get_by_text("What does it predict?").wait_for()
    path = IMAGES / "opening.png"
    page.screenshot(path=path)
    page.close()
    return path.relative_to(IMAGES.parents[1])


if __name__ == "__main__":
    main()
