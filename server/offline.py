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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from server.about import STATIC, plotly_file, version
from server.guards import CSP

#: Where the browser puts what it has recorded.
SESSION = "<!-- session -->"

#: Before the names of the page's modules, so that they are no relative addresses.
PREFIX = "gatescope/"

#: Sheets that hold from the start: what they change is in classes of the document.
AWAKE = {"css/embed.css", "css/offline.css"}

#: The style sheets that Plotly writes: the page's own policy knows their hashes.
PLOTLY_STYLES = re.findall(r"'sha256-[^']+'", CSP)

#: `import … from "./x.js"`, `import "./x.js"`, `export … from "./x.js"`, `import("./x.js")`.
_SPECIFIER = re.compile(
    r"""(?P<before>\b(?:from|import)\b\s*\(?\s*)(?P<quote>["'])(?P<path>\.{1,2}/[^"'\s]+)(?P=quote)"""
)
_SHEET = re.compile(r'<link rel="stylesheet" href="(?P<href>[^"]+)">')
_ICON = re.compile(r'<link rel="icon" href="(?P<href>[^"]+)" type="(?P<type>[^"]+)">')
_PRELOAD = re.compile(r'<link rel="modulepreload"[^>]*>\s*')
_ENTRY = re.compile(r'<script type="module"(?P<how>[^>]*?) src="(?P<src>[^"]+)"></script>')
_LATER = re.compile(r"""["'](css/[\w-]+\.css)["']""")
_START = '<script type="module"'
_CHARSET = '<meta charset="utf-8">'


def offline_page(*, charts: bool = True, static: Path = STATIC) -> str:
    """The page without a session; ``charts`` puts in plotly.js, a third of which is left by gzip.

    Raises ValueError when index.html is not as this module knows it.
    """
    styles, scripts = Hashes(), Hashes()
    html = (static / "index.html").read_text(encoding="utf-8")
    html = _PRELOAD.sub("", html)
    html = _ICON.sub(lambda found: _icon(static, found), html)
    linked = [found["href"] for found in _SHEET.finditer(html)]
    html = _SHEET.sub(lambda found: _style(static, found["href"], styles), html)
    entries = list(_ENTRY.finditer(html))
    if not entries or html.count(_CHARSET) != 1:
        raise ValueError(f"index.html has {len(entries)} modules and not one {_CHARSET}")
    sources = modules([entry["src"] for entry in entries], static)
    later = _later(static, sources.values(), linked)
    before = [*(_asleep(static, href, styles) for href in later), _import_map(sources, scripts)]
    html = _ENTRY.sub(lambda found: _entry(found, scripts), html)
    first = html.index(_START)
    html = html[:first] + "\n".join(before) + "\n" + html[first:]
    html = html.replace("</head>", f"{_plotly() if charts else ''}\n{SESSION}\n</head>")
    policy = escape(_policy(styles, scripts), quote=False)
    head = (
        f'{_CHARSET}\n  <meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'\n  <meta name="generator" content="Gatescope {escape(version())}">'
    )
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


def _icon(static: Path, found: re.Match[str]) -> str:
    return f'<link rel="icon" href="{_data(found["type"], static / found["href"])}">'


def _data(media_type: str, content: Path | str) -> str:
    data = content.read_bytes() if isinstance(content, Path) else content.encode()
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


# --- style sheets -------------------------------------------------------------------------------


def _later(static: Path, sources: Iterable[str], linked: Sequence[str]) -> list[str]:
    """Sheets that modules ask for when they are run; and that of a saved session."""
    named = {href for source in sources for href in _LATER.findall(source)}
    there = {href for href in named | AWAKE if (static / href).is_file()}
    return sorted(there.difference(linked))


def _style(static: Path, href: str, styles: Hashes, attributes: str = "") -> str:
    css = (static / href).read_text(encoding="utf-8")
    if re.search(r"</style|url\(|@import", css, re.IGNORECASE):
        raise ValueError(f"{href} names another file, or ends its element")
    return f"<style{attributes}>{styles.add(css)}</style>"


def _asleep(static: Path, href: str, styles: Hashes) -> str:
    """Who asks for it finds the link, and asks no more; js/dom.js wakes it."""
    media = "" if href in AWAKE else ' media="not all"'
    style = _style(static, href, styles, f' data-href="{escape(href)}"{media}')
    return f'<link href="{escape(href)}">{style}'


# --- modules ------------------------------------------------------------------------------------


def _import_map(sources: Mapping[str, str], scripts: Hashes) -> str:
    imports = {PREFIX + path: _data("text/javascript", source) for path, source in sources.items()}
    text = scripts.add(json.dumps({"imports": imports}))
    return f'<script type="importmap">{text}</script>'


def _entry(found: re.Match[str], scripts: Hashes) -> str:
    text = scripts.add(f'import "{PREFIX}{found["src"]}";')
    return f"{_START}{found['how']}>{text}</script>"


def modules(entries: Sequence[str], static: Path = STATIC) -> dict[str, str]:
    """Everything that is imported, now or later, by its path; it imports under bare names."""
    found: dict[str, str] = {}
    wanted = [*entries]
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
