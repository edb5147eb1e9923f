"""Which units do what a question asks for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_core.errors import InputError


def matching_units(
    values: NDArray[Any],
    start: int,
    stop: int,
    above: float,
    *,
    off_before: bool = False,
    off_after: bool = False,
) -> NDArray[np.intp]:
    """The units whose value is above ``above`` at every timestep ``start`` ≤ t < ``stop``.

    With ``off_before`` only those that are at most ``above`` at ``start`` - 1, with ``off_after``
    at ``stop``; where there is no such timestep the unit counts as off. ``values`` is (T, U), and
    numbers are compared as float64. NaN is neither above nor at most anything.

    The question of LSTMVis (Strobelt et al. 2018, https://arxiv.org/abs/1606.07461): which cells
    are on in this phrase and off around it?

    Raises InputError where there are no such timesteps, or ``above`` is NaN.
    """
    T = len(values)
    if not 0 <= start < stop <= T:
        raise InputError(
            "There are no such timesteps.",
            came=f"start {start}, stop {stop}",
            expected=f"0 ≤ start < stop ≤ {T}",
        )
    if np.isnan(above):
        raise InputError("Nothing is above NaN.", came="above NaN", expected="a number")
    # As a float64 of numpy's: a float of Python's would be rounded to the array's type first.
    threshold = np.float64(above)
    matching = (values[start:stop] > threshold).all(axis=0)
    if off_before and start > 0:
        matching &= values[start - 1] <= threshold
    if off_after and stop < T:
        matching &= values[stop] <= threshold
    return np.flatnonzero(matching)
