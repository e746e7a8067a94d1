"""Networks that give a probability to each symbol that may come next."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from throughtime.nn.dropout import VariationalDropout
from throughtime.nn.lstm import LSTM
from throughtime.nn.rnn import RNN


class GenerateNetwork(nn.Module):
    """Symbol vectors, recurrent layers, and a linear head over the symbols.

    Args:
        recurrent: A `throughtime.nn.RNN` or `LSTM`, time first, one direction, E inputs.
        symbols: V. Symbols are 0 to V - 1; V itself is the unknown symbol, whose vector stays zero.
        dropout: Share of the last layer's outputs dropped before the head, in training.
        input_dropout: Share of the symbol vectors' entries dropped, the same ones at every step of a batch.
        tied: The head's weights are the symbol vectors themselves, reached by a projection to E.

    Source of tying: Press and Wolf, Using the Output Embedding to Improve Language Models (2017).
    """

    def __init__(
        self,
        recurrent: LSTM | RNN,
        *,
        symbols: int,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        tied: bool = False,
    ) -> None:
        super().__init__()
        E, H = recurrent.input_size, recurrent.hidden_size
        self.symbols = symbols
        self.embedding = nn.Embedding(symbols + 1, E, padding_idx=symbols)
        self.input_dropout = VariationalDropout(input_dropout)
        self.recurrent = recurrent
        self.dropout = nn.Dropout(dropout)
        self.projection = nn.Linear(H, E, bias=False) if tied else None
        self.head = None if tied else nn.Linear(H, symbols)
        self.bias = nn.Parameter(torch.zeros(symbols)) if tied else None
        if tied:
            with torch.no_grad():
                self.embedding.weight.mul_(E**-0.5)  # as outputs they make logits of about unit size

    def forward(
        self, symbols: Tensor, state: tuple[Tensor, ...] | Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...] | Tensor]:
        """Read a batch of stretches.

        Args:
            symbols: (T, B), long.
            state: Of the recurrent layers before the first step; None: zeros.

        Returns:
            Logits (T, B, V) of the symbol after each step, and the state after the last.
        """
        x = self.input_dropout(self.embedding(symbols))
        y, state = self.recurrent(x, state)
        return self.logits(self.dropout(y)), state

    def logits(self, y: Tensor) -> Tensor:
        """Outputs (..., H) of the last layer to logits (..., V)."""
        if self.projection is not None:
            return functional.linear(self.projection(y), self.embedding.weight[: self.symbols], self.bias)
        assert self.head is not None
        found: Tensor = self.head(y)
        return found

    def stepper(self) -> SymbolStepper:
        """This network, one symbol per call; see `SymbolStepper`."""
        return SymbolStepper(self)


class SymbolStepper:
    """One sequence, symbol by symbol; the state stays inside.

    Args:
        network: In eval mode. When its weights have changed, make a new stepper.
    """

    def __init__(self, network: GenerateNetwork) -> None:
        self._network = network
        self._vectors = network.embedding.weight.detach().unsqueeze(1).unbind(0)
        self._step = network.recurrent.stream()

    @torch.no_grad()
    def __call__(self, symbol: int) -> Tensor:
        """Read a symbol, 0 to V; logits (V,) of the next."""
        return self._network.logits(self._step(self._vectors[symbol])[0])
