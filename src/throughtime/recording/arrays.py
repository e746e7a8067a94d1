"""The arrays of a recording: views of what the layers computed with, made when they are read.

A layer keeps its gates side by side in one buffer, and the backward needs that buffer too. A recording
therefore holds no copies: each name is a range of columns of such a buffer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from throughtime.ops.padding import Padding, cleared

ALL: Final = (0, None)


@dataclass(frozen=True)
class Array:
    """One recorded array.

    Attributes:
        tensor: Where it is, (T, B, ·).
        columns: Which part of the last dimension: the first column, and the one after the last.
        complement: Whether the array is 1 minus what stands there (the forget gate of CIFG).
        version: Number of in-place changes of `tensor` when it was recorded; None where torch counts none.
    """

    tensor: Tensor
    columns: tuple[int, int | None] = ALL
    complement: bool = False
    version: int | None = None

    @classmethod
    def of(cls, tensor: Tensor, columns: tuple[int, int | None] = ALL, *, complement: bool = False) -> Array:
        """An array that watches over in-place changes."""
        version = None if tensor.is_inference() else tensor._version
        own = tensor.detach() if tensor.requires_grad else tensor
        return cls(own, columns, complement, version)

    def read(self, name: str, pad: Padding | None) -> Tensor:
        """The array, zero at padded steps.

        Raises:
            ValueError: the tensor was changed in place since it was recorded.
        """
        if self.version is not None and self.tensor._version != self.version:
            raise ValueError(
                f"recording: {name!r} was changed in place after it was recorded (an operation such as add_ "
                "or relu_ on the input or output of the layer); use the operation that makes a new tensor."
            )
        value = self._part()
        return cleared(1 - value if self.complement else value, pad)

    def _part(self) -> Tensor:
        return self.tensor[..., slice(*self.columns)]

    def alone(self) -> Array:
        """The same with memory of its own, for when the rest of its buffer is not wanted."""
        return Array.of(self._part().clone(), complement=self.complement)

    @property
    def nbytes(self) -> int:
        """Size of what `read` gives, in bytes."""
        return self._part().numel() * self.tensor.element_size()


class Arrays(Mapping[str, Tensor]):
    """Arrays by name, each made when it is read."""

    def __init__(self, arrays: Mapping[str, Array], pad: Padding | None = None) -> None:
        self._arrays, self._pad = dict(arrays), pad

    def __getitem__(self, name: str) -> Tensor:
        return self._arrays[name].read(name, self._pad)

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    def __repr__(self) -> str:
        return f"Arrays({', '.join(self._arrays)})"


class JoinedArrays(Mapping[str, Tensor]):
    """The arrays of passes that follow each other, joined along time when they are read."""

    def __init__(self, parts: tuple[Mapping[str, Tensor], ...]) -> None:
        self._parts = parts

    def __getitem__(self, name: str) -> Tensor:
        if name not in self:
            raise KeyError(name)
        return torch.cat([part[name] for part in self._parts])

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._parts[0] if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return all(name in part for part in self._parts)

    def __repr__(self) -> str:
        return f"JoinedArrays({', '.join(self)})"
