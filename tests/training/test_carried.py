"""A long sequence that comes in several batches: the state is handed on, and cut where it should be."""

from collections import namedtuple

import pytest
import torch

from throughtime.training import Outcome, QuietDisplay, fit
from throughtime.training.carried import flat, nested
from throughtime.training.checkpoints import read

from .fitting import Echo, InPieces, Net, same_weights, settings, squared_error, without_times

QUIET = QuietDisplay()


def fitted(train, validation=None, *, folder=None, model=None, display=QUIET, resume=False, **changes):
    model = model or Net()
    validation = validation or Echo(N=6, seed=1, shuffle=False)
    changes = settings(**{"schedule": "constant", "epochs": 3, **changes})
    result = fit(
        model, train, validation, squared_error, changes,
        checkpoints=folder, display=display, resume=resume, checkpoint_seconds=0,
    )  # fmt: skip
    return model, result


class StoppedAt(QuietDisplay):
    """Stops a fit at a batch border, as a crash would."""

    def __init__(self, epoch, batch):
        self.place = (epoch, batch)

    def tick(self, tick):
        if (tick.epoch, tick.batch) == self.place:
            raise RuntimeError("stopped")


def test_pieces_are_truncated_bptt_over_the_whole():
    whole, one = fitted(Echo(N=4), truncate=(3, 3))
    pieces, other = fitted(InPieces(Echo(N=4), 3))
    assert same_weights(whole, pieces)
    assert [e.train_loss for e in one.history] == [e.train_loss for e in other.history]


def test_the_next_sequence_begins_anew():
    """Three sequences in each epoch: the state is handed on within each, and not from one to the next."""
    whole, _ = fitted(Echo(N=10), truncate=(3, 3))
    assert same_weights(whole, fitted(InPieces(Echo(N=10), 3))[0])


def test_pieces_may_be_truncated_once_more():
    whole, _ = fitted(Echo(N=4, T=8), truncate=(2, 2))
    assert same_weights(whole, fitted(InPieces(Echo(N=4, T=8), 4), truncate=(2, 2))[0])


def test_validation_hands_the_state_on_too():
    held = Echo(N=6, seed=1, shuffle=False)
    _, whole = fitted(Echo(), held)
    _, pieces = fitted(Echo(), InPieces(held, 2))
    assert [e.validation_loss for e in pieces.history] == pytest.approx(
        [e.validation_loss for e in whole.history], rel=1e-12
    )


@pytest.mark.parametrize("batch", [1, 2, 3, 4])
def test_stopped_anywhere_and_resumed_is_bit_for_bit_the_run_left_alone(tmp_path, batch):
    """Pieces of 4, 4 and 1 steps: the first two of a sequence hand a state on, the third does not."""
    train = InPieces(Echo(N=5), 4)
    with pytest.raises(RuntimeError, match="stopped"):
        fitted(train, folder=tmp_path, model=Net(dropout=0.3), display=StoppedAt(2, batch))
    header, tensors = read(tmp_path / "last.safetensors")
    assert (header.progress.epoch, header.progress.batches_done) == (2, batch)
    assert any(name.startswith("carried/") for name in tensors) == (batch != 3)
    resumed, after = fitted(train, folder=tmp_path, model=Net(dropout=0.3, seed=9), resume=True)
    alone, uninterrupted = fitted(train, model=Net(dropout=0.3))
    assert same_weights(resumed, alone)
    assert without_times(after.history) == without_times(uninterrupted.history)


def test_an_objective_without_a_state_is_told_so():
    def stateless(model, batch, state=None):
        outcome = squared_error(model, batch, state)
        return Outcome(outcome.loss, outcome.count)

    with pytest.raises(ValueError, match=r"continued by the next one.*state=None"):
        fit(Net(), InPieces(Echo(), 4), Echo(), stateless, settings(), display=QUIET)


Pair = namedtuple("Pair", "h c")


@pytest.mark.parametrize(
    "state",
    [
        torch.ones(2),
        (torch.ones(1), torch.zeros(2)),
        ((torch.ones(1), None), [torch.zeros(3), (torch.ones(4),)]),
        Pair(torch.ones(2), None),
        tuple(torch.full((1,), float(k)) for k in range(12)),
        None,
    ],
)
def test_a_state_taken_apart_and_put_together(state):
    again = nested(flat(state))
    assert _plain(again) == _plain(state)


def _plain(state):
    if state is None or isinstance(state, torch.Tensor):
        return None if state is None else state.tolist()
    return tuple(_plain(part) for part in state)
