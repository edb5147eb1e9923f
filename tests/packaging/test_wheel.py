"""The wheel holds the page and the models, and runs in a clean environment, far from its source."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import RunningServer, serve

ROOT = Path(__file__).parents[2]
PACKAGES = ("lstm_core", "server", "static")
MODELS = sorted(path.parent.name for path in ROOT.glob("lstm_core/zoo/models/*/model.json"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # Without isolation: what builds it is pinned and installed already.
    command = ["build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", *command], check=True)
    (wheel,) = folder.glob("gatescope-*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new environment with nothing but the wheel and its needs."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    programs = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--quiet", "--no-compile", "-c", str(ROOT / "constraints.txt")]
    subprocess.run(
        [*pip, "--python", str(programs / "python"), "install", *options, str(wheel)], check=True
    )
    return programs


@pytest.fixture(scope="module")
def server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with serve([installed / "gatescope"], cwd=elsewhere, timeout=120) as running:
        yield running


def test_the_wheel_holds_our_packages_whole_and_nothing_else(wheel: Path) -> None:
    ours = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == ours


def test_the_wheel_holds_the_page_the_models_and_the_licence(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel).namelist()
    models = [
        f"lstm_core/zoo/models/{model}/{name}"
        for model in MODELS
        for name in ("model.json", "weights.safetensors", "card.md")
    ]
    wanted = ["static/index.html", "static/js/main.js", "lstm_core/py.typed", *models]
    assert [name for name in wanted if name not in held] == []
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in held)


def test_there_are_models_in_the_box() -> None:
    assert len(MODELS) >= 2


def test_the_installed_program_serves_the_page(server: RunningServer) -> None:
    page = server.get("/").decode()
    assert "Gatescope" in page
    scripts = re.findall(r'<script[^>]+src="([^"]+)"', page)
    assert scripts
    for script in scripts:
        assert server.get("/" + script.lstrip("./"))


def test_the_installed_program_knows_the_models_and_its_version(
    server: RunningServer, wheel: Path
) -> None:
    assert sorted(model["id"] for model in server.json("/api/models")) == MODELS
    assert server.json("/api/health")["version"] == wheel.name.split("-")[1]


@pytest.mark.parametrize("model", MODELS)
def test_the_installed_program_records_a_sentence(server: RunningServer, model: str) -> None:
    recording = server.post("/api/recordings", {"model": model, "text": "The sun is shiny"})
    assert recording["parity"]["ok"]
    assert (
        "".join(token["text"] for token in recording["tokens"]).replace(" ", "") == "Thesunisshiny"
    )
