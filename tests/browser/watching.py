"""Sees what goes wrong in a page without being looked for."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, ConsoleMessage

# What Chromium blocks is an error on the console already; this names the rule and the culprit.
TELL_CSP_VIOLATIONS = """
addEventListener('securitypolicyviolation', event =>
  console.error(`CSP: ${event.violatedDirective} blocked ${event.blockedURI}`))
"""


def watch(context: BrowserContext, home: str) -> list[str]:
    """A list that grows with every problem in the pages of ``context``.

    A problem is: an error on the console, an uncaught exception, a breach of the
    Content-Security-Policy, a request to a host other than ``home``.
    """
    problems: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def on_request(url: str) -> None:
        if not url.startswith((f"{home}/", "data:", "blob:", "about:")):
            problems.append(f"foreign request: {url}")

    context.add_init_script(TELL_CSP_VIOLATIONS)
    context.on("console", on_console)
    context.on("weberror", lambda error: problems.append(f"uncaught: {error.error}"))
    context.on("request", lambda request: on_request(request.url))
    return problems
