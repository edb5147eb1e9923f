"""The labelled result: selecting, the batched view, the file, and what it prints."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
import safetensors
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from lstm_core import Recording, RecordingBatch, record
from lstm_core.errors import FileError, InputError, SelectionError
from lstm_core.parity import ForwardResult
from lstm_core.predictions import Predictions
from lstm_core.quantities import QUANTITIES
from lstm_core.shape import LSTMShape, ModuleShape, StackShape
from tests.lstm_core.worlds import (
    each_engine,
    fused,
    lstm_options,
    make_cell,
    make_lstm,
    numbers,
    state_for,
    steady,
)


def make_recording(T=4, *, tokens=None, **options) -> Recording:
    return record(make_lstm(**options), numbers(T, 3), tokens=tokens)


def same_bits(a: Tensor, b: Tensor) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and raw(a) == raw(b)


def raw(tensor: Tensor) -> bytes:
    return tensor.contiguous().view(torch.uint8).numpy().tobytes()


# --- selecting ----------------------------------------------------------------------------------


def test_a_quantity_is_timesteps_by_units():
    rec = make_recording(5, num_layers=2, bidirectional=True, proj_size=2)

    assert len(rec) == 5
    for q in QUANTITIES:
        assert rec[q, 1, "backward"].shape == (5, 2 if q == "h" else 4)


def test_the_direction_may_be_left_out_when_there_is_only_one():
    rec = make_recording(num_layers=2)

    assert rec["c", 1] is rec["c", 1, "forward"]


@pytest.mark.parametrize(
    ("key", "message", "came", "exists"),
    [
        (("z", 0, "forward"), "No such quantity", "'z'", ["i", "f", "g", "o", "c", "h"]),
        ((["c"], 0, "forward"), "No such quantity", "['c']", ["i", "f", "g", "o", "c", "h"]),
        (("c", 2, "forward"), "No such layer", "2", ["0", "1"]),
        (("c", -1, "forward"), "No such layer", "-1", ["0", "1"]),
        (("c", "0", "forward"), "No such layer", "'0'", ["0", "1"]),
        (("c", 0), "two directions", "('c', 0)", ["forward", "backward"]),
        (("c", 0, "reverse"), "No such direction", "'reverse'", ["forward", "backward"]),
        ("c", "Say which quantity and layer", "'c'", ["i", "f", "g", "o", "c", "h"]),
        ("c0", "Say which quantity and layer", "'c0'", ["i", "f", "g", "o", "c", "h"]),
        (0, "Say which quantity and layer", "0", ["i", "f", "g", "o", "c", "h"]),
        (("c", 0, "forward", 1), "Say which", "('c', 0, 'forward', 1)", list("ifgoch")),
    ],
)
def test_what_was_not_recorded_says_what_was(key, message, came, exists):
    rec = make_recording(num_layers=2, bidirectional=True)

    with pytest.raises(SelectionError, match=message) as error:
        rec[key]

    assert error.value.came == came
    assert error.value.exists == exists


def test_there_is_no_backward_in_a_one_way_lstm():
    with pytest.raises(SelectionError, match="No such direction") as error:
        make_recording()["c", 0, "backward"]

    assert error.value.exists == ["forward"]


def test_nbytes_counts_every_number_once():
    rec = make_recording(5, num_layers=2, bidirectional=True, proj_size=2)

    per_cell = 5 * (5 * 4 + 2)  # five quantities of 4 units, h of 2
    assert rec.nbytes == 8 * (4 * per_cell + 5 * 3 + 4 * 2 + 4 * 4)


@steady
@given(lstm_options, st.integers(1, 4))
def test_the_shape_knows_how_many_numbers_a_timestep_holds(options, T):
    lstm = make_lstm(**options | {"batch_first": False})
    rec = record(lstm, numbers(T, lstm.input_size))

    held = sum(array.numel() for array in rec.arrays.values()) + rec.x.numel()
    assert LSTMShape.of(lstm).numbers_per_timestep * T == held
    assert rec.shape.numbers_per_timestep * T == held


@steady
@given(lstm_options)
def test_a_shape_prints_as_the_call_that_makes_it(options):
    lstm = make_lstm(**options | {"batch_first": False})
    shape = LSTMShape.of(lstm)

    assert LSTMShape.of(eval(str(shape), {"nn": nn})) == shape
    recorded = record(lstm, numbers(1, lstm.input_size)).shape
    assert recorded == StackShape((ModuleShape(**vars(shape)),))
    assert str(recorded) == str(shape)


@pytest.mark.parametrize(
    "sizes",
    [
        {"hidden_size": 0},
        {"hidden_size": -4},
        {"num_layers": 0},
        {"input_size": -1},
        {"proj_size": 4},
        {"proj_size": -1},
        {"hidden_size": "4"},
        {"num_layers": 1.5},
        {"hidden_size": None},
    ],
    ids=str,
)
def test_sizes_no_lstm_has_are_refused(sizes):
    for kind in (LSTMShape, ModuleShape):
        with pytest.raises((ValueError, TypeError)):
            kind(**{"input_size": 3, "hidden_size": 4, **sizes})


@pytest.mark.parametrize("kind", ["LSTMCell", "FusedCell"])
@pytest.mark.parametrize("option", [{"num_layers": 2}, {"bidirectional": True}, {"proj_size": 2}])
def test_a_cell_has_no_options_of_an_lstm(kind, option):
    assert ModuleShape(3, 4, **option)
    assert ModuleShape(3, 4, kind=kind).is_cell
    with pytest.raises(ValueError, match="one layer, one direction and no projection"):
        ModuleShape(3, 4, **option, kind=kind)


def test_there_is_no_other_kind_of_module():
    with pytest.raises(ValueError, match="no such kind"):
        ModuleShape(3, 4, kind="GRU")


def test_modules_that_cannot_stand_on_each_other_are_no_stack():
    wide, narrow = ModuleShape(3, 4, bidirectional=True), ModuleShape(4, 4)

    with pytest.raises(ValueError, match="cannot read"):
        StackShape((wide, narrow), listed=True)
    with pytest.raises(ValueError, match="no stack"):
        StackShape(())
    with pytest.raises(ValueError, match="no stack"):
        StackShape((narrow, narrow))  # two, and not as a list


def test_layers_of_a_stack_are_numbered_through():
    shape = StackShape(
        (
            ModuleShape(3, 4, num_layers=2, bidirectional=True, proj_size=2),
            ModuleShape(4, 5, kind="LSTMCell"),
        ),
        listed=True,
    )

    assert shape.num_layers == 3
    both = [(0, "forward"), (0, "backward"), (1, "forward"), (1, "backward")]
    assert shape.cells == [*both, (2, "forward")]
    assert [shape.output_width(n) for n in range(3)] == [4, 4, 5]
    assert [shape.width("h", n) for n in range(3)] == [2, 2, 5]
    assert [shape.width("c", n) for n in range(3)] == [4, 4, 5]
    assert shape.by_module("abcde") == [list("abcd"), ["e"]]
    assert shape.numbers_per_timestep == 3 + 4 * (5 * 4 + 2) + 6 * 5
    assert str(shape) == (
        "[nn.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2), nn.LSTMCell(4, 5)]"
    )


# --- the batch ----------------------------------------------------------------------------------


def test_a_batch_is_a_sequence_of_recordings():
    batch = record(make_lstm(), numbers(5, 3, 3))

    assert isinstance(batch, Sequence)
    assert len(batch) == 3
    assert list(batch) == [batch[0], batch[1], batch[2]]
    assert batch[-1] is batch[2]
    assert all(isinstance(rec, Recording) and len(rec) == 5 for rec in batch)
    assert batch[1] in batch
    assert batch.index(batch[1]) == 1
    assert next(reversed(batch)) is batch[2]
    with pytest.raises(IndexError):
        batch[3]


@pytest.mark.parametrize("batch_first", [False, True])
def test_a_slice_of_a_batch_is_a_batch_in_the_same_layout(batch_first):
    lstm = make_lstm(num_layers=2, bidirectional=True, proj_size=2, batch_first=batch_first)
    batch = record(lstm, numbers(4, 5, 3))

    part = batch[1:3]

    assert isinstance(part, RecordingBatch)
    assert list(part) == [batch[1], batch[2]]
    assert torch.equal(part.output, batch.output[1:3] if batch_first else batch.output[:, 1:3])
    assert torch.equal(part.h_n, batch.h_n[:, 1:3])
    assert torch.equal(part.c_n, batch.c_n[:, 1:3])
    assert list(batch[::-2]) == list(batch)[::-2]


def test_recordings_of_a_batch_are_as_long_as_their_sequences():
    batch = record(make_lstm(), numbers(5, 3, 3), lengths=[2, 5, 1])

    assert batch.lengths == (2, 5, 1)
    assert [len(rec) for rec in batch] == [2, 5, 1]
    assert repr(batch) == "RecordingBatch of 3 recordings of 1 to 5 timesteps, nn.LSTM(3, 4)"
    assert batch[::2].lengths == (2, 1)


@pytest.mark.parametrize("batch_first", [False, True])
def test_a_slice_of_a_padded_batch_keeps_its_padding(batch_first):
    lstm = make_lstm(batch_first=batch_first)
    x = numbers(6, 6, 3)
    batch = record(lstm, x, lengths=[2, 5, 1, 5, 3, 4])  # padded to 6, which none is long

    part = batch[2:5]

    assert torch.equal(part.output, batch.output[2:5] if batch_first else batch.output[:, 2:5])
    assert torch.equal(part.h_n, batch.h_n[:, 2:5])
    assert torch.equal(part.c_n, batch.c_n[:, 2:5])


def test_a_slice_of_a_packed_batch_is_packed():
    sequences = [numbers(n, 3, seed=n) for n in (2, 5, 1, 4)]
    lstm = make_lstm()
    batch = record(lstm, pack_sequence(sequences, enforce_sorted=False), engine="reference")

    part = batch[1:3]

    again = record(
        lstm, pack_sequence(sequences[1:3], enforce_sorted=False), engine="reference"
    ).output
    torch.testing.assert_close(part.output.data, again.data, rtol=0, atol=1e-14)
    assert torch.equal(part.output.batch_sizes, again.batch_sizes)
    assert torch.equal(part.output.sorted_indices, again.sorted_indices)
    assert torch.equal(part.output.unsorted_indices, again.unsorted_indices)


def test_a_batch_prints_how_many_how_long_and_of_what():
    batch = record(make_lstm(bidirectional=True), numbers(5, 3, 3))

    assert repr(batch) == (
        "RecordingBatch of 3 recordings of 5 timesteps, nn.LSTM(3, 4, bidirectional=True)"
    )
    assert repr(batch[:0]) == "RecordingBatch of 0 recordings"


# --- what it prints -----------------------------------------------------------------------------


def test_a_recording_prints_shape_tokens_and_that_it_was_not_compared_yet():
    rec = make_recording(3, tokens=["The", "sun", "shines"], num_layers=2, bidirectional=True)

    text = repr(rec)

    assert "nn.LSTM(3, 4, num_layers=2, bidirectional=True)" in text
    assert "timesteps   3: The sun shines" in text
    assert "2 × forward, backward; 4 units" in text
    assert "float64" in text
    assert "not compared with PyTorch yet" in text


def test_after_the_comparison_it_prints_how_close_it_is():
    rec = make_recording(proj_size=2)
    difference = rec.parity

    assert f"equal to PyTorch within {difference:.1e}" in repr(rec)
    assert "h projected to 2" in repr(rec)


def test_it_prints_where_it_parts_from_the_module():
    rec = make_recording()
    theirs = ForwardResult(rec.output, tuple(rec.h_n + 0.5), tuple(rec.c_n))
    rec.reference = lambda: theirs
    _ = rec.parity

    assert "differs from PyTorch by 5.0e-01, first in h_n[0]" in repr(rec)


def test_a_long_sentence_is_cut_and_white_space_made_visible():
    rec = make_recording(50, tokens=[" ", "\n", *["word"] * 48])

    line = repr(rec).splitlines()[1]

    assert "' ' '\\n' word" in line
    assert line.endswith("…")
    assert len(line) < 90


@pytest.mark.parametrize("token", ["\ud800", "\x1b[2J", "\x00", "\u202e", "a\nb"])
def test_no_token_breaks_what_is_printed(token):
    rec = make_recording(1, tokens=[token])

    line = repr(rec).splitlines()[1]

    assert repr(token) in line
    assert line.isprintable()
    repr(rec).encode("utf-8")


@pytest.mark.parametrize(("T", "units", "size"), [(4, 2, "bytes"), (4, 40, "kB"), (300, 100, "MB")])
def test_sizes_are_printed_in_a_unit_people_read(T, units, size):
    rec = record(make_lstm(hidden_size=units), numbers(T, 3))

    line = next(line for line in repr(rec).splitlines() if "numbers" in line)

    factor = {"bytes": 1, "kB": 1e3, "MB": 1e6}[size]
    number, unit = line.split(", ")[1].split()
    assert unit == size
    assert float(number) == pytest.approx(rec.nbytes / factor, abs=0.05)


# --- the file -----------------------------------------------------------------------------------

ODD = [
    "",
    " ",
    "\t",
    "\x00",
    "<b>&amp;",
    "e\u0301",
    "👩‍👩‍👧",
    "\u202eabc",
    '"\\',
    "\ud800",
    "ﷺ",
    "NaN",
]


@steady
@given(lstm_options, st.integers(1, 5), st.sampled_from([torch.float32, torch.float64]))
def test_a_recording_comes_back_bit_for_bit(tmp_path_factory, options, T, dtype):
    path = tmp_path_factory.mktemp("rec") / "a.safetensors"
    lstm = make_lstm(**options | {"batch_first": False}, dtype=dtype)
    rec = record(lstm, numbers(T, lstm.input_size, dtype=dtype), state_for(lstm, None))

    rec.save(path)
    back = Recording.load(path)

    assert back.shape == rec.shape
    assert set(back.arrays) == set(rec.arrays)
    for key, array in rec.arrays.items():
        assert same_bits(back.arrays[key], array)
    for name in ("x", "h_0", "c_0", "output", "h_n", "c_n"):
        assert same_bits(getattr(back, name), getattr(rec, name))
    assert back.initial.keys() == rec.initial.keys()
    for cell, state in rec.initial.items():
        assert same_bits(back.initial[cell].h, state.h)
        assert same_bits(back.initial[cell].c, state.c)
    assert back.parity_report == rec.parity_report
    assert back.engine == rec.engine
    assert back.not_finite is None
    assert not back.hooked
    assert not back.masks
    assert back.tokens is None
    assert back.predictions is None
    assert back.to_bytes() == rec.to_bytes()


def test_numbers_that_are_none_come_back_bit_for_bit(tmp_path):
    x = numbers(4, 3)
    x[1, 0], x[2, 0], x[3, 0] = math.nan, math.inf, -0.0
    rec = record(make_lstm(), x)

    rec.save(tmp_path / "a")
    back = Recording.load(tmp_path / "a")

    assert same_bits(back.x, x)
    assert same_bits(back["c", 0], rec["c", 0])
    assert back.parity == rec.parity


def test_tokens_of_any_characters_come_back_even_half_a_surrogate_pair(tmp_path):
    rec = make_recording(len(ODD), tokens=ODD)

    rec.save(tmp_path / "a")

    assert Recording.load(tmp_path / "a").tokens == tuple(ODD)


@steady
@given(st.lists(st.text(st.characters(exclude_categories=())), min_size=1, max_size=6))
def test_any_token_comes_back(tmp_path_factory, tokens):
    path = tmp_path_factory.mktemp("rec") / "a"
    make_recording(len(tokens), tokens=tokens).save(path)

    assert Recording.load(path).tokens == tuple(tokens)


@pytest.mark.parametrize("targets", [None, [2, None, 0]])
def test_predictions_come_back(tmp_path, targets):
    rec = make_recording(3)
    probabilities = torch.softmax(numbers(3, 4), dim=1)
    rec.predictions = Predictions("next_token", ["<unk>", " ", "é", "\n"], probabilities, targets)

    rec.save(tmp_path / "a")
    back = Recording.load(tmp_path / "a").predictions

    assert back.about() == rec.predictions.about()
    assert same_bits(back.probabilities, probabilities)


def test_metadata_comes_back(tmp_path):
    rec = make_recording()
    rec.metadata = {"text": "é\ud800", "spans": [[0, 1]], "n": 1.5, "nothing": None}

    rec.save(tmp_path / "a")

    assert Recording.load(tmp_path / "a").metadata == rec.metadata


@each_engine
def test_the_engine_comes_back(tmp_path, engine):
    rec = record(make_lstm(), numbers(4, 3), engine=engine)

    rec.save(tmp_path / "a")

    assert rec.engine == Recording.load(tmp_path / "a").engine == engine


def test_the_masks_of_dropout_come_back(tmp_path):
    lstm = make_lstm(num_layers=3, bidirectional=True, proj_size=2, dropout=0.5).train()
    rec = record(lstm, numbers(4, 3))

    rec.save(tmp_path / "a")
    back = Recording.load(tmp_path / "a")

    assert list(back.masks) == [0, 1]
    for layer, mask in rec.masks.items():
        assert same_bits(back.masks[layer], mask)
    assert "dropout     above layer 0, 1; the masks are recorded" in repr(back)
    assert "dropout" not in repr(make_recording())


def test_a_recording_with_hooks_comes_back_without_a_parity(tmp_path):
    rec = record(make_lstm(), numbers(4, 3), hooks={("c", 0): lambda value, at: None})  # noqa: ARG005

    rec.save(tmp_path / "a")
    back = Recording.load(tmp_path / "a")

    assert rec.hooked
    assert back.hooked
    for one in (rec, back):
        assert "PyTorch has nothing to compare with" in repr(one)
        with pytest.raises(InputError, match="hooks has nothing in PyTorch"):
            _ = one.parity
    assert back.to_bytes() == rec.to_bytes()


@steady
@given(kinds=st.lists(st.sampled_from(["LSTM", "LSTMCell", "FusedCell"]), min_size=1, max_size=3))
def test_a_stack_comes_back_with_its_modules(tmp_path_factory, kinds):
    path = tmp_path_factory.mktemp("rec") / "a"
    modules = [
        make_lstm(4, 4, num_layers=2, seed=n)
        if kind == "LSTM"
        else make_cell(4, 4, seed=n)
        if kind == "LSTMCell"
        else fused(make_cell(4, 4, seed=n))
        for n, kind in enumerate(kinds)
    ]
    rec = record(modules, numbers(3, 4))

    rec.save(path)
    back = Recording.load(path)

    assert back.shape == rec.shape
    assert [module.kind for module in back.shape.modules] == kinds
    for name in ("h_0", "c_0", "h_n", "c_n"):
        ours, theirs = getattr(back, name), getattr(rec, name)
        assert isinstance(ours, tuple)
        assert len(ours) == len(kinds)
        assert all(same_bits(a, b) for a, b in zip(ours, theirs, strict=True))
    assert back.to_bytes() == rec.to_bytes()


@pytest.mark.parametrize("kind", ["LSTMCell", "FusedCell"])
def test_a_cell_comes_back_with_states_that_have_no_axis_of_layers(tmp_path, kind):
    cell = make_cell() if kind == "LSTMCell" else fused(make_cell())
    rec = record(cell, numbers(3, 3))

    rec.save(tmp_path / "a")
    back = Recording.load(tmp_path / "a")

    assert not back.shape.listed
    for name in ("h_0", "c_0", "h_n", "c_n"):
        assert getattr(back, name).shape == (4,)
        assert same_bits(getattr(back, name), getattr(rec, name))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_types_come_back(tmp_path, dtype):
    rec = record(make_lstm(dtype=dtype, scale=0.5), numbers(4, 3, dtype=dtype))

    rec.save(tmp_path / "a")
    back = Recording.load(tmp_path / "a")

    assert all(same_bits(back.arrays[key], array) for key, array in rec.arrays.items())
    assert back.parity_report == rec.parity_report


def test_an_infinite_parity_comes_back_infinite(tmp_path):
    rec = make_recording()
    theirs = ForwardResult(rec.output * math.nan, tuple(rec.h_n), tuple(rec.c_n))
    rec.reference = lambda: theirs

    rec.save(tmp_path / "a")
    back = Recording.load(tmp_path / "a")

    assert rec.parity == back.parity == math.inf
    assert back.parity_report.where == "output at timestep 0"
    assert "first in output at timestep 0" in repr(back)


def test_a_sequence_of_a_batch_is_saved_alone(tmp_path):
    batch = record(make_lstm(), numbers(4, 3, 3))

    batch[1].save(tmp_path / "a")
    back = Recording.load(tmp_path / "a")

    assert same_bits(back["c", 0], batch[1]["c", 0])
    assert (tmp_path / "a").stat().st_size < 2 * batch[1].nbytes + 1500


def test_the_parity_is_computed_before_saving():
    rec = make_recording()
    assert rec._parity is None

    rec.to_bytes()

    assert rec._parity is not None


def test_the_file_can_be_read_with_plain_safetensors(tmp_path):
    rec = make_recording(num_layers=2, bidirectional=True, tokens=list("abcd"))
    rec.save(tmp_path / "a.safetensors")

    with safetensors.safe_open(tmp_path / "a.safetensors", framework="numpy") as file:
        names = set(file.keys())
        about = json.loads(file.metadata()["gatescope"])
        c = file.get_tensor("1.backward.c")

    assert names == {"x"} | {
        f"{layer}.{direction}.{q}"
        for layer in (0, 1)
        for direction in ("forward", "backward")
        for q in (*"ifgoch", "h_0", "c_0")
    }
    assert (c == rec["c", 1, "backward"].numpy()).all()
    assert about["format"] == "gatescope.recording/2"
    assert about["tokens"] == list("abcd")
    assert about["shape"] == {
        "modules": [
            {
                "input_size": 3,
                "hidden_size": 4,
                "num_layers": 2,
                "bias": True,
                "bidirectional": True,
                "proj_size": 0,
                "kind": "LSTM",
            }
        ],
        "listed": False,
    }
    assert about["engine"] == rec.engine
    assert about["not_finite"] is None
    assert set(about["parity"]) == {"difference", "tolerance", "where"}


def test_masks_and_hooks_show_in_the_file(tmp_path):
    lstm = make_lstm(num_layers=2, dropout=0.5).train()
    hooks = {("c", 0): lambda value, at: None}  # noqa: ARG005
    record(lstm, numbers(4, 3), hooks=hooks).save(tmp_path / "a")

    with safetensors.safe_open(tmp_path / "a", framework="numpy") as file:
        assert {"0.dropout", "1.dropout"} & set(file.keys()) == {"0.dropout"}
        assert json.loads(file.metadata()["gatescope"])["parity"] is None


@pytest.mark.parametrize("length", range(9))
def test_numbers_begin_at_a_multiple_of_eight(length):
    data = make_recording(1, tokens=["a" * length]).to_bytes()

    assert int.from_bytes(data[:8], "little") % 8 == 0


def test_saving_over_the_file_it_came_from_leaves_a_loaded_recording_alone(tmp_path):
    path = tmp_path / "a"
    make_recording(40).save(path)
    back = Recording.load(path)
    before = {key: array.clone() for key, array in back.arrays.items()}

    record(make_lstm(seed=5), numbers(40, 3)).save(path)  # as long: a view would show it

    assert all(torch.equal(back.arrays[key], array) for key, array in before.items())


def test_a_recording_without_module_or_parity_says_so():
    rec = replace(make_recording(), reference=None)

    with pytest.raises(FileError, match="without a parity"):
        _ = rec.parity


# --- files that are none ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "junk", [b"", b"x", bytes(8), bytes(100), b"{}" * 50, b"\xff" * 64, b"PK\x03\x04" + bytes(60)]
)
def test_junk_is_no_recording(tmp_path, junk):
    (tmp_path / "junk").write_bytes(junk)

    with pytest.raises(FileError, match="not a safetensors file") as error:
        Recording.load(tmp_path / "junk")

    assert error.value.came.startswith("junk: ")


def test_a_file_cut_short_anywhere_is_no_recording(tmp_path):
    data = make_recording(2, tokens=["a", "b"]).to_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    for length in {0, 1, 7, 8, 9, header // 2, header - 1, header, header + 1, len(data) - 1}:
        (tmp_path / "short").write_bytes(data[:length])
        with pytest.raises(FileError):
            Recording.load(tmp_path / "short")


@steady
@given(st.data())
def test_a_file_with_one_wrong_byte_is_a_recording_or_a_file_error(tmp_path_factory, data):
    good = make_recording(2, tokens=["a", "b"]).to_bytes()
    # Beyond the header are numbers, and every byte is one.
    place = data.draw(st.integers(0, 8 + int.from_bytes(good[:8], "little")))
    bad = bytearray(good)
    bad[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("rec") / "a"
    path.write_bytes(bad)

    try:
        back = Recording.load(path)
    except FileError:
        return
    assert len(back) == len(back.output) == 2
    repr(back)
    back.to_bytes()


def test_another_safetensors_file_is_no_recording(tmp_path):
    safetensors.torch.save_file({"weight": torch.ones(2)}, tmp_path / "a")

    with pytest.raises(FileError, match="not a recording") as error:
        Recording.load(tmp_path / "a")

    assert error.value.came == "format None"
    assert error.value.expected == "'gatescope.recording/2'"


@pytest.mark.parametrize(
    "about",
    [
        "[]",
        "3",
        "null",
        '"text"',
        "{}",
        '{"format": "gatescope.recording/99"}',
        "",
        "{",
        "[" * 9999,
    ],
    ids=lambda about: about[:12],
)
def test_metadata_of_another_kind_is_no_recording(tmp_path, about):
    safetensors.torch.save_file({"x": torch.ones(2)}, tmp_path / "a", {"gatescope": about})

    with pytest.raises(FileError):
        Recording.load(tmp_path / "a")


def rewrite(path, change) -> None:
    """A recording with predictions whose tensors and description went through ``change``."""
    lstm = make_lstm(bidirectional=True, num_layers=2, dropout=0.5).train()
    rec = record(lstm, numbers(5, 3), tokens=list("abcde"))  # no array is square
    rec.predictions = Predictions("tag", ["X", "Y"], torch.full((5, 2), 0.5), [0, None, 1, 1, 0])
    rec.save(path)
    with safetensors.safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["gatescope"])
    tensors = safetensors.torch.load(path.read_bytes())
    change(tensors, about)
    safetensors.torch.save_file(tensors, path, {"gatescope": json.dumps(about)})


def test_a_file_written_again_unchanged_is_a_recording(tmp_path):
    rewrite(tmp_path / "a", lambda tensors, about: None)  # noqa: ARG005

    assert Recording.load(tmp_path / "a").tokens == tuple("abcde")


@pytest.mark.parametrize(
    "name",
    ["0.forward.i", "1.backward.h", "0.forward.c", "x", "0.forward.h_0", "1.backward.c_0",
     "scores"],
)  # fmt: skip
def test_a_recording_that_lacks_an_array_names_it(tmp_path, name):
    rewrite(tmp_path / "a", lambda tensors, about: tensors.pop(name))  # noqa: ARG005

    with pytest.raises(FileError, match="damaged") as error:
        Recording.load(tmp_path / "a")

    assert name in error.value.came


@pytest.mark.parametrize("name", ["0.forward.i", "0.backward.h", "x", "0.dropout", "scores"])
@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:1].clone(),
        lambda t: t[:0].clone(),
        lambda t: t[:, :1].clone(),
        lambda t: t.flatten(),
        lambda t: t.sum(),
        lambda t: t.t().contiguous(),
    ],
    ids=["shorter", "empty", "narrower", "flat", "one number", "turned"],
)
def test_an_array_of_another_shape_is_a_damaged_recording(tmp_path, name, change):
    rewrite(tmp_path / "a", lambda t, about: t.update({name: change(t[name])}))  # noqa: ARG005

    with pytest.raises(FileError, match="damaged"):
        Recording.load(tmp_path / "a")


@pytest.mark.parametrize("name", ["0.forward.h_0", "1.backward.c_0"])
@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:1].clone(),
        lambda t: t[:0].clone(),
        lambda t: t[None].clone(),
        lambda t: t.sum(),
    ],
    ids=["shorter", "empty", "an axis more", "one number"],
)
def test_an_initial_state_of_another_shape_is_a_damaged_recording(tmp_path, name, change):
    rewrite(tmp_path / "a", lambda t, about: t.update({name: change(t[name])}))  # noqa: ARG005

    with pytest.raises(FileError, match="damaged"):
        Recording.load(tmp_path / "a")


@pytest.mark.parametrize("name", ["0.forward.i", "0.forward.h_0", "0.dropout"])
def test_an_array_of_another_type_is_a_damaged_recording(tmp_path, name):
    rewrite(tmp_path / "a", lambda t, about: t.update({name: t[name].float()}))  # noqa: ARG005

    with pytest.raises(FileError, match="damaged") as error:
        Recording.load(tmp_path / "a")

    assert name in error.value.came


def modules(*options, listed=True):
    return {"modules": [{"input_size": 3, "hidden_size": 4, **one} for one in options],
            "listed": listed}  # fmt: skip


TWO_WAY = {"num_layers": 2, "bidirectional": True}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shape", None),
        ("shape", {}),
        ("shape", {"modules": [], "listed": False}),
        ("shape", {"modules": [], "listed": True}),
        ("shape", {"modules": 3, "listed": True}),
        ("shape", {"modules": [3], "listed": True}),
        ("shape", {"modules": [{"input_size": 3}], "listed": False}),
        ("shape", {"modules": modules(TWO_WAY)["modules"]}),
        ("shape", {"listed": False}),
        ("shape", modules(TWO_WAY, TWO_WAY, listed=False)),
        ("shape", modules(TWO_WAY | {"colour": "red"})),
        ("shape", modules(TWO_WAY | {"kind": "GRU"})),
        ("shape", modules(TWO_WAY | {"kind": "LSTMCell"})),
        ("shape", modules(TWO_WAY | {"hidden_size": 0})),
        ("shape", modules(TWO_WAY | {"hidden_size": "4"})),
        ("shape", modules(TWO_WAY | {"num_layers": 10**15})),
        ("shape", modules(TWO_WAY | {"num_layers": -1})),
        ("shape", modules(TWO_WAY | {"num_layers": 3})),
        ("shape", modules(TWO_WAY | {"input_size": 4})),
        ("tokens", "abcde"),
        ("tokens", ["a", "b"]),
        ("tokens", ["a", "b", "c", "d", 3]),
        ("tokens", 3),
        ("parity", 3),
        ("parity", {"difference": "small", "tolerance": 1, "where": None}),
        ("parity", {"difference": 0.0}),
        ("predictions", {"task": "tag", "labels": ["X"], "targets": None}),
        ("predictions", {"task": "tag", "labels": "XY", "targets": None}),
        ("predictions", {"task": "tag", "labels": ["X", 2], "targets": None}),
        ("predictions", {"task": "tag", "labels": ["X", "Y"], "targets": [0]}),
        ("predictions", {"task": "tag", "labels": ["X", "Y"], "targets": [0, 1, 2, 0, 0]}),
        ("predictions", {"task": "tag", "labels": ["X", "Y"], "targets": [0, 1, 0, 0, "a"]}),
        ("predictions", {"labels": ["X", "Y"]}),
        ("predictions", ["tag"]),
        ("metadata", None),
        ("metadata", 3),
    ],
    ids=str,
)
def test_a_description_that_does_not_fit_is_a_damaged_recording(tmp_path, field, value):
    rewrite(tmp_path / "a", lambda tensors, about: about.update({field: value}))  # noqa: ARG005

    with pytest.raises(FileError, match="damaged"):
        Recording.load(tmp_path / "a")


@pytest.mark.parametrize("field", ["engine", "not_finite", "shape", "tokens", "parity"])
def test_a_description_that_lacks_a_field_is_a_damaged_recording(tmp_path, field):
    rewrite(tmp_path / "a", lambda tensors, about: about.pop(field))  # noqa: ARG005

    with pytest.raises(FileError, match="damaged") as error:
        Recording.load(tmp_path / "a")

    assert field in error.value.came


def test_a_file_that_is_not_there_is_the_file_not_found_error_everybody_knows(tmp_path):
    with pytest.raises(FileNotFoundError):
        Recording.load(tmp_path / "none")


@pytest.mark.parametrize(
    "scores",
    [torch.ones(4, 2), torch.ones(4, 4), torch.ones(3, 3), torch.ones(4), torch.ones(1, 3)],
)
def test_scores_that_do_not_fit_the_labels_are_damage(tmp_path, scores):
    rec = record(make_lstm(), numbers(4, 3))
    rec.predictions = Predictions("value", ["a", "b", "c"], scores)
    rec.save(tmp_path / "a")

    with pytest.raises(FileError, match="damaged"):
        Recording.load(tmp_path / "a")


def test_numbers_of_a_head_come_back_from_their_file(tmp_path):
    rec = record(make_lstm(), numbers(4, 3))
    rec.predictions = Predictions("value", ["a", "b"], numbers(4, 2))
    rec.save(tmp_path / "a")

    back = Recording.load(tmp_path / "a").predictions

    assert torch.equal(back.scores, rec.predictions.scores)
    assert back.about() == rec.predictions.about()
    with pytest.raises(AttributeError):
        _ = back.probabilities


def test_a_recording_of_the_format_before_is_refused_by_its_name(tmp_path):
    rewrite(tmp_path / "a", lambda tensors, about: about.update(format="gatescope.recording/1"))  # noqa: ARG005

    with pytest.raises(FileError, match="not a recording") as error:
        Recording.load(tmp_path / "a")
    assert error.value.came == "format 'gatescope.recording/1'"
