"""How far errors reach in a simple RNN and in an LSTM trained on the same task, side by side.

    python examples/error_maps.py [--quick] [--images FOLDER] [--steps 200] [--epochs 12] [--jena FILE]

First on the adding problem, where the answer waits for two numbers that came up to --steps before. Then,
where --jena names the hourly table of Jena's weather, on forecasts of the temperature. Prints what the maps
say, and draws them: error-maps-adding.png and error-maps-jena.png.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

import throughtime as tt
from adding_problem import Adder, AddingProblem, squared_error
from throughtime.recording.error_map import ErrorMap
from throughtime.tasks.forecast_data import prepare_data
from throughtime.tasks.forecast_sources import open_source
from throughtime.training import FitSettings, QuietDisplay, fit

CELLS = ("simple RNN", "LSTM")


def adding_maps(steps: int, epochs: int, batches: int, hidden: int = 32) -> dict[str, ErrorMap]:
    """Train both on the adding problem; the maps of J(t) = (answer given at t - sum)² on eight sequences."""
    train, validation = (AddingProblem(steps, n, batch_size=32, seed=n) for n in (batches, 2 + batches // 10))
    settings = FitSettings(epochs=epochs, learning_rate=0.01, schedule="constant")
    probe = next(validation.epoch(0))
    maps = {}
    for name in CELLS:
        torch.manual_seed(0)
        # A forget gate that begins near 1 remembers for about e^3 steps before anything is learnt.
        recurrent = tt.RNN(2, hidden) if name == "simple RNN" else tt.LSTM(2, hidden, forget_bias=3.0)
        model = Adder(recurrent, hidden)
        result = fit(model, train, validation, squared_error, settings, display=QuietDisplay())
        best = min(epoch.validation_loss for epoch in result.history)
        print(f"{name}: mean squared error {best:.4f} over {steps} steps (always answering 1: 0.167)")

        def losses(y: Tensor, head: nn.Module = model.head) -> Tensor:
            return (head(y).squeeze(-1) - probe.targets[:8]).square()

        maps[name] = tt.error_map(model.recurrent, probe.inputs[:, :8], losses)
    return maps


def jena_maps(file: Path, quick: bool) -> dict[str, ErrorMap]:
    """Train both to forecast the temperature 24 hours ahead from five days; maps on eight test windows.

    J(t) is the squared error of the median forecast made at t, at each of a window's 120 hours.
    """
    maps = {}
    for name in CELLS:
        network = "rnn" if name == "simple RNN" else "lstm"
        forecaster = tt.Forecaster(
            "T (degC)", network=network, hidden=32, steps="last", epochs=1 if quick else 4
        )
        forecaster.fit(file, display=QuietDisplay())
        print(f"{name}: test error {forecaster.metrics_.test.mae:.2f} degC, 24 h ahead")
        data = prepare_data(open_source(file, forecaster.settings), forecaster.settings)
        windows, model = data.parts.test, forecaster.network_.eval()
        first = windows.starts[:: len(windows) // 8][:8]
        hours = torch.stack([windows.table[row : row + 144] for row in first], dim=1)  # (144, 8, I)
        later = hours[24:, :, model.target_column]

        def losses(quantiles: Tensor, later: Tensor = later) -> Tensor:
            return (quantiles[:, :, 0, quantiles.shape[-1] // 2] - later).square()

        maps[name] = tt.error_map(model, hours[:120], losses, every_step=True)
    return maps


def report(maps: dict[str, ErrorMap], image: Path | None) -> None:
    """Print what each map says; draw them beside each other, and their reach below."""
    for name, errors in maps.items():
        print(f"{name}: {errors.summary()}")
        print(f"{name}: {tt.memory_length(errors)}")
    if image is None:
        return
    from matplotlib import pyplot

    from throughtime.recording.plots import draw_reach

    figure, axes = pyplot.subplots(1, len(maps) + 1, figsize=(13, 3.8), layout="constrained")
    for ax, (name, errors) in zip(axes, maps.items(), strict=False):
        errors.plot(ax)
        ax.set_title(f"{name}: share of δ{errors.memory} left")
    draw_reach(maps, axes[-1])
    figure.savefig(image, dpi=110)
    pyplot.close(figure)


def main() -> None:
    """Train, map, print and draw."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--quick", action="store_true", help="a few updates of a short task")
    parser.add_argument("--images", type=Path, help="folder to draw into")
    parser.add_argument("--steps", type=int, default=200, help="length of the adding problem")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--jena", type=Path, help="jena_hourly_2009_2016_6vars.csv.gz")
    options = parser.parse_args()
    steps, epochs, batches = (10, 1, 2) if options.quick else (options.steps, options.epochs, 250)
    folder = options.images
    report(adding_maps(steps, epochs, batches), folder and folder / "error-maps-adding.png")
    if options.jena:
        report(jena_maps(options.jena, options.quick), folder and folder / "error-maps-jena.png")


if __name__ == "__main__":
    main()
