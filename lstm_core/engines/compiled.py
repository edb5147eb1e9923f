"""The compiled loop: for float32 and float64 on the CPU.

Compiling takes seconds, once per machine; loading what was compiled takes half of one. Neither is
ever waited for longer than the reference would need for the work at hand.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from lstm_core.equations import GATES, CellWeights, Step
from lstm_core.quantities import Direction
from lstm_core.sequences import Layout

Array: TypeAlias = np.ndarray[Any, Any]

logger = logging.getLogger(__name__)

#: What one step of one cell takes the reference, about.
_REFERENCE_SECONDS = 4e-5
#: Work that is not worth a thread in the background: a short script need not wait for it to end.
_PATIENCE_SECONDS = 0.25
#: After this long another process is given up, and this one compiles for itself.
_COMPILE_SECONDS = 120


class _Loader:
    """Imports and compiles the kernel in a thread, once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._spent = 0.0
        self.kernel: ModuleType | None = None
        self.failed = False

    def start(self, *, aside: bool) -> threading.Thread:
        """``aside``: others are at work here, and compiling would make them stall."""
        with self._lock:
            if self._thread is None:
                # Not a daemon: one that is ended in the middle of LLVM takes the process along.
                self._thread = threading.Thread(
                    target=self._load, args=(aside,), name="gatescope-compiler"
                )
                self._thread.start()
            return self._thread

    def is_ready(self, seconds: float) -> bool:
        """Whether it can be used for work that takes the reference so many seconds."""
        if self.kernel is None and not self.failed:
            self._spent += seconds
            if self._spent > _PATIENCE_SECONDS:
                thread = self.start(aside=True)
                if seconds > _PATIENCE_SECONDS:
                    thread.join(timeout=seconds)
        return self.kernel is not None

    def _load(self, aside: bool) -> None:
        try:
            from lstm_core.engines import kernel

            if aside and kernel.is_wanted_on_disk():
                _compile_elsewhere()
            kernel.prepare()
            self.kernel = kernel
        except Exception:  # whatever is wrong with a compiler, the reference still works
            self.failed = True
            logger.warning("The fast path could not be compiled.", exc_info=True)


def _compile_elsewhere() -> None:
    """In another process, which leaves its work on the disk; a thread would hold up the others."""
    # Behind everything else, where a system knows niceness.
    program = (
        "import os; getattr(os, 'nice', int)(5); "
        "from lstm_core.engines import kernel; kernel.prepare()"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_COMPILE_SECONDS,
            check=False,
        )


_loader = _Loader()


def missing() -> str | None:
    """Why it can never be used here."""
    if _loader.kernel is not None:
        return None
    if importlib.util.find_spec("numba") is None:
        return "numba is not installed"
    return "it could not be compiled" if _loader.failed else None


def warm_up(*, wait: bool = True) -> None:
    """Compile, or load what was compiled; otherwise that happens when it is worth it."""
    if missing() is None:
        thread = _loader.start(aside=not wait)
        if wait:
            thread.join()


def is_ready(cell_steps: int) -> bool:
    return _loader.is_ready(cell_steps * _REFERENCE_SECONDS)


def run(
    parts: list[Tensor],
    cells: Mapping[Direction, CellWeights],
    states: Mapping[Direction, tuple[Tensor, Tensor]],
    layout: Layout,
) -> dict[Direction, dict[str, Tensor]]:
    """One layer, see :func:`lstm_core.engines.run_layer`.

    Directions and sequences do not wait for each other: they share as many threads as torch may
    use.
    """
    arrays = {direction: _project(parts, weights) for direction, weights in cells.items()}
    assert _loader.kernel is not None
    kernel: Callable[..., None] = _loader.kernel.run
    lengths = np.array([layout.lengths[b] for b in layout.order])
    threads = torch.get_num_threads()
    count = max(1, min(len(lengths), threads // len(cells)))
    tasks: list[Callable[[], None]] = []
    for direction, weights in cells.items():
        first = np.array(layout.first_rows(direction))
        stride = 1 if direction == "forward" else -1
        fixed = [*arrays[direction].values(), *_matrices(weights)]
        for n in range(count):
            share = slice(n, None, count)  # interleaved, so that all have as much to do
            # Copies: the kernel works in the states.
            h, c = (np.array(t[share].numpy(), order="C") for t in states[direction])
            tasks.append(
                partial(kernel, *fixed, h, c, first[share].copy(), lengths[share].copy(), stride)
            )
    if threads == 1 or len(tasks) == 1:
        for task in tasks:
            task()
    else:
        for future in [_threads(threads).submit(task) for task in tasks]:
            future.result()
    return {
        direction: {quantity: torch.from_numpy(array) for quantity, array in own.items()}
        for direction, own in arrays.items()
    }


def _matrices(weights: CellWeights) -> list[Array]:
    """W_hh by gate, and the projection or an empty matrix."""
    W_hh = _numpy(weights.W_hh)
    W_hr = np.empty((0, 0), W_hh.dtype) if weights.W_hr is None else _numpy(weights.W_hr)
    return [*(W_hh[weights.rows(gate)] for gate in GATES), W_hr]


def _numpy(tensor: Tensor) -> Array:
    array: Array = tensor.detach().contiguous().numpy()
    return array


def _project(parts: list[Tensor], weights: CellWeights) -> dict[str, Array]:
    """Room for everything, W_ih x + b already where the gates will be: no second copy of either."""
    rows, H, P = parts[0].shape[0], weights.hidden_size, weights.W_hh.shape[1]
    size = rows * H
    # One block of all, from numpy, which asks for large pages: a fresh page costs more than
    # filling it. The gates come in the order of the weights, so that one product fills them.
    block = np.empty(5 * size + rows * P, _numpy(weights.W_hh[:0]).dtype)
    z = torch.from_numpy(block[: 4 * size]).view(4, rows, H)
    W = weights.W_ih.detach().reshape(4, H, -1).transpose(1, 2)
    bias, start = weights.bias, 0
    for part in parts:
        x = part.expand(4, *part.shape)
        columns = W[:, start : start + part.shape[1]]
        if start:
            torch.baddbmm(z, x, columns, out=z)
        elif bias is None:
            torch.bmm(x, columns, out=z)
        else:
            torch.baddbmm(bias.detach().view(4, 1, H), x, columns, out=z)
        start += part.shape[1]
    arrays = {
        quantity: block[n * size : (n + 1) * size].reshape(rows, H)
        for n, quantity in enumerate([*weights.gates, "c"])
    }
    arrays["h"] = block[5 * size :].reshape(rows, P)
    return {quantity: arrays[quantity] for quantity in Step._fields}


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="gatescope")


def _after_fork() -> None:
    """A forked process has none of its parent's threads, though it remembers them."""
    global _loader
    _threads.cache_clear()
    if _loader.kernel is None:
        _loader = _Loader()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
