"""Dropout for sequences: of whole words, and of the same units at every time step."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class WordDropout(nn.Module):
    """In training, replaces words by another symbol, such as the one for unknown words.

    The network so meets the unknown word, and cannot lean on single rare ones.

    Args:
        share: Probability with which a word is replaced.
        replacement: The symbol put in its place.
        kept: The symbol that is never replaced: padding.
    """

    def __init__(self, share: float, replacement: int, kept: int) -> None:
        super().__init__()
        self.share, self.replacement, self.kept = share, replacement, kept

    def forward(self, symbols: Tensor) -> Tensor:
        """Symbols (T, B), long, to the same with some replaced."""
        if not self.training or self.share == 0:
            return symbols
        drawn = torch.rand(symbols.shape, device=symbols.device) < self.share
        return symbols.masked_fill(drawn & (symbols != self.kept), self.replacement)


class VariationalDropout(nn.Module):
    """In training, drops the same units at every time step of a sequence.

    Source: Gal and Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural
    Networks (2016).

    Args:
        share: Probability with which a unit is dropped.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Values (T, B, H) to the same with units at 0, the rest scaled so that the mean stays."""
        return drop_units(x, self.share, self.training)


def drop_units(x: Tensor, share: float, training: bool) -> Tensor:
    """Values (T, B, H) with the same units dropped at every time step; see `VariationalDropout`."""
    if not training or share == 0:
        return x
    return x * functional.dropout(x.new_ones(1, *x.shape[1:]), share)
