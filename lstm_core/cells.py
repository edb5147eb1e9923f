"""A cell written by hand, as people write it: two linear maps to all four gates at once."""

from __future__ import annotations

import math

from torch import Tensor, nn

from lstm_core.equations import GATES, CellWeights, input_projection, lstm_step
from lstm_core.errors import InputError


def gate_order(order: str) -> str:
    """``order`` with the candidate called g, as the papers and PyTorch do; some call it c.

    Raises InputError when it does not name each gate once.
    """
    normal = order.lower().replace("c", "g") if isinstance(order, str) else ""
    if sorted(normal) != sorted(GATES):
        raise InputError(
            "The order of the gates does not name each of them once.",
            came=repr(order),
            expected="the letters i, f, o and g (or c) in the order of the rows, such as 'ifgo'",
        )
    return normal


class FusedCell(nn.Module):
    """An LSTM cell whose gates are the rows of two matrices, in any order, with 0 to 2 biases.

    It takes weights as they are, shares and never copies them, and runs like ``nn.LSTMCell``:
    ``h, c = cell(x, (h, c))``.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None
    bias_hh: Tensor | None

    def __init__(
        self,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor | None = None,
        bias_hh: Tensor | None = None,
        *,
        gates: str = GATES,
    ) -> None:
        """``weight_ih`` (4H, input_size), ``weight_hh`` (4H, H), biases (4H,).

        ``gates`` says in which order the gates' rows stand: 'ifgo' is PyTorch's, 'iofc' ONNX's,
        'ifco' that of Keras. Raises InputError for weights that do not fit each other.
        """
        super().__init__()
        self.gates = gate_order(gates)
        hidden = _checked("weight_hh", weight_hh, ("4H", "H"), weight_hh)
        hidden_size = hidden.shape[1]
        _checked("weight_hh", hidden, (4 * hidden_size, hidden_size), hidden)
        expected = {
            "weight_ih": (weight_ih, (4 * hidden_size, "input_size")),
            "weight_hh": (weight_hh, (4 * hidden_size, hidden_size)),
            "bias_ih": (bias_ih, (4 * hidden_size,)),
            "bias_hh": (bias_hh, (4 * hidden_size,)),
        }
        for name, (tensor, shape) in expected.items():
            if tensor is None and name.startswith("bias"):
                self.register_parameter(name, None)
            else:
                setattr(self, name, _parameter(_checked(name, tensor, shape, hidden)))

    @classmethod
    def from_linear(cls, input_map: nn.Linear, hidden_map: nn.Linear, *, gates: str) -> FusedCell:
        """The cell of two ``nn.Linear``: one reads x, the other h; both give 4H."""
        for name, linear in (("input_map", input_map), ("hidden_map", hidden_map)):
            if not isinstance(linear, nn.Linear):
                raise InputError(
                    f"{name} is not a linear map.",
                    came=f"a {type(linear).__name__}",
                    expected="a torch.nn.Linear",
                )
        return cls(
            input_map.weight, hidden_map.weight, input_map.bias, hidden_map.bias, gates=gates
        )

    @property
    def hidden_size(self) -> int:
        return len(self.weight_hh) // 4

    @property
    def input_size(self) -> int:
        return int(self.weight_ih.shape[1])

    @property
    def weights(self) -> CellWeights:
        return CellWeights(
            self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, None, self.gates
        )

    def reset_parameters(self) -> None:
        """Uniform in ±1/√H, as ``nn.LSTMCell`` does."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """(h, c) after one timestep; ``x`` (B, input_size) or (input_size,), state alike.

        Raises InputError for any other shape.
        """
        if x.dim() not in (1, 2) or x.shape[-1] != self.input_size:
            raise InputError(
                "The input of the cell does not fit.",
                came=f"shape {tuple(x.shape)}",
                expected=f"({self.input_size},) or (B, {self.input_size})",
            )
        if state is None:
            zeros = x.new_zeros(*x.shape[:-1], self.hidden_size)
            state = zeros, zeros
        step = lstm_step(input_projection(x, self.weights), *state, self.weights)
        return step.h, step.c

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}, gates={self.gates!r}"


def _parameter(tensor: Tensor) -> nn.Parameter:
    """The same memory as a parameter, which is what ``.to()`` and ``state_dict()`` look for."""
    if isinstance(tensor, nn.Parameter):
        return tensor
    return nn.Parameter(tensor.detach(), requires_grad=tensor.requires_grad)


def _checked(name: str, tensor: object, shape: tuple[object, ...], like: Tensor) -> Tensor:
    if not isinstance(tensor, Tensor):
        came = f"a {type(tensor).__name__}"
    elif tensor.dtype != like.dtype or tensor.device != like.device:
        came = f"{tensor.dtype} on {tensor.device}, beside {like.dtype} on {like.device}"
    elif (
        tensor.dim() != len(shape)
        or 0 in tensor.shape
        or any(isinstance(n, int) and n != m for n, m in zip(shape, tensor.shape, strict=True))
        or not tensor.is_floating_point()
    ):
        came = f"shape {tuple(tensor.shape)}, {tensor.dtype}"
    else:
        return tensor
    wanted = ", ".join(str(n) for n in shape) + ("," if len(shape) == 1 else "")
    raise InputError(
        f"{name} does not fit.", came=came, expected=f"shape ({wanted}): 4 gates × H rows"
    )
