"""state_dicts of torch.nn, from_torch and to_torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import throughtime.nn as tt


class Around(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.encoder = nn.Sequential(inner)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_a_torch_state_dict_loads_unchanged(nested: bool, bidirectional: bool) -> None:
    source, target = (
        nn.LSTM(3, 4, 2, bidirectional=bidirectional),
        tt.LSTM(3, 4, 2, bidirectional=bidirectional),
    )
    around = (Around(source), Around(target)) if nested else (source, target)
    kept = {name: value.clone() for name, value in around[0].state_dict().items()}
    given = around[0].state_dict()
    assert str(around[1].load_state_dict(given)) == "<All keys matched successfully>"
    assert given.keys() == kept.keys()
    torch.testing.assert_close(target.layer1.bias, source.bias_ih_l1 + source.bias_hh_l1)
    x = torch.randn(5, 2, 3)
    torch.testing.assert_close(target(x)[0], source(x)[0])


def test_strict_messages_keep_the_names_that_came() -> None:
    given = Around(nn.LSTM(3, 4, 2)).state_dict()
    given["encoder.0.weight_ih_l7"] = given.pop("encoder.0.weight_ih_l1")
    del given["encoder.0.bias_hh_l0"]
    target = Around(tt.LSTM(3, 4, 2))
    with pytest.raises(RuntimeError) as caught:
        target.load_state_dict(given)
    message = str(caught.value)
    assert '"encoder.0.layer0.bias", "encoder.0.layer1.weight_ih"' in message
    assert '"encoder.0.bias_ih_l0"' in message
    assert '"encoder.0.weight_ih_l7"' in message
    result = target.load_state_dict(given, strict=False)
    assert set(result.missing_keys) == {"encoder.0.layer0.bias", "encoder.0.layer1.weight_ih"}
    assert set(result.unexpected_keys) == {"encoder.0.bias_ih_l0", "encoder.0.weight_ih_l7"}


def test_a_state_dict_of_another_shape_or_kind_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"size mismatch for layer0.weight_ih"):
        tt.LSTM(3, 4).load_state_dict(nn.LSTM(3, 5).state_dict())
    with pytest.raises(RuntimeError, match=r"Missing key\(s\) in state_dict: \"layer0.peephole\""):
        tt.LSTM(3, 4, peepholes=True).load_state_dict(nn.LSTM(3, 4).state_dict())
    with pytest.raises(
        RuntimeError, match=r"Unexpected key\(s\) in state_dict: \"bias_ih_l0\", \"bias_hh_l0\""
    ):
        tt.RNN(3, 4, bias=False).load_state_dict(nn.RNN(3, 4).state_dict())
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\) in state_dict: \"weight_hr_l0\""):
        tt.LSTM(3, 4).load_state_dict(nn.LSTM(3, 4, proj_size=2).state_dict())


def test_own_state_dict_round_trip() -> None:
    for variant in ("vanilla", "CIFG+FGR", "NIG"):
        one = tt.LSTM(3, 4, 2, peepholes=True, variant=variant, bidirectional=True)
        other = tt.LSTM(3, 4, 2, peepholes=True, variant=variant, bidirectional=True)
        other.load_state_dict(one.state_dict())
        x = torch.randn(5, 2, 3)
        assert torch.equal(one(x)[0], other(x)[0])
    names = tt.LSTM(3, 4, 1, peepholes=True, variant="FGR", bidirectional=True).state_dict().keys()
    own = ["weight_ih", "weight_hh", "bias", "peephole", "weight_gates"]
    assert list(names) == [f"layer0.{n}" for n in own] + [f"layer0.reverse.{n}" for n in own]


@pytest.mark.parametrize(
    "source",
    [
        nn.LSTM(3, 4, 2, dropout=0.25, batch_first=True, bidirectional=True, dtype=torch.float64),
        nn.RNN(3, 4, 2, nonlinearity="relu", bias=False),
        nn.RNN(3, 4),
    ],
)
def test_there_and_back(source: nn.LSTM | nn.RNN) -> None:
    source.eval()
    source.weight_hh_l0.requires_grad_(False)
    ours = tt.from_torch(source, backend="reference")
    back = tt.to_torch(ours)
    for module in (ours, back):
        for name in (
            "input_size",
            "hidden_size",
            "num_layers",
            "bias",
            "batch_first",
            "dropout",
            "bidirectional",
        ):
            assert getattr(module, name) == getattr(source, name), name
        assert not module.training
    assert ours.backend == "reference"
    assert type(back) is type(source)
    assert not ours.layer0.weight_hh.requires_grad
    assert ours.layer0.weight_ih.requires_grad
    assert not back.weight_hh_l0.requires_grad
    x = torch.randn(5, 6, 3, dtype=source.weight_ih_l0.dtype)
    torch.testing.assert_close(back(x)[0], source(x)[0])
    if source.bias:
        assert not back.bias_hh_l0.any()
        assert torch.equal(back.bias_ih_l0, source.bias_ih_l0 + source.bias_hh_l0)
    ours.layer0.weight_ih.data.zero_()
    assert source.weight_ih_l0.any()


def test_training_mode_is_kept() -> None:
    assert tt.from_torch(nn.LSTM(2, 2)).training
    assert tt.to_torch(tt.RNN(2, 2)).training


@pytest.mark.filterwarnings("ignore:dropout option adds dropout:UserWarning")
def test_dropout_of_a_single_layer_is_kept() -> None:
    ours = tt.from_torch(nn.LSTM(2, 2, dropout=0.5))
    assert ours.dropout == 0.5
    assert tt.to_torch(ours).dropout == 0.5


@pytest.mark.parametrize(
    ("module", "error", "message"),
    [
        (
            nn.GRU(2, 3),
            TypeError,
            "from_torch: GRU cannot be expressed; expected torch.nn.LSTM or torch.nn.RNN",
        ),
        (nn.LSTM(2, 3, proj_size=1), ValueError, "from_torch: proj_size=1 cannot be expressed"),
        (nn.Linear(2, 3), TypeError, "from_torch: Linear cannot be expressed"),
    ],
)
def test_from_torch_refuses(module: nn.Module, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tt.from_torch(module)


def test_parametrizations_are_refused() -> None:
    source = nn.utils.parametrizations.weight_norm(nn.LSTM(2, 3), "weight_hh_l0")
    with pytest.raises(ValueError, match="from_torch: a parametrization cannot be expressed"):
        tt.from_torch(source)
    ours = tt.LSTM(2, 3)
    nn.utils.parametrizations.weight_norm(ours.layer0, "weight_hh")
    with pytest.raises(ValueError, match="to_torch: a parametrization of layer0 cannot be expressed"):
        tt.to_torch(ours)


@pytest.mark.parametrize(
    ("module", "error", "message"),
    [
        (tt.LSTM(2, 3, peepholes=True), ValueError, "to_torch: peepholes cannot be expressed"),
        (tt.LSTM(2, 3, variant="CIFG+FGR"), ValueError, r"to_torch: variant CIFG\+FGR cannot be expressed"),
        (tt.RNN(2, 3, nonlinearity="logistic"), ValueError, "to_torch: nonlinearity='logistic' cannot be"),
        (tt.RNN(2, 3, nonlinearity="identity"), ValueError, "to_torch: nonlinearity='identity' cannot be"),
        (nn.LSTM(2, 3), TypeError, "to_torch: LSTM cannot be expressed; expected throughtime.LSTM"),
    ],
)
def test_to_torch_refuses(module: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tt.to_torch(module)
