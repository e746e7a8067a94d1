"""Recordings for the study page: of a trained forecast network, or of a tiny one trained on the spot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from throughtime.data import Windows
from throughtime.nn import LSTM, RNN
from throughtime.recording import Recording, record
from throughtime.tasks.forecast import Forecaster
from throughtime.tasks.forecast_data import prepare_data, repeat_data
from throughtime.tasks.forecast_network import LOSS_NAME, describe_network, objective
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.sources import SHIPPED_WEATHER, open_source
from throughtime.training import Batch

SEQUENCES = 4
LEARNING_RATE = 0.3
UPDATES = 1500
_UNITS = 6
_LEAD = 3
_COLUMNS = ("temp", "humid", "pressure")


class StepNetwork(nn.Module):
    """A recurrent layer and a head that answers at every time step.

    Args:
        recurrent: A `throughtime.nn.RNN` or `LSTM`, time first.
        hidden_size: H.
    """

    def __init__(self, recurrent: nn.Module, hidden_size: int) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(T, B, I) to (T, B)."""
        output: Tensor = self.head(self.recurrent(x)[0])
        return output.squeeze(-1)


def record_weather(kind: str = "lstm", *, updates: int | None = None) -> Recording:
    """Train a tiny network on the shipped weather and record it on days it has not seen.

    At every hour it forecasts by how much the temperature will have changed three hours later. Plain
    gradient descent, so that the update on the page is the one that was made.

    Args:
        kind: "lstm", with peepholes, or "rnn".
        updates: How often the weights change, by default `UPDATES`; 0 shows the untrained network.
    """
    settings = ForecastSettings(
        target="temp", columns=_COLUMNS, history="2d", horizon=f"{_LEAD}h", steps="last", time_features=False
    )
    data = prepare_data(open_source(SHIPPED_WEATHER, settings), settings)
    parts = data.parts
    torch.manual_seed(0)
    inputs = parts.train.table.shape[1]
    layer = LSTM(inputs, _UNITS, peepholes=True) if kind == "lstm" else RNN(inputs, _UNITS)
    network = StepNetwork(layer, _UNITS)
    _train(network, parts.train, UPDATES if updates is None else updates)
    x, change = _steps(parts.test, _spread(parts.test, SEQUENCES))
    with record(network, loss_reduction="½ squared error, mean over T·B") as rec:
        prediction = network(x)
        each = 0.5 * (prediction - change).square()
        torch.autograd.backward(each.mean())
    rec.notes |= {
        "title": f"New York weather: the temperature {_LEAD} hours on",
        "input_names": "\n".join(data.recipe.features),
        "sequence_names": "\n".join(_days(parts.test, _spread(parts.test, SEQUENCES))),
        "learning_rate": str(LEARNING_RATE),
    }
    for key, tensor in {"loss": each, "prediction": prediction, "target": change}.items():
        rec.attach(key, tensor)
    return rec


def record_forecast(folder: str | Path) -> Recording:
    """Record a trained forecast network on windows of its test part.

    Args:
        folder: A model folder; its data must still be where it was.

    Raises:
        ModelFolderError: the folder is damaged.
        DataError: the data is gone or was changed.
    """
    forecaster = Forecaster.load(folder)
    settings = forecaster.settings
    table = open_source(forecaster.source_, settings, expected=forecaster.source_)
    windows = repeat_data(table, settings, forecaster.recipe_, forecaster.scaler_).parts.test
    chosen = _spread(windows, SEQUENCES)
    network = forecaster.network_.eval()
    batch = Batch(windows.inputs(chosen), windows.targets(chosen))
    with record(network, loss_reduction=LOSS_NAME) as rec:
        torch.autograd.backward(objective(network, batch).loss)
    rec.notes |= {
        "title": f"{settings.target}, {settings.horizon} ahead: {describe_network(settings)}",
        "input_names": "\n".join(forecaster.recipe_.features),
        "sequence_names": "\n".join(_days(windows, chosen)),
    }
    return rec


def _train(network: StepNetwork, windows: Windows, updates: int) -> None:
    for number, chosen in enumerate(_batches(len(windows), 64)):
        if number == updates:
            return
        x, change = _steps(windows, chosen)
        network.zero_grad()
        torch.autograd.backward(0.5 * (network(x) - change).square().mean())
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.grad is not None:
                    parameter.sub_(LEARNING_RATE * parameter.grad)


def _batches(count: int, size: int) -> Iterator[np.ndarray]:
    generator = np.random.default_rng(0)
    while True:
        yield np.sort(generator.choice(count, size=min(size, count), replace=False))


def _steps(windows: Windows, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
    """Inputs (T, B, I), and for each step by how much the target will change, in its deviations, (T, B)."""
    rows = torch.from_numpy(np.arange(windows.history)[:, None] + windows.starts[chosen])
    target = windows.table[:, windows.series.target_column]
    change = target[_LEAD:] - target[:-_LEAD]
    return windows.inputs(chosen), change[rows] / change.std()


def _spread(windows: Windows, count: int) -> np.ndarray:
    """Windows from all over, the same each time."""
    return np.unique(np.linspace(0, len(windows) - 1, min(count, len(windows))).astype(int))


def _days(windows: Windows, chosen: np.ndarray) -> list[str]:
    ends = windows.last_times(chosen).astype("datetime64[s]").tolist()
    return [f"to {end:%d %b, %H:%M}" for end in ends]
