"""The page as one HTML file that opens from a disk, with no server behind it.

Its style sheets become <style> elements, its modules an import map of data: URLs whose relative
imports have bare names instead, plotly.js a text that is run when a chart is wanted. A
Content-Security-Policy lets it use these and nothing else. What the browser adds, the session,
are elements that no browser runs; it puts them where `SESSION` stands.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

from server.about import STATIC, plotly_file, version
from server.guards import CSP

#: Where the browser puts what it has recorded.
SESSION = "<!-- session -->"

ENTRY = "js/main.js"

#: Before the names of the page's modules, so that they are no relative addresses.
PREFIX = "gatescope/"

#: The style sheets that Plotly writes: the page's own policy knows their hashes.
PLOTLY_STYLES = re.findall(r"'sha256-[^']+'", CSP)

#: `import … from "./x.js"`, `import "./x.js"`, `export … from "./x.js"`, `import("./x.js")`.
_SPECIFIER = re.compile(
    r"""(?P<before>\b(?:from|import)\b\s*\(?\s*)(?P<quote>["'])(?P<path>\.{1,2}/[^"'\s]+)(?P=quote)"""
)
_SHEET = re.compile(r'<link rel="stylesheet" href="(?P<href>[^"]+)">')
_ICON = re.compile(r'<link rel="icon" href="(?P<href>[^"]+)" type="(?P<type>[^"]+)">')
_PRELOAD = re.compile(r'<link rel="modulepreload"[^>]*>\s*')
_SCRIPT = re.compile(r'<script type="module" src="(?P<src>[^"]+)"></script>')
_CHARSET = '<meta charset="utf-8">'


def offline_page(*, charts: bool = True, static: Path = STATIC) -> str:
    """The page without a session; ``charts`` puts in plotly.js, a third of which is left by gzip.

    Raises ValueError when index.html is not as this module knows it.
    """
    styles, scripts = Hashes(), Hashes()
    html = (static / "index.html").read_text(encoding="utf-8")
    html = _PRELOAD.sub("", html)
    html = _replace(_ICON, html, lambda found: _icon(static, found))
    linked = _SHEET.findall(html)
    html = _SHEET.sub(lambda found: _style(static, found["href"], styles), html)
    later = [href for href in _sheets(static) if href not in linked]
    others = "\n".join(_later(static, href, styles) for href in later)
    html = _replace(_SCRIPT, html, lambda _: f"{others}\n{_modules(static, scripts)}\n{SESSION}")
    if charts:
        html = html.replace(SESSION, f"{_plotly()}\n{SESSION}")
    policy = _policy(styles, scripts)
    head = (
        f'{_CHARSET}\n  <meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=False)}">'
        f'\n  <meta name="generator" content="Gatescope {escape(version())}">'
    )
    if html.count(_CHARSET) != 1:
        raise ValueError(f"index.html has not one {_CHARSET}")
    return html.replace(_CHARSET, head)


class Hashes:
    """What a policy lets through of inline text: exactly this, by its hash."""

    def __init__(self) -> None:
        self.sources: list[str] = []

    def add(self, text: str) -> str:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        self.sources.append(f"'sha256-{digest}'")
        return text


def _policy(styles: Hashes, scripts: Hashes) -> str:
    """A file from a disk may do as much as it needs to show itself, and talks to nobody."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(scripts.sources)} data:",
            f"style-src {' '.join((*styles.sources, *PLOTLY_STYLES))}",
            "style-src-attr 'unsafe-inline'",
            "img-src data: blob:",
            "media-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _replace(pattern: re.Pattern[str], html: str, by: Callable[[re.Match[str]], str]) -> str:
    found = list(pattern.finditer(html))
    if len(found) != 1:
        raise ValueError(f"index.html has {len(found)} of {pattern.pattern}, not one")
    return pattern.sub(by, html)


def _icon(static: Path, found: re.Match[str]) -> str:
    return f'<link rel="icon" href="{_data(found["type"], static / found["href"])}">'


def _data(media_type: str, content: Path | str) -> str:
    data = content.read_bytes() if isinstance(content, Path) else content.encode()
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


# --- style sheets -------------------------------------------------------------------------------


def _sheets(static: Path) -> list[str]:
    return sorted(path.relative_to(static).as_posix() for path in static.glob("css/*.css"))


def _style(static: Path, href: str, styles: Hashes) -> str:
    css = (static / href).read_text(encoding="utf-8")
    if re.search(r"</style|url\(|@import", css, re.IGNORECASE):
        raise ValueError(f"{href} names another file, or ends its element")
    return f"<style>{styles.add(css)}</style>"


def _later(static: Path, href: str, styles: Hashes) -> str:
    """One that a view asks for when it opens; it finds the link and asks no more."""
    return f'<link href="{escape(href)}">{_style(static, href, styles)}'


# --- modules ------------------------------------------------------------------------------------


def _modules(static: Path, scripts: Hashes) -> str:
    imports = {
        PREFIX + path: _data("text/javascript", source) for path, source in modules(static).items()
    }
    map_text = scripts.add(json.dumps({"imports": imports}))
    start = scripts.add(f'import "{PREFIX}{ENTRY}";')
    return f'<script type="importmap">{map_text}</script>\n<script type="module">{start}</script>'


def modules(static: Path = STATIC) -> dict[str, str]:
    """Everything the entry imports, now or later, by its path; imports under bare names."""
    found: dict[str, str] = {}
    wanted = [ENTRY]
    while wanted:
        path = wanted.pop()
        if path in found:
            continue
        source = (static / path).read_text(encoding="utf-8")
        wanted += _imported(static, path, source)
        found[path] = _renamed(static, path, source)
    return dict(sorted(found.items()))


def _imported(static: Path, path: str, source: str) -> Iterator[str]:
    for specifier in _SPECIFIER.finditer(source):
        target = _target(path, specifier["path"])
        if (static / target).is_file():
            yield target


def _renamed(static: Path, path: str, source: str) -> str:
    def rename(specifier: re.Match[str]) -> str:
        target = _target(path, specifier["path"])
        if not (static / target).is_file():
            return specifier[0]  # a type named in a comment
        quote = specifier["quote"]
        return f"{specifier['before']}{quote}{PREFIX}{target}{quote}"

    return _SPECIFIER.sub(rename, source)


def _target(path: str, specifier: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), specifier))


# --- plotly.js ----------------------------------------------------------------------------------


def _plotly() -> str:
    return f'<script type="text/plain" id="plotly">{_packed(plotly_file())}</script>'


@functools.lru_cache(maxsize=1)
def _packed(path: Path) -> str:
    """gzip in base64; the same for the same file."""
    return base64.b64encode(gzip.compress(path.read_bytes(), mtime=0)).decode()
