"""A script served without comments is the same script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pygments.lexers import JavascriptLexer
from pygments.token import Comment, Whitespace

from server.about import STATIC
from server.plain_text import plain_script

SCRIPTS = sorted((STATIC / "js").rglob("*.js"))


def code(script: str) -> str:
    """Everything but comments and white space outside strings, by another reader of JavaScript."""
    tokens = JavascriptLexer().get_tokens(script)
    kept = (text for kind, text in tokens if kind not in Comment and kind not in Whitespace)
    return re.sub(r"\s+", "", "".join(kept))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(STATIC).as_posix())
def test_nothing_but_comments_and_white_space_is_left_out(path: Path) -> None:
    script = path.read_text(encoding="utf-8")
    plain = plain_script(script)
    assert code(plain) == code(script)
    assert plain.count("\n") == script.count("\n"), "a browser's message names the line of the file"
    assert not any(line.lstrip().startswith(("//", "/*", "* ")) for line in plain.splitlines())


@pytest.mark.parametrize(
    ("script", "plain"),
    [
        ("a; // b\n  c;", "a;\nc;"),
        ("a /* b\n c */ d", "a \n d"),
        ("\"// no\" + '/* no */'", "\"// no\" + '/* no */'"),
        ("`// ${x /* c */ + `/* ${y}`} // no`", "`// ${x  + `/* ${y}`} // no`"),
        ("x = /[/*]\\/\\/ /g; // c", "x=/[/*]\\/\\/ /g;"),
        ("a / b / c // d", "a / b / c "),
        ("f(a) / 2 /* half */", "f(a)/ 2 "),
        ("return /'/.test(a) // it's", "return /'/.test(a)"),
        ("({a: {b: `}`}}) // c", "({a:{b:`}`}})"),
        ("a + +b - -c", "a + +b - -c"),
    ],
)
def test_what_looks_like_a_comment_elsewhere_stays(script: str, plain: str) -> None:
    assert plain_script(script) == plain


def test_a_third_of_the_scripts_are_comments() -> None:
    whole = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    plain = "".join(plain_script(path.read_text(encoding="utf-8")) for path in SCRIPTS)
    assert len(plain) < 0.8 * len(whole)
