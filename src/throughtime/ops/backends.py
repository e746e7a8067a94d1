"""The one place where it is decided who computes.

A backend is a name and the functions that fill the contracts at the top of `lstm_loop.py` and
`simple_rnn_loop.py`. "auto" may choose; a backend that was asked for is never swapped for another.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Final, NamedTuple

from torch import Tensor

from throughtime.kernels import native as native_kernels
from throughtime.kernels import triton as triton_kernels
from throughtime.ops import lstm_loop, native, simple_rnn_loop, triton
from throughtime.ops.lstm_loop import LSTMBackward, LSTMForward
from throughtime.ops.simple_rnn_loop import RNNBackward, RNNForward


class Backend(NamedTuple):
    """Functions with the signatures of the two loops.

    Attributes:
        name: What a user writes.
        lstm_forward: As `lstm_loop.forward`.
        lstm_backward: As `lstm_loop.backward`.
        rnn_forward: As `simple_rnn_loop.forward`.
        rnn_backward: As `simple_rnn_loop.backward`.
    """

    name: str
    lstm_forward: Callable[..., LSTMForward]
    lstm_backward: Callable[..., LSTMBackward]
    rnn_forward: Callable[..., RNNForward]
    rnn_backward: Callable[..., RNNBackward]


REFERENCE: Final = Backend(
    "reference",
    lstm_loop.forward,
    lstm_loop.backward,
    simple_rnn_loop.forward,
    simple_rnn_loop.backward,
)

NATIVE: Final = Backend(
    "native", native.lstm_forward, native.lstm_backward, native.rnn_forward, native.rnn_backward
)

TRITON: Final = Backend(
    "triton", triton.lstm_forward, triton.lstm_backward, triton.rnn_forward, triton.rnn_backward
)

_BACKENDS: Final[dict[str, Backend]] = {REFERENCE.name: REFERENCE}
if native_kernels.is_available():
    _BACKENDS[NATIVE.name] = NATIVE


def available() -> tuple[str, ...]:
    """Names of the backends that can run here."""
    return (*_BACKENDS, TRITON.name) if triton_kernels.is_available() else tuple(_BACKENDS)


def check_backend(name: str) -> str:
    """Accept "auto" or an available backend's name.

    Raises:
        ValueError: no backend here has this name.
    """
    if name == "auto" or name in _BACKENDS or (name == TRITON.name and triton_kernels.is_available()):
        return name
    here = ", ".join(repr(key) for key in available())
    if name == TRITON.name:
        raise ValueError(
            f"backend='triton' cannot run here: {triton_kernels.why_not()}; available here: {here}. It needs "
            "an NVIDIA GPU and the package triton (pip install 'throughtime[triton]')."
        )
    raise ValueError(f"backend={name!r} is unknown; available here: {here}.")


def resolve(name: str, like: Tensor) -> str:
    """The name of the backend that will compute: `name` itself, or the choice for "auto".

    Args:
        name: "auto" or the name of a backend.
        like: A tensor of the dtype and on the device that count.
    """
    if check_backend(name) != "auto":
        return name
    if like.is_cuda:
        return _on_cuda(like)
    if not native.can_compute(like):
        return REFERENCE.name
    if NATIVE.name not in _BACKENDS:
        _say_once_that_it_is_slow()
        return REFERENCE.name
    return NATIVE.name


def _on_cuda(like: Tensor) -> str:
    if triton_kernels.is_available() and triton.can_compute(like):
        return TRITON.name
    reason = triton_kernels.why_not() or f"it does not know {like.dtype}"
    say_once_that_the_gpu_waits(reason)
    return REFERENCE.name


def backend(name: str) -> Backend:
    """The backend of an explicit name, as `resolve` gives it."""
    return TRITON if check_backend(name) == TRITON.name else _BACKENDS[name]


@functools.cache
def _say_once_that_it_is_slow() -> None:
    warnings.warn(
        "throughtime: this installation has no native kernels, so the backend 'reference' computes, several "
        f"times slower ({native_kernels.why_not()}). Install a wheel for this platform, or a C++20 compiler "
        "and then throughtime again. backend='reference' asks for it without this warning.",
        RuntimeWarning,
        stacklevel=2,
    )


@functools.cache
def say_once_that_the_gpu_waits(reason: str) -> None:
    """Warn, once for each reason, that the reference computes on a GPU."""
    warnings.warn(
        f"throughtime: on this GPU the backend 'reference' computes, one launch after the other: the backend "
        f"'triton' cannot, {reason}. backend='reference' asks for it without this warning.",
        RuntimeWarning,
        stacklevel=2,
    )
