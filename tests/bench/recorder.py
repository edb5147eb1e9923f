"""The recorder beside an nn.LSTM that records nothing, in one process, paired."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from lstm_core import record
from tests.bench.measure import Figure

RUNS = 15


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    figures = []
    for timesteps, units, layers in ((30, 64, 2), (200, 512, 4)):
        lstm = nn.LSTM(64, units, layers).eval()
        x = torch.randn(timesteps, 64)
        ratio = statistics.median(
            _time(lambda lstm=lstm, x=x: record(lstm, x)) / _time(lambda lstm=lstm, x=x: lstm(x))
            for _ in range(RUNS)
        )
        size = f"{timesteps} tokens × {layers} layers × {units} units"
        figures.append(Figure(f"recorder ÷ nn.LSTM that records nothing, {size}", ratio, "×"))
    return figures


def _time(run: Callable[[], object]) -> float:
    with torch.no_grad():
        run()
        begin = time.perf_counter()
        run()
        return time.perf_counter() - begin
