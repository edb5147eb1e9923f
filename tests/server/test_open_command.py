"""``gatescope open``: the real command, from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from lstm_core import catalogue
from server import opening_command
from server.__main__ import main
from tests.server import worlds
from tests.server.files import VOCABULARY, Letters, bring, letters, numbers, open_model, saved
from tests.serving import MODULE, serve

SETTLED = ["--tokenizer", "characters"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "letters.safetensors").write_bytes(letters())
    (tmp_path / "letters.json").write_bytes(VOCABULARY)
    (tmp_path / "numbers.safetensors").write_bytes(numbers())
    return tmp_path


def run(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if "GATESCOPE" not in name}
    return subprocess.run(
        [*MODULE, "open", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env={**clean, "GATESCOPE_DATA_FOLDER": str(folder / "data")},
    )


def kept(folder: Path) -> list[str]:
    models = folder / "data" / "models"
    return [path.name for path in models.iterdir()] if models.exists() else []


def test_a_checkpoint_and_its_vocabulary_in_any_order_become_a_model(folder: Path) -> None:
    files = [folder / "letters.json", folder / "letters.safetensors"]
    done = run(folder, *files, "--no-serve", "--title", "My letters")
    assert done.returncode == 0, done.stderr
    [model_id] = kept(folder)
    assert f"My letters is kept as {model_id}." in done.stdout
    assert f"/#model={model_id}" in done.stdout
    assert "lstm: nn.LSTM(8, 12, num_layers=2)" in done.stdout
    model = folder / "data" / "models" / model_id
    assert catalogue.digest(model) == model_id
    assert json.loads((model / "name.json").read_text())["title"] == "My letters"
    assert list((folder / "data" / "temporary").iterdir()) == [folder / "data/temporary/lock"]


def test_it_is_the_model_that_the_server_makes_of_the_same_file(folder: Path, models: Path) -> None:
    done = run(
        folder, folder / "letters.safetensors", "--vocabulary", folder / "letters.json",
        "--no-serve", *SETTLED,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with worlds.client_with(models, data_folder=folder / "data") as client:
        vocabulary = bring(client, VOCABULARY, to="vocabularies")["id"]
        made = open_model(
            client, letters(), vocabulary=vocabulary, choices={"tokenizer": "characters"}
        )
        assert [made["id"]] == kept(folder)
        assert made["title"] == "letters"


def test_what_is_open_is_named_where_nobody_can_be_asked(folder: Path) -> None:
    done = run(folder, folder / "letters.safetensors", "--no-serve")
    assert done.returncode == 2
    assert "--vocabulary" in done.stderr
    assert "'ids'" in done.stderr
    assert "?" in done.stdout
    assert kept(folder) == []
    done = run(folder, folder / "letters.safetensors", "--no-serve", "--vocabulary", "ids")
    assert done.returncode == 0, done.stderr


def test_inspect_only_prints(folder: Path) -> None:
    done = run(folder, folder / "letters.safetensors", "--inspect")
    assert done.returncode == 0
    assert "embedding.weight: (29, 8)" in done.stdout
    assert "--vocabulary" in done.stdout
    assert not (folder / "data").exists()


def test_what_cannot_be_opened_is_said_in_plain_words(folder: Path) -> None:
    (folder / "notes.txt").write_text("no weights here")
    (folder / "head.pt").write_bytes(saved({"fc.weight": torch.zeros(2, 3)}))
    (folder / "second.safetensors").write_bytes(letters(seed=1))
    first = folder / "letters.safetensors"
    for arguments, words in [
        ([folder / "nothing.pt"], "no such file"),
        ([folder], "no such file"),
        ([folder / "notes.txt"], "text"),
        ([folder / "head.pt"], "no LSTM"),
        ([folder / "head.pt", folder / "letters.json"], "None of these files"),
        ([first, folder / "second.safetensors"], "Each of these files has an LSTM"),
        ([first, folder / "letters.json", "--vocabulary", folder / "notes.txt"], "too many"),
        ([first, "--head", "attention"], "fc.weight"),
        ([first, "--vocabulary", "nothing.json"], "no such vocabulary"),
    ]:
        done = run(folder, *arguments, "--no-serve")
        assert done.returncode == 2, (arguments, done.stdout)
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert kept(folder) == []


def test_it_imports_no_torch(folder: Path) -> None:
    script = (
        "import sys; from server.__main__ import main;"
        f"code = main(['open', {str(folder / 'numbers.safetensors')!r}, '--no-serve']);"
        "print(code, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "GATESCOPE_DATA_FOLDER": str(folder / "data")},
    )
    assert done.stdout.splitlines()[-1] == "0 False", done.stderr


def test_the_server_starts_with_the_model_in_its_address(folder: Path) -> None:
    command = [*MODULE, "open", folder / "numbers.safetensors"]
    settings = {"data_folder": folder / "data", "token": "a-secret"}
    with serve(command, settings=settings) as server:
        [model_id] = kept(folder)
        assert f"{server.url}/#token=a-secret&model={model_id}" in server.output


def test_on_a_network_it_wants_a_token_before_it_opens_anything(folder: Path) -> None:
    done = run(folder, folder / "numbers.safetensors", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "--token auto" in done.stderr
    assert kept(folder) == []


def test_without_the_word_open_nothing_is_opened(folder: Path) -> None:
    done = subprocess.run(
        [*MODULE, str(folder / "numbers.safetensors")], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "unrecognized" in done.stderr


# --- questions ----------------------------------------------------------------------------------


class Terminal:
    """Stands in for somebody at a terminal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        self.answers = list(answers)
        monkeypatch.setattr("builtins.input", self.answer)
        for stream in (sys.stdin, sys.stdout):
            monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)

    def answer(self, _: Any) -> str:
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)


def classifier(folder: Path) -> str:
    model = Letters()
    state = {**model.state_dict(), "fc.weight": torch.zeros(3, 12), "fc.bias": torch.zeros(3)}
    path = folder / "classes.pt"
    path.write_bytes(saved(state))
    return str(path)


def test_each_open_question_is_asked_by_number(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATESCOPE_DATA_FOLDER", str(folder / "data"))
    terminal = Terminal(monkeypatch, "7", "x", "", "tag")
    assert main(["open", classifier(folder), "--no-serve"]) == 0
    shown = capsys.readouterr().out
    assert terminal.answers == []
    assert shown.count("That is none of them") == 2
    [model_id] = kept(folder)
    described = json.loads((folder / "data/models" / model_id / "model.json").read_text())
    assert described["task"] == "tag"


def test_whoever_leaves_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATESCOPE_DATA_FOLDER", str(folder / "data"))
    Terminal(monkeypatch)
    assert main(["open", classifier(folder), "--no-serve"]) == 130
    assert kept(folder) == []


def test_every_choice_has_its_help() -> None:
    assert set(opening_command.HELP) == set(opening_command.CHOICES)
