"""Recordings of layers with layer normalisation, zoneout and recurrent dropout, against autograd."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import dropout

import throughtime as tt
from throughtime.ops import noise
from throughtime.ops.backends import available
from throughtime.ops.regularised import BACKENDS
from throughtime.recording import LayerRecord
from throughtime.recording.finite import check

from ..tolerances import check_factor, check_relative
from .occurrences import unroll
from .test_step_gradients import check_steps, gradients_by_step

T, B, I, H = 6, 3, 2, 5  # noqa: E741
ROW = "regularised op against cell, float64"
X = torch.randn(T, B, I, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
LENGTHS = [6, 0, 4]
HOW = {
    "norm": {"layer_norm": True},
    "zoneout": {"zoneout": 0.3},
    "dropout": {"recurrent_dropout": 0.4},
    "all": {"layer_norm": True, "zoneout": 0.3, "recurrent_dropout": 0.4},
    "all, in evaluation": {"layer_norm": True, "zoneout": 0.3, "recurrent_dropout": 0.4},
}
KINDS = ["vanilla", "CIFG+FGR", "NOG+NIAF", "rnn"]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
EVERY_WAY = pytest.mark.parametrize("how", HOW)


def network(kind: str, how: str, **arguments: Any) -> tt.LSTM | tt.RNN:
    torch.manual_seed(2)
    arguments = {"dtype": torch.float64, **HOW[how], **arguments}
    if kind == "rnn":
        made: tt.LSTM | tt.RNN = tt.RNN(I, H, **arguments)
    else:
        made = tt.LSTM(I, H, variant=kind, peepholes=True, **arguments)
    with torch.no_grad():
        for name, p in made.named_parameters():
            if "gain" in name or "bias_c" in name:
                p.add_(0.3 * torch.randn_like(p))
    return made.train(not how.endswith("evaluation"))


def loss_of(output: Tensor, final: Any) -> Tensor:
    parts = [output, *(final if isinstance(final, tuple) else (final,))]
    torch.manual_seed(4)
    return sum((torch.randn(part.shape).to(part.dtype) * part).sin().sum() for part in parts)


def record(module: tt.LSTM | tt.RNN, x: Tensor = X) -> tt.Recording:
    torch.manual_seed(5)
    with tt.record(module) as rec:
        loss_of(*module(x, lengths=LENGTHS)).backward()
    return rec


def chance_of(layer: LayerRecord) -> dict[str, Tensor]:
    """m and k of every step."""
    return {name: layer.values[name] for name in ("m", "k_c", "k_y", "k_h") if name in layer.values}


Routes = dict[str, dict[str, Tensor]]


def by_autograd(layer: LayerRecord) -> tuple[dict[str, Tensor], Routes]:
    """Every value, and the routes to every error, of the layer unrolled with the chance that was recorded."""
    p = {name: value.clone().requires_grad_() for name, value in layer.parameters.items()}
    start = {name: value.clone().requires_grad_() for name, value in layer.initial.items()}
    x = layer.values["x"].clone().requires_grad_()
    reads, head, end = unroll(layer.cell, x, start, p, LENGTHS, layer.reverse, chance_of(layer))
    loss = (head * layer.errors["d_above"]).sum()
    loss = loss + sum((end[name] * error).sum() for name, error in layer.final_errors.items())
    wanted = {key: value for key, value in reads.copies.items() if value.requires_grad}
    found = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)
    values: dict[str, Tensor] = {}
    routes: Routes = {}
    for ((name, reader, t, b), copy), gradient in zip(wanted.items(), found, strict=True):
        shape = (T, B, I if name == "x" else H)
        values.setdefault(name, torch.zeros(shape, dtype=torch.float64))[t, b] = copy.detach()
        route = routes.setdefault(f"d_{name}", {}).setdefault(reader, torch.zeros(shape, dtype=torch.float64))
        if gradient is not None:
            route[t, b] = gradient
    return values, routes


@pytest.mark.parametrize("backend", [name for name in available() if name in BACKENDS])
@EVERY_WAY
@EVERY_KIND
def test_every_value_every_error_and_every_route(kind: str, how: str, backend: str) -> None:
    module = network(kind, how, backend=backend, bidirectional=True)
    rec = record(module)
    assert rec.backend == backend
    for path, layer in rec.layers.items():
        values, routes = by_autograd(layer)
        errors = {error: torch.stack(list(parts.values())).sum(0) for error, parts in routes.items()}
        compared = set()
        for name in layer.names():
            expected = values.get(name, errors.get(name))
            if expected is not None:
                check_relative(ROW, f"{kind}, {how}: {name}", rec[f"{path}.{name}"], expected)
                compared.add(name)
        fixed = {"d_above", "m", "k_c", "k_y", "k_h", "i", "f", "o"}
        assert set(layer.names()) - compared <= fixed
        for error, readers in routes.items():
            found = rec.routes(f"{path}.{error}")
            assert set(found) == set(readers) | ({"returned state"} & set(found)), error
            for reader, route in readers.items():
                check_relative(ROW, f"{kind}, {how}: {error} through {reader}", found[reader], route)
            for t in (0, 3, T - 1):
                one = rec.routes(f"{path}.{error}", t)
                assert torch.allclose(one.total, found.total[t], rtol=1e-13, atol=1e-15)


@EVERY_WAY
@EVERY_KIND
def test_recording_changes_nothing(kind: str, how: str) -> None:
    watched, alone = network(kind, how), network(kind, how)
    record(watched)
    torch.manual_seed(5)
    loss_of(*alone(X, lengths=LENGTHS)).backward()
    for (name, one), other in zip(watched.named_parameters(), alone.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad), name


def test_chance_is_that_of_the_pass() -> None:
    rec = record(network("vanilla", "all"))
    torch.manual_seed(5)
    mask = dropout(torch.ones(B, H, dtype=torch.float64), 0.4)
    seed = torch.randint(-(1 << 62), 1 << 62, ())
    real = (torch.arange(T).unsqueeze(1) < torch.tensor(LENGTHS)).unsqueeze(-1)
    assert torch.equal(rec["layer0.m"], mask.expand(T, B, H) * real)
    for t in range(T):
        k_c, k_y = noise.kept(noise.Noise(mask, (0.3, 0.3), seed), t, mask)
        assert torch.equal(rec["layer0.k_c"][t], k_c * real[t])
        assert torch.equal(rec["layer0.k_y"][t], k_y * real[t])
    calm = record(network("vanilla", "all, in evaluation"))
    assert torch.equal(calm["layer0.k_c"], 0.7 * real.double().expand(T, B, H))
    assert "layer0.m" not in calm.names
    assert calm.layers["layer0"].beside == ("layer normalisation", "zoneout")


@EVERY_WAY
@EVERY_KIND
def test_finite_differences_agree_and_find_what_is_wrong(kind: str, how: str) -> None:
    rec = record(network(kind, how, bidirectional=True))
    for path, layer in rec.layers.items():
        for error in set(layer.errors) - {"d_above"}:
            for t, batch in ((0, 0), (3, 2), (T - 1, None)):
                found = rec.check(f"{path}.{error}", t, batch=batch)
                assert found.agrees, str(found)
            wrong = dataclasses.replace(layer, errors={**layer.errors, error: layer.errors[error] * 1.0001})
            assert not check(wrong, error, 2, None, None, None).agrees, error


@EVERY_WAY
@EVERY_KIND
def test_each_step_of_each_gradient(kind: str, how: str) -> None:
    module = network(kind, how, bidirectional=True)
    rec = record(module)
    for path, layer in rec.layers.items():
        chance = chance_of(layer)
        shares = [chance.get(name) for name in ("k_c", f"k_{layer.output}")]
        expected = gradients_by_step(layer, chance.get("m"), shares)
        check_steps(ROW, f"{kind}, {how}", rec, module, path, expected)


@EVERY_KIND
def test_float32_by_the_tolerance_rule(kind: str) -> None:
    made = {
        name: network(kind, "all", backend=backend, dtype=dtype)
        for name, backend, dtype in (
            ("found", "native", torch.float32),
            ("plain", "reference", torch.float32),
            ("exact", "reference", torch.float64),
        )
    }
    for module in made.values():
        module.load_state_dict(made["found"].state_dict())
    x = X.float()
    recs = {name: record(module, x.to(module.layer0.weight_hh.dtype)) for name, module in made.items()}
    mask = recs["exact"]["layer0.m"]
    assert torch.equal(recs["found"]["layer0.m"].double().ne(0), mask.ne(0))
    for name in recs["exact"].names:
        each = [recs[one][name] for one in ("found", "plain", "exact")]
        check_factor("native against reference, float32", f"{kind}: {name}", *each)


def test_only_what_is_wanted_is_kept() -> None:
    module = network("vanilla", "all")
    with tt.record(module, values=["c_tilde", "d_i_r", "k_y"]) as rec:
        loss_of(*module(X)).backward()
    assert rec.names == ("layer0.c_tilde", "layer0.k_y", "layer0.d_i_r")
    with pytest.raises(KeyError, match=r"needs layer0.i_r, which is not in this recording"):
        rec.routes("layer0.d_i_r", 2)


def test_a_check_needs_what_chance_did() -> None:
    module = network("rnn", "zoneout")
    with tt.record(module, values=["x", "h", "d_h", "d_above"]) as rec:
        loss_of(*module(X)).backward()
    with pytest.raises(KeyError, match=r"check of layer0 needs layer0.k_h, which is not in this recording"):
        rec.check("layer0.d_h", 2)


def test_passes_with_masks_of_their_own_are_joined() -> None:
    module = network("vanilla", "all")
    state = None
    with tt.record(module) as rec:
        for part in X.split(3):
            output, state = module(part, state)
            output.square().sum().backward()
            state = tuple(value.detach() for value in state)
    assert rec["layer0.m"].shape == (T, B, H)
    assert not torch.equal(rec["layer0.m"][0], rec["layer0.m"][3])
    for error in ("d_y", "d_c", "d_c_tilde"):
        total = rec.routes(f"layer0.{error}").total
        check_relative(ROW, error, total, rec[f"layer0.{error}"])
        assert rec.check(f"layer0.{error}", 4).agrees


def test_it_is_saved_and_read(tmp_path: Path) -> None:
    rec = record(network("CIFG", "all"))
    rec.save(tmp_path / "rec.safetensors")
    again = tt.load_recording(tmp_path / "rec.safetensors")
    assert again.names == rec.names
    assert all(torch.equal(again[name], rec[name]) for name in rec.names)
    assert again.layers["layer0"].beside == ("layer normalisation", "zoneout", "recurrent dropout")
    assert again.layers["layer0"].parameters["gain_c"].shape == (H,)
    ask: Callable[[tt.Recording], Tensor] = lambda one: one.routes("layer0.d_c_tilde").total  # noqa: E731
    assert torch.equal(ask(again), ask(rec))
    assert again.check("layer0.d_c", 2).agrees
