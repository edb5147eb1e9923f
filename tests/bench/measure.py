"""Figures, and how they are summed up and printed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value. ``goal`` is an upper bound; None where there is none."""

    name: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        return "reached" if self.value <= self.goal else "MISSED"


def p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table, so that it can be pasted into the README."""
    rows = [("what", "measured", "goal", "")]
    for figure in figures:
        goal = "" if figure.goal is None else f"≤ {number(figure.goal)} {figure.unit}"
        rows.append((figure.name, f"{number(figure.value)} {figure.unit}", goal, figure.verdict))
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def number(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
