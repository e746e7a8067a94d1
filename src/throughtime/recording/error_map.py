"""How large the error of every single step's loss is at every step before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from throughtime.nn.recurrent import Recurrent
from throughtime.ops import native_error_rows
from throughtime.ops.error_rows import RowNorms, error_rows
from throughtime.ops.local_factors import LocalFactors
from throughtime.ops.lstm_loop import LSTMForward
from throughtime.ops.simple_rnn_loop import RNNForward
from throughtime.recording import bounds, losses
from throughtime.recording.jacobians import term_shares
from throughtime.recording.passes import LayerPass, Passes, run, watching
from throughtime.recording.reach import Reach, reach_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Loss = Callable[[Any], Tensor] | Tensor
MOST_BYTES: Final = 4 << 30


@dataclass(frozen=True, eq=False)
class ErrorMap:
    """‖∂J(t)/∂v(k)‖₂ for the values v of one layer's state, for k at or before t in the layer's direction.

    Norms are float64 whatever the network's dtype: right down to 1e-300, 0 below 2e-308. They are 0 where k
    comes after t and at padded steps.

    With zoneout the LSTM's cell is what the layer found, before entries of it stayed: "c_tilde" for c.

    Attributes:
        path: The layer.
        kind: "LSTM" or "RNN".
        variant: The LSTM's variant, "" for a simple RNN.
        hidden_size: H.
        T: Steps.
        B: Sequences.
        at: The steps t whose losses were followed, (R,).
        reverse: The layer runs from the end of a sequence: then k at or after t.
        lengths: (B,) or None.
        backend: Who computed.
        norms: By value, "y" and "c" (with zoneout "c_tilde") or "h": (B, R, T).
        bound: For a simple RNN ‖∂J(t)/∂h(t)‖ · ‖W‖^(t-k) · Π max|g'(a(s))|, (B, R, T), with normalisation,
            zoneout and dropout a factor for each of them too: no error is larger. None for an LSTM and below
            other layers.
    """

    path: str
    kind: str
    variant: str
    hidden_size: int
    T: int
    B: int
    at: Tensor
    reverse: bool
    lengths: Tensor | None
    backend: str
    norms: Mapping[str, Tensor]
    bound: Tensor | None = field(repr=False)
    _factors: LocalFactors = field(repr=False)
    _start: Tensor | None = field(repr=False)

    def __getitem__(self, name: str) -> Tensor:
        if name not in self.norms:
            raise KeyError(f"no value {name!r} in this error map; {self.path} has {', '.join(self.norms)}.")
        return self.norms[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.norms)

    @property
    def memory(self) -> str:
        """The value that carries the past: "c" (with zoneout "c_tilde"), or "h" for a simple RNN."""
        return next(name for name in ("c", "c_tilde", "h") if name in self.norms)

    def reach(self, of: str | None = None) -> Reach:
        """How much of an error is left after so many steps; `of` is a value's name."""
        name = of or self.memory
        return reach_of(self[name], self.at, self.reverse, self.lengths, f"{self.path}.{name}")

    @cached_property
    def carousel(self) -> Tensor:
        """What of c's error the product of forget gates alone would carry: ‖δc(t) ⊙ Π f‖, (B, R, T).

        Raises:
            ValueError: the layer has no cell, or lies below another layer, where δc(t) is many paths' sum.
        """
        if self._start is None or self._factors.to_c is None:
            raise ValueError(
                f"{self.path}: only an LSTM's last layer has a carousel to set beside its errors."
            )
        return bounds.carousel(self._factors, self._start, self.at)

    @cached_property
    def term_shares(self) -> dict[str, Tensor]:
        """Shares of the four terms of ∂c(t)/∂c(t-1) at each step; see `jacobians.term_shares`."""
        return term_shares(self._factors)

    def summary(self) -> str:
        """What the map says, in words, with the figures it rests on."""
        changes = [name for name in self.variant.split("+") if name not in ("", "vanilla", "NP")]
        kind = " ".join([self.kind, *changes])
        head = f"{self.path} ({kind}, {self.hidden_size} units): {len(self.at)} losses over {self.T} steps."
        lines = [head, self.reach().summary()]
        if self._start is not None and self._factors.to_c is not None:
            name = "c by the forget gates alone"
            alone = reach_of(self.carousel, self.at, self.reverse, self.lengths, name)
            lines.append(alone.summary())
        if self.kind == "LSTM":
            shares = {name: float(value.nanmean()) for name, value in self.term_shares.items()}
            told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
            lines.append(f"Ways of one step from c(t) to c(t-1), mean shares: {told}.")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()

    def plot(self, ax: Axes | None = None, *, of: str | None = None, floor: float = 1e-6) -> Axes:
        """Draw the share of each loss's error that is left at each step; see `plots.draw_map`."""
        from throughtime.recording.plots import draw_map

        return draw_map(self, ax, of=of, floor=floor)


