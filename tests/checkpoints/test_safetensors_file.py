"""safetensors files give the numbers that were saved."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lstm_core.checkpoints import formats
from lstm_core.checkpoints.contents import Limits
from lstm_core.errors import CheckpointError
from tests.checkpoints.hostile_files import entry, safetensors
from tests.checkpoints.torch_files import weights


def test_the_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    tensors = weights()
    save_file(tensors, tmp_path / "weights")
    contents = formats.read(tmp_path / "weights")
    assert contents.format == "safetensors"
    arrays = contents.read(contents.tensors)
    assert arrays.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(arrays[name], tensor.numpy())
        assert arrays[name].flags.owndata


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (torch.float16, "float16"),
        (torch.bfloat16, "bfloat16"),
        (torch.float32, "float32"),
        (torch.float64, "float64"),
    ],
)
def test_every_type_is_read(tmp_path: Path, dtype: torch.dtype, name: str) -> None:
    tensors = {n: torch.randn(3, 5).to(dtype) for n in "ab"} | {"none": torch.ones(0, 2).to(dtype)}
    save_file(tensors, tmp_path / "weights")
    contents = formats.read(tmp_path / "weights")
    assert {info.dtype for info in contents.tensors.values()} == {name}
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    for key, array in contents.read(tensors).items():
        expected = tensors[key].to(wide).numpy()
        np.testing.assert_array_equal(array, expected)
        assert array.dtype == expected.dtype


def test_integers_are_left_out_and_odd_floats_named(tmp_path: Path) -> None:
    save_file(
        {
            "weight": torch.ones(2),
            "ids": torch.ones(2, dtype=torch.int64),
            "small": torch.ones(2).to(torch.float8_e4m3fn),
        },
        tmp_path / "weights",
    )
    contents = formats.read(tmp_path / "weights")
    assert list(contents.tensors) == ["weight"]
    assert contents.notes == ["Left out: tensors of F8_E4M3 numbers."]


def test_vocabularies_in_the_metadata_become_tables(tmp_path: Path) -> None:
    metadata = {
        "vocab": json.dumps({"b": 1, "a": 0}),
        "labels": json.dumps(["N", "V"]),
        "settings": json.dumps({"hidden": 300}),
        "format": "pt",
        "broken": "[",
    }
    save_file({"a": torch.ones(2)}, tmp_path / "weights", metadata)
    assert formats.read(tmp_path / "weights").tables == {"vocab": ["a", "b"], "labels": ["N", "V"]}


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(tensors=3), "tensors"),
        (Limits(name_characters=5), "characters"),
        (Limits(rank=1), "dimensions"),
        (Limits(dimension=11), "entries"),
        (Limits(parameters=100), "numbers"),
    ],
)
def test_more_than_allowed_is_refused_with_what(tmp_path: Path, limits: Limits, what: str) -> None:
    save_file(weights(), tmp_path / "weights")
    with pytest.raises(CheckpointError) as caught:
        formats.read(tmp_path / "weights", limits)
    assert what in str(caught.value.came)


def test_the_header_is_checked_before_the_library_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstm_core.checkpoints import safetensors_file

    def no(*_: object, **__: object) -> None:
        raise AssertionError("the library was asked")

    monkeypatch.setattr(safetensors_file, "safe_open", no)
    path = tmp_path / "weights"
    path.write_bytes(safetensors({f"t{n}": entry([0], 0, 0) for n in range(5001)}))
    with pytest.raises(CheckpointError, match="holds more"):
        formats.read(path)


def test_no_torch_is_needed(tmp_path: Path) -> None:
    save_file(weights(), tmp_path / "weights")
    code = (
        "import sys; from pathlib import Path; from lstm_core.checkpoints import formats;"
        "contents = formats.read(Path(sys.argv[1])); contents.read(contents.tensors);"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "weights")], check=True)
