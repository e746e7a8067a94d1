"""What each step contributes to a gradient, against autograd with parameters of its own at each step."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

import throughtime as tt
from throughtime.ops.padding import direction
from throughtime.recording import step_gradients

from ..tolerances import check_relative
from .networks import KINDS, LENGTHS, loss_of, make, make_inputs

ROW = "recording against autograd, float64"


def gradients_by_step(
    layer: tt.recording.LayerRecord,
    mask: torch.Tensor | None = None,
    shares: Sequence[torch.Tensor | None] = (None, None),
) -> list[dict[str, torch.Tensor]]:
    """Gradients of a copy of the parameters by step; `mask` and `shares` (of c, of the output): (T, B, H)."""
    copies = [{k: v.clone().requires_grad_() for k, v in layer.parameters.items()} for _ in range(layer.T)]
    lengths = torch.full((layer.B,), layer.T) if layer.lengths is None else layer.lengths
    state = {name: value.clone() for name, value in layer.initial.items()}
    loss = torch.zeros((), dtype=torch.float64)
    for t in direction(layer.T, layer.reverse):
        real = (t < lengths).unsqueeze(-1)
        read = state if mask is None else {**state, layer.output: state[layer.output] * mask[t]}
        values = layer.cell.step(layer.values["x"][t], read, copies[t])
        for name, k in zip(("c", layer.output), shares, strict=True):
            if k is not None:
                values[name] = k[t] * values[name] + (1 - k[t]) * state[name]
        state = {name: torch.where(real, values[name], state[name]) for name in state}
        loss = loss + (values[layer.output] * layer.errors["d_above"][t]).sum()
    loss = loss + sum((state[name] * error).sum() for name, error in layer.final_errors.items())
    leaves = [value for copy in copies for value in copy.values()]
    found = iter(torch.autograd.grad(loss, leaves, allow_unused=True))
    return [
        {k: torch.zeros_like(v) if (g := next(found)) is None else g for k, v in copy.items()}
        for copy in copies
    ]


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "padded"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_step(kind: str, lengths: list[int] | None) -> None:
    network = make(kind, bidirectional=True, num_layers=2)
    x, state = make_inputs(network)
    with tt.record(network) as rec:
        loss_of(*network(x, state, lengths=lengths)).backward()
    for path, layer in rec.layers.items():
        expected = gradients_by_step(layer)
        check_steps(ROW, kind, rec, network, path, expected)


def check_steps(
    row: str,
    kind: str,
    rec: tt.Recording,
    network: torch.nn.Module,
    path: str,
    expected: list[dict[str, torch.Tensor]],
) -> None:
    """Hold the gradients of the layer at `path`, by step, their sum and their norms, to those `expected`."""
    for name in rec.layers[path].parameters:
        key = f"{path}.{name}"
        steps = [rec.step_gradient(key, t) for t in range(len(expected))]
        for t, step in enumerate(steps):
            check_relative(row, f"{kind}: {key} at {t}", step, expected[t][name])
        gradient = dict(network.named_parameters())[key].grad
        check_relative(row, f"{kind}: {key}, sum over t", torch.stack(steps).sum(0), gradient)
        norms = torch.stack([step.norm() for step in steps])
        check_relative(row, f"{kind}: {key}, norms", rec.step_gradient_norms(key), norms)


def test_norms_by_either_way_and_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tt.LSTM(3, 2, dtype=torch.float64)
    x = torch.randn(6, 40, 3, dtype=torch.float64)
    for batch, chunk in ((40, 1 << 23), (3, 1 << 23), (3, 1), (3, 100)):
        monkeypatch.setattr(step_gradients, "_CHUNK", chunk)
        with tt.record(network) as rec:
            network(x[:, :batch])[0].square().sum().backward()
        norms = torch.stack([rec.step_gradient("layer0.weight_ih", t).norm() for t in range(6)])
        check_relative(ROW, f"B={batch}", rec.step_gradient_norms("layer0.weight_ih"), norms)


def test_what_cannot_be_asked() -> None:
    network = make("RNN tanh")
    x, state = make_inputs(network)
    with tt.record(network, errors=False) as rec:
        network(x, state)[0].sum().backward()
    with pytest.raises(KeyError, match=r"needs layer0.d_a, which is not in this recording: no backward\(\)"):
        rec.step_gradient("layer0.bias", 0)
    with pytest.raises(
        KeyError, match=r"^no parameter 'layer0.peephole' in this recording; layer0 has weight_ih, "
    ):
        rec.step_gradient_norms("layer0.peephole")
