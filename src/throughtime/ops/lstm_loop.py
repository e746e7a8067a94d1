"""The LSTM's time loop in plain PyTorch: the backend "reference".

Notation: T steps, B sequences, I inputs, H cells; n blocks in the order i, f, z, o less those the
variant takes away (of which the first `lead`, i and f, read c(t-1)); m own gates in the order i, f, o.

Every backend of the op fills the same buffers, all owned by the caller once returned, none aliasing
another or an input:

    y       (T, B, H)   block output, zero at padded steps
    y_n c_n (B, H)      state after the last step
    gates_n (B, mH)     own gates of the last step under FGR, otherwise (0,)
    gates   (T, B, nH)  the blocks after their activation; at padded steps under FGR the state's gates,
                        otherwise unspecified, as x is there (NaN included)
    cells   (T, B, H)   c(t); at padded steps the state's

The forward computes in place on `gates` and `cells`; the backward turns one (T, B, nH) buffer of local
factors into the errors before the activation. All that does not wait for another time step is done
for the whole sequence at once.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from throughtime.cells import Variant
from throughtime.ops.padding import Padding, before_each_step, cleared, direction, padding

_d_sigmoid = torch.ops.aten.sigmoid_backward  # (d, σ) -> d σ (1 - σ)
_d_tanh = torch.ops.aten.tanh_backward  # (d, h) -> d (1 - h²)


class LSTMParameters(NamedTuple):
    """weight_ih (nH, I), weight_hh (nH, H), bias (nH,), peephole (m, H), weight_gates (mH, mH)."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor | None
    peephole: Tensor | None
    weight_gates: Tensor | None


class LSTMState(NamedTuple):
    """y and c, each (B, H), and under FGR the own gates, (B, mH)."""

    y: Tensor
    c: Tensor
    gates: Tensor | None


class LSTMForward(NamedTuple):
    """The buffers described at the top of this file."""

    y: Tensor
    y_n: Tensor
    c_n: Tensor
    gates_n: Tensor
    gates: Tensor
    cells: Tensor


class LSTMBackward(NamedTuple):
    """Gradients of everything that went in; (0,) where nothing went in or x wants none."""

    x: Tensor
    y0: Tensor
    c0: Tensor
    gates0: Tensor
    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor
    peephole: Tensor
    weight_gates: Tensor


class LSTMErrors(NamedTuple):
    """Errors by step, for a recording; zero at padded steps.

    Attributes:
        bars: Before the activation, (T, B, nH), blocks as in the weights.
        c: δc(t), (T, B, H).
        y: δy(t) with all its terms, (T, B, H).
    """

    bars: Tensor
    c: Tensor
    y: Tensor


class Layout(NamedTuple):
    """Where a variant's blocks lie in a row of nH values."""

    lead: int  # own gates before z
    n: int
    output: bool  # whether o is the last block
    H: int

    @classmethod
    def of(cls, v: Variant, H: int) -> Layout:
        """The layout of a variant with H cells."""
        return cls(len(v.blocks) - 1 - v.output_gate, len(v.blocks), v.output_gate, H)

    @property
    def z(self) -> slice:
        """Columns of the block input."""
        return slice(self.lead * self.H, (self.lead + 1) * self.H)

    @property
    def o(self) -> slice:
        """Columns of the last block."""
        return slice((self.n - 1) * self.H, self.n * self.H)

    def gate_columns(self, device: torch.device) -> Tensor:
        """Columns of the own gates in a row of nH values, (mH,)."""
        columns = torch.arange(self.n * self.H, device=device)
        return torch.cat([columns[: self.z.start], columns[self.z.stop :]])

    def split(self, gates: Tensor, v: Variant) -> dict[str, Tensor]:
        """Views of the blocks by letter, each (..., H)."""
        return dict(zip(v.blocks, gates.chunk(self.n, dim=-1), strict=True))


def _spread(weight_gates: Tensor, layout: Layout) -> Tensor:
    """weight_gates among zeros for z, (nH, nH): a whole row of `gates` can then be multiplied."""
    size, columns = layout.n * layout.H, layout.gate_columns(weight_gates.device)
    wide = weight_gates.new_zeros(size, size)
    wide[columns.unsqueeze(1), columns] = weight_gates
    return wide


