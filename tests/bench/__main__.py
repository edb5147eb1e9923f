"""python -m tests.bench: how fast it is. Prints a table and writes it as JSON.

Times belong to the machine they were measured on, which is named in the table; the ratios carry
over. Nothing here is a test: a slow day fails nobody's change.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.bench import comparing, opening, page, recorder, start
from tests.bench.measure import table
from tests.bench.models import write_models
from tests.serving import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    output = parser.parse_args().output

    figures = [*start.measure(), *recorder.measure(), *comparing.measure()]
    with tempfile.TemporaryDirectory() as folder:
        write_models(Path(folder))
        with serve(settings={"model_folders": folder}) as server:
            figures += opening.measure(server)
            figures += page.measure(server.url)
    print(table(figures))
    print(f"\nMeasured on {machine()}.")
    report = {"machine": machine(), "figures": [asdict(figure) for figure in figures]}
    output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"Written to {output}.")


def machine() -> str:
    python = f"Python {platform.python_version()}"
    return f"{os.cpu_count()} × {_processor()}, {platform.system()}, {python}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
