"""ONNX files: what comes out computes what ONNX Runtime does; the rest is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import nn

from lstm_core.errors import CheckpointError
from tests.checkpoints.onnx_files import (
    B,
    H,
    I,
    Started,
    T,
    Tagger,
    constants,
    export,
    forward,
    lstm_node,
    model,
    numbers,
    one_lstm,
    read,
    run,
    weights,
    within_if,
)

X = numbers(T, B, I, seed=9)


def compare(ours: tuple[np.ndarray, ...], theirs: list[np.ndarray], layout: int = 0) -> None:
    Y, Y_h, Y_c = theirs
    if layout:
        Y, Y_h, Y_c = Y.transpose(1, 2, 0, 3), Y_h.swapaxes(0, 1), Y_c.swapaxes(0, 1)
    Y = Y.transpose(0, 2, 1, 3).reshape(T, B, -1)
    for mine, other in zip(ours, (Y, Y_h, Y_c), strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("bias", [True, False], ids=["biases", "no biases"])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_an_lstm_computes_what_onnx_runtime_computes(tmp_path: Path, direction: str, bias: bool):
    file = one_lstm(("X", "W", "R", "B") if bias else ("X", "W", "R"), direction=direction)
    contents = read(file, tmp_path)
    arrays = contents.read(contents.tensors)

    compare(forward(arrays, "lstm", X), run(file, X=X))
    assert any("bias" in name for name in arrays) == bias
    assert all(name.endswith("_reverse") for name in arrays) == (direction == "reverse")
    assert {name: info.shape for name, info in contents.tensors.items()} == {
        name: array.shape for name, array in arrays.items()
    }


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("layout", [0, 1])
def test_a_constant_initial_state_is_handed_over(tmp_path: Path, layout: int, direction: str):
    D = 2 if direction == "bidirectional" else 1
    states = {"h": numbers(D, 1, H, seed=5), "c": numbers(D, 1, H, seed=6)}
    states = {name: np.repeat(state, B, 1) for name, state in states.items()}
    given = {name: state.swapaxes(0, 1) if layout else state for name, state in states.items()}
    file = one_lstm(("X", "W", "R", "B", "", "h", "c"), given, layout=layout, direction=direction)
    contents = read(file, tmp_path)

    arrays = contents.read(contents.tensors)

    np.testing.assert_array_equal(arrays["lstm.h_0"], states["h"][:, 0])
    np.testing.assert_array_equal(arrays["lstm.c_0"], states["c"][:, 0])
    if not layout:  # ONNX Runtime cannot do the other
        compare(forward(arrays, "lstm", X), run(file, X=X))


def test_a_batch_first_lstm_is_the_same_by_the_reference_of_onnx(tmp_path: Path):
    from onnx.reference import ReferenceEvaluator

    file = one_lstm(layout=1)
    contents = read(file, tmp_path)

    theirs = ReferenceEvaluator(file).run(None, {"X": X.swapaxes(0, 1).copy()})
    Y = theirs[0][:, :, 0].swapaxes(0, 1)
    ours = forward(contents.read(contents.tensors), "lstm", X)
    np.testing.assert_allclose(ours[0], Y, rtol=0, atol=1e-5)


def test_zeros_as_initial_state_are_left_out(tmp_path: Path):
    zeros = np.zeros((1, B, H), np.float32)
    contents = read(
        one_lstm(("X", "W", "R", "B", "", "h", "c"), {"h": zeros, "c": zeros}), tmp_path
    )

    assert "lstm.h_0" not in contents.tensors
    assert contents.notes == []


def test_an_initial_state_from_outside_is_noted(tmp_path: Path):
    inputs = {"X": None, "h": None, "c": None}
    contents = read(one_lstm(("X", "W", "R", "B", "", "h", "c"), {}, inputs), tmp_path)

    assert "lstm.h_0" not in contents.tensors
    [note] = contents.notes
    assert "'lstm'" in note
    assert "h_0 and c_0" in note


def test_one_state_alone_leaves_the_other_zero(tmp_path: Path):
    given = {"h": numbers(1, 1, H).repeat(B, 1)}
    file = one_lstm(("X", "W", "R", "B", "", "h"), given)
    contents = read(file, tmp_path)

    compare(forward(contents.read(contents.tensors), "lstm", X), run(file, X=X))


def test_a_state_that_differs_within_the_batch_is_refused(tmp_path: Path):
    given = {"h": numbers(1, B, H), "c": numbers(1, B, H)}
    with pytest.raises(CheckpointError, match=r"h_0.*'lstm'"):
        read(one_lstm(("X", "W", "R", "B", "", "h", "c"), given), tmp_path)


def test_constant_lengths_are_noted_and_others_are_not(tmp_path: Path):
    names = ("X", "W", "R", "B", "lengths")
    known = read(one_lstm(names, {"lengths": np.array([5, 3], np.int32)}), tmp_path)
    unknown = read(one_lstm(names, {}, {"X": None, "lengths": None}), tmp_path)

    assert "5, 3 timesteps" in known.notes[0]
    assert unknown.notes == []


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({"clip": 3.0}, "clip=3.* '/lstm/LSTM'"),
        ({"input_forget": 1}, "input_forget=1.*'/lstm/LSTM'"),
        ({"activations": ["Sigmoid", "Tanh", "Relu"]}, "Sigmoid, Tanh, Relu.*'/lstm/LSTM'"),
        ({"activations": ["Sigmoid", "Tanh"]}, "Sigmoid, Tanh at"),
        ({"activation_alpha": [0.5]}, "activation_alpha"),
        ({"activation_beta": [0.5]}, "activation_beta"),
        ({"direction": "sideways"}, "sideways"),
        ({"hidden_size": 7}, "hidden_size=7"),
        ({"direction": "bidirectional"}, "W 1 × 16 × 3"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_not_pytorchs_lstm_is_refused_by_name(
    tmp_path: Path, attributes: dict[str, Any], what: str
):
    file = model([lstm_node(**attributes)], constants(**weights()))
    with pytest.raises(CheckpointError, match=what):
        read(file, tmp_path)


def test_the_usual_activations_may_be_named(tmp_path: Path):
    named = ["Sigmoid", "Tanh", "Tanh"] * 2
    contents = read(one_lstm(direction="bidirectional", activations=named), tmp_path)
    assert "lstm.weight_ih_l0_reverse" in contents.tensors


def test_peepholes_are_refused_by_name(tmp_path: Path):
    names = ("X", "W", "R", "B", "", "", "", "P")
    with pytest.raises(CheckpointError, match=r"peepholes.*P='P'.*'/lstm/LSTM'"):
        read(one_lstm(names, {"P": numbers(1, 3 * H)}), tmp_path)
    assert read(one_lstm(names, {"P": np.zeros((1, 3 * H), np.float32)}), tmp_path).tensors


def test_weights_that_are_no_constants_are_refused_by_name(tmp_path: Path):
    arrays = weights()
    del arrays["R"]
    file = model([lstm_node()], constants(**arrays), {"X": None, "R": None})
    with pytest.raises(CheckpointError, match=r"R='R' of the node '/lstm/LSTM'"):
        read(file, tmp_path)


def test_a_quantized_lstm_is_refused_by_name(tmp_path: Path):
    node = helper.make_node(
        "DynamicQuantizeLSTM", ["X", "W", "R"], ["Y"], name="q", domain="com.microsoft"
    )
    file = model([node], opsets=[helper.make_opsetid("com.microsoft", 1)])
    with pytest.raises(CheckpointError, match=r"DynamicQuantizeLSTM.*'q'"):
        read(file, tmp_path)


def test_weights_may_be_made_of_constants(tmp_path: Path):
    arrays = weights()
    W, R, bias = arrays["W"], arrays["R"], arrays["B"]
    scale = np.float32(0.01)
    nodes = [
        helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(W[0].T.copy())),
        helper.make_node("Identity", ["w"], ["w1"]),
        helper.make_node("Transpose", ["w1"], ["w2"], perm=[1, 0]),
        helper.make_node("Unsqueeze", ["w2", "zero"], ["W"]),
        helper.make_node("Slice", ["r", "zero", "half"], ["r0"]),
        helper.make_node("Slice", ["r", "half", "end", "zero", "one"], ["r1"]),
        helper.make_node("Concat", ["r0", "r1"], ["r2"], axis=0),
        helper.make_node("Cast", ["r2"], ["r3"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["r3", "shape"], ["R"]),
        helper.make_node("DequantizeLinear", ["b", "scale", "point"], ["b1"]),
        helper.make_node("Squeeze", ["b1", "zero"], ["b2"]),
        helper.make_node("Unsqueeze", ["b2", "zero"], ["B"]),
        lstm_node(),
    ]
    given = constants(
        r=R[0].astype(np.float64),
        b=np.round(bias / scale).astype(np.int8),
        zero=np.array([0]),
        half=np.array([2 * H]),
        end=np.array([9999]),
        one=np.array([1]),
        shape=np.array([1, -1, H]),
        scale=np.array(scale),
        point=np.array(0, np.int8),
    )
    file = model(nodes, given, outputs=("Y", "Y_h", "Y_c"))
    contents = read(file, tmp_path)

    compare(forward(contents.read(contents.tensors), "lstm", X), run(file, X=X))
    assert all(name.startswith("lstm.") for name in contents.tensors)


def test_two_nodes_that_feed_each_other_come_in_their_order(tmp_path: Path):
    first, second = weights(2), weights(1, inputs=2 * H, seed=20)
    nodes = [
        lstm_node(name="a/LSTM", direction="bidirectional"),
        helper.make_node("Transpose", ["Y"], ["t"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["t", "shape"], ["x2"]),
        helper.make_node(
            "LSTM", ["x2", "W2", "R2", "B2"], ["Z", "Zh", "Zc"], hidden_size=H, name="b/LSTM"
        ),
    ]
    second = {f"{name}2": array for name, array in second.items()}
    given = constants(**first, **second, shape=np.array([0, 0, -1]))
    file = model(nodes, given, outputs=("Z", "Zh", "Zc"))
    contents = read(file, tmp_path)
    arrays = contents.read(contents.tensors)

    between, *_ = forward(arrays, "a", X)
    compare(forward(arrays, "b", between), run(file, X=X))
    assert [name for name in contents.tensors if "weight_hh" in name] == [
        "a.weight_hh_l0",
        "a.weight_hh_l0_reverse",
        "b.weight_hh_l0",
    ]
    assert contents.notes == ["In the graph these LSTMs feed each other in this order: 'a', 'b'."]


def test_names_are_readable_and_unique(tmp_path: Path):
    nodes = [
        helper.make_node("LSTM", ["X", "W", "R"], [f"/enc/rnn/LSTM_output_{n}"], hidden_size=H)
        for n in range(2)
    ]
    nodes.append(helper.make_node("LSTM", ["X", "W", "R"], ["42"], hidden_size=H))
    long = "StatefulPartitionedCall/model/lstm_1/PartitionedCall/LSTM__45"
    nodes.append(helper.make_node("LSTM", ["X", "W", "R"], ["Z"], hidden_size=H, name=long))
    contents = read(model(nodes, constants(**weights()), outputs=("42",)), tmp_path)

    groups = [name.removesuffix(".weight_ih_l0") for name in contents.tensors if "_ih" in name]
    assert groups == ["enc.rnn.0", "enc.rnn.1", "lstm", "model.lstm_1"]


@pytest.mark.parametrize("dtype", [np.float16, np.float64, "bfloat16"])
def test_every_floating_type_is_read(tmp_path: Path, dtype: Any):
    import ml_dtypes

    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    arrays = {name: array.astype(kind) for name, array in weights().items()}
    contents = read(model([lstm_node()], constants(**arrays)), tmp_path)

    [name] = [name for name in contents.tensors if "weight_hh" in name]
    array = contents.read([name])[name]
    i, o, f, g = arrays["R"][0].reshape(4, H, H)
    assert contents.tensors[name].dtype == np.dtype(kind).name
    assert array.dtype == (np.float64 if dtype is np.float64 else np.float32)
    np.testing.assert_array_equal(array, np.concatenate([i, f, g, o]).astype(array.dtype))


def test_reading_again_and_again_is_not_too_much(tmp_path: Path):
    contents = read(one_lstm(), tmp_path, parameters=200)
    for _ in range(30):
        contents.read(contents.tensors)


def test_only_what_is_asked_for_is_read(tmp_path: Path):
    contents = read(one_lstm(), tmp_path)
    assert list(contents.read(["lstm.bias_hh_l0"])) == ["lstm.bias_hh_l0"]


# Embeddings, linear layers and the rest


def layers() -> ModelProto:
    nodes = [
        helper.make_node("Gather", ["emb", "ids"], ["e"], name="/embed/Gather"),
        helper.make_node("MatMul", ["e", "onnx::MatMul_7"], ["m"], name="/out/MatMul"),
        helper.make_node("Add", ["b", "m"], ["a"], name="/out/Add"),
        helper.make_node("Gemm", ["a", "last.weight", "last.bias"], ["g"], transB=1),
        helper.make_node("Gemm", ["g", "V"], ["Y"], name="turned"),
    ]
    given = {
        "emb": numbers(7, I),
        "onnx::MatMul_7": numbers(I, 4),
        "b": numbers(4, seed=1),
        "last.weight": numbers(2, 4, seed=2),
        "last.bias": numbers(2, seed=3),
        "V": numbers(2, 6, seed=4),
        "other": numbers(3, seed=5),
        "running.count": np.array(3),
    }
    return model(nodes, constants(**given), {"ids": int})


def test_embeddings_and_linear_layers_compute_the_same(tmp_path: Path):
    file = layers()
    contents = read(file, tmp_path)
    arrays = contents.read(contents.tensors)
    assert list(arrays) == [
        "emb.weight",
        "out.weight",
        "out.bias",
        "last.weight",
        "last.bias",
        "V.weight",
        "other",
    ]

    ids = np.array([0, 3, 6, 1])
    ours = torch.from_numpy(arrays["emb.weight"])[ids]
    for name in ("out", "last", "V"):
        bias = arrays.get(f"{name}.bias")
        ours = nn.functional.linear(
            ours,
            torch.from_numpy(arrays[f"{name}.weight"]),
            None if bias is None else torch.from_numpy(bias),
        )
    np.testing.assert_allclose(ours.numpy(), run(file, ids=ids)[0], rtol=0, atol=1e-5)


def test_a_scaled_product_keeps_its_own_name(tmp_path: Path):
    node = helper.make_node("Gemm", ["X", "V"], ["Y"], alpha=0.5)
    contents = read(model([node], constants(V=numbers(3, 4))), tmp_path)
    assert list(contents.tensors) == ["V"]


def test_a_shared_embedding_comes_once(tmp_path: Path):
    nodes = [helper.make_node("Gather", ["emb.weight", "X"], [f"e{n}"]) for n in range(3)]
    contents = read(model(nodes, constants(**{"emb.weight": numbers(3, 4)})), tmp_path)
    assert list(contents.tensors) == ["emb.weight"]


@pytest.mark.parametrize("kind", ["GRU", "RNN"])
def test_other_recurrent_networks_are_noted_and_left_out(tmp_path: Path, kind: str):
    gates = 3 if kind == "GRU" else 1
    arrays = {
        "gru.weight_ih_l0": numbers(1, gates * H, I),
        "gru.weight_hh_l0": numbers(1, gates * H, H),
    }
    node = helper.make_node(kind, ["X", *arrays], ["Y"], hidden_size=H, name="/gru/X")
    contents = read(model([node], constants(**arrays)), tmp_path)

    assert list(contents.tensors) == []
    assert kind in contents.notes[0]
    assert "'/gru/X'" in contents.notes[0]


def test_an_lstm_within_a_branch_is_found(tmp_path: Path):
    inner = helper.make_graph(
        [lstm_node(name="inner")],
        "branch",
        [],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)],
        constants(**weights()),
    )
    contents = read(within_if(inner), tmp_path)

    assert {"inner.then.weight_ih_l0", "inner.else.weight_ih_l0"} <= set(contents.tensors)
    assert any("then_branch of the If 'choose'" in note for note in contents.notes)


def test_an_lstm_within_a_function_is_noted(tmp_path: Path):
    function = helper.make_function(
        "own",
        "Block",
        ["X", "W", "R"],
        ["Y"],
        [lstm_node(("X", "W", "R"))],
        [helper.make_opsetid("", 17)],
    )
    node = helper.make_node("Block", ["X", "W", "R"], ["Y"], domain="own")
    file = model(
        [node], constants(**weights()), functions=[function], opsets=[helper.make_opsetid("own", 1)]
    )
    contents = read(file, tmp_path)
    assert any("function 'Block'" in note for note in contents.notes)


def test_vocabularies_beside_the_graph_become_tables(tmp_path: Path):
    file = one_lstm()
    for key, value in {
        "vocab": json.dumps({"the": 1, "<pad>": 0, "cat": 3}),
        "labels": json.dumps(["NOUN", "VERB"]),
        "numbered": json.dumps({"1": "b", "0": "a"}),
        "author": "somebody",
        "config": json.dumps({"lr": 0.1}),
        "broken": "{",
        "deep": "[" * 100_000,
    }.items():
        file.metadata_props.add(key=key, value=value)

    assert read(file, tmp_path).tables == {
        "vocab": ["<pad>", "the", None, "cat"],
        "labels": ["NOUN", "VERB"],
        "numbered": ["a", "b"],
    }


# What PyTorch exports

EXPORTS = {
    "one layer": {},
    "two layers": {"num_layers": 2},
    "bidirectional": {"bidirectional": True, "num_layers": 2},
    "no biases": {"bias": False},
    "batch first": {"batch_first": True, "bidirectional": True},
}


@pytest.mark.parametrize("folded", [True, False], ids=["folded", "as written"])
@pytest.mark.parametrize("options", EXPORTS.values(), ids=EXPORTS)
def test_what_pytorch_exports_comes_back(tmp_path: Path, options: dict[str, Any], folded: bool):
    tagger = Tagger(**options)
    ids = torch.randint(0, 11, (T, B))
    path = export(tagger, ids, tmp_path / "tagger.onnx", do_constant_folding=folded)
    contents = read(path, tmp_path)
    arrays = contents.read(contents.tensors)

    several = tagger.lstm.num_layers > 1
    own = {name.removeprefix("lstm."): value for name, value in tagger.lstm.named_parameters()}
    for name, parameter in own.items():
        layer = name.split("_l")[1][0]
        place = f"lstm.{layer}" if several else "lstm"
        np.testing.assert_array_equal(
            arrays.pop(f"{place}.{name.replace('_l' + layer, '_l0')}"), parameter.detach().numpy()
        )
    for name in ("emb.weight", "fc.weight", "fc.bias"):
        np.testing.assert_array_equal(arrays.pop(name), tagger.get_parameter(name).detach().numpy())
    if not options.get("bias", True):  # the exporter writes zeros
        arrays = {name: array for name, array in arrays.items() if array.any()}
    assert arrays == {}
    if several:
        assert contents.notes == [
            "In the graph these LSTMs feed each other in this order: 'lstm.0', 'lstm.1'."
        ]


def test_a_learned_initial_state_comes_back(tmp_path: Path):
    started = Started()
    path = export(started, torch.rand(T, B, I), tmp_path / "started.onnx")
    contents = read(path, tmp_path)
    arrays = contents.read(contents.tensors)

    np.testing.assert_array_equal(arrays["lstm.h_0"], started.h_0.detach().numpy()[0])
    np.testing.assert_allclose(forward(arrays, "lstm", X)[0], run(path, x=X)[0], rtol=0, atol=1e-5)


def test_an_unrolled_cell_keeps_the_names_of_its_weights(tmp_path: Path):
    class Unrolled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.LSTMCell(I, H)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.cell(x)[0]
            return result

    module = Unrolled()
    path = export(module, torch.rand(B, I), tmp_path / "cell.onnx")
    contents = read(path, tmp_path)

    arrays = contents.read(contents.tensors)
    assert set(arrays) == {f"cell.{name}" for name, _ in module.cell.named_parameters()}
    np.testing.assert_array_equal(arrays["cell.weight_ih"], module.cell.weight_ih.detach().numpy())
