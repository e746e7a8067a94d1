"""What comes in at the door of a recurrent module, checked and turned the library's way round.

Inside, a batch is (T, B, I), time first, with lengths as an integer tensor or None. This file takes
batch-first, unbatched and packed sequences there and back.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

Lengths = Sequence[int] | Tensor


class Sequences(NamedTuple):
    """A batch the library's way round.

    Attributes:
        x: (T, B, I).
        lengths: (B,) integers or None.
        unbatched: Whether one sequence came without a batch dimension.
        packed: The PackedSequence it came as, or None.
    """

    x: Tensor
    lengths: Tensor | None
    unbatched: bool
    packed: PackedSequence | None

    def restore(self, output: Tensor, batch_first: bool) -> Any:
        """Give an output (T, B, ·) the form in which the input came, a tensor or a PackedSequence."""
        if self.packed is not None:
            return _pack_like(self.packed, output, self.lengths)
        if self.unbatched:
            return output.squeeze(1)
        return output.transpose(0, 1) if batch_first else output


def take_in(
    x: Tensor | PackedSequence, lengths: Lengths | None, batch_first: bool, input_size: int, who: str
) -> Sequences:
    """Check an input and turn it into `Sequences`.

    Raises:
        TypeError: x is no tensor, or lengths are no integers.
        ValueError: a shape does not fit, there is no time step, or lengths came with a PackedSequence.
    """
    if isinstance(x, PackedSequence):
        if lengths is not None:
            raise ValueError(f"{who}: a PackedSequence has its lengths in it; leave lengths out.")
        padded, inside = pad_packed_sequence(x)
        _check_input(padded, False, input_size, who)
        return Sequences(padded, inside.to(padded.device), False, x)
    if not isinstance(x, Tensor):
        raise TypeError(f"{who}: x must be a tensor or a PackedSequence, got {type(x).__name__}.")
    _check_input(x, batch_first, input_size, who)
    unbatched = x.dim() == 2
    if unbatched:
        x = x.unsqueeze(1)
    elif batch_first:
        x = x.transpose(0, 1)
    return Sequences(x, _length_tensor(lengths, x, who), unbatched, None)


def _check_input(x: Tensor, batch_first: bool, input_size: int, who: str) -> None:
    if x.dim() not in (2, 3):
        raise ValueError(
            f"{who}: x has {x.dim()} dimensions, expected 3 (a batch) or 2 (one sequence); "
            f"x.shape is {tuple(x.shape)}."
        )
    order = "(T, I)" if x.dim() == 2 else "(B, T, I)" if batch_first else "(T, B, I)"
    shape = f"x.shape is {tuple(x.shape)}, read as {order}"
    if x.shape[-1] != input_size:
        raise ValueError(
            f"{who}: x has last dimension {x.shape[-1]}, expected input_size={input_size}; {shape}."
        )
    if x.shape[1 if x.dim() == 3 and batch_first else 0] == 0:
        raise ValueError(f"{who}: x has no time step (T=0), expected at least one; {shape}.")


def _length_tensor(lengths: Lengths | None, x: Tensor, who: str) -> Tensor | None:
    """Lengths as a tensor (B,). The op checks their range, as it alone may look into a tensor."""
    if lengths is None:
        return None
    if not isinstance(lengths, Tensor):
        if not isinstance(lengths, Sequence):
            raise TypeError(
                f"{who}: lengths must be a list, a tuple or a tensor, got {type(lengths).__name__}."
            )
        lengths = torch.tensor([_integer(k, length, who) for k, length in enumerate(lengths)])
        lengths = lengths.to(torch.int64)
    if lengths.dtype == torch.bool or lengths.is_floating_point() or lengths.is_complex():
        raise TypeError(f"{who}: lengths must be integers, one for each sequence; got {lengths.dtype}.")
    if lengths.shape != (x.shape[1],):
        raise ValueError(
            f"{who}: lengths has shape {tuple(lengths.shape)}, expected ({x.shape[1]},): one for each "
            f"sequence, x has a batch of {x.shape[1]}."
        )
    return lengths.to(x.device)


def _integer(k: int, length: int, who: str) -> int:
    try:
        return operator.index(length)
    except TypeError:
        raise TypeError(
            f"{who}: lengths must be integers, one for each sequence; lengths[{k}] is {length!r}."
        ) from None


def _pack_like(packed: PackedSequence, output: Tensor, lengths: Tensor | None) -> PackedSequence:
    if lengths is None:
        raise AssertionError("a PackedSequence always has lengths")
    if packed.sorted_indices is not None:
        output = output.index_select(1, packed.sorted_indices)
        lengths = lengths.index_select(0, packed.sorted_indices)
    data = pack_padded_sequence(output, lengths.cpu()).data
    return PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
