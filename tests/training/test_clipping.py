import math

import pytest
import torch
from torch import nn

from throughtime.training.clipping import clip, clip_by_norm, clip_by_value, gradient_norm


def two(*grads: float, dtype=torch.float32) -> list[nn.Parameter]:
    parameters = [nn.Parameter(torch.zeros(1, dtype=dtype)) for _ in grads]
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = torch.tensor([grad], dtype=dtype)
    return [*parameters, nn.Parameter(torch.zeros(3))]  # the last has no gradient


def grads(parameters):
    return [p.grad.item() for p in parameters if p.grad is not None]


def test_the_norm_is_over_all_parameters_together():
    assert gradient_norm(two(3.0, -4.0)).item() == 5.0


@pytest.mark.parametrize("largest", [1e30, 3e38])
def test_the_norm_of_huge_finite_gradients_is_finite(largest):
    assert gradient_norm(two(largest, largest)).item() == pytest.approx(largest * math.sqrt(2), rel=1e-6)


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_the_norm_of_gradients_that_are_not_finite_is_not(value):
    assert not math.isfinite(gradient_norm(two(1.0, value)).item())


def test_clip_by_norm_scales_down_and_returns_the_norm_before():
    parameters = two(3.0, -4.0)
    assert clip_by_norm(parameters, 1.0).item() == 5.0
    assert grads(parameters) == pytest.approx([0.6, -0.8], rel=1e-5)


def test_clip_by_norm_leaves_short_gradients_as_they_are():
    parameters = two(3.0, -4.0)
    clip_by_norm(parameters, 6.0)
    assert grads(parameters) == [3.0, -4.0]


def test_clip_by_norm_keeps_the_direction_of_huge_gradients():
    parameters = two(3e30, -4e30)
    assert clip(parameters, gradient_norm(parameters), 1.0, None)
    assert grads(parameters) == pytest.approx([0.6, -0.8], rel=1e-5)


def test_clip_by_value_is_elementwise():
    parameters = two(3.0, -4.0)
    assert clip_by_value(parameters, 3.5)
    assert grads(parameters) == [3.0, -3.5]
    assert not clip_by_value(parameters, 3.5), "on the border nothing is outside"


@pytest.mark.parametrize(
    ("by_norm", "by_value", "clipped", "left"),
    [
        (None, None, False, [3.0, -4.0]),
        (5.0, None, False, [3.0, -4.0]),
        (2.5, None, True, [1.5, -2.0]),
        (None, 3.0, True, [3.0, -3.0]),
        (math.sqrt(18), 3.0, True, [3.0, -3.0]),  # by value first: then the norm is within the limit
        (math.sqrt(4.5), 3.0, True, [1.5, -1.5]),
        (2.5, 10.0, True, [1.5, -2.0]),
    ],
)
def test_value_then_norm(by_norm, by_value, clipped, left):
    parameters = two(3.0, -4.0, dtype=torch.float64)
    assert clip(parameters, gradient_norm(parameters), by_norm, by_value) is clipped
    assert grads(parameters) == pytest.approx(left, rel=1e-5)
