"""Recorded errors confirmed by finite differences, in float64.

One value of one sequence at step t is nudged; everything after it is computed anew, step by step, by the
lines below, which are written apart from `cells/` so that they are a second opinion. From above the layer the
recording holds only errors, so by default J is replaced by the sum of `d_above ⊙ output` and of the errors of
the returned state times that state: its derivative is the exact ∂J/∂value of this pass as long as those
errors are right. With the true loss as a function of the layer's output nothing is taken on trust.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor

from throughtime.cells.activations import ACTIVATIONS
from throughtime.cells.normalise import EPSILON
from throughtime.ops.regularised_sight import ROWS, blocks
from throughtime.recording.layer_record import LayerRecord
from throughtime.recording.steps import Steps

_NUDGES: Final = (1e-3, 1e-4, 1e-5)
_RELATIVE: Final = {torch.float64: 1e-7, torch.float32: 1e-3}  # of the recorded error, by dtype; else 5e-2
SHARES: Final = {"LSTM": ("k_c", "k_y"), "RNN": ("k_h",)}
CHANCE: Final = ("m", "k_c", "k_y", "k_h")
_ROUNDING: Final = 64 * torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class Check:
    """What finite differences say about one recorded error.

    Attributes:
        name: Of the error.
        t: Time step.
        batch: Sequence.
        unit: Unit.
        recorded: The recorded error.
        by_differences: The same by central differences.
        bound: How far apart they may be: rounding of the recording and of the differences.
    """

    name: str
    t: int
    batch: int
    unit: int
    recorded: float
    by_differences: float
    bound: float

    @property
    def difference(self) -> float:
        """How far apart they are."""
        return abs(self.recorded - self.by_differences)

    @property
    def agrees(self) -> bool:
        """Whether they are within the bound."""
        return self.difference <= self.bound

    def __str__(self) -> str:
        verdict = "agrees" if self.agrees else "DISAGREES"
        return (
            f"{self.name} at t={self.t}, batch={self.batch}, unit={self.unit}: recorded {self.recorded:.9g}, "
            f"by differences {self.by_differences:.9g}; {verdict} (differ by {self.difference:.2g}, bound "
            f"{self.bound:.2g})"
        )


@torch.no_grad()
def check(
    record: LayerRecord,
    error: str,
    t: int,
    batch: int | None,
    unit: int | None,
    loss: Callable[[Tensor], Tensor] | None,
) -> Check:
    """One recorded error beside finite differences; see `Recording.check`.

    Raises:
        KeyError: the recording does not keep what is needed.
        ValueError: t, unit or batch is out of range, or the step is padded.
    """
    part, step = record.pass_at(t)
    who = f"recording: check of {record.path}.{error}"
    batch, unit = _place(part.errors[error][step], batch, unit, who)
    if part.lengths is not None and step >= part.lengths[batch]:
        raise ValueError(f"{who}: sequence {batch} has {int(part.lengths[batch])} steps, so t={t} is padded.")
    found, bound = differences(part, error, step, batch, unit, _of_pass(record, part, loss))
    recorded = part.errors[error][step, batch, unit].item()
    return Check(f"{record.path}.{error}", t, batch, unit, recorded, found, bound)


def _place(errors: Tensor, batch: int | None, unit: int | None, who: str) -> tuple[int, int]:
    """The sequence and unit that were asked for, or where the error is largest."""
    B, units = errors.shape
    for given, count, what in ((batch, B, "batch"), (unit, units, "unit")):
        if given is not None and not 0 <= given < count:
            raise ValueError(f"{who}: {what}={given}, expected 0 to {count - 1}.")
    sizes = errors.abs()
    if batch is None:
        batch = int((sizes.amax(1) if unit is None else sizes[:, unit]).argmax())
    return batch, int(sizes[batch].argmax()) if unit is None else unit


def _of_pass(
    record: LayerRecord, part: LayerRecord, loss: Callable[[Tensor], Tensor] | None
) -> Callable[[Tensor], Tensor] | None:
    """The loss as a function of one pass's outputs, those of the other passes as recorded."""
    if loss is None or len(record.passes) == 1:
        return loss
    whole = [one.values[one.output].double() for one in record.passes]
    place = next(k for k, one in enumerate(record.passes) if one is part)
    return lambda output: loss(torch.cat([*whole[:place], output, *whole[place + 1 :]]))


class _Nudge(NamedTuple):
    value: str
    unit: int
    by: float

    def touch(self, name: str, value: Tensor) -> Tensor:
        """`value`, with one unit moved if it is the one."""
        if name != self.value:
            return value
        moved = value.clone()
        moved[self.unit] += self.by
        return moved


_NOTHING: Final = _Nudge("", 0, 0.0)


