"""Every recorded value and error against autograd on the unrolled graph."""

from __future__ import annotations

import pytest
import torch

import throughtime as tt

from ..tolerances import check_relative
from .networks import KINDS, LENGTHS, expect, loss_of, make, make_inputs

ROW = "recording against autograd, float64"


@pytest.mark.parametrize("padded", [False, True], ids=["full", "padded"])
@pytest.mark.parametrize("kind", KINDS)
def test_two_layers_both_directions(kind: str, padded: bool, backend: str) -> None:
    network = make(kind, num_layers=2, bidirectional=True, backend=backend)
    x, state = make_inputs(network)
    lengths = LENGTHS if padded else None
    expected = expect(network, x, state, lengths)
    with tt.record(network) as rec:
        output, final = network(x, state, lengths=lengths)
        loss_of(output, final).backward()
    check_relative(ROW, f"{kind}: output", output.detach(), expected.output)
    recorded = set(rec.names)
    for name, value in expected.values.items():
        check_relative(ROW, f"{kind}: {name}", rec[name], value)
        recorded.remove(name)
    gates = {f"{path}.d_{gate}" for path in rec.layers for gate in "ifzo"}
    for name, error in expected.errors.items():
        if name not in gates:
            check_relative(ROW, f"{kind}: {name}", rec[name], error)
            recorded.remove(name)
    assert recorded == set()
    for name, error in expected.initial_errors.items():
        path, _, value = name.rpartition(".")
        check_relative(ROW, f"{kind}: {name}", rec.layers[path].initial_errors[value], error)
    for name, parameter in network.named_parameters():
        check_relative(ROW, f"{kind}: {name}.grad", parameter.grad, expected.gradients[name])


def test_float32_by_the_tolerance_rule() -> None:
    from ..tolerances import check_factor

    for kind in ("LSTM vanilla", "LSTM CIFG+FGR", "RNN tanh"):
        single = make(kind, num_layers=2, dtype=torch.float32, backend="native")
        double = make(kind, num_layers=2)
        plain = make(kind, num_layers=2, dtype=torch.float32)
        double.load_state_dict(single.state_dict())
        plain.load_state_dict(single.state_dict())
        x, state = make_inputs(single, torch.float32)
        parts = (state,) if isinstance(state, torch.Tensor) else state
        wide = [part.detach().double().requires_grad_() for part in (x, *parts)]
        reference = expect(double, wide[0], wide[1] if len(wide) == 2 else tuple(wide[1:]), LENGTHS)
        plainly = expect(plain, x, state, LENGTHS)
        with tt.record(single) as rec:
            loss_of(*single(x, state, lengths=LENGTHS)).backward()
        for name in rec.names:
            found = reference.values if name in reference.values else reference.errors
            there = plainly.values if name in plainly.values else plainly.errors
            row = "native against reference, float32"
            check_factor(row, f"{kind}: {name}", rec[name], there[name], found[name])
