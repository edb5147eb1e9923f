"""Every engine against PyTorch's own forward, the paper and one another; and which one runs."""

from __future__ import annotations

import importlib.util
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
)

from lstm_core import Recording, RecordingBatch, record
from lstm_core.engines import ENGINES, compiled, kernel, scan
from lstm_core.errors import InputError
from tests.lstm_core.worlds import (
    State,
    each_engine,
    lstm_options,
    make_lstm,
    numbers,
    paper,
    state_for,
    steady,
)

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

F32, F64 = torch.float32, torch.float64
TOLERANCE = {F32: 1e-6, F64: 1e-12}


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def close(a: Tensor, b: Tensor, atol: float) -> None:
    assert a.dtype == b.dtype
    torch.testing.assert_close(a, b, rtol=0, atol=atol)  # shapes, too


def close_output(ours: Any, theirs: Any, atol: float) -> None:
    assert type(ours) is type(theirs)
    if isinstance(theirs, Tensor):
        close(ours, theirs, atol)
        return
    close(ours.data, theirs.data, atol)
    for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
        a, b = getattr(ours, name), getattr(theirs, name)
        assert (a is None and b is None) or torch.equal(a, b), name


# --- a call in any form -------------------------------------------------------------------------


@dataclass
class Call:
    """One call in one of PyTorch's forms, and what PyTorch returns for it."""

    lstm: nn.LSTM
    form: str  # sequence, batch, lengths, packed, unsorted
    lengths: list[int]
    hx: State | None
    seed: int = 0
    more: int = 0  # timesteps of padding after the longest

    @property
    def sequences(self) -> list[Tensor]:
        dtype = self.lstm.weight_ih_l0.dtype
        return [
            numbers(n, self.lstm.input_size, seed=self.seed + b, dtype=dtype)
            for b, n in enumerate(self.lengths)
        ]

    @property
    def x(self) -> Tensor | PackedSequence:
        if self.form == "sequence":
            return self.sequences[0]
        if self.form in ("packed", "unsorted"):
            return pack_sequence(self.sequences, enforce_sorted=self.form == "packed")
        # What stands in the padding must not be seen.
        padded = pad_sequence(self.sequences, batch_first=True, padding_value=torch.nan)
        padded = torch.nn.functional.pad(padded, (0, 0, 0, self.more), value=torch.nan)
        return padded if self.lstm.batch_first else padded.transpose(0, 1)

    def record(self, engine: Any) -> Any:
        lengths = self.lengths if self.form == "lengths" else None
        return record(self.lstm, self.x, self.hx, lengths=lengths, engine=engine)

    def by_torch(self) -> tuple[Any, Tensor, Tensor]:
        x, first = self.x, self.lstm.batch_first
        if self.form == "lengths":
            x = pack_padded_sequence(x, self.lengths, first, enforce_sorted=False)
        with torch.no_grad():
            output, (h_n, c_n) = self.lstm(x, self.hx)
        if self.form == "lengths":
            total = max(self.lengths) + self.more
            output, _ = pad_packed_sequence(output, first, total_length=total)
        return output, h_n, c_n

    def by_hand(self, b: int) -> dict[Any, np.ndarray]:
        hx = self.hx
        if hx is not None:
            hx = tuple(t[:, None] if t.dim() == 2 else t[:, b : b + 1] for t in hx)
        arrays = paper(self.lstm, self.sequences[b][:, None], hx)
        return {key: array[:, 0] for key, array in arrays.items()}


@st.composite
def calls(draw: Any, dtype: torch.dtype, most: int = 6) -> Call:
    scale = 0.5 if dtype == F32 else 1.0  # see make_lstm
    lstm = make_lstm(**draw(lstm_options), dtype=dtype, scale=scale)
    form = draw(st.sampled_from(["sequence", "batch", "lengths", "packed", "unsorted"]))
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=most))
    if form == "sequence":
        lengths = lengths[:1]
    elif form == "batch":
        lengths = lengths[:1] * len(lengths)
    elif form == "packed":
        lengths.sort(reverse=True)
    batch = None if form == "sequence" else len(lengths)
    hx = state_for(lstm, batch) if draw(st.booleans()) else None
    more = draw(st.integers(0, 2)) if form == "lengths" else 0
    return Call(lstm, form, lengths, hx, draw(st.integers(0, 99)), more)


