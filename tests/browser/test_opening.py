"""A network of one's own: brought as a file, asked about, recorded; or made afresh."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import torch
from playwright.sync_api import FilePayload, Locator, Page, expect
from torch import Tensor, nn

from tests.browser import models, screen
from tests.serving import RunningServer, serve

WORDS = ["<pad>", "<unk>", *models.WORDS]
TEXT = "the winter is long"
#: What a refused file leaves on Chromium's console.
REFUSED = "422|413"


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(WORDS), 8)
        self.lstm = nn.LSTM(8, 6, num_layers=2, bidirectional=True)
        self.fc = nn.Linear(12, 4)

    def forward(self, ids: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(ids))[0])


class Forecast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 5)
        self.head = nn.Linear(5, 1)


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    torch.manual_seed(7)
    return Tagger()


@pytest.fixture(scope="module")
def opening() -> Iterator[RunningServer]:
    """A server of its own: what is opened here is in nobody else's list."""
    with serve() as running:
        yield running


@pytest.fixture
def start(open_page: Callable[..., Page], opening: RunningServer) -> Callable[..., Page]:
    def start(path: str = "/", *, expected: str | None = None, **options: Any) -> Page:
        return screen.ready(open_page(path, url=opening.url, expected=expected, **options))

    return start


def saved(value: object, name: str) -> FilePayload:
    file = io.BytesIO()
    torch.save(value, file)
    return payload(name, file.getvalue())


def payload(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def vocabulary(words: list[str], name: str = "vocab.json") -> FilePayload:
    return payload(name, json.dumps({word: n for n, word in enumerate(words)}).encode())


def bring(page: Page, *files: FilePayload) -> Locator:
    """Files come together; gives the panel, with its questions or its refusal."""
    page.set_input_files("#weights", list(files))
    panel = page.locator("#opening")
    panel.locator("details, .code, .problem:not(:empty)").first.wait_for()
    return panel


def drop(page: Page, *files: FilePayload) -> None:
    transfer = page.evaluate_handle(
        """files => {
          const transfer = new DataTransfer();
          for (const { name, bytes } of files)
            transfer.items.add(new File([new Uint8Array(bytes)], name));
          return transfer;
        }""",
        [{"name": file["name"], "bytes": [*file["buffer"]]} for file in files],
    )
    page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})


def finish(page: Page, title: str) -> None:
    """Give it a name and open it."""
    panel = page.locator("#opening")
    panel.get_by_label("Name").fill(title)
    panel.get_by_role("button", name="Open", exact=True).click()
    expect(panel).to_be_hidden()
    expect(page.locator("#model")).to_contain_text(title)


def shown_h(page: Page) -> list[float]:
    """h of the chosen unit, timestep after timestep."""
    found = []
    page.locator("#flow").focus()
    screen.press(page, "Home")
    last = int(screen.read(page)["step"].rpartition(" ")[2])
    for n in range(last + 1):
        if n:
            screen.press(page, "ArrowRight")
        found.append(float(screen.number(screen.read(page)["strips"]["h"])))
    return found


def listed(server: RunningServer) -> Mapping[str, Any]:
    return {model["title"]: model for model in server.json("/api/models")}


# --- opening ------------------------------------------------------------------------------------


