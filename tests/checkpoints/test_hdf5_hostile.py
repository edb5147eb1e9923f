"""HDF5 and Keras files that lie, swell, hold code or name others: each is one refusal."""

from __future__ import annotations

import base64
import json
import marshal
import random
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lstm_core.errors import CheckpointError
from tests.checkpoints.keras_files import (
    archive,
    hdf5,
    layer,
    legacy,
    model_config,
    new_lstm,
    read,
    weights_of,
)

CANARY = b"CANARY-0123456789"
ROOT = Path(__file__).parents[2]


def plain(folder: Path, fill: Callable[[h5py.File], None]) -> Path:
    path = folder / "model.weights.h5"
    path.write_bytes(hdf5(fill))
    return path


def peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# Other files


def external_dataset(file: h5py.File, other: str) -> None:
    file.create_dataset("layers/lstm/cell/vars/0", (4,), "f4", external=[(other, 0, 16)])


def virtual_dataset(file: h5py.File, other: str) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(other, "data", (4,))
    file.create_virtual_dataset("layers/lstm/cell/vars/0", layout)


def external_link(file: h5py.File, other: str) -> None:
    file["layers/lstm/cell"] = h5py.ExternalLink(other, "/")


def soft_link(file: h5py.File, other: str) -> None:  # noqa: ARG001
    file["layers/lstm/cell"] = h5py.SoftLink("/elsewhere")