def error_map(
    model: nn.Module,
    x: Any,
    loss_at_each_step: Loss,
    *,
    at: Tensor | list[int] | None = None,
    layer: str | None = None,
    backend: str | None = None,
    **inputs: Any,
) -> ErrorMap:
    """How far the error of each step's loss reaches back, for all steps in one sweep.

    J(t) may depend on the last recurrent layer's output at step t, through whatever lies above it, and on no
    other step of that output. This is checked, by comparing gradients of differently weighted sums of the
    losses.

    Args:
        model: A module that holds a throughtime LSTM or RNN.
        x: What the model reads.
        loss_at_each_step: Takes what the model returns (the first, where it returns several), gives the
            losses J(t), (T,), or (T, B) for each sequence its own. Or a tensor: ∂J(t)/∂y(t) itself, which
            broadcasts to the last layer's output (T, B, D·H).
        at: Steps t whose losses are followed; None: all.
        layer: Path of the layer whose errors are wanted; None: the last one's first direction. A lower layer
            needs a network of one direction.
        backend: "native" or "reference"; None: that of the layer. Full gate recurrence (FGR), lower layers,
            layer normalisation, zoneout and recurrent dropout are the reference's work in any case; the
            result says who computed.
        **inputs: More arguments for the model, such as lengths or state.

    Returns:
        The map.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: no such layer, or losses that do not fit, or depend on more than one step.
    """
    with watching(model, layer, "error_map") as passes:
        output = run(model, x, inputs)
        top = _top(passes)
        path = (
            layer or passes.paths()[0 if passes.network.num_layers == 1 else -passes.network.num_directions]
        )
        start = losses.start_of(loss_at_each_step, output, top)
    return map_of_pass(passes, path, start, at=at, backend=backend)


def _top(passes: Passes) -> Tensor:
    if passes.top is None:
        raise ValueError("error_map: the model's forward did not run its recurrent network.")
    return passes.top


def map_of_pass(
    passes: Passes,
    path: str,
    start: Tensor,
    *,
    at: Tensor | list[int] | None = None,
    backend: str | None = None,
) -> ErrorMap:
    """The map of the layer at `path` from a pass and ∂J(t)/∂y(t) at the network's output, (T, B, D·H)."""
    network, number = passes.network, passes.number(path)
    stack = [passes.of(path)]
    if number < network.num_layers - 1:
        stack = _stack(passes, number)
    start = _own_part(start, stack[-1], network)
    return map_of_stack(stack, start, at=at, backend=backend)


def map_of_stack(
    stack: list[LayerPass],
    start: Tensor,
    *,
    at: Tensor | list[int] | None = None,
    backend: str | None = None,
    saved: list[LSTMForward | RNNForward] | None = None,
) -> ErrorMap:
    """The map of the lowest of some layers from ∂J(t)/∂y(t) at the highest one's output, (T, B, H).

    `saved` is what their `forward` gave; None runs them again.
    """
    T, B, _ = start.shape
    steps, lowest, is_top = _steps(at, T, B), stack[0], len(stack) == 1
    start = start.to(stack[-1].x.dtype)
    kept = saved or [one.forward() for one in stack]
    factors = [one.factors(values) for one, values in zip(stack, kept, strict=True)]
    found, who = _sweep(factors, start, steps, _chosen(backend, stack[-1]))
    cell = "c" if factors[0].beside.k_c is None else "c_tilde"
    return ErrorMap(
        path=lowest.path,
        kind=lowest.kind,
        variant=lowest.variant,
        hidden_size=factors[0].hidden_size,
        T=T,
        B=B,
        at=steps,
        reverse=lowest.reverse,
        lengths=lowest.lengths,
        backend=who,
        norms={"h": found.y} if found.c is None else {"y": found.y, cell: found.c},
        bound=bounds.rnn_bound(factors[0], start, steps) if lowest.kind == "RNN" and is_top else None,
        _factors=factors[0],
        _start=start if is_top else None,
    )


def _stack(passes: Passes, number: int) -> list[LayerPass]:
    """The passes from a lower layer to the top."""
    network = passes.network
    if network.bidirectional:
        raise ValueError(
            "error_map: below the last layer of a bidirectional network every loss reaches every step, "
            f"before and after its own; ask for the last one, {' or '.join(passes.paths()[-2:])}."
        )
    if network.dropout > 0 and network.training:
        raise ValueError(
            "error_map: dropout between the layers is on, and cuts errors at random; call model.eval()."
        )
    return [passes.of(path) for path in passes.paths()[number:]]


def _steps(at: Tensor | list[int] | None, T: int, B: int) -> Tensor:
    given = torch.arange(T) if at is None else torch.as_tensor(at, dtype=torch.int64).flatten()
    steps = torch.tensor(sorted(set(given.tolist())), dtype=torch.int64)
    if not len(steps) or int(steps[0]) < 0 or int(steps[-1]) >= T:
        raise ValueError(f"error_map: at must name steps from 0 to T-1={T - 1}; got {at}.")
    size = 2 * 8 * B * T * len(steps)
    if size > MOST_BYTES:
        raise ValueError(
            f"error_map: {len(steps)} losses of {B} sequences over {T} steps make a map of "
            f"{size / 2**30:.1f} GiB; give fewer steps with at=, or fewer sequences."
        )
    return steps


def _own_part(start: Tensor, top: LayerPass, network: Recurrent) -> Tensor:
    """The direction's part of the errors of the network's output."""
    if network.bidirectional and network.merge != "concat":
        return start / 2 if network.merge == "mean" else start
    H = network.hidden_size
    part: Tensor = start[..., H:] if top.path.endswith(".reverse") else start[..., :H]
    return part


def _chosen(backend: str | None, top: LayerPass) -> str:
    if backend not in (None, "native", "reference"):
        raise ValueError(f"error_map: backend={backend!r} is unknown; available: 'native', 'reference'.")
    return backend or top.backend


def _sweep(factors: list[LocalFactors], start: Tensor, at: Tensor, backend: str) -> tuple[RowNorms, str]:
    if backend == "native" and len(factors) == 1 and native_error_rows.can_compute(factors[0]):
        return native_error_rows.error_rows(factors[0], start, at), "native"
    return error_rows(factors, start, at)[0], "reference"