@pytest.mark.parametrize("dtype", [F32, F64], ids=["float32", "float64"])
@steady
@given(data=st.data(), count=st.integers(1, 2))
def test_every_engine_gives_what_pytorch_gives_in_the_same_form(dtype, data, count):
    call, atol = data.draw(calls(dtype)), TOLERANCE[dtype]
    theirs = call.by_torch()
    with threads(count):
        recorded = {engine: call.record(engine) for engine in ENGINES}

    for engine, ours in recorded.items():
        close_output(ours.output, theirs[0], atol)
        close(ours.h_n, theirs[1], atol)
        close(ours.c_n, theirs[2], atol)
        assert ours.parity <= atol
        each = [ours] if isinstance(ours, Recording) else list(ours)
        assert [len(rec) for rec in each] == call.lengths
        for b, rec in enumerate(each):
            assert rec.engine == engine
            assert torch.equal(rec.x, call.sequences[b])
            for key, expected in call.by_hand(b).items():
                np.testing.assert_allclose(rec[key], expected, rtol=0, atol=atol, err_msg=str(key))


def test_padding_is_zero_whatever_the_engine():
    for engine in ENGINES:
        rec = record(make_lstm(), numbers(5, 3, 3), lengths=[2, 4, 1], engine=engine)
        for b, length in enumerate([2, 4, 1]):
            assert (rec.output[length:, b] == 0).all()
            assert (rec.output[:length, b] != 0).all()


@each_engine
@pytest.mark.parametrize("units", [64, 130, 256, 512])
@pytest.mark.parametrize("batch", [None, 5], ids=["sequence", "lengths"])
def test_large_lstms_stay_as_close(units, batch, engine):
    # Weights like those of training; normal ones would make so many units a chaos.
    lstm = make_lstm(
        20, units, dtype=F32, scale=units**-0.5, bidirectional=batch is not None, num_layers=1
    )
    lengths = [200] if batch is None else [200, 7, 130, 1, 64]
    call = Call(lstm, "sequence" if batch is None else "lengths", lengths, state_for(lstm, batch))

    ours, theirs = call.record(engine), call.by_torch()

    atol = 1e-6 if units <= 256 else 1e-5
    close_output(ours.output, theirs[0], atol)
    close(ours.h_n, theirs[1], atol)
    close(ours.c_n, theirs[2], max(atol, float(theirs[2].abs().max()) * atol))