def forward(
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    v: Variant,
    reverse: bool,
    *,
    bars: Tensor | None = None,
) -> LSTMForward:
    """Forward over a sequence.

    x is (T, B, I); lengths, (B,), have been checked. Fills `bars` (T, B, nH) with the values before the
    activation if given, zero at padded steps.
    """
    T, B, H = x.shape[0], x.shape[1], p.weight_hh.shape[1]
    layout, pad = Layout.of(v, H), padding(lengths, x)
    gates = _project(x, p)
    y, cells = x.new_empty(T, B, H), x.new_empty(T, B, H)
    R_T = p.weight_hh.T
    wide_T = _spread(p.weight_gates, layout).T if p.weight_gates is not None else None
    before_gates = _initial_gates(state, layout, gates)
    p_lead = p.peephole[: layout.lead] if p.peephole is not None and layout.lead else None
    p_o = p.peephole[layout.lead] if p.peephole is not None and layout.output else None

    ys, cs, rows = y.unbind(0), cells.unbind(0), gates.unbind(0)
    leads = gates[..., : layout.z.start].unbind(0)
    leads_by_gate = _by_block(gates[..., : layout.z.start], H) if layout.lead else ()
    zs, os = gates[..., layout.z].unbind(0), gates[..., layout.o].unbind(0)
    own_i = gates[..., :H].unbind(0) if v.input_gate else None
    own_f = gates[..., layout.z.start - H : layout.z.start].unbind(0) if v.forget_gate == "own" else None
    squashed = torch.empty_like(state.c)  # h(c)
    difference = torch.empty_like(state.c)

    y_before, c_before = state.y, state.c
    for t in direction(T, reverse):
        row, c_t, y_t, z_t = rows[t], cs[t], ys[t], zs[t]
        row.addmm_(y_before, R_T)
        if wide_T is not None:
            row.addmm_(before_gates, wide_T)
        if p_lead is not None:
            leads_by_gate[t].addcmul_(c_before.unsqueeze(1), p_lead)
        if bars is not None:
            bars[t].copy_(row)
        if layout.lead:
            leads[t].sigmoid_()
        if v.input_activation == "tanh":
            z_t.tanh_()
        if own_f is not None:
            torch.mul(c_before, own_f[t], out=c_t)
            _add_product(c_t, z_t, own_i, t)
        elif v.forget_gate == "coupled":
            torch.sub(z_t, c_before, out=difference)  # c + i (z - c) = i z + (1 - i) c
            torch.addcmul(c_before, own_i[t], difference, out=c_t)  # type: ignore[index]
        else:
            c_t.copy_(c_before)
            _add_product(c_t, z_t, own_i, t)
        if p_o is not None:
            os[t].addcmul_(c_t, p_o)
            if bars is not None:
                bars[t, :, layout.o].copy_(os[t])
        h_c = torch.tanh(c_t, out=squashed) if v.output_activation == "tanh" else c_t
        if layout.output:
            torch.mul(os[t].sigmoid_(), h_c, out=y_t)
        else:
            y_t.copy_(h_c)
        if pad is not None and pad.partial[t]:
            torch.where(pad.real[t], c_t, c_before, out=c_t)
            torch.where(pad.real[t], y_t, y_before, out=y_t)
            if wide_T is not None:
                torch.where(pad.real[t], row, before_gates, out=row)
        y_before, c_before, before_gates = y_t, c_t, row
    gates_n = before_gates[:, layout.gate_columns(x.device)] if wide_T is not None else x.new_empty(0)
    y_n, c_n = y_before.clone(), c_before.clone()
    if pad is not None:
        y.masked_fill_(~pad.real, 0)
        if bars is not None:
            bars.masked_fill_(~pad.real, 0)
    return LSTMForward(y, y_n, c_n, gates_n, gates, cells)


def _by_block(rows: Tensor, H: int) -> tuple[Tensor, ...]:
    """For each step a view (B, number of blocks, H) of rows (T, B, blocks of H)."""
    return rows.unfold(-1, H, H).unbind(0)


def _add_product(c: Tensor, z: Tensor, own_i: tuple[Tensor, ...] | None, t: int) -> None:
    if own_i is None:
        c.add_(z)
    else:
        c.addcmul_(own_i[t], z)


