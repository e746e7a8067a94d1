"""The recurrent layers that the settings of a task ask for, and what they are called."""

from __future__ import annotations

import pytest

from throughtime.nn import LSTM, RNN
from throughtime.tasks.recurrent import build_recurrent, describe_recurrent
from throughtime.tasks.task_settings import NetworkSettings


@pytest.mark.parametrize(("network", "kind"), [("lstm", LSTM), ("rnn", RNN)])
def test_what_stands_beside_the_cell(network: str, kind: type) -> None:
    settings = NetworkSettings(
        network=network, layer_norm=True, zoneout=0.1, recurrent_dropout=0.25, hidden=8, layers=2
    )
    made = build_recurrent(settings, 3, dropout=0.5)
    assert type(made) is kind
    assert made.regularisation.layer_norm
    assert made.regularisation.zoneout == ((0.1, 0.1) if kind is LSTM else (0.0, 0.1))
    assert made.regularisation.recurrent_dropout == 0.25
    name = "LSTM" if kind is LSTM else "simple RNN (tanh)"
    assert describe_recurrent(settings) == (
        f"{name}, layer normalisation, zoneout 0.1, recurrent dropout 0.25, 8 hidden units, 2 layers"
    )


def test_a_plain_cell_is_called_what_it_was() -> None:
    assert describe_recurrent(NetworkSettings(peepholes=True)) == (
        "LSTM with peepholes, 24 hidden units, 1 layer"
    )


@pytest.mark.parametrize("wrong", [{"zoneout": 1.5}, {"recurrent_dropout": 1.0}, {"zoneout": -0.1}])
def test_probabilities_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        NetworkSettings(**wrong)
