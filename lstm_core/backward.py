"""An LSTM that only reads from right to left, as ONNX and Keras have them and PyTorch has not."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_core.errors import InputError


class BackwardLSTM(nn.LSTM):
    """One layer that begins at the last timestep: ONNX's direction "reverse", Keras's go_backwards.

    It takes the arguments of ``nn.LSTM`` but ``num_layers``, ``dropout`` and ``bidirectional``.
    ``output[t]`` is what it knew when it was at timestep t, so that it stands beside a forward
    direction as the second half of a bidirectional output does; h_n is ``output[0]``.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        batch_first: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            bias=bias,
            batch_first=batch_first,
            proj_size=proj_size,
            device=device,
            dtype=dtype,
        )

    def forward(  # type: ignore[override]
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(output, (h_n, c_n)) as ``nn.LSTM`` gives them, for a tensor whose rows are all whole.

        Raises InputError for a PackedSequence, whose sequences end at different timesteps.
        """
        if isinstance(input, PackedSequence):
            raise InputError(
                "A BackwardLSTM takes whole sequences.",
                came="a PackedSequence",
                expected="a tensor; lstm_core.record takes lengths of its own",
            )
        time = 1 if self.batch_first and input.dim() == 3 else 0
        output, states = super().forward(input.flip(time), hx)
        return output.flip(time), states
