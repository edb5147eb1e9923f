"""Any module recorded while it runs: it does what it does without, and the log says what it did."""

from __future__ import annotations

import copy
from contextlib import contextmanager, nullcontext

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence
from torch.utils.checkpoint import checkpoint

from lstm_core import Recording, RecordingBatch, RecordingLog, record, recording
from lstm_core.errors import InputError, SelectionError
from tests.lstm_core.worlds import (
    fused,
    lstm_options,
    make_cell,
    make_lstm,
    numbers,
    randomised,
    state_for,
    steady,
)

# nn.LSTM itself warns, wherever these tests call it with a projection.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


@pytest.fixture(autouse=True)
def _keep_the_random_numbers():
    with torch.random.fork_rng():
        yield


class Tagger(nn.Module):
    """Words to labels: an LSTM with dropout inside, beside other things that draw and learn."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(10, 3)
        self.before = nn.Dropout(0.2)
        self.lstm = nn.LSTM(3, 4, num_layers=3, bidirectional=True, dropout=0.5, batch_first=True)
        self.after = nn.Dropout(0.2)
        self.head = nn.Linear(8, 5)

    def forward(self, words):
        output, (h_n, c_n) = self.lstm(self.before(self.embedding(words)))
        return self.head(self.after(output)), h_n, c_n


class Decoder(nn.Module):
    """A loop over a cell, given what it returned."""

    def __init__(self, cell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, xs, state=None):
        output = []
        for x in xs:
            state = self.cell(x, state)
            output.append(state[0])
        return torch.stack(output), state


def ones(recorded):
    return [recorded] if isinstance(recorded, Recording) else list(recorded)


def hooks_of(module):
    return [
        hook
        for child in module.modules()
        for hooks in (
            child._forward_hooks,
            child._forward_pre_hooks,
            child._forward_hooks_with_kwargs,
            child._forward_pre_hooks_with_kwargs,
            child._backward_hooks,
        )
        for hook in hooks
    ]


def assert_same_recording(ours, theirs, atol=1e-12):
    assert type(ours) is type(theirs)
    for a, b in zip(ones(ours), ones(theirs), strict=True):
        assert a.shape.modules == b.shape.modules
        assert set(a.arrays) == set(b.arrays)
        torch.testing.assert_close(a.x, b.x, rtol=0, atol=0)
        for key, array in b.arrays.items():
            torch.testing.assert_close(a[key], array, rtol=0, atol=atol)
        torch.testing.assert_close(a.h_0, b.h_0, rtol=0, atol=0)
        torch.testing.assert_close(a.c_0, b.c_0, rtol=0, atol=0)


# --- names --------------------------------------------------------------------------------------


def test_every_lstm_inside_is_found_by_its_dotted_name():
    model = nn.ModuleDict(
        {
            "encoder": nn.ModuleDict({"lstm": make_lstm(), "norm": nn.LayerNorm(4)}),
            "decoders": nn.ModuleList([make_lstm(), make_cell()]),
            "sequential": nn.Sequential(nn.Linear(3, 3), fused(make_cell())),
            "gru": nn.GRU(3, 4),
        }
    )

    with recording(model) as log:
        model["encoder"]["lstm"](numbers(5, 3).double())
        model["decoders"][1](numbers(3))

    names = ["encoder.lstm", "decoders.0", "decoders.1", "sequential.1"]
    assert isinstance(log, RecordingLog)
    assert list(log) == names
    assert len(log) == 4
    assert "encoder.lstm" in log
    assert [len(log[name]) for name in names] == [1, 0, 1, 0]
    assert_same_recording(log["encoder.lstm"][0], record(model["encoder"]["lstm"], numbers(5, 3)))
    assert "  encoder.lstm: LSTM, 1 recorded" in repr(log)
    assert "  sequential.1: FusedCell, 0 recorded" in repr(log)


def test_the_module_itself_has_no_name():
    lstm = make_lstm()

    with recording(lstm) as log:
        lstm(numbers(5, 3))

    assert list(log) == [""]
    assert_same_recording(log[""][0], record(lstm, numbers(5, 3)))
    assert "(the module itself): LSTM, 1 recorded" in repr(log)


def test_an_lstm_under_two_names_has_both():
    lstm = make_lstm()
    model = nn.ModuleDict({"a": lstm, "b": nn.Sequential(lstm), "c": make_lstm()})

    with recording(model) as log:
        model["a"](numbers(5, 3))
        model["b"](numbers(2, 3))

    assert list(log) == ["a", "b.0", "c"]
    for name in ("a", "b.0"):
        assert [len(rec) for rec in log[name]] == [5, 2]
    assert log["a"][0] is log["b.0"][0]
    assert len(log["c"]) == 0
    assert not hooks_of(model)


def test_a_name_that_there_is_not_is_refused():
    with recording(nn.ModuleDict({"a": make_lstm(), "b": make_lstm()})) as log:
        pass

    with pytest.raises(SelectionError, match="No such LSTM") as error:
        log["lstm"]
    assert error.value.came == "'lstm'"
    assert error.value.exists == ["a", "b"]
    with pytest.raises(IndexError):
        log["a"][0]


def test_one_can_ask_whether_there_is_a_name():
    with recording(nn.ModuleDict({"a": make_lstm(), "gru": nn.GRU(3, 4)})) as log:
        pass

    assert "a" in log
    assert "gru" not in log
    assert log.get("gru") is None


@pytest.mark.parametrize("module", [None, "lstm", numbers(3), nn.LSTM, [make_lstm()]])
def test_what_is_no_module_is_refused(module):
    with (
        pytest.raises(InputError, match="Only a module can be recorded") as error,
        recording(module),
    ):
        pass

    assert error.value.came == f"a {type(module).__name__}"


@pytest.mark.parametrize(
    ("module", "came"),
    [
        (nn.Linear(3, 4), "a Linear of no modules"),
        (nn.Sequential(nn.ReLU(), nn.GRU(3, 4)), "a Sequential of GRU, ReLU"),
    ],
)
def test_a_module_without_an_lstm_is_refused(module, came):
    with pytest.raises(InputError, match="no LSTM inside") as error, recording(module):
        pass

    assert error.value.came == came
    assert not hooks_of(module)


# --- what the module does is what it does without -----------------------------------------------


def everything_that_a_step_of_training_gives(model, words, seed, context):
    """Returns, gradients, and a random number afterwards; the model is left as it was."""
    model = copy.deepcopy(model)
    torch.manual_seed(seed)
    with context(model):
        results = model(words)
        sum((result**2).sum() for result in results).backward()
        random = torch.rand(4)
    gradients = [parameter.grad for parameter in model.parameters()]
    return [*results, *gradients, random, torch.rand(4)]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_returns_gradients_and_random_numbers_are_those_without(seed, training):
    model = Tagger().train(training)
    words = torch.randint(0, 10, (2, 6))
    logs = []

    @contextmanager
    def kept(copied):
        with recording(copied) as log:
            logs.append(log)
            yield

    with_log = everything_that_a_step_of_training_gives(model, words, seed, kept)
    without = everything_that_a_step_of_training_gives(model, words, seed, lambda _: nullcontext())

    for a, b in zip(with_log, without, strict=True):
        assert a.dtype == b.dtype
        assert torch.equal(a, b)
    (batch,) = logs[0]["lstm"]
    assert isinstance(batch, RecordingBatch)
    assert batch.parity < 1e-6  # against what the module returned: so the masks are its own
    assert set(batch[0].masks) == ({0, 1} if training else set())


@steady
@given(
    lstm_options,
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.sampled_from(["sequence", "batch", "packed", "sorted"]),
    st.booleans(),
    st.sampled_from(["none", "positional", "keyword", "all by keyword"]),
)
def test_any_call_of_an_lstm_is_recorded_as_it_was(options, lengths, form, training, how):
    dropout = 0.5 if options["num_layers"] > 1 else 0.0
    lstm = make_lstm(**options, dropout=dropout).train(training)
    width, batch = lstm.input_size, len(lengths)
    sequences = [numbers(T, width, seed=n) for n, T in enumerate(lengths)]
    if form == "sequence":
        x, batch = sequences[0], None
    elif form == "batch":
        x = numbers(*((batch, 3) if lstm.batch_first else (3, batch)), width)
    elif form == "packed":
        x = pack_sequence(sequences, enforce_sorted=False)
    else:
        x = pack_sequence(sorted(sequences, key=len, reverse=True))
    hx = None if how == "none" else state_for(lstm, batch)

    def call():
        if how == "all by keyword":
            return lstm(input=x, hx=hx)
        return lstm(x, hx=hx) if how == "keyword" else lstm(x, hx)

    torch.manual_seed(0)
    with recording(lstm) as log:
        output, (h_n, c_n) = call()
    after = torch.rand(2)

    torch.manual_seed(0)
    again, states = call()
    data, same = (t.data if isinstance(t, PackedSequence) else t for t in (output, again))
    assert torch.equal(data, same)
    assert torch.equal(h_n, states[0])
    assert torch.equal(c_n, states[1])
    assert torch.equal(torch.rand(2), after)
    (rec,) = log[""]
    ours = rec.output.data if isinstance(rec.output, PackedSequence) else rec.output
    torch.testing.assert_close(ours, data.detach(), rtol=0, atol=1e-12)
    torch.testing.assert_close(rec.h_n, h_n.detach(), rtol=0, atol=1e-12)
    torch.testing.assert_close(rec.c_n, c_n.detach(), rtol=0, atol=1e-12)
    assert rec.parity < 1e-12
    torch.manual_seed(0)
    assert_same_recording(rec, record(lstm, x, hx))


def test_parity_is_the_distance_from_what_the_module_returned():
    class Wrong(nn.LSTM):
        def forward(self, input, hx=None):
            output, (h_n, c_n) = super().forward(input, hx)
            return output + torch.tensor([0.0, 0.0, 0.25, 0.0]), (h_n, c_n)

    model = randomised(Wrong(3, 4).double())

    with recording(model) as log:
        model(numbers(5, 2, 3))

    assert log[""][0].parity == pytest.approx(0.25, abs=1e-12)
    assert log[""][0][0].parity_report.where == "output at timestep 0"
    assert record(make_lstm(), numbers(5, 3)).parity < 1e-12


def test_parity_of_a_cell_is_the_distance_from_what_it_returned():
    class Wrong(nn.LSTMCell):
        def forward(self, input, hx=None):
            h, c = super().forward(input, hx)
            return h, c - 0.5

    model = Decoder(randomised(Wrong(3, 4).double()))

    with recording(model) as log:
        model(numbers(1, 3))

    assert log["cell"][0].parity == pytest.approx(0.5, abs=1e-12)


def test_several_calls_are_recorded_in_their_order():
    lstm = make_lstm()

    with recording(lstm) as log:
        for T in (3, 1, 5):
            lstm(numbers(T, 3))
        assert len(log[""]) == 3  # while it runs, too
        lstm(numbers(2, 2, 3))

    assert [len(rec) for rec in log[""][:3]] == [3, 1, 5]
    assert isinstance(log[""][-1], RecordingBatch)
    assert [len(rec) for rec in log[""]] == [3, 1, 5, 2]
    assert_same_recording(log[""][2], record(lstm, numbers(5, 3)))


def test_what_runs_before_and_afterwards_is_not_recorded():
    lstm = make_lstm()
    lstm(numbers(3, 3))

    with recording(lstm) as log:
        lstm(numbers(4, 3))
    lstm(numbers(5, 3))

    assert [len(rec) for rec in log[""]] == [4]


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_every_mode_of_autograd_is_as_good(mode):
    model = nn.ModuleDict({"lstm": make_lstm(num_layers=2), "decoder": Decoder(make_cell(4, 2))})

    with recording(model) as log, mode():
        output, _ = model["lstm"](numbers(5, 2, 3))
        enabled = torch.is_grad_enabled()
        model["decoder"](output)
        assert torch.is_grad_enabled() is enabled

    assert log["lstm"][0].parity < 1e-12
    assert log["decoder.cell"][0].parity < 1e-12
    for rec in (*log["lstm"][0], *log["decoder.cell"][0]):
        assert not any(array.requires_grad for array in rec.arrays.values())


def test_checkpointing_computes_its_gradients_as_without():
    lstm = make_lstm(num_layers=2, dropout=0.5).train()
    gradients = []
    for watched in (True, False):
        lstm.zero_grad()
        torch.manual_seed(0)
        with recording(lstm) if watched else nullcontext():
            output, _ = checkpoint(lstm, numbers(5, 3), use_reentrant=False)
            output.sum().backward()
        gradients.append([parameter.grad.clone() for parameter in lstm.parameters()])

    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_an_input_that_a_hook_of_somebody_else_replaced_is_the_one_recorded():
    lstm = make_lstm()
    handle = lstm.register_forward_pre_hook(lambda _module, args: (args[0] * 2,))

    with recording(lstm) as log:
        lstm(numbers(4, 3))

    assert torch.equal(log[""][0].x, numbers(4, 3) * 2)
    assert log[""][0].parity < 1e-12
    assert hooks_of(lstm) == [handle.id]


@pytest.mark.parametrize("training", [True, False])
def test_autocast_changes_nothing_but_the_bits(training):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.before = nn.Linear(3, 3)
            self.lstm = nn.LSTM(3, 4, num_layers=2, dropout=0.5)
            self.decoder = Decoder(nn.LSTMCell(4, 5))

        def forward(self, x):
            output, _ = self.lstm(self.before(x))
            return output, self.decoder(output)[0]

    model, x = Model().train(training), numbers(6, 2, 3, dtype=torch.float32)
    results = []
    for context in (recording(model), nullcontext()):
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16), context as log:
            results.append([*model(x), torch.rand(2)])
            assert torch.is_autocast_enabled("cpu")
        if log is not None:
            kept = log

    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    assert results[0][0].dtype == torch.bfloat16
    for name in ("lstm", "decoder.cell"):
        (batch,) = kept[name]
        assert {array.dtype for array in batch[0].arrays.values()} == {torch.float32}
        assert batch[0].x.dtype == torch.float32
        assert 0 < batch.parity < 0.02  # what bfloat16 loses
        assert all(one.parity_report.ok for one in batch)


def test_the_weights_of_the_call_are_the_ones_recorded():
    lstm = make_lstm()

    with recording(lstm) as log:
        first = torch.func.functional_call(
            lstm, {"weight_hh_l0": torch.zeros(16, 4, dtype=torch.float64)}, (numbers(5, 3),)
        )
        lstm(numbers(5, 3))

    torch.testing.assert_close(log[""][0].output, first[0].detach(), rtol=0, atol=1e-12)
    assert log[""][0].parity < 1e-12
    assert log[""][1].parity < 1e-12


# --- when it ends -------------------------------------------------------------------------------


def test_the_hooks_are_gone_afterwards():
    model = Tagger()

    with recording(model):
        assert hooks_of(model)

    assert not hooks_of(model)


def test_the_hooks_are_gone_when_the_body_raises():
    model = Tagger()

    def body(logs):
        with recording(model) as log:
            logs.append(log)
            model(torch.ones(1, 2, dtype=torch.long))
            raise KeyboardInterrupt

    logs = []
    with pytest.raises(KeyboardInterrupt):
        body(logs)

    assert not hooks_of(model)
    assert len(logs[0]["lstm"]) == 1


def test_the_hooks_are_gone_when_the_module_raises():
    model = nn.ModuleDict({"lstm": make_lstm(num_layers=2, dropout=0.5).train()})

    with pytest.raises(RuntimeError, match=r"input\.size"), recording(model) as log:
        model["lstm"](numbers(5, 7))

    assert not hooks_of(model)
    assert len(log["lstm"]) == 0


def test_a_call_that_raised_leaves_nothing_for_the_next():
    lstm = make_lstm(num_layers=2, dropout=0.5).train()

    with recording(lstm) as log:
        with pytest.raises(RuntimeError):
            lstm(numbers(5, 7))
        torch.rand(3)
        lstm(numbers(5, 3))

    assert [len(rec) for rec in log[""]] == [5]
    assert log[""][0].parity < 1e-12


def test_one_recording_inside_another():
    model = Tagger().train()
    words = torch.randint(0, 10, (2, 6))

    torch.manual_seed(0)
    with recording(model) as outer:
        model(words)
        with recording(model.lstm) as inner, recording(model) as same:
            results = model(words)
        assert hooks_of(model)
        model(words)
    torch.manual_seed(0)
    model(words)

    assert all(torch.equal(a, b) for a, b in zip(results, model(words), strict=True))
    assert [len(log[name]) for log, name in ((outer, "lstm"), (inner, ""), (same, "lstm"))] == [
        3,
        1,
        1,
    ]
    assert_same_recording(inner[""][0], outer["lstm"][1], atol=0)
    assert_same_recording(same["lstm"][0], outer["lstm"][1], atol=0)
    assert max(batch.parity for batch in outer["lstm"]) < 1e-6
    assert not hooks_of(model)


# --- what happens later does not show -----------------------------------------------------------


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("batch", [None, 1, 2])
def test_changing_the_results_of_an_lstm_in_place_does_not_show(batch, batch_first):
    lstm = make_lstm(batch_first=batch_first)
    axes = (5,) if batch is None else (batch, 5) if batch_first else (5, batch)
    x, hx = numbers(*axes, 3), state_for(lstm, batch)
    expected = record(lstm, x, hx)

    with recording(lstm) as log, torch.no_grad():
        output, (h_n, c_n) = lstm(x, hx)
        for tensor in (output, h_n, c_n, x, *hx):
            tensor.fill_(7)

    assert_same_recording(log[""][0], expected)
    assert log[""][0].parity < 1e-12


def test_a_packed_result_changed_in_place_does_not_show():
    lstm, packed = make_lstm(), pack_sequence([numbers(3, 3), numbers(2, 3)])
    expected = record(lstm, packed)

    with recording(lstm) as log, torch.no_grad():
        output, _ = lstm(packed)
        output.data.fill_(7)
        packed.data.fill_(7)

    assert_same_recording(log[""][0], expected)
    assert log[""][0].parity < 1e-12


def test_an_input_of_a_cell_changed_in_place_does_not_show():
    cell = make_cell()
    x, state = numbers(2, 3), (numbers(2, 4), numbers(2, 4, seed=5))
    expected = record(cell, x[None], tuple(t.clone() for t in state))

    with recording(cell) as log, torch.no_grad():
        cell(x, state)
        for tensor in (x, *state):
            tensor.fill_(7)

    assert_same_recording(log[""][0], expected)
    assert log[""][0].parity < 1e-12


def test_the_results_of_a_cell_changed_in_place_do_not_show():
    model = Decoder(make_cell())

    with recording(model) as log, torch.no_grad():
        _, (h, c) = model(numbers(3, 2, 3))
        h.fill_(7)
        c.fill_(7)

    assert log["cell"][0].parity < 1e-12


def test_a_state_that_was_written_to_on_the_way_is_the_one_a_cell_went_on_from():
    cell, outputs = make_cell(), []

    with recording(cell) as log, torch.no_grad():
        state = None
        for x in numbers(4, 2, 3):
            state = cell(x, state)
            outputs.append(state[0].clone())
            state[0].mul_(0.5)  # a dropout in place, or a reset where a sequence ends

    recorded = torch.cat([rec.output for rec in log[""]])
    torch.testing.assert_close(recorded, torch.stack(outputs), rtol=0, atol=1e-12)


@pytest.mark.parametrize("make", [make_lstm, lambda: Decoder(make_cell())], ids=["LSTM", "cell"])
def test_a_step_of_the_optimizer_leaves_parity_alone(make):
    model = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)

    with recording(model) as log:
        for _ in range(3):
            output, _ = model(numbers(5, 2, 3))
            optimizer.zero_grad()
            output.sum().backward()
            optimizer.step()

    (calls,) = log.values()
    assert len(calls) == 3
    for rec in calls:
        assert rec.parity < 1e-12
    assert not torch.equal(calls[0].output, calls[2].output)


def test_weights_that_are_no_numbers_later_were_numbers_when_they_were_recorded():
    lstm = make_lstm()

    with recording(lstm) as log, torch.no_grad():
        lstm(numbers(5, 3))
        lstm.weight_hh_l0[0, 0] = torch.nan
        lstm(numbers(5, 3))

    assert log[""][0].not_finite is None
    assert log[""][1].not_finite == "W_hh of layer 0 forward"


def test_weights_of_a_cell_that_are_no_numbers_later_were_numbers_when_they_were_recorded():
    cell = make_cell()

    with recording(cell) as log, torch.no_grad():
        cell(numbers(3))
        cell.weight_hh[0, 0] = torch.nan

    assert log[""][0].not_finite is None


def test_a_recording_is_saved_like_any_other(tmp_path):
    model = nn.ModuleDict({"lstm": make_lstm(), "decoder": Decoder(make_cell(4, 2))})
    with recording(model) as log:
        model["decoder"](model["lstm"](numbers(5, 3))[0])

    for name in log:
        log[name][0].save(tmp_path / "rec")
        loaded = Recording.load(tmp_path / "rec")
        assert_same_recording(loaded, log[name][0], atol=0)
        assert loaded.parity == log[name][0].parity


# --- cells in a loop ----------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("hx_given", [False, True])
@pytest.mark.parametrize(
    "make", [make_cell, lambda: fused(make_cell(), "ogif")], ids=["nn.LSTMCell", "by hand"]
)
def test_the_steps_of_a_cell_are_one_recording(make, hx_given, batch):
    model, axes = Decoder(make()), () if batch is None else (batch,)
    x = numbers(6, *axes, 3)
    hx = (numbers(*axes, 4, seed=5), numbers(*axes, 4, seed=6)) if hx_given else None

    with recording(model) as log:
        output, (h, c) = model(x, hx)

    (rec,) = log["cell"]
    assert_same_recording(rec, record(model.cell, x, hx))
    torch.testing.assert_close(rec.output, output.detach(), rtol=0, atol=1e-12)
    torch.testing.assert_close(rec.h_n, h.detach(), rtol=0, atol=1e-12)
    torch.testing.assert_close(rec.c_n, c.detach(), rtol=0, atol=1e-12)
    assert rec.parity < 1e-12


def test_the_gradients_and_numbers_of_a_loop_are_those_without():
    model = nn.Sequential(Decoder(make_cell()))
    results = []
    for watched in (True, False):
        model.zero_grad()
        torch.manual_seed(0)
        with recording(model) if watched else nullcontext():
            output, (h, c) = model(numbers(6, 2, 3))
            (output.sum() + (h * c).sum()).backward()
        gradients = [parameter.grad.clone() for parameter in model.parameters()]
        results.append([output, h, c, *gradients, torch.rand(2)])

    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_a_cell_called_with_another_state_begins_a_new_recording():
    cell = make_cell()
    x = numbers(9, 3)

    with recording(cell) as log, torch.no_grad():
        state = cell(x[0])
        state = cell(x[1], state)
        other = cell(x[2])  # from zeros
        cell(x[3], state)  # from what was returned, but not by the call before
        state = cell(x[4], tuple(t.clone() for t in other))
        state = cell(x[5], (state[1], state[0]))  # the other way round
        state = cell(x[6], (state[0], other[1]))
        state = cell(x[7], [*state])  # in a list they are the same tensors
        cell(x[8], hx=state)

    assert [len(rec) for rec in log[""]] == [2, 1, 1, 1, 1, 3]
    timesteps = torch.cat([rec.x for rec in log[""]])
    assert torch.equal(timesteps, x)
    assert all(rec.parity < 1e-12 for rec in log[""])
    torch.testing.assert_close(log[""][2].h_0, log[""][0].h_n, rtol=0, atol=1e-14)
    torch.testing.assert_close(log[""][4].h_0, log[""][3].c_n, rtol=0, atol=1e-14)


def test_state_cut_off_from_the_graph_begins_a_new_recording_that_goes_on():
    model = Decoder(make_cell())
    x = numbers(6, 2, 3)

    with recording(model) as log:
        _, state = model(x[:3])
        model(x[3:], tuple(t.detach() for t in state))

    first, second = log["cell"]
    torch.testing.assert_close(second.h_n, record(model.cell, x).h_n, rtol=0, atol=1e-12)
    torch.testing.assert_close(second[1].h_0, first[1].h_n, rtol=0, atol=1e-14)


def test_each_run_of_a_loop_is_a_recording():
    model = Decoder(make_cell())

    with recording(model) as log:
        for T in (2, 5, 1):
            model(numbers(T, 3))

    assert [len(rec) for rec in log["cell"]] == [2, 5, 1]


def test_a_loop_can_be_read_in_its_middle_and_grows():
    cell, x = make_cell(), numbers(6, 2, 3)

    with recording(cell) as log, torch.no_grad():
        state = None
        for timestep, row in enumerate(x):
            state = cell(row, state)
            (rec,) = log[""]
            assert rec.lengths == (timestep + 1,) * 2
            assert rec.parity < 1e-12
            assert log[""][0] is log[""][0]  # built once

    assert_same_recording(log[""][0], record(cell, x))


def test_a_recording_read_in_the_middle_stays_what_it_was():
    cell, x = make_cell(), numbers(6, 3)

    with recording(cell) as log, torch.no_grad():
        state = cell(x[1], cell(x[0]))
        early = log[""][0]
        for row in x[2:]:
            state = cell(row, state)

    assert len(early) == 2
    assert_same_recording(early, record(cell, x[:2]))
    assert early.parity < 1e-12
    assert len(log[""][0]) == 6


def test_two_cells_in_one_loop_are_recorded_apart():
    cells = nn.ModuleList([make_cell(3, 5), make_cell(5, 2)])
    x = numbers(6, 2, 3)

    with recording(cells) as log, torch.no_grad():
        below = above = None
        for row in x:
            below = cells[0](row, below)
            above = cells[1](below[0], above)

    stack = record(cells, x)
    for n in range(2):
        (batch,) = log[str(n)]
        for ours, theirs in zip(batch, stack, strict=True):
            for quantity in "ifgoch":
                torch.testing.assert_close(
                    ours[quantity, 0], theirs[quantity, n], rtol=0, atol=1e-12
                )


def test_a_cell_by_hand_has_keywords_of_its_own():
    cell = fused(make_cell())
    state = numbers(2, 4), numbers(2, 4, seed=5)

    with recording(cell) as log:
        after = cell(x=numbers(2, 3), state=state)
        cell(numbers(2, 3, seed=7), state=after)

    (rec,) = log[""]
    x = torch.stack([numbers(2, 3), numbers(2, 3, seed=7)])
    assert_same_recording(rec, record(cell, x, state))


def test_nn_lstm_cell_has_keywords_of_its_own():
    cell = make_cell()
    state = numbers(2, 4), numbers(2, 4, seed=5)

    with recording(cell) as log:
        cell(input=numbers(2, 3), hx=state)

    assert_same_recording(log[""][0], record(cell, numbers(1, 2, 3), state))


# --- what cannot be recorded --------------------------------------------------------------------


def test_a_call_that_cannot_be_recorded_raises_when_it_is_read():
    lstm = make_lstm()

    with recording(lstm) as log:
        lstm(numbers(2, 3))
        output, _ = lstm(numbers(5, 0, 3))  # a batch of nothing
        lstm(numbers(3, 3))

    assert output.shape == (5, 0, 4)
    assert len(log[""]) == 3
    assert "3 recorded" in repr(log)
    assert [len(log[""][n]) for n in (0, 2)] == [2, 3]
    for read in (lambda: log[""][1], lambda: log[""][:2], lambda: list(log[""])):
        with pytest.raises(InputError, match="nothing to record"):
            read()


def test_a_cell_that_read_a_batch_of_nothing_can_be_read():
    cell = make_cell()

    with recording(cell) as log:
        cell(numbers(0, 3))

    for _ in range(2):
        assert len(log[""]) == 1
    try:
        assert len(log[""][0]) == 0
    except InputError as error:
        assert "nothing to record" in str(error)  # noqa: PT017


def test_a_kind_of_lstm_with_names_of_its_own_runs_as_without():
    class Named(nn.LSTM):
        def forward(self, words, start=None):
            return super().forward(words, start)

    lstm = randomised(Named(3, 4).double())

    with recording(lstm):
        output, _ = lstm(words=numbers(5, 3))

    assert torch.equal(output, lstm(numbers(5, 3))[0])


def test_a_kind_of_lstm_with_a_result_of_its_own_runs_as_without():
    class OnlyOutput(nn.LSTM):
        def forward(self, input):
            return super().forward(input)[0]

    lstm = randomised(OnlyOutput(3, 4).double())

    with recording(lstm):
        output = lstm(numbers(5, 3))

    assert torch.equal(output, lstm(numbers(5, 3)))


def test_three_axes_given_to_a_cell_by_hand_are_refused():
    cell = fused(make_cell())

    def call_and_read():
        with recording(cell) as log:
            cell(numbers(5, 2, 3))
        return log[""][0]

    with pytest.raises(InputError):
        call_and_read()


def test_padding_is_packed_as_the_module_saw_it():
    lstm = make_lstm(bidirectional=True, batch_first=True)
    x, lengths = numbers(3, 5, 3), torch.tensor([2, 5, 3])

    with recording(lstm) as log:
        lstm(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))

    (batch,) = log[""]
    assert batch.lengths == (2, 5, 3)
    for b, rec in enumerate(batch):
        assert torch.equal(rec.x, x[b, : lengths[b]])
    assert batch.parity < 1e-12
