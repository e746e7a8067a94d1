import signal
import time

import pytest

from throughtime.training import fit
from throughtime.training.checkpoints import read
from throughtime.training.interrupts import Interrupts

from .fitting import Echo, Net, Notes, same_weights, settings, squared_error, without_times
from .test_checkpoints import fitted, stopped


@pytest.fixture(autouse=True)
def _ctrl_c_is_listened_to():
    """A shell ignores it for what it runs in the background, such as these tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_keeps_the_best_and_says_how_to_go_on(tmp_path):
    changes = {"epochs": 4}
    ran = stopped(tmp_path, changes, 1e9, 5, "SIGINT")  # epoch 2, batch 2 of 3
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["interrupted", "1", "1"]
    assert "Stopped in epoch 2; the best model, of epoch 1, is kept." in ran.stderr
    assert "To go on: throughtime fit forecast --resume DIR" in ran.stderr
    progress = read(tmp_path / "last.safetensors")[0].progress
    assert (progress.epoch, progress.batches_done) == (2, 2), "the batch under way was finished and kept"
    resumed, after = fitted(tmp_path, resume=True, **changes)
    alone, whole = fitted(**changes)
    assert same_weights(resumed, alone)
    assert without_times(after.history) == without_times(whole.history)


def test_a_second_ctrl_c_leaves_at_once(tmp_path):
    ran = stopped(tmp_path, {"epochs": 4}, 1e9, 5, "SIGINT", "SIGINT")
    assert ran.returncode in (-signal.SIGINT, 1), "1: where torch imports triton"
    assert ran.stderr.endswith("KeyboardInterrupt\n")
    assert ran.stdout == ""
    progress = read(tmp_path / "last.safetensors")[0].progress
    assert (progress.epoch, progress.batches_done) == (2, 0), "the checkpoint before is as it was"


def interrupted_at(place, folder=None):
    """Fit; raise a real SIGINT at `place`: (training?, number of the forward)."""
    forwards = {True: 0, False: 0}

    def objective(model, batch, state=None):
        forwards[model.training] += 1
        if (model.training, forwards[model.training]) == place:
            signal.raise_signal(signal.SIGINT)
        return squared_error(model, batch, state)

    model, notes = Net(dropout=0.3), Notes()
    validation = Echo(N=6, seed=1, shuffle=False)
    result = fit(model, Echo(), validation, objective, settings(), checkpoints=folder, display=notes)
    return model, result, notes


@pytest.mark.parametrize("number", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("training", [True, False])
def test_ctrl_c_anywhere_can_be_gone_on_from(tmp_path, training, number):
    _, result, notes = interrupted_at((training, number), tmp_path)
    assert result.stopped == "interrupted"
    assert result.best_epoch == len(result.history)
    assert notes.told[-1] == ("stop",)
    resumed, after = fitted(tmp_path, resume=True)
    alone, whole = fitted()
    assert same_weights(resumed, alone)
    assert without_times(after.history) == without_times(whole.history)


def test_before_the_first_epoch_is_done_there_is_no_best():
    _, result, notes = interrupted_at((True, 2))
    assert (result.best_epoch, result.history) == (0, [])
    said = next(t[1] for t in notes.told if t[0] == "message")
    assert said == "Stopped in epoch 1; no epoch was finished."


def test_after_ctrl_c_the_model_is_the_best():
    model, result, _ = interrupted_at((True, 8))
    assert result.best_epoch == 2
    again, _ = fitted()
    assert not same_weights(model, again)
    validation = Echo(N=6, seed=1, shuffle=False)
    loss = squared_error(model.eval(), next(iter(whole_of(validation)))).loss.item()
    assert loss == pytest.approx(result.history[1].validation_loss, rel=1e-12)


def whole_of(source):
    source.B = source.x.shape[1]
    return source.epoch(0)


def test_an_interrupt_that_is_raised_keeps_the_best_but_writes_nothing(tmp_path):
    forwards = 0

    def objective(model, batch, state=None):
        nonlocal forwards
        forwards += model.training
        if forwards == 5 and model.training:
            raise KeyboardInterrupt
        return squared_error(model, batch, state)

    _, result = fitted(tmp_path / "a", objective=objective)
    assert (result.stopped, result.best_epoch) == ("interrupted", 1)
    assert read(tmp_path / "a" / "last.safetensors")[0].progress.batches_done == 1


def test_the_handler_is_taken_back_and_others_are_left_alone():
    with Interrupts():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    for theirs in (signal.SIG_IGN, lambda number, frame: None):
        signal.signal(signal.SIGINT, theirs)
        try:
            with Interrupts() as interrupts:
                assert signal.getsignal(signal.SIGINT) is theirs
                signal.raise_signal(signal.SIGINT)
                assert not interrupts.requested
            assert signal.getsignal(signal.SIGINT) is theirs
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def test_two_signals_of_one_press_are_one():
    with Interrupts(same_press=0.2) as interrupts:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert interrupts.requested
        assert not interrupts.insisted
        time.sleep(0.25)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert interrupts.insisted
