"""The page in headless Chromium, drawn by software: first frame, repaint, bytes."""

from __future__ import annotations

import statistics

from playwright.sync_api import Browser, Page, Response, sync_playwright

from tests.bench.measure import Figure, p95
from tests.bench.models import WORDS
from tests.browser import chromium

TAGGER = "tagger-en"
LETTERS = "abcdefghijklmnop"
STEPS = 190

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

# One step per round: a key press, then the frame that shows it. The first callback of that frame
# takes the time and posts a message; it is delivered when the frame's script, style, layout and
# paint on the main thread are done. So the screen's own rhythm is not in the figure.
REPAINT = """
({ steps, move }) => new Promise((resolve) => {
  const key = move ? "ArrowRight" : "F13";
  const frames = [];
  const { port1, port2 } = new MessageChannel();
  let start = 0;
  const round = () => {
    requestAnimationFrame(() => {
      start = performance.now();
      port2.postMessage(null);
    });
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  };
  port1.onmessage = () => {
    frames.push(performance.now() - start);
    if (frames.length < steps) setTimeout(round, 0);
    else resolve(frames);
  };
  round();
})
"""


def measure(url: str, wide: str) -> list[Figure]:
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        figures = [*_page_weight(browser, url), *_first_frames(browser, url)]
        figures += _repaints(browser, url, wide)
        browser.close()
    return figures


def _page_weight(browser: Browser, url: str) -> list[Figure]:
    page = browser.new_page()
    sizes: dict[str, int] = {}

    def add(response: Response) -> None:
        if "/api/" not in response.url:
            sizes[response.url] = len(response.body())

    page.on("response", add)
    page.goto(url)
    page.locator("#gate-o .result").wait_for()
    page.wait_for_load_state("networkidle")
    page.close()
    return [
        Figure(
            "page: HTML, CSS and JavaScript before the first chart", sum(sizes.values()) / 1e3, "kB"
        ),
        Figure("page: files before the first chart", len(sizes), "files"),
    ]


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
    sizes = [len(answer.body()) for answer in answers]
    return {"before": sum(sizes[:shown]), "all": sum(sizes)}


def _repaints(browser: Browser, url: str, wide: str) -> list[Figure]:
    text = "+".join(WORDS[:200])
    page = _open(browser, f"{url}/#model={wide}&text={text}")
    page.wait_for_load_state("networkidle")
    idle = page.evaluate(REPAINT, {"steps": STEPS, "move": False})
    moving = page.evaluate(REPAINT, {"steps": STEPS, "move": True})
    assert f"step {STEPS} " in page.locator("#step-text").inner_text(), "the steps were not taken"
    page.close()
    size = "200 tokens × 4 layers × 512 units"
    return [
        Figure(f"one step's repaint, {size}: frame, median", statistics.median(moving), "ms"),
        Figure(f"one step's repaint, {size}: frame, p95", p95(moving), "ms", 8.3),
        Figure("the same page standing still: frame, median", statistics.median(idle), "ms"),
    ]


def _open(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(url)
    page.locator("#gate-o .result").wait_for()
    return page
