"""A word as its characters: convolutions over them, and the largest value of each filter."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class CharacterCNN(nn.Module):
    """Vectors of words from their characters, so that a word never seen before says something.

    Filters of several widths run over the vectors of the characters, with `width // 2` blanks at either end,
    and the largest value of each over the word is kept.

    Source: Kim, Jernite, Sontag and Rush, Character-Aware Neural Language Models (2016); Ma and Hovy,
    End-to-end Sequence Labeling via Bi-directional LSTM-CNNs-CRF (2016).

    Args:
        characters: How many there are, padding and the unknown one among them.
        size: Length of a character's vector.
        filters: Filters of each width.
        widths: Characters under a filter, odd.
        padding: Number of the padding symbol.
        dropout: Share of the characters' values dropped in training.
    """

    def __init__(
        self,
        characters: int,
        size: int,
        filters: int,
        widths: Sequence[int],
        *,
        padding: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.padding = padding
        self.embedding = nn.Embedding(characters, size, padding_idx=padding)
        with torch.no_grad():
            self.embedding.weight.mul_(0.3)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(size, filters, width, padding=width // 2) for width in widths
        )
        self.dropout = nn.Dropout(dropout)
        self.output_size = filters * len(widths)

    def forward(self, characters: Tensor) -> Tensor:
        """Judge words by their characters.

        Args:
            characters: (..., C), long, padding behind each word.

        Returns:
            (..., output_size), at least 0; 0 where there is no character at all.
        """
        lead = characters.shape[:-1]
        flat = characters.reshape(-1, characters.shape[-1])  # (N, C)
        flat = flat[:, : max(1, int((flat != self.padding).sum(dim=1).max())) if len(flat) else 1]
        x = self.dropout(self.embedding(flat)).transpose(1, 2)  # (N, size, C)
        gone = (flat == self.padding)[:, None, :]
        found = [functional.relu(one(x)).masked_fill(gone, 0).amax(dim=2) for one in self.convolutions]
        return torch.cat(found, dim=-1).reshape(*lead, self.output_size)
