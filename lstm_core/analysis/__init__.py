"""What can be said about recorded arrays: array in, array out. No torch here.

    from lstm_core import analysis
    analysis.compare(rec, of=("h", 0), to=("h", 1))
    analysis.linear_cka(rec["h", 0], rec["c", 0])

The web server imports these modules, so that what is heavy (scipy) is imported by the function
that needs it, when it does, and the names below when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_core.analysis.alignment import align
    from lstm_core.analysis.comparison import Comparison, compare
    from lstm_core.analysis.decisions import Decisions, decide, perplexity
    from lstm_core.analysis.distances import (
        cosine,
        distance,
        first_parting,
        norms,
        relative_distance,
        total_variation,
    )
    from lstm_core.analysis.partners import best_matches, correlations, one_to_one_matches
    from lstm_core.analysis.paths import PrincipalPaths, principal_paths
    from lstm_core.analysis.similarity import cka_matrix, linear_cka

__all__ = [
    "Comparison",
    "Decisions",
    "PrincipalPaths",
    "align",
    "best_matches",
    "cka_matrix",
    "compare",
    "correlations",
    "cosine",
    "decide",
    "distance",
    "first_parting",
    "linear_cka",
    "norms",
    "one_to_one_matches",
    "perplexity",
    "principal_paths",
    "relative_distance",
    "total_variation",
]

_HOME = {
    "Comparison": "comparison",
    "Decisions": "decisions",
    "PrincipalPaths": "paths",
    "align": "alignment",
    "best_matches": "partners",
    "cka_matrix": "similarity",
    "compare": "comparison",
    "correlations": "partners",
    "cosine": "distances",
    "decide": "decisions",
    "distance": "distances",
    "first_parting": "distances",
    "linear_cka": "similarity",
    "norms": "distances",
    "one_to_one_matches": "partners",
    "perplexity": "decisions",
    "principal_paths": "paths",
    "relative_distance": "distances",
    "total_variation": "distances",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
