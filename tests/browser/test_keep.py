"""What is taken along of a screen, read again by other programs."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
import safetensors.numpy
from playwright.sync_api import Browser, Download, Page, expect

from tests.browser import screen
from tests.browser.watching import watch
from tests.serving import serve

TEXT = "the sun is cold"
SVG = "{http://www.w3.org/2000/svg}"
KEEPING = Path(__file__).parents[2] / "docs" / "keeping.md"
TABS = ["States", "One unit", "Network", "Cell", "Shapes"]

# The mean difference of two pictures, and where they differ most; both drawn at the same size.
COMPARE = """async ([png, svg]) => {
  const load = async (data, type) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([bytes], { type }));
    await image.decode();
    return image;
  };
  const first = await load(png, "image/png");
  const [width, height] = [first.naturalWidth, first.naturalHeight];
  const pixels = (image) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  };
  const [a, b] = [pixels(first), pixels(await load(svg, "image/svg+xml"))];
  let sum = 0, far = 0, ink = 0;
  for (let n = 0; n < a.length; n++) {
    const by = Math.abs(a[n] - b[n]);
    sum += by;
    if (by > 60) far++;
    if (Math.abs(a[n] - a[n % 4]) > 60) ink++;
  }
  return { width, height, mean: sum / a.length, far: far / a.length, ink: ink / a.length };
}"""

FRAMES = """async ([data, times]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const video = document.createElement("video");
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes], { type: "video/webm" }));
  await new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(new Error(video.error.message));
  });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d");
  const seen = [];
  for (const time of times) {
    const there = new Promise((resolve) => (video.onseeked = resolve));
    video.currentTime = time;
    await there;
    context.drawImage(video, 0, 0);
    seen.push([...context.getImageData(0, 0, canvas.width, canvas.height).data]);
  }
  const far = (a, b) => a.filter((value, n) => Math.abs(value - b[n]) > 60).length;
  return {
    duration: video.duration,
    width: video.videoWidth,
    different: seen.slice(1).map((frame) => far(frame, seen[0])),
  };
}"""


@pytest.fixture
def keep(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """A page with the menu open."""

    def open_menu(**link: object) -> Page:
        page = screen.ready(open_page(screen.link(**{"model": "two", "text": TEXT, **link})))
        open_keep(page)
        return page

    return open_menu


def open_keep(page: Page) -> None:
    page.locator("#keep-button").click()
    expect(page.locator("#keep-menu section").first).to_be_visible()


def saved(page: Page, name: str) -> Download:
    """What is downloaded by a button of the menu."""
    with page.expect_download() as download:
        page.locator("#keep-menu").get_by_role("button", name=name).click()
    return download.value


def content(page: Page, name: str) -> bytes:
    return Path(saved(page, name).path()).read_bytes()


def texts(svg: bytes) -> list[str]:
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    return ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("tab", TABS)
def test_every_view_is_a_picture_with_its_caption_and_the_same_as_svg(
    open_page: Callable[..., Page], tab: str
) -> None:
    page = screen.ready(
        open_page(screen.link(model="two", text=TEXT, step=2, layer=1, direction="backward"))
    )
    page.get_by_role("tab", name=tab).click()
    page.wait_for_timeout(500)  # a picture may still be on its way
    open_keep(page)
    png, svg = content(page, "PNG"), content(page, "SVG")
    written = texts(svg)
    assert "Random two · 2 × 6 ⇄" in written
    assert f"“{TEXT}”" in written
    [place] = [text for text in written if text.startswith("step ")]
    assert place.startswith("step 2 of 3 · timestep 2 “is” · layer 1 backward")
    root = ET.fromstring(svg)
    assert root.findtext(f"{SVG}title") in written
    assert TEXT in (root.findtext(f"{SVG}desc") or "")
    data = [base64.b64encode(file).decode() for file in (png, svg)]
    seen = page.evaluate(COMPARE, data)
    assert seen["width"] == 2 * float(root.get("width", "0"))
    assert seen["height"] == pytest.approx(2 * float(root.get("height", "0")), abs=1)
    assert seen["ink"] > 0.01  # there is something to see
    assert seen["far"] < 0.002
    assert seen["mean"] < 1


def test_a_picture_on_white_paper_is_that_whatever_the_screen_is_like(
    open_page: Callable[..., Page],
) -> None:
    page = screen.ready(open_page(screen.link(model="two", text=TEXT), color_scheme="dark"))
    open_keep(page)

    def background() -> str | None:
        return ET.fromstring(content(page, "SVG")).find(f".//{SVG}rect").get("fill")

    assert background() == "#141311"
    page.get_by_role("combobox", name="Colours").select_option("light")
    assert background() == "#ffffff"
    # The screen itself has stayed dark.
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 19, 17)"


def test_numbers_are_torchs_whatever_reads_them(keep: Callable[..., Page], oracle: Any) -> None:
    page = keep(layer=1, direction="forward")
    page.get_by_role("radio", name=re.compile("Layer 1 forward")).check()
    _, cells = oracle("two", TEXT)
    expected = {
        f"1.forward.{name}": values.numpy() for name, values in cells[1, "forward"].quantity.items()
    }

    def check(name: str, found: Any) -> None:
        np.testing.assert_allclose(found, expected[name], atol=1e-5)

    table = pd.read_csv(io.BytesIO(content(page, "CSV")))
    npz = np.load(io.BytesIO(content(page, "NPZ")))
    tensors = safetensors.numpy.load(content(page, "safetensors"))
    parquet = pyarrow.parquet.read_table(io.BytesIO(content(page, "Parquet"))).to_pandas()
    for name, values in expected.items():
        columns = [f"{name}[{unit}]" for unit in range(values.shape[1])]
        check(name, table[columns])
        check(name, parquet[columns])
        check(name, npz[name])
        check(name, tensors[name])
    for frame in (table, parquet):
        assert list(frame["token"]) == TEXT.split()
        assert list(frame["timestep"]) == [0, 1, 2, 3]
    assert list(npz["tokens"]) == TEXT.split()
    assert list(tensors["1.forward.h.units"]) == list(range(6))


def test_the_numbers_of_a_view_are_those_it_shows(keep: Callable[..., Page], oracle: Any) -> None:
    page = keep(tab="unit", layer=0, direction="backward", unit=4)
    expect(page.get_by_role("radio", name=re.compile("What this view shows"))).to_be_checked()
    expect(page.locator("#keep-menu")).to_contain_text("6 arrays × 4 timesteps × 1 unit")
    download = saved(page, "CSV")
    assert download.suggested_filename == "random-two-unit-step-0-view.csv"
    table = pd.read_csv(download.path())
    _, cells = oracle("two", TEXT)
    for name, values in cells[0, "backward"].quantity.items():
        found = table[f"0.backward.{name}[4]"]
        np.testing.assert_allclose(found, values[:, 4].numpy(), atol=1e-5)
    assert table.shape == (4, 2 + 6)


def test_a_table_stands_behind_every_picture(open_page: Callable[..., Page], oracle: Any) -> None:
    page = screen.ready(open_page(screen.link(model="two", text=TEXT, step=1, unit=3, tab="unit")))
    page.locator("#flow").focus()
    page.keyboard.press("t")
    table = page.locator("#table-view table")
    expect(table).to_be_visible()
    columns = table.locator("thead th[scope=col]").all_inner_texts()
    assert columns == ["timestep", "token", *"ifgoch"]
    assert table.locator("caption").text_content()
    assert table.locator("tbody th[scope=row]").all_inner_texts() == ["0", "1", "2", "3"]
    rows = table.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent))"
    )
    _, cells = oracle("two", TEXT)
    quantity = cells[1, "forward"].quantity
    for t, (token, *values) in enumerate(rows):
        assert token == TEXT.split()[t]
        for name, value in zip("ifgoch", values, strict=True):
            assert float(screen.number(value)) == pytest.approx(
                float(quantity[name][t, 3]), abs=1e-4
            )
    assert table.locator("[aria-current]").count() == 1
    with page.expect_download() as download:
        page.get_by_role("button", name="Save all rows as CSV").click()
    kept = pd.read_csv(download.value.path())
    assert list(kept.columns) == columns
    assert list(kept["h"]) == pytest.approx(quantity["h"][:, 3].tolist(), abs=1e-5)
    page.keyboard.press("t")
    expect(page.locator("#table-view")).not_to_be_visible()


def test_a_video_has_a_frame_for_every_step_and_can_be_sought_in(
    keep: Callable[..., Page], browser: Browser
) -> None:
    page = keep(step=1)
    page.get_by_role("combobox", name="Steps a second").select_option("4")
    video = content(page, "Make a video")
    # The page is where it was.
    assert screen.read(page)["step"] == "step 1 of 3"
    assert sum(1 for _ in blocks(video)) == 4
    context = browser.new_context()
    data = base64.b64encode(video).decode()
    seen = context.new_page().evaluate(FRAMES, [data, [0.125, 0.9, 0.125]])
    context.close()
    assert seen["duration"] == pytest.approx(1.0)
    assert seen["width"] >= 640
    last, again = seen["different"]
    assert last > 1000
    assert again == 0


def blocks(data: bytes) -> Iterator[bytes]:
    """The frames of a WebM file, https://www.rfc-editor.org/rfc/rfc9559."""
    at = 0
    while at < len(data):
        length = 9 - data[at].bit_length()
        name, at = data[at : at + length], at + length
        length = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + length]) & ((1 << 7 * length) - 1)
        at += length
        inside, at = data[at : at + size], at + size
        if name in (b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"):  # Segment, Cluster
            yield from blocks(inside)
        elif name == b"\xa3":  # SimpleBlock
            yield inside


def test_a_video_can_be_cancelled_and_leaves_the_page_as_it_was(keep: Callable[..., Page]) -> None:
    page = keep(text=" ".join([TEXT] * 40), step=7)
    page.get_by_role("button", name="Make a video").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".keep-task p")).to_have_text("Cancelled.")
    expect(page.locator("#step-text")).to_have_text("step 7 of 159")
    expect(page.locator("#keep-button")).to_have_text("Keep")


