"""Keras' files: what comes out computes what Keras computes, and the rest is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_core.errors import CheckpointError
from tests.checkpoints.keras_files import (
    KINDS,
    B,
    H,
    I,
    T,
    archive,
    forward,
    hdf5,
    keras,
    layer,
    legacy,
    linear,
    model_config,
    new_lstm,
    predict,
    read,
    saved,
    sequential,
    weights_of,
)

X = np.random.default_rng(1).uniform(-1, 1, (B, T, I)).astype(np.float32)

# Keras' variables are not yet quite as NumPy 2 wants arrays to be.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

each_kind = pytest.mark.parametrize("kind", KINDS)


def close(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@each_kind
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_an_lstm_computes_what_keras_computes(tmp_path: Path, kind: str, bias: bool):
    model = sequential(keras().layers.LSTM(H, return_sequences=True, use_bias=bias, name="lstm"))
    contents, arrays = saved(model, tmp_path, kind)

    close(forward(arrays, "lstm", X), predict(model, X)[0])
    assert ("lstm.bias_ih_l0" in arrays) == bias
    assert "lstm.bias_hh_l0" not in arrays
    assert {name: info.shape for name, info in contents.tensors.items()} == {
        name: array.shape for name, array in arrays.items()
    }


@each_kind
def test_both_directions_compute_what_keras_computes(tmp_path: Path, kind: str):
    layers = keras().layers
    model = sequential(layers.Bidirectional(layers.LSTM(H, return_sequences=True), name="both"))
    _, arrays = saved(model, tmp_path, kind)
    close(forward(arrays, "both", X), predict(model, X)[0])


@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_reading_backwards_gives_backward_names_only(tmp_path: Path, kind: str):
    model = sequential(
        keras().layers.LSTM(H, return_sequences=True, go_backwards=True, name="back")
    )
    contents, arrays = saved(model, tmp_path, kind)

    assert all(name.endswith("_reverse") for name in arrays)
    close(forward(arrays, "back", X)[:, ::-1], predict(model, X)[0])
    assert "'back'" in contents.notes[0]


@each_kind
def test_a_whole_model_computes_what_keras_computes(tmp_path: Path, kind: str):
    """Embedding, a stack, a model within the model, Dense after every token."""
    layers = keras().layers
    inner = keras().Sequential(
        [layers.LSTM(H, return_sequences=True, name="deep"), layers.Dense(6, name="mix")],
        name="inner",
    )
    model = sequential(
        layers.Embedding(9, I, name="emb"),
        layers.Bidirectional(layers.LSTM(H, return_sequences=True), name="both"),
        layers.LSTM(H, return_sequences=True, dropout=0.5, name="second"),
        inner,
        layers.TimeDistributed(layers.Dense(2, name="own"), name="each"),
        shape=(T,),
    )
    contents, arrays = saved(model, tmp_path, kind)

    ids = np.array([[0, 8, 3, 3, 1], [2, 4, 6, 8, 0]])
    x = forward(arrays, "both", arrays["emb.weight"][ids])
    x = forward(arrays, "inner.deep", forward(arrays, "second", x))
    head = "each.own" if kind == "weights.h5" else "each"
    close(linear(arrays, head, linear(arrays, "inner.mix", x)), predict(model, ids)[0])
    if kind != "weights.h5":
        groups = list(dict.fromkeys(name.rpartition(".")[0] for name in arrays))
        assert groups == ["emb", "both", "second", "inner.deep", "inner.mix", "each"]
        assert "The Dense layer 'each' applies linear." in contents.notes
    else:
        assert "tanh and sigmoid" in contents.notes[0]


@each_kind
def test_a_functional_model_comes_back(tmp_path: Path, kind: str):
    layers, given = keras().layers, keras().Input((T, I))
    x = layers.LSTM(H, return_sequences=True, name="one")(given)
    twin = layers.LSTM(H, return_sequences=True, name="two")(given)
    model = keras().Model(given, layers.Dense(2, "softmax", name="out")(x + twin))
    contents, arrays = saved(model, tmp_path, kind)

    scores = linear(arrays, "out", forward(arrays, "one", X) + forward(arrays, "two", X))
    chances = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    close(chances, predict(model, X)[0])
    if kind != "weights.h5":
        assert "The Dense layer 'out' applies softmax." in contents.notes


@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_cells_in_an_rnn_are_layers(tmp_path: Path, kind: str):
    layers = keras().layers
    model = sequential(
        layers.RNN(layers.LSTMCell(H), return_sequences=True, name="one"),
        layers.RNN([layers.LSTMCell(3), layers.LSTMCell(5)], return_sequences=True, name="two"),
    )
    _, arrays = saved(model, tmp_path, kind)
    x = forward(arrays, "two.0", forward(arrays, "one", X))
    close(forward(arrays, "two.1", x), predict(model, X)[0])


@pytest.mark.parametrize("kind", ["keras", "weights.h5"])  # Keras saves it in no other way
def test_a_class_of_its_own_is_read_by_its_weights(tmp_path: Path, kind: str):
    layers = keras().layers

    @keras().saving.register_keras_serializable("tests")
    class Own(keras().Model):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.first = layers.LSTM(H, return_sequences=True)
            self.head = layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.head(self.first(x))

    model = Own()
    theirs = predict(model, X)[0]
    contents, arrays = saved(model, tmp_path, kind)

    [lstm] = [name.removesuffix(".weight_hh_l0") for name in arrays if "weight_hh" in name]
    [head] = [name.removesuffix(".weight") for name in arrays if name.endswith(".weight")]
    close(linear(arrays, head, forward(arrays, lstm, X)), theirs)
    assert "never run" in contents.notes[0] or kind == "weights.h5"


def test_only_what_is_asked_for_is_read(tmp_path: Path):
    contents, _ = saved(sequential(keras().layers.LSTM(H, name="lstm")), tmp_path, "keras")
    assert list(contents.read(["lstm.bias_ih_l0"])) == ["lstm.bias_ih_l0"]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_every_floating_type_is_read(tmp_path: Path, dtype: str):
    model = sequential(keras().layers.Embedding(5, I, dtype=dtype, name="emb"), shape=(T,))
    contents, arrays = saved(model, tmp_path, "keras")

    theirs = keras().ops.convert_to_numpy(keras().ops.cast(model.weights[0], "float64"))
    assert contents.tensors["emb.weight"].dtype == dtype
    np.testing.assert_array_equal(arrays["emb.weight"], theirs)


# What is refused


@pytest.mark.parametrize("kind", ["keras", "h5"])
@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"activation": "relu"}, "'odd'.*activation=relu"),
        ({"recurrent_activation": "hard_sigmoid"}, "'odd'.*recurrent_activation=hard_sigmoid"),
        ({"activation": None}, "activation=linear"),
    ],
    ids=["relu", "hard_sigmoid", "none"],
)
def test_other_activations_are_refused_by_name(
    tmp_path: Path, kind: str, options: dict[str, Any], what: str
):
    model = sequential(keras().layers.LSTM(H, name="odd", **options))
    with pytest.raises(CheckpointError, match=what):
        saved(model, tmp_path, kind)


@pytest.mark.parametrize("mode", ["sum", "mul", "ave", None])
def test_directions_that_are_mixed_are_refused_by_name(tmp_path: Path, mode: str | None):
    layers = keras().layers
    model = sequential(layers.Bidirectional(layers.LSTM(H), merge_mode=mode, name="both"))
    with pytest.raises(CheckpointError, match=f"'both'.*merge_mode={mode}"):
        saved(model, tmp_path, "keras")


def test_directions_of_different_kinds_are_refused_by_name(tmp_path: Path):
    layers = keras().layers
    for backward, what in (
        (layers.GRU(H, go_backwards=True), "GRU"),
        (layers.LSTM(2, go_backwards=True), "different sizes"),
    ):
        model = sequential(
            layers.Bidirectional(layers.LSTM(H), backward_layer=backward, name="both")
        )
        with pytest.raises(CheckpointError, match=f"'both'.*{what}"):
            saved(model, tmp_path, "keras")


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ({"units": 200_000}, "'lstm'.*units=200000"),
        ({"units": H, "use_bias": False}, "'lstm'.*3 weights"),
        ({"units": "many"}, "units=many"),
    ],
    ids=["units", "bias", "no number"],
)
def test_a_description_that_disagrees_with_the_weights_is_refused(
    tmp_path: Path, config: dict[str, Any], what: str
):
    described = model_config(layer("LSTM", "lstm", **config))
    path = archive(tmp_path / "x.keras", described, hdf5(new_lstm))
    with pytest.raises(CheckpointError, match=what):
        read(path)


@pytest.mark.parametrize(
    ("described", "what"),
    [
        (layer("LSTM", "away"), "'away'"),
        (layer("Embedding", "embedding", input_dim=7, output_dim=3), "'embedding'.*7 × 3"),
        (layer("Dense", "dense", units=7), "'dense'.*units=7"),
    ],
    ids=["no weights", "embedding", "dense"],
)
def test_other_layers_must_be_as_they_are_described(
    tmp_path: Path, described: dict[str, Any], what: str
):
    def fill(file: Any) -> None:
        file.create_dataset("layers/embedding/vars/0", data=np.ones((5, 3), np.float32))
        file.create_dataset("layers/dense/vars/0", data=np.ones((5, 3), np.float32))

    path = archive(tmp_path / "x.keras", model_config(described), hdf5(fill))
    with pytest.raises(CheckpointError, match=what):
        read(path)


def test_a_gru_is_noted_and_gets_no_lstms_names(tmp_path: Path):
    layers = keras().layers
    model = sequential(layers.GRU(H, name="gru"), shape=(T, I))
    for kind in KINDS:
        contents, arrays = saved(model, tmp_path, kind)
        assert not any("_l0" in name for name in arrays)
        assert arrays
        if kind != "weights.h5":
            assert contents.notes == ["'gru' is a GRU, not an LSTM."]


# What only older releases wrote


def test_a_file_of_keras_2_comes_back(tmp_path: Path):
    kernel, recurrent, bias = weights_of()
    names = [f"lstm_1/lstm_cell/{name}:0" for name in ("kernel", "recurrent_kernel", "bias")]
    layers = {
        "embedding_1": {"embedding_1/embeddings:0": np.ones((7, I), np.float32)},
        "dropout_1": {},
        "lstm_1": dict(zip(names, (kernel, recurrent, bias), strict=True)),
        "dense_1": {
            "dense_1/kernel:0": np.ones((H, 2), np.float32),
            "dense_1/bias:0": np.zeros(2, np.float32),
        },
    }
    config = {
        "class_name": "Sequential",
        "config": [
            layer("Embedding", "embedding_1", input_dim=7, output_dim=I),
            layer("Dropout", "dropout_1"),
            layer("LSTM", "lstm_1", units=H, activation="tanh", recurrent_activation="sigmoid"),
            layer("Dense", "dense_1", units=2, activation="softmax"),
        ],
    }
    whole = read(legacy(tmp_path / "whole.h5", layers, config))
    bare = read(legacy(tmp_path / "bare.h5", layers))

    assert list(whole.tensors) == list(bare.tensors)
    assert list(whole.tensors)[:3] == [
        "embedding_1.weight",
        "lstm_1.weight_ih_l0",
        "lstm_1.weight_hh_l0",
    ]
    for contents in (whole, bare):
        arrays = contents.read(contents.tensors)
        np.testing.assert_array_equal(arrays["lstm_1.weight_ih_l0"], kernel.T)
        np.testing.assert_array_equal(arrays["dense_1.weight"], np.ones((2, H)))
    assert whole.notes == ["The Dense layer 'dense_1' applies softmax."]
    assert "tanh and sigmoid" in bare.notes[0]


def test_both_directions_without_a_description(tmp_path: Path):
    forward_, backward = weights_of(seed=1), weights_of(seed=2)
    listed = {
        f"b/{way}_lstm/lstm_cell/{name}:0": array
        for way, arrays in (("forward", forward_), ("backward", backward))
        for name, array in zip(("kernel", "recurrent_kernel", "bias"), arrays, strict=True)
    }
    contents = read(legacy(tmp_path / "x.h5", {"b": listed}))
    arrays = contents.read(contents.tensors)
    np.testing.assert_array_equal(arrays["b.weight_hh_l0"], forward_[1].T)
    np.testing.assert_array_equal(arrays["b.weight_hh_l0_reverse"], backward[1].T)


def test_cudnn_weights_are_turned_gate_by_gate(tmp_path: Path):
    """What Keras itself did when it loaded such weights into its LSTM, for each gate."""
    kernel, recurrent, bias = weights_of(biases=2)
    names = ["c/kernel:0", "c/recurrent_kernel:0", "c/bias:0"]
    config = model_config(layer("CuDNNLSTM", "c", units=H))
    layers = {"c": dict(zip(names, (kernel, recurrent, bias), strict=True))}
    contents = read(legacy(tmp_path / "x.h5", layers, config))
    arrays = contents.read(contents.tensors)

    usual = np.hstack([k.T.reshape(k.shape, order="F") for k in np.hsplit(kernel, 4)])
    usual_recurrent = np.hstack([k.T for k in np.hsplit(recurrent, 4)])
    np.testing.assert_array_equal(arrays["c.weight_ih_l0"], usual.T)
    np.testing.assert_array_equal(arrays["c.weight_hh_l0"], usual_recurrent.T)
    np.testing.assert_array_equal(arrays["c.bias_ih_l0"], bias[: 4 * H])
    np.testing.assert_array_equal(arrays["c.bias_hh_l0"], bias[4 * H :])


@pytest.mark.parametrize("ways", [("c",), ("c/forward_c", "c/backward_c")])
def test_cudnn_weights_are_known_without_a_description_by_their_two_biases(tmp_path: Path, ways):
    listed = {
        f"{way}/{name}:0": array
        for seed, way in enumerate(ways)
        for name, array in zip(
            ("kernel", "recurrent_kernel", "bias"), weights_of(biases=2, seed=seed), strict=True
        )
    }
    bare = read(legacy(tmp_path / "x.h5", {"c": listed}))
    cell = layer("CuDNNLSTM", "c", units=H)
    whole = cell if len(ways) == 1 else layer("Bidirectional", "c", layer=cell, merge_mode="concat")
    described = read(legacy(tmp_path / "y.h5", {"c": listed}, model_config(whole)))

    assert list(bare.tensors) == list(described.tensors)
    for name, array in bare.read(bare.tensors).items():
        np.testing.assert_array_equal(array, described.read([name])[name])


def test_the_twelve_weights_of_keras_1_are_refused_by_name(tmp_path: Path):
    listed = {f"lstm_1_{gate}_{n}": np.ones((2, 2), np.float32) for gate in "icfo" for n in "WUb"}
    config = {"class_name": "Sequential", "config": [layer("LSTM", "lstm_1", output_dim=2)]}
    with pytest.raises(CheckpointError, match=r"'lstm_1'.*Keras 1"):
        read(legacy(tmp_path / "x.h5", {"lstm_1": listed}, config))


def test_groups_as_they_were_called_before_keras_3(tmp_path: Path):
    place = "_layer_checkpoint_dependencies/lstm"
    weights = hdf5(lambda file: new_lstm(file, place))
    contents = read(archive(tmp_path / "x.keras", model_config(layer("LSTM", "own")), weights))
    assert list(contents.tensors) == [
        "own.weight_ih_l0",
        "own.weight_hh_l0",
        "own.bias_ih_l0",
    ]


def test_groups_are_counted_where_they_have_no_names_of_their_own(tmp_path: Path):
    """As the first releases of Keras 3 wrote it: the second LSTM is lstm_1, the tenth lstm_9."""

    def fill(file: Any) -> None:
        for number in range(12):
            new_lstm(file, f"layers/lstm_{number}" if number else "layers/lstm", seed=number)

    names = [f"layer{number}" for number in reversed(range(12))]
    config = model_config(*(layer("LSTM", name, units=H) for name in names))
    contents = read(archive(tmp_path / "x.keras", config, hdf5(fill)))
    for number, name in enumerate(names):
        array = contents.read([f"{name}.weight_hh_l0"])[f"{name}.weight_hh_l0"]
        np.testing.assert_array_equal(array, weights_of(seed=number)[1].T)


# Vocabularies


def test_vocabularies_become_tables(tmp_path: Path):
    config = model_config(
        layer("TextVectorization", "text", vocabulary=["cat", "dog"], output_mode="int"),
        layer("TextVectorization", "ready", vocabulary=["", "[UNK]", "cat"], output_mode="int"),
        layer("StringLookup", "labels", vocabulary=["N", "V"], num_oov_indices=0, mask_token=None),
        layer("StringLookup", "oov", vocabulary=["N"], num_oov_indices=1, mask_token="<p>"),
        layer("TextVectorization", "counts", vocabulary=["cat"], output_mode="count"),
        layer("LSTM", "lstm", units=H),
        layer("TextVectorization", "words", vocabulary=None, output_mode="int"),
    )
    path = archive(
        tmp_path / "x.keras", config, hdf5(new_lstm), text_vectorization_3="\n[UNK]\nthe\nMünchen"
    )
    assert read(path).tables == {
        "text": ["", "[UNK]", "cat", "dog"],
        "ready": ["", "[UNK]", "cat"],
        "labels": ["N", "V"],
        "oov": ["<p>", "[UNK]", "N"],
        "words": ["", "[UNK]", "the", "München"],
    }
