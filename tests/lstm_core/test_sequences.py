"""Where each timestep stands, against torch's own packing and padding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
)

from lstm_core.errors import InputError
from lstm_core.sequences import read_sequences
from tests.lstm_core.worlds import numbers, steady

all_lengths = st.lists(st.integers(1, 6), min_size=1, max_size=6)


def sequences_of(lengths: list[int]) -> list[Tensor]:
    return [numbers(length, 2, seed=b) for b, length in enumerate(lengths)]


def padded(lengths: list[int], batch_first: bool, more: int = 0) -> Tensor:
    """NaN where no sequence is, so that nobody can read it unseen."""
    batch = torch.full((len(lengths), max(lengths) + more, 2), torch.nan, dtype=torch.float64)
    for b, sequence in enumerate(sequences_of(lengths)):
        batch[b, : len(sequence)] = sequence
    return batch if batch_first else batch.transpose(0, 1)


def same_packing(a: PackedSequence, b: PackedSequence) -> bool:
    def same(one: Tensor | None, other: Tensor | None) -> bool:
        return one is other or (one is not None and other is not None and torch.equal(one, other))

    return all(same(one, other) for one, other in zip(a, b, strict=True))


# --- rows ---------------------------------------------------------------------------------------


@steady
@given(all_lengths, st.booleans(), st.integers(0, 2))
def test_rows_are_the_sequences_one_after_another(lengths, batch_first, more):
    x = padded(lengths, batch_first, more)

    rows, layout = read_sequences(x, batch_first=batch_first, lengths=lengths)

    assert torch.equal(rows, torch.cat(sequences_of(lengths)))
    assert layout.lengths == tuple(lengths)
    assert layout.steps == max(lengths)
    for own, sequence in zip(layout.each, sequences_of(lengths), strict=True):
        assert torch.equal(rows[own], sequence)


@steady
@given(all_lengths, st.booleans())
def test_a_packed_sequence_is_its_sequences_in_the_callers_order(lengths, presorted):
    lengths = sorted(lengths, reverse=True) if presorted else lengths
    packed = pack_sequence(sequences_of(lengths), enforce_sorted=presorted)

    rows, layout = read_sequences(packed, batch_first=False)

    assert torch.equal(rows, torch.cat(sequences_of(lengths)))
    assert layout.lengths == tuple(lengths)
    assert layout.form == "packed"


@steady
@given(st.lists(st.integers(1, 3), min_size=1, max_size=5), st.randoms())
def test_any_order_of_working_is_understood_also_one_that_torch_would_not_choose(lengths, random):
    # Sequences of equal length may stand in any order inside a PackedSequence.
    order = list(range(len(lengths)))
    random.shuffle(order)
    order.sort(key=lambda b: -lengths[b])
    sequences = sequences_of(lengths)
    places = torch.tensor(order)
    packed = pack_sequence([sequences[b] for b in order])
    packed = PackedSequence(packed.data, packed.batch_sizes, places, torch.argsort(places))

    rows, layout = read_sequences(packed, batch_first=False)

    assert torch.equal(rows, torch.cat(sequences))
    assert same_packing(layout.pack(rows), packed)
    for step, chosen in enumerate(layout.rows("forward")):
        expected = [sequences[b][step] for b in order if step < lengths[b]]
        assert torch.equal(rows[chosen], torch.stack(expected))


@steady
@given(all_lengths)
def test_steps_go_through_every_sequence_from_its_own_end_backward(lengths):
    rows, layout = read_sequences(padded(lengths, True), batch_first=True, lengths=lengths)
    sequences = sequences_of(lengths)
    order = sorted(range(len(lengths)), key=lambda b: -lengths[b])

    for direction in ("forward", "backward"):
        steps = [rows[chosen] for chosen in layout.rows(direction)]
        for step, found in enumerate(steps):
            running = [b for b in order if step < lengths[b]]
            places = [step if direction == "forward" else lengths[b] - 1 - step for b in running]
            expected = [sequences[b][t] for b, t in zip(running, places, strict=True)]
            assert torch.equal(found, torch.stack(expected))
        assert torch.equal(torch.cat(steps), rows[layout.packed_rows(direction)])
        starts = [0 if direction == "forward" else lengths[b] - 1 for b in order]
        firsts = torch.stack([sequences[b][t] for b, t in zip(order, starts, strict=True)])
        assert torch.equal(rows[layout.first_rows(direction)], firsts)
    assert layout.active == [sum(step < n for n in lengths) for step in range(max(lengths))]


# --- pack, unpack, result -----------------------------------------------------------------------


@steady
@given(all_lengths, st.booleans())
def test_packing_is_that_of_torch_and_unpacking_undoes_it(lengths, batch_first):
    x = padded(lengths, batch_first)
    theirs = pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
    rows, layout = read_sequences(x, batch_first=batch_first, lengths=lengths)

    packed = layout.pack(rows)

    assert same_packing(packed, theirs)
    assert torch.equal(layout.unpack(packed.data), rows)
    assert torch.equal(layout.pack(layout.unpack(theirs.data)).data, theirs.data)


@steady
@given(all_lengths, st.booleans(), st.booleans())
def test_a_packed_sequence_goes_back_as_the_one_that_came(lengths, presorted, batch_first):
    lengths = sorted(lengths, reverse=True) if presorted else lengths
    packed = pack_sequence(sequences_of(lengths), enforce_sorted=presorted)

    rows, layout = read_sequences(packed, batch_first=batch_first)
    back = layout.result([rows[own] for own in layout.each])

    assert same_packing(back, packed)


@steady
@given(all_lengths, st.booleans(), st.integers(0, 2))
def test_a_padded_batch_goes_back_padded_with_zeros(lengths, batch_first, more):
    x = padded(lengths, batch_first, more)
    rows, layout = read_sequences(x, batch_first=batch_first, lengths=lengths)

    back = layout.result([rows[own] for own in layout.each])

    packed = pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
    total = max(lengths) + more
    theirs, _ = pad_packed_sequence(packed, batch_first, padding_value=0.0, total_length=total)
    assert torch.equal(back, theirs)


def test_a_single_sequence_goes_back_as_it_came():
    x = numbers(4, 2)

    rows, layout = read_sequences(x, batch_first=True)

    assert torch.equal(layout.result([rows]), x)
    assert not layout.batched


@pytest.mark.parametrize("batch_first", [False, True])
def test_rows_are_a_copy(batch_first):
    for x in (numbers(4, 2), numbers(4, 3, 2), numbers(1, 3, 2), numbers(3, 1, 2)):
        kept = x.clone()
        rows, _ = read_sequences(x, batch_first=batch_first)
        rows.zero_()
        assert torch.equal(x, kept)
    packed = pack_sequence([numbers(1, 2)])
    kept = packed.data.clone()
    read_sequences(packed, batch_first=batch_first)[0].zero_()
    assert torch.equal(packed.data, kept)


@steady
@given(all_lengths, st.data())
def test_some_of_the_sequences_are_laid_out_like_all_of_them(lengths, data):
    chosen = data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, unique=True))
    sequences = sequences_of(lengths)
    _, whole = read_sequences(padded(lengths, False, 1), batch_first=False, lengths=lengths)
    _, packed = read_sequences(pack_sequence(sequences, enforce_sorted=False), batch_first=False)

    back = whole.subset(chosen).result([sequences[b] for b in chosen])
    again = packed.subset(chosen).result([sequences[b] for b in chosen])

    everything = whole.result(sequences)
    assert torch.equal(back, everything[:, chosen])
    assert same_packing(again, pack_sequence([sequences[b] for b in chosen], enforce_sorted=False))


# --- lengths ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [list, tuple, torch.tensor, lambda n: torch.tensor(n).int()])
def test_lengths_may_be_a_list_a_tuple_or_a_tensor(kind):
    _, layout = read_sequences(numbers(4, 3, 2), batch_first=False, lengths=kind([4, 1, 3]))

    assert layout.lengths == (4, 1, 3)
    assert layout.ragged
    assert layout.padded


def test_without_lengths_every_sequence_is_as_long_as_the_batch():
    _, layout = read_sequences(numbers(4, 3, 2), batch_first=False)

    assert layout.lengths == (4, 4, 4)
    assert not layout.ragged
    assert not layout.padded


def test_equal_lengths_short_of_the_batch_are_padded_and_not_ragged():
    _, layout = read_sequences(numbers(4, 3, 2), batch_first=False, lengths=[2, 2, 2])

    assert layout.padded
    assert not layout.ragged


@pytest.mark.parametrize(
    ("lengths", "message", "came"),
    [
        ([4, 5, 1], "empty or longer than the input", "length 5 of sequence 1"),
        ([4, 4, 0], "empty or longer than the input", "length 0 of sequence 2"),
        ([-1, 4, 4], "empty or longer than the input", "length -1 of sequence 0"),
        (torch.tensor([4, 4, 7]), "empty or longer than the input", "length 7 of sequence 2"),
        ([4, 4], "do not fit the batch", "2 lengths for 3 sequences"),
        ([4, 4, 4, 4], "do not fit the batch", "4 lengths for 3 sequences"),
        ([], "do not fit the batch", "0 lengths for 3 sequences"),
        ([4.0, 4.0, 4.0], "no list of numbers", "[4.0, 4.0, 4.0]"),
        (torch.tensor([4.0, 4.0, 4.0]), "no list of numbers", "[4.0, 4.0, 4.0]"),
        (torch.ones(3, dtype=torch.bool), "no list of numbers", "[True, True, True]"),
        (torch.tensor([[4, 4, 4]]), "no list of numbers", "[[4, 4, 4]]"),
        (torch.tensor(4), "no list of numbers", "4"),
        (["4", "4", "4"], "no list of numbers", "['4', '4', '4']"),
        ([4, None, 4], "no list of numbers", "[4, None, 4]"),
        (4, "no list of numbers", "4"),
        ("444", "no list of numbers", "'444'"),
    ],
    ids=str,
)
@pytest.mark.parametrize("batch_first", [False, True])
def test_lengths_that_do_not_fit_are_refused(lengths, message, came, batch_first):
    x = numbers(3, 4, 2) if batch_first else numbers(4, 3, 2)

    with pytest.raises(InputError, match=message) as error:
        read_sequences(x, batch_first=batch_first, lengths=lengths)

    assert error.value.came == came
    assert error.value.expected == "3 whole numbers from 1 to 4, one per sequence"


def test_lengths_are_for_padded_batches_only():
    with pytest.raises(InputError, match="as long as it is") as error:
        read_sequences(numbers(4, 2), batch_first=False, lengths=[4])
    assert error.value.came == "lengths for an input (4, 2)"

    with pytest.raises(InputError, match="knows its lengths") as error:
        read_sequences(pack_sequence([numbers(4, 2)]), batch_first=False, lengths=[4])
    assert error.value.came == "lengths beside a PackedSequence"


@pytest.mark.parametrize(
    ("x", "message", "came"),
    [
        (None, "not a tensor", "a NoneType"),
        ([[1.0, 2.0]], "not a tensor", "a list"),
        (np.ones((2, 3)), "not a tensor", "a ndarray"),
        (numbers(3), "number of axes", "shape (3,)"),
        (numbers(1, 1, 1, 3), "number of axes", "shape (1, 1, 1, 3)"),
        (numbers(0, 3), "nothing to record", "shape (0, 3)"),
        (numbers(0, 2, 3), "nothing to record", "shape (0, 2, 3)"),
        (numbers(2, 0, 3), "nothing to record", "shape (2, 0, 3)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_input_is_refused(x, message, came):
    with pytest.raises(InputError, match=message) as error:
        read_sequences(x, batch_first=False)

    assert error.value.came == came