def test_weights_and_a_vocabulary_dropped_together_run_as_torch_runs_them(
    start: Callable[..., Page], opening: RunningServer, tagger: Tagger
) -> None:
    page = start()
    drop(page, vocabulary(WORDS), saved(tagger.state_dict(), "my tagger.pt"))
    panel = page.get_by_role("dialog", name="Open my tagger.pt")
    expect(panel.get_by_role("status")).to_have_text(
        "PyTorch, 19 tensors: nn.LSTM(8, 6, num_layers=2, bidirectional=True)"
    )
    # The guess is chosen, the first question has the focus, and the tokens can be seen.
    question = panel.get_by_role("group", name="Which token is which row?")
    expect(question.get_by_role("radio", checked=True)).to_be_focused()
    expect(question.locator(".bring")).to_contain_text("vocab.json")
    for word in ("<pad>", "the", "shiny"):
        expect(question.locator(".sample").get_by_text(word, exact=True)).to_be_visible()
    task = panel.get_by_role("group", name="What does it predict?")
    task.get_by_role("radio", name="a label for each token").check()
    finish(page, "Mine")
    # Nothing is recorded of a network that has no examples; the page says what it reads.
    expect(page.locator("#text")).to_be_focused()
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator("#welcome")).to_contain_text("Mine is open.")
    expect(page.locator("#board")).not_to_be_visible()
    screen.record(page, TEXT)
    assert screen.tokens(page) == TEXT.split()
    expect(page.locator("#parity")).to_contain_text("= nn.LSTM ✓")
    with torch.no_grad():
        ids = torch.tensor([WORDS.index(word) for word in TEXT.split()])
        output = tagger.lstm(tagger.embedding(ids))[0]
        scores = tagger(ids).softmax(-1)
    assert shown_h(page) == pytest.approx(output[:, 0].tolist(), abs=5.1e-4)
    best = page.locator("#predictions li").first
    assert best.locator("bdi").text_content() == str(int(scores[-1].argmax()))
    expect(best).to_contain_text(f"{100 * float(scores[-1].max()):.1f}")
    # A reload comes back to it, and so does the link in another browser.
    expect(page).to_have_url(re.compile("winter"))
    url = page.url
    page.reload()
    screen.ready(page)
    assert screen.tokens(page) == TEXT.split()
    expect(page.locator("#model")).to_contain_text("Mine")
    other = start(url.removeprefix(opening.url))
    assert screen.tokens(other) == TEXT.split()
    # The card says what it is and what was chosen.
    page.locator("#about-model").click()
    for words in ("opened here from a file", "nn.LSTM(8, 6,", "What was chosen", "tag"):
        expect(page.locator("#card")).to_contain_text(words)


def test_before_anything_is_typed_a_reload_comes_back_to_the_opened_network(
    start: Callable[..., Page], tagger: Tagger
) -> None:
    page = start()
    bring(page, saved(tagger.state_dict(), "ids.pt"))
    finish(page, "By ids")
    expect(page.locator("#text")).to_have_attribute("placeholder", re.compile("ids"))
    page.reload()
    expect(page.locator("#model")).to_contain_text("By ids")
    expect(page.locator("#welcome")).to_contain_text("ids")
    screen.record(page, "2 11 4")
    assert screen.tokens(page) == ["2", "11", "4"]


def test_a_vocabulary_can_come_later_and_a_wrong_one_is_a_problem(
    start: Callable[..., Page], tagger: Tagger
) -> None:
    page = start()
    panel = bring(page, saved(tagger.state_dict(), "later.pt"))
    submit = panel.get_by_role("button", name="Open", exact=True)
    panel.locator(".bring input").set_input_files(vocabulary([f"w{n}" for n in range(500)]))
    expect(panel.get_by_role("alert")).to_contain_text("500 entries")
    expect(submit).to_be_disabled()
    # What is no vocabulary at all is said to be none, and nothing is lost.
    panel.locator(".bring input").set_input_files(vocabulary(WORDS, "right.json"))
    expect(panel.locator(".bring")).to_contain_text("right.json")
    expect(panel.get_by_role("alert")).to_be_empty()
    expect(submit).to_be_enabled()
    expect(panel.get_by_role("radio", name="the file you brought")).to_be_checked()
    panel.get_by_role("button", name="Remove").click()
    expect(panel.get_by_role("radio", name="type ids")).to_be_checked()
    drop(page, payload("again.txt", "\n".join(WORDS).encode()))
    expect(panel.locator(".bring")).to_contain_text("again.txt")
    finish(page, "Later")
    screen.record(page, TEXT)
    expect(page.locator("#tokens .unknown")).to_have_count(0)


