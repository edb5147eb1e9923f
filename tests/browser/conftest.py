"""A real server and a real browser; pages that fail their test when anything goes wrong in them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from lstm_core.models import load_model
from tests.browser import chromium, models
from tests.browser import oracle as oracles
from tests.browser.watching import watch
from tests.serving import RunningServer, serve

# A machine with other work takes longer; what is as expected is not waited for.
expect.set_options(timeout=15_000)

FAILURES = Path(__file__).parent / "failures"
FAILED = pytest.StashKey[bool]()
SERVER = pytest.StashKey[RunningServer]()


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of every shape, see `tests.browser.models`."""
    folder = tmp_path_factory.mktemp("models")
    models.build(folder)
    return folder


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config, models_folder: Path) -> Iterator[RunningServer]:
    """One server for all browser tests. A test with other settings calls `serve` itself."""
    with serve(settings={"model_folders": models_folder}) as running:
        pytestconfig.stash[SERVER] = running
        yield running
    del pytestconfig.stash[SERVER]


@pytest.fixture(scope="session")
def oracle(models_folder: Path) -> Callable[[str, str], Any]:
    """Model and text to probabilities and cells, by PyTorch's own LSTM."""

    @functools.cache
    def run(model: str, text: str) -> Any:
        own = models_folder / model
        return oracles.run(load_model(own if own.exists() else model), text)

    return run


@pytest.fixture(scope="session")
def server_url(server: RunningServer) -> str:
    return server.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            browser = chromium.launch(playwright)
        except FileNotFoundError as error:
            pytest.fail(str(error), pytrace=False)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a fresh profile, and fails the test when one was not well.

    What that means is said in `watch`. What a test provokes on purpose it names in ``expected``,
    a regular expression.
    """
    opened: list[Page] = []
    watched: list[tuple[list[str], str | None]] = []

    def open_page(
        path: str = "/",
        *,
        width: int = 1280,
        height: int = 800,
        color_scheme: Literal["light", "dark"] = "light",
        reduced_motion: bool = False,
        expected: str | None = None,
        url: str | None = None,
        **context_options: Any,
    ) -> Page:
        """``url`` is another server's; ``context_options`` go to Playwright's new_context."""
        home = url or request.getfixturevalue("server_url")
        context = browser.new_context(
            base_url=home,
            viewport={"width": width, "height": height},
            color_scheme=color_scheme,
            reduced_motion="reduce" if reduced_motion else "no-preference",
            **context_options,
        )
        context.set_default_timeout(10_000)
        watched.append((watch(context, home), expected))
        page = context.new_page()
        opened.append(page)
        page.goto(path)
        return page

    yield open_page

    problems = [
        problem
        for seen, expected in watched
        for problem in seen
        if expected is None or not re.search(expected, problem)
    ]
    failed = problems or request.node.stash.get(FAILED, False)
    for number, page in enumerate(opened):
        if failed and not page.is_closed():
            name = re.sub(r"[^\w-]+", "-", request.node.name).strip("-")
            page.screenshot(path=FAILURES / f"{name}-{number}.png")
        page.context.close()
    if problems:
        pytest.fail("The page was not well:\n  " + "\n  ".join(problems), pytrace=False)


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """The first page, as most people see it."""
    return open_page()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Remember for `open_page` that the test failed, and print what its server said."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
        if running := item.config.stash.get(SERVER, None):
            report.sections.append(("What the server printed", running.output[-4000:]))
    return report
