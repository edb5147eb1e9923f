"""What is left after the filters, against definitions written out label by label."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from lstm_core.analysis.sampling import (
    draw,
    entropy,
    most_probable,
    number_at,
    rank,
    ranking,
    remaining,
)
from lstm_core.errors import InputError
from tests.lstm_core.worlds import steady

#: Multiples of 1/1024, so that no sum is rounded; zeros and equals come often.
rows = st.lists(st.integers(0, 12), min_size=1, max_size=12).filter(any).map(np.array)


def by_definition(
    weights: list[int], k: int | None, p: Fraction | None, allowed: list[bool]
) -> list[float]:
    """Each label is kept or not by looking at all the others, in exact fractions."""
    kept = {n: w for n, w in enumerate(weights) if w and allowed[n]}
    before = {n: [m for m in kept if (kept[m], -m) > (kept[n], -n)] for n in kept}
    if k is not None:
        kept = {n: w for n, w in kept.items() if len(before[n]) < k}
    if p is not None:
        total = sum(kept.values())
        kept = {
            n: w
            for n, w in kept.items()
            if sum(Fraction(kept[m], total) for m in before[n] if m in kept) < p
        }
    total = sum(kept.values())
    return [kept.get(n, 0) / total if total else 0.0 for n in range(len(weights))]


@steady
@given(
    rows,
    st.none() | st.integers(1, 14),
    st.none() | st.integers(1, 64).map(lambda n: Fraction(n, 64)),
    st.data(),
)
def test_top_k_and_top_p_keep_what_their_definitions_say(
    weights: Any, k: int | None, p: Fraction | None, data: Any
) -> None:
    allowed = data.draw(st.lists(st.booleans(), min_size=len(weights), max_size=len(weights)))
    kept = [int(w) for w, yes in zip(weights, allowed, strict=True) if yes]
    # A sum that is exactly p but for rounding may fall on either side.
    if p is not None and sum(kept):
        largest = sorted(kept, reverse=True)[:k]
        ends = np.cumsum(largest) / sum(largest)
        assume(not np.isclose(ends[:-1], float(p), rtol=1e-12).any())
    found = remaining(
        weights / weights.sum(),
        top_k=k,
        top_p=None if p is None else float(p),
        allowed=np.array(allowed),
    )
    expected = by_definition(weights.tolist(), k, p, allowed)
    np.testing.assert_allclose(found, expected, atol=1e-15)
    assert ((found > 0) == (np.array(expected) > 0)).all()


@steady
@given(rows, st.sampled_from([0.05, 0.3, 0.5, 1.0, 2.0, 30.0]))
def test_a_temperature_is_a_softmax_of_scores_divided_by_it(weights: Any, t: float) -> None:
    p = weights / weights.sum()
    powers = [math.pow(w / max(weights), 1 / t) if w else 0.0 for w in weights]
    expected = np.array(powers) / math.fsum(powers)
    np.testing.assert_allclose(remaining(p, temperature=t), expected, rtol=1e-12, atol=1e-300)


def test_a_low_temperature_leaves_the_most_probable_and_a_high_one_makes_all_equal() -> None:
    p = np.array([0.2, 0.5, 0.0, 0.3])
    assert remaining(p, temperature=1e-4).tolist() == [0, 1, 0, 0]
    np.testing.assert_allclose(remaining(p, temperature=1e9), [1 / 3, 1 / 3, 0, 1 / 3], rtol=1e-8)


def test_of_equals_the_lower_id_is_the_more_probable() -> None:
    p = np.full(4, 0.25)
    assert remaining(p, top_k=2).tolist() == [0.5, 0.5, 0, 0]
    assert remaining(p, top_p=0.5).tolist() == [0.5, 0.5, 0, 0]
    assert remaining(p, top_p=0.51).tolist() == [1 / 3, 1 / 3, 1 / 3, 0]
    assert (most_probable(p), ranking(p).tolist()) == (0, [0, 1, 2, 3])
    assert [rank(p, n) for n in range(4)] == [1, 2, 3, 4]


def test_the_nucleus_holds_one_label_at_least_and_the_whole_keeps_even_the_smallest() -> None:
    p = np.array([1 - 1e-17, 1e-18, 0.0])
    assert remaining(p, top_p=1e-9).tolist() == [1, 0, 0]
    assert (remaining(p, top_p=1.0) > 0).tolist() == [True, True, False]


def test_where_nothing_is_allowed_nothing_is_left() -> None:
    p = np.array([0.5, 0.5, 0.0])
    for allowed in ([False] * 3, [False, False, True]):
        assert not remaining(p, allowed=np.array(allowed), top_k=2).any()


@steady
@given(rows, st.floats(0, 1, exclude_max=True))
def test_a_number_falls_on_the_label_whose_stretch_it_is_in(weights: Any, number: float) -> None:
    p = weights / weights.sum()
    ends = np.concatenate([[0], np.cumsum(p)])
    found = draw(p, number)
    assert p[found] > 0
    assert ends[found] - 1e-12 <= number * ends[-1] <= ends[found + 1] + 1e-12


def test_the_ends_of_the_numbers_fall_on_labels_that_can_be() -> None:
    p = np.array([0.0, 0.5, 0.5, 0.0])
    assert [draw(p, number) for number in (0.0, 0.4999, 0.5, 1 - 2**-53)] == [1, 1, 2, 2]


def test_draws_at_many_places_have_the_probabilities_they_are_drawn_from() -> None:
    """Pearson's chi-square, 4 degrees of freedom; the seed is fixed, so this never flickers."""
    p = remaining(np.array([0.3, 0.05, 0.4, 0.0, 0.2, 0.05]), temperature=0.8, top_k=5)
    drawn = np.bincount([draw(p, number_at(7, place)) for place in range(20_000)], minlength=6)
    assert drawn[3] == 0
    kept = p > 0
    assert stats.chisquare(drawn[kept], 20_000 * p[kept]).pvalue > 0.01


