"""constraints.txt names every version that an installation gets."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINS = {
    canonicalize_name(name): version
    for name, version in re.findall(
        r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE
    )
}


def declared() -> list[Requirement]:
    project = PROJECT["project"]
    extras = [line for group in project["optional-dependencies"].values() for line in group]
    build = PROJECT["build-system"]["requires"]
    return [Requirement(line) for line in [*project["dependencies"], *extras, *build]]


def test_every_line_is_a_comment_or_one_exact_version() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) == len(PINS)
    assert [line for line in pins if "+" in line] == []
    assert pins == sorted(pins, key=str.lower)


def test_torch_is_the_version_everything_was_measured_with() -> None:
    assert PINS["torch"] == "2.13.0"


def test_all_that_pyproject_asks_for_is_pinned_to_what_it_accepts() -> None:
    for wanted in declared():
        assert canonicalize_name(wanted.name) in PINS, wanted
        assert wanted.specifier.contains(PINS[canonicalize_name(wanted.name)]), wanted


def test_what_they_need_in_turn_is_pinned_and_installed_in_that_version() -> None:
    """As far as this machine needs it; torch's CUDA build pins its own libraries."""
    todo, seen = [wanted.name for wanted in declared()], {"torch"}
    todo += [
        wanted.name
        for wanted in map(Requirement, metadata.requires("torch") or [])
        if not re.match(r"nvidia|cuda|triton", wanted.name) and applies(wanted)
    ]
    while todo:
        name = canonicalize_name(todo.pop())
        if name in seen:
            continue
        seen.add(name)
        assert PINS.get(name) == metadata.version(name)
        todo += [
            wanted.name
            for wanted in map(Requirement, metadata.requires(name) or [])
            if applies(wanted)
        ]


def applies(wanted: Requirement) -> bool:
    return wanted.marker is None or wanted.marker.evaluate({"extra": ""})