def differences(
    record: LayerRecord, error: str, t: int, batch: int, unit: int, loss: Callable[[Tensor], Tensor] | None
) -> tuple[float, float]:
    """∂J/∂value by four-point central differences, and a bound for its rounding.

    Args:
        record: A single pass.
        error: As "d_c".
        t: Time step of the pass.
        batch: Sequence; t is one of its steps.
        unit: Unit.
        loss: J from the outputs of this pass, (T, B, H) in float64; None for the sum described above.
    """
    tail = _Tail(record, t, batch)
    measure = tail.measure(loss)
    recorded = record.errors[error][t, batch, unit].item()
    best = (float("inf"), 0.0)
    for nudge in (size * _spread(record, error, t, batch) for size in _NUDGES):
        at = {k: measure(tail.run(_Nudge(error.removeprefix("d_"), unit, k * nudge))) for k in (-2, -1, 1, 2)}
        found = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * nudge)
        rounding = _ROUNDING * (tail.size + max(map(abs, at.values()))) / nudge
        bound = _RELATIVE.get(record.dtype, 5e-2) * max(abs(recorded), abs(found)) + rounding
        if abs(found - recorded) <= bound:
            return found, bound
        best = best if abs(best[0] - recorded) < abs(found - recorded) else (found, bound)
    return best


def _spread(record: LayerRecord, error: str, t: int, batch: int) -> float:
    """√(σ² + ε) of the row that a value is normalised with, at most 1: within it LN is nearly straight."""
    row = error.removeprefix("d_").partition("_")[2]
    if row not in ROWS:
        return 1.0
    parts = [record.values[f"{name}_{row}"][t, batch] for name in blocks(record.cell)]
    return min(1.0, float((torch.cat(parts).double().var(correction=0) + EPSILON).sqrt()))


class _Tail:
    """One sequence of a pass from step t to its end, in float64."""

    def __init__(self, record: LayerRecord, t: int, batch: int) -> None:
        self.record, self.batch = record, batch
        length = record.T if record.lengths is None else int(record.lengths[batch])
        self.steps = list(range(t, -1, -1) if record.reverse else range(t, length))
        self._p = {name: value.double() for name, value in record.parameters.items()}
        _demand_chance(record)
        before = Steps(record, t, f"check of {record.path}")
        self._state = {name: before.before(name)[batch].double() for name in record.initial}
        kept = Steps(record, None, f"check of {record.path}")
        self._x = kept.now("x")[:, batch].double()
        self._above = kept.now("d_above")[:, batch].double()
        self._chance = {name: kept.now(name)[:, batch].double() for name in CHANCE if name in record.values}
        self._final = {name: value[batch].double() for name, value in record.final_errors.items()}
        self.size = 0.0
        self._outputs, self._returned = self.run(_NOTHING)

    def run(self, nudge: _Nudge) -> tuple[Tensor, dict[str, Tensor]]:
        """Outputs of the steps, (n, H), and the returned state."""
        state, outputs, step = self._state, [], _rnn_step if self.record.kind == "RNN" else _lstm_step
        for k, t in enumerate(self.steps):
            chance = {name: values[t] for name, values in self._chance.items()}
            state = step(self.record, self._x[t], state, self._p, chance, nudge if k == 0 else _NOTHING)
            outputs.append(state[self.record.output])
        return torch.stack(outputs), state

    def measure(
        self, loss: Callable[[Tensor], Tensor] | None
    ) -> Callable[[tuple[Tensor, dict[str, Tensor]]], float]:
        """J from what `run` gave, less what does not change."""
        above = self._above[self.steps]
        self.size = float(above.abs().sum() + sum(error.abs().sum() for error in self._final.values()))

        def returned(state: dict[str, Tensor]) -> float:
            return sum(
                float(((state[name] - self._returned[name]) * error).sum())
                for name, error in self._final.items()
            )

        def linear(found: tuple[Tensor, dict[str, Tensor]]) -> float:
            outputs, state = found
            return float(((outputs - self._outputs) * above).sum()) + returned(state)

        def true(found: tuple[Tensor, dict[str, Tensor]]) -> float:
            outputs, state = found
            output = self.record.values[self.record.output].to(torch.float64, copy=True)
            output[self.steps, self.batch] = outputs
            return float(loss(output)) + returned(state) if loss is not None else 0.0

        return linear if loss is None else true


def _demand_chance(record: LayerRecord) -> None:
    """What chance did must have been kept: it cannot be drawn again."""
    steps = Steps(record, None, f"check of {record.path}")
    for name in (
        *(["m"] if record.recurrent_dropout else []),
        *(SHARES[record.kind] if record.zoneout else ()),
    ):
        steps.now(name)


def _layer_norm(a: Tensor) -> Tensor:
    """One row by torch's own layer_norm."""
    return torch.nn.functional.layer_norm(a, a.shape, eps=EPSILON)


