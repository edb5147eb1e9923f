"""What a head says at every timestep: the next token, a tag, a class, or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

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

    def about(self) -> dict[str, Any]:
        """Everything but the numbers, as JSON can hold it."""
        return {"task": self.task, "labels": self.labels, "targets": self.targets}
