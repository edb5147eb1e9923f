"""The real process, from outside."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.serving import MODULE, serve


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if "GATESCOPE" not in name}
    return subprocess.run(
        [*MODULE, *arguments], capture_output=True, text=True, timeout=60, env={**clean, **env}
    )


def descendants(pid: int) -> list[int]:
    """Every process below ``pid``, from /proc."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


def running(pids: list[int]) -> list[int]:
    """Those that still run; one that waits to be collected has ended."""
    alive = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            alive.append(pid)
    return alive


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_the_server_ends_nothing_of_it_is_left(models: Path, how: signal.Signals) -> None:
    with serve(settings={"model_folders": models, "workers": 2}) as server:
        made = server.post("/api/recordings", {"model": "chars", "text": "abc"})
        assert made["timesteps"] == 3
        children = descendants(server.process.pid)
        assert len(children) >= 3
        server.process.send_signal(how)
        server.process.wait(10)
        deadline = time.monotonic() + 10
        while running(children) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert running(children) == []
        assert "Traceback" not in server.output


def test_it_says_where_it_is_and_keeps_the_token_out_of_the_log(models: Path) -> None:
    settings = {"model_folders": models, "token": "a-secret"}
    with serve(settings=settings) as server:
        assert f"Gatescope is at {server.url}/#token=a-secret" in server.output
        with pytest.raises(OSError, match="401"):
            server.get("/api/models?token=a-secret")
        assert server.output.count("a-secret") == 1


def test_on_a_network_it_wants_a_token() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "box.example"):
        refused = run("--host", host)
        assert refused.returncode == 2
        assert "--token auto" in refused.stderr
        assert refused.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [("--port", "70000"), ("--port", "x"), ("--host", "no.such.host.invalid", "--insecure")],
)
def test_what_cannot_be_is_said_in_one_line(arguments: tuple[str, ...]) -> None:
    refused = run(*arguments)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_a_wrong_setting_is_named() -> None:
    refused = run(GATESCOPE_WORKERS="many")
    assert refused.returncode == 2
    assert "workers" in refused.stderr


def test_a_taken_port_that_was_asked_for_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = run("--port", str(taken.getsockname()[1]))
    assert refused.returncode == 2
    assert "in use" in refused.stderr


def test_a_taken_default_port_gives_the_next_free_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from server.__main__ import _listen

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with _listen("127.0.0.1", port, may_move=True) as found:
            assert found.getsockname()[1] > port
    assert capsys.readouterr().out.startswith(f"Port {port} is taken; using ")


def test_the_version_is_one_line() -> None:
    assert run("--version").stdout.startswith("gatescope ")


def test_starting_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, server.__main__; print('fastapi' in sys.modules)"],
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "False"
