"""Recordings for the study page: of a trained forecast network, or of a tiny one trained on the spot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from throughtime.data import Windows
from throughtime.nn import LSTM, RNN
from throughtime.nn.forecast_network import ForecastNetwork
from throughtime.page.study import attach_error_map
from throughtime.page.study.replay import Replay
from throughtime.recording import Recording, record
from throughtime.recording.error_map import error_map
from throughtime.tasks.forecast import Forecaster
from throughtime.tasks.forecast_data import prepare_data, repeat_data
from throughtime.tasks.forecast_network import LOSS_NAME, objective
from throughtime.tasks.forecast_reach import forecast_errors
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.forecast_sources import SHIPPED_WEATHER, open_source
from throughtime.tasks.recurrent import describe_recurrent
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
    """Train a tiny network on the shipped weather and record it; see `weather_replay`."""
    return weather_replay(kind, updates=updates).record()


def weather_replay(kind: str = "lstm", *, updates: int | None = None) -> Replay:
    """A tiny network trained on the shipped weather, to be recorded on days it has not seen.

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
    torch.manual_seed(0)
    inputs = len(data.recipe.features)
    layer = LSTM(inputs, _UNITS, peepholes=True) if kind == "lstm" else RNN(inputs, _UNITS)
    network = StepNetwork(layer, _UNITS)
    _train(network, data.parts.train, UPDATES if updates is None else updates)
    chosen = _spread(data.parts.test, SEQUENCES)
    x, change = _steps(data.parts.test, chosen)
    notes = {
        "title": f"New York weather: the temperature {_LEAD} hours on",
        "input_names": "\n".join(data.recipe.features),
        "sequence_names": "\n".join(_days(data.parts.test, chosen)),
        "learning_rate": str(LEARNING_RATE),
    }
    return Replay(network, x, lambda model, inputs: _record_steps(model, inputs, change, notes))


def _record_steps(network: nn.Module, x: Tensor, change: Tensor, notes: dict[str, str]) -> Recording:
    with record(network, loss_reduction="½ squared error, mean over T·B") as rec:
        prediction = network(x)
        each = 0.5 * (prediction - change).square()
        torch.autograd.backward(each.mean())
    rec.notes |= notes
    for key, tensor in {"loss": each, "prediction": prediction, "target": change}.items():
        rec.attach(key, tensor)
    attach_error_map(rec, error_map(network, x, lambda output: 0.5 * (output - change).square()))
    return rec


def record_forecast(folder: str | Path) -> Recording:
    """Record a trained forecast network on windows of its test part; see `forecast_replay`."""
    return forecast_replay(folder).record()


def forecast_replay(folder: str | Path) -> Replay:
    """A trained forecast network, to be recorded on windows of its test part.

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
    targets = windows.targets(chosen)
    notes = {
        "title": f"{settings.target}, {settings.horizon} ahead: {describe_recurrent(settings)}",
        "input_names": "\n".join(forecaster.recipe_.features),
        "sequence_names": "\n".join(_days(windows, chosen)),
    }
    network = forecaster.network_.eval()
    return Replay(
        network, windows.inputs(chosen), lambda model, x: _record_last(model, Batch(x, targets), notes)
    )


def _record_last(network: nn.Module, batch: Batch, notes: dict[str, str]) -> Recording:
    with record(network, loss_reduction=LOSS_NAME) as rec:
        torch.autograd.backward(objective(network, batch).loss)
    rec.notes |= notes
    attach_error_map(rec, forecast_errors(cast(ForecastNetwork, network), batch.inputs, len(batch.inputs)))
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
