from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from throughtime.cells import DenseNetwork

B, I, H, K = 5, 3, 4, 2  # noqa: E741


def arguments(network: DenseNetwork) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(B, I, generator=generator, dtype=torch.float64, requires_grad=True)
    p = {
        name: torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for name, shape in network.shapes(I, H, K).items()
    }
    return x, p


@pytest.mark.parametrize("hidden", ["tanh", "relu", "logistic", "identity"])
@pytest.mark.parametrize("output", ["identity", "softmax"])
def test_step_backward_is_the_gradient_of_the_loss(hidden: str, output: str) -> None:
    network = DenseNetwork(hidden, output)
    x, p = arguments(network)
    values = network.step(x, p)
    if output == "softmax":
        labels = torch.tensor([0, 1, 1, 0, 1])
        loss = functional.cross_entropy(values["o"], labels, reduction="sum")
        target = functional.one_hot(labels, K).double()
    else:
        target = torch.ones(B, K, dtype=torch.float64)
        loss = 0.5 * (values["y_hat"] - target).square().sum()
    hand = network.step_backward(x, p, values, network.output_error(values, target))
    named = {f"d_{name}": values[name] for name in ("o", "h", "a")} | {"d_x": x}
    for name, gradient in zip(
        named, torch.autograd.grad(loss, list(named.values()), retain_graph=True), strict=True
    ):
        torch.testing.assert_close(hand.errors[name], gradient, rtol=1e-12, atol=1e-14, msg=name)
    for name, gradient in zip(p, torch.autograd.grad(loss, list(p.values())), strict=True):
        torch.testing.assert_close(hand.parameters[name], gradient, rtol=1e-12, atol=1e-14, msg=name)
    assert hand.state == {}


def test_softmax_output_sums_to_one() -> None:
    network = DenseNetwork(output="softmax")
    x, p = arguments(network)
    torch.testing.assert_close(network.step(x, p)["y_hat"].sum(-1), torch.ones(B, dtype=torch.float64))


def test_messages() -> None:
    with pytest.raises(ValueError, match="output='sigmoid' is unknown; available: 'identity', 'softmax'"):
        DenseNetwork(output="sigmoid")
    with pytest.raises(ValueError, match="activation 'sin' is unknown"):
        DenseNetwork("sin")
    network = DenseNetwork()
    with pytest.raises(ValueError, match="DenseNetwork: x has last dimension 9, expected 3"):
        network.step(torch.zeros(B, 9), arguments(network)[1])
