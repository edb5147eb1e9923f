"""One timestep at a time: for text that is still being written, or too long to keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import Tensor

from lstm_core.batch import RecordingBatch
from lstm_core.equations import Step, input_projection, lstm_step
from lstm_core.errors import InputError
from lstm_core.inputs import exactly, initial_states
from lstm_core.recorder import Source
from lstm_core.recordings import Recording
from lstm_core.shape import StackShape
from lstm_core.stack import Stack, read_stack
from lstm_core.states import CellState, States, as_states


@dataclass(frozen=True, eq=False)
class StreamedStep:
    """Everything the layers computed at one timestep."""

    timestep: int
    shape: StackShape
    layers: tuple[Step, ...]  # each quantity (units) or (B, units)

    def __getitem__(self, key: tuple[str, int]) -> Tensor:
        """A quantity of one layer: (units), or (B, units). Raises SelectionError."""
        quantity, layer, _ = self.shape.find(key)
        value: Tensor = getattr(self.layers[layer], quantity)
        return value

    @property
    def output(self) -> Tensor:
        """h of the last layer."""
        return self.layers[-1].h

    @property
    def h_n(self) -> States:
        """h of every layer, shaped as the module returns it."""
        return as_states(self.shape, [step.h for step in self.layers])

    @property
    def c_n(self) -> States:
        """c of every layer, shaped like :attr:`h_n`."""
        return as_states(self.shape, [step.c for step in self.layers])

    @property
    def hx(self) -> tuple[States, States]:
        """(h_n, c_n), with which :func:`steps` or :func:`lstm_core.record` go on from here."""
        return self.h_n, self.c_n

    def __repr__(self) -> str:
        return f"StreamedStep {self.timestep} of {self.shape}"


def steps(
    lstm: Source,
    xs: Iterable[Tensor],
    hx: object = None,
    *,
    state: Recording | RecordingBatch | None = None,
    grad: bool = False,
) -> Iterator[StreamedStep]:
    """Run ``lstm`` on one timestep after another, as they come.

    ``xs`` gives (input_size,) or, for B sequences at once, (B, input_size) per timestep: a
    tensor (T, [B,] input_size), or anything that can be iterated, also without an end. ``hx``,
    ``state`` and ``grad`` are those of :func:`lstm_core.record`; nothing is kept between calls.

    Raises InputError for what does not fit, for an LSTM with a backward direction, which would
    have to begin at the end, and for dropout in training mode.
    """
    stack = read_stack(lstm)
    if any(direction == "backward" for _, direction in stack.shape.cells):
        raise InputError(
            "A backward direction cannot be run step by step: it begins at the end.",
            came=str(stack.shape),
            expected="an LSTM with a forward direction only; record() takes whole sequences",
        )
    if stack.has_dropout:
        raise InputError(
            "This LSTM is in training mode, where dropout makes every step different.",
            came="training=True with dropout between layers",
            expected="call .eval() first; record() keeps the masks",
        )
    if not isinstance(xs, Iterable):
        raise InputError(
            "The timesteps cannot be gone through.",
            came=f"a {type(xs).__name__}",
            expected="a tensor (T, [B,] input_size), or anything that gives a timestep at a time",
        )
    return _steps(stack, xs, hx, state, grad)


def _steps(
    stack: Stack,
    xs: Iterable[Tensor],
    hx: object,
    state: Recording | RecordingBatch | None,
    grad: bool,
) -> Iterator[StreamedStep]:
    states: list[CellState] | None = None
    axes: tuple[int, ...] = ()
    for timestep, x in enumerate(xs):
        _check(stack, x, timestep, axes if states else None)
        batched = x.dim() == 2
        # Entered anew each time: the caller's own code runs between two steps.
        with exactly(stack.like, grad=grad):
            if states is None:
                axes = tuple(x.shape[:-1])
                states = initial_states(stack, batched, len(x) if batched else 1, hx, state)
            below = x if batched else x[None]
            layers = []
            for n, layer in enumerate(stack.layers):
                weights = layer.cells["forward"]
                h, c = states[n]
                step = lstm_step(input_projection(below, weights), h, c, weights)
                # Copies: what the caller does to the step he is given must not go on from here.
                states[n] = CellState(step.h.clone(), step.c.clone())
                layers.append(step if batched else Step(*(value[0] for value in step)))
                below = step.h
        yield StreamedStep(timestep, stack.shape, tuple(layers))


def _check(stack: Stack, x: object, timestep: int, axes: tuple[int, ...] | None) -> None:
    like, width = stack.like, stack.shape.input_size
    if not isinstance(x, Tensor):
        came = f"a {type(x).__name__}"
    elif (
        x.dim() not in (1, 2)
        or x.shape[-1] != width
        or 0 in x.shape
        or x.dtype != like.dtype
        or x.device != like.device
        or (axes is not None and tuple(x.shape[:-1]) != axes)
    ):
        came = f"shape {tuple(x.shape)}, {x.dtype} on {x.device}"
    else:
        return
    expected = f"({width},) or (B, {width})"
    if axes is not None:
        expected = f"{(*axes, width)}, as before"
    raise InputError(
        f"The input of timestep {timestep} does not fit.",
        came=came,
        expected=f"{expected}, {like.dtype} on {like.device}",
    )