@pytest.mark.parametrize("engine", ["reference", "scan"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
@pytest.mark.parametrize("form", ["sequence", "lengths"])
def test_half_types_are_recorded_as_closely_as_they_can_be(form, dtype, engine):
    lstm = make_lstm(3, 4, num_layers=2, bidirectional=True, dtype=dtype, scale=0.5)
    lengths = [4] if form == "sequence" else [4, 2, 3]
    call = Call(lstm, form, lengths, None)

    ours = call.record(engine)

    # z is the sum of three rounded parts no larger than 4, so wrong by 3 · 4 · eps/2 = 6 eps; a
    # step hands on at most what it was given, so that over four steps and two layers they add up.
    atol = 2 * 4 * 6 * torch.finfo(dtype).eps
    for b, rec in enumerate([ours] if form == "sequence" else ours):
        for key, expected in call.by_hand(b).items():
            assert rec[key].dtype == dtype
            np.testing.assert_allclose(rec[key].double(), expected, rtol=0, atol=atol)
        assert rec.parity_report.ok
        assert rec.parity <= atol


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_types_are_for_the_reference(dtype):
    lstm, x = make_lstm(dtype=dtype, scale=0.5), numbers(4, 3, dtype=dtype)
    compiled.warm_up()

    assert record(lstm, x).engine == "reference"
    with pytest.raises(InputError, match="'compiled' cannot do this") as error:
        record(lstm, x, engine="compiled")
    assert error.value.came == str(dtype)


# --- what a batch, a direction, a layer and a chunk mean ----------------------------------------


@each_engine
@steady
@given(options=lstm_options, lengths=st.lists(st.integers(1, 6), min_size=1, max_size=9),
       hx_given=st.booleans())  # fmt: skip
def test_a_padded_batch_is_its_sequences_one_by_one(engine, options, lengths, hx_given):
    lstm = make_lstm(**options)
    hx = state_for(lstm, len(lengths)) if hx_given else None
    call = Call(lstm, "lengths", lengths, hx)

    batch = call.record(engine)

    for b, sequence in enumerate(call.sequences):
        own = (hx[0][:, b], hx[1][:, b]) if hx else None
        alone = record(lstm, sequence, own, engine=engine)
        assert torch.equal(batch[b].x, alone.x)
        assert torch.equal(batch[b].h_0, alone.h_0)
        assert torch.equal(batch[b].c_0, alone.c_0)
        for key, array in alone.arrays.items():
            close(batch[b][key], array, 1e-12)


@each_engine
def test_the_backward_half_of_each_sequence_is_a_forward_lstm_on_its_reverse(engine):
    both, alone = make_lstm(bidirectional=True, proj_size=2), make_lstm(proj_size=2)
    alone.load_state_dict({name: getattr(both, name + "_reverse") for name in alone.state_dict()})
    call = Call(both, "unsorted", [3, 7, 1, 5, 7], None)

    batch = call.record(engine)

    for b, sequence in enumerate(call.sequences):
        forward = record(alone, sequence.flip(0), engine=engine)
        for q in "ifgoch":
            close(batch[b][q, 0, "backward"], forward[q, 0].flip(0), 1e-13)


@each_engine
@pytest.mark.parametrize("form", ["sequence", "lengths", "packed"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "two-way"])
def test_two_lstms_of_one_layer_are_one_of_two_bit_for_bit(bidirectional, form, engine):
    whole = make_lstm(3, 5, num_layers=2, bidirectional=bidirectional, proj_size=2, dtype=F32)
    lower, upper = (
        make_lstm(width, 5, bidirectional=bidirectional, proj_size=2, dtype=F32)
        for width in (3, 4 if bidirectional else 2)
    )
    lower.load_state_dict({name: getattr(whole, name) for name in lower.state_dict()})
    upper.load_state_dict(
        {name: getattr(whole, name.replace("_l0", "_l1")) for name in upper.state_dict()}
    )
    lengths = [6] if form == "sequence" else [6, 4, 4, 2, 1]

    one = Call(whole, form, lengths, None).record(engine)
    two = Call(whole, form, lengths, None)
    two = record(
        [lower, upper], two.x, lengths=lengths if form == "lengths" else None, engine=engine
    )

    pairs = zip(*([r] if isinstance(r, Recording) else r for r in (one, two)), strict=True)
    for a, b in pairs:
        assert a.arrays.keys() == b.arrays.keys()
        assert all(torch.equal(a[key], b[key]) for key in a.arrays)
        if not bidirectional:
            below = record(lower, a.x, engine=engine)
            alone = record(upper, below.output, engine=engine)
            if form == "sequence":
                assert all(torch.equal(a[q, 1], alone[q, 0]) for q in "ifgoch")


@each_engine
@steady
@given(
    options=lstm_options.filter(lambda options: not options["bidirectional"]),
    cuts=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    B=st.none() | st.integers(1, 5),
)
def test_chunks_that_hand_on_their_state_are_the_whole(engine, options, cuts, B):
    lstm = make_lstm(**options | {"batch_first": False})
    x = numbers(sum(cuts), *(() if B is None else (B,)), lstm.input_size)
    hx = state_for(lstm, B)

    whole = record(lstm, x, hx, engine=engine)
    parts: list[Any] = []
    for chunk in x.split(cuts):
        given_ = {"state": parts[-1]} if parts else {"hx": hx}
        parts.append(record(lstm, chunk, **given_, engine=engine))

    for n, sequence in enumerate([whole] if B is None else whole):
        own = parts if B is None else [part[n] for part in parts]
        for key, array in sequence.arrays.items():
            close(torch.cat([part[key] for part in own]), array, 1e-12)
    close(parts[-1].h_n, whole.h_n, 1e-12)
    close(parts[-1].c_n, whole.c_n, 1e-12)


@each_engine
def test_each_sequence_of_a_ragged_batch_goes_on_from_its_own_end(engine):
    lstm = make_lstm(num_layers=2)
    x, more = numbers(5, 3, 3), numbers(4, 3, 3, seed=9)
    lengths, more_lengths = [2, 5, 1], [4, 1, 3]

    first = record(lstm, x, lengths=lengths, engine=engine)
    second = record(lstm, more, lengths=more_lengths, state=first, engine=engine)

    for b in range(3):
        both = torch.cat([x[: lengths[b], b], more[: more_lengths[b], b]])
        alone = record(lstm, both, engine=engine)
        for key, array in alone.arrays.items():
            close(torch.cat([first[b][key], second[b][key]]), array, 1e-12)


@each_engine
@pytest.mark.parametrize("hx_given", [False, True])
def test_equal_lengths_in_an_order_of_their_own(hx_given, engine):
    lstm = make_lstm(bidirectional=True)
    x, order = numbers(4, 3, 3), torch.tensor([2, 0, 1])
    packed = PackedSequence(
        x[:, order].flatten(0, 1), torch.tensor([3] * 4), order, torch.argsort(order)
    )
    hx = state_for(lstm, 3) if hx_given else None

    rec = record(lstm, packed, hx, engine=engine)

    with torch.no_grad():
        output, (h_n, c_n) = lstm(x, hx)
    close(torch.stack([one.output for one in rec], dim=1), output, 1e-12)
    close(rec.h_n, h_n, 1e-12)
    close(rec.c_n, c_n, 1e-12)


# --- the compiled kernel ------------------------------------------------------------------------


def activations(z: Tensor) -> tuple[Tensor, Tensor]:
    """σ and tanh of every number, as the compiled engine computes them: z is the input."""
    lstm = nn.LSTM(1, 1, dtype=z.dtype)
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.zero_()
        lstm.weight_ih_l0.fill_(1)
    batch = record(lstm, z[None, :, None], engine="compiled")  # each alone: T = 1
    return tuple(torch.stack([rec[q, 0][0, 0] for rec in batch]) for q in "ig")


def error_in_eps(ours: Tensor, exact: np.ndarray) -> float:
    difference = np.abs(ours.numpy().astype(np.longdouble) - exact)
    return float((difference / np.abs(exact)).max() / torch.finfo(ours.dtype).eps)


def wide(dtype: torch.dtype) -> Tensor:
    """Numbers of every size down to the smallest, and densely where the curves bend."""
    smallest = np.log10(torch.finfo(dtype).tiny)
    sizes = 10.0 ** np.linspace(smallest, 1.9, 600)
    numbers_ = np.concatenate([sizes, -sizes, np.linspace(-86.9, 86.9, 1500)])
    return torch.from_numpy(numbers_).to(dtype)


@pytest.mark.parametrize("dtype", [F32, F64], ids=["float32", "float64"])
def test_sigma_and_tanh_are_right_to_a_few_units_in_the_last_place(dtype):
    z = wide(dtype)
    exact = z.numpy().astype(np.longdouble)

    sigma, tanh = activations(z)

    assert error_in_eps(sigma, 1 / (1 + np.exp(-exact))) < 4
    assert error_in_eps(tanh[z != 0], np.tanh(exact[z != 0])) < 4


@pytest.mark.parametrize("dtype", [F32, F64], ids=["float32", "float64"])
def test_sigma_and_tanh_saturate_for_numbers_of_any_size(dtype):
    large = torch.tensor([90.0, 1e3, 1e10, torch.finfo(dtype).max, torch.inf], dtype=dtype)

    sigma, tanh = activations(torch.cat([large, -large]))

    assert (sigma[:5] == 1).all()
    assert (sigma[5:] >= 0).all()
    assert (sigma[5:] < 2e-38).all()
    assert tanh.tolist() == [1] * 5 + [-1] * 5


@each_engine
@pytest.mark.parametrize(("dtype", "large"), [(F32, 1e38), (F64, 1e50), (F64, torch.inf)])
def test_a_gate_that_is_shut_lets_nothing_pass(dtype, large, engine):
    lstm = nn.LSTM(1, 1, dtype=dtype)
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.zero_()
        lstm.bias_ih_l0[1] = -1000  # f is 0: no float is as small as e^-1000
    hx = (torch.zeros(1, 1, dtype=dtype), torch.full((1, 1), large, dtype=dtype))

    rec = record(lstm, torch.zeros(1, 1, dtype=dtype), hx, engine=engine)

    c = float(rec["c", 0])
    assert c == 0 or (large == torch.inf and c != c)  # 0 · inf is no number
    assert rec.parity == 0


@pytest.mark.parametrize("dtype", [F32, F64], ids=["float32", "float64"])
def test_sigma_and_tanh_of_what_is_no_number_and_of_both_zeros(dtype):
    sigma, tanh = activations(torch.tensor([torch.nan, 0.0, -0.0], dtype=dtype))

    assert sigma[0].isnan()
    assert tanh[0].isnan()
    assert sigma[1:].tolist() == [0.5, 0.5]
    assert tanh[1:].tolist() == [0, 0]


@pytest.mark.parametrize("count", [1, 2], ids=["one thread", "two threads"])
@pytest.mark.parametrize("B", range(1, 10))
def test_batches_of_any_size_whatever_is_left_of_a_tile_of_four(B, count):
    lstm = make_lstm(3, 7, bidirectional=True)
    lengths = [1 + (5 * b) % 9 for b in range(B)]
    call = Call(lstm, "lengths", lengths, state_for(lstm, B))

    with threads(count):
        ours = call.record("compiled")

    for b, rec in enumerate(ours):
        for key, expected in call.by_hand(b).items():
            np.testing.assert_allclose(rec[key], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [F32, F64], ids=["float32", "float64"])
@pytest.mark.parametrize("width", [1, 2, 3, 5, 9, 17, 31, 63, 127, 128, 129, 133])
@pytest.mark.parametrize("projected", [False, True], ids=["no-proj", "proj"])
def test_widths_that_are_no_multiple_of_anything(projected, width, dtype):
    # h is as wide as said; with a projection there are more units than that.
    lstm = make_lstm(
        2,
        width + 2 if projected else width,
        proj_size=width if projected else 0,
        dtype=dtype,
        scale=(width + 2) ** -0.5,
    )
    call = Call(lstm, "lengths", [5, 3, 6, 6, 1, 2], state_for(lstm, 6))

    ours, theirs = call.record("compiled"), call.by_torch()

    close_output(ours.output, theirs[0], TOLERANCE[dtype])
    close(ours.h_n, theirs[1], TOLERANCE[dtype])
    close(ours.c_n, theirs[2], TOLERANCE[dtype])


def test_the_kernel_leaves_the_states_and_the_input_it_was_given_alone():
    lstm, x = make_lstm(num_layers=2), numbers(4, 5, 3)
    hx = state_for(lstm, 5)
    kept = [t.clone() for t in (x, *hx, *lstm.parameters())]

    rec = record(lstm, x, hx, engine="compiled")

    after = [x, *hx, *lstm.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(after, kept, strict=True))
    for b, one in enumerate(rec):
        assert torch.equal(one.h_0, hx[0][:, b])
        assert torch.equal(one.c_0, hx[1][:, b])


# --- the scan -----------------------------------------------------------------------------------


@steady
@given(st.integers(1, 40), st.sampled_from(["drawn", "shut", "open", "either"]), st.integers(0, 99))
def test_the_scan_solves_what_a_plain_loop_solves(T, kind, seed):
    f = torch.sigmoid(3 * numbers(T, 2, 3, seed=seed))
    f = {"drawn": f, "shut": 0 * f, "open": 0 * f + 1, "either": f.round()}[kind]
    u, c = numbers(T, 2, 3, seed=seed + 1), numbers(2, 3, seed=seed + 2)

    solved = scan.solve(f, u, c)

    assert solved.shape == (T, 2, 3)
    for t in range(T):
        c = f[t] * c + u[t]
        torch.testing.assert_close(solved[t], c, rtol=1e-13, atol=1e-13)


def test_the_scan_leaves_what_it_was_given_alone():
    given_ = numbers(7, 2, 3), numbers(7, 2, 3, seed=2), numbers(2, 3, seed=3)
    kept = [t.clone() for t in given_]

    scan.solve(*given_)

    assert all(torch.equal(a, b) for a, b in zip(given_, kept, strict=True))


# --- which one runs -----------------------------------------------------------------------------


class Idle(compiled._Loader):
    """A loader that never gets ready, and writes down how long it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.started = 0
        self.waits: list[float | None] = []

    def start(self, **_: Any) -> Any:
        self.started += 1
        return self

    def join(self, timeout: float | None = None) -> None:
        self.waits.append(timeout)


@pytest.fixture
def idle(monkeypatch):
    loader = Idle()
    monkeypatch.setattr(compiled, "_loader", loader)
    return loader


@pytest.fixture
def fresh(monkeypatch):
    """A loader that has done nothing yet; its thread is waited for at the end."""
    loader = compiled._Loader()
    monkeypatch.setattr(compiled, "_loader", loader)
    yield loader
    if loader._thread is not None:
        loader._thread.join()


def test_little_work_starts_no_compiler(idle):
    rec = record(make_lstm(), numbers(20, 3))

    assert rec.engine == "reference"
    assert idle.started == 0


def test_much_work_starts_it_and_waits_no_longer_than_the_work_would_take(idle):
    cell_steps = 100_000

    assert not compiled.is_ready(cell_steps)

    assert idle.started == 1
    assert idle.waits == [cell_steps * compiled._REFERENCE_SECONDS]


def test_little_work_that_adds_up_starts_it_and_waits_for_nothing(idle):
    for _ in range(1000):
        assert not compiled.is_ready(100)

    assert idle.started > 0
    assert idle.waits == []


@pytest.mark.parametrize(
    "options",
    [
        {"engine": "reference"},
        {"grad": True},
        {"hooks": {("c", 0): lambda value, at: None}},  # noqa: ARG005
    ],
    ids=["asked", "grad", "hooks"],
)
def test_work_for_the_reference_alone_starts_no_compiler(idle, options):
    idle._spent = 1e9  # any more work would

    assert record(make_lstm(), numbers(4, 3), **options).engine == "reference"
    assert idle.started == 0
    assert record(make_lstm(), numbers(4, 3)).engine == "reference"
    assert idle.started == 1


def test_while_it_compiles_the_reference_runs_and_then_the_kernel(monkeypatch, fresh):
    compiled_now = threading.Event()
    # Past its patience, so that no work is waited for: the next is little.
    fresh._spent = 10.0
    monkeypatch.setattr(kernel, "prepare", compiled_now.wait)
    monkeypatch.setattr(kernel, "is_wanted_on_disk", lambda: False)
    lstm, x = make_lstm(), numbers(4, 3)

    before = record(lstm, x)
    compiled_now.set()
    fresh._thread.join()
    after = record(lstm, x)

    assert (before.engine, after.engine) == ("reference", "compiled")
    for key, array in before.arrays.items():
        close(after[key], array, 1e-12)


def test_asking_for_the_kernel_waits_until_it_is_there(fresh):
    assert record(make_lstm(), numbers(4, 3), engine="compiled").engine == "compiled"
    assert fresh.kernel is kernel


def test_without_numba_the_reference_runs(monkeypatch, fresh):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *a: None if name == "numba" else find_spec(name, *a),
    )
    fresh._spent = 1e9
    lstm, x = make_lstm(), numbers(4, 3)

    rec = record(lstm, x)

    assert rec.engine == "reference"
    assert rec.parity < 1e-12
    assert fresh._thread is None
    compiled.warm_up()
    assert fresh._thread is None
    with pytest.raises(InputError, match="'compiled' cannot do this") as error:
        record(lstm, x, engine="compiled")
    assert error.value.came == "numba is not installed"


def broken() -> None:
    raise RuntimeError("no such target")


def test_where_compiling_fails_the_reference_runs_and_it_is_logged_once(monkeypatch, fresh, caplog):
    monkeypatch.setattr(kernel, "prepare", broken)
    lstm, x = make_lstm(), numbers(4, 3)

    with caplog.at_level(logging.WARNING, logger="lstm_core"):
        compiled.warm_up()
        fresh._spent = 1e9
        recorded = [record(lstm, x) for _ in range(3)]

    assert [rec.engine for rec in recorded] == ["reference"] * 3
    assert recorded[0].parity < 1e-12
    (message,) = caplog.records
    assert message.levelname == "WARNING"
    assert "could not be compiled" in message.getMessage()
    assert "no such target" in caplog.text
    with pytest.raises(InputError, match="'compiled' cannot do this") as error:
        record(lstm, x, engine="compiled")
    assert error.value.came == "it could not be compiled"


@pytest.mark.usefixtures("fresh")
def test_asking_for_a_kernel_that_cannot_be_compiled_is_refused_the_first_time_too(monkeypatch):
    monkeypatch.setattr(kernel, "prepare", broken)

    with pytest.raises(InputError, match="'compiled' cannot do this"):
        record(make_lstm(), numbers(4, 3), engine="compiled")


@pytest.mark.parametrize(
    ("options", "engines", "came"),
    [
        ({"grad": True}, ["compiled", "scan"], "grad=True"),
        ({"hooks": {("c", 0): lambda v, at: None}}, ["compiled", "scan"], "hooks"),  # noqa: ARG005
    ],
    ids=["grad", "hooks"],
)
def test_an_engine_that_cannot_do_it_is_refused_and_says_why(options, engines, came):
    for engine in engines:
        with pytest.raises(InputError, match=f"'{engine}' cannot do this") as error:
            record(make_lstm(), numbers(4, 3), engine=engine, **options)
        assert error.value.came == came
        assert "engine='reference'" in error.value.expected
    assert record(make_lstm(), numbers(4, 3), engine="reference", **options).engine == "reference"


@pytest.mark.parametrize("engine", ["fast", "", 3, "Reference"])
def test_there_is_no_other_engine(engine):
    with pytest.raises(InputError, match="No such engine") as error:
        record(make_lstm(), numbers(4, 3), engine=engine)

    assert error.value.came == repr(engine)
    assert error.value.exists == ["reference", "compiled", "scan"]


def test_the_kernel_is_there_without_a_folder_to_keep_it_in(monkeypatch):
    from numba.core import caching

    # As where neither NUMBA_CACHE_DIR nor the package nor the home may be written to.
    monkeypatch.setattr(caching.CodeLibraryCacheImpl, "_locator_classes", [])
    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])
    spec = importlib.util.find_spec("lstm_core.engines.kernel")
    again = importlib.util.module_from_spec(spec)

    spec.loader.exec_module(again)

    assert not again.is_wanted_on_disk()
    assert callable(again.run)


def test_what_lies_damaged_on_the_disk_is_compiled_again(monkeypatch):
    function, compiled_anew = kernel.run.py_func, []

    class Damaged:
        py_func = staticmethod(function)

        def compile(self, _signature):
            raise ModuleNotFoundError("moved away")

    class Fresh:
        def __init__(self, py_func):
            assert py_func is function

        def compile(self, signature):
            compiled_anew.append(signature[0].dtype.bitwidth)

    monkeypatch.setattr(kernel, "run", Damaged())
    monkeypatch.setattr(kernel, "njit", lambda **_options: Fresh)

    kernel.prepare()

    assert compiled_anew == [32, 64]


# --- wherever it is called ----------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_process_records_with_threads_of_its_own():
    code = """
import os, sys, torch
from torch import nn
from lstm_core import record
torch.set_num_threads(2)
lstm, x = nn.LSTM(3, 4), torch.randn(5, 2, 3)
record(lstm, x, engine="compiled")
child = os.fork()
if child == 0:
    os._exit(40 + (record(lstm, x, engine="compiled").parity < 1e-6))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    ended = subprocess.run([sys.executable, "-c", code], timeout=120)
    assert ended.returncode == 41


@each_engine
def test_autocast_does_not_change_what_is_recorded(engine):
    lstm, x = make_lstm(dtype=F32, bidirectional=True), numbers(5, 2, 3, dtype=F32)
    alone = record(lstm, x, engine=engine)

    with torch.autocast("cpu", torch.bfloat16):
        rec = record(lstm, x, engine=engine)
        assert rec.parity < 1e-6

    for one, other in zip(rec, alone, strict=True):
        for key, array in one.arrays.items():
            assert torch.equal(array, other[key])


@each_engine
@pytest.mark.parametrize("form", ["batch", "lengths", "packed"])
def test_the_default_device_is_not_that_of_the_input(form, engine):
    lstm, x = make_lstm(), numbers(5, 2, 3)
    if form == "packed":
        x = pack_padded_sequence(x, [5, 3])

    with torch.device("meta"):
        rec = record(lstm, x, lengths=[3, 5] if form == "lengths" else None, engine=engine)
        assert rec.parity < 1e-12


# --- on a GPU -----------------------------------------------------------------------------------

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture
def exact(monkeypatch):
    """cuDNN may round what it multiplies to 10 bits otherwise."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def on_cuda(lstm: nn.LSTM, *tensors: Tensor) -> list[Any]:
    return [lstm.cuda(), *(tensor.cuda() for tensor in tensors)]


@cuda
@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("engine", [None, "reference", "scan"])
@pytest.mark.parametrize("dtype", [F32, F64], ids=["float32", "float64"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "two-way"])
@pytest.mark.parametrize("proj_size", [0, 3], ids=["no-proj", "proj"])
@pytest.mark.parametrize("form", ["sequence", "batch", "lengths"])
def test_a_gpu_gives_what_it_gives_itself(form, proj_size, bidirectional, dtype, engine):
    lstm = make_lstm(
        5, 4, num_layers=2, bidirectional=bidirectional, proj_size=proj_size, dtype=dtype, scale=0.5
    )
    lengths = {"sequence": [6], "batch": [6] * 3, "lengths": [2, 6, 3]}[form]
    call = Call(lstm, form, lengths, state_for(lstm, None if form == "sequence" else 3))
    theirs = call.by_torch()
    moved, x, h_0, c_0 = on_cuda(lstm, call.x, *call.hx)

    ours = record(
        moved, x, (h_0, c_0), lengths=lengths if form == "lengths" else None, engine=engine
    )

    one = ours if isinstance(ours, Recording) else ours[0]
    assert one["c", 0, "forward"].is_cuda
    assert one.engine == (engine or "scan")
    atol = {F32: 1e-5, F64: 1e-12}[dtype]
    assert ours.parity <= atol
    for a, b in zip((ours.output, ours.h_n, ours.c_n), theirs, strict=True):
        close(a.cpu(), b, atol)


@cuda
def test_gradients_on_a_gpu_are_those_of_the_module():
    lstm, x = on_cuda(make_lstm(num_layers=2, bidirectional=True), numbers(5, 3, 3))
    x.requires_grad_()
    rec = record(lstm, x, grad=True)
    ours = torch.autograd.grad(rec.output.square().sum(), [x, *lstm.parameters()])

    lstm.train()  # cuDNN has gradients in training mode only; there is no dropout
    theirs = torch.autograd.grad(lstm(x)[0].square().sum(), [x, *lstm.parameters()])

    for a, b in zip(ours, theirs, strict=True):
        close(a, b, 1e-10)


@cuda
def test_devices_that_differ_are_refused():
    lstm, x = make_lstm(), numbers(4, 3)
    moved = make_lstm().cuda()

    with pytest.raises(InputError, match="differ in kind"):
        record(moved, x)
    with pytest.raises(InputError, match="differ in kind"):
        record(lstm, x.cuda())
    with pytest.raises(InputError, match="h_0 does not fit"):
        record(moved, x.cuda(), state_for(lstm, None))
    with pytest.raises(InputError, match="'compiled' cannot do this") as error:
        record(moved, x.cuda(), engine="compiled")
    assert error.value.came == "weights on cuda:0"


@cuda
def test_a_recording_on_a_gpu_is_saved_and_handed_on(tmp_path):
    lstm, x = on_cuda(make_lstm(), numbers(6, 3))
    first = record(lstm, x[:4])
    first.save(tmp_path / "a")

    assert not Recording.load(tmp_path / "a").x.is_cuda
    both = torch.cat([first["c", 0], record(lstm, x[4:], state=first)["c", 0]])
    close(both, record(lstm, x)["c", 0], 1e-12)
    assert isinstance(record(lstm, x[:, None], engine="scan"), RecordingBatch)