def test_numbers_are_even_and_know_nothing_of_their_neighbours() -> None:
    numbers = np.array([number_at(3, place) for place in range(20_000)])
    others = np.array([number_at(4, place) for place in range(20_000)])
    assert stats.kstest(numbers, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(numbers, others)[0, 1]) < 0.02


def test_the_numbers_are_the_same_on_every_machine() -> None:
    """As numpy's own generator gives them today: what a link promises must not change."""
    for seed, place in ((0, 0), (1, 7), (2**53 - 1, 20_000)):
        own = np.random.Generator(np.random.PCG64([seed, place])).random()
        assert number_at(seed, place) == own
    assert [round(number_at(0, place), 12) for place in range(3)] == NUMBERS


NUMBERS = [0.636961687321, 0.889738791278, 0.080824039173]


@steady
@given(rows)
def test_entropy_is_scipys_and_never_below_nothing(weights: Any) -> None:
    p = weights / weights.sum()
    assert entropy(p) == pytest.approx(stats.entropy(weights), abs=1e-12)
    assert math.copysign(1, entropy(p)) == 1


@steady
@given(rows)
def test_a_rank_is_the_place_among_all(weights: Any) -> None:
    p = weights / weights.sum()
    order = ranking(p)
    assert all((p[a], -a) > (p[b], -b) for a, b in pairwise(order.tolist()))
    for n in range(len(p)):
        assert rank(p, n) == 1 + order.tolist().index(n)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"temperature": math.inf}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.5}, "top_p"),
        ({"top_p": math.nan}, "top_p"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        remaining(np.array([1.0]), **options)


@pytest.mark.parametrize("p", [[], [[0.5, 0.5]], [math.nan, 1], [-0.1, 1.1]])
def test_what_is_no_row_of_probabilities_is_refused(p: Any) -> None:
    for use in (remaining, most_probable, entropy):
        with pytest.raises(InputError, match="no row of probabilities"):
            use(p)
