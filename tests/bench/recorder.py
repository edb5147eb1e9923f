"""The recorder beside an nn.LSTM that records nothing, and beside what people write by hand.

All contenders run in one process, in turn; what counts is the median of their ratios.

    python -m tests.bench.recorder          one layer, all contenders; some wider networks
    python -m tests.bench.recorder --all    every combination of sizes, layers and threads
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from lstm_core import warm_up
from tests.bench.contenders import BASE, OURS, Contender, contenders
from tests.bench.measure import Figure, grid, number

#: Rounds are repeated until so many seconds have gone, within these numbers of rounds.
SECONDS, LEAST_ROUNDS, MOST_ROUNDS = 4.0, 3, 41
#: With every combination of sizes, of which some take half a minute.
BRIEF_SECONDS, BRIEF_ROUNDS = 1.0, 1

LENGTHS, BATCHES, UNITS = (32, 1000), (1, 8, 32), (64, 128, 256, 512, 1024)


@dataclass(frozen=True)
class Size:
    timesteps: int
    batch: int
    units: int
    layers: int = 1
    directions: int = 1
    threads: int = 1


@dataclass(frozen=True)
class Row:
    """One size: the time of nn.LSTM, and how many times as long the others take."""

    size: Size
    milliseconds: float
    ratios: dict[str, float]


#: One layer and direction on one thread, against everybody.
PLAIN = [Size(*size) for size in itertools.product(LENGTHS, BATCHES, UNITS)]
#: Deeper, both ways, two threads: against nn.LSTM alone.
WIDER = [
    Size(T, B, H, layers, directions, threads)
    for T, B, H in ((32, 1, 64), (32, 32, 256), (1000, 1, 64), (1000, 1, 256), (1000, 32, 128))
    for layers, directions, threads in ((2, 1, 1), (1, 2, 1), (2, 2, 1), (1, 1, 2), (2, 2, 2))
]
EVERY = [Size(*size) for size in itertools.product(LENGTHS, BATCHES, UNITS, (1, 2), (1, 2), (1, 2))]


def measure() -> list[Figure]:
    """What `make bench` shows of it: the goals, and whether they are reached."""
    warm_up()
    rows = [*run(PLAIN), *run(WIDER, only=(BASE, OURS))]
    print(table(rows), end="\n\n")
    return [*_goals(rows), *memory()]


def run(
    sizes: Iterable[Size],
    only: Sequence[str] = (),
    *,
    seconds: float = SECONDS,
    rounds: int = LEAST_ROUNDS,
) -> list[Row]:
    rows = []
    for size in sizes:
        rows.append(_row(size, only, seconds, rounds))
        print(_line(rows[-1]), file=sys.stderr, flush=True)
    return rows


def _row(size: Size, only: Sequence[str], seconds: float, rounds: int) -> Row:
    torch.manual_seed(0)
    torch.set_num_threads(size.threads)
    lstm = nn.LSTM(size.units, size.units, size.layers, bidirectional=size.directions == 2).eval()
    x = torch.randn(size.timesteps, size.batch, size.units)
    runners = {
        name: runner for name, runner in contenders(lstm, x).items() if not only or name in only
    }
    times: dict[str, list[float]] = {name: [] for name in runners}
    with torch.no_grad():
        runners[BASE](), runners[OURS]()
        begin = time.perf_counter()
        while len(times[BASE]) < rounds or (
            time.perf_counter() - begin < seconds and len(times[BASE]) < MOST_ROUNDS
        ):
            for name, runner in runners.items():
                times[name].append(_time(runner))
    torch.set_num_threads(1)
    ratios = {
        name: statistics.median(t / base for t, base in zip(own, times[BASE], strict=True))
        for name, own in times.items()
        if name != BASE
    }
    return Row(size, statistics.median(times[BASE]) * 1000, ratios)


def _time(runner: Contender) -> float:
    begin = time.perf_counter()
    runner()  # what it gives is freed within, as it is for nn.LSTM
    return time.perf_counter() - begin


def _goals(rows: Sequence[Row]) -> list[Figure]:
    long = [row for row in rows if row.size.timesteps == 1000]
    plain = [row for row in long if row.size in PLAIN]
    alone = [row for row in plain if row.size.batch == 1]
    name = "recorder ÷ nn.LSTM that records nothing, 1,000 timesteps, one thread: largest for"
    figures = [
        Figure(f"{name} {what}", max(row.ratios[OURS] for row in chosen), "×", goal)
        for what, goal, chosen in (
            ("1 sequence, up to 256 units", 1.0, [r for r in alone if r.size.units <= 256]),
            ("1 sequence, 512 and 1,024 units", 1.3, [r for r in alone if r.size.units > 256]),
            ("8 sequences", None, [r for r in plain if r.size.batch == 8]),
            ("32 sequences", 1.8, [r for r in plain if r.size.batch == 32]),
        )
    ]
    ahead = min(row.ratios["plain cell"] / row.ratios[OURS] for row in alone)
    least = "plain cell ÷ recorder, 1 sequence of 1,000 timesteps: smallest"
    return [*figures, Figure(least, ahead, "×", 4.0, at_least=True)]


def table(rows: Sequence[Row]) -> str:
    others = ["forward hook", "LSTMCell loop", "plain cell"]
    head = ["T", "B", "H", "layers", "directions", "threads", "nn.LSTM", "recorder ÷"]
    head += [f"{other} ÷" for other in others]
    body = [
        [
            *(f"{value:,}" for value in asdict(row.size).values()),
            f"{number(row.milliseconds)} ms",
            *(number(row.ratios[n]) if n in row.ratios else "" for n in (OURS, *others)),
        ]
        for row in rows
    ]
    return grid([head, *body])


def _line(row: Row) -> str:
    ratios = "  ".join(f"{name} {ratio:.2f}" for name, ratio in row.ratios.items())
    return f"{row.size}: {row.milliseconds:.1f} ms  {ratios}"


# --- memory -------------------------------------------------------------------------------------


def memory() -> list[Figure]:
    """What one recording takes at its peak, each in a process of its own."""
    figures = []
    for T, B, H in ((1000, 1, 256), (1000, 32, 256), (1000, 1, 1024)):
        command = [sys.executable, "-m", "tests.bench.recorder", "--memory", f"{T},{B},{H}"]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peak, recorded, numbers, weights = json.loads(out)
        what = f"{T:,} timesteps × {B} sequences × {H:,} units"
        figures += [
            Figure(
                f"recorder: peak memory ÷ (1.15 × what is recorded + the weights), {what}",
                peak / (1.15 * recorded + weights),
                "×",
                1.0,
            ),
            Figure(f"recorder: bytes at the peak per recorded number, {what}", peak / numbers, "B"),
        ]
    return figures


def _memory(T: int, B: int, H: int) -> list[int]:
    """Bytes above what stood there before: at the peak, recorded; numbers; bytes of weights."""
    from lstm_core import RecordingBatch, record

    torch.set_num_threads(1)
    warm_up()
    lstm = nn.LSTM(H, H, 2).eval()
    with torch.no_grad():
        # Once in small: what is made at the first call belongs to the program.
        record(lstm, torch.randn(4, B, H)), lstm(torch.randn(4, B, H))
        x = torch.randn(T, B, H)
        before = _resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        batch = record(lstm, x)
        peak = _resident("VmHWM") - before
    assert isinstance(batch, RecordingBatch)
    recorded = sum(recording.nbytes for recording in batch)
    weights = sum(p.numel() * p.element_size() for p in lstm.parameters())
    return [peak, recorded, recorded // x.element_size(), weights]


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.recorder", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every combination of sizes")
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        print(json.dumps(_memory(*map(int, options.memory.split(",")))))
        return
    warm_up()
    if options.all:
        rows = run(EVERY, only=(BASE, OURS), seconds=BRIEF_SECONDS, rounds=BRIEF_ROUNDS)
        print(table(rows))
    else:
        print("\n".join(f"{f.name}: {number(f.value)} {f.unit} {f.verdict}" for f in measure()))


if __name__ == "__main__":
    main()
