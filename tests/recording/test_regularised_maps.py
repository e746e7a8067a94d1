"""Error maps, Jacobians and exponents of layers with layer normalisation, zoneout and recurrent dropout."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import throughtime as tt
from throughtime.nn.regularisation import draw_noise
from throughtime.ops import unrolled
from throughtime.ops.noise import Noise, kept, through
from throughtime.recording.jacobians import cell_terms, step_jacobian
from throughtime.recording.passes import run, watching
from throughtime.training.probe import look_at

from ..tolerances import check_relative
from .mapped import losses, map_by_autograd, random
from .test_jacobians import jacobian, state_names
from .test_regularised import HOW

ROW = "error map against autograd, float64"
T, B, I, H = 7, 2, 3, 4  # noqa: E741
KINDS = ["vanilla", "CIFG", "NOG", "NP", "CIFG+FGR", "rnn"]
EVERY_WAY = pytest.mark.parametrize("how", HOW)
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def network(kind: str, how: str, **more: Any) -> tt.LSTM | tt.RNN:
    torch.manual_seed(1)
    more = {"dtype": torch.float64, **HOW[how], **more}
    made = (
        tt.RNN(I, H, **more) if kind == "rnn" else tt.LSTM(I, H, variant=kind, peepholes=kind != "NP", **more)
    )
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(1.5).add_(0.1)
    return made.train(not how.endswith("evaluation"))


def noises(model: tt.LSTM | tt.RNN) -> list[Noise]:
    """What chance does to each layer and direction in the next pass after `torch.manual_seed(7)`."""
    torch.manual_seed(7)
    like = (torch.zeros(B, H, dtype=torch.float64),)
    layers = [one for layer in model.layers for one in (layer, layer.reverse) if one is not None]
    return [draw_noise(layer, like) for layer in layers]


def unrolled_layer(layer: Any, x: Tensor, noise: Noise, lengths: Tensor | None = None) -> unrolled.Forward:
    p = {name: value.detach() for name, value in layer.named_parameters(recurse=False)}
    state = {name: torch.zeros(B, H, dtype=x.dtype).requires_grad_() for name in layer.cell.state}
    return unrolled.forward(layer.cell, x, state, p, lengths, layer.runs_in_reverse, noise)


def with_states(found: unrolled.Forward, name: str) -> unrolled.Forward:
    """The pass with outputs after zoneout; the cell, c̃ where there is zoneout, as it was found."""
    values = [step[name.removesuffix("_tilde")] for step in found.values]
    if name in ("y", "h"):
        values = [state[name] for state in found.states]
    return found._replace(values=[{name: value} for value in values])


@EVERY_WAY
@EVERY_KIND
@pytest.mark.parametrize("padded", [False, True], ids=["full", "padded"])
def test_against_autograd(kind: str, how: str, padded: bool) -> None:
    model, x = network(kind, how), random(T, B, I)
    lengths = torch.tensor([T, 4]) if padded else None
    (noise,) = noises(model)
    reference = unrolled_layer(model.layer0, x, noise, lengths)
    J = losses(reference.output)
    torch.manual_seed(7)
    found = tt.error_map(model, x, losses, lengths=lengths)
    assert found.backend == "reference" or how == "dropout, in evaluation"
    real = torch.arange(T)[None] < (torch.full((B,), T) if lengths is None else lengths)[:, None]
    for name in found:
        expected = map_by_autograd(with_states(reference, name), J, name)
        expected = expected * real[:, :, None] * real[:, None, :]
        check_relative(ROW, f"{kind}, {how}: {name}", found[name], expected)
    if kind == "rnn":
        assert found.bound is not None
        assert (found["h"] <= found.bound * (1 + 1e-12)).all()
    else:
        cell = found[found.memory]
        assert found.memory == ("c" if how in ("norm", "dropout") else "c_tilde")
        assert torch.allclose(found.carousel.diagonal(dim1=1, dim2=2), cell.diagonal(dim1=1, dim2=2))
        assert str(found).count("carousel") == 1


@pytest.mark.parametrize("kind", ["vanilla", "CIFG+FGR", "rnn"])
def test_lower_layers_and_the_other_direction(kind: str) -> None:
    model, x = network(kind, "all", num_layers=2), random(T, B, I)
    first, second = noises(model)
    lower = unrolled_layer(model.layer0, x, first)
    upper = unrolled_layer(model.layer1, lower.output, second)
    torch.manual_seed(7)
    found = tt.error_map(model, x, losses, layer="layer0")
    for name in found:
        expected = map_by_autograd(with_states(lower, name), losses(upper.output), name)
        check_relative(ROW, f"{kind}: {name}", found[name], expected)
    both = network(kind, "all", bidirectional=True, merge="sum")
    there, back = (
        unrolled_layer(layer, x, noise)
        for layer, noise in zip((both.layer0, both.layer0.reverse), noises(both), strict=True)
    )
    torch.manual_seed(7)
    found = tt.error_map(both, x, losses, layer="layer0.reverse")
    J = losses(there.output + back.output)
    for name in found:
        check_relative(ROW, f"{kind}: {name}", found[name], map_by_autograd(with_states(back, name), J, name))


def one_step(layer: Any, x: Tensor, state: dict[str, Tensor], noise: Noise, t: int) -> dict[str, Tensor]:
    """The state after step t, and what was found as "c_tilde", by the cell and the papers' own lines."""
    out = layer.cell.state[0]
    read = state if noise.mask is None else {**state, out: state[out] * noise.mask}
    values = layer.cell.step(x, read, dict(layer.named_parameters(recurse=False)))
    k_c, k_y = kept(noise, t, state[out])
    after = {name: values[name] for name in layer.cell.state}
    after[out] = through(values[out], state[out], k_y)
    if "c" in after:
        after |= {"c": through(values["c"], state["c"], k_c), "c_tilde": values["c"]}
    return after


