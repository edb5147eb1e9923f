"""What this installation is: its version, and where the files it serves lie."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

#: The page. It lies beside this package, in the repository and in an installed wheel alike.
STATIC = Path(__file__).resolve().parent.parent / "static"


def version(distribution: str = "gatescope") -> str:
    """The installed version of a distribution; ``source`` when it runs without being installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "source"


def plotly_file() -> Path:
    """plotly.js as the Python package carries it; found without importing that package."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The Python package plotly is not installed.")
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"
