"""fit(..., watch=True): what it writes down, and that it changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import throughtime as tt
from throughtime.training import Epoch, fit
from throughtime.training.display import epoch_line
from throughtime.training.history import Meter
from throughtime.training.probe import Probe
from throughtime.training.watched import Watched

from .fitting import Echo, Net, Notes, settings, squared_error


def fitted(watch=True, epochs=3, kind=tt.LSTM, data=None, **more):
    model = Net(kind=kind)
    result = fit(
        model, data or Echo(), Echo(seed=1, shuffle=False), squared_error, settings(epochs=epochs),
        display=Notes(), watch=watch, **more,
    )  # fmt: skip
    return model, result


def test_watching_changes_no_bit():
    plain, first = fitted(watch=False)
    watched, second = fitted(watch=True)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, watched.state_dict()[name]), name
    unwatched = [
        epoch.model_dump(exclude={"seconds", "steps_per_second", "watched"}) for epoch in first.history
    ]
    assert unwatched == [
        epoch.model_dump(exclude={"seconds", "steps_per_second", "watched"}) for epoch in second.history
    ]
    assert all(epoch.watched is None for epoch in first.history)


def test_gradient_norms_are_those_of_the_updates():
    model = Net(kind=tt.LSTM)
    batch = next(Echo(N=4).epoch(1))
    squared_error(model, batch).loss.backward()
    expected = {name: float(p.grad.norm()) for name, p in model.named_parameters()}
    _, result = fitted(epochs=1, data=Echo(N=4))
    assert result.history[0].watched.gradient_norms == pytest.approx(expected)
    assert result.history[0].gradient_norm == pytest.approx(sum(n**2 for n in expected.values()) ** 0.5)


def test_the_mean_over_updates():
    meter = Meter()
    meter.add_norms({"a": 1.0, "b": 4.0})
    meter.add_norms({"a": 3.0})
    watched = meter.close(1, 0.0, 0.0, {}).watched
    assert watched.gradient_norms == {"a": 2.0, "b": 2.0}
    assert meter.close(1, 0.0, 0.0).watched is None


@pytest.mark.parametrize(("kind", "memory"), [(tt.LSTM, "c"), (tt.RNN, "h")])
def test_layers_as_the_maps_see_them(kind, memory):
    model, result = fitted(kind=kind, epochs=1)
    layer = result.history[-1].watched.layers["rnn.layer0"]
    x = next(Echo(seed=1, shuffle=False).epoch(0)).inputs[:, :4]
    slope = torch.randn(5, generator=torch.Generator().manual_seed(0)).double()
    at = torch.linspace(8, 4, 16).long().tolist()
    errors = tt.error_map(model.rnn, x, slope, at=at)
    found = tt.memory_length(errors)
    assert (layer.memory_steps, layer.memory_reached) == (found.steps, found.reached)
    assert layer.verdict == errors.reach(memory).verdict()
    names = {"h"} if kind is tt.RNN else {f"{gate} {how}" for gate in "ifo" for how in ("shut", "open")}
    assert set(layer.saturated) == names


def test_saturation_is_counted_at_real_steps():
    model = tt.LSTM(1, 4, dtype=torch.float64)
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.zero_()
            if name.endswith("bias"):
                value[:4], value[4:8] = -9.0, 9.0  # input gate shut, forget gate open
    probe = Probe(model)
    with probe.catching():
        model(torch.zeros(6, 2, 1, dtype=torch.float64), lengths=torch.tensor([6, 2]))
        model(torch.full((6, 2, 1), torch.nan, dtype=torch.float64))  # a second run is not looked at
    found = probe.look()["layer0"]
    assert found.saturated == {
        "i shut": 1.0, "i open": 0.0, "f shut": 0.0, "f open": 1.0, "o shut": 0.0, "o open": 0.0,
    }  # fmt: skip
    assert not found.memory_reached


def test_both_directions_and_every_layer():
    model = tt.LSTM(2, 3, num_layers=2, bidirectional=True)
    probe = Probe(model)
    with probe.catching():
        model(torch.randn(8, 6, 2))
    assert list(probe.look()) == ["layer0", "layer0.reverse", "layer1", "layer1.reverse"]
    assert not any(layer._forward_pre_hooks for layer in model.layers)


def test_exploding_errors_are_named():
    model = tt.RNN(1, 2, nonlinearity="identity")
    nn.init.constant_(model.layer0.weight_hh, 2.0)
    probe = Probe(model)
    with probe.catching():
        model(torch.zeros(12, 1, 1))
    layers = probe.look()
    assert layers["layer0"].verdict == "explode"
    entry = Meter(updates=1, seconds=1.0).close(7, 0.0, 0.0, layers)
    assert entry.exploded == "errors of layer0 grew more than tenfold on their way back"
    assert "errors explode" in epoch_line(entry, 9, False)


def test_models_without_a_layer_of_ours():
    _, result = fitted(kind=nn.LSTM, epochs=1)
    assert result.history[0].watched.layers == {}
    assert "rnn.weight_hh_l0" in result.history[0].watched.gradient_norms


def test_it_survives_a_checkpoint(tmp_path):
    _, whole = fitted(epochs=3)
    schedule = {"schedule": "constant"}
    model, data = Net(kind=tt.LSTM), Echo()
    for epochs, resume in ((1, False), (3, True)):
        result = fit(
            model, data, Echo(seed=1, shuffle=False), squared_error, settings(epochs=epochs, **schedule),
            display=Notes(), watch=True, checkpoints=tmp_path, resume=resume,
        )  # fmt: skip
    assert [epoch.watched is not None for epoch in result.history] == [True] * 3
    assert isinstance(Epoch.model_validate_json(whole.history[0].model_dump_json()).watched, Watched)


def test_a_sequence_of_one_step_says_nothing():
    model = tt.LSTM(1, 2)
    probe = Probe(model)
    with probe.catching():
        model(torch.zeros(1, 1, 1))
    assert probe.look()["layer0"].verdict == "unknown"
