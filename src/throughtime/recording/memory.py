"""For how many steps a network remembers, as its errors say."""

from __future__ import annotations

from dataclasses import dataclass

from throughtime.recording.error_map import ErrorMap
from throughtime.recording.reach import Reach


@dataclass(frozen=True)
class MemoryLength:
    """After how many steps a share of the error is left.

    Attributes:
        steps: That number; where even the farthest step has more than the share, the distance of that step.
        reached: Whether the share was reached; if not, the memory is at least `steps` long.
        share: The share.
        reach: The curve it was read from.
    """

    steps: int
    reached: bool
    share: float
    reach: Reach

    def __int__(self) -> int:
        return self.steps

    def summary(self) -> str:
        """In words."""
        if not self.reached:
            more = f"more than {self.share:.3g} of the error is left"
            return f"{self.reach.name}: after all {self.steps} steps {more}."
        return f"{self.reach.name}: after {self.steps} steps less than {self.share:.3g} of the error is left."

    def __str__(self) -> str:
        return self.summary()


def memory_length(errors: ErrorMap, share: float = 0.01, *, of: str | None = None) -> MemoryLength:
    """The number of steps after which less than a share of the error is left, for good.

    Read from the median over all losses and sequences; an error that fades and comes back counts as there.

    Args:
        errors: An error map.
        share: Of the error at the loss's own step.
        of: Whose error: "c", "y" or "h"; None: the cell's, or the simple RNN's h.

    Raises:
        ValueError: the share is not between 0 and 1.
        KeyError: the layer has no such value.
    """
    if not 0 < share < 1:
        raise ValueError(f"memory_length: share={share}, expected more than 0 and less than 1.")
    reach = errors.reach(of)
    steps = reach.steps_to(share)
    return MemoryLength(reach.farthest if steps is None else steps, steps is not None, share, reach)
