"""ONNX files that lie, ask for too much, or name other files: each is one plain refusal."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, SparseTensorProto, TensorProto, helper, numpy_helper

from lstm_core.checkpoints import onnx_file
from lstm_core.checkpoints.contents import Limits
from lstm_core.errors import CheckpointError
from tests.checkpoints.onnx_files import (
    H,
    Tagger,
    constants,
    export,
    lstm_node,
    model,
    numbers,
    one_lstm,
    read,
    save,
    weights,
    within_if,
)

CANARY = b"CANARY-0123456789"


def external(location: str, name: str = "W") -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1, 4 * H, 3])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


@pytest.mark.parametrize("how", ["above", "deep", "absolute", "symlink", "hardlink", "itself"])
def test_data_in_another_file_is_refused_and_not_read(tmp_path: Path, how: str):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    canary = tmp_path / "canary"
    canary.write_bytes(CANARY * 100)
    (folder / "symlink").symlink_to(canary)
    (folder / "hardlink").hardlink_to(canary)
    locations = {"above": "../../canary", "deep": "x/../../../canary", "absolute": str(canary)}
    file = model([lstm_node()], constants(**weights()))
    file.graph.initializer[0].CopyFrom(external(locations.get(how, how)))
    if how == "itself":
        file.graph.initializer[0].external_data[0].value = "model.onnx"

    with pytest.raises(CheckpointError, match="external data in the initializer 'W'") as refused:
        read(file, folder)
    assert "CANARY" not in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def constant(tensor: TensorProto) -> NodeProto:
    return helper.make_node("Constant", [], ["c"], name="holder", value=tensor)


def in_a_constant() -> ModelProto:
    return model([constant(external("x"))])


def in_a_branch() -> ModelProto:
    graph = helper.make_graph([], "branch", [], [], [external("x")])
    return within_if(graph)


def in_a_function() -> ModelProto:
    function = helper.make_function(
        "own", "F", [], ["c"], [constant(external("x"))], [helper.make_opsetid("", 17)]
    )
    return model([], functions=[function])


def in_a_sparse_tensor() -> ModelProto:
    file = one_lstm()
    sparse = SparseTensorProto(dims=[4])
    sparse.values.CopyFrom(external("x", "thin"))
    file.graph.sparse_initializer.append(sparse)
    return file


def in_training() -> ModelProto:
    file = one_lstm()
    file.training_info.add().algorithm.initializer.append(external("x"))
    return file


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (in_a_constant, "the Constant 'holder'"),
        (in_a_branch, "the initializer 'W'"),
        (in_a_function, "the Constant 'holder'"),
        (in_a_sparse_tensor, "sparse initializer 'thin'"),
        (in_training, "the initializer 'W'"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_other_files_are_refused_wherever_they_are_named(
    tmp_path: Path, make: Callable[[], ModelProto], where: str
):
    with pytest.raises(CheckpointError, match=f"external data in .*{where}"):
        read(make(), tmp_path)


@pytest.mark.parametrize("dims", [[1 << 40], [1 << 62, 1 << 62], [-1, -48], [0, 1 << 60], [2, 4]])
def test_a_shape_that_is_not_that_of_the_numbers_is_refused(tmp_path: Path, dims: list[int]):
    file = one_lstm()
    tensor = file.graph.initializer[0]
    del tensor.dims[:]
    tensor.dims.extend(dims)
    with pytest.raises(CheckpointError, match=r"'W'|LSTM whose weights"):
        read(file, tmp_path)


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        ({"file_bytes": 100}, "too large"),
        ({"tensors": 2}, "too many"),
        ({"parameters": 50}, "too many numbers"),
        ({"name_characters": 5}, "too long a name"),
        ({"dimension": 10}, "too long an axis"),
        ({"rank": 1}, "too many axes"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_more_than_the_limits_is_refused(tmp_path: Path, limits: dict[str, int], what: str):
    with pytest.raises(CheckpointError, match=what):
        read(one_lstm(), tmp_path, **limits)


def test_too_many_nodes_are_refused(tmp_path: Path):
    nodes = [helper.make_node("Identity", ["X"], [f"y{n}"]) for n in range(300)]
    with pytest.raises(CheckpointError, match="too many nodes"):
        read(model(nodes), tmp_path, tensors=10)


def test_one_weight_for_many_lstms_counts_each_time(tmp_path: Path):
    nodes = [helper.make_node("LSTM", ["X", "W", "R"], [f"y{n}"], hidden_size=H) for n in range(50)]
    with pytest.raises(CheckpointError, match="too many numbers"):
        read(model(nodes, constants(**weights())), tmp_path, parameters=1000)


BOMBS = {
    "ConstantOfShape": [helper.make_node("ConstantOfShape", ["huge"], ["W"])],
    "Expand": [helper.make_node("Expand", ["one", "huge"], ["W"])],
    "Tile": [helper.make_node("Tile", ["one", "huge"], ["W"])],
    "Concat": [helper.make_node("Concat", [f"d{n}"] * 2, [f"d{n + 1}"], axis=0) for n in range(30)]
    + [helper.make_node("Identity", ["d30"], ["W"])],
}


@pytest.mark.parametrize("nodes", BOMBS.values(), ids=BOMBS)
def test_constants_that_swell_are_refused(tmp_path: Path, nodes: list[NodeProto]):
    given = constants(
        huge=np.array([1 << 20, 1 << 20]),
        one=np.ones((1, 1), np.float32),
        d0=np.ones(1000, np.float32),
        R=weights()["R"],
    )
    with pytest.raises(CheckpointError, match="more numbers of its constants"):
        read(model([*nodes, lstm_node(("X", "W", "R"))], given), tmp_path)


def test_constants_that_run_in_a_circle_or_without_end_are_refused(tmp_path: Path):
    circle = [helper.make_node("Identity", [a], [b]) for a, b in (("W", "V"), ("V", "W"))]
    endless = [helper.make_node("Identity", [f"v{n}"], [f"v{n + 1}"]) for n in range(5000)]
    given = constants(R=weights()["R"], v0=weights()["W"])
    for nodes, name in ((circle, "W"), (endless, "v5000")):
        with pytest.raises(CheckpointError, match=f"W='{name}'"):
            read(model([*nodes, lstm_node(("X", name, "R"))], given), tmp_path)


def test_operators_over_constants_that_do_not_fit_are_refused(tmp_path: Path):
    nodes = [helper.make_node("Transpose", ["v"], ["W"], perm=[7, 7], name="turn")]
    given = constants(R=weights()["R"], v=weights()["W"])
    with pytest.raises(CheckpointError, match=r"Transpose.*'turn'"):
        read(model([*nodes, lstm_node(("X", "W", "R"))], given), tmp_path)


def test_graphs_deep_within_each_other_are_refused(tmp_path: Path):
    graph = helper.make_graph([], "innermost", [], [])
    for _ in range(20):
        node = helper.make_node("If", ["yes"], ["Z"], then_branch=graph)
        graph = helper.make_graph([node], "branch", [], [])
    with pytest.raises(CheckpointError, match=r"within each other|do not parse"):
        read(within_if(graph), tmp_path, nesting=10)


def test_a_name_that_is_not_text_is_one_refusal(tmp_path: Path):
    file = one_lstm(name="Q" * 40)
    path = save(file, tmp_path)
    path.write_bytes(path.read_bytes().replace(b"Q" * 40, b"\xff" * 40))
    with pytest.raises(CheckpointError):
        read(path, tmp_path)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x02}q", b"\0" * 1000, b"hello" * 9])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, data: bytes):
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"Not an ONNX") as refused:
        read(path, tmp_path)
    assert str(tmp_path) not in str(refused.value)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    import torch

    path = tmp_path_factory.mktemp("exported") / "tagger.onnx"
    export(Tagger(num_layers=2), torch.zeros(3, 2, dtype=torch.long), path)
    return path.read_bytes()


def outcome(data: bytes, path: Path) -> bool:
    """Whether it is read, to the last number; anything but a ``CheckpointError`` is a fault."""
    path.write_bytes(data)
    try:
        contents = onnx_file.read(path, Limits(parameters=1_000_000))
        for name, array in contents.read(contents.tensors).items():
            assert array.shape == contents.tensors[name].shape
    except CheckpointError:
        return False
    return True


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, exported: bytes):
    path = tmp_path / "model.onnx"
    assert outcome(exported, path)
    for length in {*range(0, len(exported), 29), len(exported) - 1, len(exported) - 4}:
        assert not outcome(exported[:length], path), length


def test_damaged_files_are_read_or_refused(tmp_path: Path, exported: bytes):
    seeded = random.Random(0)
    for _ in range(500):
        data = bytearray(exported)
        for _ in range(seeded.choice([1, 2, 8])):
            place = seeded.randrange(len(data))
            if seeded.random() < 0.5:
                data[place] = seeded.randrange(256)
            else:
                data[place : place + seeded.randrange(20)] = seeded.randbytes(seeded.randrange(9))
        outcome(bytes(data), tmp_path / "model.onnx")


def test_the_shape_of_a_constant_state_may_be_anything(tmp_path: Path):
    for shape in [(), (1,), (0,), (1, 0, H), (9, 9)]:
        state = {"h": np.ones(shape, np.float32)}
        with pytest.raises(CheckpointError, match="h_0"):
            read(one_lstm(("X", "W", "R", "B", "", "h"), state), tmp_path)


def test_tensors_of_other_types_are_left_alone(tmp_path: Path):
    file = one_lstm()
    file.graph.initializer.append(helper.make_tensor("words", TensorProto.STRING, [1], [b"\xff"]))
    file.graph.initializer.append(numpy_helper.from_array(np.ones(2, np.complex64), "z"))
    file.graph.initializer.append(numpy_helper.from_array(numbers(2), "plain"))
    assert [name for name in read(file, tmp_path).tensors if "lstm" not in name] == ["plain"]
