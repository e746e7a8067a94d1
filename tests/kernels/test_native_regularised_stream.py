"""A stepper with layer normalisation and zoneout, by the kernels, against the cells over a whole sequence."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from throughtime.cells import Variant
from throughtime.kernels import native
from throughtime.nn import LSTM, RNN
from throughtime.ops import stream

from ..sequences import COMBINATIONS, NONLINEARITIES, VARIANTS
from ..tolerances import check_factor, check_relative

pytestmark = pytest.mark.skipif(not native.is_available(), reason="no kernels here")

WAYS: dict[str, dict[str, Any]] = {
    "layer norm": {"layer_norm": True},
    "zoneout": {"zoneout": 0.3},
    "both": {"layer_norm": True, "zoneout": 0.2, "recurrent_dropout": 0.4},
}
SIZES = [(1, 1, 1, 1), (3, 2, 5, 2), (2, 3, 37, 2), (1, 5, 64, 3)]  # B, I, H, layers
STEPS = 9


def _lstm(name: str) -> Callable[..., LSTM]:
    variant = Variant.parse(name)
    peepholes = variant.peepholes and bool(variant.gates)
    return lambda *sizes, **how: LSTM(*sizes, variant=variant, peepholes=peepholes, **how)


def _rnn(name: str) -> Callable[..., RNN]:
    return lambda *sizes, **how: RNN(*sizes, nonlinearity=name, **how)


NETWORKS: dict[str, Callable[..., LSTM | RNN]] = {
    **{f"lstm-{name}": _lstm(name) for name in VARIANTS + COMBINATIONS},
    **{f"rnn-{name}": _rnn(name) for name in NONLINEARITIES},
}


def network(name: str, sizes: tuple[int, int, int, int], **how: Any) -> LSTM | RNN:
    """In evaluation, in float64, by the cells; gains and biases differ from unit to unit."""
    _, I, H, layers = sizes  # noqa: E741
    module = NETWORKS[name](I, H, layers, backend="reference", dtype=torch.float64, **how).eval()
    generator = torch.Generator().manual_seed(H)
    with torch.no_grad():
        for key, parameter in module.named_parameters():
            drawn = torch.rand(parameter.shape, generator=generator, dtype=torch.float64) * 2 - 1
            parameter.copy_(1 + drawn / 2 if "gain" in key else drawn * H**-0.5)
    return module


def by_kernels(module: LSTM | RNN, dtype: torch.dtype) -> LSTM | RNN:
    made = copy.deepcopy(module).to(dtype)
    made.backend = "native"
    for layer in made.layers:
        layer.backend = "native"
    return made


def values(output: Tensor, state: Any) -> list[Tensor]:
    parts = (state,) if isinstance(state, Tensor) else tuple(state)
    return [output.detach(), *(part.detach() for part in parts)]


def stepped(module: LSTM | RNN, x: Tensor, state: Any) -> list[Tensor]:
    stepper = module.stream(x.shape[1], state)
    output = torch.stack([stepper(x_t) for x_t in x])
    return values(output, stepper.state)


def start(module: LSTM | RNN, x: Tensor) -> Any:
    """A state that is not zero."""
    return module(0.7 * x)[1]


def in_dtype(state: Any, dtype: torch.dtype) -> Any:
    return state.to(dtype) if isinstance(state, Tensor) else tuple(part.to(dtype) for part in state)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NETWORKS)
def test_steps_equal_the_whole_sequence(name: str, way: str, instruction_set: str) -> None:
    for sizes in SIZES:
        module = network(name, sizes, **WAYS[way])
        x = torch.randn(STEPS, *sizes[:2], dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        before = start(module, x)
        expected = values(*module(x, before))
        found = stepped(by_kernels(module, torch.float64), x, before)
        for one, other in zip(found, expected, strict=True):
            check_relative("regularised op against cell, float64", f"{sizes}", one, other)

        low = torch.float32
        plain = values(*copy.deepcopy(module).to(low)(x.to(low), in_dtype(before, low)))
        found = stepped(by_kernels(module, low), x.to(low), in_dtype(before, low))
        for one, single, other in zip(found, plain, expected, strict=True):
            check_factor("native against reference, float32", f"{sizes}, float32", one, single, other)


def test_the_network_without_biases(instruction_set: str) -> None:
    module = network("lstm-vanilla", (2, 3, 9, 2), layer_norm=True, zoneout=(0.5, 0.1), bias=False)
    x = torch.randn(STEPS, 2, 3, dtype=torch.float64)
    found, expected = stepped(by_kernels(module, torch.float64), x, None), values(*module(x))
    for one, other in zip(found, expected, strict=True):
        check_relative("regularised op against cell, float64", "a value", one, other)


def test_rows_that_are_apart_in_memory(instruction_set: str) -> None:
    module = by_kernels(network("lstm-FGR", (3, 4, 6, 2), **WAYS["both"]), torch.float64)
    wide = torch.randn(STEPS, 3, 11, dtype=torch.float64)
    x = wide[..., 2:6]
    apart, together = module.stream(3), module.stream(3)
    for x_t in x:
        assert torch.equal(apart(x_t), together(x_t.contiguous()))


@pytest.mark.parametrize("kind", [LSTM, RNN])
def test_the_kernels_do_it(kind: type[LSTM | RNN], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a sequence of one step was run")

    monkeypatch.setattr(stream.regularised, "run", refused)
    how: dict[str, Any] = {"layer_norm": True, "zoneout": 0.1}
    assert kind(2, 3, backend="native", **how).stream()(torch.zeros(1, 2)).shape == (1, 3)
    with pytest.raises(AssertionError, match="a sequence of one step"):
        kind(2, 3, backend="reference", **how).stream()(torch.zeros(1, 2))


LAYER: list[Any] = [
    "regularised",
    [0],
    torch.zeros(2, 3),
    torch.zeros(2, 2),
    *[None] * 6,
    1e-5,
    0.0,
    0.5,
]


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (1, [], "cell is malformed"),
        (1, [7], "nonlinearity is malformed"),
        (2, torch.zeros(6), "weights must be matrices"),
        (3, torch.zeros(2, 3), "weight"),
        (6, torch.ones(2), "gain_hh is missing"),
        (12, 1.5, "zoneout must be probabilities"),
    ],
)
def test_what_the_kernels_refuse(place: int, value: object, said: str) -> None:
    layer = [*LAYER[:place], value, *LAYER[place + 1 :]]
    native.module().Stream(0, 1, [tuple(LAYER)], lambda: None)
    with pytest.raises(ValueError, match=said):
        native.module().Stream(0, 1, [tuple(layer)], lambda: None)
