"""What a head says at every timestep: the next token, or a tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

Task = Literal["next_token", "tag"]


@dataclass(frozen=True, eq=False)
class Predictions:
    """A probability for every label at every timestep.

    ``labels`` names the columns of ``probabilities`` (T, labels), whose rows sum to 1.
    ``targets`` holds, where it is known, the label id that really came: for a language model
    the next token of the text itself, ``None`` at its end and for a token it does not know.
    """

    task: Task
    labels: list[str]
    probabilities: Tensor
    targets: list[int | None] | None = None

    def top(self, timestep: int, k: int = 5) -> list[tuple[str, float]]:
        """The k most probable labels at a timestep, most probable first."""
        values, ids = self.probabilities[timestep].topk(min(k, len(self.labels)))
        return [(self.labels[n], float(p)) for n, p in zip(ids.tolist(), values, strict=True)]

    def about(self) -> dict[str, Any]:
        """Everything but the probabilities, as JSON can hold it."""
        return {"task": self.task, "labels": self.labels, "targets": self.targets}
