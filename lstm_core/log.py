"""Every LSTM inside any module, recorded while the module runs.

    with lstm_core.recording(model) as log:
        model(batch)
    log["encoder.lstm"][0]["c", 1, "backward"]

The modules run as they always do and return what they always return; the recorder runs beside
them, on the same input, with the same dropout.
"""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from lstm_core.batch import RecordingBatch
from lstm_core.cells import FusedCell
from lstm_core.equations import CellWeights, Step, input_projection, lstm_step
from lstm_core.errors import InputError, LSTMCoreError, SelectionError
from lstm_core.finite import first_weight_not_finite
from lstm_core.forward import Observed
from lstm_core.inputs import Inputs, exactly
from lstm_core.recorder import cut, record_observed
from lstm_core.recordings import Key, Recording
from lstm_core.sequences import Form, Layout
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

    def _after(self, _module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """Called with what the module returned; whatever goes wrong is none of its caller's."""
        try:
            self._keep(args, kwargs, output)
        except LSTMCoreError as error:
            self._failed(error)
        except Exception as error:  # a subclass with other arguments or results, say
            failure = InputError(
                f"This call of {type(self._module).__name__} could not be recorded.",
                came=f"{type(error).__name__}: {error}",
                expected="the arguments and results of nn.LSTM or nn.LSTMCell",
            )
            failure.__cause__ = error
            self._failed(failure)

    @abstractmethod
    def _keep(self, args: Any, kwargs: Any, output: Any) -> None: ...

    @abstractmethod
    def _failed(self, error: LSTMCoreError) -> None: ...

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

    def _failed(self, error: LSTMCoreError) -> None:
        self._recorded.append(error)

    def _before(self, module: nn.Module, _args: Any, _kwargs: Any) -> None:
        # The masks are not to be had from outside, but the same numbers can be drawn again.
        self._random = torch.get_rng_state() if _draws(module) else None

    def _keep(self, args: Any, kwargs: Any, output: Any) -> None:
        x, hx = _arguments(args, kwargs, "input")
        stack = read_stack(self._module)
        if self._random is not None and not stack.like.is_cpu:
            raise InputError(
                "The dropout inside an LSTM on this device cannot be seen from outside.",
                came="training mode with dropout between layers, not on the CPU",
                expected="evaluation mode, or record(lstm, x), which draws masks of its own",
            )
        with _beside(stack.like, self._random):
            x = _in_type(x, stack.like)
            hx = None if hx is None else tuple(_in_type(part, stack.like) for part in hx)
            self._recorded.append(record_observed(stack, x, hx, output))


@dataclass
class _CellRun:
    """The steps of a cell that were given one another's states."""

    stack: Stack
    batched: bool
    initial: CellState  # (B, ·)
    weight: str | None  # the first that is not finite
    xs: list[Tensor] = field(default_factory=list)  # (B, input_size) each
    steps: list[Step] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)  # h as the module returned it
    c: Tensor | None = None  # the last it returned
    #: The last (h, c) themselves, weakly: what came before them is the caller's to keep.
    returned: tuple[weakref.ref[Tensor], ...] = ()

    def goes_on(self, x: Tensor, hx: Any) -> bool:
        """Whether ``hx`` is the state returned last, and still what it was."""
        return (
            hx is not None
            and self.c is not None
            and (x.dim() == 2) == self.batched
            and all(given is ref() for given, ref in zip(hx, self.returned, strict=True))
            and all(map(torch.equal, hx, (self.outputs[-1], self.c)))
        )

    def step(self, x: Tensor, weights: CellWeights, h: Tensor, c: Tensor) -> None:
        """One more timestep; ``h`` and ``c`` are what the module returned for it."""
        h_before, c_before = (self.steps[-1].h, self.steps[-1].c) if self.steps else self.initial
        z_x = input_projection(x, weights)
        self.xs.append(x)
        self.steps.append(lstm_step(z_x, h_before, c_before, weights))
        self.outputs.append(h.detach().clone())
        self.c = c.detach().clone()
        self.returned = weakref.ref(h), weakref.ref(c)

    def recorded(self) -> Recorded:
        T, B = len(self.xs), len(self.xs[0])
        form: Form = "batch" if self.batched else "sequence"
        layout = Layout(form, (T,) * B, tuple(range(B)), padded_length=T)
        arrays: dict[Key, Tensor] = {
            (quantity, 0, "forward"): _rows([getattr(step, quantity) for step in self.steps])
            for quantity in Step._fields
        }
        assert self.c is not None
        output = torch.stack(self.outputs)
        observed = Observed(
            self.stack, layout, output, self.outputs[-1], self.c, weight=self.weight
        )
        inputs = Inputs(self.stack, _rows(self.xs), layout, [self.initial])
        return cut(inputs, arrays, {}, observed, "reference")


def _rows(steps: list[Tensor]) -> Tensor:
    """(B, ·) of each step as rows, sequence after sequence."""
    return torch.stack(steps, dim=1).flatten(0, 1)


class _CellCalls(_Calls):
    def __init__(self, module: nn.LSTMCell | FusedCell) -> None:
        super().__init__(module)
        self._runs: list[_CellRun | LSTMCoreError] = []
        #: By run: how many steps it had, and what was built of them.
        self._built: dict[int, tuple[int, Recorded | LSTMCoreError]] = {}

    def _results(self) -> Sequence[Recorded | LSTMCoreError]:
        """Built when first read; only the last run can have grown since."""
        for n, run in enumerate(self._runs):
            length = len(run.xs) if isinstance(run, _CellRun) else 0
            if n not in self._built or self._built[n][0] != length:
                self._built[n] = length, run.recorded() if isinstance(run, _CellRun) else run
        return [built for _, built in self._built.values()]

    def _failed(self, error: LSTMCoreError) -> None:
        self._runs.append(error)

    def _keep(self, args: Any, kwargs: Any, output: Any) -> None:
        x, hx = _arguments(args, kwargs, "x" if isinstance(self._module, FusedCell) else "input")
        stack = read_stack(self._module)
        with _beside(stack.like, None):
            last = self._runs[-1] if self._runs else None
            fresh = not isinstance(last, _CellRun) or not last.goes_on(x, hx)
            run = self._begin(stack, x, hx) if fresh else last
            assert isinstance(run, _CellRun)
            x = _in_type(x, stack.like).detach().clone()
            h, c = output
            run.step(x if run.batched else x[None], stack.layers[0].cells["forward"], h, c)
            if fresh:
                self._runs.append(run)

    def _begin(self, stack: Stack, x: Tensor, hx: Any) -> _CellRun:
        if 0 in x.shape:
            raise InputError(
                "There is nothing to record.",
                came=f"shape {tuple(x.shape)}",
                expected="at least one sequence",
            )
        batched = x.dim() == 2
        if hx is None:
            initial = zero_states(stack.shape, len(x) if batched else 1, stack.like)[0]
        else:
            h, c = (_in_type(part, stack.like).detach().clone() for part in hx)
            initial = CellState(h, c) if batched else CellState(h[None], c[None])
        return _CellRun(stack, batched, initial, first_weight_not_finite(stack))


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
def _beside(like: Tensor, random: Tensor | None) -> Iterator[None]:
    """Nothing in here is seen by autograd, cast by autocast, or noticed by the random numbers."""
    with exactly(like), torch.random.fork_rng(devices=[], enabled=random is not None):
        if random is not None:
            torch.set_rng_state(random)
        yield


def _in_type(x: Any, like: Tensor) -> Any:
    """The type of the weights: under autocast an input may come with fewer bits."""
    return x.to(like.dtype)
