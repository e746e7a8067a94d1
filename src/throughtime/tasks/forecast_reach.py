"""How far back a trained forecaster sees, for its page: error map, gates, memory length in units of time."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import torch
from torch import Tensor

from throughtime.data import Windows, format_duration
from throughtime.nn.forecast_network import ForecastNetwork
from throughtime.ops.lstm_loop import LSTMForward
from throughtime.page import forecast_report as page
from throughtime.recording.error_map import ErrorMap, error_map
from throughtime.recording.memory import MemoryLength, memory_length
from throughtime.recording.passes import LayerPass, run, watching
from throughtime.tasks.intervals import MEDIAN
from throughtime.training import FitResult

SEQUENCES, LOSSES, COLUMNS, UNITS = 4, 96, 120, 48  # at most so many are looked at, or drawn
_GATES = {"i": "input gate", "f": "forget gate", "o": "output gate"}


def build_reach(network: ForecastNetwork, windows: Windows, result: FitResult) -> page.Reach | None:
    """The section of the page; None where a window has a single step.

    Args:
        network: Trained.
        windows: Of the test part.
        result: How training went, watched.
    """
    T, step = windows.history, windows.series.step
    if T < 2 or not len(windows):
        return None
    was_training = network.training
    network.eval()
    try:
        errors = forecast_errors(network, windows.inputs(_spread(len(windows), SEQUENCES)), T)
        one = _last_window(network, windows)
    finally:
        network.train(was_training)
    memory = memory_length(errors)
    columns = _spread(T, COLUMNS)
    return page.Reach(
        value=_value(errors),
        memory=_length(memory, step),
        verdict=errors.reach().verdict(),
        summary=_sentence(errors, memory, step),
        step_hours=step.total_seconds() / 3600,
        left=[None if np.isnan(share) else share for share in errors.reach().shares.tolist()],
        map_losses=errors.at.tolist(),
        map_steps=columns.tolist(),
        map=_log_shares(errors, columns),
        rasters=_rasters(one, columns),
        exploded=_exploded(result),
    )


def forecast_errors(network: ForecastNetwork, x: Tensor, T: int) -> ErrorMap:
    """Errors of the median forecast itself, mean over its lead times."""

    def forecast(quantiles: Tensor) -> Tensor:
        return quantiles[..., MEDIAN].mean(-1)

    return error_map(network, x, forecast, at=_spread(T, LOSSES).tolist(), every_step=True)


def _last_window(network: ForecastNetwork, windows: Windows) -> LayerPass:
    with watching(network, None, "report") as passes:
        run(network, windows.inputs([len(windows) - 1]), {})
    return passes.of(passes.top_path)


def _spread(count: int, most: int) -> np.ndarray:
    """At most so many of `count` things, evenly, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most), dtype=int))


def _length(memory: MemoryLength, step: timedelta) -> str:
    length = format_duration(memory.steps * step)
    return length if memory.reached else f"more than {length}"


def _sentence(errors: ErrorMap, memory: MemoryLength, step: timedelta) -> str:
    reach = memory.reach
    name = _value(errors)
    if reach.verdict() == "explode":
        peak = int(torch.nan_to_num(reach.shares, nan=-1.0).argmax())
        return (
            f"Errors explode: {format_duration(peak * step)} back they are "
            f"{float(reach.shares[peak]):.3g} times as large as where they began."
        )
    if memory.reached:
        return f"After {_length(memory, step)} less than 1 % of an error of the {name} is left."
    left = float(reach.shares[reach.farthest])
    whole = format_duration(memory.steps * step)
    return f"After {whole}, all that the network reads, {100 * left:.0f} % of an error of the {name} is left."


def _value(errors: ErrorMap) -> str:
    return "hidden value" if errors.memory == "h" else "cell"


def _log_shares(errors: ErrorMap, columns: np.ndarray) -> list[list[float | None]]:
    """log10 of the share left at each step k, mean over sequences; None where k comes after t."""
    norms = errors[errors.memory]
    own = norms.gather(2, errors.at[None, :, None].expand(norms.shape[0], -1, 1))
    shares = (norms / own).nanmean(0)[:, columns]  # (R, K)
    after = torch.as_tensor(columns) > errors.at[:, None]
    logs = shares.log10().clamp(min=-6, max=6).nan_to_num(-6)
    return [
        [None if hidden else round(value, 2) for value, hidden in zip(row, hide, strict=True)]
        for row, hide in zip(logs.tolist(), after.tolist(), strict=True)
    ]


def _rasters(one: LayerPass, columns: np.ndarray) -> list[page.Raster]:
    """The gates of each unit over the last window, in percent; of a simple RNN its values."""
    saved = one.forward()
    if isinstance(saved, LSTMForward):
        gates = {_GATES[name]: values[columns, 0] for name, values in one.gates(saved).items()}
        order = gates.get(_GATES["f"], next(iter(gates.values()), saved.cells[columns, 0])).mean(0).argsort()
        return [_raster(name, values[:, order], 0.0, 1.0) for name, values in gates.items()]
    h = saved.h[columns, 0]
    size = max(1.0, float(h.abs().max()))
    return [_raster("hidden values", h[:, h.mean(0).argsort()], -size, size)]


def _raster(name: str, values: Tensor, low: float, high: float) -> page.Raster:
    some = values[:, _spread(values.shape[1], UNITS)].T  # (units, times)
    percent = ((some - low) / (high - low) * 100).round().int()
    return page.Raster(name=name, low=low, high=high, percent=percent.tolist(), units=values.shape[1])


def _exploded(result: FitResult) -> str:
    for epoch in result.history:
        if epoch.exploded:
            return f"In epoch {epoch.epoch} {epoch.exploded}."
    return f"Nothing exploded in {len(result.history)} epochs of training." if result.history else ""
