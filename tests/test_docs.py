"""Docs that can drift are held to what they describe."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_core import catalogue
from lstm_core.quantities import QUANTITIES
from server.app import create_app
from server.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table_rows(page: str) -> dict[str, list[str]]:
    """The cells of every table row that begins with `code`, by that code."""
    rows = re.findall(r"^\| `([^`]+)` \|(.*)\|$", page, flags=re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}


def test_every_setting_is_documented_with_its_default() -> None:
    rows = table_rows(text("docs/api.md"))
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown, description = rows[name]
        expected = "none" if default in (None, []) else str(default)
        if name == "data_folder":  # another one on every machine
            expected = "the user's data folder"
        assert shown.strip("`").replace("_", "") == expected.replace("_", ""), name
        assert description == field.description


def test_every_operation_is_documented() -> None:
    rows = table_rows(text("docs/api.md"))
    paths = create_app().openapi()["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert rows[f"{method.upper()} {path}"] == [operation["summary"]]


@pytest.mark.parametrize("folder", ["lstm_core"])
def test_every_module_is_in_the_architecture(folder: str) -> None:
    page = text("docs/architecture.md")
    for path in (ROOT / folder).iterdir():
        if re.fullmatch(r"[a-z]\w*(\.py)?", path.name) and path.name != "py.typed":
            assert f"`{path.stem}`" in page, path.name


def test_the_architecture_names_no_file_that_is_not_there() -> None:
    names = re.findall(r"\b([a-z_][a-z_-]*\.(?:py|js))\b", text("docs/architecture.md"))
    there = {
        path.name
        for folder in ("lstm_core", "server", "static")
        for path in (ROOT / folder).rglob("*")
    }
    assert names
    assert set(names) <= there


def test_the_formats_name_every_quantity() -> None:
    assert f"quantities {' '.join(QUANTITIES)}" in text("docs/formats.md")


@pytest.mark.parametrize("page", DOCS, ids=lambda path: path.name)
def test_every_link_and_picture_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), target


def test_the_python_example_of_the_readme_runs(tmp_path: Path) -> None:
    [example] = re.findall(r"```python\n(.*?)```", text("README.md"), flags=re.DOTALL)
    subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        check=True,
    )
    assert (tmp_path / "recording.safetensors").exists()


@pytest.mark.parametrize(("page", "blocks"), [("recorder", 6), ("opening", 2), ("comparing", 2)])
def test_a_page_of_python_is_a_program_that_runs(page: str, blocks: int, tmp_path: Path) -> None:
    found = re.findall(r"```python\n(.*?)```", text(f"docs/{page}.md"), flags=re.DOTALL)
    assert len(found) >= blocks
    subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(found)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        check=True,
    )


def test_the_readme_tells_every_models_measured_figure() -> None:
    rows = table_rows(text("README.md"))
    for name, folder in catalogue.find_models().items():
        card = json.loads((folder / "model.json").read_text(encoding="utf-8"))["card"]
        measured = rows[name][1]
        assert str(card["value"]) in measured, name
        assert card["metric"] in measured, name
