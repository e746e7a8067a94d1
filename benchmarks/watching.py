"""What `fit(..., watch=True)` costs beside the same fit without it, in turn in one process.

    python benchmarks/watching.py [--rounds 9] [--threads 1]

Prints the median over the rounds of (watched / not watched), by the clock and by the time of the processor.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

import throughtime as tt
from throughtime.training import Batch, FitSettings, Outcome, QuietDisplay, fit


class Noise:
    """Random sequences; the target is in their last step."""

    def __init__(self, batches: int, seed: int, steps: int) -> None:
        self.batches, self.seed, self.steps = batches, seed, steps

    def __len__(self) -> int:
        return self.batches

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """The batches of one epoch."""
        generator = torch.Generator().manual_seed(1000 * self.seed + epoch)
        for _ in range(self.batches):
            x = torch.randn(self.steps, 128, 8, generator=generator)
            yield Batch(x, x[-1, :, :1])


class Network(nn.Module):
    """An LSTM and a head on its last output."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.recurrent, self.head = tt.LSTM(8, hidden), nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (T, B, 8) to (B, 1)."""
        return self.head(self.recurrent(x)[0][-1])


def objective(model: nn.Module, batch: Batch, state: object = None) -> Outcome:
    return Outcome((model(batch.inputs) - batch.targets).square().mean(), batch.targets.numel())


def seconds(hidden: int, steps: int, batches: int, watch: bool) -> tuple[float, float]:
    """Of three epochs, by the clock and by the processor."""
    torch.manual_seed(0)
    model, settings = Network(hidden), FitSettings(epochs=3)
    clock, processor = time.perf_counter(), time.process_time()
    parts = Noise(batches, 1, steps), Noise(4, 2, steps)
    fit(model, *parts, objective, settings, display=QuietDisplay(), watch=watch)
    return time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for hidden, steps, batches in ((24, 120, 40), (64, 120, 20), (64, 576, 5)):
        ratios = []
        for round_ in range(options.rounds + 1):
            found = {}
            for watch in (False, True) if round_ % 2 else (True, False):
                found[watch] = seconds(hidden, steps, batches, watch)
            ratios.append([with_ / without for with_, without in zip(found[True], found[False], strict=True)])
        clock, processor = (statistics.median(column) for column in zip(*ratios[1:], strict=True))
        print(
            f"H={hidden} T={steps} B=128, {batches} updates in an epoch: {clock:.3f} times as long by the "
            f"clock, {processor:.3f} by the processor"
        )


if __name__ == "__main__":
    main()
