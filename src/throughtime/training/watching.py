"""What each module puts out, and the errors at each recurrent module, while a block runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from throughtime.nn.recurrent import Layer

RECURRENT = (nn.RNNBase, Layer)  # whose forward takes whole sequences: torch's networks, layers of ours


@dataclass
class Call:
    """One forward of one module.

    Attributes:
        name: The module's name within the model.
        recurrent: It reads whole sequences.
        both_ways: It is bidirectional.
        time_dim: Along which dimension time runs in its input and output.
        steps: Time steps of its output; None if that does not run along time.
        first: Time step its output starts at.
        output: What it put out.
        errors_at_output: d_loss / d_output, once known.
        errors_at_input: d_loss / d_input, once known.
    """

    name: str
    recurrent: bool
    both_ways: bool
    time_dim: int = 0
    steps: int | None = None
    first: int = 0
    output: Tensor | None = None
    errors_at_output: list[Tensor] = field(default_factory=list)
    errors_at_input: list[Tensor] = field(default_factory=list)

    def bad_steps(self, tensor: Tensor) -> list[int]:
        """Time steps at which `tensor` is not finite, in order."""
        rows = ~torch.isfinite(tensor.detach()).movedim(self.time_dim, 0).flatten(1)
        return [self.first + step for step in rows.any(1).nonzero().flatten().tolist()]


@contextlib.contextmanager
def watching(model: nn.Module, steps: int) -> Iterator[list[Call]]:
    """Note each module's calls, in the order in which they finish.

    Args:
        model: Watched with all its parts.
        steps: Time steps of the sequence. A module called several times over as many steps
            together is taken to be led along it piece by piece.
    """
    watch = _Watch(steps)
    with contextlib.ExitStack() as stack:
        for name, module in model.named_modules():
            call = partial(_new_call, name or type(module).__name__, module)
            before = module.register_forward_pre_hook(partial(watch.before, call))
            after = module.register_forward_hook(watch.after)
            stack.callback(before.remove)
            stack.callback(after.remove)
        yield watch.calls


def _new_call(name: str, module: nn.Module) -> Call:
    both_ways = getattr(module, "bidirectional", False) or getattr(module, "reverse", None) is not None
    return Call(name, isinstance(module, RECURRENT), bool(both_ways))


class _Watch:
    def __init__(self, steps: int) -> None:
        self.calls: list[Call] = []
        self._steps = steps
        self._open: list[Call] = []
        self._led: dict[str, int] = {}

    def before(self, new_call: Callable[[], Call], module: nn.Module, args: tuple[Any, ...]) -> Any:
        """Open a call; make the error at a recurrent module's input known."""
        call = new_call()
        self._open.append(call)
        if not call.recurrent or not args:
            return None
        given = args[0]
        packed = isinstance(given, PackedSequence)
        batch_first = bool(getattr(module, "batch_first", False))
        call.time_dim = int(batch_first and (packed or given.dim() > 2))
        if not torch.is_grad_enabled():
            return None
        values: Tensor = given.data if packed else given
        values = values if values.requires_grad else values.detach().requires_grad_()
        if packed:
            given = given._replace(data=values)
            _on_error(values, partial(_note_packed, call, given))
        else:
            given = values
            _on_error(values, call.errors_at_input.append)
        return (given, *args[1:])

    def after(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        """Close the call; keep what it put out, and make the error there known."""
        call = self._open.pop()
        call.output = _values(output, call.time_dim)
        self.calls.append(call)
        if call.output is None:
            return
        if call.recurrent or call.output.shape[:1] == (self._steps,):
            self._place(call, call.output)
        if call.recurrent and call.output.requires_grad:
            _on_error(call.output, call.errors_at_output.append)

    def _place(self, call: Call, output: Tensor) -> None:
        call.steps = output.shape[call.time_dim]
        led = self._led.get(call.name, 0)
        call.first = led if led + call.steps <= self._steps else 0
        self._led[call.name] = led + call.steps


def _on_error(tensor: Tensor, note: Callable[[Tensor], None]) -> None:
    tensor.register_hook(note)  # type: ignore[no-untyped-call]


def _note_packed(call: Call, packed: PackedSequence, error: Tensor) -> None:
    call.errors_at_input.append(pad_packed_sequence(packed._replace(data=error), bool(call.time_dim))[0])


def _values(output: Any, time_dim: int) -> Tensor | None:
    """The tensor to look at in what a module returned: itself, or the first of a tuple."""
    if isinstance(output, PackedSequence):
        return pad_packed_sequence(output, batch_first=bool(time_dim))[0]
    if isinstance(output, tuple) and output:
        return _values(output[0], time_dim)
    return output if isinstance(output, Tensor) and output.is_floating_point() else None
