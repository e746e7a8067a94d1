"""Beam search: the likeliest sequences that a decoder can write, for a batch of sources at once.

Shapes: B sequences, K beams, V symbols known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor


class Place(Protocol):
    """Where a decoder is, for every beam of every sequence of a batch."""

    def chosen(self, beams: Tensor, sequences: Tensor | None = None) -> Self:
        """See `throughtime.nn.seq2seq.Context.chosen`."""


PlaceT = TypeVar("PlaceT", bound=Place)


class Writer(Protocol[PlaceT]):
    """A decoder that goes on by one symbol."""

    def step(self, symbols: Tensor, context: PlaceT) -> tuple[Tensor, PlaceT]:
        """See `throughtime.nn.seq2seq.Seq2Seq.step`."""


@dataclass(frozen=True)
class Hypothesis:
    """A sequence that was found.

    Attributes:
        symbols: Without begin and end.
        log_probability: Of these symbols and the end after them, nats.
        score: By which the search chooses, see `length_factor`.
    """

    symbols: tuple[int, ...]
    log_probability: float
    score: float


@dataclass(frozen=True)
class Rules:
    """What a search is asked for.

    Attributes:
        begin: The symbol fed first.
        end: The symbol that ends a sequence.
        beam: K, sequences that are followed side by side; 1 is greedy search.
        length_penalty: α of `length_factor`; 0 compares log-probabilities, which favours short sequences.
        best: How many sequences are wanted of each source.

    Raises:
        ValueError: a number is out of range, or more sequences are wanted than followed.
    """

    begin: int
    end: int
    beam: int = 5
    length_penalty: float = 1.0
    best: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.best <= self.beam:
            raise ValueError(f"beam_search: best={self.best}, expected 1 to beam={self.beam}.")
        if self.length_penalty < 0:
            raise ValueError(f"beam_search: length_penalty={self.length_penalty}, expected 0 or more.")


def length_factor(length: Tensor, penalty: float) -> Tensor:
    """What log-probabilities are divided by: ((5 + length) / 6)^α, of a length with its end symbol.

    Source: Wu et al., Google's Neural Machine Translation System (2016), equation 14.
    """
    return ((5.0 + length.double()) / 6.0) ** penalty


@torch.inference_mode()
def beam_search(
    writer: Writer[PlaceT], context: PlaceT, longest: Tensor, rules: Rules
) -> list[list[Hypothesis]]:
    """Find the best sequences for each of B sources.

    The beams of a source are its K likeliest unfinished sequences; one that ends leaves its beam for good.
    A source is done when all its beams have ended, or when those that go on cannot beat the `best` found. A
    sequence that reaches its limit is made to end. What is found for a source does not depend on the others
    in the batch.

    Args:
        writer: The decoder.
        context: Where it begins, one beam for each source.
        longest: Limit of each source, symbols with the end, (B,), long, at least 1.
        rules: Beam, symbols, normalisation.

    Returns:
        For each source at most `rules.best` sequences, the best first.

    Raises:
        ValueError: no sequence can be found for a source: the writer gives the end no probability.
    """
    search = _Search(writer, context, longest, rules)
    while len(search.sources):
        search.step()
    for number, found in enumerate(search.found):
        if not found:
            raise ValueError(f"beam_search: source {number}: the decoder gives no sequence a probability.")
    return [sorted(found, key=lambda one: -one.score)[: rules.best] for found in search.found]


class _Search(Generic[PlaceT]):
    """A search under way; its tensors hold the sources that are not done, one row for each."""

    def __init__(self, writer: Writer[PlaceT], context: PlaceT, longest: Tensor, rules: Rules) -> None:
        self.writer, self.rules, self.longest = writer, rules, longest
        shape, device = (len(longest), rules.beam), longest.device
        self.sources = torch.arange(len(longest), device=device)
        self.context = context.chosen(self.sources.repeat_interleave(rules.beam))
        self.scores = torch.full(shape, -torch.inf, dtype=torch.float64, device=device)
        self.scores[:, 0] = 0.0  # all beams are alike at first, so one of them counts
        self.open = torch.full(shape[:1], rules.beam, device=device)  # beams that have not ended
        self.floor = torch.full(shape[:1], -torch.inf, dtype=torch.float64, device=device)
        self.written = torch.full((*shape, 1), rules.begin, device=device)
        self.found: list[list[Hypothesis]] = [[] for _ in longest]

    def step(self) -> None:
        """Write one more symbol on every beam, and take out what is done."""
        logs, context = self.writer.step(self.written[..., -1], self.context)
        values, parents, symbols = self._likeliest(logs.double())
        rank = torch.arange(self.rules.beam, device=values.device)
        going = (rank < self.open[:, None]) & (values > -torch.inf)
        ended = going & (symbols == self.rules.end)
        self.written = torch.cat(
            [self.written.gather(1, parents[..., None].expand_as(self.written)), symbols[..., None]], dim=-1
        )
        self._collect(ended, values)
        self.open = self.open - ended.sum(dim=1)
        self.scores = values.masked_fill(~going | ended, -torch.inf)
        attainable = self.scores.amax(dim=1) / length_factor(self.longest, self.rules.length_penalty)
        self._keep((attainable > self.floor).nonzero().flatten(), context, parents)

    def _likeliest(self, logs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, parents and symbols of the K likeliest ways to go on, each (B, K)."""
        known = logs.shape[-1]
        at_limit = self.longest == self.written.shape[-1]
        no_end = torch.arange(known, device=logs.device) != self.rules.end
        total = self.scores[..., None] + logs
        total = total.masked_fill(at_limit[:, None, None] & no_end, -torch.inf)
        values, places = total.flatten(1).topk(self.rules.beam)
        return values, places // known, places % known

    def _collect(self, ended: Tensor, values: Tensor) -> None:
        """Take down the sequences that have just ended."""
        length = self.written.shape[-1] - 1  # with the end, without the beginning
        factor = float(length_factor(torch.tensor(length), self.rules.length_penalty))
        for row, beam in ended.nonzero().tolist():
            found = self.found[int(self.sources[row])]
            log = float(values[row, beam])
            found.append(Hypothesis(tuple(self.written[row, beam, 1:-1].tolist()), log, log / factor))
            if len(found) >= self.rules.best:
                scores = sorted((one.score for one in found), reverse=True)
                self.floor[row] = scores[self.rules.best - 1]

    def _keep(self, rows: Tensor, context: PlaceT, parents: Tensor) -> None:
        """Go on with some rows alone, each beam from its parent."""
        beams = (rows[:, None] * self.rules.beam + parents[rows]).flatten()
        fewer = len(rows) < len(self.sources)
        self.context = context.chosen(beams, rows if fewer else None)
        if fewer:
            for name in ("sources", "scores", "open", "floor", "written", "longest"):
                setattr(self, name, getattr(self, name)[rows])
