"""Writing on: the text of a torch loop, states while they are made, branches, the ways back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import nn

from lstm_core.models import SequenceModel, load_model
from lstm_core.text import UNKNOWN
from tests.browser import screen
from tests.browser.test_axe import violations

pytestmark = pytest.mark.browser

BEGIN = "to be or not"
#: Half a unit in the last place shown, and float32 against float64.
SHOWN = 0.00052


COUNT_ADDRESSES = """() => {
  window.addresses = 0;
  for (const name of ["pushState", "replaceState"]) {
    const own = history[name].bind(history);
    history[name] = (...args) => { window.addresses++; own(...args); };
  }
}"""


def open_write(open_page: Callable[..., Page], model: str, text: str, **link: Any) -> Page:
    options = {key: link.pop(key) for key in ("width", "height", "color_scheme") if key in link}
    link = {"model": model, "text": text, "tab": "write", **link}
    page = screen.ready(open_page(screen.link(**link), **options))
    expect(page.locator("#write-start")).to_have_text("Write on")
    return page


def text_of(page: Page) -> str:
    """The text in the address, which is that of the recording on the screen."""
    return parse_qs(urlsplit(page.url).fragment)["text"][0]


def write_on(page: Page) -> str:
    """Let it write, all at once; the new text."""
    before = page.locator("#write-branches li").count()
    page.locator("#write-start").click()
    page.locator("#write-skip").click()
    expect(page.locator("#write-branches li")).to_have_count(before + 1)
    rested(page)
    return text_of(page)


def rested(page: Page) -> None:
    expect(page.locator("#write-start")).to_have_text("Write on")
    screen.recorded(page)
    page.wait_for_timeout(400)  # the address is written when things rest


def by_torch(model: SequenceModel, text: str, tokens: int) -> str:
    """Greedy, by nn.LSTM's own forward of the whole text, again for each token."""
    labels = model.spec.labels
    vocabulary = model.tokenizer.vocabularies["character"]
    with torch.no_grad():
        for _ in range(tokens):
            ids = torch.tensor([vocabulary.id(character) for character in text])
            output, _ = nn.LSTM.forward(model.lstm, model.embedding["character"](ids))
            z = model.head(output[-1])
            if UNKNOWN in labels:
                z[labels.index(UNKNOWN)] = -torch.inf
            text += labels[int(z.argmax())]
    return text


def test_greedy_is_the_text_of_a_torch_loop_and_back_leads_to_the_one_before(
    open_page: Callable[..., Page],
) -> None:
    page = open_write(open_page, "shakespeare", "My lord, I", write="method:greedy;tokens:40")
    text = write_on(page)
    assert text == by_torch(load_model("shakespeare").double(), "My lord, I", 40)
    written = page.locator("#write-text [data-t]:not(.typed)")
    assert "".join(written.all_text_contents()) == text[10:].replace("\n", "⏎\n")
    expect(page.locator("#step-text")).to_contain_text("49")
    page.go_back()
    expect(page.locator("#write-text [data-t]")).to_have_count(10)
    assert text_of(page) == "My lord, I"
    page.go_forward()
    expect(page.locator("#write-text [data-t]")).to_have_count(50)


def test_states_are_shown_while_they_are_made_and_are_torchs(
    open_page: Callable[..., Page], oracle: Callable[..., Any], models_folder: Path
) -> None:
    model = load_model(models_folder / "letters")
    options = {"method": "sample", "temperature": 0.8, "seed": 5}
    at = len(BEGIN) + 7
    begun = BEGIN + "".join(one.appended for one in model.write_on(BEGIN, 8, **options))
    own = oracle("letters", begun)[1][(3, "forward")].quantity
    page = open_write(open_page, "letters", BEGIN, write="tokens:600;seed:5")
    page.evaluate(COUNT_ADDRESSES)
    page.locator("#write-start").click()
    page.locator(f'#write-text [data-t="{at}"]').click()
    expect(page.locator("#cell-title")).to_contain_text(f"timestep {at}")

    def differs() -> list[str]:
        strips = screen.read(page)["strips"]
        return [
            name
            for name, value in strips.items()
            if abs(float(screen.number(value)) - float(own[name][at, 0])) >= SHOWN
        ]

    # While things move, numbers are painted a few times a second.
    for _ in range(20):
        if not differs():
            break
        page.wait_for_timeout(100)
    expect(page.locator("#write-start")).to_have_text("Stop")  # it is still being written
    assert differs() == []
    # Browsers refuse an address that is written fifteen times a second.
    assert page.evaluate("window.addresses") <= 3
    page.locator("#write-start").click()
    rested(page)
    text = text_of(page)
    assert text.startswith(begun)
    assert len(text) < 600
    # What was there while it grew is what the recording of it all has.
    page.locator(f'#write-text [data-t="{at}"]').click()
    screen.painted(page)
    expect(page.locator("#cell-title")).to_contain_text(f"timestep {at}")
    assert differs() == []


