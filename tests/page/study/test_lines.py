"""The lines on the page are the equations: their terms add up to what was recorded."""

from __future__ import annotations

import pytest
import torch

from throughtime.page.study.equations import equations
from throughtime.page.study.evaluate import LayerNumbers, Place

from ...sequences import COMBINATIONS, NONLINEARITIES, VARIANTS
from .recorded import recording, truncated

KINDS = [*VARIANTS, *COMBINATIONS, *(f"rnn-{name}" for name in NONLINEARITIES)]
ACTIVATION = {"σ": torch.sigmoid, "id": lambda a: a}


def all_lines(layer):
    journey, _ = equations(layer, dict(layer.values))
    return [line for moment in (*journey.forward, *journey.backward) for line in moment.lines if line.terms]


def check(rec, path, places):
    layer = rec.layers[path]
    numbers = LayerNumbers(layer)
    lines = all_lines(layer)
    assert lines
    for place in places:
        for line in lines:
            total = sum(numbers.term(term, place) for term in numbers.terms(line, place))
            if line.function:
                nonlinearity = {"tanh": torch.tanh, "relu": torch.relu, "logistic": torch.sigmoid}
                g = nonlinearity.get(layer.nonlinearity, lambda a: a) if layer.kind == "RNN" else torch.tanh
                total = float(ACTIVATION.get(line.function, g)(torch.tensor(total, dtype=torch.float64)))
            assert total == pytest.approx(numbers.result(line, place), abs=1e-11), (line.target, place)


@pytest.mark.parametrize("kind", KINDS)
def test_terms_add_up_to_the_recorded_value(kind):
    rec = recording(kind, T=5, B=2, I=3, H=3, dtype=torch.float64)
    places = [Place(t, b, k) for t in range(5) for b in range(2) for k in range(3)]
    check(rec, "layer0", places)


@pytest.mark.parametrize("kind", ["vanilla", "FGR", "rnn-tanh"])
def test_in_both_directions_with_lengths(kind):
    rec = recording(kind, T=6, B=3, lengths=[4, 1, 6], bidirectional=True, dtype=torch.float64)
    places = [Place(t, b, 1) for b, length in enumerate([4, 1, 6]) for t in range(length)]
    check(rec, "layer0", places)
    check(rec, "layer0.reverse", places)


def test_a_share_is_what_the_parameter_met_times_its_error():
    rec = recording("CIFG+FGR", T=5, B=1, dtype=torch.float64)
    layer = rec.layers["layer0"]
    journey, _ = equations(layer, dict(layer.values))
    numbers, H = LayerNumbers(layer), layer.hidden_size
    assert {share.parameter for share in journey.shares} == set(layer.parameters)
    for share in journey.shares:
        total = 0.0
        for t in range(5):
            error = numbers.vector(share.error, 0, t, 0)[2]
            met = (
                numbers.vector(share.value, share.time, t, 0)[1 if share.matrix else 2]
                if share.value
                else 1.0
            )
            total += float(error * met)
        gradient = sum(_pass_gradient(rec, share.parameter, t) for t in range(5))
        row = share.block * H + 2
        expected = gradient[row, share.part * H + 1] if share.matrix else gradient.flatten()[row]
        assert total == pytest.approx(float(expected), abs=1e-11)


def _pass_gradient(rec, parameter, t):
    layer = rec.layers["layer0"]
    errors = torch.cat([layer.errors[f"d_{block}_bar"][t, 0] for block in layer.cell.variant.blocks])
    before = {
        name: layer.values[name][t - 1, 0] if t else layer.initial[name][0] for name in ("y", "c", "i", "o")
    }
    gates = {gate: layer.errors[f"d_{gate}_bar"][t, 0] for gate in layer.cell.variant.gates}
    if parameter == "bias":
        return errors
    if parameter == "peephole":
        return torch.stack([gates[g] * (layer.values["c"][t, 0] if g == "o" else before["c"]) for g in gates])
    if parameter == "weight_gates":
        met = torch.cat([before[gate] for gate in gates])
        return torch.outer(torch.cat(list(gates.values())), met)
    return torch.outer(errors, layer.values["x"][t, 0] if parameter == "weight_ih" else before["y"])


def test_at_a_cut_no_error_comes_from_the_next_step():
    rec = truncated()
    assert rec.cuts == (3,)
    check(rec, "layer0", [Place(t, b, 1) for t in range(6) for b in range(2)])
    numbers = LayerNumbers(rec.layers["layer0"])
    assert not numbers.vector("d_c", 1, 2, 0).any()
    assert numbers.vector("d_c", 1, 3, 0).any()
