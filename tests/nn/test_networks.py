"""Many networks side by side: each gives what it gives alone, and goes back to being alone."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch

import throughtime as tt
from throughtime.kernels import native
from throughtime.nn import Networks, stack
from throughtime.nn.recurrent import Recurrent

from ..networks import check_networks_equal_themselves_alone

BACKENDS = ["reference", *(["native"] if native.is_available() else [])]
MAKERS: dict[str, Callable[..., Recurrent]] = {
    "lstm": lambda h, **o: tt.LSTM(3, h, peepholes=True, **o),
    "lstm deep, both ways": lambda h, **o: tt.LSTM(3, h, 2, variant="CIFG", bidirectional=True, **o),
    "lstm FGR": lambda h, **o: tt.LSTM(3, h, 2, peepholes=True, variant="NOG+FGR", bidirectional=True, **o),
    "lstm without bias": lambda h, **o: tt.LSTM(3, h, variant="NIAF", bias=False, **o),
    "rnn deep, logistic": lambda h, **o: tt.RNN(3, h, 2, nonlinearity="logistic", bidirectional=True, **o),
    "rnn": lambda h, **o: tt.RNN(3, h, nonlinearity="relu", **o),
}
LENGTHS = {"full": None, "shared": [4, 0, 5], "own": [[4, 0, 5], [5, 5, 1], [0, 2, 3]]}


def made(name: str, sizes: tuple[int, ...], **options: object) -> Networks:
    return stack(MAKERS[name](size, **options) for size in sizes)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("sizes", [(4, 4, 4), (3, 5, 1)], ids=["one size", "sizes"])
@pytest.mark.parametrize("name", MAKERS)
def test_each_network_equals_itself_alone(
    name: str, sizes: tuple[int, ...], lengths: str, backend: str
) -> None:
    def make(size: int) -> Recurrent:
        return MAKERS[name](size, backend=backend, dtype=torch.float64)

    shared = lengths == "shared"
    check_networks_equal_themselves_alone(make, sizes, LENGTHS[lengths], shared=shared)


@pytest.mark.skipif(not native.is_available(), reason="this installation has no native kernels")
@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_threads_change_nothing(threads: int) -> None:
    networks = made("lstm", (40, 40, 40, 40, 40))
    x = torch.randn(5, 30, 8, 3)
    results = []
    before = torch.get_num_threads()
    for count in (1, threads):
        torch.set_num_threads(count)
        try:
            networks.zero_grad()
            output, _ = networks(x)
            output.pow(2).sum().backward()
        finally:
            torch.set_num_threads(before)
        results.append([output, *(p.grad for p in networks.parameters())])
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


def test_training_side_by_side_is_training_alone() -> None:
    torch.manual_seed(0)
    networks = made("lstm", (3, 5), dtype=torch.float64)
    alone = networks.unstack()
    x, target = torch.randn(6, 4, 3, dtype=torch.float64), torch.randn(6, 4, 1, dtype=torch.float64)
    optimizers = [torch.optim.Adam(module.parameters(), 0.05) for module in (networks, *alone)]
    for _ in range(5):
        for optimizer in optimizers:
            optimizer.zero_grad()
        parts = networks.split(networks(x)[0])
        sum((part.sum(-1, keepdim=True) - target).pow(2).mean() for part in parts).backward()
        for module in alone:
            (module(x)[0].sum(-1, keepdim=True) - target).pow(2).mean().backward()
        for optimizer in optimizers:
            optimizer.step()
    for one, other in zip(networks.unstack(), alone, strict=True):
        for name, value in other.state_dict().items():
            torch.testing.assert_close(one.state_dict()[name], value, rtol=1e-10, atol=1e-10)


def test_unstacking_gives_the_networks_back() -> None:
    parts = [MAKERS["lstm deep, both ways"](size, dropout=0.25) for size in (3, 5, 3)]
    networks = stack(parts).eval()
    for before, after in zip(parts, networks.unstack(), strict=True):
        assert repr(before) == repr(after)
        assert not after.training
        assert before.state_dict().keys() == after.state_dict().keys()
        assert all(
            torch.equal(value, after.state_dict()[name]) for name, value in before.state_dict().items()
        )
        assert all(p.requires_grad for p in after.parameters())


def test_the_state_dict_and_copies() -> None:
    networks, others = made("lstm", (3, 5)), made("lstm", (3, 5))
    assert networks.state_dict()["layer0.weight_hh"].shape == (2, 20, 5)
    others.load_state_dict(networks.state_dict())
    x = torch.randn(4, 2, 3)
    expected = networks(x)[0]
    assert torch.equal(others(x)[0], expected)
    assert torch.equal(copy.deepcopy(networks)(x)[0], expected)
    assert len(networks) == 2
    assert "2 × LSTM vanilla" in repr(networks)


def test_nothing_outside_a_networks_own_size_counts() -> None:
    networks = made("rnn deep, logistic", (2, 4), dtype=torch.float64)
    x = torch.randn(3, 2, 3, dtype=torch.float64)
    expected, _ = networks(x)
    own = {name: value.clone() for name, value in networks.unstack()[0].state_dict().items()}
    for layer in networks.layers:
        for one in (layer, layer.reverse):
            for name in ("weight_ih", "weight_hh", "bias"):
                strange = getattr(one, f"{name}_strange")
                getattr(one, name).data.masked_fill_(strange, torch.nan)
    output, _ = networks(x)
    assert torch.equal(output, expected)
    output.sum().backward()
    assert all(p.grad.isfinite().all() for p in networks.parameters())
    assert all(torch.equal(value, own[name]) for name, value in networks.unstack()[0].state_dict().items())


def test_batch_first_and_dropout() -> None:
    networks = stack(tt.LSTM(3, h, 2, dropout=0.5, batch_first=True) for h in (4, 4))
    x = torch.randn(2, 5, 7, 3)
    output, (h, c) = networks(x)
    assert output.shape == (2, 5, 7, 4)
    assert h.shape == c.shape == (2, 2, 5, 4)
    assert not torch.equal(output, networks(x)[0])
    evaluated, _ = networks.eval()(x)
    torch.testing.assert_close(evaluated[1], networks.unstack()[1](x[1])[0])


@pytest.mark.parametrize("name", ["lstm", "rnn"])
def test_second_derivatives(name: str) -> None:
    networks = made(name, (2, 3), dtype=torch.float64, backend=BACKENDS[-1])
    x = torch.randn(3, 2, 3, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(networks(x)[0].pow(2).sum(), x, create_graph=True)
    slope.pow(2).sum().backward()
    total = 0
    for alone in networks.unstack():
        (one,) = torch.autograd.grad(alone(x)[0].pow(2).sum(), x, create_graph=True)
        total = total + one
    torch.testing.assert_close(slope, total)
    (expected,) = torch.autograd.grad(total.pow(2).sum(), x)
    torch.testing.assert_close(x.grad, expected)


def test_an_empty_batch() -> None:
    output, (h, _) = made("lstm", (2, 3))(torch.zeros(4, 0, 3))
    assert output.shape == (2, 4, 0, 3)
    assert h.shape == (2, 1, 0, 3)
    output.sum().backward()


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        ([], r"stack: there is no network, expected at least one\."),
        ([tt.LSTM(3, 4), tt.RNN(3, 4)], r"networks\[1\] is a RNN tanh, networks\[0\] a LSTM NP"),
        (
            [tt.LSTM(3, 4), tt.LSTM(2, 4)],
            r"networks\[1\] has input_size=2, networks\[0\] has 3; all must be alike",
        ),
        ([tt.LSTM(3, 4), tt.LSTM(3, 4, variant="CIFG")], r"networks\[1\] is a LSTM CIFG\+NP"),
        (
            [tt.LSTM(3, 4), tt.LSTM(3, 4, dtype=torch.float64)],
            r"stack: networks\[1\] is torch\.float64 on cpu",
        ),
    ],
)
def test_what_cannot_be_stacked(networks: list[Recurrent], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stack(networks)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"layer_norm": True, "zoneout": 0.1},
            "has layer normalisation, zoneout, which networks side by side",
        ),
        ({"recurrent_dropout": 0.1}, "has recurrent dropout, which"),
        ({"bidirectional": True, "merge": "sum"}, "has merge='sum', which"),
        ({"variational_dropout": True, "num_layers": 2, "dropout": 0.1}, "has variational dropout, which"),
    ],
)
def test_what_networks_side_by_side_do_not_have(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=rf"stack: networks\[0\] {message}"):
        stack([tt.LSTM(3, 4, **options)])


def test_what_is_no_network() -> None:
    with pytest.raises(TypeError, match=r"networks\[1\] is a Linear, expected an LSTM or an RNN"):
        stack([tt.LSTM(3, 4), torch.nn.Linear(3, 4)])


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (
            torch.zeros(3, 5, 2, 3),
            {},
            r"x\.shape is \(3, 5, 2, 3\), expected \(M, T, B, I\) or \(T, B, I\) with M=2",
        ),
        (torch.zeros(5, 2, 4), {}, r"with M=2 networks and I=3"),
        (torch.zeros(0, 2, 3), {}, r"x has no time step"),
        (torch.zeros(5, 2, 3).double(), {}, r"x is torch\.float64 on cpu, expected torch\.float32"),
        (torch.zeros(5, 2, 3), {"lengths": [5, 6]}, r"lengths\[1\] is 6, expected 0 to T=5"),
        (
            torch.zeros(5, 2, 3),
            {"lengths": [[5, 6]]},
            r"expected \(2,\), the same for all networks, or \(2, 2\)",
        ),
        (
            torch.zeros(5, 2, 3),
            {"state": torch.zeros(2, 1, 2, 4)},
            r"state has 1 tensors, expected 2: \(h, c\)",
        ),
        (
            torch.zeros(5, 2, 3),
            {"state": (torch.zeros(2, 1, 2, 4), torch.zeros(1, 2, 4))},
            r"state c has shape \(1, 2, 4\), expected \(2, 1, 2, 4\)",
        ),
    ],
)
def test_what_does_not_fit(x: torch.Tensor, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made("lstm", (4, 4))(x, **options)


def test_what_is_of_the_wrong_type() -> None:
    networks = made("lstm", (4, 4))
    with pytest.raises(TypeError, match=r"x must be a tensor \(M, T, B, I\) or \(T, B, I\), got list"):
        networks([1.0])
    with pytest.raises(TypeError, match="lengths must be integers"):
        networks(torch.zeros(5, 2, 3), lengths=[1.5, 2.0])
