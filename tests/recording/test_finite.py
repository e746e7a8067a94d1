"""Finite differences confirm recorded errors, and do not confirm wrong ones."""

from __future__ import annotations

import dataclasses

import pytest
import torch

import throughtime as tt
from throughtime.recording.finite import check

from .networks import KINDS, LENGTHS, H, T, loss_of, make, make_inputs


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_confirmed(kind: str, reverse: bool) -> None:
    network = make(kind, bidirectional=reverse)
    x, state = make_inputs(network)
    with tt.record(network) as rec:
        loss_of(*network(x, state, lengths=LENGTHS)).backward()
    path = "layer0.reverse" if reverse else "layer0"
    for error in rec.layers[path].errors:
        if error == "d_above":
            continue
        for t, batch in ((0, 0), (2, 2), (3, None), (T - 1, None)):
            found = rec.check(f"{path}.{error}", t, batch=batch)
            assert found.agrees, str(found)
            assert found.bound < 1e-5


@pytest.mark.parametrize("kind", ["LSTM vanilla", "LSTM FGR", "RNN tanh"])
def test_a_wrong_error_is_not_confirmed(kind: str) -> None:
    network = make(kind)
    x, state = make_inputs(network)
    with tt.record(network) as rec:
        loss_of(*network(x, state)).backward()
    layer = rec.layers["layer0"]
    for error in layer.errors:
        if error == "d_above":
            continue
        wrong = dataclasses.replace(layer, errors={**layer.errors, error: layer.errors[error] * 1.00001})
        found = check(wrong, error, 2, None, None, None)
        assert not found.agrees, str(found)
        assert "DISAGREES" in str(found)


def test_with_the_true_loss_the_error_from_above_is_tested_too() -> None:
    torch.manual_seed(0)
    network, head = tt.LSTM(3, 4, dtype=torch.float64), torch.nn.Linear(4, 1, dtype=torch.float64)
    x, target = torch.randn(9, 2, 3, dtype=torch.float64), torch.randn(9, 2, 1, dtype=torch.float64)

    def loss(output: torch.Tensor) -> torch.Tensor:
        return (head(output) - target).square().mean()

    with tt.record(network) as rec:
        loss(network(x)[0]).backward()
    assert rec.check("layer0.d_c", 3, loss=loss).agrees
    assert not rec.check("layer0.d_c", 3, loss=lambda output: loss(output) * 1.001).agrees
    assert rec.check("layer0.d_c", 3, loss=loss, batch=1, unit=2).unit == 2


def test_float32_and_several_passes() -> None:
    torch.manual_seed(0)
    network = tt.LSTM(3, 4, peepholes=True)
    x, state = torch.randn(20, 2, 3), None
    with tt.record(network) as rec:
        for part in x.split(10):
            output, state = network(part, state)
            output.square().mean().backward()
            state = tuple(value.detach() for value in state)
    for t in (0, 9, 10, 19):
        found = rec.check("layer0.d_c", t)
        assert found.agrees, str(found)
        assert found.t == t
    outputs = []
    rec.check("layer0.d_c", 12, loss=lambda y: outputs.append(y) or y[10:].square().mean())
    assert outputs[0].shape == (20, 2, 4)
    assert outputs[0].dtype == torch.float64
    assert rec.check("layer0.d_c", 12, loss=lambda y: y[10:].square().mean()).agrees


def test_what_cannot_be_asked() -> None:
    network = make("RNN tanh")
    x, state = make_inputs(network)
    with tt.record(network) as rec:
        output, _ = network(x, state, lengths=LENGTHS)
        with pytest.raises(KeyError, match=r"no error 'layer0.d_h' in this recording yet"):
            rec.check("layer0.d_h", 0)
        output.sum().backward()
    for name in ("layer0.d_above", "layer0.h"):
        with pytest.raises(
            ValueError, match="there are differences for errors of this layer's own values, d_a"
        ):
            rec.check(name, 0)
    with pytest.raises(ValueError, match="sequence 0 has 4 steps, so t=5 is padded"):
        rec.check("layer0.d_h", 5, batch=0)
    with pytest.raises(ValueError, match=f"unit={H}, expected 0 to {H - 1}"):
        rec.check("layer0.d_h", 0, unit=H)
    with pytest.raises(ValueError, match="batch=3, expected 0 to 2"):
        rec.check("layer0.d_h", 0, batch=3)
