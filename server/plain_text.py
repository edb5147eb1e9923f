"""Scripts and style sheets without what only their readers need: comments and blanks.

A third of the page's scripts are comments, for whoever opens the file; a browser would fetch them
for nothing. Lines stay where they are, so that a browser's message names the line of the file.
"""

from __future__ import annotations

import re

#: A slash after one of these begins a regular expression, else it divides.
_BEFORE_REGEX = re.compile(
    r"(?:^|[(,=:\[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|delete|void|throw|await|yield))\s*$"
)
_STRING = re.compile(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"")
_REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(`|\$\{)", re.DOTALL)
_BLANK = re.compile(r"[ \t]*\n[ \t]*")
_PLAIN = re.compile(r"[^'\"`/{}\n \t]+|[ \t]+")
#: Beside these no blank is needed. Not beside + and -, of which two are another sign than one.
_SIGNS = "=,:;{}()<>&|?*"


def plain_script(script: str) -> str:
    """The same script without comments and needless blanks, line for line. Strings, templates and
    regular expressions are left as they are."""
    parts: list[str] = []
    #: For every open brace, whether it closes a ``${`` of a template.
    braces: list[bool] = []
    at = 0
    while at < len(script):
        end = at
        if found := _COMMENT.match(script, at):
            # Two words that only a comment parts stay parted.
            apart = script[at - 1 : at].isspace() or script[found.end() : found.end() + 1].isspace()
            parts.append("\n" * found[0].count("\n") or ("" if apart else " "))
        elif found := _BLANK.match(script, at):
            parts.append("\n")
        elif (found := _STRING.match(script, at)) or (
            script[at] == "/"
            and _BEFORE_REGEX.search(_code_before(parts))
            and (found := _REGEX.match(script, at))
        ):
            parts.append(found[0])
        elif script[at] == "`" or (script[at] == "}" and braces and braces[-1]):
            if script[at] == "}":
                braces.pop()
            found = _TEMPLATE.match(script, at + 1)
            if found is None:
                raise ValueError(f"a template is never closed: {script[at : at + 40]!r}")
            if found[1] == "${":
                braces.append(True)
            parts.append(script[at : found.end()])
        elif found := _PLAIN.match(script, at):
            needless = found[0].isspace() and (
                script[at - 1 : at] in _SIGNS or script[found.end() : found.end() + 1] in _SIGNS
            )
            parts.append("" if needless else found[0])
        else:
            end = at + 1
            if script[at] == "{":
                braces.append(False)
            elif script[at] == "}" and braces:
                braces.pop()
            parts.append(script[at])
        at = found.end() if found else end
    return "".join(parts)


def plain_style(style: str) -> str:
    """A style sheet without comments and indentation, line for line."""
    without = re.sub(
        r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), style, flags=re.DOTALL
    )
    return re.sub(r"(?m)^[ \t]+|(?<=:) (?=\S)| (?=\{)", "", without)


def _code_before(parts: list[str]) -> str:
    """The last few characters of code."""
    text = ""
    for part in reversed(parts):
        text = part + text
        if len(text.strip()) > 12:
            break
    return text
