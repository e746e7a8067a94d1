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


REGULAR = {
    "norm": {"layer_norm": True},
    "zoneout": {"zoneout": 0.3},
    "dropout": {"recurrent_dropout": 0.4},
    "all": {"layer_norm": True, "zoneout": 0.3, "recurrent_dropout": 0.4},
}


@pytest.mark.parametrize("how", REGULAR)
@pytest.mark.parametrize("kind", ["vanilla", "CIFG+FGR", "NOG+NIAF", "NFG+NIG", "rnn-relu"])
def test_with_layer_normalisation_zoneout_and_dropout(kind, how):
    rec = recording(
        kind, T=5, B=3, lengths=[5, 0, 3], H=3, bidirectional=True, dtype=torch.float64, **REGULAR[how]
    )
    places = [Place(t, b, k) for b, length in enumerate([5, 0, 3]) for t in range(length) for k in range(3)]
    for path, layer in rec.layers.items():
        check(rec, path, places)
        targets = {line.target for line in all_lines(layer)}
        assert targets >= {name for name in layer.errors if name not in ("d_above", "d_x")}
        journey, _ = equations(layer, dict(layer.values))
        assert {share.parameter for share in journey.shares} == set(layer.parameters)


@pytest.mark.parametrize("how", REGULAR)
@pytest.mark.parametrize("kind", ["vanilla", "rnn-tanh"])
def test_routes_on_the_page_are_those_of_the_recording(kind, how):
    rec = recording(kind, T=4, B=1, H=3, dtype=torch.float64, **REGULAR[how])
    layer, names = rec.layers["layer0"], {"head": "above(t)", "state": "returned state"}
    numbers = LayerNumbers(layer)
    routed = [line for line in all_lines(layer) if line.routes]
    assert {line.target for line in routed} >= ({"d_h"} if kind == "rnn-tanh" else {"d_y", "d_c"})
    for line in routed:
        for t in range(4):
            found = rec.routes(f"layer0.{line.target}", t)
            shown = {names.get(term.route, term.route): term for term in numbers.terms(line, Place(t, 0, 1))}
            assert set(shown) == set(found)
            for route, term in shown.items():
                part = float(found[route][0, 1])
                assert numbers.term(term, Place(t, 0, 1)) == pytest.approx(part, abs=1e-12)


@pytest.mark.parametrize("kind", ["vanilla", "CIFG", "rnn-tanh"])
def test_drawings_with_zoneout_show_what_was_found_within_the_block(kind):
    layer = recording(kind, T=3, B=1, **REGULAR["all"]).layers["layer0"]
    values = dict(layer.values)
    _, extra = equations(layer, values)
    there = {*values, *layer.errors}
    for drawing in extra["drawings"]:
        for part in (*drawing["wires"].values(), *drawing["chips"], *drawing["nodes"]):
            for read in (part["value"], part["error"]):
                ghost = set(part["needs"]) & set(extra["lacks"])
                assert read is None or ghost or {read["name"], *read["product"]} <= there
    wires = extra["drawings"][0]["wires"]
    if kind == "rnn-tanh":
        assert wires["h_out"]["value"]["name"] == "h_tilde"
        assert wires["h_next"]["value"]["name"] == "h"
        return
    assert wires["c_rail"]["value"]["name"] == "c_tilde"
    assert wires["c_kept"]["error"]["product"] == ("d_c_tilde", "f")
    assert wires["c_kept"]["value"]["product"] == ("f", "c")
    assert wires["c_next"]["value"]["name"] == "c"
    assert wires["y_up"]["value"]["name"] == "y"
    labels = {chip["wire"]: chip["label"] for chip in extra["drawings"][0]["chips"]}
    assert labels["c_rail"] == "c\N{COMBINING TILDE}"
    assert labels["c_kept"] == "c·f"


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
