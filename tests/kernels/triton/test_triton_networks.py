"""Modules, and many networks in one launch, by the Triton kernels."""

from __future__ import annotations

import pytest
import torch

import throughtime as tt
from throughtime.ops import backends

from ...networks import check_networks_equal_themselves_alone
from .on_device import DEVICE

SMALL = {"device": DEVICE, "T": 3, "alone": "reference"}


@pytest.mark.parametrize("shared", [False, True], ids=["own input", "shared input"])
def test_many_networks_of_several_sizes(shared: bool, way: str) -> None:
    def make(hidden_size: int) -> tt.LSTM:
        return tt.LSTM(
            3, hidden_size, peepholes=True, bidirectional=True, backend="triton", dtype=torch.float64
        )

    check_networks_equal_themselves_alone(make, (3, 2), [2, 0, 3], shared=shared, **SMALL)


def test_many_simple_rnns_with_lengths_of_their_own(way: str) -> None:
    def make(hidden_size: int) -> tt.RNN:
        return tt.RNN(3, hidden_size, nonlinearity="logistic", backend="triton", dtype=torch.float64)

    lengths = [[2, 0, 3], [3, 3, 1]]
    check_networks_equal_themselves_alone(make, (4, 3), lengths, shared=False, **SMALL)


def test_many_networks_with_full_gate_recurrence() -> None:
    def make(hidden_size: int) -> tt.LSTM:
        return tt.LSTM(3, hidden_size, variant="FGR", backend="triton", dtype=torch.float64)

    check_networks_equal_themselves_alone(make, (2, 3), [2, 0, 3], shared=True, **SMALL)


def test_auto_takes_triton_on_a_gpu_alone() -> None:
    assert "triton" in backends.available()
    assert backends.resolve("triton", torch.zeros(1)) == "triton"
    expected = "triton" if DEVICE == "cuda" else "native"
    assert backends.resolve("auto", torch.zeros(1, device=DEVICE)) == expected


def test_a_dtype_that_it_does_not_know() -> None:
    network = tt.RNN(2, 3, backend="triton", dtype=torch.float16, device=DEVICE)
    with pytest.raises(
        ValueError, match=r"RNN, backend 'triton': x is torch\.float16 on .*, expected float32"
    ):
        network(torch.zeros(4, 1, 2, dtype=torch.float16, device=DEVICE))


def test_second_derivatives() -> None:
    network = tt.LSTM(2, 3, peepholes=True, backend="triton", dtype=torch.float64, device=DEVICE)
    x = torch.randn(3, 2, 2, dtype=torch.float64, device=DEVICE, requires_grad=True)
    (slope,) = torch.autograd.grad(network(x)[0].pow(2).sum(), x, create_graph=True)
    network.backend = "reference"
    for layer in network.layers:
        layer.backend = "reference"
    (expected,) = torch.autograd.grad(network(x)[0].pow(2).sum(), x, create_graph=True)
    torch.testing.assert_close(slope, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.skipif(DEVICE == "cpu", reason="CUDA graphs need a GPU")
def test_a_graph_gives_what_single_launches_give(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tt.LSTM(8, 200, peepholes=True, backend="triton", device=DEVICE)
    inputs = [torch.randn(9, 4, 8, device=DEVICE) for _ in range(4)]

    def outputs() -> list[torch.Tensor]:
        found = []
        for x in inputs:  # the first call runs as it is, the second captures, the others replay
            network.zero_grad()
            y, _ = network(x, lengths=[9, 3, 0, 7])
            y.pow(2).sum().backward()
            found += [y.detach(), network.layer0.weight_hh.grad.clone()]
        return found

    captured = outputs()
    monkeypatch.setenv("THROUGHTIME_CUDA_GRAPHS", "off")
    for one, other in zip(captured, outputs(), strict=True):
        torch.testing.assert_close(one, other)
