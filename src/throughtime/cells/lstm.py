"""The LSTM with peepholes and its variants, one time step.

    z = g(W_z x + R_z y(t-1) + b_z)                         block input
    i = σ(W_i x + R_i y(t-1) + p_i ⊙ c(t-1) + b_i)          input gate
    f = σ(W_f x + R_f y(t-1) + p_f ⊙ c(t-1) + b_f)          forget gate
    c = z ⊙ i + c(t-1) ⊙ f                                  cell
    o = σ(W_o x + R_o y(t-1) + p_o ⊙ c + b_o)               output gate: it sees the new cell
    y = o ⊙ h(c)                                            block output

FGR adds to each gate, before σ, the matrices R_⋆i i(t-1) + R_⋆f f(t-1) + R_⋆o o(t-1).

With layer normalisation LN(a) = (a - mean(a)) / √(var(a) + ε) over a row,

    ī, f̄, z̄, ō = g_x ⊙ LN(W x) + g_r ⊙ LN(R y(t-1)) + b       one row over all blocks
    y = o ⊙ h(g_c ⊙ LN(c) + b_c)

where FGR's matrices belong to the recurrent row; the peepholes and t+1 see c as it is.

Sources: Greff et al., LSTM: A Search Space Odyssey (2017), section II and its list of variants; Ba, Kiros and
Hinton, Layer Normalization (2016), equations 20 to 22.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from throughtime.cells.activations import ACTIVATIONS
from throughtime.cells.normalise import normalised, normalised_backward
from throughtime.cells.protocol import StepErrors, Values, check_step
from throughtime.cells.variants import VANILLA, Variant

_LOGISTIC = ACTIVATIONS["logistic"]


@dataclass(frozen=True)
class LSTMCell:
    """LSTM.

    Attributes:
        variant: What differs from vanilla.
        bias: whether there is a b.
        layer_norm: whether W x, R y(t-1) and c are normalised.
    """

    variant: Variant = VANILLA
    bias: bool = True
    layer_norm: bool = False

    @property
    def name(self) -> str:
        """`LSTM vanilla`, `LSTM CIFG+FGR`, `LSTM vanilla with layer norm` and so on."""
        return f"LSTM {self.variant.name}{' with layer norm' if self.layer_norm else ''}"

    @property
    def state(self) -> tuple[str, ...]:
        """The names y and c; under FGR the own gates too, as they are read at t+1."""
        return ("y", "c", *(self.variant.gates if self.variant.full_gate_recurrence else ()))

    def shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """weight_ih (nH, I), weight_hh (nH, H), bias (nH,), peephole (m, H), weight_gates (mH, mH).

        n blocks in the order i, f, z, o and m own gates in the order i, f, o; 4 and 3 unless a gate is
        taken away or coupled. With layer normalisation gain_ih and gain_hh (nH,), gain_c and bias_c (H,).
        """
        v, H = self.variant, hidden_size
        rows, gates = len(v.blocks) * H, len(v.gates)
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, input_size), "weight_hh": (rows, H)}
        if self.bias:
            shapes["bias"] = (rows,)
        if v.peepholes and gates:
            shapes["peephole"] = (gates, H)
        if v.full_gate_recurrence:
            shapes["weight_gates"] = (gates * H, gates * H)
        if self.layer_norm:
            shapes |= {"gain_ih": (rows,), "gain_hh": (rows,), "gain_c": (H,)}
            if self.bias:
                shapes["bias_c"] = (H,)
        return shapes

    def step(self, x: Tensor, state: Mapping[str, Tensor], p: Mapping[str, Tensor]) -> Values:
        """One time step.

        Args:
            x: Input, (B, I).
            state: Values of the step before, (B, H): y, in (-1, 1) unless NOAF; c, unbounded; for FGR
                the own gates, in (0, 1).
            p: Parameters, see `shapes`.

        Returns:
            The step's values, each (B, H): i_bar, f_bar, z_bar, o_bar (those that have a block), i, f,
            z, o, c, y. A gate fixed at 1 is returned as ones.

        Raises:
            ValueError: x, the state or a parameter has a shape that does not fit.
        """
        check_step(self.name, x, state, p, self.shapes(p["weight_ih"].shape[1], p["weight_hh"].shape[1]))
        v, c_before = self.variant, state["c"]
        bars = self._before_activation(x, state, p)
        peephole = self._peephole(p)
        for gate in ("i", "f"):
            if gate in peephole:
                bars[gate] = bars[gate] + peephole[gate] * c_before
        z = ACTIVATIONS[v.input_activation].value(bars["z"])
        one = torch.ones_like(c_before)
        i = torch.sigmoid(bars["i"]) if v.input_gate else one
        f = {"own": lambda: torch.sigmoid(bars["f"]), "coupled": lambda: 1 - i, "none": lambda: one}[
            v.forget_gate
        ]()
        c = z * i + (c_before if v.forget_gate == "none" else c_before * f)
        if "o" in peephole:
            bars["o"] = bars["o"] + peephole["o"] * c
        o = torch.sigmoid(bars["o"]) if v.output_gate else one
        y = o * ACTIVATIONS[v.output_activation].value(self._seen(c, p))
        named = {f"{block}_bar": bars[block] for block in v.blocks}
        return {**named, "i": i, "f": f, "z": z, "o": o, "c": c, "y": y}

    def step_backward(
        self,
        x: Tensor,
        state: Mapping[str, Tensor],
        p: Mapping[str, Tensor],
        values: Mapping[str, Tensor],
        errors: Mapping[str, Tensor],
    ) -> StepErrors:
        """One time step back; σ' and g' are taken from the activated values.

        Args:
            x: Input, (B, I).
            state: Values of the step before.
            p: Parameters.
            values: What `step` returned.
            errors: What reaches this step's y (from above and from the gates of t+1), its c (through
                the cell and the peepholes of t+1) and, for FGR, its own gates, each (B, H).

        Returns:
            d_y, d_o_bar, d_c, d_f_bar, d_i_bar, d_z_bar, d_x (those that exist); what goes to t-1; the
            step's gradients.
        """
        v, c_before, peephole = self.variant, state["c"], self._peephole(p)
        h = ACTIVATIONS[v.output_activation]
        h_c = h.value(self._seen(values["c"], p))
        d_y, d_bar = errors["y"], {}

        if v.output_gate:
            d_o = d_y * h_c + errors.get("o", 0)
            d_bar["o"] = d_o * _LOGISTIC.slope(values["o"])
        d_seen = d_y * values["o"] * h.slope(h_c)
        d_c = self._seen_backward(d_seen, values["c"], p) + errors["c"]
        if "o" in peephole:
            d_c = d_c + peephole["o"] * d_bar["o"]
        if v.forget_gate == "own":
            d_f = d_c * c_before + errors.get("f", 0)
            d_bar["f"] = d_f * _LOGISTIC.slope(values["f"])
        if v.input_gate:
            through_f = c_before if v.forget_gate == "coupled" else 0
            d_i = d_c * (values["z"] - through_f) + errors.get("i", 0)
            d_bar["i"] = d_i * _LOGISTIC.slope(values["i"])
        d_bar["z"] = d_c * values["i"] * ACTIVATIONS[v.input_activation].slope(values["z"])

        d_c_before = d_c if v.forget_gate == "none" else d_c * values["f"]
        for gate in ("i", "f"):
            if gate in peephole:
                d_c_before = d_c_before + peephole[gate] * d_bar[gate]
        stacked = torch.cat([d_bar[block] for block in v.blocks], dim=-1)  # (B, nH)
        d_input, d_recurrent = self._through_norms(x, state, p, stacked)
        before = {"y": d_recurrent @ p["weight_hh"], "c": d_c_before}
        if v.full_gate_recurrence:
            d_gates = self._own_gates(d_recurrent) @ p["weight_gates"]
            before |= dict(zip(v.gates, d_gates.chunk(len(v.gates), dim=-1), strict=True))
        named = {f"d_{block}_bar": d_bar[block] for block in v.blocks}
        named |= {"d_y": d_y, "d_c": d_c, "d_x": d_input @ p["weight_ih"]}
        gradients = {"weight_ih": d_input.T @ x, "weight_hh": d_recurrent.T @ state["y"]}
        if v.full_gate_recurrence:
            gates = torch.cat([state[gate] for gate in v.gates], dim=-1)
            gradients["weight_gates"] = self._own_gates(d_recurrent).T @ gates
        gradients |= self._elementwise_gradients(x, state, p, values, d_bar, stacked)
        if self.layer_norm:
            gradients["gain_c"] = (d_seen * normalised(values["c"])[0]).sum(0)
            if self.bias:
                gradients["bias_c"] = d_seen.sum(0)
        return StepErrors(named, before, {name: gradients[name] for name in p})

    def _before_activation(self, x: Tensor, state: Mapping[str, Tensor], p: Mapping[str, Tensor]) -> Values:
        """What x, y(t-1), the gates' recurrence and b give, by block; the peepholes are added later."""
        from_input, recurrent = x @ p["weight_ih"].T, self._recurrent(state, p)
        if self.layer_norm:
            from_input = normalised(from_input)[0] * p["gain_ih"]
            recurrent = normalised(recurrent)[0] * p["gain_hh"]
        stacked = from_input + recurrent
        if self.bias:
            stacked = stacked + p["bias"]
        return dict(zip(self.variant.blocks, stacked.chunk(len(self.variant.blocks), dim=-1), strict=True))

    def _recurrent(self, state: Mapping[str, Tensor], p: Mapping[str, Tensor]) -> Tensor:
        """R y(t-1), and under FGR what the gates of t-1 add to the own gates, (B, nH)."""
        v, recurrent = self.variant, state["y"] @ p["weight_hh"].T
        if not v.full_gate_recurrence:
            return recurrent
        added = torch.cat([state[gate] for gate in v.gates], dim=-1) @ p["weight_gates"].T
        by_gate = dict(zip(v.gates, added.chunk(len(v.gates), dim=-1), strict=True))
        nothing = torch.zeros_like(state["y"])
        return recurrent + torch.cat([by_gate.get(block, nothing) for block in v.blocks], dim=-1)

    def _own_gates(self, rows: Tensor) -> Tensor:
        """The own gates' blocks of rows (B, nH), (B, mH)."""
        blocks = dict(zip(self.variant.blocks, rows.chunk(len(self.variant.blocks), dim=-1), strict=True))
        return torch.cat([blocks[gate] for gate in self.variant.gates], dim=-1)

    def _through_norms(
        self, x: Tensor, state: Mapping[str, Tensor], p: Mapping[str, Tensor], d_bars: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Errors of W x and of R y(t-1) from those before the activation."""
        if not self.layer_norm:
            return d_bars, d_bars
        return (
            normalised_backward(d_bars * p["gain_ih"], *normalised(x @ p["weight_ih"].T)),
            normalised_backward(d_bars * p["gain_hh"], *normalised(self._recurrent(state, p))),
        )

    def _seen(self, c: Tensor, p: Mapping[str, Tensor]) -> Tensor:
        """What the output activation sees of the cell."""
        if not self.layer_norm:
            return c
        seen = normalised(c)[0] * p["gain_c"]
        return seen + p["bias_c"] if self.bias else seen

    def _seen_backward(self, d_seen: Tensor, c: Tensor, p: Mapping[str, Tensor]) -> Tensor:
        return normalised_backward(d_seen * p["gain_c"], *normalised(c)) if self.layer_norm else d_seen

    def _peephole(self, p: Mapping[str, Tensor]) -> Values:
        if not self.variant.peepholes or not self.variant.gates:
            return {}
        return dict(zip(self.variant.gates, p["peephole"].unbind(0), strict=True))

    def _elementwise_gradients(
        self,
        x: Tensor,
        state: Mapping[str, Tensor],
        p: Mapping[str, Tensor],
        values: Mapping[str, Tensor],
        d_bar: Mapping[str, Tensor],
        stacked: Tensor,
    ) -> Values:
        """The step's share in b, the peepholes (that of the output gate met the new c) and the gains."""
        v, gradients = self.variant, {}
        if self.bias:
            gradients["bias"] = stacked.sum(0)
        if v.peepholes and v.gates:
            seen = {"i": state["c"], "f": state["c"], "o": values["c"]}
            gradients["peephole"] = torch.stack([(d_bar[gate] * seen[gate]).sum(0) for gate in v.gates])
        if self.layer_norm:
            gradients["gain_ih"] = (stacked * normalised(x @ p["weight_ih"].T)[0]).sum(0)
            gradients["gain_hh"] = (stacked * normalised(self._recurrent(state, p))[0]).sum(0)
        return gradients
