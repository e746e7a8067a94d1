"""Beam search held to enumeration of every sequence, to a greedy loop, and to itself in other company."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from throughtime.nn.beam_search import Hypothesis, Rules, beam_search, length_factor

BEGIN, END, KNOWN = 0, 1, 4


class Read(NamedTuple):
    """For every beam which table it belongs to, its steps, and the symbol before its last one."""

    tables: Tensor
    steps: Tensor
    before: Tensor

    def chosen(self, beams: Tensor, sequences: Tensor | None = None) -> Read:
        return Read(self.tables[beams], self.steps[beams], self.before[beams])


class Tables:
    """A decoder whose next symbol depends on the source, the step and the last two symbols."""

    def __init__(self, sources: int, steps: int, seed: int = 0, known: int = KNOWN) -> None:
        torch.manual_seed(seed)
        logits = 2 * torch.randn(sources, steps, known, known, known, dtype=torch.float64)
        logits[..., BEGIN] -= 20  # never written again
        self.logs = logits.log_softmax(dim=-1)

    def start(self, rows: list[int] | None = None) -> Read:
        tables = torch.arange(len(self.logs)) if rows is None else torch.tensor(rows)
        nothing = torch.zeros(len(tables), dtype=torch.long)
        return Read(tables, nothing, nothing + BEGIN)

    def step(self, symbols: Tensor, context: Read) -> tuple[Tensor, Read]:
        last = symbols.flatten()
        logs = self.logs[context.tables, context.steps, context.before, last]
        return logs.view(*symbols.shape, -1), Read(context.tables, context.steps + 1, last)

    def following(self, source: int, written: tuple[int, ...]) -> Tensor:
        """Logarithm of the probability of each symbol after those written."""
        before, last = (BEGIN, BEGIN, *written)[-2:]
        return self.logs[source, len(written), before, last]

    def every(self, source: int, longest: int, penalty: float) -> list[Hypothesis]:
        """All sequences that end within `longest` symbols, the best first."""
        known = [symbol for symbol in range(self.logs.shape[-1]) if symbol != END]
        found = []
        for length in range(longest):
            for written in itertools.product(known, repeat=length):
                ended = (*written, END)
                log = sum(
                    float(self.following(source, ended[:at])[symbol]) for at, symbol in enumerate(ended)
                )
                found.append(Hypothesis(written, log, log / ((5 + length + 1) / 6) ** penalty))
        return sorted(found, key=lambda one: -one.score)

    def plainly(self, source: int, longest: int, rules: Rules) -> list[Hypothesis]:
        """Beam search for one source as a textbook has it: an ended sequence takes its beam with it."""
        beams, found = [((), 0.0)], []
        while beams:
            ways = [
                ((*written, symbol), log + float(more))
                for written, log in beams
                for symbol, more in enumerate(self.following(source, written))
                if symbol == END or len(written) + 1 < longest
            ]
            best = sorted(ways, key=lambda way: -way[1])[: rules.beam - len(found)]
            for written, log in best:
                if written[-1] == END:
                    score = log / ((5 + len(written)) / 6) ** rules.length_penalty
                    found.append(Hypothesis(written[:-1], log, score))
            beams = [way for way in best if way[0][-1] != END]
        return sorted(found, key=lambda one: -one.score)[: rules.best]


def check(found: list[Hypothesis], expected: list[Hypothesis]) -> None:
    assert [one.symbols for one in found] == [one.symbols for one in expected]
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.log_probability == pytest.approx(theirs.log_probability, rel=1e-12)
        assert mine.score == pytest.approx(theirs.score, rel=1e-12)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.5])
@pytest.mark.parametrize("best", [1, 7])
def test_with_every_beam_it_finds_the_best_of_all(penalty: float, best: int) -> None:
    writer = Tables(sources=4, steps=5)
    longest = torch.tensor([5, 4, 1, 3])
    rules = Rules(BEGIN, END, beam=400, length_penalty=penalty, best=best)
    for source, found in enumerate(beam_search(writer, writer.start(), longest, rules)):
        expected = writer.every(source, int(longest[source]), penalty)
        check(found, expected[:best])


def greedy(writer: Tables, source: int, longest: int) -> tuple[int, ...]:
    written: tuple[int, ...] = ()
    while len(written) < longest - 1:
        symbol = int(writer.following(source, written).argmax())
        if symbol == END:
            break
        written += (symbol,)
    return written


def test_one_beam_is_greedy() -> None:
    writer = Tables(sources=60, steps=8, seed=3)
    longest = torch.arange(60) % 8 + 1
    found = beam_search(writer, writer.start(), longest, Rules(BEGIN, END, beam=1))
    for source, (one,) in enumerate(found):
        assert one.symbols == greedy(writer, source, int(longest[source]))


@pytest.mark.parametrize("beam", [2, 3, 5])
def test_it_is_the_plain_search_of_one_source(beam: int) -> None:
    writer = Tables(sources=25, steps=7, seed=7, known=5)
    longest = torch.arange(25) % 7 + 1
    rules = Rules(BEGIN, END, beam=beam, length_penalty=0.8, best=min(beam, 2))
    for source, found in enumerate(beam_search(writer, writer.start(), longest, rules)):
        check(found, writer.plainly(source, int(longest[source]), rules))


@pytest.mark.parametrize("beam", [1, 2, 3])
def test_a_source_is_answered_the_same_in_any_company(beam: int) -> None:
    writer = Tables(sources=30, steps=9, seed=5, known=6)
    longest = torch.arange(30) % 9 + 1
    rules = Rules(BEGIN, END, beam=beam, best=beam)
    together = beam_search(writer, writer.start(), longest, rules)
    for source in range(30):
        alone = beam_search(writer, writer.start([source]), longest[source : source + 1], rules)
        check(alone[0], together[source])


def test_more_beams_find_what_a_greedy_search_misses() -> None:
    """The likeliest first symbol leads to poor endings."""
    writer = Tables(1, 3)
    writer.logs[0, 0, BEGIN, BEGIN] = torch.tensor([1e-9, 1e-9, 0.6, 0.4]).log()
    writer.logs[0, 1, BEGIN, 2] = torch.tensor([1e-9, 0.4, 0.3, 0.3]).log()
    writer.logs[0, 1, BEGIN, 3] = torch.tensor([1e-9, 0.98, 0.01, 0.01]).log()
    longest = torch.tensor([3])
    for beam, expected in ((1, (2,)), (2, (3,))):
        rules = Rules(BEGIN, END, beam=beam, length_penalty=0.0)
        assert beam_search(writer, writer.start(), longest, rules)[0][0].symbols == expected


def test_a_length_penalty_favours_longer_sequences() -> None:
    assert float(length_factor(torch.tensor(1), 1.3)) == 1
    assert float(length_factor(torch.tensor(7), 1.0)) == 2
    writer = Tables(sources=40, steps=6, seed=9)
    longest = torch.full((40,), 6)
    lengths = [
        sum(
            len(found[0].symbols)
            for found in beam_search(writer, writer.start(), longest, Rules(BEGIN, END, 50, penalty))
        )
        for penalty in (0.0, 1.0, 3.0)
    ]
    assert lengths[0] < lengths[1] < lengths[2]


def test_it_stops_when_nothing_better_can_come() -> None:
    """An end of probability 0.99 at the first step leaves nothing to look for."""
    writer = Tables(1, 50)
    writer.logs[0] = torch.tensor([1e-12, 0.99, 0.005, 0.005]).log()
    steps = []
    step = writer.step
    writer.step = lambda symbols, context: (steps.append(1), step(symbols, context))[1]  # type: ignore[method-assign]
    beam_search(writer, writer.start(), torch.tensor([50]), Rules(BEGIN, END, 4, length_penalty=0.0))
    assert len(steps) == 1


def test_what_cannot_be_searched_is_refused() -> None:
    with pytest.raises(ValueError, match="best=3, expected 1 to beam=2"):
        Rules(BEGIN, END, beam=2, best=3)
    with pytest.raises(ValueError, match="length_penalty=-1"):
        Rules(BEGIN, END, length_penalty=-1)
    writer = Tables(2, 3)
    writer.logs[1, ..., END] = -torch.inf
    with pytest.raises(ValueError, match="source 1: the decoder gives no sequence a probability"):
        beam_search(writer, writer.start(), torch.tensor([3, 3]), Rules(BEGIN, END, beam=2))
