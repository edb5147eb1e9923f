"""Alignments against the table of edit distances, filled cell by cell."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.analysis import align
from lstm_core.analysis.alignment import window
from tests.lstm_core.worlds import steady

tokens = st.lists(st.sampled_from(["a", "b", "the", "", "é"]), max_size=9)


def edit_distance(one: list[str], other: list[str]) -> int:
    """Wagner and Fischer 1974."""
    table = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    table[:, 0], table[0] = np.arange(len(one) + 1), np.arange(len(other) + 1)
    for i, token in enumerate(one, 1):
        for j, other_token in enumerate(other, 1):
            table[i, j] = min(
                table[i - 1, j] + 1,
                table[i, j - 1] + 1,
                table[i - 1, j - 1] + (token != other_token),
            )
    return int(table[-1, -1])


@given(one=tokens, other=tokens)
@steady
def test_the_pairs_are_a_shortest_edit(one: list[str], other: list[str]) -> None:
    pairs = align(one, other).tolist()
    assert [i for i, _ in pairs if i >= 0] == list(range(len(one)))
    assert [j for _, j in pairs if j >= 0] == list(range(len(other)))
    edits = sum(i < 0 or j < 0 or one[i] != other[j] for i, j in pairs)
    assert edits == edit_distance(one, other)
    assert [-1, -1] not in pairs


def test_one_edited_word_stands_beside_the_other() -> None:
    one, other = ["the", "sun", "is", "shiny"], ["the", "moon", "is", "shiny"]
    assert align(one, other).tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert align(one, ["so", *one]).tolist() == [[-1, 0], [0, 1], [1, 2], [2, 3], [3, 4]]
    assert align(one, one[:1] + one[2:]).tolist() == [[0, 0], [1, -1], [2, 1], [3, 2]]
    assert align([], ["a"]).tolist() == [[-1, 0]]
    assert align([], []).shape == (0, 2)


def test_long_texts_that_share_nothing_are_paired_in_order() -> None:
    one, other = ["a"] * 20_000, ["b"] * 19_999
    pairs = align(one, other)
    assert len(pairs) == 20_000
    assert (pairs >= 0).all(axis=1).sum() == 19_999


@given(one=tokens, other=tokens, data=st.data())
@steady
def test_a_window_has_its_timesteps_and_what_is_inserted_between(
    one: list[str], other: list[str], data: st.DataObject
) -> None:
    pairs = align(one, other)
    start = data.draw(st.integers(0, len(one)))
    stop = data.draw(st.integers(start, len(one)))
    cut = pairs[window(pairs, start, stop)].tolist()
    assert [i for i, _ in cut if i >= 0] == list(range(start, stop))
    if start < stop:
        assert start == 0 or cut[0][0] == start
        assert stop == len(one) or cut[-1][0] == stop - 1
        assert pairs[window(pairs, 0, len(one))].tolist() == pairs.tolist()
