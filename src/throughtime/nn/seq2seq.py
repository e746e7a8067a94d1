"""Networks that read one sequence of symbols and write another: encoder, attention, decoder.

Shapes: S source steps, T target steps, B sequences, K beams, E length of a symbol's vector, V symbols known.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from throughtime.nn.attention import Attention, Memory
from throughtime.nn.dropout import VariationalDropout, WordDropout
from throughtime.nn.lstm import LSTM
from throughtime.nn.rnn import RNN


class Context(NamedTuple):
    """All that a decoder knows before it writes its next symbol.

    Attributes:
        state: Of the recurrent layers, each (L, B·K, ·), the beams of a sequence side by side.
        memory: What attention reads; None without attention.
    """

    state: tuple[Tensor, ...]
    memory: Memory | None

    def chosen(self, beams: Tensor, sequences: Tensor | None = None) -> Context:
        """Go on from some beams of some sequences.

        Args:
            beams: Places in the state, (N,), long.
            sequences: Sequences of the memory that they belong to, long; None: all as they are.
        """
        memory = self.memory
        if memory is not None and sequences is not None:
            memory = memory.rows(sequences)
        return Context(tuple(part.index_select(1, beams) for part in self.state), memory)


class Seq2Seq(nn.Module):
    """Bidirectional encoder, attention, and a decoder that predicts the next target symbol.

    Attention reads the memory after the decoder's recurrent layers and is not fed back into them (Luong et
    al. 2015, 3.1, without input feeding), so that in training the layers run over all target steps in one
    call. The state of the decoder begins as tanh of a linear map of the encoder's last states, layer by
    layer. The vectors of the target symbols are the weights of the output as well (Press and Wolf, Using the
    Output Embedding to Improve Language Models, 2017).

    Args:
        encoder: E inputs, bidirectional.
        decoder: E inputs, as many layers as the encoder.
        attention: Q as the decoder's hidden size, M as the encoder's outputs; None: the decoder knows the
            source by its first state alone.
        sources: Source symbols known.
        targets: V, target symbols known.
        padding: Number of the padding symbol, in both.
        unknown: Number of the unknown symbol, in both.
        begin: Target symbol that the decoder is fed with first.
        dropout: Share of the entries dropped of symbol vectors and of the recurrent layers' outputs, the same
            ones at every step, and before the output layer, others at every step.
        word_dropout: Share of the symbols read that are replaced by the unknown one, in training.
    """

    def __init__(
        self,
        encoder: LSTM | RNN,
        decoder: LSTM | RNN,
        attention: Attention | None,
        *,
        sources: int,
        targets: int,
        padding: int,
        unknown: int,
        begin: int,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.padding, self.begin = padding, begin
        size = decoder.input_size
        self.word_dropout = WordDropout(word_dropout, unknown, padding)
        self.source_vectors = _vectors(sources, encoder.input_size, padding)
        self.target_vectors = _vectors(targets, size, padding)
        self.encoder, self.decoder, self.attention = encoder, decoder, attention
        self.bridge = nn.ModuleList(
            nn.Linear(encoder.num_directions * encoder.state_sizes[name], decoder.state_sizes[name])
            for name in decoder.state_sizes
        )
        read = 0 if attention is None else attention.memory_size
        self.readout = nn.Linear(decoder.hidden_size + read, size)
        self.bias = nn.Parameter(torch.zeros(targets))
        self.dropout = nn.Dropout(dropout)
        self.unit_dropout = VariationalDropout(dropout)

    def forward(self, sources: Tensor, lengths: Tensor | None, targets: Tensor, truth: float = 1.0) -> Tensor:
        """Predict each target symbol from the source and the symbols before it.

        Args:
            sources: (S, B), long.
            lengths: True length of each source, (B,), at least 1; None if all have S.
            targets: (T, B), long, ended by an end symbol, padding behind.
            truth: Share of true symbols among those fed to the decoder, see `mixed`.

        Returns:
            Logits (N, V) of the N target symbols that are no padding, in the order of
            `targets[targets != padding]`.
        """
        context = self.read(sources, lengths)
        given = self.shifted(targets)
        if truth < 1:
            given = self.mixed(given, context, truth)
        features, _, _ = self.decode(given, context)
        return self.logits(features[targets != self.padding])

    def read(self, sources: Tensor, lengths: Tensor | None = None) -> Context:
        """Read the sources (S, B), long: what the decoder begins with, K = 1."""
        x = self._vectors_of(sources, self.source_vectors)
        outputs, state = self.encoder(x, lengths=lengths)
        outputs = self.unit_dropout(outputs)
        memory = None if self.attention is None else self.attention.remember(outputs, lengths)
        ways = self.encoder.num_directions
        first = []
        for bridge, part in zip(self.bridge, _parts(state), strict=True):
            side_by_side = (
                part.reshape(-1, ways, *part.shape[1:]).transpose(1, 2).flatten(2)
            )  # (L, B, ways·size)
            first.append(torch.tanh(bridge(side_by_side)))
        return Context(tuple(first), memory)

    def decode(self, given: Tensor, context: Context) -> tuple[Tensor, Context, Tensor | None]:
        """Run the decoder over symbols that are known beforehand.

        Args:
            given: (T, B), long.
            context: Where to begin, K = 1.

        Returns:
            Features (T, B, E) that `logits` takes, where to go on, and the attention weights (T, B, S), None
            without attention.
        """
        y, context = self._run(given, context)
        return self._features(y, context)

    def step(self, symbols: Tensor, context: Context) -> tuple[Tensor, Context]:
        """One step of several beams for each sequence.

        Args:
            symbols: The last symbol of each beam, (B, K), long.
            context: Where the beams are.

        Returns:
            Logarithm of the probability of each next symbol, (B, K, V), and where the beams are then.
        """
        y, context = self._run(symbols.reshape(1, -1), context)
        beams = y.view(*symbols.shape, -1).transpose(0, 1)  # (K, B, H): attention takes them as steps
        features, context, _ = self._features(beams, context)
        return self.logits(features.transpose(0, 1)).log_softmax(dim=-1), context

    def logits(self, features: Tensor) -> Tensor:
        """Features (..., E) to logits (..., V)."""
        return nn.functional.linear(features, self.target_vectors.weight, self.bias)

    def shifted(self, targets: Tensor) -> Tensor:
        """What the decoder is fed with to predict `targets`: a begin symbol, then all but the last."""
        return torch.cat([torch.full_like(targets[:1], self.begin), targets[:-1]])

    @torch.no_grad()
    def mixed(self, given: Tensor, context: Context, truth: float) -> Tensor:
        """Symbols of which some are replaced by what the network itself would have written there.

        Every symbol after the first stays with probability `truth`, else it becomes the likeliest one by a
        first pass over the true symbols, without gradients: scheduled sampling (Bengio et al. 2015) in two
        passes over all steps at once (Mihaylova and Martins, Scheduled Sampling for Transformers, 2019).
        """
        features, _, _ = self.decode(given, context)
        written = torch.cat([given[:1], self.logits(features[:-1]).argmax(dim=-1)])
        kept = torch.rand(given.shape, device=given.device) < truth
        return torch.where(kept | (given == self.padding), given, written)

    def _vectors_of(self, symbols: Tensor, table: nn.Embedding) -> Tensor:
        """What the recurrent layers are fed with: unit variance at first, (T, B, E)."""
        x: Tensor = self.unit_dropout(table(self.word_dropout(symbols)) * math.sqrt(table.embedding_dim))
        return x

    def _run(self, given: Tensor, context: Context) -> tuple[Tensor, Context]:
        x = self._vectors_of(given, self.target_vectors)
        state: Any = context.state if isinstance(self.decoder, LSTM) else context.state[0]
        y, state = self.decoder(x, state)
        return y, Context(_parts(state), context.memory)

    def _features(self, y: Tensor, context: Context) -> tuple[Tensor, Context, Tensor | None]:
        weights = None
        y = self.unit_dropout(y)
        if self.attention is not None and context.memory is not None:
            found, weights = self.attention(y, context.memory)
            y = torch.cat([y, found], dim=-1)
        return self.dropout(torch.tanh(self.readout(y))), context, weights


def _vectors(symbols: int, size: int, padding: int) -> nn.Embedding:
    made = nn.Embedding(symbols, size, padding_idx=padding)
    with torch.no_grad():
        made.weight.normal_(std=size**-0.5)
        made.weight[padding] = 0
    return made


def _parts(state: Any) -> tuple[Tensor, ...]:
    return state if isinstance(state, tuple) else (state,)
