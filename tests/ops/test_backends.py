from __future__ import annotations

import pytest

from throughtime.ops import backends


def test_auto_and_explicit_names() -> None:
    assert backends.available() == ("reference",)
    assert backends.resolve("auto") == "reference"
    assert backends.resolve("reference") == "reference"
    assert backends.backend("reference") is backends.REFERENCE


def test_an_unknown_name_lists_what_is_here() -> None:
    with pytest.raises(ValueError, match=r"^backend='tritn' is unknown; available here: 'reference'\.$"):
        backends.resolve("tritn")


def test_the_op_calls_the_backend_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from throughtime.nn import LSTM

    called = []

    def forward(*arguments: object) -> object:
        called.append("forward")
        return backends.REFERENCE.lstm_forward(*arguments)

    def backward(*arguments: object) -> object:
        called.append("backward")
        return backends.REFERENCE.lstm_backward(*arguments)

    other = backends.REFERENCE._replace(name="other", lstm_forward=forward, lstm_backward=backward)
    monkeypatch.setitem(backends._BACKENDS, "other", other)
    output, _ = LSTM(2, 3, backend="other")(torch.zeros(4, 1, 2))
    output.sum().backward()
    assert called == ["forward", "backward"]
