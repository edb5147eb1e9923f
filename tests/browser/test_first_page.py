"""The page arrives and is well; and a page that is not well is noticed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.watching import watch

HOME = "http://gatescope.test"
ELSEWHERE = "http://elsewhere.test"


def test_the_page_opens_without_an_error_and_asks_no_other_host(page: Page) -> None:
    expect(page).to_have_title(re.compile("Gatescope"))
    page.wait_for_load_state("networkidle")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser in which every address answers with the same page."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("console.error('oh')", "console: oh"),
        ("setTimeout(() => { throw new Error('oh') })", "uncaught: oh"),
        ("Promise.reject(new Error('oh'))", "uncaught: oh"),
        ("eval('1')", "console: CSP: script-src"),
        (f"new Image().src = '{ELSEWHERE}/a.png'", "console: CSP: img-src"),
        (f"fetch('{ELSEWHERE}/a').catch(() => {{}})", f"foreign request: {ELSEWHERE}/a"),
        ("fetch('/missing')", "console: Failed to load resource"),
    ],
)
def test_a_page_that_is_not_well_is_noticed(
    context: BrowserContext, script: str, problem: str
) -> None:
    context.route(
        "**/*",
        lambda route: route.fulfill(
            status=404 if "missing" in route.request.url else 200,
            content_type="text/html",
            headers={"Content-Security-Policy": "img-src 'self'; script-src 'unsafe-inline'"},
            body=f"<script>{script}</script>",
        ),
    )
    problems = watch(context, HOME)
    page = context.new_page()
    page.goto(f"{HOME}/")
    for _ in range(100):
        if any(seen.startswith(problem) for seen in problems):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"Not seen; seen were {problems}")


def test_a_quiet_page_is_well(context: BrowserContext) -> None:
    context.route("**/*", lambda route: route.fulfill(content_type="text/html", body="<p>quiet"))
    problems = watch(context, HOME)
    page = context.new_page()
    page.goto(f"{HOME}/")
    page.evaluate("fetch('/more').then(() => { location.hash = 'a' })")
    page.wait_for_timeout(100)
    assert problems == []
