"""Single steps' Jacobians against autograd through the cell."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from throughtime.cells import LSTMCell
from throughtime.ops import unrolled
from throughtime.recording.jacobians import cell_terms, step_jacobian, term_shares
from throughtime.recording.passes import run, watching

from ..tolerances import check_relative
from .mapped import KINDS, VARIANTS, network, random, unrolled_layers

ROW = "error map against autograd, float64"


def factors_of(model: torch.nn.Module, x: Tensor, layer: str = "layer0", **inputs: object):
    with watching(model, layer, "test") as passes:
        run(model, x, inputs)
    return passes.of(layer).factors()


def jacobian(outputs: list[Tensor], inputs: list[Tensor]) -> Tensor:
    """∂outputs/∂inputs of the first sequence, laid side by side."""
    rows = []
    for value in torch.cat([v[0] for v in outputs]):
        found = torch.autograd.grad(value, inputs, retain_graph=True, allow_unused=True)
        parts = [torch.zeros_like(v[0]) if g is None else g[0] for g, v in zip(found, inputs, strict=True)]
        rows.append(torch.cat(parts))
    return torch.stack(rows)


def state_names(cell: object) -> list[str]:
    if not isinstance(cell, LSTMCell):
        return ["h"]
    return ["c", "y", *cell.state[2:]]


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_state(kind: str) -> None:
    model, x = network(kind, 3, 4), random(5, 2, 3)
    cell, p = model.layer0.cell, {k: v.detach() for k, v in model.layer0.named_parameters(recurse=False)}
    f = factors_of(model, x)
    with torch.no_grad():
        before = unrolled_layers(model, x)[0].values[2]
    names = state_names(cell)
    state = {name: before[name].detach().requires_grad_() for name in names}
    after = cell.step(x[3], state, p)
    expected = jacobian([after[name] for name in names], list(state.values()))
    check_relative(ROW, kind, step_jacobian(f, 3)[0], expected)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", VARIANTS)
def test_the_four_terms(kind: str, reverse: bool) -> None:
    """Their sum is ∂c(t)/∂c(t-1) where y(t-1), and under FGR o(t-1), follow c(t-1)."""
    model, x = network(kind, 3, 4, bidirectional=True), random(5, 2, 3)
    layer = model.layer0.reverse if reverse else model.layer0
    f = factors_of(model, x, "layer0.reverse" if reverse else "layer0")
    p = {k: v.detach() for k, v in layer.named_parameters(recurse=False)}
    state = {name: torch.zeros(2, 4, dtype=torch.float64) for name in layer.cell.state}
    values = unrolled.forward(layer.cell, x, state, p, None, reverse).values
    t, earlier, first = (2, 3, 4) if reverse else (2, 1, 0)
    c = values[earlier]["c"].detach().requires_grad_()
    followed = {**values[earlier], "c": c, **_output(layer.cell, values[earlier], c, p)}
    after = layer.cell.step(x[t], {name: followed[name] for name in layer.cell.state}, p)
    terms = cell_terms(f, t)
    check_relative(ROW, kind, sum(terms.values())[0], jacobian([after["c"]], [c]))
    assert set(terms) <= {"carousel", "forget gate", "input gate", "block input"}
    shares = term_shares(f)
    assert torch.allclose(sum(shares.values()), torch.ones(5, 2, dtype=torch.float64))
    alone = torch.linalg.matrix_norm(terms["block input"]) / sum(
        map(torch.linalg.matrix_norm, terms.values())
    )
    check_relative(ROW, "share", shares["block input"][t], alone)
    assert cell_terms(f, first)["block input"].eq(0).all()  # what y began from depends on no c


def _output(cell: LSTMCell, values: dict[str, Tensor], c: Tensor, p: dict[str, Tensor]) -> dict[str, Tensor]:
    """y, and o, from another c at the same step."""
    o = values["o"].detach()
    if cell.variant.output_gate:
        bar = values["o_bar"].detach()
        if cell.variant.peepholes:
            bar = bar + p["peephole"][-1] * (c - values["c"].detach())
        o = torch.sigmoid(bar)
    return {"o": o, "y": o * (c.tanh() if cell.variant.output_activation == "tanh" else c)}


def test_padded_steps_have_no_shares() -> None:
    model, x = network("vanilla", 3, 4), random(5, 2, 3)
    shares = term_shares(factors_of(model, x, lengths=torch.tensor([5, 2])))
    assert shares["carousel"][2:, 1].isnan().all()
    assert not shares["carousel"][:, 0].isnan().any()


def test_a_simple_rnn_has_no_cell() -> None:
    with pytest.raises(ValueError, match="has no cell"):
        cell_terms(factors_of(network("rnn-tanh", 3, 4), random(5, 2, 3)), 1)
