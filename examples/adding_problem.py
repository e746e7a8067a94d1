"""The adding problem: which cell remembers two numbers over many steps?

    python examples/adding_problem.py [--quick] [--steps 60] [--epochs 20]

A sequence of random numbers comes with a second input that marks two of them; the target is their sum,
asked for after the last step. Always answering 1 has a mean squared error of 1/6 = 0.167.

Source of the task: Hochreiter and Schmidhuber, Long short-term memory (1997), experiment 4.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import torch
from torch import Tensor, nn

import throughtime as tt
from throughtime.training import Batch, FitSettings, Outcome, QuietDisplay, fit


class AddingProblem:
    """Batches of the task, drawn anew from the seed and the epoch."""

    def __init__(self, steps: int, batches: int, batch_size: int = 64, seed: int = 0) -> None:
        self.steps, self.batches, self.batch_size, self.seed = steps, batches, batch_size, seed

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.batches

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """Sequences (T, B, 2) and their sums (B,)."""
        rank, world = shard
        generator = torch.Generator().manual_seed(self.seed + 1000 * epoch)
        for _ in range(self.batches):
            values = torch.rand(self.steps, self.batch_size, generator=generator)
            halves = torch.rand(2, self.batch_size, generator=generator)
            marked = ((halves + torch.tensor([[0.0], [1.0]])) * (self.steps // 2)).long()
            marks = torch.zeros_like(values).scatter_(0, marked, 1.0)
            inputs, sums = torch.stack([values, marks], dim=-1), (values * marks).sum(0)
            yield Batch(inputs[:, rank::world], sums[rank::world])


class Adder(nn.Module):
    """A recurrent layer and a linear map of its last output."""

    def __init__(self, recurrent: nn.Module, hidden: int) -> None:
        super().__init__()
        self.recurrent, self.head = recurrent, nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (T, B, 2) to (B,)."""
        return self.head(self.recurrent(x)[0][-1]).squeeze(-1)


def squared_error(model: nn.Module, batch: Batch, state: object = None) -> Outcome:
    """Mean squared error of a batch."""
    loss = nn.functional.mse_loss(model(batch.inputs), batch.targets)
    return Outcome(loss, batch.targets.numel())


def main() -> None:
    """Train each cell and print its validation error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few steps only, to see that it runs")
    parser.add_argument("--steps", type=int, default=60, help="length of a sequence")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--hidden", type=int, default=32)
    options = parser.parse_args()
    steps, epochs, batches = (8, 1, 2) if options.quick else (options.steps, options.epochs, 50)
    cells = {
        "simple RNN": lambda: tt.RNN(2, options.hidden),
        "LSTM": lambda: tt.LSTM(2, options.hidden),
        "LSTM, peepholes": lambda: tt.LSTM(2, options.hidden, peepholes=True),
        "LSTM, CIFG": lambda: tt.LSTM(2, options.hidden, variant="CIFG"),
        "LSTM, no forget gate": lambda: tt.LSTM(2, options.hidden, variant="NFG"),
    }
    train = AddingProblem(steps, batches)
    validation = AddingProblem(steps, max(1, batches // 5), seed=1)
    settings = FitSettings(epochs=epochs, learning_rate=0.01)
    print(f"mean squared error over {steps} steps; always answering 1: 0.167")
    for name, make in cells.items():
        torch.manual_seed(0)
        model = Adder(make(), options.hidden)
        result = fit(model, train, validation, squared_error, settings, display=QuietDisplay())
        print(f"{name:22} {min(epoch.validation_loss for epoch in result.history):.4f}")


if __name__ == "__main__":
    main()