HOSTILE = "the sun </script><script>window.hacked=1</script> <!-- is <b>cold</b> &lt; \u202e"


def test_a_saved_session_steps_scrubs_and_flips_with_the_server_stopped(
    browser: Browser,
    models_folder: Path,
    tmp_path: Path,
    oracle: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {"model_folders": models_folder, "max_export_bytes": 1}
    with serve(settings=settings) as server:
        context = browser.new_context(base_url=server.url)
        page = context.new_page()
        page.goto(screen.link(model="two", text=HOSTILE, step=3, layer=1, unit=2, sort="cluster"))
        screen.ready(page)
        open_keep(page)
        # What the server refuses is said where it was asked for.
        page.get_by_role("radio", name=re.compile("Everything")).check()
        page.locator("#keep-menu").get_by_role("button", name="CSV").click()
        expect(page.locator(".keep-task .problem")).to_contain_text("at most")
        file = tmp_path / "session.html"
        saved(page, "One HTML file").save_as(file)
        page.keyboard.press("Escape")
        online = [at_place(page, n) for n in range(4)]
        tokens, header = screen.tokens(page), screen.boxes(page, "header")
        context.close()

    # The page on keeping says how a program reads the file.
    [program] = re.findall(r"```python\n(.*?)```", KEEPING.read_text("utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec(program, found)
    assert found["session"]["recording"]["text"] == HOSTILE
    for (layer, direction), cell in oracle("two", HOSTILE)[1].items():
        for name, values in cell.quantity.items():
            array = found["arrays"][f"{layer}.{direction}.{name}"]
            np.testing.assert_allclose(array, values.numpy(), atol=1e-5)

    context = browser.new_context()
    problems = watch(context, file.parent.as_uri())
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(file.as_uri())
    screen.ready(page)
    assert page.evaluate("window.hacked") is None
    assert screen.tokens(page) == tokens
    assert screen.boxes(page, "header") == header
    assert page.locator("#step-text").inner_text().startswith("step 3 of")
    assert page.locator("#offline-note").inner_text().startswith("Saved session.")
    assert [at_place(page, n) for n in range(4)] == online
    # Scrub, and look at every view.
    page.locator("#scrub").fill("1")
    expect(page.locator("#step-text")).to_contain_text("step 1 of")
    for tab in TABS:
        page.get_by_role("tab", name=tab).click()
        screen.painted(page)
        expect(page.locator("#status")).not_to_be_visible()
        if tab == "One unit":
            page.get_by_role("button", name="Explore in a chart").click()
            expect(page.locator("#unit-chart .main-svg").first).to_be_visible()
    # A picture of it is made as ever; what needs a server is not offered.
    open_keep(page)
    assert "Random two" in " ".join(texts(content(page, "SVG")))
    assert page.locator("#keep-menu").get_by_role("button", name="Parquet").count() == 0
    expect(page.locator("#ask [type=submit]")).not_to_be_visible()
    assert not problems
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    context.close()


def at_place(page: Page, n: int) -> dict[str, Any]:
    """All numbers of the page after some steps, rows and units."""
    page.locator("#flow").focus()
    keys = [["Home"], ["ArrowRight", "ArrowRight"], ["ArrowDown", "]"], ["ArrowDown", "End"]]
    screen.press(page, *keys[n])
    expect(page.locator("#equations table")).to_be_visible()
    screen.painted(page)
    return screen.read(page)
