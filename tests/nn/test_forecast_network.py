from __future__ import annotations

import pytest
import torch

from throughtime.nn import LSTM
from throughtime.nn.forecast_network import ForecastNetwork, QuantileHead


@pytest.fixture
def network() -> ForecastNetwork:
    torch.manual_seed(0)
    return ForecastNetwork(LSTM(3, 5), leads=4, quantiles=5, target_column=1).eval()


def test_quantiles_rise(network: ForecastNetwork) -> None:
    quantiles, _ = network(torch.randn(6, 20, 3))
    assert quantiles.shape == (20, 4, 5)
    assert (quantiles.diff(dim=-1) >= 0).all()


def test_the_head_sorts_what_it_forecasts_and_not_what_it_learns() -> None:
    torch.manual_seed(0)
    head = QuantileHead(2, leads=1, quantiles=3)
    y = torch.randn(7, 2)
    raw = head.linear(y)
    torch.testing.assert_close(head(y)[:, 0], raw)
    assert not (raw.diff() >= 0).all()
    torch.testing.assert_close(head.eval()(y)[:, 0], raw.sort().values)


def test_it_forecasts_a_change_from_the_last_value(network: ForecastNetwork) -> None:
    """With the head at zero the forecast is the target's last value, at every lead and quantile."""
    for parameter in network.head.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.randn(6, 2, 3)
    quantiles, _ = network(x)
    torch.testing.assert_close(quantiles, x[-1, :, 1, None, None].expand(2, 4, 5))


def test_from_every_step_it_is_the_forecast_of_each_beginning(network: ForecastNetwork) -> None:
    x = torch.randn(6, 2, 3)
    every, state = network(x, every_step=True)
    assert every.shape == (6, 2, 4, 5)
    for t in range(6):
        torch.testing.assert_close(every[t], network(x[: t + 1])[0])
    torch.testing.assert_close(state[0], network(x)[1][0])


def test_the_state_carries_on(network: ForecastNetwork) -> None:
    x = torch.randn(6, 2, 3)
    _, state = network(x[:4])
    torch.testing.assert_close(network(x[4:], state)[0], network(x)[0])


def test_dropout_acts_in_training_alone() -> None:
    network = ForecastNetwork(LSTM(3, 5), leads=1, quantiles=3, target_column=0, dropout=0.5)
    x = torch.randn(4, 2, 3)
    assert not torch.equal(network(x)[0], network(x)[0])
    network.eval()
    assert torch.equal(network(x)[0], network(x)[0])
