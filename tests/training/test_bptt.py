from collections import namedtuple
from itertools import pairwise

import pytest
import torch
from torch import nn

import throughtime.nn
from throughtime.training import Outcome
from throughtime.training.bptt import Stretch, detach, mean_loss, run_stretch, stretches

from .fitting import Echo, Net, squared_error

CASES = [(9, 3, 3), (9, 3, 5), (9, 2, 5), (10, 4, 4), (10, 4, 7), (7, 1, 3), (5, 8, 8), (5, 2, 99), (1, 1, 1)]


def spans(steps, k1, k2):
    return [(s.start, s.new, s.stop) for s in stretches(steps, k1, k2)]


def test_the_picture_in_the_docstring():
    assert spans(8, 2, 5) == [(0, 0, 2), (0, 2, 4), (1, 4, 6), (3, 6, 8)]


def test_the_usual_form_runs_nothing_twice():
    assert spans(10, 4, 4) == [(0, 0, 4), (4, 4, 8), (8, 8, 10)]


@pytest.mark.parametrize(("steps", "k1", "k2"), CASES)
def test_each_step_is_new_once_and_each_start_was_kept(steps, k1, k2):
    plan = stretches(steps, k1, k2)
    assert [step for s in plan for step in range(s.new, s.stop)] == list(range(steps))
    for before, after in pairwise(plan):
        assert before.keep == after.start
        assert before.start <= before.keep <= before.stop
    assert all(s.stop - s.start <= k2 for s in plan)
    reach = [s for s in plan if k1 < k2 or s.stop - s.new == k1]
    assert all(s.stop - s.start == min(k2, s.stop) for s in reach)


@pytest.mark.parametrize(("k1", "k2"), [(0, 3), (4, 3)])
def test_k2_below_k1_is_refused(k1, k2):
    with pytest.raises(ValueError, match=rf"\({k1}, {k2}\).*k2 at least k1"):
        stretches(9, k1, k2)


def gradient_sums(model, batch, k1, k2):
    """Gradients of the total loss, stretch by stretch, with no update in between."""
    model.zero_grad()
    state, total = None, 0.0
    for stretch in stretches(batch.inputs.shape[0], k1, k2):
        outcome = run_stretch(model, squared_error, batch, stretch, state)
        (outcome.loss * outcome.count).backward()
        total += outcome.loss.item() * outcome.count
        state = outcome.state
    return total, [p.grad.clone() for p in model.parameters()]


def full_gradients(model, batch):
    model.zero_grad()
    outcome = squared_error(model, batch)
    (outcome.loss * outcome.count).backward()
    return outcome.loss.item() * outcome.count, [p.grad.clone() for p in model.parameters()]


@pytest.mark.parametrize(("k1", "k2"), [(9, 9), (3, 9), (2, 9), (1, 12), (4, 99)])
def test_reaching_back_to_the_start_is_full_bptt(k1, k2):
    model, batch = Net(num_layers=2), next(Echo(T=9).epoch(1))
    (loss, grads), (full_loss, full) = gradient_sums(model, batch, k1, k2), full_gradients(model, batch)
    assert loss == pytest.approx(full_loss, rel=1e-12)
    for ours, theirs in zip(grads, full, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("k1", "k2"), [(3, 3), (3, 4), (2, 5), (2, 6), (4, 5)])
def test_truncated_gradients_are_those_of_the_definition(k1, k2):
    """By definition: at each update, the state k2 steps back is cut off from what made it."""
    model, batch = Net(), next(Echo(T=9).epoch(1))
    _, grads = gradient_sums(model, batch, k1, k2)
    model.zero_grad()
    for new in range(0, 9, k1):
        stop = min(new + k1, 9)
        start = max(0, stop - k2)
        state = None if start == 0 else detach(model(batch.inputs[:start])[1])
        predicted = model(batch.inputs[start:stop], state)[0][new - start :]
        (predicted - batch.targets[new:stop]).square().sum().backward()
    for ours, p in zip(grads, model.parameters(), strict=True):
        torch.testing.assert_close(ours, p.grad, rtol=1e-11, atol=1e-13)
    assert not torch.allclose(grads[1], full_gradients(model, batch)[1][1], rtol=1e-6)


def test_steps_run_once_where_k1_is_k2():
    lengths = []

    def objective(model, batch, state):
        lengths.append(batch.inputs.shape[0])
        return squared_error(model, batch, state)

    model, batch, state = Net(), next(Echo(T=9).epoch(1)), None
    for stretch in stretches(9, 3, 3):
        state = run_stretch(model, objective, batch, stretch, state).state
    assert lengths == [3, 3, 3]


def test_losing_the_state_is_an_error():
    def stateless(model, batch, state):
        return Outcome(squared_error(model, batch).loss, 1)

    with pytest.raises(ValueError, match="state=None"):
        run_stretch(Net(), stateless, next(Echo().epoch(1)), Stretch(0, 0, 3, 3), None)


def test_mean_loss_weighs_terms_and_leaves_out_empty_ones():
    parts = [
        Outcome(torch.tensor(1.0), 1),
        Outcome(torch.tensor(float("nan")), 0),
        Outcome(torch.tensor(5.0), 3),
    ]
    loss, count = mean_loss(parts)
    assert (loss.item(), count) == (4.0, 4)


def test_detach_goes_through_any_nesting():
    Pair = namedtuple("Pair", "h c")
    x = torch.ones(2, requires_grad=True) * 2
    state = detach((Pair(x, None), [x, (x,)]))
    assert isinstance(state[0], Pair)
    assert not any(t.requires_grad for t in (state[0].h, state[1][0], state[1][1][0]))
    assert state[0].c is None
    with pytest.raises(TypeError, match="returned a dict"):
        detach({"h": x})


@pytest.mark.parametrize("kind", [nn.GRU, throughtime.nn.LSTM, throughtime.nn.RNN])
def test_states_of_other_networks(kind):
    model = Net(kind=kind)
    batch = next(Echo(T=9).epoch(1))
    assert gradient_sums(model, batch, 2, 9)[0] == pytest.approx(full_gradients(model, batch)[0])
