import math
import re

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import throughtime.nn
from throughtime.errors import NonFiniteError
from throughtime.training import Batch, Outcome, QuietDisplay, fit, load_best
from throughtime.training.nonfinite import find_origin

from .fitting import Echo, Net, same_weights, settings, squared_error

RELU = {"kind": nn.RNN, "nonlinearity": "relu"}


def origin(model, batch, objective=squared_error, **kwargs):
    return find_origin(model, batch, lambda: objective(model, batch), **kwargs)


def batch_of(T=9, B=4, dtype=torch.float32, aligned=True):
    return next(Echo(T=T, B=B, dtype=dtype, aligned=aligned).epoch(0))


def doubling(factor=2.0, **kwargs):
    """An RNN that multiplies its state by `factor` at each step; all of it positive."""
    model = Net(H=1, dtype=torch.float32, bias=False, **{**RELU, **kwargs})
    with torch.no_grad():
        for name, parameter in model.rnn.named_parameters():
            parameter.fill_(factor if "hh" in name else 1.0)
        model.head.weight.fill_(1.0)
        model.head.bias.zero_()
    return model


def pulse(T=200, at=0, value=1.0, B=2):
    """Nothing but one impulse; targets of zero."""
    x = torch.zeros(T, B, 2)
    x[at, 0, 0] = value
    return Batch(x, torch.zeros(T, B, 1), aligned=True)


def test_what_is_finite_has_no_origin():
    assert origin(Net(dtype=torch.float32), batch_of()) == ""
    assert origin(Net(dtype=torch.float32), batch_of(), backward=False) == ""


