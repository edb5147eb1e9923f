"""The Dockerfile, read instruction by instruction: there may be no Docker where tests run."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Instruction = tuple[str, str]  # its name, the rest of it on one line


def instructions(text: str) -> list[Instruction]:
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\s*\\\n\s*", " ", text)
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [(name, rest) for name, rest in lines]


@pytest.fixture(scope="module")
def stages() -> list[list[Instruction]]:
    """What each FROM begins."""
    found: list[list[Instruction]] = []
    for instruction in instructions((ROOT / "Dockerfile").read_text()):
        if instruction[0] == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


def every(stage: list[Instruction], name: str) -> list[str]:
    return [rest for found, rest in stage if found == name]


def test_there_is_a_builder_and_an_image_that_takes_only_the_environment_from_it(
    stages: list[list[Instruction]],
) -> None:
    builder, image = stages
    assert every(builder, "FROM") == ["${PYTHON_IMAGE} AS builder"]
    assert every(image, "FROM") == ["${PYTHON_IMAGE}"]
    assert every(image, "COPY") == ["--from=builder /opt/gatescope /opt/gatescope"]


def test_everything_it_copies_exists_and_is_let_through(stages: list[list[Instruction]]) -> None:
    let_through = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = [path for rest in every(stages[0], "COPY") for path in rest.split()[:-1]]
    assert sorted(copied) == sorted(let_through)
    assert [path for path in copied if not (ROOT / path).exists()] == []


def test_all_that_the_wheel_is_made_of_is_copied(stages: list[list[Instruction]]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {
        *project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"],
        *project["project"]["license-files"],
        project["project"]["readme"],
    }
    copied = {path for rest in every(stages[0], "COPY") for path in rest.split()[:-1]}
    assert needed <= copied


def test_pip_always_keeps_to_the_constraints(stages: list[list[Instruction]]) -> None:
    installs = [
        command
        for rest in every(stages[0], "RUN")
        for command in rest.split("&&")
        if "pip install" in command
    ]
    assert len(installs) == 2
    assert all("constraints.txt" in command for command in installs)


def test_it_runs_as_nobody_in_particular(stages: list[list[Instruction]]) -> None:
    names = [name for name, _ in stages[-1]]
    assert every(stages[-1], "USER") == ["10001:10001"]
    assert "RUN" not in names[names.index("USER") :]


def test_what_people_open_is_kept_on_a_volume_that_this_user_may_write(
    stages: list[list[Instruction]],
) -> None:
    assert every(stages[-1], "VOLUME") == ["/data"]
    assert "GATESCOPE_DATA_FOLDER=/data" in " ".join(every(stages[-1], "ENV"))
    assert any(
        "--owner 10001 --group 10001 /data" in command
        for rest in every(stages[-1], "RUN")
        for command in rest.split("&&")
    )
    names = [name for name, _ in stages[-1]]
    assert names.index("RUN") < names.index("VOLUME")  # later changes of a volume are lost


def test_programs_start_without_a_shell_and_the_command_exists(
    stages: list[list[Instruction]],
) -> None:
    (command,) = every(stages[-1], "CMD")
    program, *arguments = json.loads(command)
    assert program in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert arguments == ["--host", "0.0.0.0", "--port", "8000"]
    assert every(stages[-1], "EXPOSE") == ["8000"]
    assert every(stages[-1], "STOPSIGNAL") == ["SIGTERM"]


def test_its_health_is_asked_with_what_the_image_has(stages: list[list[Instruction]]) -> None:
    (check,) = every(stages[-1], "HEALTHCHECK")
    program, flag, code = json.loads(check.partition(" CMD ")[2])
    assert (program, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert "127.0.0.1:8000/api/health" in code


def test_it_is_never_open_without_a_token(stages: list[list[Instruction]]) -> None:
    assert "GATESCOPE_TOKEN=auto" in " ".join(every(stages[-1], "ENV"))
    assert "INSECURE" not in (ROOT / "Dockerfile").read_text()


def test_no_tool_is_installed_only_to_fetch_something() -> None:
    assert not re.search(r"\b(curl|wget|apt-get|git clone)\b", (ROOT / "Dockerfile").read_text())
