"""The names of the package, and what importing them costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import lstm_core


def in_a_fresh_process(code: str) -> str:
    root = Path(lstm_core.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_vocabulary_the_errors_and_the_catalogue_need_no_torch():
    loaded = in_a_fresh_process(
        "import lstm_core, lstm_core.quantities, lstm_core.errors, lstm_core.catalogue, sys\n"
        "lstm_core.catalogue.find_models()\n"
        "lstm_core.QUANTITIES, lstm_core.LSTMCoreError\n"
        "print(*sys.modules)"
    ).split()

    assert "lstm_core.quantities" in loaded
    assert not {"torch", "numpy", "safetensors"} & set(loaded)


def test_what_a_model_json_says_can_be_read_without_torch():
    loaded = in_a_fresh_process(
        "import lstm_core, lstm_core.catalogue, lstm_core.model_spec, sys\n"
        "from lstm_core.model_spec import ModelSpec\n"
        "for folder in lstm_core.catalogue.find_models().values():\n"
        "    spec = ModelSpec.from_json((folder / 'model.json').read_text(encoding='utf-8'))\n"
        "    assert spec.parameters and str(spec.lstm)\n"
        "print(*sys.modules)"
    ).split()

    assert "lstm_core.model_spec" in loaded
    assert not {"torch", "numpy", "safetensors"} & set(loaded)


def test_a_table_can_be_read_without_torch():
    loaded = in_a_fresh_process(
        "import lstm_core.tables, sys\n"
        "assert lstm_core.tables.read_table('a,b\\n1,2').values.tolist() == [[1.0, 2.0]]\n"
        "print(*sys.modules)"
    ).split()

    assert "torch" not in loaded


def test_the_core_knows_nothing_of_web_or_screen():
    loaded = in_a_fresh_process(
        "import lstm_core, sys; [getattr(lstm_core, name) for name in lstm_core.__all__]\n"
        "print(*sys.modules)"
    ).split()

    assert "torch" in loaded
    assert not {"server", "fastapi", "starlette", "uvicorn", "plotly"} & set(loaded)


def test_a_little_work_does_not_wait_for_a_compiler():
    loaded = in_a_fresh_process(
        "import lstm_core, sys, torch, threading\n"
        "rec = lstm_core.record(torch.nn.LSTM(3, 4), torch.ones(5, 3))\n"
        "print(rec.engine, threading.active_count(), *sys.modules)"
    ).split()

    assert loaded[:2] == ["reference", "1"]
    assert not {"numba", "llvmlite"} & set(loaded)


@pytest.mark.parametrize("name", lstm_core.__all__)
def test_every_public_name_can_be_imported(name):
    value = getattr(lstm_core, name)

    assert value is not None
    if hasattr(value, "__name__"):
        assert value.__name__ == name


def test_dir_lists_the_public_names():
    assert dir(lstm_core) == sorted(lstm_core.__all__)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'lstm_core' has no attribute 'recrod'"):
        _ = lstm_core.recrod