def test_a_broken_vocabulary_is_refused_and_the_questions_stay(
    start: Callable[..., Page], tagger: Tagger
) -> None:
    page = start(expected=REFUSED)
    panel = bring(page, saved(tagger.state_dict(), "kept.pt"))
    panel.locator(".bring input").set_input_files(payload("bad.json", b"{"))
    expect(panel.get_by_role("alert")).not_to_be_empty()
    expect(panel.get_by_role("group", name="What does it predict?")).to_be_visible()
    expect(panel.get_by_role("button", name="Open", exact=True)).to_be_enabled()


def test_a_pickled_module_is_refused_with_what_to_do_and_the_server_is_well(
    start: Callable[..., Page], opening: RunningServer, tagger: Tagger
) -> None:
    page = start(expected=REFUSED, permissions=["clipboard-read", "clipboard-write"])
    panel = bring(page, saved(tagger, "whole.pt"))
    alert = panel.get_by_role("alert")
    expect(alert).to_contain_text("whole module")
    expect(panel.locator("pre")).to_contain_text("torch.save(model.state_dict()")
    panel.get_by_role("button", name="Copy").click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.splitlines() == [
        'model = torch.load("the file", weights_only=False)',
        'torch.save(model.state_dict(), "weights.pt")',
    ]
    assert "state_dict()" in copied
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert opening.json("/api/health")["status"] == "ok"
    # The next file is opened in the same panel.
    panel = bring(page, saved(tagger.state_dict(), "whole-weights.pt"))
    expect(panel.get_by_role("alert")).to_be_empty()
    page.keyboard.press("Escape")
    for name, value, words in (
        ("gru.pt", nn.GRU(3, 4).state_dict(), "no LSTM"),
        ("none.pt", {"epoch": 3}, "no weights"),
    ):
        panel = bring(page, saved(value, name))
        expect(panel.get_by_role("alert")).to_contain_text(words)
        page.keyboard.press("Escape")


def test_one_of_two_lstms_is_chosen_and_later_answers_follow(start: Callable[..., Page]) -> None:
    page = start(expected=REFUSED)
    weights = {
        **{f"encoder.{name}": value for name, value in nn.LSTM(4, 5).state_dict().items()},
        **{f"decoder.{name}": value for name, value in nn.LSTM(7, 3).state_dict().items()},
        "encoder_embedding.weight": torch.randn(20, 4),
        "decoder_embedding.weight": torch.randn(30, 7),
        "out.weight": torch.randn(30, 3),
    }
    panel = bring(page, saved(weights, "two.pt"))
    panel.get_by_role("radio", name=re.compile("^encoder")).check()
    expect(panel.get_by_role("status")).to_contain_text("nn.LSTM(4, 5)")
    expect(panel.locator("#why-vocabulary")).to_contain_text("20 entries")
    panel.get_by_role("radio", name=re.compile("^decoder")).check()
    expect(panel.get_by_role("status")).to_contain_text("nn.LSTM(7, 3)")
    expect(panel.locator("#why-vocabulary")).to_contain_text("30 entries")
    expect(panel.get_by_role("radio", name=re.compile("^decoder"))).to_be_focused()
    # What was decided can be changed, though an answer given before no longer fits.
    panel.get_by_text("What was decided").click()
    reads = panel.get_by_role("combobox", name="What does it read?")
    reads.select_option("numbers")
    expect(panel.get_by_role("group", name="Which token is which row?")).to_have_count(0)
    panel.get_by_role("radio", name=re.compile("^encoder")).check()
    expect(panel.get_by_role("status")).to_contain_text("nn.LSTM(4, 5)")
    # The file as a tree, and what each tensor is for.
    panel.get_by_text(re.compile("What is in the file")).click()
    roles = panel.locator(".tensors .role").all_text_contents()
    assert roles.count("LSTM") == 4
    assert "not used" in roles


