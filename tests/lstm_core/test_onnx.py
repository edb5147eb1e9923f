"""A second oracle: the LSTM of ONNX, as its own reference implementation in numpy computes it.

Its gates stand in the order i o f c, it has no projection, and it leaves ``sequence_lens`` unread;
so a sequence of its own length is checked by running it alone, cut.
https://onnx.ai/onnx/operators/onnx__LSTM.html
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from lstm_core import FusedCell, record
from tests.lstm_core.worlds import (
    State,
    each_engine,
    largest_difference,
    make_lstm,
    numbers,
    state_for,
    steady,
)

NAMES = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c"]


def onnx_lstm(direction: str, layout: int, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Y, Y_h, Y_c of one layer, of the operator in a model of nothing else."""
    node = helper.make_node(
        "LSTM",
        [name if name in feeds else "" for name in NAMES],
        ["Y", "Y_h", "Y_c"],
        hidden_size=feeds["R"].shape[-1],
        direction=direction,
        layout=layout,
    )
    inputs = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(feeds[name].dtype), feeds[name].shape
        )
        for name in NAMES
        if name in feeds
    ]
    kind = helper.np_dtype_to_tensor_dtype(feeds["X"].dtype)
    outputs = [helper.make_tensor_value_info(name, kind, None) for name in ("Y", "Y_h", "Y_c")]
    model = helper.make_model(helper.make_graph([node], "lstm", inputs, outputs))
    return ReferenceEvaluator(model).run(None, feeds)


def to_onnx(weight: Tensor) -> np.ndarray:
    """PyTorch's rows i f g o as ONNX's i o f c."""
    i, f, g, o = weight.detach().numpy().reshape(4, -1, *weight.shape[1:])
    return np.concatenate([i, o, f, g])


def feeds_of(lstm: nn.LSTM, layer: int) -> dict[str, np.ndarray]:
    suffixes = [f"_l{layer}", f"_l{layer}_reverse"][: 2 if lstm.bidirectional else 1]

    def of(name: str) -> list[np.ndarray]:
        return [to_onnx(getattr(lstm, name + suffix)) for suffix in suffixes]

    feeds = {"W": np.stack(of("weight_ih")), "R": np.stack(of("weight_hh"))}
    if lstm.bias:
        feeds["B"] = np.stack(
            [np.concatenate(both) for both in zip(of("bias_ih"), of("bias_hh"), strict=True)]
        )
    return feeds


def by_onnx(lstm: nn.LSTM, x: Tensor, hx: State | None) -> tuple[Tensor, Tensor, Tensor]:
    """output, h_n, c_n of a batch, layer by layer."""
    below, layout = x.numpy(), int(lstm.batch_first)
    D = 2 if lstm.bidirectional else 1
    last_h, last_c = [], []
    for layer in range(lstm.num_layers):
        feeds = feeds_of(lstm, layer) | {"X": below}
        if hx is not None:
            for name, state in zip(("initial_h", "initial_c"), hx, strict=True):
                own = state[layer * D : (layer + 1) * D].numpy()
                feeds[name] = own.swapaxes(0, 1).copy() if layout else own
        Y, Y_h, Y_c = onnx_lstm("bidirectional" if D == 2 else "forward", layout, feeds)
        # (T, D, B, H), or (B, T, D, H), to PyTorch's directions side by side
        Y = Y if layout else Y.transpose(0, 2, 1, 3)
        below = np.ascontiguousarray(Y.reshape(*Y.shape[:2], -1))
        for last, state in ((last_h, Y_h), (last_c, Y_c)):
            last.append(torch.from_numpy(state.swapaxes(0, 1).copy() if layout else state))
    return torch.from_numpy(below), torch.cat(last_h), torch.cat(last_c)


options = st.fixed_dictionaries(
    {
        "input_size": st.integers(1, 6),
        "hidden_size": st.integers(1, 6),
        "num_layers": st.integers(1, 3),
        "bias": st.booleans(),
        "bidirectional": st.booleans(),
        "batch_first": st.booleans(),
    }
)


