"""Networks that read a sequence of words and tag each of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from throughtime.nn.characters import CharacterCNN
from throughtime.nn.crf import CRF, CRFScores
from throughtime.nn.dropout import VariationalDropout, WordDropout
from throughtime.nn.lstm import LSTM
from throughtime.nn.rnn import RNN

WORD, SHAPE, FIXED, CHARACTERS = 0, 1, 2, 3  # columns of the input; the characters fill the rest


class TagNetwork(nn.Module):
    """Word vectors, characters and shape of each word, recurrent layers, a linear head, and a CRF.

    Source: Lample et al., Neural Architectures for Named Entity Recognition (2016); Ma and Hovy,
    End-to-end Sequence Labeling via Bi-directional LSTM-CNNs-CRF (2016).

    Args:
        vectors: What the word vectors start from, (V, E). The row of padding stays zero.
        characters: Reads the characters of a word.
        shapes: How many shapes of words there are, padding among them.
        shape_size: Length of a shape's vector.
        recurrent: A `throughtime.nn.RNN` or `LSTM`, time first, with `input_size` the lengths of all vectors
            together.
        crf: Scores of the transitions between the K tags.
        tags: K.
        padding: Number of the padding symbol.
        unknown: Number of the unknown word.
        dropout: Share of the recurrent outputs dropped before the head, the same ones at every step.
        input_dropout: Share of the inputs' entries dropped, the same ones at every step.
        word_dropout: Share of the words replaced by the unknown word; their characters stay.
    """

    def __init__(
        self,
        vectors: Tensor,
        characters: CharacterCNN,
        shapes: int,
        shape_size: int,
        recurrent: LSTM | RNN,
        crf: CRF,
        *,
        tags: int,
        padding: int,
        unknown: int,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        word_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.word_dropout = WordDropout(word_dropout, unknown, padding)
        self.embedding = nn.Embedding(vectors.shape[0], vectors.shape[1], padding_idx=padding)
        with torch.no_grad():
            self.embedding.weight.copy_(vectors)
            self.embedding.weight[padding] = 0
        self.characters = characters
        self.shape = nn.Embedding(shapes, shape_size, padding_idx=padding)
        self.input_dropout = VariationalDropout(input_dropout)
        self.recurrent = recurrent
        self.dropout = VariationalDropout(dropout)
        self.head = nn.Linear(recurrent.num_directions * recurrent.hidden_size, tags)
        self.crf = crf

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, fixed: Tensor | None = None
    ) -> tuple[Tensor, CRFScores]:
        """Score every tag at every step.

        Args:
            x: (T, B, 3 + C), long: number of the word, its shape, its number among the fixed vectors, and its
                characters.
            lengths: True length of each sequence, (B,), at least 1; None if all have T.
            fixed: Vectors that are not learnt, (T, B, F), or None.

        Returns:
            Scores of the tags, (T, B, K), and of their transitions.
        """
        parts = [
            self.embedding(self.word_dropout(x[..., WORD])),
            self.characters(x[..., CHARACTERS:]),
            self.shape(x[..., SHAPE]),
        ]
        if fixed is not None:
            parts.append(fixed)
        y, _ = self.recurrent(self.input_dropout(torch.cat(parts, dim=-1)), lengths=lengths)
        return self.head(self.dropout(y)), self.crf()


class TagEnsemble(nn.Module):
    """Tagging networks that learn side by side, each with its own weights, dropout and CRF.

    Their scores are averaged, and so are their transitions: one chain, whose probabilities are the geometric
    mean of the members', made to add up to 1.

    Args:
        members: Networks of the same tags.
        vectors: Vectors that are not learnt and shared by all, (V, F), row 0 for words without one; or None.
    """

    def __init__(self, members: Sequence[TagNetwork], vectors: Tensor | None = None) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.vectors: Tensor | None
        self.register_buffer("vectors", vectors)

    def some(self, which: slice) -> TagEnsemble:
        """An ensemble of some of the members, the same ones."""
        return TagEnsemble([*self.members][which], self.vectors)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, CRFScores]:
        """Scores of every member, (T, M, B, K), and its transitions, (M, K, K), start and end (M, K)."""
        fixed = None if self.vectors is None else self.vectors[x[..., FIXED]]
        scores, chains = zip(*(member(x, lengths, fixed) for member in self.members), strict=True)
        return torch.stack(scores, dim=1), CRFScores(*map(torch.stack, zip(*chains, strict=True)))


def averaged(scores: Tensor, crf: CRFScores) -> tuple[Tensor, CRFScores]:
    """The members as one chain: (T, M, B, K) to (T, B, K), and their transitions likewise."""
    return scores.mean(dim=1), CRFScores(*(part.mean(dim=0) for part in crf))
