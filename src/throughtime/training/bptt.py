"""Back-propagation through time: over all steps at once, or truncated.

Truncated BPTT(k1, k2): every k1 steps, run backward over the last k2 steps, and update; the state
goes on, detached. Each loss term is counted once, in the update that follows its own step:

    k1 = 2, k2 = 5   step   0 1 2 3 4 5 6 7
    first update            n n
    second                  o o n n
    third                     o o o n n          n: newest steps, whose loss counts
    fourth                        o o o n n      o: run again, so that errors can run back over them

The state before the first of these steps was kept, detached, when they were run the time before,
with the weights of that time. With k1 = k2 there is no o: nothing is run twice.

A source of batches may cut a long sequence itself: a batch that is `continued` hands its last state on to
the batch after it, which is truncated BPTT(k, k) with batches of k steps.

Source: Williams and Peng, An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent
Network Trajectories (1990).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from throughtime.training.objective import BatchLike, Objective, Outcome, State


@dataclass(frozen=True, slots=True)
class Stretch:
    """The steps of one update: [start, stop) run forward, the losses of [new, stop) count.

    `keep` is the step before which the next stretch starts.
    """

    start: int
    new: int
    stop: int
    keep: int


def stretches(steps: int, k1: int, k2: int) -> list[Stretch]:
    """Cut `steps` time steps into the stretches of truncated BPTT(k1, k2).

    The last stretch has fewer new steps where k1 does not divide `steps`. It reaches back over k2
    steps as well, except where k1 = k2, so that then nothing is run twice.

    Raises:
        ValueError: k1 < 1 or k2 < k1.
    """
    if not 1 <= k1 <= k2:
        raise ValueError(
            f"truncated BPTT: (k1, k2) = ({k1}, {k2}); k1 must be at least 1, and k2 at least k1, "
            "or some losses would reach no update."
        )
    news = range(0, steps, k1)
    starts = [new if k1 == k2 else max(0, min(new + k1, steps) - k2) for new in news]
    keeps = [*starts[1:], steps]
    return [
        Stretch(start, new, min(new + k1, steps), keep)
        for start, new, keep in zip(starts, news, keeps, strict=True)
    ]


def run_stretch(
    model: nn.Module, objective: Objective, batch: BatchLike, stretch: Stretch, state: State
) -> Outcome:
    """Run one stretch forward.

    Args:
        model: Network.
        objective: Its loss.
        batch: Aligned batch, cut in time here.
        stretch: Which steps.
        state: Detached state before step `stretch.start`; None at the beginning of the sequence.

    Returns:
        Mean loss over the new steps and their count, and the state before step `stretch.keep`, detached.

    Raises:
        ValueError: the objective carried no state on.
    """
    kept, newest = state, []
    length = batch.inputs.shape[0]
    cuts = sorted({min(cut, length) for cut in (stretch.start, stretch.keep, stretch.new, stretch.stop)})
    for start, stop in pairwise(cuts):
        outcome = objective(model, batch.steps(start, stop), state)
        state = outcome.state
        if state is None:
            raise ValueError(
                "truncated BPTT: the objective returned Outcome(state=None), so nothing would be carried "
                "from one stretch to the next; return the network's state, or fit with truncate=None."
            )
        if stop == stretch.keep:
            kept = detach(state)
        if start >= stretch.new:
            newest.append(outcome)
    return Outcome(*mean_loss(newest), kept)


def mean_loss(outcomes: list[Outcome]) -> tuple[Tensor, float]:
    """Mean over all terms of several outcomes, each weighing as many terms as it has, and their count."""
    total = sum(outcome.count for outcome in outcomes)
    terms = [outcome.loss * (outcome.count / total) for outcome in outcomes if outcome.count]
    if not terms:
        return outcomes[-1].loss, 0
    loss = terms[0]
    for term in terms[1:]:
        loss = loss + term
    return loss, total


def hand_on(batch: BatchLike, outcome: Outcome) -> State:
    """The state that the next batch begins from, detached; None where it has a beginning of its own.

    Raises:
        ValueError: the batch is continued, and the objective returned no state.
    """
    if not batch.continued:
        return None
    if outcome.state is None:
        raise ValueError(
            "fit: the batch is continued by the next one, and the objective returned Outcome(state=None), so "
            "nothing would be carried on; return the network's state."
        )
    return detach(outcome.state)


def detach(state: State) -> State:
    """The same state, cut off from the steps that made it. Nested tuples and lists of tensors, or None."""
    if state is None:
        return None
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, tuple) and hasattr(state, "_fields"):
        return type(state)(*(detach(part) for part in state))
    if isinstance(state, tuple | list):
        return type(state)(detach(part) for part in state)
    raise TypeError(
        "truncated BPTT: a state is a tensor, nested tuples of tensors, or None; "
        f"the objective returned a {type(state).__name__}."
    )