@EVERY_WAY
@EVERY_KIND
def test_the_jacobian_of_a_step(kind: str, how: str) -> None:
    model, x = network(kind, how), random(T, B, I)
    (noise,) = noises(model)
    with torch.no_grad():
        before = unrolled_layer(model.layer0, x, noise).states[2]
    names = state_names(model.layer0.cell)
    state = {name: before[name].detach().requires_grad_() for name in names}
    after = one_step(model.layer0, x[3], state, noise, 3)
    expected = jacobian([after[name] for name in names], list(state.values()))
    torch.manual_seed(7)
    with watching(model, "layer0", "test") as passes:
        run(model, x, {})
    check_relative(ROW, kind, step_jacobian(passes.of("layer0").factors(), 3)[0], expected)


@EVERY_WAY
@pytest.mark.parametrize("kind", ["vanilla", "CIFG", "NOG", "NP"])
def test_the_four_terms(kind: str, how: str) -> None:
    """Their sum is the derivative of the cell found at t by that of t-1, which y(t-1) and c(t-1) follow."""
    model, x = network(kind, how), random(T, B, I)
    (noise,) = noises(model)
    with torch.no_grad():
        reference = unrolled_layer(model.layer0, x, noise)
    p = dict(model.layer0.named_parameters(recurse=False))
    c = reference.values[2]["c"].detach().requires_grad_()
    state, v = reference.states[1], model.layer0.cell.variant
    o = torch.ones_like(c)
    if v.output_gate:
        bar = reference.values[2]["o_bar"].detach()
        peephole = p["peephole"][-1].detach() if v.peepholes else torch.zeros(H, dtype=c.dtype)
        o = torch.sigmoid(bar + peephole * (c - c.detach()))
    seen = c
    if model.layer0.cell.layer_norm:
        seen = torch.nn.functional.layer_norm(c, (H,), p["gain_c"].detach(), p["bias_c"].detach())
    k_c, k_y = kept(noise, 2, c)
    follows = {"y": through(o * seen.tanh(), state["y"], k_y), "c": through(c, state["c"], k_c)}
    found = one_step(model.layer0, x[3], follows, noise, 3)["c_tilde"]
    torch.manual_seed(7)
    with watching(model, "layer0", "test") as passes:
        run(model, x, {})
    terms = cell_terms(passes.of("layer0").factors(), 3)
    check_relative(ROW, kind, sum(terms.values())[0], jacobian([found], [c]))


@EVERY_WAY
def test_exponents_are_those_of_the_jacobians(how: str) -> None:
    model, x = network("vanilla", how), random(T, B, I)
    torch.manual_seed(7)
    found = tt.lyapunov_exponents(model, x)
    torch.manual_seed(7)
    with watching(model, "layer0", "test") as passes:
        run(model, x, {})
    factors = passes.of("layer0").factors()
    logs = [torch.linalg.slogdet(step_jacobian(factors, t)).logabsdet for t in range(T)]
    if how != "all":  # a mask of zeros leaves no volume
        assert torch.allclose(found.values.sum(1), torch.stack(logs).mean(0), rtol=1e-6)
    assert tt.memory_length(tt.error_map(model, x, losses)).steps >= 1


@pytest.mark.parametrize("kind", ["vanilla", "rnn"])
def test_after_each_epoch_of_training(kind: str) -> None:
    model, x = network(kind, "all"), random(T, B, I)
    with watching(model.eval(), "layer0", "test") as passes:
        run(model, x, {})
    one, before = passes.of("layer0"), torch.get_rng_state()
    calm = look_at(one)
    assert calm.memory_steps > 0
    model.train()
    assert look_at(one) == calm
    assert torch.equal(torch.get_rng_state(), before)


def test_a_pass_that_another_block_keeps_is_refused() -> None:
    model, x = network("vanilla", "zoneout"), random(T, B, I)
    with (
        tt.record(model),
        pytest.raises(ValueError, match="what chance did in this pass is not known, as another block"),
    ):
        tt.error_map(model, x, losses)