def test_cancel_leaves_nothing_behind(
    start: Callable[..., Page], opening: RunningServer, tagger: Tagger
) -> None:
    page = start()
    before = listed(opening)
    forgotten: list[str] = []
    page.on(
        "request",
        lambda request: forgotten.append(request.url) if request.method == "DELETE" else None,
    )
    for leave in (
        lambda: page.keyboard.press("Escape"),
        page.locator("#opening").get_by_role("button", name="Cancel").click,
        page.locator("#opening").get_by_role("button", name="Close").click,
    ):
        panel = bring(page, saved(tagger.state_dict(), "gone.pt"))
        with page.expect_response(lambda response: response.request.method == "DELETE"):
            leave()
        expect(panel).to_be_hidden()
    assert len(forgotten) == 3
    assert all("/api/checkpoints/" in url for url in forgotten)
    assert listed(opening) == before
    expect(page.locator("#model")).to_have_attribute("value", "tagger-en")


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(
    start: Callable[..., Page], tagger: Tagger
) -> None:
    page = start(expected="ERR_|Failed to load")
    page.route("**/api/checkpoints?*", lambda _: None)  # it never answers
    page.set_input_files("#weights", [saved(tagger.state_dict(), "slow.pt")])
    panel = page.get_by_role("dialog", name="Open slow.pt")
    expect(panel.get_by_role("progressbar")).to_be_visible()
    expect(panel.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel).to_be_hidden()
    page.unroute("**/api/checkpoints?*")
    panel = bring(page, saved(tagger.state_dict(), "fast.pt"))
    expect(panel.get_by_role("status")).to_contain_text("nn.LSTM(8, 6")


# --- one's own models ---------------------------------------------------------------------------


def test_ones_own_model_can_be_renamed_and_removed_and_is_asked_for_once(
    start: Callable[..., Page], opening: RunningServer, tagger: Tagger
) -> None:
    page = start()
    bring(page, saved(tagger.state_dict(), "a.pt"))
    finish(page, "First name")
    screen.record(page, "2 3")
    expect(page).to_have_url(re.compile("text=2"))
    url = page.url
    page.locator("#model").click()
    menu = page.locator("#models")
    expect(menu).to_contain_text("Yours")
    expect(menu.get_by_role("button", name=re.compile("English"))).to_be_visible()
    assert menu.get_by_role("button", name=re.compile("Re(name|move) English")).count() == 0
    menu.get_by_role("button", name="Rename First name").click()
    name = menu.get_by_role("textbox", name="Name")
    expect(name).to_be_focused()
    name.fill("Second <b>name</b>")
    page.keyboard.press("Enter")
    expect(page.locator("#model")).to_contain_text("Second <b>name</b>")
    assert "Second <b>name</b>" in listed(opening)
    remove = menu.get_by_role("button", name=re.compile("Remove Second"))
    remove.click()
    expect(menu.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Enter")
    remove.click()
    menu.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("#model")).to_have_attribute("value", "tagger-en")
    assert "Second <b>name</b>" not in listed(opening)
    # A link to it says so.
    page.goto("about:blank")
    page.goto(url)
    expect(page.locator("#status")).to_contain_text("This model is not here")
    page.locator("#status").get_by_role("button", name=re.compile("^Use ")).click()
    screen.ready(page)


def test_the_list_of_models_by_keyboard(start: Callable[..., Page]) -> None:
    page = start()
    page.locator("#model").focus()
    page.keyboard.press("Enter")
    picks = page.locator("#models .pick")
    expect(picks.first).to_be_focused()
    expect(picks.first).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowUp")
    expect(picks.last).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("s")
    expect(page.locator('#models [data-id="shakespeare"]')).to_be_focused()
    assert screen.read(page)["step"].startswith("step 0 "), "the list's keys do not step"
    page.keyboard.press("Escape")
    expect(page.locator("#models")).to_be_hidden()
    expect(page.locator("#model")).to_be_focused()
    page.keyboard.press("Enter")
    expect(picks.first).to_be_focused()
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    expect(page.locator("#model")).to_have_attribute("value", "shakespeare")


