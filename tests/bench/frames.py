"""What a frame of the page costs while somebody scrubs, plays, flips, pans and zooms.

At three sizes, in headless Chromium without a GPU, and beside it the same redrawn by Plotly.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from playwright.sync_api import Browser, CDPSession, Page

from tests.bench.measure import Figure, p95
from tests.bench.models import LAYERS, SIZES, words

FRAMES = 200
#: Plotly takes seconds for each.
PLOTLY_FRAMES = 5
VIEWPORT = {"width": 1440, "height": 900}
#: Long recordings are made before they can be measured.
PATIENCE = 300_000

#: Frames of 120 a second; of 60 for what changes the whole picture.
STEP, MOVE = 8.3, 16.7

# Each frame does one thing more, as a held key, a dragged slider or a turning wheel does. Two times
# are taken of each. What it keeps the main thread: from its first callback until a message posted
# there is delivered, when script, style, layout and paint are done. And from frame to frame with no
# limit on their rate: then the next one waits for the drawing, too.
DRIVE = """
({ action, frames }) => new Promise((resolve) => {
  const key = (key) =>
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const wheel = (how) => {
    const track = document.getElementById("state-track");
    const { x, y } = track.getBoundingClientRect();
    const at = { clientX: x + 300, clientY: y + 20, bubbles: true, cancelable: true };
    track.dispatchEvent(new WheelEvent("wheel", { ...at, ...how }));
  };
  const slider = document.getElementById("scrub");
  const there = (n, turn) => (n % (2 * turn) < turn ? 1 : -1);
  const actions = {
    "stand still": () => {},
    scrub: (n) => {
      slider.value = String((n * 3) % (Number(slider.max) + 1));
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    },
    play: () => key("ArrowRight"),
    flip: () => key("]"),
    pan: (n) => wheel({ deltaX: 40 * there(n, 50) }),
    zoom: (n) => wheel({ deltaY: -4 * there(n, 40), ctrlKey: true }),
  };
  const main = [], between = [];
  const { port1, port2 } = new MessageChannel();
  let start = 0, n = 0;
  port1.onmessage = () => main.push(performance.now() - start);
  const frame = () => {
    const now = performance.now();
    if (n) between.push(now - start);
    if (n === frames) return setTimeout(() => resolve({ main, between }), 100);
    start = now;
    port2.postMessage(null);
    actions[action](n++);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})
"""

# Four heatmaps of h, as one would draw them with Plotly, and their window moved.
PLOTLY = """
async ({ url, plotly, frames }) => {
  await new Promise((loaded) => {
    const script = document.createElement("script");
    script.src = plotly;
    script.onload = loaded;
    document.head.append(script);
  });
  const bytes = await (await fetch(url)).arrayBuffer();
  const size = Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, size)));
  const charts = [];
  delete header.__metadata__;
  for (const { shape, data_offsets: [from] } of Object.values(header)) {
    const [steps, units] = shape;
    const data = new Float32Array(bytes, 8 + size + from, steps * units);
    const z = Array.from({ length: units }, (_, unit) =>
      Float32Array.from({ length: steps }, (_, t) => data[t * units + unit]));
    const chart = document.createElement("div");
    chart.style.cssText = "width: 900px; height: 160px";
    document.body.append(chart);
    const margin = { l: 40, r: 0, t: 0, b: 20 };
    await Plotly.newPlot(chart, [{ type: "heatmap", z, showscale: false }], { margin });
    charts.push({ chart, steps });
  }
  const times = [];
  for (let n = 0; n < frames; n++) {
    const start = performance.now();
    for (const { chart, steps } of charts)
      await Plotly.relayout(chart, { "xaxis.range": [n, steps - frames + n] });
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
    times.push(performance.now() - start);
  }
  return times;
}
"""

#: Which view each is measured in.
ACTIONS = {"scrub": "states", "play": "states", "flip": "unit", "pan": "states", "zoom": "states"}


@dataclass(frozen=True)
class Frames:
    """Milliseconds of the frames of one action at one size."""

    main: list[float]
    between: list[float]


def measure(browser: Browser, url: str) -> list[Figure]:
    figures: list[Figure] = []
    scrubs: dict[tuple[int, int], float] = {}
    for timesteps, units in SIZES:
        page = _open(browser, url, timesteps, units)
        size = f"{timesteps:,} × {units} × {LAYERS} layers"
        for action, tab in ACTIONS.items():
            page.locator(f"#tab-{tab}").click()
            page.keyboard.press("Home")
            _settle(page)
            found = Frames(**page.evaluate(DRIVE, {"action": action, "frames": FRAMES}))
            if action == "scrub":
                scrubs[timesteps, units] = statistics.median(found.main)
            figures += _figures(
                f"{action}, {size}", found, MOVE if action in ("pan", "zoom") else STEP
            )
        if (timesteps, units) == SIZES[-1]:
            figures.append(_memory(page))
            figures += _beside_plotly(browser, url, page, scrubs[SIZES[-1]])
        page.close()
    longest, middle = scrubs[SIZES[-1]], scrubs[SIZES[-2]]
    name = f"scrub: {SIZES[-1][0]:,} timesteps ÷ {SIZES[-2][0]:,}"
    return [*figures, Figure(name, longest / middle, "×", 1.2)]


def _figures(name: str, frames: Frames, goal: float) -> list[Figure]:
    return [
        Figure(f"{name}: frame, median", statistics.median(frames.main), "ms"),
        Figure(f"{name}: frame, p95", p95(frames.main), "ms", goal),
        Figure(f"{name}: frame to frame, median", statistics.median(frames.between), "ms"),
        Figure(f"{name}: frame to frame, p95", p95(frames.between), "ms"),
    ]


def _open(browser: Browser, url: str, timesteps: int, units: int) -> Page:
    page = browser.new_page(viewport=VIEWPORT)
    shown = {"model": f"bench-{units}", "text": words(timesteps)}
    page.goto(f"{url}/#{urlencode(shown)}")
    page.locator("#gate-o .result").wait_for(timeout=PATIENCE)
    _settle(page)
    return page


def _settle(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)


def _memory(page: Page) -> Figure:
    """After moving over all of a long recording, at every zoom."""
    for key in ("w", "PageDown", "z", "z", "z", *["PageDown"] * 12, "w", "Z", "End", "Home"):
        page.keyboard.press(key)
        page.wait_for_timeout(100)
    _settle(page)
    client = page.context.new_cdp_session(page)
    client.send("HeapProfiler.collectGarbage")
    return Figure("memory of the tab's arrays after that", _array_bytes(client) / 1e6, "MB", 256)


def _array_bytes(client: CDPSession) -> float:
    return float(client.send("Runtime.getHeapUsage")["backingStorageSize"])


def _beside_plotly(browser: Browser, url: str, page: Page, ours: float) -> Sequence[Figure]:
    recording = page.evaluate(
        "performance.getEntriesByType('resource').map(({ name }) => name)"
        ".findLast((name) => name.includes('/tiles?')).split('/tiles')[0]"
    )
    names = "&".join(f"name={layer}.forward.h" for layer in range(LAYERS))
    empty = browser.new_page(viewport=VIEWPORT)
    empty.goto(f"{url}/api/about")
    given = {
        "url": f"{recording}/arrays?{names}",
        "plotly": "/vendor/plotly.min.js",
        "frames": PLOTLY_FRAMES,
    }
    median = statistics.median(empty.evaluate(PLOTLY, given))
    empty.close()
    timesteps, units = SIZES[-1]
    size = f"{timesteps:,} × {units} × {LAYERS}"
    return [
        Figure(f"Plotly heatmaps, {size}: redraw, median", median, "ms"),
        Figure(
            f"Plotly's redraw ÷ a frame of scrubbing, {size}",
            median / ours,
            "×",
            300,
            at_least=True,
        ),
    ]
