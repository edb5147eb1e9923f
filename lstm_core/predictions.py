"""What a head says at every timestep: the next token, a tag, a class, or numbers."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lstm_core.analysis.decisions import Decisions, decide, perplexity
from lstm_core.model_spec import Task


@dataclass(frozen=True, eq=False)
class Predictions:
    """A number for every label at every timestep.

    ``labels`` names the columns of ``scores`` (T, labels): probabilities, whose rows sum to 1, or
    for the task "value" the head's own numbers. ``targets`` holds, where it is known, the label id
    that really came: for a language model the next token of the text itself, ``None`` at its end
    and for a token it does not know.
    """

    task: Task
    labels: list[str]
    scores: Tensor
    targets: list[int | None] | None = None

    @property
    def probabilities(self) -> Tensor:
        """(T, labels). Raises AttributeError for numbers that are none."""
        if self.task == "value":
            raise AttributeError("this head gives numbers, not probabilities; read .scores")
        return self.scores

    def top(self, timestep: int, k: int = 5) -> list[tuple[str, float]]:
        """The k most probable labels at a timestep, most probable first; of numbers the first k."""
        if self.task == "value":
            numbers = self.scores[timestep].tolist()
            return list(zip(self.labels, numbers, strict=True))[:k]
        values, ids = self.scores[timestep].topk(min(k, len(self.labels)))
        return [(self.labels[n], float(p)) for n, p in zip(ids.tolist(), values, strict=True)]

    @property
    def entropy(self) -> Tensor:
        """(T) in nats: how undecided the head is. This and the following as float64, of
        probabilities only; see :mod:`lstm_core.analysis.decisions`."""
        return torch.from_numpy(self._decided.entropy)

    @property
    def rank(self) -> Tensor:
        """(T) of the label that really came, from 1; NaN where nobody knows it."""
        return torch.from_numpy(self._decided.rank)

    @property
    def surprise(self) -> Tensor:
        """(T) -ln p of the label that really came, in nats; NaN where nobody knows it."""
        return torch.from_numpy(self._decided.surprise)

    @property
    def margin(self) -> Tensor:
        """(T) by how much the first label is more probable than the second."""
        return torch.from_numpy(self._decided.margin)

    @property
    def changed(self) -> Tensor:
        """(T) whether the top label is another one than at the timestep before."""
        return torch.from_numpy(self._decided.changed)

    @property
    def perplexity(self) -> float:
        """e to the mean surprise; NaN where nobody knows what really came."""
        return perplexity(self._decided.surprise)

    @functools.cached_property
    def _decided(self) -> Decisions:
        return decide(self.probabilities.detach().cpu().numpy(), self.targets, k=1)

    def about(self) -> dict[str, Any]:
        """Everything but the numbers, as JSON can hold it."""
        return {"task": self.task, "labels": self.labels, "targets": self.targets}