# --- fresh networks -----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_a_fresh_network_is_torchs_own_and_impossible_sizes_are_explained(
    start: Callable[..., Page],
) -> None:
    page = start()
    page.locator("#model").click()
    page.get_by_role("button", name="A fresh network…").click()
    form = page.get_by_role("dialog", name="A fresh network")
    make = form.get_by_role("button", name="Make it")
    expect(form.locator("pre")).to_contain_text("nn.LSTM(16, 32, num_layers=2)")
    for name, value, words in (
        ("proj_size", "32", "less than hidden_size"),
        ("proj_size", "", "proj_size"),
        ("hidden_size", "0", "hidden_size"),
        ("num_layers", "1.5", "num_layers"),
        ("seed", "-1", "seed"),
    ):
        field = form.get_by_label(re.compile(f"^{name}"))
        right = field.input_value()
        field.fill(value)
        expect(form.get_by_role("alert")).to_contain_text(words)
        expect(make).to_be_disabled()
        field.fill(right)
        expect(form.get_by_role("alert")).to_be_empty()
    for name, value in {
        "input_size": "3",
        "hidden_size": "6",
        "proj_size": "4",
        "seed": "5",
    }.items():
        form.get_by_label(re.compile(f"^{name}")).fill(value)
    form.get_by_label(re.compile("^bidirectional")).check()
    form.get_by_label(re.compile("^bias")).uncheck()
    form.get_by_role("radio", name="numbers").check()
    torch.manual_seed(5)
    lstm = nn.LSTM(3, 6, num_layers=2, bias=False, bidirectional=True, proj_size=4)
    expect(form.locator("pre")).to_have_text(
        "torch.manual_seed(5)\n"
        "nn.LSTM(3, 6, num_layers=2, bias=False, bidirectional=True, proj_size=4)"
    )
    count = sum(p.numel() for p in lstm.parameters())
    expect(form.get_by_role("status")).to_have_text(f"{count:,} parameters")
    make.click()
    expect(form).to_be_hidden()
    # It has an example, which is recorded at once.
    expect(page.locator("#text")).to_have_value(re.compile(","))
    rows = [line.split(",") for line in page.locator("#text").input_value().splitlines()]
    expect(page.locator("#tokens .unknown")).to_have_count(0)
    expect(page.locator("#step-text")).to_contain_text(f"of {len(rows) - 1}")
    screen.ready(page)
    x = torch.tensor([[float(value) for value in row] for row in rows])
    with torch.no_grad():
        output = lstm(x)[0]
    assert shown_h(page) == pytest.approx(output[:, 0].tolist(), abs=5.1e-4)
    page.locator("#about-model").click()
    expect(page.locator("#card")).to_contain_text("made here of random numbers")


# --- tables -------------------------------------------------------------------------------------


def test_a_table_goes_into_a_model_that_reads_numbers_and_no_other(
    start: Callable[..., Page],
) -> None:
    table = payload("weather.csv", b"a,b,c\n1,2,3\n4,5,6\n0.5,0.25,-1\n")
    page = start(expected=REFUSED)
    page.set_input_files("#file", table)
    status = page.locator("#status")
    expect(status).to_contain_text("reads text")
    expect(status.get_by_role("button", name="A fresh network…")).to_be_visible()
    torch.manual_seed(3)
    model = Forecast()
    panel = bring(page, saved(model.state_dict(), "forecast.pt"))
    expect(panel).to_contain_text("nothing open")
    expect(panel.get_by_role("button", name="Open", exact=True)).to_be_focused()
    finish(page, "Forecast")
    expect(page.locator("#text")).to_have_attribute("placeholder", re.compile("3 numbers"))
    page.locator("#more").click()
    expect(page.locator("#sentences")).to_contain_text("CSV")
    page.keyboard.press("Escape")
    drop(page, table)
    expect(page.locator("#text")).to_have_value(re.compile("a,b,c"))
    expect(page.locator("#tokens .column")).to_have_count(3)
    screen.ready(page)
    x = torch.tensor([[1, 2, 3], [4, 5, 6], [0.5, 0.25, -1]])
    with torch.no_grad():
        output = model.lstm(x)[0]
    assert shown_h(page) == pytest.approx(output[:, 0].tolist(), abs=5.1e-4)
    page.set_input_files("#file", payload("narrow.csv", b"1,2\n3,4\n"))
    expect(status).to_contain_text("2")
    assert len(screen.tokens(page)) == 3


