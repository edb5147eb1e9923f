"""What a distribution decides: against loops, scipy and torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch.nn import functional

from lstm_core.analysis import decisions
from lstm_core.analysis.decisions import decide, decide_blocks, perplexity
from lstm_core.errors import InputError
from tests.lstm_core.worlds import steady

#: Quarters: equal probabilities are the rule, not the exception.
COARSE = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
ANY = st.sampled_from([0.0, 0.125, 0.5, 1.0, math.nan, math.inf, -math.inf])
SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 7))


def distributions(T: int, labels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(labels, 0.3), T)


def by_hand(row: np.ndarray, target: int | None, k: int):
    """One timestep, sorted and looked up."""
    if not all(map(math.isfinite, row)):
        nothing = [-1] * min(k, len(row))
        return nothing, math.nan, math.nan
    order = sorted(range(len(row)), key=lambda n: (-row[n], n))
    padded = [*(row[n] for n in order), 0.0]
    known = target is not None and 0 <= target < len(row)
    rank = 1 + order.index(target) if known else math.nan
    return order[:k], rank, padded[0] - padded[1]


@steady
@given(st.data(), st.integers(1, 9), st.sampled_from([COARSE, ANY]))
def test_labels_ranks_and_margins_are_those_of_a_sort(data, k, elements):
    scores = data.draw(hnp.arrays(np.float32, SHAPES, elements=elements))
    T, labels = scores.shape
    targets = data.draw(st.lists(st.none() | st.integers(0, labels), min_size=T, max_size=T))

    found = decide(scores, targets, k)

    before = None
    for t, (row, target) in enumerate(zip(scores.tolist(), targets, strict=True)):
        top, rank, margin = by_hand(row, target, k)
        assert found.top[t].tolist() == top
        np.testing.assert_equal(found.rank[t], rank)
        np.testing.assert_equal(found.margin[t], margin)
        expected = [row[n] if n >= 0 else math.nan for n in top]
        np.testing.assert_equal(found.probability[t], expected)
        known = before not in (None, -1) and top[0] != -1
        assert found.changed[t] == (known and top[0] != before)
        before = top[0]


@steady
@given(SHAPES, st.integers(0, 99))
def test_entropy_is_that_of_scipy(shape, seed):
    p = distributions(*shape, seed)

    found = decide(p).entropy

    np.testing.assert_allclose(found, scipy.stats.entropy(p, axis=1), rtol=1e-12, atol=1e-12)


@steady
@given(SHAPES, st.integers(0, 99))
def test_surprise_is_the_cross_entropy_of_torch(shape, seed):
    logits = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()
    targets = torch.arange(shape[0]) % shape[1]

    found = decide(torch.softmax(logits, 1).numpy(), targets.tolist()).surprise

    expected = functional.cross_entropy(logits, targets, reduction="none")
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-10, atol=1e-12)


def test_perplexity_is_e_to_the_cross_entropy_of_what_is_known():
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(1)).double()
    targets = [0, 3, None, 1, 1, None]
    known = [t for t, target in enumerate(targets) if target is not None]

    found = perplexity(decide(torch.softmax(logits, 1).numpy(), targets).surprise)

    ids = torch.tensor([targets[t] for t in known])
    assert found == pytest.approx(math.exp(functional.cross_entropy(logits[known], ids)))
    assert math.isnan(perplexity(np.array([math.nan])))
    assert perplexity(np.array([math.inf, 1.0])) == math.inf


@pytest.mark.parametrize("rows", [1, 2, 3, 1000])
def test_blocks_of_any_size_say_the_same(monkeypatch, rows):
    p = distributions(10, 5)
    p[3] = math.nan
    targets = [0, 1, None, 3, 4, 0, 1, 2, None, 4]
    whole = decide(p, targets, 3)

    monkeypatch.setattr(decisions, "_BLOCK", 5 * rows)

    for a, b in zip(decide(p, targets, 3), whole, strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_more_of_a_vocabulary_is_in_memory_than_a_block():
    seen = []

    def blocks():
        for seed in range(3):
            block = distributions(4, 6, seed)
            seen.append(block)
            yield block

    found = decide_blocks(blocks(), k=2)

    np.testing.assert_array_equal(found.top, decide(np.concatenate(seen), k=2).top)


@pytest.mark.parametrize("k", [1, 5, 41, 50, 99])
def test_any_number_of_labels_comes_in_the_same_order(k):
    p = np.round(distributions(5, 50), 2)  # many are equal

    expected = [sorted(range(50), key=lambda n: (-row[n], n))[:k] for row in p]

    assert decide(p, k=k).top.tolist() == expected


def test_what_is_certain_has_no_entropy_and_what_cannot_be_is_infinitely_surprising():
    found = decide(np.array([[1.0, 0.0], [1.0, 0.0]]), [0, 1])

    assert found.entropy.tolist() == [0, 0]
    assert not np.signbit(found.entropy).any()
    assert found.surprise.tolist() == [0, math.inf]
    assert found.rank.tolist() == [1, 2]


def test_one_label_is_certain():
    found = decide(np.ones((2, 1)))

    assert found.top.tolist() == [[0], [0]]
    assert found.margin.tolist() == [1, 1]
    assert not found.changed.any()


def test_scores_are_not_written_to():
    p = distributions(4, 5)
    p.flags.writeable = False

    decide(p, [0] * 4, 5)


@pytest.mark.parametrize(
    ("scores", "targets", "k", "message"),
    [
        (np.ones((2, 2)), None, 0, "k ≥ 1"),
        (np.ones((2, 0)), None, 1, "no label"),
        (np.ones((0, 2)), None, 1, "no timestep"),
        (np.ones((2, 2)), [1], 1, "one target for every timestep"),
        (np.ones((2, 2)), [1, 1, 0], 1, "came: 3 targets|Came: 3 targets|3 targets"),
    ],
)
def test_what_decides_nothing_is_refused(scores, targets, k, message):
    with pytest.raises(InputError, match=message):
        decide(scores, targets, k)
