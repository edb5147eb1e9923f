"""Vocabularies of what was seen often enough, and rare values hidden behind ``<unk>``.

A value seen n times is hidden with probability a / (a + n) while training (Kiperwasser and
Goldberg 2016): so ``<unk>`` stands for rare words, as it will later on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lstm_core.text import FEATURES, UNKNOWN

HIDING = 0.5  # a


class Hiding:
    """The values of every feature in the forms that training shows, and how often each occurs."""

    def __init__(self, forms: Sequence[str], features: Mapping[str, int], *, minimum: int) -> None:
        counts = {name: Counter(map(FEATURES[name], forms)) for name in features}
        self.vocabularies = {name: vocabulary(counts[name], minimum) for name in features}
        self._tables = [table(counts[name], self.vocabularies[name]) for name in features]

    def __call__(self, ids: Tensor, generator: torch.Generator) -> Tensor:
        """Feature ids (N, features) with some of them 0, each by its own chance."""
        columns = [table[ids[:, n]] for n, table in enumerate(self._tables)]
        probability = torch.stack(columns, dim=1)
        hidden = torch.rand(probability.shape, generator=generator) < probability
        return ids.masked_fill(hidden, 0)


def vocabulary(counts: Counter[str], minimum: int) -> list[str]:
    """``<unk>`` and every value seen often enough, the most frequent first."""
    return [UNKNOWN, *(value for value, n in counts.most_common() if n >= minimum)]


def table(counts: Counter[str], items: list[str]) -> Tensor:
    """Probability (items,) with which training hides each value of a vocabulary."""
    n = torch.tensor([float(counts[item]) for item in items])
    return HIDING / (HIDING + n)