@each_engine
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@steady
@given(options=options, T=st.integers(1, 6), B=st.integers(1, 5), hx_given=st.booleans())
def test_a_recording_gives_what_the_lstm_of_onnx_gives(engine, dtype, options, T, B, hx_given):
    lstm = make_lstm(**options, dtype=dtype, scale=0.5)
    axes = (B, T) if lstm.batch_first else (T, B)
    x = numbers(*axes, lstm.input_size, dtype=dtype)
    hx = state_for(lstm, B) if hx_given else None

    rec = record(lstm, x, hx, engine=engine)

    ours, theirs = (rec.output, rec.h_n, rec.c_n), by_onnx(lstm, x, hx)
    assert [a.shape for a in ours] == [b.shape for b in theirs]
    assert largest_difference(ours, theirs) <= (1e-6 if dtype == torch.float32 else 1e-12)


@each_engine
def test_sequences_of_their_own_lengths_are_those_of_onnx_one_by_one(engine):
    lengths = [3, 7, 1, 5, 7]
    lstm = make_lstm(num_layers=2, bidirectional=True)
    x, hx = numbers(7, 5, 3), state_for(lstm, 5)

    batch = record(lstm, x, hx, lengths=lengths, engine=engine)

    for b, length in enumerate(lengths):
        own = tuple(state[:, b : b + 1] for state in hx)
        theirs = by_onnx(lstm, x[:length, b : b + 1], own)
        ours = (batch[b].output, batch[b].h_n, batch[b].c_n)
        assert largest_difference(ours, [part.squeeze(1) for part in theirs]) < 1e-12


@each_engine
def test_the_backward_direction_is_the_reverse_of_onnx(engine):
    lstm = make_lstm(bidirectional=True)
    x = numbers(6, 2, 3)
    feeds = {name: weight[1:] for name, weight in feeds_of(lstm, 0).items()}

    Y, Y_h, Y_c = onnx_lstm("reverse", 0, feeds | {"X": x.numpy()})

    for b, rec in enumerate(record(lstm, x, engine=engine)):
        np.testing.assert_allclose(rec["h", 0, "backward"], Y[:, 0, b], rtol=0, atol=1e-12)
        np.testing.assert_allclose(rec.h_n[1], Y_h[0, b], rtol=0, atol=1e-12)
        np.testing.assert_allclose(rec.c_n[1], Y_c[0, b], rtol=0, atol=1e-12)


@each_engine
def test_weights_from_onnx_are_opened_in_their_own_order_of_gates(engine):
    W, R, B = (numbers(*axes).numpy() for axes in ((1, 20, 3), (1, 20, 5), (1, 40)))
    x = numbers(6, 2, 3)
    cell = FusedCell(
        *(torch.from_numpy(part) for part in (W[0], R[0], B[0, :20], B[0, 20:])), gates="iofc"
    )

    rec = record(cell, x, engine=engine)

    Y, Y_h, Y_c = onnx_lstm("forward", 0, {"X": x.numpy(), "W": W, "R": R, "B": B})
    theirs = (torch.from_numpy(part) for part in (Y[:, 0], Y_h[0], Y_c[0]))
    assert largest_difference((rec.output, rec.h_n, rec.c_n), theirs) < 1e-12


def test_the_reference_of_onnx_still_leaves_the_lengths_unread():
    # When it reads them one day, the lengths can be tested against it directly.
    lstm = make_lstm()
    feeds = feeds_of(lstm, 0) | {"X": numbers(4, 2, 3).numpy()}

    whole = onnx_lstm("forward", 0, feeds)
    cut = onnx_lstm("forward", 0, feeds | {"sequence_lens": np.array([1, 4], dtype=np.int32)})

    assert all((a == b).all() for a, b in zip(whole, cut, strict=True))
