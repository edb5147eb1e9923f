"""Files that people have, made with PyTorch itself, come out with PyTorch's own numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lstm_core.checkpoints import formats
from lstm_core.checkpoints.contents import Contents, Limits
from lstm_core.errors import CheckpointError
from tests.checkpoints import torch_files
from tests.checkpoints.torch_files import KINDS, TOKENS, Tensors, foreign, saved, weights


def opened(tmp_path: Path, data: bytes, name: str = "weights.bin", **limits: int) -> Contents:
    path = tmp_path / name
    path.write_bytes(data)
    return formats.read(path, Limits(**limits))


def assert_same(contents: Contents, expected: Tensors) -> None:
    assert set(contents.tensors) == set(expected)
    arrays = contents.read(contents.tensors)
    for name, tensor in expected.items():
        array, info = arrays[name], contents.tensors[name]
        assert info.shape == array.shape == tuple(tensor.shape)
        assert array.dtype == (np.float64 if tensor.dtype == torch.float64 else np.float32)
        assert array.flags.c_contiguous
        assert array.flags.owndata
        np.testing.assert_array_equal(array, tensor.detach().numpy(), err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_what_people_save_opens(tmp_path: Path, kind: str, legacy: bool) -> None:
    value, expected = KINDS[kind]()
    assert_same(opened(tmp_path, saved(value, legacy=legacy)), expected)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("kind", ["plain", "collections_of_all_kinds", "own_vocabulary"])
def test_every_protocol_of_pickle_opens(
    tmp_path: Path, protocol: int, legacy: bool, kind: str
) -> None:
    value, expected = KINDS[kind]()
    contents = opened(tmp_path, saved(value, legacy=legacy, protocol=protocol))
    assert_same(contents, expected)
    if kind == "own_vocabulary":
        assert contents.tables == {"vocab.itos": TOKENS, "vocab.stoi": TOKENS}


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors", "a.h5", "a.onnx", "a.txt", "a"])
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_the_name_says_nothing(tmp_path: Path, name: str, legacy: bool) -> None:
    value, expected = KINDS["plain"]()
    assert_same(opened(tmp_path, saved(value, legacy=legacy), name), expected)


def test_a_module_beside_the_weights_is_left_out(tmp_path: Path) -> None:
    value, expected = torch_files.module_beside_the_weights()
    contents = opened(tmp_path, saved(value))
    assert_same(contents, expected)
    assert any("torch.nn.modules.linear.Linear" in note for note in contents.notes)
    # The form before 1.6 has the module's source code in it, which weights_only refuses.
    with pytest.raises(CheckpointError, match="whole module"):
        opened(tmp_path, saved(value, legacy=True))


def test_a_file_from_a_graphics_card_opens(tmp_path: Path) -> None:
    tensors = weights()
    assert_same(opened(tmp_path, torch_files.from_cuda(saved(tensors))), tensors)


def test_the_same_dict_under_two_names_comes_once(tmp_path: Path) -> None:
    value, expected = torch_files.the_same_dict_twice()
    assert_same(opened(tmp_path, saved(value)), expected)


def test_listing_copies_no_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lstm_core.checkpoints import pytorch

    def no(*_: Any) -> Any:
        raise AssertionError("a tensor was copied")

    monkeypatch.setattr(pytorch, "as_array", no)
    contents = opened(tmp_path, saved(weights()))
    assert "lstm.weight_hh_l0" in contents.tensors


def test_types_are_those_of_the_file(tmp_path: Path) -> None:
    types = {"a": torch.float16, "b": torch.bfloat16, "c": torch.float32, "d": torch.float64}
    contents = opened(tmp_path, saved({n: torch.ones(2, dtype=t) for n, t in types.items()}))
    assert [contents.tensors[name].dtype for name in types] == [
        "float16",
        "bfloat16",
        "float32",
        "float64",
    ]


def test_the_order_is_that_of_the_file(tmp_path: Path) -> None:
    tensors = {name: torch.ones(2) for name in ("z", "a", "m")}
    assert list(opened(tmp_path, saved({"model": tensors})).tensors) == ["z", "a", "m"]


# ------------------------------------------------------------------------------------ tables


def test_vocabularies_of_every_form_are_found(tmp_path: Path) -> None:
    value = {
        "model": weights(),
        "vocab": {"word2idx": {"b": 1, "a": 0, "c": 3}},
        "itos": {0: "x", 1: "y"},
        "tags": ("NOUN", "VERB"),
        "data": [{"chars": list("abc")}],
        "settings": {"epochs": 10, "hidden": 256},
        "counts": {"a": 17, "b": 17},
        "names": ["only one"],
        "mixed": ["a", 1],
    }
    assert opened(tmp_path, saved(value)).tables == {
        "vocab.word2idx": ["a", "b", None, "c"],
        "itos": ["x", "y"],
        "tags": ["NOUN", "VERB"],
        "data.0.chars": ["a", "b", "c"],
    }


def test_a_vocabulary_far_too_large_is_left_out(tmp_path: Path) -> None:
    value = {"model": weights(), "vocab": [str(n) for n in range(100)], "tags": ["A", "B"]}
    assert set(opened(tmp_path, saved(value), table_entries=99).tables) == {"tags"}


def test_ids_far_apart_make_no_table(tmp_path: Path) -> None:
    value = {"model": weights(), "vocab": {"a": 0, "b": 400_000}}
    assert opened(tmp_path, saved(value)).tables == {}


def test_half_a_surrogate_pair_becomes_a_mark(tmp_path: Path) -> None:
    value = {"model": weights(), "vocab": ["a", "\ud800"]}
    (table,) = opened(tmp_path, saved(value)).tables.values()
    assert "".join(str(entry) for entry in table).encode("utf-8")


# ----------------------------------------------------------------------------------- objects


def test_nothing_of_the_users_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "my_project"
    package.mkdir()
    marker = tmp_path / "imported"
    (package / "__init__.py").write_text(f"open({str(marker)!r}, 'w')")
    (package / "data.py").write_text("class Vocab: pass")
    data = saved(KINDS["own_vocabulary"]()[0])
    monkeypatch.syspath_prepend(tmp_path)
    contents = opened(tmp_path, data)
    assert contents.tables["vocab.itos"] == TOKENS
    assert "my_project" not in sys.modules
    assert not marker.exists()
    assert any("my_project.data.Vocab" in note for note in contents.notes)


def test_a_folder_called_code_is_somebodys_own(tmp_path: Path) -> None:
    tensors = weights()
    config = foreign("code.model", "Config", object, hidden=3)
    assert_same(opened(tmp_path, saved({"model": tensors, "config": config})), tensors)


def test_what_was_allowed_for_one_file_is_not_allowed_after(tmp_path: Path) -> None:
    before = set(torch.serialization.get_safe_globals())
    opened(tmp_path, saved(KINDS["own_vocabulary"]()[0]))
    assert set(torch.serialization.get_safe_globals()) == before


def test_tensors_within_objects_are_not_taken(tmp_path: Path) -> None:
    config = foreign("my_project.config", "Config", object, mean=torch.ones(3))
    with pytest.raises(CheckpointError, match="holds no weights"):
        opened(tmp_path, saved({"config": config}))


# ----------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_a_whole_module_is_refused_with_what_to_do(tmp_path: Path, legacy: bool) -> None:
    with torch_files.ignoring_warnings():
        data = saved(nn.LSTM(2, 3), legacy=legacy)
    with pytest.raises(CheckpointError, match="whole module") as caught:
        opened(tmp_path, data)
    assert 'torch.save(model.state_dict(), "weights.pt")' in str(caught.value.expected)


def test_an_optimizers_state_alone_is_refused(tmp_path: Path) -> None:
    _, optimizer = torch_files.trained()
    with pytest.raises(CheckpointError, match="optimizer's state, not a network"):
        opened(tmp_path, saved(optimizer.state_dict()))


def test_script_programs_are_refused(tmp_path: Path) -> None:
    with torch_files.ignoring_warnings():
        path = tmp_path / "program.pt"
        torch.jit.save(torch.jit.script(nn.Linear(2, 3)), path)
    with pytest.raises(CheckpointError, match="TorchScript"):
        formats.read(path)


def test_exported_programs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "program.pt2"
    with torch_files.ignoring_warnings():
        torch.export.save(torch.export.export(nn.Linear(2, 3), (torch.ones(1, 2),)), path)
    with pytest.raises(CheckpointError, match=r"torch\.export"):
        formats.read(path)


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        ({"tensors": 3}, "tensors"),
        ({"name_characters": 5}, "characters"),
        ({"rank": 1}, "dimensions"),
        ({"dimension": 11}, "entries"),
        ({"parameters": 100}, "numbers"),
        ({"file_bytes": 1000}, "bytes"),
    ],
)
def test_more_than_allowed_is_refused_with_the_number(
    tmp_path: Path, limits: dict[str, int], what: str
) -> None:
    with pytest.raises(CheckpointError) as caught:
        opened(tmp_path, saved(weights()), **limits)
    assert what in str(caught.value.came)
    assert f"{next(iter(limits.values())):,}" in str(caught.value.expected)


def test_an_accidental_pair_of_names_is_no_weight_normalisation(tmp_path: Path) -> None:
    tensors = {"weight_g": torch.ones(2, 3), "weight_v": torch.ones(4, 3)}
    assert_same(opened(tmp_path, saved(tensors)), tensors)


def test_an_expanded_tensor_beside_the_weights_is_left_out_and_said(tmp_path: Path) -> None:
    state = dict(weights()) | {"mask": torch.ones(1).expand(1000, 1000)}
    path = tmp_path / "w.pt"
    path.write_bytes(saved(state))

    contents = formats.read(path)

    assert "mask" not in contents.tensors
    assert "lstm.weight_ih_l0" in contents.tensors
    assert any("mask" in note for note in contents.notes)


def test_a_convolution_over_time_beside_the_weights_is_no_hindrance(tmp_path: Path) -> None:
    state = dict(weights()) | {"conv.weight": torch.ones(2, 1, 3, 3, 3)}
    path = tmp_path / "w.pt"
    path.write_bytes(saved(state))

    assert formats.read(path).tensors["conv.weight"].shape == (2, 1, 3, 3, 3)
