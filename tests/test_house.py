"""The house is in order: what the repository says about itself is true everywhere."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from server.about import version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Built from pieces, so that this file does not name them itself.
REGISTRIES = [
    "pypi" + r"\.(org|python\.org)",
    "pythonhosted" + r"\.org",
    "npmjs" + r"\.(org|com)",
    "yarnpkg" + r"\.com",
    "download" + r"\.pytorch\.org",
]
MACHINE_PATHS = [
    f"(?<![\\w.]){folder}/"
    for folder in (
        "/home/" + r"\w+",
        "/Users/" + r"\w+",
        "/ro" + "ot",
        "/wo" + "rk",
        "/op" + "t/pypi",
    )
]


def test_no_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    """Where packages come from is each machine's own affair."""
    unwanted = re.compile("|".join([*REGISTRIES, *MACHINE_PATHS]))
    found = [
        f"{path}:{number}: {match[0]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if (match := unwanted.search(line))
    ]
    assert found == []


def test_the_lock_file_pins_every_package_and_no_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    tools = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert packages[""]["devDependencies"] == tools
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in tools.values())
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name


def test_every_target_of_the_makefile_is_in_its_help_or_a_step_of_another() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert targets == set(phony[1].replace("\\\n", " ").split())
    help_ = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^  ([a-z-]+) {2,}\S", help_.stdout, re.MULTILINE))
    assert targets - listed == {"chromium"}


def test_the_documents_name_only_targets_there_are() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path, text in texts():
        if path.suffix == ".md":
            named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
            assert named <= targets, path


def test_one_command_tests_everything_on_a_bare_machine() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("exec make test")


def test_the_licence_is_mit() -> None:
    assert PROJECT["license"] == "MIT"
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("MIT License\n\nCopyright (c) 2026 Gatescope contributors\n")


def test_the_version_is_written_once() -> None:
    assert version() == PROJECT["version"]


def texts() -> Iterator[tuple[Path, str]]:
    """Every text file that belongs to the repository."""
    for path in files():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content[:8000]:
            yield path, content.decode("utf-8", errors="replace")


def files() -> list[Path]:
    """As git knows them; without git, all but what .gitignore names."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"]
    try:
        listed = subprocess.run(
            [*command, "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        paths = [Path(name) for name in listed.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        ignored = {".git", *(ROOT / ".gitignore").read_text().replace("/\n", "\n").split()}
        everything = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        paths = [path for path in everything if not {*path.parts, str(path)} & ignored]
    return [path for path in paths if (ROOT / path).is_file()]


def test_nothing_opens_a_file_in_a_way_that_could_run_it() -> None:
    """One loader per format, and none that unpickles, loads programs or tries again unsafely."""
    runs = {
        *("pickle.load", "pickle.loads", "pickle.Unpickler", "torch.jit.load", "torch.package"),
        *("joblib.load", "dill.load", "dill.loads", "marshal.load", "marshal.loads", "shelve.open"),
        *("keras.models.load_model", "keras.saving.load_model", "torch.hub.load", "eval", "exec"),
    }
    for path in sorted(
        path for name in ("lstm_core", "server") for path in (ROOT / name).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            assert called not in runs, f"{path.name}: {called}"
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert given.get("allow_pickle") in (None, "False"), f"{path.name}: {called}"
            if called == "torch.load":
                assert given.get("weights_only") == "True", path.name
