"""Figures, and how they are summed up and printed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value. ``goal`` is an upper bound, or a lower one; None where there is none."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        reached = self.value >= self.goal if self.at_least else self.value <= self.goal
        return "reached" if reached else "MISSED"


def p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table, so that it can be pasted into the README."""
    rows = [["what", "measured", "goal", ""]]
    for figure in figures:
        sign = "≥" if figure.at_least else "≤"
        goal = "" if figure.goal is None else f"{sign} {number(figure.goal)} {figure.unit}"
        rows.append([figure.name, f"{number(figure.value)} {figure.unit}", goal, figure.verdict])
    return grid(rows)


def grid(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table; the first is its head."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
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
