"""`throughtime::regularised`: a sequence through a layer with layer norm, zoneout or recurrent dropout.

One op for both cells. It stands beside `lstm` and `simple_rnn`, which know nothing of all that and lose no
time by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from throughtime.ops import regularised_loop, regularised_native
from throughtime.ops.autocast import without_autocast
from throughtime.ops.backends import NATIVE, REFERENCE, resolve, say_once_that_the_gpu_waits
from throughtime.ops.noise import Noise
from throughtime.ops.padding import check_lengths
from throughtime.ops.regularised_loop import Arriving, Inputs, Kept, Results, Way, cell_of


class Backend(NamedTuple):
    """Functions as in `regularised_loop`."""

    forward: Callable[..., Results]
    backward: Callable[..., tuple[Tensor, ...]]


BACKENDS: Final = {
    REFERENCE.name: Backend(regularised_loop.forward, regularised_loop.backward),
    NATIVE.name: Backend(regularised_native.forward, regularised_native.backward),
}

_INPUTS: Final = (
    "Tensor x, Tensor y0, Tensor? c0, Tensor? gates0, Tensor weight_ih, Tensor weight_hh, Tensor? bias, "
    "Tensor? peephole, Tensor? weight_gates, Tensor? gain_ih, Tensor? gain_hh, Tensor? gain_c, "
    "Tensor? bias_c, Tensor? mask, Tensor? seed, Tensor? lengths"
)
_WAY: Final = "str cell, float zoneout_c, float zoneout_y, bool reverse, str backend"
_TENSORS: Final = 16  # of `_INPUTS`, of which the first are differentiated by
_DIFFERENTIATED: Final = len(Inputs._fields)
_RESULTS: Final = 4  # y and the state; what is kept for the backward follows


def backend_for(name: str, like: Tensor) -> str:
    """The name of the backend that computes a regularised layer: `name`, or the choice for "auto".

    Raises:
        ValueError: the backend is unknown or does not compute regularised layers.
    """
    chosen = resolve(name, like)
    if chosen in BACKENDS:
        return chosen
    if name == "auto":
        say_once_that_the_gpu_waits("it has no layer normalisation, zoneout or recurrent dropout yet")
        return REFERENCE.name
    raise ValueError(
        f"backend={name!r} computes no layer normalisation, zoneout or recurrent dropout; "
        f"use {' or '.join(map(repr, BACKENDS))}, or 'auto'."
    )


def run(
    inputs: Inputs, cell: str, noise: Noise, lengths: Tensor | None, reverse: bool, backend: str
) -> Results:
    """One sequence through a regularised layer.

    Args:
        inputs: x (T, B, I), the initial state and the parameters.
        cell: "LSTM " and the name of the variant, or "RNN " and the nonlinearity.
        noise: What chance does.
        lengths: (B,) integers from 0 to T in any order, or None if every sequence has T steps.
        reverse: Run from each sequence's end to its beginning.
        backend: As `backend_for` gives it.

    Raises:
        ValueError: lengths do not fit.
    """
    keep = torch.is_grad_enabled()
    found = regularised(
        *inputs, noise.mask, noise.seed, lengths, cell, *noise.zoneout, reverse, backend, keep
    )
    y, y_n, c_n, gates_n, *kept = found
    return Results(y, y_n, c_n, gates_n, Kept(*kept))


def _unpack(arguments: tuple[Any, ...]) -> tuple[Inputs, Way, Backend]:
    """Arguments of the op as the backends take them."""
    inputs = Inputs(*arguments[:_DIFFERENTIATED])
    mask, seed, lengths, name, zoneout_c, zoneout_y, reverse, backend = arguments[_DIFFERENTIATED:]
    cell = cell_of(name, inputs.bias is not None, inputs.gain_hh is not None)
    noise = Noise(mask, (zoneout_c, zoneout_y), seed)
    return inputs, Way(cell, noise, lengths, reverse), BACKENDS[backend]


def _forward(*arguments: Any) -> tuple[Tensor, ...]:
    *rest, keep = arguments
    inputs, way, backend = _unpack(tuple(rest))
    if way.lengths is not None:
        check_lengths(way.lengths, inputs.x.shape[0], inputs.x.shape[1], way.cell.name.partition(" ")[0])
    with without_autocast(inputs.x):
        *results, kept = backend.forward(inputs, way, keep)
    return (*results, *kept)


def _fake_forward(*arguments: Any) -> tuple[Tensor, ...]:
    *rest, keep = arguments
    inputs, by_kernels = Inputs(*rest[:_DIFFERENTIATED]), rest[-1] == NATIVE.name
    x = inputs.x
    T, B, (rows, H) = x.shape[0], x.shape[1], inputs.weight_hh.shape
    kept = keep and by_kernels
    normed = kept and inputs.gain_hh is not None

    def sized(wanted: bool, *shape: int) -> Tensor:
        return x.new_empty(shape if wanted else (0,))

    gated = inputs.c0 is not None
    gates_n = x.new_empty(0) if inputs.gates0 is None else x.new_empty(inputs.gates0.shape)
    return (
        x.new_empty(T, B, H),
        x.new_empty(B, H),
        sized(gated, B, H),
        gates_n,
        sized(kept, T, B, rows),
        sized(kept and gated, T, B, H),
        sized(normed, T * B, rows),
        sized(normed, T, B, rows),
        sized(normed, 3, T * B),
    )


def _backward(*arguments: Any) -> tuple[Tensor, ...]:
    arriving, (y, *kept), input_error = Arriving(*arguments[:4]), arguments[-7:-1], arguments[-1]
    inputs, way, backend = _unpack(arguments[4:-7])
    with without_autocast(inputs.x):
        return backend.backward(arriving, inputs, way, y, Kept(*kept), input_error)


def _fake_backward(*arguments: Any) -> tuple[Tensor, ...]:
    inputs, input_error = arguments[4 : 4 + _DIFFERENTIATED], arguments[-1]
    found = [inputs[0].new_empty(0 if value is None else value.shape) for value in inputs]
    return (found[0] if input_error else inputs[0].new_empty(0), *found[1:])


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    ctx.how, keep = inputs[_TENSORS:-1], inputs[-1]
    y, _, c_n, gates_n, *kept = output
    ctx.save_for_backward(*inputs[:_TENSORS], y, *kept)
    unused = [value for value, given in ((c_n, inputs[2]), (gates_n, inputs[3])) if given is None]
    ctx.mark_non_differentiable(*unused, *kept)
    ctx.set_materialize_grads(False)
    ctx.keep = keep


def _autograd(ctx: Any, *d_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
    """Autograd's backward; with create_graph the reference's recursion, which it can follow."""
    tensors, saved = ctx.saved_tensors[:_TENSORS], ctx.saved_tensors[_TENSORS:]
    d_y, d_y_n, d_c_n, d_gates_n = d_outputs[:_RESULTS]
    arriving = (
        d_y,
        d_y_n,
        None if tensors[2] is None else d_c_n,
        None if tensors[3] is None else d_gates_n,
    )
    if torch.is_grad_enabled():
        inputs, way, _ = _unpack((*tensors, *ctx.how))
        with without_autocast(inputs.x):
            y, kept = saved[0], Kept(*saved[1:])
            found = regularised_loop.backward(Arriving(*arriving), inputs, way, y, kept, True)
    else:
        found = regularised_backward(*arriving, *tensors, *ctx.how, *saved, ctx.needs_input_grad[0])
    wanted = zip(ctx.needs_input_grad[:_DIFFERENTIATED], found, strict=True)
    rest = len(ctx.needs_input_grad) - _DIFFERENTIATED
    return (*(error if needed else None for needed, error in wanted), *(None,) * rest)


regularised = torch.library.custom_op(
    "throughtime::regularised",
    _forward,
    mutates_args=(),
    schema=f"({_INPUTS}, {_WAY}, bool keep) -> ({', '.join(['Tensor'] * (_RESULTS + len(Kept._fields)))})",
)
regularised.register_fake(_fake_forward)
regularised.register_autograd(_autograd, setup_context=_setup_context)

regularised_backward = torch.library.custom_op(
    "throughtime::regularised_backward",
    _backward,
    mutates_args=(),
    schema=(
        f"(Tensor? d_y, Tensor? d_y_n, Tensor? d_c_n, Tensor? d_gates_n, {_INPUTS}, {_WAY}, "
        f"Tensor y, Tensor gates, Tensor cells, Tensor product, Tensor hat, Tensor scales, bool input_error) "
        f"-> ({', '.join(['Tensor'] * _DIFFERENTIATED)})"
    ),
)
regularised_backward.register_fake(_fake_backward)
