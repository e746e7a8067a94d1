import math

import pytest
import torch
from torch import nn

from throughtime.training import Batch, Outcome, QuietDisplay, fit

from .fitting import Echo, Net, Notes, same_weights, settings, squared_error, without_times

QUIET = QuietDisplay()


def fitted(model=None, train=None, objective=squared_error, *, display=QUIET, aligned=True, **changes):
    model = model or Net(dropout=0.2)
    train = Echo(aligned=aligned) if train is None else train
    validation = Echo(N=6, seed=1, shuffle=False, aligned=aligned)
    return model, fit(model, train, validation, objective, settings(**changes), display=display)


def by_hand(optimizer, model, source, epochs, clip_norm, rate_at):
    """The same fit in the plainest words; the reference of the loop."""
    losses, done = [], 0
    for epoch in range(1, epochs + 1):
        total = terms = 0.0
        for batch in source.epoch(epoch):
            optimizer.param_groups[0]["lr"] = rate_at(done)
            optimizer.zero_grad()
            outcome = squared_error(model, batch)
            outcome.loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
            optimizer.step()
            total, terms, done = total + outcome.loss.item() * outcome.count, terms + outcome.count, done + 1
        losses.append(total / terms)
    return losses


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("adam", lambda p: torch.optim.Adam(p, weight_decay=0.01)),
        ("adamw", lambda p: torch.optim.AdamW(p, weight_decay=0.01)),
        ("sgd", lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9, weight_decay=0.01)),
    ],
)
def test_the_loop_does_what_a_loop_by_hand_does(name, make):
    reference = Net()
    expected = by_hand(make(reference.parameters()), reference, Echo(), 3, 0.1, lambda done: 0.02)
    model, result = fitted(
        Net(), optimizer=name, weight_decay=0.01, schedule="constant", epochs=3, clip_norm=0.1
    )
    assert [e.train_loss for e in result.history] == pytest.approx(expected, rel=1e-9)
    assert result.best_epoch == 3
    for ours, theirs in zip(model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)


def test_the_rate_moves_with_each_update():
    reference = Net()
    fall = by_hand(
        torch.optim.SGD(reference.parameters(), lr=1.0, momentum=0.9),
        reference, Echo(), 2, 1e9, lambda done: 0.02 * (1 + math.cos(math.pi * done / 6)) / 2,
    )  # fmt: skip
    _, result = fitted(Net(), optimizer="sgd", schedule="cosine", epochs=2, clip_norm=None)
    assert [e.train_loss for e in result.history] == pytest.approx(fall, rel=1e-9)
    assert result.history[-1].learning_rate == pytest.approx(0.02 * (1 + math.cos(math.pi * 5 / 6)) / 2)


def test_it_learns_and_is_the_same_each_time():
    (one, first), (other, second) = fitted(epochs=12), fitted(epochs=12)
    assert first.history[-1].train_loss < 0.5 * first.history[0].train_loss
    assert without_times(first.history) == without_times(second.history)
    assert same_weights(one, other)
    assert not same_weights(one, fitted(epochs=12, seed=1)[0]), "the seed moves dropout"


def test_the_figures_of_an_epoch():
    _, result = fitted(Net(), epochs=2, schedule="constant", clip_norm=1e9)
    _, clipped = fitted(Net(), epochs=1, schedule="constant", clip_norm=1e-9)
    first = result.history[0]
    assert 0 < first.gradient_norm < first.gradient_norm_max
    assert (first.clipped, clipped.history[0].clipped) == (0.0, 1.0)
    assert first.learning_rate == 0.02
    assert first.seconds > 0
    assert first.steps_per_second > 0


def test_validation_weighs_terms_and_runs_without_dropout():
    model, result = fitted(epochs=1)
    validation = Echo(N=6, seed=1, shuffle=False)
    with torch.no_grad():
        predicted, _ = model.eval()(validation.x)
    expected = (predicted - validation.target).square().mean().item()
    assert result.history[0].validation_loss == pytest.approx(expected, rel=1e-12)


def test_truncated_and_unaligned_go_through_the_same_loop():
    assert fitted(truncate=(2, 5), epochs=8)[1].history[-1].train_loss < 0.1
    assert fitted(aligned=False, epochs=2)[1].stopped == "finished"
    with pytest.raises(ValueError, match="aligned=False"):
        fitted(aligned=False, truncate=(2, 5))


