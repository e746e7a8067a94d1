"""LSTM and simple RNN with layer normalisation, zoneout and recurrent dropout: the backend "reference".

It is the loop over the cell's `step` and `step_backward`, which autograd can follow too.

Notation as in `lstm_loop`; of a simple RNN n = 1, h stands for y, and there is neither c nor a gate. Every
backend fills the same results, all owned by the caller once returned:

    y       (T, B, H)   output, zero at padded steps
    y_n c_n (B, H)      state after the last step; c_n (0,) for a simple RNN
    gates_n (B, mH)     own gates of the last step under FGR, otherwise (0,)

and beside them whatever its own backward reads (`Kept`): here nothing, the backward runs forward again.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from torch import Tensor

from throughtime.cells import Cell, LSTMCell, SimpleRNNCell, Values, Variant
from throughtime.ops import unrolled
from throughtime.ops.noise import Noise
from throughtime.ops.padding import cleared, padding

PARAMETERS = (
    "weight_ih",
    "weight_hh",
    "bias",
    "peephole",
    "weight_gates",
    "gain_ih",
    "gain_hh",
    "gain_c",
    "bias_c",
)


class Inputs(NamedTuple):
    """What a layer reads: x (T, B, I), the state before the first step, the parameters of its cell."""

    x: Tensor
    y0: Tensor
    c0: Tensor | None
    gates0: Tensor | None
    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor | None
    peephole: Tensor | None
    weight_gates: Tensor | None
    gain_ih: Tensor | None
    gain_hh: Tensor | None
    gain_c: Tensor | None
    bias_c: Tensor | None

    def parameters(self) -> Values:
        """The parameters that are there, by name."""
        found = {name: getattr(self, name) for name in PARAMETERS}
        return {name: value for name, value in found.items() if value is not None}


class Way(NamedTuple):
    """How a sequence is run.

    Attributes:
        cell: The equations.
        noise: What chance does.
        lengths: (B,) integers that have been checked, or None.
        reverse: From each sequence's end to its beginning.
    """

    cell: LSTMCell | SimpleRNNCell
    noise: Noise
    lengths: Tensor | None
    reverse: bool


class Kept(NamedTuple):
    """What the native backward reads; all (0,) where the reference computed or no backward will follow.

    Attributes:
        gates: Blocks after the activation, before zoneout, (T, B, nH).
        cells: c(t), (T, B, H); at padded steps the state's. (0,) for a simple RNN.
        product: W x before it was normalised, (T·B, nH).
        hat: R y(t-1) normalised, (T, B, nH).
        scales: By what each row of R y(t-1) was multiplied; mean of W x and its factor; (3, T·B).
    """

    gates: Tensor
    cells: Tensor
    product: Tensor
    hat: Tensor
    scales: Tensor


class Results(NamedTuple):
    """The results described at the top of this file, and what the backward reads."""

    y: Tensor
    y_n: Tensor
    c_n: Tensor
    gates_n: Tensor
    kept: Kept


class Arriving(NamedTuple):
    """Errors that reach the results from above; None for zero."""

    y: Tensor | None
    y_n: Tensor | None
    c_n: Tensor | None
    gates_n: Tensor | None


class Errors(NamedTuple):
    """Errors by step, for a recording; zero at padded steps.

    Attributes:
        bars: Before the activation, (T, B, nH), blocks as in the weights.
        c: Of the c that the cell found, before zoneout, (T, B, H); None for a simple RNN.
        y: δy(t) with all its terms, (T, B, H); after zoneout.
        c_after: δc(t), after zoneout, (T, B, H); None without zoneout, where it is not wanted.
    """

    bars: Tensor
    c: Tensor | None
    y: Tensor
    c_after: Tensor | None


@functools.lru_cache(maxsize=256)
def cell_of(name: str, bias: bool, layer_norm: bool) -> LSTMCell | SimpleRNNCell:
    """The cell of a name such as "LSTM CIFG+FGR" or "RNN tanh"."""
    kind, _, rest = name.partition(" ")
    if kind == "RNN":
        return SimpleRNNCell(rest, bias, layer_norm)
    return LSTMCell(Variant.parse(rest), bias, layer_norm)


def name_of(cell: Cell) -> str:
    """A cell as `cell_of` takes it. Raises TypeError for a cell of another class."""
    if isinstance(cell, SimpleRNNCell):
        return f"RNN {cell.nonlinearity}"
    if isinstance(cell, LSTMCell):
        return f"LSTM {cell.variant.name}"
    raise TypeError(f"{type(cell).__name__} is the cell of neither an LSTM nor a simple RNN.")


def forward(inputs: Inputs, way: Way, keep: bool, *, bars: Tensor | None = None) -> Results:
    """Forward over a sequence.

    Args:
        inputs: What the layer reads.
        way: How it runs.
        keep: Whether a backward may follow.
        bars: Filled with the values before the activation, (T, B, nH), if given, zero at padded steps; then
            `gates` and `cells` are kept too.
    """
    run = _run(inputs, way)
    final, nothing = list(run.final.values()), inputs.x.new_empty(0)
    kept = Kept(*(inputs.x.new_empty(0) for _ in Kept._fields))
    if bars is not None:
        before, after = _blocks(way.cell)
        bars.copy_(_by_step(run.values, before, inputs, way))
        kept = kept._replace(gates=_by_step(run.values, after, inputs, way))
        if inputs.c0 is not None:
            kept = kept._replace(cells=torch.stack([state["c"] for state in run.states]))
    return Results(
        run.output,
        final[0].clone(),
        final[1].clone() if len(final) > 1 else nothing,
        torch.cat(final[2:], dim=-1) if len(final) > 2 else nothing.clone(),
        kept,
    )


def backward(
    arriving: Arriving,
    inputs: Inputs,
    way: Way,
    y: Tensor,
    kept: Kept,
    input_error: bool,
    *,
    errors: Errors | None = None,
) -> tuple[Tensor, ...]:
    """Backward over a sequence. Autograd can follow it, for derivatives of derivatives.

    Args:
        arriving: Errors that reach the results.
        inputs: What the layer read.
        way: How it ran.
        y: Its output.
        kept: What the forward kept.
        input_error: Whether the errors of x are wanted.
        errors: Filled with the errors of every step if given.

    Returns:
        An error or gradient for each of `Inputs`, (0,) where there is none.
    """
    run, like = _run(inputs, way), inputs.x
    named = _named(way.cell, _or_zeros(arriving.y_n, inputs.y0), arriving.c_n, arriving.gates_n)
    d_final = {
        name: torch.zeros_like(value) if named.get(name) is None else named[name]
        for name, value in run.final.items()
    }
    d_y = like.new_zeros(run.output.shape) if arriving.y is None else arriving.y
    p = inputs.parameters()
    found = unrolled.backward(way.cell, inputs.x, run, p, d_y, d_final, way.lengths, way.reverse, way.noise)
    if errors is not None:
        steps = [step.errors for step in found.steps]
        before, _ = _blocks(way.cell)
        errors.bars.copy_(_by_step(steps, tuple(f"d_{name}" for name in before), inputs, way))
        errors.y.copy_(_by_step(found.arriving, (way.cell.state[0],), inputs, way))
        if errors.c is not None:
            errors.c.copy_(_by_step(steps, ("d_c",), inputs, way))
        if errors.c_after is not None:
            errors.c_after.copy_(_by_step(found.arriving, ("c",), inputs, way))
    initial = [found.initial[name] for name in way.cell.state]
    gates = torch.cat(initial[2:], dim=-1) if len(initial) > 2 else like.new_empty(0)
    return (
        found.x if input_error else like.new_empty(0),
        initial[0],
        initial[1] if len(initial) > 1 else like.new_empty(0),
        gates,
        *(found.parameters.get(name, like.new_empty(0)) for name in PARAMETERS),
    )


def _blocks(cell: LSTMCell | SimpleRNNCell) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the blocks before and after the activation."""
    if isinstance(cell, SimpleRNNCell):
        return ("a",), ("h",)
    return tuple(f"{block}_bar" for block in cell.variant.blocks), cell.variant.blocks


def _by_step(steps: list[Values], names: tuple[str, ...], inputs: Inputs, way: Way) -> Tensor:
    """Values of all steps side by side, (T, B, ·), zero at padded steps."""
    rows = torch.stack([torch.cat([step[name] for name in names], dim=-1) for step in steps])
    return cleared(rows, padding(way.lengths, inputs.x))


def _run(inputs: Inputs, way: Way) -> unrolled.Forward:
    initial = _named(way.cell, inputs.y0, inputs.c0, inputs.gates0)
    p = inputs.parameters()
    return unrolled.forward(way.cell, inputs.x, initial, p, way.lengths, way.reverse, way.noise)


def _named(
    cell: LSTMCell | SimpleRNNCell, y: Tensor, c: Tensor | None, gates: Tensor | None
) -> dict[str, Tensor]:
    """A state, or errors of one, by name."""
    named = {cell.state[0]: y} | ({} if c is None else {"c": c})
    if gates is not None and len(cell.state) > 2:
        named |= dict(zip(cell.state[2:], gates.chunk(len(cell.state) - 2, dim=-1), strict=True))
    return named


def _or_zeros(value: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if value is None else value
