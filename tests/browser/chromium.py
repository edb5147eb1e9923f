"""Find a Chromium, install one when there is none, launch it for a test.

python -m tests.browser.chromium             print the path of the one in use
python -m tests.browser.chromium --install   make sure that there is one
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPS = (
    "Chromium.app/Contents/MacOS/Chromium",
    "Google Chrome.app/Contents/MacOS/Google Chrome",
)
MISSING = "There is no Chromium here: python -m tests.browser.chromium --install"

# A browser that talks to nobody but the page under test.
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find(playwright: Playwright | None = None) -> str | None:
    """The browser to use: $CHROMIUM, an installed one, or Playwright's own.

    A running Playwright has to be passed in: there can be only one.
    """
    if named := os.environ.get("CHROMIUM"):
        return named
    installed = (shutil.which(name) for name in NAMES)
    apps = (Path("/Applications", app) for app in MAC_APPS)
    candidates = [*filter(None, installed), *(str(app) for app in apps if app.exists())]
    return candidates[0] if candidates else _playwrights_own(playwright)


def launch(playwright: Playwright, **options: Any) -> Browser:
    """Start it headless with a new, empty profile. Raises FileNotFoundError when there is none."""
    path = find(playwright)
    if path is None:
        raise FileNotFoundError(MISSING)
    # Chromium refuses to run as root inside its sandbox. Playwright leaves the sandbox off for
    # everybody, as many machines do not let an ordinary user make one; we open only our own page.
    return playwright.chromium.launch(
        executable_path=path,
        headless=True,
        args=[*ARGUMENTS, *options.pop("args", ())],
        **options,
    )


def install() -> str:
    """Make sure that there is a Chromium; gives its path."""
    if path := find():
        return path
    if not _install_debians():
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
    if path := find():
        return path
    raise FileNotFoundError("Chromium was installed, and yet there is none.")


def _install_debians() -> bool:
    """As root on Debian. Ubuntu has apt-get, too, but no such package."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    apt = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "check": False}
    subprocess.run(["apt-get", "update"], **apt)
    # A bare machine has no fonts, and text without one is not even measured right.
    packages = ["chromium", "fonts-dejavu-core"]
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    return subprocess.run(command, **apt).returncode == 0


def _playwrights_own(playwright: Playwright | None) -> str | None:
    from playwright.sync_api import sync_playwright

    with nullcontext(playwright) if playwright else sync_playwright() as running:
        path = running.chromium.executable_path
    return path if Path(path).exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.chromium")
    parser.add_argument("--install", action="store_true", help="install one when there is none")
    path = install() if parser.parse_args().install else find()
    print(path or MISSING)
    sys.exit(path is None)


if __name__ == "__main__":
    main()
