"""Every route against autograd, each place where a value is read taken for itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import throughtime as tt

from ..tolerances import check_factor, check_relative
from .networks import KINDS, LENGTHS, B, H, T, loss_of, make, make_inputs
from .occurrences import unroll

ROW = "recording against autograd, float64"
IN_FLOAT32 = "native against reference, float32"


def recorded(
    kind: str, lengths: list[int] | None, reverse: bool, number: int = 0, num_layers: int = 1
) -> tuple[tt.Recording, str, dict[tuple[str, str], Tensor]]:
    """A recording, the path of one of its layers, and autograd's routes to that layer's values."""
    network = make(kind, bidirectional=reverse, num_layers=num_layers)
    x, state = make_inputs(network)
    with tt.record(network) as rec:
        output, final = network(x, state, lengths=lengths)
        loss_of(output, final).backward()
    path = f"layer{number}.reverse" if reverse else f"layer{number}"
    layer = rec.layers[path]
    p = {name: value.clone().requires_grad_() for name, value in layer.parameters.items()}
    start = {name: value.clone().requires_grad_() for name, value in layer.initial.items()}
    leaf = layer.values["x"].clone().requires_grad_()
    reads, head, end = unroll(layer.cell, leaf, start, p, lengths, reverse)
    loss = (head * layer.errors["d_above"]).sum()
    loss = loss + sum((end[name] * error).sum() for name, error in layer.final_errors.items())
    wanted = {key: value for key, value in reads.copies.items() if value.requires_grad}
    found = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)
    return rec, path, gather(dict(zip(wanted, found, strict=True)), leaf.shape[2])


def gather(
    found: dict[tuple[str, str, int, int], Tensor | None], inputs: int
) -> dict[tuple[str, str], Tensor]:
    """Routes (T, B, ·) by (error, reader), zero where there is none."""
    routes: dict[tuple[str, str], Tensor] = {}
    for (name, reader, t, b), gradient in found.items():
        size = inputs if name == "x" else H
        route = routes.setdefault((f"d_{name}", reader), torch.zeros(T, B, size, dtype=torch.float64))
        if gradient is not None:
            route[t, b] = gradient
    return routes


@pytest.mark.parametrize("number", [0, 1], ids=["lower", "upper"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "padded"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_route(kind: str, lengths: list[int] | None, reverse: bool, number: int) -> None:
    rec, path, expected = recorded(kind, lengths, reverse, number, num_layers=2)
    by_error: dict[str, dict[str, Tensor]] = {}
    for (error, reader), route in expected.items():
        by_error.setdefault(error, {})[reader] = route
    for error, readers in by_error.items():
        routes = rec.routes(f"{path}.{error}")
        assert set(routes) - {"returned state"} == set(readers) - {"returned state"}, error
        for reader, route in readers.items():
            check_relative(ROW, f"{kind}: {error} through {reader}", routes[reader], route)
        if f"{path}.{error}" in rec.names:
            check_relative(ROW, f"{kind}: {error}", routes.total, rec[f"{path}.{error}"])
        for t in (0, 3, T - 1):
            one = rec.routes(f"{path}.{error}", t)
            for reader in set(routes) - {"returned state"}:
                assert torch.allclose(one[reader], routes[reader][t], rtol=1e-13, atol=1e-15)
            assert torch.allclose(one.total, routes.total[t], rtol=1e-13, atol=1e-15)


def test_float32_by_the_tolerance_rule() -> None:
    for kind in ("LSTM vanilla", "LSTM CIFG+FGR", "RNN tanh"):
        found, plain, reference = recordings_by_precision(kind)
        for path, layer in reference.layers.items():
            for error in ("d_h",) if layer.kind == "RNN" else ("d_c", "d_y"):
                routes = [one.routes(f"{path}.{error}") for one in (found, plain, reference)]
                for reader in routes[2]:
                    what = f"{kind}: {path}.{error} through {reader}"
                    check_factor(IN_FLOAT32, what, *(one[reader] for one in routes))
            for name in layer.parameters:
                norms = [one.step_gradient_norms(f"{path}.{name}") for one in (found, plain, reference)]
                check_factor(IN_FLOAT32, f"{kind}: norms of {path}.{name}", *norms)
                for t in range(T):
                    each = [one.step_gradient(f"{path}.{name}", t) for one in (found, plain, reference)]
                    check_factor(IN_FLOAT32, f"{kind}: {path}.{name} at {t}", *each)


def recordings_by_precision(kind: str) -> list[tt.Recording]:
    """Recordings of one network: native in float32, plain PyTorch in float32, the reference in float64."""
    single = make(kind, num_layers=2, dtype=torch.float32)
    x, state = make_inputs(single, torch.float32)
    recordings = []
    for dtype, backend in (("float32", "native"), ("float32", "reference"), ("float64", "reference")):
        network = make(kind, num_layers=2, dtype=getattr(torch, dtype), backend=backend)
        network.load_state_dict(single.state_dict())
        parts = [
            p.detach().to(network.layer0.bias.dtype) for p in (state if network.cell.state[1:] else (state,))
        ]
        with tt.record(network) as rec:
            given = tuple(parts) if len(parts) > 1 else parts[0]
            output, final = network(x.detach().to(parts[0].dtype), given, lengths=LENGTHS)
            loss_of(output, final).backward()
        recordings.append(rec)
    return recordings


def test_the_parts_have_the_names_of_the_equations() -> None:
    rec, _, _ = recorded("LSTM vanilla", None, False)
    assert list(rec.routes("layer0.d_c", 3)) == ["y(t)", "o_bar(t)", "i_bar(t+1)", "f_bar(t+1)", "c(t+1)"]
    above_and_gates = ["above(t)", "z_bar(t+1)", "i_bar(t+1)", "f_bar(t+1)", "o_bar(t+1)"]
    assert list(rec.routes("layer0.d_y", 3)) == above_and_gates
    assert list(rec.routes("layer0.d_y", -1)) == [*above_and_gates, "returned state"]
    assert list(recorded("RNN tanh", None, False)[0].routes("layer0.d_h", 0)) == ["above(t)", "a(t+1)"]
    plain = recorded("LSTM vanilla plain", None, False)[0]
    assert list(plain.routes("layer0.d_c", 3)) == ["y(t)", "c(t+1)"]
    fgr = recorded("LSTM FGR", None, False)[0]
    assert list(fgr.routes("layer0.d_i", 3)) == ["c(t)", "i_bar(t+1)", "f_bar(t+1)", "o_bar(t+1)"]


def test_what_cannot_be_asked() -> None:
    network = make("LSTM NOG")
    x, state = make_inputs(network)
    with tt.record(network, values=["f", "c", "d_c", "d_y"]) as rec:
        output, _ = network(x, state)
        with pytest.raises(
            KeyError, match=r"^routes of layer0.d_y needs layer0.d_above, which is not in this "
        ):
            rec.routes("layer0.d_y", 3)
        output.sum().backward()
    with pytest.raises(
        KeyError, match=r"needs layer0.o, which is not in this recording: it was not kept; layer0 "
    ):
        rec.routes("layer0.d_c", 3)
    with pytest.raises(KeyError, match=r"no routes for layer0.d_o; there are routes for d_y, d_c, "):
        rec.routes("layer0.d_o", 3)
    with pytest.raises(ValueError, match=r"t=7, expected 0 to 6, the steps of 'layer0'"):
        rec.routes("layer0.d_c", 7)
    with pytest.raises(KeyError, match=r"its layers are layer0, and a name is as 'layer0.y'"):
        rec.routes("layer1.d_c", 7)