@pytest.mark.parametrize("where", ["above", "absolute", "symlink"])
@pytest.mark.parametrize(
    ("make", "what"),
    [
        (external_dataset, "in another file: 'layers/lstm/cell/vars/0'"),
        (virtual_dataset, "virtual dataset.*'layers/lstm/cell/vars/0'"),
        (external_link, "a link into another file: 'layers/lstm/cell'"),
        (soft_link, "a soft link: 'layers/lstm/cell'"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_leads_elsewhere_is_refused_and_not_read(
    tmp_path: Path, make: Callable[[h5py.File, str], None], what: str, where: str
):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    with h5py.File(tmp_path / "canary", "w") as canary:
        canary["data"] = np.frombuffer(CANARY[:16], "f4")
    (folder / "link").symlink_to(tmp_path / "canary")
    other = {"above": "../../canary", "absolute": str(tmp_path / "canary"), "symlink": "link"}

    def fill(file: h5py.File) -> None:
        new_lstm(file, "layers/lstm_1")
        make(file, other[where])

    for path in (
        plain(folder, fill),
        archive(folder / "x.keras", model_config(layer("LSTM", "lstm")), hdf5(fill)),
    ):
        with pytest.raises(CheckpointError, match=what) as refused:
            read(path)
        assert "CANARY" not in str(refused.value)
        assert str(tmp_path) not in str(refused.value)


def test_a_group_that_holds_itself_is_refused(tmp_path: Path):
    def fill(file: h5py.File) -> None:
        inner = file.create_group("layers").create_group("lstm")
        inner["again"] = file["layers"]

    with pytest.raises(CheckpointError, match=r"two names.*'layers/lstm/again'"):
        read(plain(tmp_path, fill))


# Sizes


def four_terabytes(file: h5py.File) -> None:
    file.create_dataset("v", (1_000_000, 1_000_000), "f4", chunks=(1000, 1000))


def never_written(file: h5py.File) -> None:
    file.create_dataset("v", (1000, 1000), "f4")


def gzip_bomb(file: h5py.File) -> None:
    zeros = np.zeros((1000, 10_000), np.float32)
    file.create_dataset("v", data=zeros, compression="gzip", chunks=zeros.shape)


def one_large_chunk(file: h5py.File) -> None:
    dataset = file.create_dataset(
        "v", (10,), "f4", maxshape=(None,), chunks=(100_000_000,), compression="gzip"
    )
    dataset.id.write_direct_chunk((0,), b"x" * 1000)


def own_packing(file: h5py.File) -> None:
    file.create_dataset("v", data=np.ones(100, np.float32), scaleoffset=3)


@pytest.mark.parametrize(
    ("fill", "what"),
    [
        (four_terabytes, "too many numbers"),
        (never_written, "'v'.*4,000,000 bytes declared, 0 stored"),
        (gzip_bomb, "'v'.*40,000,000 bytes declared"),
        (one_large_chunk, "'v'.*400,000,000 bytes declared"),
        (own_packing, "packed in a way of its own: 'v'"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_datasets_that_swell_are_refused(
    tmp_path: Path, fill: Callable[[h5py.File], None], what: str
):
    path = plain(tmp_path, fill)
    before = peak_memory()
    with pytest.raises(CheckpointError, match=what):
        read(path)
    assert peak_memory() - before < 20_000  # KiB


def deep(file: h5py.File) -> None:
    file.create_group("/".join("x" * 50))


def wide(file: h5py.File) -> None:
    for number in range(50):
        file.create_group(f"group{number}")


def long_name(file: h5py.File) -> None:
    file["x" * 2000] = np.ones(3, np.float32)


def many_axes(file: h5py.File) -> None:
    file["v"] = np.ones((1,) * 12, np.float32)


@pytest.mark.parametrize(
    ("fill", "limits", "what"),
    [
        (deep, {}, "within each other"),
        (wide, {"tensors": 10}, "too many objects"),
        (long_name, {}, "characters in a name"),
        (many_axes, {}, "too many axes"),
        (new_lstm, {"parameters": 50}, "too many numbers"),
        (new_lstm, {"dimension": 10}, "along an axis"),
        (new_lstm, {"tensors": 2}, "too many"),
        (new_lstm, {"file_bytes": 100}, "too large"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_more_than_the_limits_is_refused(
    tmp_path: Path, fill: Callable[[h5py.File], None], limits: dict[str, int], what: str
):
    with pytest.raises(CheckpointError, match=what):
        read(plain(tmp_path, fill), **limits)


def test_compressed_weights_as_people_save_them_are_read(tmp_path: Path):
    def fill(file: h5py.File) -> None:
        for number, array in enumerate(weights_of()):
            file.create_dataset(
                f"layers/lstm/cell/vars/{number}", data=array, compression="gzip", shuffle=True
            )

    contents = read(plain(tmp_path, fill))
    arrays = contents.read(contents.tensors)
    np.testing.assert_array_equal(arrays["lstm.weight_hh_l0"], weights_of()[1].T)


def test_everything_but_floating_point_numbers_is_left_alone(tmp_path: Path):
    def fill(file: h5py.File) -> None:
        new_lstm(file)
        file["words"] = ["a", "b"]
        file["count"] = np.arange(3)
        file["pair"] = np.zeros(2, [("a", "f4"), ("b", "i8")])
        file["pointer"] = np.array([file["words"].ref], dtype=h5py.ref_dtype)
        file.create_dataset("ragged", (1,), h5py.vlen_dtype(np.float32))[0] = np.ones(2, "f4")
        file["type"] = np.dtype("f4")
        file["none"] = h5py.Empty("f4")

    assert all(name.startswith("lstm.") for name in read(plain(tmp_path, fill)).tensors)


# Descriptions


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "{", "[]", "7", "", "\udcff"])
def test_a_description_that_is_no_json_object_is_refused(tmp_path: Path, text: str):
    text = text.encode(errors="replace").decode()
    for path in (
        archive(tmp_path / "x.keras", text, hdf5(new_lstm)),
        legacy(tmp_path / "x.h5", {"lstm": {}}, text),
    ):
        with pytest.raises(CheckpointError, match="description of the model cannot be read"):
            read(path)


def test_half_a_character_in_a_name_is_replaced(tmp_path: Path):
    config = model_config(layer("LSTM", "a\ud800b", units=4), layer("Lambda", "c\udfff"))
    contents = read(archive(tmp_path / "x.keras", config, hdf5(new_lstm)))
    assert "a?b.weight_ih_l0" in contents.tensors
    assert "'c?'" in contents.notes[0]


def test_models_deep_within_each_other_are_refused(tmp_path: Path):
    config = model_config(layer("LSTM", "lstm"))
    for _ in range(60):
        config = model_config(config)
    with pytest.raises(CheckpointError, match="within each other"):
        read(archive(tmp_path / "x.keras", config, hdf5(new_lstm)))


@pytest.mark.parametrize(
    "value", [None, 7, "x", [], {}, [[]], {"layers": 3}, {"layers": [1, None]}]
)
def test_a_description_may_be_any_nonsense(tmp_path: Path, value: Any):
    wrong = {"class_name": value, "config": value, "name": value, "module": value}
    configs = [
        wrong,
        model_config(wrong),
        model_config(layer("LSTM", "lstm", units=4, activation=value)),
        model_config(layer("Bidirectional", "lstm", layer=value, merge_mode=value)),
        model_config(layer("RNN", "lstm", cell=value)),
        model_config(layer("RNN", "lstm", cell=layer("StackedRNNCells", "c", cells=value))),
        model_config(layer("TimeDistributed", "lstm", layer=value)),
        model_config(layer("TextVectorization", "lstm", vocabulary=value, oov_token=value)),
        model_config(layer("StringLookup", "lstm", vocabulary=["a"], num_oov_indices=value)),
    ]
    for config in configs:
        try:
            contents = read(archive(tmp_path / "x.keras", config, hdf5(new_lstm)))
            contents.read(contents.tensors)
        except CheckpointError:
            pass


def test_code_in_a_lambda_never_runs(tmp_path: Path):
    marker = tmp_path / "ran"
    body = compile(f"__import__('pathlib').Path({str(marker)!r}).touch()", "x", "exec")
    code = base64.b64encode(marshal.dumps(body)).decode()
    function = {"class_name": "__lambda__", "config": {"code": code, "defaults": None}}
    config = model_config(
        layer("Lambda", "code", function=function), layer("LSTM", "lstm", units=4)
    )
    names = ("kernel", "recurrent_kernel", "bias")
    weights = dict(zip(names, weights_of(), strict=True))
    for path in (
        archive(tmp_path / "x.keras", config, hdf5(new_lstm)),
        legacy(tmp_path / "x.h5", {"code": {}, "lstm": weights}, config),
    ):
        contents = read(path)
        assert "lstm.weight_ih_l0" in contents.tensors
        assert contents.notes == [
            "The Lambda layer 'code' holds code of its own, which is never run."
        ]
    assert not marker.exists()


def test_a_class_of_its_own_is_never_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.syspath_prepend(tmp_path)
    own = {**layer("Evil", "own"), "module": "evil", "registered_name": "evil>Evil"}
    config = model_config(own, layer("LSTM", "lstm", units=4))
    contents = read(archive(tmp_path / "x.keras", config, hdf5(new_lstm)))

    assert "lstm.weight_ih_l0" in contents.tensors
    assert contents.notes == ["'own' is a Evil, a class that is not Keras' own; it is never run."]
    assert not (tmp_path / "ran").exists()


# Archives


def test_an_archive_that_swells_is_refused(tmp_path: Path):
    config = json.dumps(model_config()) + " " * 50_000_000
    path = archive(tmp_path / "x.keras", config, hdf5(new_lstm), zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match=r"'config\.json'"):
        read(path)


def test_an_archive_of_too_much_is_refused(tmp_path: Path):
    path = archive(tmp_path / "x.keras", model_config(), hdf5(new_lstm))
    for limits in ({"tensors": 2}, {"file_bytes": path.stat().st_size - 500}):
        with pytest.raises(CheckpointError, match="too"):
            read(path, **limits)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_two_files_of_one_name_is_refused(tmp_path: Path):
    path = archive(tmp_path / "x.keras", model_config(), hdf5(new_lstm))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("config.json", "{}")
    with pytest.raises(CheckpointError, match="two files of one name"):
        read(path)


def test_an_encrypted_archive_is_refused(tmp_path: Path):
    path = archive(tmp_path / "x.keras", model_config(), hdf5(new_lstm))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(CheckpointError, match="encrypted"):
        read(path)


def test_another_archive_is_refused(tmp_path: Path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../up.txt", "x")
    with pytest.raises(CheckpointError, match="not a Keras model"):
        read(path)


# Damage


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\0" * 999])
def test_what_is_no_such_file_is_refused(tmp_path: Path, data: bytes):
    path = tmp_path / "x.h5"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"Not an HDF5 file|damaged") as refused:
        read(path)
    assert str(tmp_path) not in str(refused.value)


# HDF5 may hang over a damaged file and hold the interpreter meanwhile; hence the processes.
TRIAL = """
import sys
from pathlib import Path
from lstm_core.checkpoints import keras_file
from lstm_core.checkpoints.contents import Limits
from lstm_core.errors import CheckpointError
for path in map(Path, sys.argv[1:]):
    try:
        contents = keras_file.read(path, Limits(parameters=1_000_000))
        for name, array in contents.read(contents.tensors).items():
            assert array.shape == contents.tensors[name].shape
        print("read")
    except CheckpointError:
        print("refused")
"""


def outcomes(paths: list[Path]) -> list[str] | None:
    """What becomes of each; None if one of them takes too long, which is the sandbox's affair."""
    try:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", TRIAL, *map(str, paths)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except subprocess.TimeoutExpired:
        return None
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("kind", ["h5", "weights.h5", "keras"])
def test_files_cut_short_or_damaged_are_read_or_refused(tmp_path: Path, kind: str):
    config = model_config(layer("LSTM", "lstm", units=4))
    names = ("kernel", "recurrent_kernel", "bias")
    if kind == "h5":
        made = legacy(
            tmp_path / "x.h5", {"lstm": dict(zip(names, weights_of(), strict=True))}, config
        )
    elif kind == "keras":
        made = archive(tmp_path / "x.keras", config, hdf5(new_lstm))
    else:
        made = plain(tmp_path, new_lstm)
    whole = made.read_bytes()

    seeded, cut, damaged = random.Random(1), [], []
    for number, length in enumerate(range(0, len(whole) - 1, len(whole) // 40)):
        cut.append(tmp_path / f"cut{number}")
        cut[-1].write_bytes(whole[:length])
    for number in range(60):
        data = bytearray(whole)
        for _ in range(seeded.choice([1, 4, 16])):
            data[seeded.randrange(len(data))] = seeded.randrange(256)
        damaged.append(tmp_path / f"damaged{number}")
        damaged[-1].write_bytes(bytes(data))

    assert outcomes([made]) == ["read"]
    assert set(outcomes(cut) or ["refused"]) == {"refused"}
    assert set(outcomes(damaged) or ["read"]) <= {"read", "refused"}
