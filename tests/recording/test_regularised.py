"""Recordings of layers with layer normalisation and recurrent dropout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import dropout

import throughtime as tt
from throughtime.cells import Values
from throughtime.errors import RecordingError
from throughtime.ops import unrolled
from throughtime.ops.backends import available
from throughtime.ops.noise import Noise
from throughtime.ops.regularised import BACKENDS
from throughtime.page.study.data import study_data

from ..tolerances import check_relative

T, B, I, H = 6, 3, 2, 5  # noqa: E741
ROW = "regularised op against cell, float64"
X = torch.randn(T, B, I, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
LENGTHS = torch.tensor([6, 0, 4])


def network(kind: str, **arguments: Any) -> tt.LSTM | tt.RNN:
    torch.manual_seed(2)
    arguments = {"layer_norm": True, "dtype": torch.float64, **arguments}
    if kind == "rnn":
        return tt.RNN(I, H, **arguments)
    return tt.LSTM(I, H, variant=kind, peepholes=True, **arguments)


def by_autograd(module: tt.LSTM | tt.RNN, mask: Tensor | None, weights: Tensor) -> tuple[Values, Values]:
    """Every value of the loop over the cell, and its error of J = Σ weights ⊙ output."""
    layer = module.layers[0]
    p = dict(layer.named_parameters(recurse=False))
    initial = {name: X.new_zeros(B, H) for name in layer.cell.state}
    run = unrolled.forward(layer.cell, X, initial, p, LENGTHS, False, Noise(mask))
    loss = (run.output * weights).sum()
    values, errors = {}, {}
    real = (torch.arange(T).unsqueeze(1) < LENGTHS).unsqueeze(-1)
    for name in run.values[0]:
        steps = [step[name] for step in run.values]
        values[name] = torch.stack(steps).detach() * real
        if steps[0].requires_grad:
            found = torch.autograd.grad(loss, steps, retain_graph=True, allow_unused=True)
            errors[f"d_{name}"] = torch.stack([X.new_zeros(B, H) if e is None else e for e in found]) * real
    return values, errors


@pytest.mark.parametrize("backend", [name for name in available() if name in BACKENDS])
@pytest.mark.parametrize("dropped", [0.0, 0.4])
@pytest.mark.parametrize("kind", ["vanilla", "CIFG+FGR", "NOG+NIAF", "rnn"])
def test_values_and_errors_are_those_of_autograd(kind: str, dropped: float, backend: str) -> None:
    module = network(kind, recurrent_dropout=dropped, backend=backend)
    weights = torch.randn(T, B, H, dtype=torch.float64)
    torch.manual_seed(5)
    with tt.record(module) as rec:
        (module(X, lengths=LENGTHS)[0] * weights).sum().backward()
    torch.manual_seed(5)
    mask = dropout(torch.ones(B, H, dtype=torch.float64), dropped) if dropped else None
    values, errors = by_autograd(module, mask, weights)
    compared = 0
    for name in rec.layers["layer0"].names():
        expected = values.get(name, errors.get(name))
        if expected is not None:
            check_relative(ROW, f"{kind}: {name}", rec[f"layer0.{name}"], expected)
            compared += 1
    assert compared >= (4 if kind == "rnn" else 12)
    assert rec.backend == backend
    plain = network(kind, recurrent_dropout=dropped, backend=backend)
    torch.manual_seed(5)
    (plain(X, lengths=LENGTHS)[0] * weights).sum().backward()
    for (name, one), other in zip(module.named_parameters(), plain.parameters(), strict=True):
        check_relative(ROW, name, one.grad, other.grad)


def test_it_is_saved_and_read(tmp_path: Path) -> None:
    module = network("CIFG")
    with tt.record(module) as rec:
        module(X)[0].sum().backward()
    rec.save(tmp_path / "rec.safetensors")
    again = tt.load_recording(tmp_path / "rec.safetensors")
    assert again.names == rec.names
    assert all(torch.equal(again[name], rec[name]) for name in rec.names)
    assert again.layers["layer0"].beside == ("layer normalisation",)
    assert again.layers["layer0"].parameters["gain_c"].shape == (H,)


def test_what_knows_the_plain_cell_only_says_so() -> None:
    module = network("vanilla")
    with tt.record(module) as rec:
        module(X)[0].sum().backward()
    for who, ask in {
        "routes": lambda: rec.routes("layer0.d_c", 2),
        "check": lambda: rec.check("layer0.d_c", 2),
        "step_gradient": lambda: rec.step_gradient("layer0.weight_hh", 2),
        "study": lambda: study_data(rec),
    }.items():
        message = f"{who}: layer0 ran with layer normalisation, and {who} knows the plain cell only"
        with pytest.raises(RecordingError, match=message):
            ask()
