"""``record(..., grad=True)`` keeps the graph: gradients against finite differences and nn.LSTM."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck
from torch.nn.utils.rnn import pack_sequence

from lstm_core import Recording, record
from tests.lstm_core.worlds import (
    fused,
    lstm_options,
    make_cell,
    make_lstm,
    numbers,
    state_for,
    steady,
)

# nn.LSTM itself warns, wherever these tests call it with a projection.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

few = settings(steady, max_examples=20)


def every_array(recorded):
    """Everything that was computed, as gradcheck wants it."""
    ones = [recorded] if isinstance(recorded, Recording) else list(recorded)
    return tuple(array for rec in ones for array in rec.arrays.values())


def leaves_of(module):
    return [parameter.requires_grad_() for parameter in module.parameters()]


# --- finite differences -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_layers": 2},
        {"bidirectional": True},
        {"num_layers": 2, "bidirectional": True, "proj_size": 1},
        {"bias": False, "proj_size": 1},
    ],
    ids=str,
)
def test_every_array_has_the_gradients_of_finite_differences(options):
    lstm = make_lstm(2, 2, **options)
    x = numbers(3, 2).requires_grad_()
    h_0, c_0 = (state.requires_grad_() for state in state_for(lstm, None))

    # gradcheck moves each number of its inputs, and these are the very parameters.
    def run(x, h_0, c_0, *_weights):
        return every_array(record(lstm, x, (h_0, c_0), grad=True))

    assert gradcheck(run, (x, h_0, c_0, *leaves_of(lstm)), fast_mode=True)


def test_every_number_of_a_small_lstm_has_its_gradient():
    lstm = make_lstm(1, 2)
    x = numbers(2, 1).requires_grad_()
    h_0, c_0 = (state.requires_grad_() for state in state_for(lstm, None))

    def run(x, h_0, c_0, *_weights):
        return every_array(record(lstm, x, (h_0, c_0), grad=True))

    assert gradcheck(run, (x, h_0, c_0, *leaves_of(lstm)))


@pytest.mark.parametrize("form", ["packed", "lengths", "batch"])
def test_the_sequences_of_a_batch_have_their_gradients(form):
    lstm = make_lstm(2, 2, num_layers=2, bidirectional=True)
    x = numbers(3, 3, 2).requires_grad_()
    h_0, c_0 = (state.requires_grad_() for state in state_for(lstm, 3))

    def run(x, h_0, c_0, *_weights):
        lengths = None if form == "batch" else [2, 3, 1]
        if form == "packed":
            cut = [x[:length, b] for b, length in enumerate(lengths)]
            x, lengths = pack_sequence(cut, enforce_sorted=False), None
        return every_array(record(lstm, x, (h_0, c_0), lengths=lengths, grad=True))

    assert gradcheck(run, (x, h_0, c_0, *leaves_of(lstm)), fast_mode=True)


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize(
    "make",
    [make_cell, lambda *sizes: fused(make_cell(*sizes), "ogif")],
    ids=["nn.LSTMCell", "by hand"],
)
def test_cells_have_the_gradients_of_finite_differences(make, batch):
    cell, axes = make(2, 3), () if batch is None else (batch,)
    x = numbers(3, *axes, 2).requires_grad_()
    h_0, c_0 = (numbers(*axes, 3, seed=n).requires_grad_() for n in (5, 6))

    def run(x, h_0, c_0, *_weights):
        return every_array(record(cell, x, (h_0, c_0), grad=True))

    assert gradcheck(run, (x, h_0, c_0, *leaves_of(cell)), fast_mode=True)


def test_a_stack_has_the_gradients_of_finite_differences():
    stack = nn.ModuleList([make_lstm(2, 2, bidirectional=True), make_cell(4, 3), make_cell(3, 1)])
    x = numbers(3, 2).requires_grad_()

    def run(x, *_weights):
        return every_array(record(stack, x, grad=True))

    assert gradcheck(run, (x, *leaves_of(stack)), fast_mode=True)


# --- nn.LSTM's own ------------------------------------------------------------------------------


@few
@given(lstm_options, st.sampled_from([None, 1, 3]), st.booleans())
def test_gradients_are_those_of_nn_lstms_own_forward(options, batch, training):
    lstm = make_lstm(**options).train(training)
    axes = (4,) if batch is None else (batch, 4) if lstm.batch_first else (4, batch)
    x = numbers(*axes, lstm.input_size).requires_grad_()
    hx = tuple(state.requires_grad_() for state in state_for(lstm, batch))
    leaves = [x, *hx, *lstm.parameters()]

    rec = record(lstm, x, hx, grad=True)
    output, (h_n, c_n) = lstm(x, hx)

    factors = numbers(*output.shape, seed=8)
    ours = (rec.output * factors).sum() + (rec.h_n**2).sum() + rec.c_n.sum()
    theirs = (output * factors).sum() + (h_n**2).sum() + c_n.sum()
    torch.testing.assert_close(
        torch.autograd.grad(ours, leaves), torch.autograd.grad(theirs, leaves), rtol=0, atol=1e-10
    )


@few
@given(
    lstm_options.map(lambda options: options | {"batch_first": False}),
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
)
def test_gradients_of_ragged_sequences_are_those_of_nn_lstms_own_forward(options, lengths):
    lstm = make_lstm(**options)
    sequences = [numbers(T, lstm.input_size, seed=n) for n, T in enumerate(lengths)]
    leaves = [*(x.requires_grad_() for x in sequences), *lstm.parameters()]

    ours = record(lstm, pack_sequence(sequences, enforce_sorted=False), grad=True)
    theirs, (_, c_n) = lstm(pack_sequence(sequences, enforce_sorted=False))

    factors = numbers(*theirs.data.shape, seed=8)
    torch.testing.assert_close(
        torch.autograd.grad((ours.output.data * factors).sum() + ours.c_n.sum(), leaves),
        torch.autograd.grad((theirs.data * factors).sum() + c_n.sum(), leaves),
        rtol=0,
        atol=1e-10,
    )


def test_gradients_go_through_the_dropout_that_was_recorded():
    lstm = make_lstm(num_layers=2, dropout=0.5).train()
    x = numbers(4, 2, 3).requires_grad_()
    leaves = [x, *lstm.parameters()]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        ours = record(lstm, x, grad=True).output
        torch.manual_seed(3)
        theirs = lstm(x)[0]

    torch.testing.assert_close(
        torch.autograd.grad(ours.sum(), leaves),
        torch.autograd.grad(theirs.sum(), leaves),
        rtol=0,
        atol=1e-10,
    )


def test_a_step_down_the_gradient_of_a_gate_lowers_the_gate():
    lstm, x = make_lstm(), numbers(6, 3)
    optimizer = torch.optim.SGD(lstm.parameters(), lr=0.01)
    before = record(lstm, x)["f", 0].mean()

    record(lstm, x, grad=True)["f", 0].mean().backward()
    optimizer.step()

    assert record(lstm, x)["f", 0].mean() < before


def test_gradients_go_on_through_a_recording_to_go_on_from():
    lstm = make_lstm(num_layers=2)
    x = numbers(5, 3).requires_grad_()

    first = record(lstm, x[:2], grad=True)
    second = record(lstm, x[2:], state=first, grad=True)
    ours = torch.autograd.grad(second.output.sum(), [x, *lstm.parameters()])

    theirs = torch.autograd.grad(lstm(x)[0][2:].sum(), [x, *lstm.parameters()])
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


# --- modes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_the_graph_is_kept_also_where_nobody_tracks(training):
    lstm = make_lstm().train(training)
    with torch.no_grad():
        rec = record(lstm, numbers(3, 3), grad=True)
        assert not torch.is_grad_enabled()

    assert all(array.requires_grad for array in rec.arrays.values())
    rec.output.sum().backward()
    assert all(parameter.grad is not None for parameter in lstm.parameters())


@pytest.mark.parametrize("source", [make_lstm(num_layers=2), make_cell(), [make_lstm()]])
def test_without_grad_nothing_is_tracked(source):
    x = numbers(3, 2, 3).requires_grad_()

    for rec in record(source, x):
        tensors = [*rec.arrays.values(), rec.x, rec.output]
        tensors += [t for state in (*rec.initial.values(), *rec.last_states) for t in state]
        assert not any(t.requires_grad for t in tensors)
        assert all(t.grad_fn is None for t in tensors)
    assert torch.is_grad_enabled()


def test_frozen_weights_have_no_gradients():
    lstm = make_lstm().requires_grad_(False)

    assert not record(lstm, numbers(3, 3), grad=True).output.requires_grad
    x = numbers(3, 3).requires_grad_()
    record(lstm, x, grad=True).output.sum().backward()
    assert x.grad.any()


def test_parity_and_repr_leave_the_graph_alone():
    lstm = make_lstm(num_layers=2)
    rec = record(lstm, numbers(3, 3), grad=True)

    assert rec.parity < 1e-12
    assert "equal to PyTorch" in repr(rec)
    assert rec.not_finite is None

    rec.output.sum().backward()
    assert lstm.weight_ih_l0.grad.any()


def test_what_is_saved_has_no_graph(tmp_path):
    lstm = make_lstm(num_layers=2, bidirectional=True)
    rec = record(lstm, numbers(3, 3), grad=True)
    rec.save(tmp_path / "rec")

    loaded = Recording.load(tmp_path / "rec")

    for key, array in rec.arrays.items():
        assert not loaded[key].requires_grad
        assert torch.equal(loaded[key], array.detach())
    rec.output.sum().backward()  # saving did not cut it
    assert lstm.weight_ih_l0.grad.any()


def test_the_numbers_are_those_without_grad():
    lstm, x = make_lstm(num_layers=2, bidirectional=True, proj_size=2), numbers(4, 2, 3)

    for with_grad, without in zip(
        record(lstm, x, grad=True), record(lstm, x, engine="reference"), strict=True
    ):
        for key, array in without.arrays.items():
            assert torch.equal(with_grad[key].detach(), array)