def _project(x: Tensor, p: LSTMParameters) -> Tensor:
    """W x + b for all steps in one product, (T, B, nH)."""
    flat = x.flatten(0, 1)
    product = flat @ p.weight_ih.T if p.bias is None else torch.addmm(p.bias, flat, p.weight_ih.T)
    return product.view(x.shape[0], x.shape[1], p.weight_ih.shape[0])


def _initial_gates(state: LSTMState, layout: Layout, like: Tensor) -> Tensor:
    """The own gates before the first step in a row of nH values, zero for z; unused without FGR."""
    row = like.new_zeros(like.shape[1], layout.n * layout.H if state.gates is not None else 0)
    if state.gates is not None:
        row[:, layout.gate_columns(like.device)] = state.gates
    return row


def backward(
    d_y: Tensor,
    d_final: LSTMState,
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    saved: LSTMForward,
    v: Variant,
    reverse: bool,
    input_error: bool,
    *,
    errors: LSTMErrors | None = None,
) -> LSTMBackward:
    """Backward over a sequence.

    Args:
        d_y: Errors that reach y from above, (T, B, H).
        d_final: Errors that reach the final state.
        x: As in `forward`, like state, p, lengths, v and reverse.
        state: Initial state.
        p: Parameters.
        lengths: Lengths or None.
        saved: What `forward` returned.
        v: Variant.
        reverse: Direction.
        input_error: Whether the errors of x are wanted.
        errors: Filled with the errors of every step if given.
    """
    T, H = saved.y.shape[0], saved.y.shape[2]
    layout, pad = Layout.of(v, H), padding(lengths, x)
    c_before = before_each_step(saved.cells, state.c, None, reverse)
    d_bar, to_c, keep, slopes = step_factors(saved, c_before, v, layout, pad)
    wide = _spread(p.weight_gates, layout) if p.weight_gates is not None else None
    above = cleared(d_y, pad).unbind(0)
    rows = d_bar.unbind(0)
    reads_c = _by_block(d_bar[..., : layout.z.stop], H)
    outs, to_cs = d_bar[..., layout.o].unbind(0), to_c.unbind(0)
    keeps = keep.unbind(0) if keep is not None else ()
    slopes_t = slopes.unbind(0) if slopes is not None else ()
    padded = (~pad.real).to(d_bar.dtype).unbind(0) if pad is not None else ()
    p_lead = p.peephole[: layout.lead] if p.peephole is not None and layout.lead else None
    p_o = p.peephole[layout.lead] if p.peephole is not None and layout.output else None

    e_y, e_c = d_final.y.clone(), d_final.c.clone()
    e_gates = _initial_gates(d_final, layout, d_bar)
    d_c = torch.empty_like(e_c)
    spare = torch.empty_like(e_y)
    for t in reversed(direction(T, reverse)):
        row = rows[t]
        e_y.add_(above[t])
        if layout.output:
            outs[t].mul_(e_y)
            if wide is not None:
                outs[t].addcmul_(slopes_t[t][:, layout.o], e_gates[:, layout.o])
        torch.addcmul(e_c, e_y, to_cs[t], out=d_c)
        if p_o is not None:
            d_c.addcmul_(outs[t], p_o)
        if errors is not None:
            errors.y[t].copy_(e_y)
            errors.c[t].copy_(d_c)
        reads_c[t].mul_(d_c.unsqueeze(1))
        if wide is not None and layout.lead:
            row[:, : layout.z.start].addcmul_(slopes_t[t][:, : layout.z.start], e_gates[:, : layout.z.start])
        if keeps:
            torch.mul(d_c, keeps[t], out=e_c)
        else:
            e_c.copy_(d_c)
        if p_lead is not None:
            for k in range(layout.lead):
                e_c.addcmul_(reads_c[t][:, k], p_lead[k])
        if pad is not None and pad.partial[t]:
            torch.mul(e_y, padded[t], out=spare)
            torch.addmm(spare, row, p.weight_hh, out=e_y)
            if wide is not None:
                e_gates = torch.addmm(e_gates * padded[t], row, wide)
        else:
            torch.mm(row, p.weight_hh, out=e_y)
            if wide is not None:
                torch.mm(row, wide, out=e_gates)
    gates0 = e_gates[:, layout.gate_columns(x.device)] if wide is not None else x.new_empty(0)
    initial = (e_y, e_c, gates0)
    if errors is not None:
        errors.bars.copy_(d_bar)
        if pad is not None:
            errors.y.masked_fill_(~pad.real, 0)
            errors.c.masked_fill_(~pad.real, 0)
    return _collect(d_bar, c_before, initial, x, state, p, saved, v, layout, pad, reverse, input_error)