# --- anybody's text -----------------------------------------------------------------------------


def test_hostile_names_are_shown_as_text(start: Callable[..., Page]) -> None:
    name = "<img src=x onerror=alert(1)>"
    weights = {f"{name}.{part}": value for part, value in nn.LSTM(6, 5).state_dict().items()}
    weights["x" * 290] = torch.zeros(2, 2)
    weights["<b>emb</b>.weight"] = torch.randn(20, 6)
    page = start(width=390, height=844, expected=REFUSED)
    # A name that would turn around what stands after it is refused, and shown as what it is.
    panel = bring(page, saved({"\u202egnp": torch.zeros(2)}, "turned.pt"))
    expect(panel.locator(".body")).not_to_contain_text("\u202e")
    page.keyboard.press("Escape")
    panel = bring(page, saved(weights, "<i>file</i>\u202e.pt"))
    expect(panel.get_by_role("heading")).to_have_text("Open <i>file</i>‹202E›.pt")
    panel.get_by_text(re.compile("What is in the file")).click()
    expect(panel.locator(".tensors").first).to_contain_text("<img src=x onerror=alert(1)>")
    assert panel.locator("img, i, bdi b").count() == 0
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    assert panel.locator(".body").evaluate("body => body.scrollWidth <= body.clientWidth")
    title = "<b>\u202e" + "W" * 190
    finish_button = panel.get_by_role("button", name="Open", exact=True)
    panel.get_by_label("Name").fill(title)
    finish_button.click()
    expect(panel).to_be_hidden()
    expect(page.locator("#model")).to_contain_text("<b>‹202E›WWW")
    page.locator("#model").click()
    expect(page.locator("#models [aria-current]")).to_contain_text("<b>‹202E›WWW")
    assert page.locator("#models b, #model b").count() == 0
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 720)])
def test_the_panel_fits_and_everything_in_it_has_a_name_and_a_place(
    start: Callable[..., Page], tagger: Tagger, width: int, height: int
) -> None:
    page = start(width=width, height=height)
    panel = bring(page, saved(tagger.state_dict(), "fits.pt"))
    box = panel.bounding_box()
    assert box is not None
    if width < 600:
        assert (box["width"], box["height"]) == (width, height)
    for name in ("Open", "Cancel"):
        button = panel.get_by_role("button", name=name, exact=True).bounding_box()
        assert button is not None
        assert button["y"] + button["height"] <= height
    unnamed = panel.evaluate("""panel => [...panel.querySelectorAll("button, input, select")]
      .filter(node => node.tabIndex >= 0 && !(node.getAttribute("aria-label") || node.title ||
        node.textContent.trim() || node.labels?.length)).map(node => node.outerHTML)""")
    assert unnamed == []


def test_a_network_is_opened_with_the_keyboard_alone(
    start: Callable[..., Page], tagger: Tagger
) -> None:
    page = start()
    panel = bring(page, saved(tagger.state_dict(), "keys.pt"), vocabulary(WORDS))
    expect(panel.get_by_role("radio", checked=True).first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(panel.get_by_role("radio", name="type ids")).to_be_checked()
    expect(panel.get_by_role("radio", name="type ids")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(panel.get_by_role("radio", name="the file you brought")).to_be_checked()
    expect(panel.get_by_role("button", name="Open", exact=True)).to_be_enabled()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.type") == "submit":
            break
    page.keyboard.press("Enter")
    expect(panel).to_be_hidden()
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("the sun")
    page.keyboard.press("Enter")
    screen.ready(page)
    assert screen.tokens(page) == ["the", "sun"]