@pytest.mark.parametrize(("truncate", "updates"), [(None, 3), ((9, 9), 3), ((8, 8), 6), ((2, 5), 15)])
def test_how_many_updates_a_batch_makes(truncate, updates):
    seen = []

    class Count(QuietDisplay):
        def tick(self, tick):
            seen.append(tick.updates)

    fitted(epochs=1, truncate=truncate, display=Count())
    assert seen == [updates // 3, 2 * updates // 3, updates]


def scripted(losses):
    """An objective whose validation loss is given epoch by epoch; training pushes one weight by 1."""

    def objective(model, batch, state=None):
        if model.training:
            return Outcome(-model.weight.sum(), 1)
        return Outcome(torch.tensor(losses[int(model.weight.detach().round()) - 1]), 1)

    return objective


class One:
    def __len__(self):
        return 1

    def epoch(self, epoch, shard=(0, 1)):
        yield Batch(torch.zeros(1, 1, 1), torch.zeros(1))


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best", "stopped"),
    [
        ([3.0, 2.0, 1.0], None, 3, 3, "finished"),
        ([1.0, 2.0, 3.0], None, 3, 1, "finished"),
        ([1.0, 1.0, 3.0], 2, 3, 1, "patience"),
        ([2.0, 3.0, 1.0, 5.0, 5.0, 0.0], 2, 5, 3, "patience"),
        ([1.0, 2.0, 0.5], 1, 2, 1, "patience"),
    ],
)
def test_patience_and_the_best_weights(losses, patience, epochs, best, stopped):
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    notes = Notes()
    plan = settings(
        epochs=len(losses), patience=patience, optimizer="adam", schedule="constant", learning_rate=1.0
    )
    result = fit(model, One(), One(), scripted(losses), plan, display=notes)
    assert (len(result.history), result.best_epoch, result.stopped) == (epochs, best, stopped)
    assert [e.validation_loss for e in result.history] == losses[:epochs]
    assert model.weight.item() == pytest.approx(best, abs=1e-4), "the best weights are put back"
    assert [t[2] for t in notes.told if t[0] == "epoch"][best - 1]


def test_the_display_is_told_everything_in_order():
    notes, source = Notes(), Echo()
    fitted(train=source, display=notes, epochs=2)
    ticks = [("tick", 1, n) for n in (1, 2, 3)]
    assert notes.told[:5] == [("start", 2, 3, 0), *ticks, ("epoch", 1, True)]
    assert notes.told[-1] == ("stop",)
    assert source.asked == [1, 2]


def test_frozen_parameters_stay_and_none_at_all_is_an_error():
    model = Net()
    model.rnn.requires_grad_(False)
    before = model.rnn.weight_hh_l0.clone()
    fitted(model, epochs=1)
    assert torch.equal(model.rnn.weight_hh_l0, before)
    model.head.requires_grad_(False)
    with pytest.raises(ValueError, match="nothing can be learnt"):
        fitted(model)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_the_model_is_put_back(training):
    assert fitted(Net().train(training), epochs=1)[0].training is training


class Lies(Echo):
    def __init__(self, length):
        super().__init__()
        self.length = length

    def __len__(self):
        return self.length


@pytest.mark.parametrize(
    ("length", "words"), [(4, "len 4 but gave only 3"), (2, "len 2 but gave more"), (0, "no batch")]
)
def test_a_source_that_lies_about_its_length(length, words):
    with pytest.raises(ValueError, match=words):
        fitted(train=Lies(length))


def test_a_validation_source_that_lies_or_has_nothing_to_judge():
    with pytest.raises(ValueError, match="validation has len 4 but gave only 3"):
        fit(Net(), Echo(), Lies(4), squared_error, settings(), display=QUIET)
    with pytest.raises(ValueError, match="validation has len 2 but gave more"):
        fit(Net(), Echo(), Lies(2), squared_error, settings(), display=QUIET)

    def nothing(model, batch, state=None):
        outcome = squared_error(model, batch, state)
        return outcome if model.training else Outcome(outcome.loss, 0)

    with pytest.raises(ValueError, match="no loss term"):
        fitted(objective=nothing)


def test_an_objective_that_is_no_loss_is_refused():
    def vector(model, batch, state=None):
        return Outcome(model(batch.inputs)[0].flatten(), 1)

    with pytest.raises(ValueError, match="scalar loss"):
        fitted(objective=vector)
    with pytest.raises(ValueError, match="requires_grad=False"):
        fitted(objective=lambda model, batch, state=None: Outcome(torch.tensor(1.0), 1))


def test_a_batch_without_a_loss_term_is_passed_over():
    def objective(model, batch, state=None):
        outcome = squared_error(model, batch, state)
        empty = model.training and batch.inputs.shape[1] == 2
        return Outcome(outcome.loss * math.nan, 0) if empty else outcome

    notes = Notes()
    _, result = fitted(Net(), objective=objective, epochs=1, display=notes)
    assert result.stopped == "finished"
    assert [t for t in notes.told if t[0] == "tick"] == [("tick", 1, n) for n in (1, 2, 3)]


def test_resume_needs_a_folder():
    with pytest.raises(ValueError, match="checkpoints=FOLDER"):
        fit(Net(), Echo(), Echo(), squared_error, settings(), resume=True)


def test_a_note_is_kept_of_each_epoch_and_moves_nothing():
    def note(model):
        torch.rand(3)
        return f"{model.training} {model.head.bias.item():.9f}"

    model, plain = fitted(Net(dropout=0.2))
    noted = Net(dropout=0.2)
    result = fit(
        noted, Echo(), Echo(N=6, seed=1, shuffle=False), squared_error, settings(), display=QUIET, note=note
    )
    assert same_weights(noted, model)
    told = [entry.note for entry in result.history]
    assert [entry.validation_loss for entry in result.history] == [e.validation_loss for e in plain.history]
    assert all(text.startswith("False ") for text in told)
    assert len(set(told)) == len(told), "of the weights after each epoch"