def _rows(
    x: Tensor,
    read: Tensor,
    across: Tensor | float,
    p: dict[str, Tensor],
    blocks: tuple[str, ...],
    nudge: _Nudge,
) -> dict[str, Tensor]:
    """What x, y(t-1) and b add before the activation, by block; with layer norm each row normalised."""
    sums = {"x": p["weight_ih"] @ x, "r": p["weight_hh"] @ read + across}
    if "gain_ih" not in p:
        total = sums["x"] + sums["r"] + p.get("bias", 0.0)
        return dict(zip(blocks, total.chunk(len(blocks)), strict=True))
    total = p.get("bias", torch.zeros_like(sums["x"]))
    for row, gain in (("x", p["gain_ih"]), ("r", p["gain_hh"])):
        there = zip(blocks, sums[row].chunk(len(blocks)), strict=True)
        hat = _layer_norm(torch.cat([nudge.touch(f"{block}_{row}", part) for block, part in there]))
        parts = zip(blocks, hat.chunk(len(blocks)), strict=True)
        total = total + gain * torch.cat([nudge.touch(f"{block}_{row}_hat", part) for block, part in parts])
    return dict(zip(blocks, total.chunk(len(blocks)), strict=True))


def _after_zoneout(
    name: str, found: Tensor, before: Tensor, chance: dict[str, Tensor], nudge: _Nudge
) -> Tensor:
    """What the cell found, and what it becomes: k ⊙ found + (1 - k) ⊙ before."""
    k = chance.get(f"k_{name}")
    if k is not None:
        found = nudge.touch(f"{name}_tilde", found)
        found = k * found + (1 - k) * before
    return nudge.touch(name, found)


def _rnn_step(
    record: LayerRecord,
    x: Tensor,
    state: dict[str, Tensor],
    p: dict[str, Tensor],
    chance: dict[str, Tensor],
    nudge: _Nudge,
) -> dict[str, Tensor]:
    """One sequence: a = U x + W h + b, h = g(a)."""
    read = state["h"] * chance.get("m", 1.0)
    a = _rows(nudge.touch("x", x), read, 0.0, p, ("a",), nudge)["a"]
    h = ACTIVATIONS[record.nonlinearity].value(nudge.touch("a", a))
    return {"h": _after_zoneout("h", h, state["h"], chance, nudge)}


def _lstm_step(
    record: LayerRecord,
    x: Tensor,
    state: dict[str, Tensor],
    p: dict[str, Tensor],
    chance: dict[str, Tensor],
    nudge: _Nudge,
) -> dict[str, Tensor]:
    """One sequence: the LSTM's lines in turn; each value may be nudged as soon as it is there."""
    v, touch, one = record.lstm_cell.variant, nudge.touch, torch.ones_like(state["c"])
    across: Tensor | float = 0.0
    if v.full_gate_recurrence:
        rows = p["weight_gates"] @ torch.cat([state[gate] for gate in v.gates])
        by_gate = dict(zip(v.gates, rows.chunk(len(v.gates)), strict=True))
        across = torch.cat([by_gate.get(block, torch.zeros_like(one)) for block in v.blocks])
    read = state["y"] * chance.get("m", 1.0)
    bars = _rows(touch("x", x), read, across, p, v.blocks, nudge)
    seen = dict(zip(v.gates, p["peephole"], strict=True)) if "peephole" in p else {}
    for gate in {"i", "f"} & set(seen):
        bars[gate] = bars[gate] + seen[gate] * state["c"]
    i = torch.sigmoid(touch("i_bar", bars["i"])) if v.input_gate else one
    z = ACTIVATIONS[v.input_activation].value(touch("z_bar", bars["z"]))
    f = 1 - i if v.forget_gate == "coupled" else one
    if v.forget_gate == "own":
        f = torch.sigmoid(touch("f_bar", bars["f"]))
    c = i * z + f * state["c"]
    c = touch("c_tilde" if "k_c" in chance else "c", c)
    o = one
    if v.output_gate:
        o = torch.sigmoid(touch("o_bar", bars["o"] + seen["o"] * c if "o" in seen else bars["o"]))
    u = c
    if "gain_c" in p:
        u = touch("u", p["gain_c"] * touch("c_hat", _layer_norm(c)) + p.get("bias_c", 0.0))
    y = o * ACTIVATIONS[v.output_activation].value(u)
    gates = {"i": i, "f": f, "o": o}
    after = {"y": _after_zoneout("y", y, state["y"], chance, nudge), "c": c}
    if "k_c" in chance:
        kept = chance["k_c"]
        after["c"] = touch("c", kept * c + (1 - kept) * state["c"])
    return after | {name: gates[name] for name in state if name in gates}
