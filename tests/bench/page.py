"""The page in headless Chromium, drawn by software: bytes, first paint, first frame, frames."""

from __future__ import annotations

import statistics

from playwright.sync_api import Browser, Page, Response, sync_playwright

from tests.bench import frames
from tests.bench.measure import Figure, p95
from tests.bench.models import WORDS
from tests.browser import chromium

TAGGER = "tagger-en"
LETTERS = "abcdefghijklmnop"
LOADS = 9
#: Frames as fast as they can be drawn.
UNLIMITED = ("--disable-frame-rate-limit", "--disable-gpu-vsync")

# Counts from the click on Record to the frame after the one that first shows the new sentence.
FIRST_FRAME = """
(text) => new Promise((resolve) => {
  const box = document.querySelector("#text");
  const first = text.split(" ")[0];
  box.value = text;
  const start = performance.now();
  document.querySelector("#ask [type=submit]").click();
  const look = () => {
    const shown = document.querySelector("#tokens .column bdi")?.textContent;
    if (shown === first) requestAnimationFrame(() => resolve(performance.now() - start));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})
"""


def measure(url: str) -> list[Figure]:
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        figures = [*_page_weight(browser, url), _first_paint(browser, url)]
        figures += _first_frames(browser, url)
        browser.close()
        # Their rate is limited to the screen's, which a fast frame would only wait for.
        browser = chromium.launch(playwright, args=UNLIMITED)
        figures += frames.measure(browser, url)
        browser.close()
    return figures


def _page_weight(browser: Browser, url: str) -> list[Figure]:
    """All of our own code that opening the page loads: for its first frame, and right after it."""
    page = browser.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(url)
    page.locator("#gate-o .result").wait_for()
    page.wait_for_load_state("networkidle")
    own = [answer for answer in answers if "/api/" not in answer.url]
    sizes = [len(answer.body()) for answer in own]
    # later.js is what the first frame does not need.
    later = next(n for n, answer in enumerate(own) if answer.url.endswith("/later.js"))
    page.close()
    return [
        Figure("page: our own code for its first frame", sum(sizes[:later]) / 1e3, "kB", 150),
        Figure("page: our own code before the first chart, in all", sum(sizes) / 1e3, "kB"),
        Figure("page: files before the first chart", len(sizes), "files"),
    ]


def _first_paint(browser: Browser, url: str) -> Figure:
    """Of pages that were never here before, as nothing is cached between contexts."""
    times = []
    for _ in range(LOADS):
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.goto(url)
        page.locator("#gate-o .result").wait_for()
        times.append(page.evaluate("performance.getEntriesByName('first-paint')[0].startTime"))
        page.context.close()
    return Figure("page: first paint, median", statistics.median(times), "ms", 300)


def _first_frames(browser: Browser, url: str) -> list[Figure]:
    figures = []
    for tokens, goal in ((30, 150.0), (200, None)):
        page = _open(browser, f"{url}/#model={TAGGER}&text=ready")
        times = []
        for letter in LETTERS:
            # Every sentence is new, or the server would have it already.
            text = " ".join(letter + word for word in WORDS[:tokens])
            times.append(page.evaluate(FIRST_FRAME, text))
            page.wait_for_load_state("networkidle")
        received = _bytes_received(page, " ".join("z" + word for word in WORDS[:tokens]))
        page.close()
        name = f"sentence of {tokens} tokens"
        figures += [
            Figure(f"{name} → first frame, median", statistics.median(times), "ms", goal),
            Figure(f"{name} → first frame, p95", p95(times), "ms"),
            Figure(f"{name}: bytes on the wire by then", received["before"] / 1e3, "kB"),
            Figure(f"{name}: bytes on the wire in all", received["all"] / 1e3, "kB"),
        ]
    return figures


def _bytes_received(page: Page, text: str) -> dict[str, int]:
    """What the server sends for one new sentence: until it is shown, and with the rest after it."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.evaluate(FIRST_FRAME, text)
    shown = len(answers)
    page.wait_for_load_state("networkidle")
    # The answer that streams its progress is read by the page and kept by nobody.
    sizes = [answer.request.sizes()["responseBodySize"] for answer in answers]
    return {"before": sum(sizes[:shown]), "all": sum(sizes)}


def _open(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(url)
    page.locator("#gate-o .result").wait_for()
    return page
