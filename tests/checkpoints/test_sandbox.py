"""Whatever a child does, its parent gets a reply or one error, and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from lstm_core.checkpoints import child, sandbox
from lstm_core.errors import CheckpointError
from tests.checkpoints.torch_files import TOKENS, saved, weights

Run = Callable[..., tuple[dict[str, Any], bytes]]
ROOT = Path(__file__).parents[2]


def in_a_loop(task: str, request: dict[str, Any], **options: Any) -> tuple[dict[str, Any], bytes]:
    return asyncio.run(sandbox.run_async(task, request, **options))


@pytest.fixture(params=[sandbox.run, in_a_loop], ids=["run", "run_async"])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(sandbox, "CHILD", "tests.checkpoints.sandboxed")
    made: Run = request.param
    return made


def test_a_reply_and_its_bytes_come_back(run: Run) -> None:
    request = {"text": "naïve \ud800 \0", "number": 0.1, "times": 40_000}
    reply, payload = run("echo", request)
    assert reply == request
    assert payload == bytes(range(256)) * 40_000


def test_a_large_request_is_taken(run: Run) -> None:
    request = {"text": "x" * 3_000_000}
    assert run("echo", request)[0] == request


def test_an_error_of_the_task_arrives_whole(run: Run) -> None:
    with pytest.raises(CheckpointError) as caught:
        run("refuse", {})
    error = caught.value
    assert (error.message, error.came, error.expected, error.exists) == (
        "what it is",
        "this",
        "that",
        ["a", "b"],
    )


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("fail", "could not be read"),
        ("crash", "crash"),
        ("eat", "more memory"),
        ("garbage", "not read to its end"),
        ("too_much", "not read to its end"),
        ("vanish", "not read to its end"),
        ("no such task", "not read to its end"),
    ],
)
def test_every_other_end_is_one_error(run: Run, task: str, words: str) -> None:
    with pytest.raises(CheckpointError, match=words) as caught:
        run(task, {})
    assert "ZeroDivision" not in str(caught.value)


@pytest.mark.parametrize("task", ["hang", "spin"])
def test_a_child_that_takes_too_long_is_killed(run: Run, task: str) -> None:
    with pytest.raises(CheckpointError, match=r"took longer than 0\.5 seconds"):
        run(task, {}, seconds=0.5)


def test_a_request_that_is_not_taken_does_not_hold_the_parent(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "command", lambda: ["sleep", "1000"])
    with pytest.raises(CheckpointError, match="took longer"):
        run("echo", {"text": "x" * 3_000_000}, seconds=0.5)


def test_a_child_writes_no_files(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(CheckpointError):
        run("write", {"path": str(path)})
    assert not path.exists() or path.read_bytes() == b""


def test_what_libraries_print_is_not_taken_for_the_answer(run: Run) -> None:
    assert run("print_and_answer", {}) == ({"answered": True}, b"")


def test_a_child_starts_with_little(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "of the user")
    reply, _ = run("modules", {})
    assert "SECRET_TOKEN" not in reply["environment"]
    assert reply["environment"]["OMP_NUM_THREADS"] == "1"


def test_no_parser_is_imported_to_start_either_side() -> None:
    code = "import sys, lstm_core.checkpoints.child, lstm_core.checkpoints.sandbox as s;"
    heavy = "{'torch', 'numpy', 'onnx', 'h5py', 'safetensors', 'keras'}"
    subprocess.run(
        [sys.executable, "-c", f"{code} sys.exit(bool({heavy} & set(sys.modules)))"], check=True
    )


def test_cancelling_kills_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "CHILD", "tests.checkpoints.sandboxed")
    started = []
    create = asyncio.create_subprocess_exec

    async def noting(*args: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await create(*args, **options)
        started.append(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noting)

    async def cancelled() -> None:
        running = asyncio.create_task(sandbox.run_async("hang", {}))
        while not started:
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert started[0].returncode == -signal.SIGKILL

    asyncio.run(cancelled())


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for it")
def test_a_child_does_not_outlive_its_parent() -> None:
    """The parent is killed while its child hangs; the child's end of a pipe closes."""
    code = (
        "from lstm_core.checkpoints import sandbox;"
        "sandbox.CHILD = 'tests.checkpoints.sandboxed';"
        "command = sandbox.command;"
        "environment = sandbox.environment;"
        "sandbox.run('hang', {}, seconds=1000)"
    )
    ours, theirs = os.pipe()
    os.set_inheritable(theirs, True)
    # The child gets the pipe by way of the wrapper's standard error.
    wrapper = (
        "import subprocess; original = subprocess.Popen\n"
        "def popen(*a, **k):\n"
        "    process = original(*a, **(k | {'stderr': 2}))\n"
        "    print(process.pid, flush=True)\n"
        "    return process\n"
        "subprocess.Popen = popen\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", wrapper + code], stdout=subprocess.PIPE, stderr=theirs, cwd=ROOT
    )
    os.close(theirs)
    assert parent.stdout is not None
    assert int(parent.stdout.readline()) > 0
    parent.kill()
    parent.wait()
    parent.stdout.close()
    # Read to the end of the pipe: it comes when the last process that holds it has ended.
    ended = threading.Event()

    def wait() -> None:
        while os.read(ours, 1000):
            pass
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    assert ended.wait(60)
    os.close(ours)


def test_it_works_from_any_folder(run: Run, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path)
    assert run("echo", {"a": 1})[0] == {"a": 1}


def test_a_script_needs_no_main_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from lstm_core.checkpoints import sandbox\n"
        "sandbox.CHILD = 'tests.checkpoints.sandboxed'\n"
        "print(sandbox.run('echo', {'a': 1})[0])\n"
    )
    done = subprocess.run(
        [sys.executable, script, str(ROOT)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "{'a': 1}\n"


def test_files_are_read_in_it(run: Run, tmp_path: Path) -> None:
    tensors = weights()
    (tmp_path / "a").write_bytes(saved({"model": tensors, "vocab": TOKENS}))
    save_file(tensors, tmp_path / "b")
    expected = {name: list(tensor.shape) for name, tensor in tensors.items()}
    first, _ = run("look", {"path": str(tmp_path / "a")})
    second, _ = run("look", {"path": str(tmp_path / "b")})
    assert first["shapes"] == second["shapes"] == expected
    assert first["tables"] == {"vocab": TOKENS}
    assert (first["torch"], second["torch"]) == (True, False)


def test_each_task_is_in_this_package() -> None:
    assert all(where.startswith("lstm_core.checkpoints.") for where in child.TASKS.values())
    assert set(child.TASKS) == {"inspect", "build", "vocabulary", "table"}
