"""A small task to fit in the tests, and its pieces; imported by the tests and by the scripts they start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import nn

from throughtime.training import Batch, Epoch, FitSettings, Outcome, QuietDisplay


class Echo:
    """Sequences whose target is a running sum; N sequences in batches of B, the last one shorter."""

    def __init__(self, N=10, T=9, B=4, *, seed=0, shuffle=True, aligned=True, dtype=torch.float64):
        draw = torch.Generator().manual_seed(seed)
        self.x = torch.randn(T, N, 2, generator=draw, dtype=torch.float64).to(dtype)
        self.target = (self.x.cumsum(0)[..., :1] / 3).tanh()
        self.B, self.seed, self.shuffle, self.aligned = B, seed, shuffle, aligned
        self.asked: list[int] = []

    def __len__(self) -> int:
        return -(-self.x.shape[1] // self.B)

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        self.asked.append(epoch)
        N, (rank, world) = self.x.shape[1], shard
        draw = torch.Generator().manual_seed(1000 * self.seed + epoch)
        order = torch.randperm(N, generator=draw) if self.shuffle else torch.arange(N)
        for start in range(0, N, self.B):
            whole = order[start : start + self.B]
            share = -(-len(whole) // world)
            mine = whole[rank * share : (rank + 1) * share]
            target = self.target[:, mine] if self.aligned else self.target[-1, mine]
            yield Batch(self.x[:, mine], target, aligned=self.aligned)


class InPieces:
    """Each batch of another source in pieces of k steps, the state handed on from piece to piece."""

    def __init__(self, whole: Echo, k: int):
        self.whole, self.k = whole, k

    def __len__(self) -> int:
        return len(self.whole) * -(-self.whole.x.shape[0] // self.k)

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        for batch in self.whole.epoch(epoch, shard):
            steps = batch.inputs.shape[0]
            for start in range(0, steps, self.k):
                piece = batch.steps(start, min(start + self.k, steps))
                yield replace(piece, continued=start + self.k < steps)


class Net(nn.Module):
    def __init__(self, H=5, *, dropout=0.0, seed=0, dtype=torch.float64, kind=nn.LSTM, **kwargs):
        super().__init__()
        torch.manual_seed(seed)
        self.rnn = kind(2, H, **kwargs)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(H, 1)
        self.to(dtype)

    def forward(self, x, state=None):
        y, state = self.rnn(x, state)
        return self.head(self.dropout(y)), state


def squared_error(model, batch, state=None) -> Outcome:
    predicted, state = model(batch.inputs, state)
    predicted = predicted if batch.aligned else predicted[-1]
    return Outcome((predicted - batch.targets).square().mean(), batch.targets.numel(), state)


def settings(**changes) -> FitSettings:
    return FitSettings(**{"epochs": 4, "learning_rate": 0.02, **changes})


class Notes(QuietDisplay):
    """A display that remembers what it was told."""

    def __init__(self):
        self.told: list[tuple] = []

    def start(self, epochs, batches, done):
        self.told.append(("start", epochs, batches, done))

    def tick(self, tick):
        self.told.append(("tick", tick.epoch, tick.batch))

    def epoch(self, epoch, best):
        self.told.append(("epoch", epoch.epoch, best))

    def message(self, text):
        self.told.append(("message", text))

    def stop(self):
        self.told.append(("stop",))


def without_times(history: list[Epoch]) -> list[dict]:
    return [entry.model_dump(exclude={"seconds", "steps_per_second"}) for entry in history]


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in one.state_dict().items())
