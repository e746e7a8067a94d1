import pytest
import torch

from throughtime.training import FitSettings
from throughtime.training.schedules import halvings, learning_rate, one_cycle


def test_one_cycle_is_that_of_torch():
    N = 1000
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=N, cycle_momentum=False)
    for step in range(N):
        # torch counts its steps so that the last one, N - 1, is the end of the cycle.
        up, down = 0.3 * N - 1, N - 1
        done = 0.3 * step / up if step <= up else 0.3 + 0.7 * (step - up) / (down - up)
        assert one_cycle(done, 0.5) == pytest.approx(theirs.get_last_lr()[0], rel=1e-9, abs=1e-12)
        optimizer.step()
        if step < N - 1:
            theirs.step()


def test_cosine_falls_from_the_peak_to_zero():
    settings = FitSettings(schedule="cosine", learning_rate=0.1)
    assert [learning_rate(settings, done, []) for done in (0.0, 0.5, 1.0)] == pytest.approx([0.1, 0.05, 0.0])


def test_constant_stays():
    settings = FitSettings(schedule="constant", learning_rate=0.1)
    assert learning_rate(settings, 0.7, [1.0] * 9) == 0.1


@pytest.mark.parametrize(
    ("losses", "halved"),
    [
        ([], 0),
        ([3, 2, 1], 0),
        ([1, 1], 0),
        ([1, 1, 1], 1),
        ([1, 2, 0.5, 2], 0),
        ([1, 2, 2, 2], 1),
        ([1, 2, 2, 2, 2], 2),
        ([1, 2, 2, 0.5, 2, 2], 2),
    ],
)
def test_plateau_halves_after_two_epochs_without_a_better_loss(losses, halved):
    assert halvings(losses) == halved
    settings = FitSettings(schedule="plateau", learning_rate=0.8)
    assert learning_rate(settings, 0.0, losses) == 0.8 / 2**halved
