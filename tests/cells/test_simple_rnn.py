from __future__ import annotations

import pytest
import torch

from throughtime.cells import SimpleRNNCell
from throughtime.testing import SHAPES, Shape, check_cell, make_case

from ..sequences import NONLINEARITIES


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_step_backward_is_the_gradient(name: str) -> None:
    assert check_cell(SimpleRNNCell(name)).compared > 100


def test_step_backward_without_bias() -> None:
    check_cell(SimpleRNNCell(bias=False), shapes=[Shape(7, 3, 5, 4)])


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_step_backward_with_layer_norm(name: str) -> None:
    check_cell(SimpleRNNCell(name, name != "relu", layer_norm=True), shapes=SHAPES[1:])


@pytest.mark.parametrize(
    ("name", "g"),
    [
        ("tanh", torch.tanh),
        ("relu", torch.relu),
        ("logistic", lambda a: 1 / (1 + torch.exp(-a))),
        ("identity", lambda a: a),
    ],
)
def test_step_is_the_equation(name: str, g: object) -> None:
    cell = SimpleRNNCell(name)
    case = make_case(cell, Shape(1, 3, 4, 2))
    x, p, h0 = case.x[0], case.parameters, case.initial["h"]
    values = cell.step(x, case.initial, p)
    a = p["bias"] + h0 @ p["weight_hh"].T + x @ p["weight_ih"].T
    torch.testing.assert_close(values["a"], a, rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(values["h"], g(a), rtol=1e-14, atol=1e-14)


def test_unknown_nonlinearity_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"RNN: nonlinearity='sin' is unknown; available: 'tanh', 'relu'"):
        SimpleRNNCell("sin")
