"""Cells and stacks against torch's own modules run by hand, dropout included; what is refused."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

from lstm_core import BackwardLSTM, Recording, record
from lstm_core.errors import InputError, SelectionError
from lstm_core.shape import LSTMShape, ModuleShape, StackShape
from tests.lstm_core.worlds import (
    fused,
    lstm_options,
    make_cell,
    make_lstm,
    numbers,
    state_for,
    steady,
)

ATOL = 1e-12

# nn.LSTM itself warns, wherever these tests call it with a projection.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def ones(recorded):
    return [recorded] if isinstance(recorded, Recording) else list(recorded)


def close(ours, theirs, atol=ATOL):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)


def cells_by_hand(cells, x, states=None):
    """A plain loop of nn.LSTMCell: (output, [(h, c) of each cell] after every timestep)."""
    states = list(states) if states else [None] * len(cells)
    output, history = [], []
    with torch.no_grad():
        for row in x:
            for n, cell in enumerate(cells):
                states[n] = cell(row, states[n])
                row = states[n][0]
            output.append(row)
            history.append(list(states))
    return torch.stack(output), history


# --- cells --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [None, 1, 3])
def test_a_cell_alone_gives_what_a_loop_over_it_gives(batch, bias, dtype):
    cell = make_cell(bias=bias, dtype=dtype)
    axes = () if batch is None else (batch,)
    x = numbers(6, *axes, 3, dtype=dtype)

    rec = record(cell, x)

    output, history = cells_by_hand([cell], x)
    atol = ATOL if dtype == torch.float64 else 1e-5
    close(rec.output, output, atol)
    close(rec.h_n, history[-1][0][0], atol)  # without an axis of layers
    close(rec.c_n, history[-1][0][1], atol)
    for b, one in enumerate(ones(rec)):
        c = torch.stack([step[0][1] for step in history])
        close(one["c", 0], c if batch is None else c[:, b], atol)
        assert one.h_0.shape == one.c_n.shape == (4,)
    assert rec.parity <= atol


@steady
@given(
    st.lists(st.integers(1, 7), min_size=2, max_size=5),
    st.integers(1, 4),
    st.sampled_from([None, 1, 3]),
    st.booleans(),
    st.sampled_from([list, tuple, nn.ModuleList, lambda cells: nn.Sequential(*cells)]),
)
def test_cells_of_any_widths_give_what_a_loop_over_them_gives(widths, T, batch, hx_given, make):
    cells = [make_cell(a, b, seed=n) for n, (a, b) in enumerate(itertools.pairwise(widths))]
    axes = () if batch is None else (batch,)
    x = numbers(T, *axes, widths[0])
    states = hx = None
    if hx_given:
        states = [(numbers(*axes, n, seed=n), numbers(*axes, n, seed=n + 20)) for n in widths[1:]]
        hx = tuple(zip(*states, strict=True))

    rec = record(make(cells), x, hx)

    output, history = cells_by_hand(cells, x, states)
    close(rec.output, output)
    for n in range(len(cells)):
        close(rec.h_n[n], history[-1][n][0])
        close(rec.c_n[n], history[-1][n][1])
        for b, one in enumerate(ones(rec)):
            for place, quantity in enumerate("hc"):
                theirs = torch.stack([step[n][place] for step in history])
                close(one[quantity, n], theirs if batch is None else theirs[:, b])
    assert rec.parity < ATOL


@pytest.mark.parametrize("batch", [None, 3])
def test_three_cells_of_100_30_and_20_units(batch):
    cells = [make_cell(8, 100), make_cell(100, 30), make_cell(30, 20)]
    for cell in cells:
        with torch.no_grad():
            for parameter in cell.parameters():
                parameter.mul_(0.2)
    x = numbers(9, *(() if batch is None else (batch,)), 8)

    rec = record(cells, x)

    output, history = cells_by_hand(cells, x)
    close(rec.output, output)
    for n in range(3):
        close(rec.h_n[n], history[-1][n][0])
        close(rec.c_n[n], history[-1][n][1])
    assert "100 → 30 → 20 units" in repr(ones(rec)[0])


def test_cells_read_ragged_sequences_each_to_its_own_end():
    cells = [make_cell(3, 5), fused(make_cell(5, 2))]
    sequences = [numbers(T, 3, seed=T) for T in (2, 6, 1, 4)]

    rec = record(cells, pack_sequence(sequences, enforce_sorted=False))

    for b, x in enumerate(sequences):
        output, history = cells_by_hand(cells, x)
        close(rec[b].output, output)
        close(rec[b].c_n[1], history[-1][1][1])
    assert rec.parity < ATOL
    close(rec.h_n[0], torch.stack([one.h_n[0] for one in rec]))


def test_a_module_may_stand_in_a_stack_twice():
    cell = make_cell(4, 4)

    rec = record([cell, cell], numbers(5, 4))

    close(rec.output, cells_by_hand([cell, cell], numbers(5, 4))[0])
    assert rec.parity < ATOL


# --- stacks of nn.LSTM --------------------------------------------------------------------------


def run_by_hand(modules, x, hx=None):
    """The modules one after another: (output, h_n and c_n of each nn.LSTM)."""
    h_n, c_n = [], []
    with torch.no_grad():
        for module in modules:
            if isinstance(module, nn.LSTM):
                n = len(h_n)
                x, (h, c) = module(x, None if hx is None else (hx[0][n], hx[1][n]))
                h_n.append(h)
                c_n.append(c)
            elif isinstance(x, PackedSequence):
                x = PackedSequence(module(x.data), *x[1:])
            else:
                x = module(x)
    return x, tuple(h_n), tuple(c_n)


def one_layer_each(batch_first=False):
    """One-layer LSTMs of all kinds, with dropout between them."""
    options = {"batch_first": batch_first}
    return [
        make_lstm(3, 6, bidirectional=True, **options),
        nn.Dropout(0.5),
        make_lstm(12, 4, proj_size=2, seed=1, **options),
        nn.Dropout(0.25),
        make_lstm(2, 5, seed=2, **options),
        make_lstm(5, 3, bidirectional=True, bias=False, seed=3, **options),
    ]


def inputs(batch_first=False):
    sequences = [numbers(T, 3, seed=T) for T in (3, 5, 1)]
    batch = numbers(2, 5, 3) if batch_first else numbers(5, 2, 3)
    return {
        "sequence": numbers(5, 3),
        "batch": batch,
        "unsorted": pack_sequence(sequences, enforce_sorted=False),
        "sorted": pack_sequence(sorted(sequences, key=len, reverse=True)),
    }


def assert_same_result(rec, theirs):
    output, h_n, c_n = theirs
    ours = rec.output
    if isinstance(output, PackedSequence):
        for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
            a, b = getattr(ours, name), getattr(output, name)
            assert (a is None and b is None) or torch.equal(a, b)
        ours, output = ours.data, output.data
    close(ours, output)
    close(rec.h_n, h_n)
    close(rec.c_n, c_n)


@pytest.mark.parametrize("make", [list, tuple, nn.ModuleList, lambda m: nn.Sequential(*m)])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("form", inputs())
def test_a_stack_in_evaluation_mode_gives_what_its_modules_give(form, batch_first, make):
    modules = [module.eval() for module in one_layer_each(batch_first)]
    x = inputs(batch_first)[form]

    rec = record(make(modules), x)

    assert_same_result(rec, run_by_hand(modules, x))
    assert rec.parity < ATOL
    assert all(not one.masks for one in ones(rec))


def test_the_states_of_a_stack_are_tuples_of_one_entry_per_module():
    modules = [module.eval() for module in one_layer_each()]
    lstms = [module for module in modules if isinstance(module, nn.LSTM)]
    x = numbers(5, 2, 3)
    hx = tuple(zip(*(state_for(lstm, 2, seed=n) for n, lstm in enumerate(lstms)), strict=True))

    rec = record(modules, x, hx)

    assert_same_result(rec, run_by_hand(modules, x, hx))
    assert [h.shape for h in rec.h_n] == [(2, 2, 6), (1, 2, 2), (1, 2, 5), (2, 2, 3)]
    assert [c.shape for c in rec.c_n] == [(2, 2, 6), (1, 2, 4), (1, 2, 5), (2, 2, 3)]
    assert [c.shape for c in rec[0].c_0] == [(2, 6), (1, 4), (1, 5), (2, 3)]
    assert rec.parity < ATOL


def test_the_layers_of_a_stack_are_numbered_through_with_their_own_directions():
    modules = [make_lstm(3, 4, num_layers=2), make_lstm(4, 2, bidirectional=True)]

    rec = record(modules, numbers(5, 3))

    assert rec.shape.cells == [(0, "forward"), (1, "forward"), (2, "forward"), (2, "backward")]
    assert rec["c", 1].shape == (5, 4)
    assert rec["c", 2, "backward"].shape == (5, 2)
    with pytest.raises(SelectionError, match="two directions"):
        rec["c", 2]
    with pytest.raises(SelectionError, match="No such direction"):
        rec["c", 0, "backward"]
    assert "forward, backward (not in all)" in repr(rec)


# --- dropout ------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _keep_the_random_numbers():
    with torch.random.fork_rng():
        yield


@pytest.mark.parametrize("form", inputs())
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_dropout_between_modules_is_that_of_the_modules_with_the_same_seed(seed, batch_first, form):
    modules = nn.ModuleList(one_layer_each(batch_first)).train()
    x = inputs(batch_first)[form]

    torch.manual_seed(seed)
    rec = record(modules, x)
    after = torch.rand(3)
    torch.manual_seed(seed)
    theirs = run_by_hand(modules, x)

    assert_same_result(rec, theirs)
    assert torch.equal(torch.rand(3), after)  # drawn as often
    assert rec.parity < ATOL
    for one in ones(rec):
        assert set(one.masks) == {0, 1}
        assert one.masks[0].shape == (len(one), 12)
        assert one.masks[1].shape == (len(one), 2)


def test_dropout_stands_in_the_training_mode_of_its_own_module():
    modules = [make_lstm(3, 6), nn.Dropout(0.5).eval(), make_lstm(6, 6), nn.Dropout(0.5).train()]
    modules += [make_lstm(6, 2).train()]

    rec = record(modules, numbers(9, 3))

    assert set(rec.masks) == {1}


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("form", [*inputs(), "one", "short"])
def test_dropout_inside_an_lstm_is_its_own_with_the_same_seed(form, bidirectional, batch_first):
    lstm = make_lstm(
        3, 4, num_layers=3, dropout=0.4, bidirectional=bidirectional, batch_first=batch_first
    ).train()
    x = {**inputs(batch_first), "one": numbers(1, 1, 3), "short": numbers(1, 3)}[form]

    for seed in range(3):
        torch.manual_seed(seed)
        rec = record(lstm, x)
        after = torch.rand(3)
        torch.manual_seed(seed)
        with torch.no_grad():
            output, (h_n, c_n) = lstm(x)

        assert_same_result(rec, (output, h_n, c_n))
        assert torch.equal(torch.rand(3), after)
        assert rec.parity < ATOL


def test_dropout_inside_a_padded_batch_is_that_of_the_packed_one():
    lstm = make_lstm(num_layers=2, dropout=0.5, batch_first=True).train()
    x, lengths = numbers(3, 5, 3), [2, 5, 4]

    torch.manual_seed(3)
    rec = record(lstm, x, lengths=lengths)
    torch.manual_seed(3)
    packed = pack_padded_sequence(x, torch.tensor(lengths), True, False)
    _, (h_n, c_n) = lstm(packed)

    close(rec.h_n, h_n.detach())
    close(rec.c_n, c_n.detach())


@steady
@given(lstm_options, st.sampled_from([0.1, 0.5, 0.9, 1.0]), st.sampled_from([None, 1, 3]))
def test_masks_are_zero_or_one_over_what_is_kept_and_apply_between_layers_only(options, p, batch):
    lstm = make_lstm(**options, dropout=p if options["num_layers"] > 1 else 0.0).train()
    axes = (4,) if batch is None else (batch, 4) if lstm.batch_first else (4, batch)
    torch.manual_seed(0)

    rec = record(lstm, numbers(*axes, lstm.input_size))

    width = (lstm.proj_size or lstm.hidden_size) * (2 if lstm.bidirectional else 1)
    for one in ones(rec):
        assert set(one.masks) == set(range(lstm.num_layers - 1))  # none above the last
        for layer, mask in one.masks.items():
            assert mask.shape == (4, width)
            kept = torch.tensor(0.0 if p == 1 else 1 / (1 - p), dtype=mask.dtype)
            assert bool(((mask == 0) | ((mask - kept).abs() < 1e-14)).all())
            # A layer alone, on what the mask leaves of the one below, gives the layer.
            below = torch.cat([one["h", layer, d] for d in one.shape.directions(layer)], dim=-1)
            alone = nn.LSTM(
                width,
                lstm.hidden_size,
                bias=lstm.bias,
                bidirectional=lstm.bidirectional,
                proj_size=lstm.proj_size,
                dtype=torch.float64,
            )
            alone.load_state_dict(
                {
                    name.replace(f"_l{layer + 1}", "_l0"): weight
                    for name, weight in lstm.state_dict().items()
                    if f"_l{layer + 1}" in name
                }
            )
            with torch.no_grad():
                output, (_, c_n) = alone(below * mask)
            above = [one["h", layer + 1, d] for d in one.shape.directions(layer + 1)]
            close(torch.cat(above, dim=-1), output)
            close(one["c", layer + 1, "forward"][-1], c_n[0])
    assert rec.parity < ATOL


def test_about_as_many_numbers_are_dropped_as_asked():
    torch.manual_seed(0)
    lstm = make_lstm(3, 20, num_layers=2, dropout=0.3).train()

    rec = record(lstm, numbers(200, 3))

    assert abs(float((rec.masks[0] == 0).double().mean()) - 0.3) < 0.03
    assert not torch.equal(rec.masks[0], record(lstm, numbers(200, 3)).masks[0])


def test_dropout_in_and_between_modules_is_drawn_from_the_bottom_up():
    modules = nn.ModuleList(
        [
            make_lstm(3, 4, num_layers=2, dropout=0.3, bidirectional=True),
            nn.Dropout(0.5),
            make_lstm(8, 5, num_layers=2, dropout=0.6),
        ]
    ).train()
    x = numbers(5, 2, 3)

    torch.manual_seed(4)
    rec = record(modules, x)
    torch.manual_seed(4)

    assert_same_result(rec, run_by_hand(modules, x))
    assert set(rec[0].masks) == {0, 1, 2}
    assert rec.parity < ATOL


def test_dropout_between_cells_is_drawn_for_the_whole_sequence_at_once():
    cells, x = [make_cell(3, 5), make_cell(5, 2, seed=1)], numbers(6, 3)
    torch.manual_seed(4)

    rec = record([cells[0], nn.Dropout(0.5), cells[1]], x)

    below, _ = cells_by_hand(cells[:1], x)
    torch.manual_seed(4)
    output, _ = cells_by_hand(cells[1:], nn.Dropout(0.5)(below))
    close(rec.output, output)
    assert rec.parity < ATOL


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (nn.GRU(3, 4), "a GRU"),
        (nn.GRUCell(3, 4), "a GRUCell"),
        (nn.RNN(3, 4), "an RNN"),
        (nn.RNNCell(3, 4), "an RNNCell"),
    ],
)
def test_the_relatives_of_an_lstm_are_told_apart(module, name):
    for source, place in ((module, ""), ([make_lstm(3, 3), module], " at [1]")):
        with pytest.raises(InputError, match="other gates and no cell state") as error:
            record(source, numbers(2, 3))
        assert error.value.message.startswith(f"This is {name}; ")
        assert error.value.came == name + place
        assert error.value.expected == "a torch.nn.LSTM or nn.LSTMCell"


@pytest.mark.parametrize(
    ("source", "came"),
    [
        (nn.Linear(3, 4), "a Linear"),
        (nn.Dropout(), "a Dropout"),
        (nn.LSTM, "a type"),
        (None, "a NoneType"),
        ("LSTM", "a str"),
        ({"a": nn.LSTM(3, 4)}, "a dict"),
        ([nn.LSTM(3, 4), nn.ReLU()], "a ReLU at [1]"),
        ([[nn.LSTM(3, 4)]], "a list at [0]"),
        (nn.Sequential(nn.Embedding(3, 3), nn.LSTM(3, 4)), "a Embedding at [0]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_lstm_is_refused_with_its_place(source, came):
    with pytest.raises(InputError, match="Only an LSTM can be recorded") as error:
        record(source, numbers(2, 3))

    assert error.value.came == came
    assert (
        error.value.expected
        == "a torch.nn.LSTM, nn.LSTMCell, lstm_core.FusedCell, or a list of them"
    )


def test_a_module_with_an_lstm_inside_is_told_how_it_can_be_recorded():
    for module in (nn.ModuleDict({"a": nn.LSTM(3, 4)}), nn.ModuleDict({"a": nn.LSTMCell(3, 4)})):
        with pytest.raises(InputError, match="Only an LSTM can be recorded") as error:
            record(module, numbers(2, 3))
        assert error.value.expected.endswith("use lstm_core.recording(module)")


@pytest.mark.parametrize("make", [list, tuple, nn.ModuleList, nn.Sequential])
def test_an_empty_list_is_refused(make):
    with pytest.raises(InputError, match="no LSTM in the list") as error:
        record(make(), numbers(2, 3))

    assert error.value.came == f"a {make().__class__.__name__} of 0"


@pytest.mark.parametrize(
    ("below", "above", "width"),
    [
        (make_lstm(3, 4), make_lstm(3, 4), 4),
        (make_lstm(3, 4, bidirectional=True), make_lstm(4, 4), 8),
        (make_lstm(3, 4, proj_size=2), make_lstm(4, 4), 2),
        (make_lstm(3, 4, proj_size=2, bidirectional=True), make_cell(8, 4), 4),
        (make_cell(3, 4), make_cell(5, 4), 4),
    ],
)
def test_modules_whose_widths_do_not_fit_are_refused(below, above, width):
    with pytest.raises(InputError, match="do not fit on each other") as error:
        record([below, nn.Dropout(0.5).eval(), above], numbers(2, 3))

    assert " at [1] above " in error.value.came
    assert error.value.expected == f"input_size {width}, which is what [0] hands up"


def test_modules_that_disagree_about_the_batch_are_refused():
    with pytest.raises(InputError, match="where the batch stands") as error:
        record([make_lstm(), make_lstm(4, 4, batch_first=True)], numbers(2, 3))

    assert error.value.expected == "the same batch_first in all of them"


def test_cells_do_not_care_where_the_batch_stands():
    stack = [make_lstm(3, 4, batch_first=True), make_cell(4, 2)]

    rec = record(stack, numbers(5, 6, 3))

    assert rec.output.shape == (5, 6, 2)
    assert rec.lengths == (6,) * 5
    assert rec.parity < ATOL


@pytest.mark.parametrize("other", [torch.float32, torch.bfloat16], ids=str)
def test_weights_of_different_types_are_refused_with_the_place(other):
    with pytest.raises(InputError, match="weights differ in kind") as error:
        record([make_lstm(), make_cell(4, 2).to(other)], numbers(2, 3))

    assert error.value.came == f"W_ih of layer 1 forward: {other} on cpu"
    assert error.value.expected == "torch.float64 on cpu, as W_ih of layer 0"


@pytest.mark.parametrize(
    ("modules", "place"),
    [
        ([nn.Dropout(0.5), make_lstm()], "at place 0 of 2"),
        ([make_lstm(), nn.Dropout(0.5)], "at place 1 of 2"),
        ([nn.Dropout(0.5)], "at place 0 of 1"),
        ([make_lstm(), nn.Dropout(0.5), nn.Dropout(0.5), make_lstm(4, 4)], "at place 2 of 4"),
    ],
)
def test_dropout_that_stands_between_no_two_modules_is_refused(modules, place):
    with pytest.raises(InputError, match="between two of its modules") as error:
        record(modules, numbers(2, 3))

    assert error.value.came == f"Dropout(p=0.5, inplace=False) {place}"


def test_two_dropouts_in_a_row_are_refused_in_evaluation_mode_too():
    modules = [make_lstm(), nn.Dropout(0.5).eval(), nn.Dropout(0.5).eval(), make_lstm(4, 4)]

    with pytest.raises(InputError, match="between two of its modules"):
        record(modules, numbers(2, 3))


# --- shapes -------------------------------------------------------------------------------------


@st.composite
def stacks(draw):
    """Modules of all kinds that fit on each other."""
    modules, width = [], draw(st.integers(1, 5))
    for n in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["LSTM", "BackwardLSTM", "LSTMCell", "FusedCell"]))
        if kind == "BackwardLSTM":
            lstm = make_lstm(width, 4, kind=BackwardLSTM, proj_size=draw(st.integers(0, 3)), seed=n)
            modules.append(lstm)
            width = lstm.proj_size or lstm.hidden_size
        elif kind == "LSTM":
            options = draw(lstm_options)
            lstm = make_lstm(**options | {"input_size": width, "batch_first": False}, seed=n)
            modules.append(lstm)
            width = (lstm.proj_size or lstm.hidden_size) * (2 if lstm.bidirectional else 1)
        else:
            cell = make_cell(width, draw(st.integers(1, 5)), bias=draw(st.booleans()), seed=n)
            modules.append(cell if kind == "LSTMCell" else fused(cell, "ogfi"))
            width = cell.hidden_size
    return modules


@steady
@given(stacks(), st.integers(1, 3))
def test_the_shape_of_a_stack_says_what_is_recorded(modules, T):
    rec = record(modules, numbers(T, modules[0].input_size))
    shape = rec.shape

    assert shape.listed
    assert shape.num_layers == len({layer for _, layer, _ in rec.arrays})
    assert shape.cells == list(dict.fromkeys(key[1:] for key in rec.arrays))
    for (quantity, layer, direction), array in rec.arrays.items():
        assert array.shape == (T, shape.width(quantity, layer))
        assert direction in shape.directions(layer)
    held = sum(array.numel() for array in rec.arrays.values()) + rec.x.numel()
    assert shape.numbers_per_timestep * T == held
    assert shape.output_width(shape.num_layers - 1) == rec.output.shape[1]
    assert shape.input_size == modules[0].input_size
    groups = shape.by_module(shape.cells)
    assert [cell for group in groups for cell in group] == shape.cells
    rows = [h if h.dim() == 2 else h[None] for h in rec.h_n]
    assert [len(group) for group in groups] == [len(h) for h in rows]
    assert rec.parity < ATOL


@steady
@given(stacks())
def test_a_shape_prints_as_the_modules_that_have_it(modules):
    shape = record(modules, numbers(1, modules[0].input_size)).shape

    def by_hand(I, H, bias=True):  # noqa: E741
        return fused(nn.LSTMCell(I, H, bias=bias))

    again = eval(str(shape), {"nn": nn, "FusedCell": by_hand, "BackwardLSTM": BackwardLSTM})

    read = record(again, numbers(1, modules[0].input_size, dtype=torch.float32)).shape
    assert read == shape


@steady
@given(stacks())
def test_a_shape_names_the_weights_of_its_modules(modules):
    shape = record(modules, numbers(1, modules[0].input_size)).shape

    for module, own in zip(modules, shape.modules, strict=True):
        if isinstance(module, nn.LSTM | nn.LSTMCell):
            state = module.state_dict()
            assert own.weights() == {name: tuple(t.shape) for name, t in state.items()}
    assert StackShape.of(shape.modules[0]).modules == shape.modules[:1]


def test_one_module_alone_is_no_list():
    alone, listed = record(make_lstm(), numbers(1, 3)), record([make_lstm()], numbers(1, 3))

    assert not alone.shape.listed
    assert alone.shape != listed.shape
    assert str(alone.shape) == "nn.LSTM(3, 4)"
    assert str(listed.shape) == "[nn.LSTM(3, 4)]"


def test_a_module_shape_is_that_of_its_module():
    lstm = make_lstm(3, 4, num_layers=2, bidirectional=True, proj_size=2, bias=False)

    (module,) = record(lstm, numbers(1, 3)).shape.modules

    assert module == ModuleShape(3, 4, 2, False, True, 2)
    assert vars(LSTMShape.of(lstm)).items() <= vars(module).items()
    assert not module.is_cell
    assert ModuleShape(3, 4, kind="LSTMCell").is_cell
    assert str(ModuleShape(3, 4, bias=False, kind="FusedCell")) == "FusedCell(3, 4, bias=False)"


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "GRU"},
        {"kind": "LSTMCell", "num_layers": 2},
        {"kind": "LSTMCell", "bidirectional": True},
        {"kind": "FusedCell", "proj_size": 2},
        {"kind": "BackwardLSTM", "num_layers": 2},
        {"kind": "BackwardLSTM", "bidirectional": True},
        {"hidden_size": 0},
        {"proj_size": 4},
    ],
    ids=str,
)
def test_a_module_that_cannot_be_has_no_shape(options):
    with pytest.raises(ValueError, match=r"no such kind|one layer|no LSTM|must be smaller"):
        ModuleShape(**{"input_size": 3, "hidden_size": 4, **options})


@pytest.mark.parametrize(
    ("modules", "listed"),
    [
        ((), True),
        ((), False),
        ((ModuleShape(3, 4), ModuleShape(4, 4)), False),
        ((ModuleShape(3, 4), ModuleShape(3, 4)), True),
        ((ModuleShape(3, 4, bidirectional=True), ModuleShape(4, 4)), True),
    ],
)
def test_a_stack_that_cannot_be_has_no_shape(modules, listed):
    with pytest.raises(ValueError, match=r"no stack has these|cannot read"):
        StackShape(modules, listed)
