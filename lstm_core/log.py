"""Every LSTM inside any module, recorded while the module runs.

    with lstm_core.recording(model) as log:
        model(batch)
    log["encoder.lstm"][0]["c", 1, "backward"]

The modules run as they always do and return what they always return; the recorder runs beside
them, on the same input, with the same dropout.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_core.cells import FusedCell
from lstm_core.equations import Step, input_projection, lstm_step
from lstm_core.errors import InputError, LSTMCoreError, SelectionError
from lstm_core.forward import Observed
from lstm_core.inputs import Inputs
from lstm_core.recorder import cut, record_observed
from lstm_core.recordings import Key, Recording, RecordingBatch
from lstm_core.sequences import Layout
from lstm_core.stack import Recordable, Stack, read_stack
from lstm_core.states import CellState, zero_states

Recorded: TypeAlias = Recording | RecordingBatch


class RecordingLog(Mapping[str, Sequence[Recorded]]):
    """The recordings of each LSTM, in the order of its calls, by its dotted name.

    A call of an ``nn.LSTM`` is one recording, or one batch of them. Calls of an ``nn.LSTMCell``
    are the timesteps of one, for as long as each is given the state that the one before returned.
    A call that could not be recorded raises its error when its recording is read.
    """

    def __init__(self, calls: Mapping[str, _Calls]) -> None:
        self._calls = calls

    def __getitem__(self, name: str) -> Sequence[Recorded]:
        if name not in self._calls:
            raise SelectionError("No such LSTM.", came=repr(name), exists=list(self._calls))
        return self._calls[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._calls)

    def __len__(self) -> int:
        return len(self._calls)

    def __repr__(self) -> str:
        lines = [f"  {name or '(the module itself)'}: {c!r}" for name, c in self._calls.items()]
        return "\n".join([f"RecordingLog of {len(self)} LSTMs", *lines])


@contextmanager
def recording(module: nn.Module) -> Iterator[RecordingLog]:
    """Record every ``nn.LSTM``, ``nn.LSTMCell`` and :class:`FusedCell` inside ``module``.

    What the module returns, its gradients and its random numbers are those without recording. All
    hooks are gone afterwards, whatever is raised inside. Recordings are compared (``parity``) with
    what the modules really returned. An LSTM that is used under several names has all of them.

    Raises InputError for a module without an LSTM inside.
    """
    if not isinstance(module, nn.Module):
        raise InputError(
            "Only a module can be recorded while it runs.",
            came=f"a {type(module).__name__}",
            expected="a torch.nn.Module with LSTMs inside",
        )
    calls: dict[str, _Calls] = {}
    by_module: dict[nn.Module, _Calls] = {}
    for name, child in module.named_modules(remove_duplicate=False):
        if isinstance(child, nn.LSTM | nn.LSTMCell | FusedCell):
            if child not in by_module:
                by_module[child] = (
                    _LSTMCalls(child) if isinstance(child, nn.LSTM) else _CellCalls(child)
                )
            calls[name] = by_module[child]
    if not calls:
        raise InputError(
            "There is no LSTM inside this module.",
            came=f"a {type(module).__name__} of {_inside(module)}",
            expected="an nn.LSTM or nn.LSTMCell somewhere in it",
        )
    handles = [handle for recorder in by_module.values() for handle in recorder.attach()]
    try:
        yield RecordingLog(calls)
    finally:
        for handle in handles:
            handle.remove()


def _inside(module: nn.Module) -> str:
    kinds = {type(child).__name__ for child in module.modules() if child is not module}
    return ", ".join(sorted(kinds)) or "no modules"


class _Calls(Sequence[Recorded]):
    """What one module has recorded."""

    def __init__(self, module: Recordable) -> None:
        self._module = module

    def attach(self) -> list[torch.utils.hooks.RemovableHandle]:
        return [
            self._module.register_forward_pre_hook(self._before, with_kwargs=True),
            self._module.register_forward_hook(self._after, with_kwargs=True),
        ]

    def _before(self, _module: nn.Module, _args: Any, _kwargs: Any) -> None:
        """Called before the module runs."""
        return

    @abstractmethod
    def _after(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """Called with what the module returned."""

    @abstractmethod
    def _results(self) -> Sequence[Recorded | LSTMCoreError]: ...

    def __len__(self) -> int:
        return len(self._results())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[n] for n in range(len(self))[index]]
        found = self._results()[index]
        if isinstance(found, LSTMCoreError):
            raise found
        return found

    def __repr__(self) -> str:
        return f"{type(self._module).__name__}, {len(self)} recorded"


class _LSTMCalls(_Calls):
    def __init__(self, module: nn.LSTM) -> None:
        super().__init__(module)
        self._recorded: list[Recorded | LSTMCoreError] = []
        self._random: Tensor | None = None

    def _results(self) -> Sequence[Recorded | LSTMCoreError]:
        return self._recorded

    def _before(self, module: nn.Module, _args: Any, _kwargs: Any) -> None:
        # The masks are not to be had from outside, but the same numbers can be drawn again.
        self._random = torch.get_rng_state() if _draws(module) else None

    def _after(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        x, hx = _arguments(args, kwargs, "input")
        try:
            with _beside(x.data if isinstance(x, PackedSequence) else x, self._random):
                self._recorded.append(self._record(module, x, hx, output))
        except LSTMCoreError as error:
            self._recorded.append(error)

    def _record(self, module: nn.Module, x: Any, hx: Any, output: Any) -> Recorded:
        if _draws(module) and not next(module.parameters()).is_cpu:
            raise InputError(
                "The dropout inside an LSTM on this device cannot be seen from outside.",
                came="training mode with dropout between layers, not on the CPU",
                expected="evaluation mode, or record(lstm, x), which draws masks of its own",
            )
        stack = read_stack(module)
        like = stack.like
        x, hx = _in_type(x, like), None if hx is None else tuple(_in_type(t, like) for t in hx)
        return record_observed(stack, x, hx, output)


@dataclass
class _CellRun:
    """The steps of a cell that were given one another's states."""

    stack: Stack
    batched: bool
    initial: CellState  # (B, ·)
    xs: list[Tensor] = field(default_factory=list)  # (B, input_size) each
    steps: list[Step] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)  # h as the module returned it
    returned: tuple[Tensor, Tensor] | None = None

    def goes_on(self, x: Tensor, hx: Any) -> bool:
        return (
            self.returned is not None
            and hx is not None
            and all(a is b for a, b in zip(hx, self.returned, strict=True))
            and (x.dim() == 2) == self.batched
        )

    def recorded(self) -> Recorded:
        T, B = len(self.xs), len(self.xs[0])
        layout = Layout(
            "batch" if self.batched else "sequence", (T,) * B, tuple(range(B)), False, T
        )
        rows = torch.stack(self.xs, dim=1).flatten(0, 1)
        arrays: dict[Key, Tensor] = {
            (quantity, 0, "forward"): torch.stack(
                [getattr(step, quantity) for step in self.steps], dim=1
            ).flatten(0, 1)
            for quantity in Step._fields
        }
        assert self.returned is not None
        output = torch.stack(self.outputs)
        observed = Observed(self.stack, layout, output, *self.returned)
        inputs = Inputs(self.stack, rows, layout, [self.initial])
        return cut(inputs, arrays, {}, observed, "reference")


