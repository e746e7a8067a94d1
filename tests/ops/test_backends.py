from __future__ import annotations

import pytest
import torch

from throughtime.kernels import native
from throughtime.ops import backends

NATIVE = pytest.mark.skipif(not native.is_available(), reason="this installation has no native kernels")


@NATIVE
def test_auto_takes_native_for_the_dtypes_it_knows() -> None:
    assert backends.available() == ("reference", "native")
    assert backends.resolve("auto", torch.zeros(1)) == "native"
    assert backends.resolve("auto", torch.zeros(1, dtype=torch.float64)) == "native"
    assert backends.resolve("auto", torch.zeros(1, dtype=torch.bfloat16)) == "reference"
    assert backends.resolve("auto", torch.zeros(1, device="meta")) == "reference"


def test_explicit_names() -> None:
    assert backends.resolve("reference", torch.zeros(1)) == "reference"
    assert backends.backend("reference") is backends.REFERENCE


@NATIVE
def test_native_is_never_swapped_for_another() -> None:
    from throughtime.nn import RNN

    module = RNN(2, 3, backend="native", dtype=torch.bfloat16)
    with pytest.raises(ValueError, match=r"RNN, backend 'native': x has a dtype this backend does not know"):
        module(torch.zeros(4, 1, 2, dtype=torch.bfloat16))


def test_an_unknown_name_lists_what_is_here() -> None:
    here = ", ".join(repr(name) for name in backends.available())
    with pytest.raises(ValueError, match=rf"^backend='tritn' is unknown; available here: {here}\.$"):
        backends.resolve("tritn", torch.zeros(1))


def test_the_op_calls_the_backend_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_gpu_that_triton_cannot_use_is_said_once() -> None:
    backends.say_once_that_the_gpu_waits.cache_clear()
    half = torch.zeros(1, dtype=torch.float16)
    with pytest.warns(RuntimeWarning, match=r"on this GPU the backend 'reference' computes") as said:
        chosen = [backends._on_cuda(half) for _ in range(3)]
    assert chosen == ["reference"] * 3
    assert len(said) == 1
