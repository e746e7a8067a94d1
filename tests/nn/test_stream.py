from __future__ import annotations

import pytest
import torch
from torch import nn

from throughtime.nn import LSTM, RNN
from throughtime.ops import backends

NETWORKS = {
    "lstm": lambda backend: LSTM(5, 9, backend=backend),
    "lstm-two-layers": lambda backend: LSTM(3, 33, 2, peepholes=True, dropout=0.5, backend=backend),
    "lstm-fgr": lambda backend: LSTM(3, 7, variant="FGR", backend=backend),
    "lstm-float64": lambda backend: LSTM(2, 17, variant="CIFG+NOG", dtype=torch.float64, backend=backend),
    "rnn": lambda backend: RNN(4, 70, 2, nonlinearity="relu", bias=False, backend=backend),
}


def parts(state: object) -> tuple[torch.Tensor, ...]:
    return (state,) if isinstance(state, torch.Tensor) else tuple(state)


@pytest.mark.parametrize("backend", backends.available())
@pytest.mark.parametrize("name", NETWORKS)
def test_steps_equal_the_whole_sequence(name: str, backend: str) -> None:
    module = NETWORKS[name](backend).eval()
    x = torch.randn(70, 3, module.input_size, dtype=module.layers[0].weight_ih.dtype)
    expected, state = module(x)
    stepper = module.stream(batch_size=3)
    outputs = [stepper(x_t) for x_t in x]
    torch.testing.assert_close(torch.stack(outputs), expected.detach(), rtol=1e-5, atol=2e-7)
    for found, there in zip(parts(stepper.state), parts(state), strict=True):
        torch.testing.assert_close(found, there.detach(), rtol=1e-5, atol=2e-7)
    assert not outputs[0].requires_grad


@pytest.mark.parametrize("backend", backends.available())
def test_a_state_goes_in_and_out(backend: str) -> None:
    module = LSTM(2, 5, 2, backend=backend)
    x = torch.randn(6, 2, 2)
    _, state = module(x[:4])
    stepper = module.stream(2, state)
    expected, _ = module(x[4:], state)
    first = stepper(x[4])
    torch.testing.assert_close(first, expected[0].detach())
    kept = stepper.state
    second = stepper(x[5])
    stepper.set_state(kept)
    assert torch.equal(stepper(x[5]), second)
    stepper.set_state(None)
    torch.testing.assert_close(stepper(x[0]), module(x[:1])[0][0].detach())


@pytest.mark.parametrize("backend", backends.available())
def test_the_weights_are_those_of_the_beginning(backend: str) -> None:
    module = RNN(2, 3, backend=backend)
    stepper, x = module.stream(), torch.randn(1, 2)
    first = stepper(x)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    stepper.set_state(None)
    assert torch.equal(stepper(x), first)
    assert module.stream()(x).eq(0).all()


@pytest.mark.parametrize("backend", backends.available())
def test_what_is_refused(backend: str) -> None:
    with pytest.raises(ValueError, match="LSTM: a bidirectional network reads a sequence from its end too"):
        LSTM(2, 3, bidirectional=True, backend=backend).stream()
    module = LSTM(2, 3, backend=backend)
    with pytest.raises(ValueError, match="LSTM: batch_size=0, expected at least 1"):
        module.stream(0)
    stepper = module.stream(2)
    with pytest.raises(ValueError, match=r"stream: x has shape \(1, 2\), expected \(2, 2\)"):
        stepper(torch.zeros(1, 2))
    with pytest.raises(ValueError, match=r"stream: x has shape \(2,\), expected \(2, 2\)"):
        stepper(torch.zeros(2))
    with pytest.raises(ValueError, match=r"stream: the state has shapes \[\(1, 2, 4\)\], expected"):
        stepper.set_state(torch.zeros(1, 2, 4))


def test_parameters_stay_the_users() -> None:
    module = LSTM(2, 3)
    module.stream()(torch.zeros(1, 2))
    assert isinstance(module.layers[0].weight_ih, nn.Parameter)
    assert module.layers[0].weight_ih.grad is None