class _CellCalls(_Calls):
    def __init__(self, module: nn.LSTMCell | FusedCell) -> None:
        super().__init__(module)
        self._runs: list[_CellRun | LSTMCoreError] = []
        self._built: list[Recorded | LSTMCoreError] = []

    def _results(self) -> Sequence[Recorded | LSTMCoreError]:
        # Built when first read. Only the last run can have grown since.
        if len(self._built) < len(self._runs) or self._grown():
            self._built = [
                run.recorded() if isinstance(run, _CellRun) else run for run in self._runs
            ]
        return self._built

    def _grown(self) -> bool:
        run, built = (self._runs[-1], self._built[-1]) if self._runs else (None, None)
        if not isinstance(run, _CellRun) or built is None or isinstance(built, LSTMCoreError):
            return False
        one = built[0] if isinstance(built, RecordingBatch) else built
        return len(one) < len(run.xs)

    def _after(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        x, hx = _arguments(args, kwargs, "x" if isinstance(module, FusedCell) else "input")
        last = self._runs[-1] if self._runs else None
        try:
            with _beside(x, None):
                if not isinstance(last, _CellRun) or not last.goes_on(x, hx):
                    last = self._begin(x, hx)
                    self._runs.append(last)
                self._step(last, x, output)
        except LSTMCoreError as error:
            self._runs.append(error)

    def _begin(self, x: Tensor, hx: Any) -> _CellRun:
        stack = read_stack(self._module)
        batched = x.dim() == 2
        if hx is None:
            initial = zero_states(stack.shape, len(x) if batched else 1, stack.like)[0]
        else:
            h, c = (_in_type(t, stack.like).detach().clone() for t in hx)
            initial = CellState(h, c) if batched else CellState(h[None], c[None])
        return _CellRun(stack, batched, initial)

    def _step(self, run: _CellRun, x: Tensor, output: Any) -> None:
        weights = read_stack(self._module).layers[0].cells["forward"]
        x = _in_type(x, run.stack.like).detach().clone()
        x = x if run.batched else x[None]
        h, c = (run.steps[-1].h, run.steps[-1].c) if run.steps else run.initial
        run.xs.append(x)
        run.steps.append(lstm_step(input_projection(x, weights), h, c, weights))
        run.outputs.append(output[0].detach().clone())
        run.returned = output


def _draws(module: nn.Module) -> bool:
    return (
        isinstance(module, nn.LSTM)
        and module.training
        and module.dropout > 0
        and module.num_layers > 1
    )


def _arguments(args: Any, kwargs: Any, name: str) -> tuple[Any, Any]:
    """The input and the state of a call, however they were passed."""
    x = args[0] if args else kwargs[name]
    state = args[1] if len(args) > 1 else kwargs.get("hx", kwargs.get("state"))
    return x, state


@contextmanager
def _beside(x: Tensor, random: Tensor | None) -> Iterator[None]:
    """Nothing in here is seen by autograd, cast by autocast, or noticed by the random numbers."""
    with (
        torch.no_grad(),
        torch.autocast(x.device.type, enabled=False),
        torch.random.fork_rng(devices=[], enabled=random is not None),
    ):
        if random is not None:
            torch.set_rng_state(random)
        yield


def _in_type(x: Any, like: Tensor) -> Any:
    """The type of the weights: under autocast an input may come with fewer bits."""
    return x.to(like.dtype)