def step_factors(
    saved: LSTMForward, c_before: Tensor, v: Variant, layout: Layout, pad: Padding | None
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """Every factor that is known before the loop.

    Returns:
        d_bar: (T, B, nH): of o what multiplies δy, of i, f, z what multiplies δc, σ' and g' included.
        to_c: (T, B, H): what δy contributes to δc is to_c ⊙ δy.
        keep: (T, B, H): what of δc goes on to t-1 through the cell, f(t); None if all of it does (NFG).
        slopes: (T, B, nH): σ' of the own gates for FGR, of no meaning for z; otherwise None.
    """
    value = layout.split(saved.gates, v)
    factors = torch.empty_like(saved.gates)
    factor = layout.split(factors, v)
    squashed = torch.tanh(saved.cells) if v.output_activation == "tanh" else saved.cells
    if layout.output:
        _d_sigmoid.grad_input(squashed, value["o"], grad_input=factor["o"])
    out = value.get("o", torch.ones_like(saved.cells))
    to_c = _d_tanh(out, squashed) if v.output_activation == "tanh" else out.clone()
    if v.input_gate:
        reader = value["z"] - c_before if v.forget_gate == "coupled" else value["z"]
        _d_sigmoid.grad_input(reader, value["i"], grad_input=factor["i"])
    if v.forget_gate == "own":
        _d_sigmoid.grad_input(c_before, value["f"], grad_input=factor["f"])
    through_z = value.get("i", torch.ones_like(saved.cells))
    if v.input_activation == "tanh":
        _d_tanh.grad_input(through_z, value["z"], grad_input=factor["z"])
    else:
        factor["z"].copy_(through_z)
    keep = None
    if v.forget_gate != "none":
        keep = value["f"] if v.forget_gate == "own" else 1 - value["i"]
    slopes = None
    if v.full_gate_recurrence:
        slopes = saved.gates * (1 - saved.gates)
    if pad is not None:
        padded = ~pad.real
        keep = None if keep is None else keep.masked_fill(padded, 1)
        factors.masked_fill_(padded, 0)
        to_c.masked_fill_(padded, 0)
        slopes = None if slopes is None else slopes.masked_fill_(padded, 0)
    return factors, to_c, keep, slopes


def _collect(
    d_bar: Tensor,
    c_before: Tensor,
    initial: tuple[Tensor, Tensor, Tensor],
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    saved: LSTMForward,
    v: Variant,
    layout: Layout,
    pad: Padding | None,
    reverse: bool,
    input_error: bool,
) -> LSTMBackward:
    """Sum the parameters' gradients over time and batch, one product each."""
    errors = d_bar.flatten(0, 1)
    y_before = before_each_step(saved.y, state.y, pad, reverse)
    d_bias = errors.sum(0) if p.bias is not None else x.new_empty(0)
    d_peephole = x.new_empty(0)
    if p.peephole is not None:
        by_gate = layout.split(d_bar, v)
        seen = {"i": c_before, "f": c_before, "o": saved.cells}
        d_peephole = torch.stack([(by_gate[gate] * seen[gate]).sum((0, 1)) for gate in v.gates])
    d_weight_gates = x.new_empty(0)
    if p.weight_gates is not None and state.gates is not None:
        columns = layout.gate_columns(x.device)
        gates_before = before_each_step(saved.gates[..., columns], state.gates, pad, reverse)
        d_weight_gates = errors[:, columns].T @ gates_before.flatten(0, 1)
    return LSTMBackward(
        x=(errors @ p.weight_ih).view(x.shape) if input_error else x.new_empty(0),
        y0=initial[0],
        c0=initial[1],
        gates0=initial[2],
        weight_ih=errors.T @ cleared(x, pad).flatten(0, 1),
        weight_hh=errors.T @ y_before.flatten(0, 1),
        bias=d_bias,
        peephole=d_peephole,
        weight_gates=d_weight_gates,
    )