def test_a_seed_writes_the_same_again_also_in_parts_and_another_one_does_not(
    open_page: Callable[..., Page], models_folder: Path
) -> None:
    page = open_write(open_page, "letters", BEGIN, write="tokens:20;seed:7;t:1;k:9;p:0.9")
    half = write_on(page)
    whole = write_on(page)
    model = load_model(models_folder / "letters")
    options = {"method": "sample", "temperature": 1.0, "top_k": 9, "top_p": 0.9, "seed": 7}
    own = "".join(one.appended for one in model.write_on(BEGIN, 40, **options))
    assert (half, whole) == (BEGIN + own[:20], BEGIN + own)
    page.locator("#write-seed").fill("8")
    page.locator("#write-seed").press("Tab")
    page.locator(f'#write-text [data-t="{len(BEGIN) - 1}"]').click()
    page.locator("#write-back").click()
    expect(page.locator("#write-text [data-t]")).to_have_count(len(BEGIN))
    rested(page)
    assert text_of(page) == BEGIN
    assert write_on(page) != half
    expect(page.locator("#write-branches [aria-current]")).to_contain_text("seed 8 · 20 tokens")


def test_a_candidate_is_taken_and_the_other_branch_stays_to_go_back_to(
    open_page: Callable[..., Page], oracle: Callable[..., Any]
) -> None:
    page = open_write(open_page, "letters", BEGIN, write="method:greedy;tokens:15")
    first = write_on(page)
    at = len(BEGIN) + 4
    page.locator(f'#write-text [data-t="{at}"]').click()
    screen.painted(page)
    labels = load_labels(oracle, first, at)
    rows = page.locator("#write-after .candidates li:visible")
    for n, (label, probability) in enumerate(labels[:3]):
        expect(rows.nth(n)).to_contain_text(label.replace(" ", "␣").replace("\n", "⏎"))
        expect(rows.nth(n)).to_contain_text(f"{100 * probability:.1f} %")
    # Greedy has the first one; all others are faint, and may be taken all the same.
    assert "out" not in (rows.nth(0).get_attribute("class") or "")
    assert "out" in (rows.nth(1).get_attribute("class") or "")
    chosen = next(n for n, (label, _) in enumerate(labels) if n and label != UNKNOWN)
    rows.nth(chosen).get_by_role("button").click()
    page.locator("#write-skip").click()
    expect(page.locator("#write-branches li")).to_have_count(2)
    rested(page)
    second = text_of(page)
    assert second[: at + 2] == first[: at + 1] + labels[chosen][0]
    assert len(second) == at + 1 + 15
    page.locator("#write-branches button").first.click()
    expect(page.locator("#write-text [data-t]")).to_have_count(len(first))
    rested(page)
    assert text_of(page) == first
    # What was typed is told apart from what was written.
    expect(page.locator("#write-text .typed[data-t]")).to_have_count(len(BEGIN))


def load_labels(oracle: Callable[..., Any], text: str, at: int) -> list[tuple[str, float]]:
    from tests.browser.models import LETTERS

    scores, _ = oracle("letters", text)
    values, ids = scores[at].topk(8)
    names = [UNKNOWN, *LETTERS]
    return [(names[n], float(p)) for n, p in zip(ids.tolist(), values, strict=True)]


def test_bytes_are_written_as_whole_characters(open_page: Callable[..., Page]) -> None:
    page = open_write(open_page, "bytes", "naïve", write="tokens:30;seed:2;t:1")
    text = write_on(page)
    assert text.startswith("naïve")
    assert len(text.encode()) == len("naïve".encode()) + 30


@pytest.mark.parametrize(
    ("model", "said"),
    [("two", "a tag for each token"), ("prices", "rows of numbers"), ("judge", "a class for")],
)
def test_a_model_that_cannot_write_says_why_and_hides_its_tab(
    open_page: Callable[..., Page], model: str, said: str
) -> None:
    page = screen.ready(open_page(screen.link(model=model, tab="write")))
    expect(page.locator("#write-instead")).to_contain_text(said)
    expect(page.locator("#write-tools")).to_be_hidden()
    page.locator("#tab-states").click()
    expect(page.locator("#tab-write")).to_be_hidden()


def test_another_text_ends_what_is_written(open_page: Callable[..., Page]) -> None:
    page = open_write(open_page, "letters", BEGIN, write="tokens:900")
    page.locator("#write-start").click()
    expect(page.locator("#write-tools")).to_have_class(re.compile("writing"))
    screen.record(page, "something else")
    rested(page)
    assert text_of(page) == "something else"
    expect(page.locator("#write-text [data-t]")).to_have_count(14)
    expect(page.locator("#write-branches")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_breaks_no_rule_of_axe(
    open_page: Callable[..., Page], scheme: Literal["light", "dark"]
) -> None:
    page = open_write(open_page, "letters", BEGIN, write="tokens:8;k:5", color_scheme=scheme)
    write_on(page)
    assert violations(page) == []