@pytest.mark.parametrize(("value", "word"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
def test_the_data(value, word):
    batch = batch_of()
    batch.inputs[5, 2, 1] = batch.inputs[7, 0, 0] = value
    found = origin(Net(dtype=torch.float32), batch, offset=10)
    assert f"the input is {word} at time step 15 (sequence 2, feature 1" in found
    assert "Look at the data" in found


def test_padding_may_hold_anything():
    batch = batch_of()
    batch.inputs[5:, 2] = math.nan
    padded = Batch(batch.inputs, batch.targets, torch.tensor([9, 9, 5, 9]), aligned=True)
    assert "It began in the data" not in origin(Net(dtype=torch.float32), padded)
    padded = Batch(batch.inputs, batch.targets, torch.tensor([9, 9, 6, 9]), aligned=True)
    assert "time step 5 (sequence 2, feature 0" in origin(Net(dtype=torch.float32), padded)


@pytest.mark.parametrize(("aligned", "where"), [(True, "time step 6"), (False, "index (3, 0)")])
def test_the_targets(aligned, where):
    batch = batch_of(aligned=aligned)
    batch.targets[(6, 3, 0) if aligned else (3, 0)] = math.nan
    found = origin(Net(dtype=torch.float32), batch)
    assert f"the target is nan at {where}" in found


def test_weights_that_were_spoilt_before():
    model = Net(dtype=torch.float32)
    with torch.no_grad():
        model.rnn.weight_hh_l0[1, 1] = math.nan
    assert "'rnn.weight_hh_l0' already holds" in origin(model, batch_of())


@pytest.mark.parametrize("at", [0, 30])
@pytest.mark.parametrize("batch_first", [False, True])
def test_values_that_explode_forward(at, batch_first):
    # The state is 1 at step `at` and doubles: it passes float32's 2^128 at step at + 128.
    model = doubling(batch_first=batch_first)
    first = Forward(model) if batch_first else model
    found = origin(first, pulse(at=at), offset=1000)
    assert f"rnn stops being finite at time step {1000 + at + 128}," in found
    assert "forward pass" in found
    assert "clip_norm" in found
    assert "smaller learning_rate" in found


@pytest.mark.parametrize("nonlinearity", ["relu", "identity"])
def test_values_that_explode_forward_in_our_own_network(nonlinearity):
    model = doubling(kind=throughtime.nn.RNN, nonlinearity=nonlinearity)
    assert "rnn.layer0 stops being finite at time step 158," in origin(model, pulse(at=30))


def test_errors_that_explode_backward_in_our_own_network():
    # The input is 0, so the state stays 0; the error doubles at each step back from step 180.
    model = doubling(kind=throughtime.nn.RNN, nonlinearity="identity")
    found = origin(model, STILL, lambda model, batch: Outcome(model(batch.inputs)[0][180].sum(), 1))
    assert "back through rnn.layer0 stops being finite at time step 52." in found
    assert "parameter whose gradient is not finite is 'rnn.layer0." in found


def test_the_layer_of_our_own_network_is_named():
    stacked = doubling(kind=throughtime.nn.RNN, nonlinearity="identity", num_layers=2, bidirectional=True)
    with torch.no_grad():
        stacked.rnn.layer0.weight_hh.fill_(0.5)
        stacked.rnn.layer0.reverse.weight_hh.fill_(0.5)
        stacked.head = nn.Identity()
    found = origin(stacked, STILL, lambda model, batch: Outcome(model(batch.inputs)[0][180, :, 0].sum(), 1))
    assert "back through rnn.layer1 stops being finite at time steps 0 to 52 (it runs both ways)" in found


class Forward(nn.Module):
    """Turns time and batch round for a batch_first network."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, state=None):
        y, state = self.net(x.transpose(0, 1), state)
        return y.transpose(0, 1), state


def test_the_first_of_two_modules_is_named():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.lower = doubling().rnn
            self.upper = nn.RNN(1, 1, nonlinearity="relu")
            self.head = nn.Linear(1, 1)

        def forward(self, x, state=None):
            y, _ = self.upper(self.lower(x)[0])
            return self.head(y), None

    assert "the output of lower stops being finite at time step 128," in origin(Two(), pulse())


def test_a_module_that_is_led_along_step_by_step():
    class Steps(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = doubling()

        def forward(self, x, state=None):
            outputs = []
            for step in x:
                y, state = self.net(step[None], state)
                outputs.append(y)
            return torch.cat(outputs), state

    assert "net.rnn stops being finite at time step 128," in origin(Steps(), pulse())


def test_a_layer_that_is_not_recurrent():
    class Log(nn.Module):
        def forward(self, x):
            return x.log()

    class WithLog(Net):
        def __init__(self):
            super().__init__(dtype=torch.float32)
            self.log = Log()

        def forward(self, x, state=None):
            y, state = super().forward(x, state)
            return self.log(y * 0), state

    assert "the output of log stops being finite at time step 0," in origin(WithLog(), batch_of())


def test_the_loss_itself():
    def objective(model, batch, state=None):
        return Outcome((squared_error(model, batch).loss * 0).log() * 0, 1)

    assert "began in the loss itself" in origin(Net(dtype=torch.float32), batch_of(), objective)


class Tightrope(nn.Module):
    """A ReLU unit h = relu(-2 h + 3 + x), balanced at h = 1: errors double at each step back.

    It answers with the state at step `at`. All numbers are exact, so forward it stays at 1.
    """

    def __init__(self, at, *, packed=False, **kwargs):
        super().__init__()
        self.at, self.packed = at, packed
        self.rnn = nn.RNN(2, 1, nonlinearity="relu", **kwargs)
        values = {"weight_ih": 1.0, "weight_hh": -2.0, "bias_ih": 3.0, "bias_hh": 0.0}
        with torch.no_grad():
            for name, parameter in self.rnn.named_parameters():
                parameter.fill_(values[name.split("_l0")[0]])

    def forward(self, x, state=None):
        h = torch.ones(2 if self.rnn.bidirectional else 1, x.shape[1], 1)
        if self.packed:
            packed = pack_padded_sequence(x, torch.full((x.shape[1],), x.shape[0]))
            return pad_packed_sequence(self.rnn(packed, h)[0])[0][self.at, :, :1], None
        if self.rnn.batch_first:
            return self.rnn(x.transpose(0, 1), h)[0][:, self.at, :1], None
        return self.rnn(x, h)[0][self.at, :, :1], None


def answer(model, batch, state=None):
    return Outcome(model(batch.inputs)[0].sum(), 1)


STILL = Batch(torch.zeros(200, 2, 2), torch.zeros(2, 1))


@pytest.mark.parametrize("kwargs", [{}, {"batch_first": True}, {"packed": True}])
@pytest.mark.parametrize("at", [180, 130])
def test_errors_that_explode_only_backward(at, kwargs):
    found = origin(Tightrope(at, **kwargs), STILL, answer, offset=10)
    assert f"back through rnn stops being finite at time step {10 + at - 128}." in found
    assert "backward pass, with finite values in the forward pass" in found
    assert "first parameter whose gradient is not finite is 'rnn.weight_ih_l0'" in found
    assert "truncate=(k1, k2)" in found


def test_errors_that_just_do_not_explode():
    assert origin(Tightrope(120), STILL, answer) == ""


def test_both_ways_the_range_is_given():
    found = origin(Tightrope(180, bidirectional=True), STILL, answer)
    assert "time steps 0 to 52 (it runs both ways)" in found


def test_a_gradient_that_explodes_in_another_layer():
    class Root(Net):
        def forward(self, x, state=None):
            y, state = super().forward(x, state)
            return (y * 0).sqrt(), state

    found = origin(Root(dtype=torch.float32), batch_of())
    assert "not in the errors that run back through time" in found
    assert "'rnn.weight_ih_l0'" in found


def fit_until_it_breaks(model, train, objective=squared_error, folder=None, **changes):
    validation = Echo(N=6, seed=1, shuffle=False, dtype=torch.float32)
    plan = settings(**changes)
    with pytest.raises(NonFiniteError) as caught:
        fit(model, train, validation, objective, plan, checkpoints=folder, display=QuietDisplay())
    return str(caught.value)


class Spoilt(Echo):
    """From epoch 3 on, the second batch has a NaN at step 4."""

    def epoch(self, epoch, shard=(0, 1)):
        for number, batch in enumerate(super().epoch(epoch, shard)):
            if epoch == 3 and number == 1:
                batch = Batch(batch.inputs.clone(), batch.targets, aligned=True)
                batch.inputs[4, 0, 1] = math.nan
            yield batch


@pytest.mark.parametrize("truncate", [None, (2, 3)])
def test_the_fit_stops_where_it_began_and_the_best_stays(tmp_path, truncate):
    model = Net(dtype=torch.float32)
    said = fit_until_it_breaks(model, Spoilt(dtype=torch.float32), folder=tmp_path, truncate=truncate)
    assert re.match(
        r"fit: epoch 3, batch 2: the loss is nan\. It began in the data: .* at time step 4 ", said
    )
    assert "The update was not made; the best model so far is kept." in said
    assert all(p.isfinite().all() for p in model.parameters())
    clean = Net(dtype=torch.float32)
    result = fit(
        clean, Spoilt(dtype=torch.float32), Echo(N=6, seed=1, shuffle=False, dtype=torch.float32),
        squared_error, settings(epochs=2, truncate=truncate, schedule="constant"), display=QuietDisplay(),
    )  # fmt: skip
    assert result.stopped == "finished"
    best = Net(dtype=torch.float32)
    header = load_best(tmp_path, best)
    assert header.progress.best_epoch in (1, 2)
    assert same_weights(best, model)


def test_the_time_step_counts_from_the_start_of_the_sequence_when_truncated():
    class Pulses:
        def __len__(self):
            return 1

        def epoch(self, epoch, shard=(0, 1)):
            yield pulse(at=20)

    frozen = {"learning_rate": 1e-30, "optimizer": "sgd", "clip_norm": 1e-3}
    said = fit_until_it_breaks(doubling(), Pulses(), truncate=(25, 60), **frozen)
    # The squared error overflows before the state does, at 2^64 ...
    assert "began in the loss itself" in said

    def gentle(model, batch, state=None):
        y, state = model(batch.inputs, state)
        return Outcome(y.mean() * 1e-30, y.numel(), state)

    said = fit_until_it_breaks(doubling(), Pulses(), gentle, truncate=(25, 60), **frozen)
    assert "epoch 1, batch 1" in said
    assert "rnn stops being finite at time step 148," in said


def test_a_gradient_that_is_not_finite_is_not_stepped_along():
    class Still:
        def __len__(self):
            return 1

        def epoch(self, epoch, shard=(0, 1)):
            yield STILL

    model = Tightrope(150)
    before = [p.detach().clone() for p in model.parameters()]
    said = fit_until_it_breaks(model, Still(), answer)
    assert "epoch 1, batch 1: the gradient norm is" in said
    assert "time step 22." in said
    assert all(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))


def test_dropout_is_drawn_again_as_it_was():
    class Rare(Net):
        """Breaks only under one drawing of dropout."""

        def forward(self, x, state=None):
            y, state = super().forward(x, state)
            unlucky = self.dropout(torch.ones(8)).sum() == 0
            return y / (0.0 if unlucky and self.training else 1.0), state

    said = fit_until_it_breaks(Rare(dtype=torch.float32, dropout=0.5), Echo(dtype=torch.float32), epochs=400)
    assert "Running the update again did not show" not in said
    assert "It began in" in said


def test_a_validation_loss_that_is_not_finite():
    def objective(model, batch, state=None):
        outcome = squared_error(model, batch, state)
        return outcome if model.training else Outcome(outcome.loss * math.inf, outcome.count)

    said = fit_until_it_breaks(Net(dtype=torch.float32), Echo(dtype=torch.float32), objective)
    assert "epoch 1, validation batch 1: the loss is inf. It began in the loss itself" in said
