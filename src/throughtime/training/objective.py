"""What the loop asks of a task: batches, and a loss for one batch. Nothing here knows any task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

State = Any
"""What a recurrent network carries from one step to the next: nested tuples of tensors, or None."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an objective found on one batch.

    Attributes:
        loss: Scalar, the mean over `count` terms. Ignored where `count` is 0.
        count: How many terms the mean is over (sequences, or steps × sequences, padding left out).
        state: The network's state after the last step; may be None where nothing is carried on.
    """

    loss: Tensor
    count: float
    state: State = None


class BatchLike(Protocol):
    """Anything with the fields of `throughtime.batch.Batch`."""

    @property
    def inputs(self) -> Tensor:
        """(T, B, ...), time first."""

    @property
    def targets(self) -> Tensor:
        """(T, B, ...) if aligned."""

    @property
    def lengths(self) -> Tensor | None:
        """(B,) or None."""

    @property
    def aligned(self) -> bool:
        """Whether the targets run along time with the inputs."""

    @property
    def continued(self) -> bool:
        """Whether the next batch goes on where this one stops: the state is handed on, cut off."""

    def steps(self, start: int, stop: int) -> BatchLike:
        """Time steps `start` to `stop` of an aligned batch."""


class Batches(Protocol):
    """A source of batches."""

    def __len__(self) -> int:
        """Batches per epoch, over all processes together."""

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[BatchLike]:
        """Give the batches of one epoch.

        Args:
            epoch: 1, 2, ... while training, 0 for validation. With the source's own seed it alone
                decides the order: the same epoch asked for again must come in the same order.
            shard: (rank, world). Of each global batch only the part of this process; a process
                whose part is empty may give a batch with B = 0, or, at the end, none.
        """


class Objective(Protocol):
    """The loss of a task."""

    def __call__(self, model: nn.Module, batch: Any, state: State = None) -> Outcome:
        """Run `model` over `batch`, beginning from `state` (None: from its own beginning)."""
