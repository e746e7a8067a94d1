"""A recurrent layer with a head that forecasts quantiles of one value at several lead times."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from throughtime.nn.recurrent import State


class QuantileHead(nn.Module):
    """Linear map to quantiles that do not cross.

    In training each output keeps its place, so that it learns one quantile; in eval mode the outputs are
    sorted, which never makes a forecast worse (Chernozhukov, Fernández-Val and Galichon, Quantile and
    probability curves without crossing, 2010).

    Args:
        input_size: H, size of what it reads.
        leads: K, number of lead times.
        quantiles: Q, number of quantiles.

    Shape: (..., H) to (..., K, Q), in eval mode rising along Q.
    """

    def __init__(self, input_size: int, leads: int, quantiles: int) -> None:
        super().__init__()
        self.leads, self.quantiles = leads, quantiles
        self.linear = nn.Linear(input_size, leads * quantiles)

    def forward(self, y: Tensor) -> Tensor:
        """Map (..., H) to quantiles (..., K, Q)."""
        raw: Tensor = self.linear(y)
        quantiles = raw.view(*y.shape[:-1], self.leads, self.quantiles)
        return quantiles if self.training else quantiles.sort(dim=-1).values


class ForecastNetwork(nn.Module):
    """Recurrent layers over the history, dropout, and a `QuantileHead` on the block output.

    The head forecasts the *change* from the target's last known value, so that an untrained network
    is close to the persistence forecast.

    Args:
        recurrent: A `throughtime.nn.RNN` or `LSTM`, time first, one direction.
        leads: K, number of lead times.
        quantiles: Q, number of quantiles.
        target_column: Index of the target among the inputs.
        dropout: Share of block outputs dropped before the head, in training.
    """

    def __init__(
        self, recurrent: nn.Module, *, leads: int, quantiles: int, target_column: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.dropout = nn.Dropout(dropout)
        self.head = QuantileHead(cast(int, recurrent.hidden_size), leads, quantiles)
        self.target_column = target_column

    def forward(
        self, x: Tensor, state: State | None = None, *, every_step: bool = False
    ) -> tuple[Tensor, State]:
        """Forecast from the last step of `x`, or from every step.

        Args:
            x: Inputs, scaled, (T, B, I).
            state: Of the recurrent layers; zero if left away.
            every_step: Forecast from each of the T steps.

        Returns:
            Quantiles in scaled units, (B, K, Q) or (T, B, K, Q), and the state after step T.
        """
        y, state = self.recurrent(x, state)
        last = x[..., self.target_column]
        if not every_step:
            y, last = y[-1], last[-1]
        return self.head(self.dropout(y)) + last[..., None, None], state
