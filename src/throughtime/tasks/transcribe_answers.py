"""From probabilities over time to an answer: text, how sure, what was said when, what else it may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from throughtime.data import LogMel, Spelling
from throughtime.nn.ctc_decoding import align, greedy, log_probability, prefix_beam

SELDOM = math.log(1e-4)  # the beam search does not try a symbol at a step where it is less likely than this
MOST_ALTERNATIVES = 5


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TimedSymbol(_Record):
    """One symbol of an answer, and from when to when it was heard, in seconds."""

    symbol: str
    start: float
    end: float


class Alternative(_Record):
    """A text that may have been said, and its probability."""

    text: str
    probability: float


class Transcript(_Record):
    """What was said in one recording.

    Attributes:
        text: The answer.
        confidence: Its probability: the sum over all CTC paths that give it.
        symbols: On its likeliest path. CTC learns which symbols come in which order, not when: the times
            say where the network wrote them, which may lie off by a tenth of a second.
        alternatives: The likeliest texts with the answer, the likeliest first.
    """

    text: str
    confidence: float
    symbols: tuple[TimedSymbol, ...]
    alternatives: tuple[Alternative, ...]


def decode(logs: Any, decoder: Literal["beam", "greedy"], width: int) -> tuple[int, ...]:
    """The symbols of a recording, as numbers."""
    if decoder == "greedy":
        return greedy(logs)
    return prefix_beam(logs, width, cut=SELDOM)[0].symbols


def texts_of(
    logs: Sequence[Any], symbols: Spelling, decoder: Literal["beam", "greedy"], width: int
) -> list[str]:
    """The text of each recording."""
    return [symbols.text(decode(one, decoder, width)) for one in logs]


def answer(
    logs: Any,
    symbols: Spelling,
    mel: LogMel,
    *,
    stack: int,
    decoder: Literal["beam", "greedy"],
    width: int,
) -> Transcript:
    """Everything about the answer to one recording.

    Args:
        logs: Logarithms of the probabilities, (T, K).
        symbols: What the numbers mean.
        mel: Where frames lie in time.
        stack: Frames in a step.
        decoder: Which text is the answer.
        width: Of the beam search, which also finds the alternatives.
    """
    chosen = decode(logs, decoder, width)
    beams = [beam.symbols for beam in prefix_beam(logs, width, cut=SELDOM)[:MOST_ALTERNATIVES]]
    exact = {one: math.exp(log_probability(logs, one)) for one in dict.fromkeys([*beams, chosen])}
    found: dict[str, float] = {}
    for one, probability in exact.items():  # texts that differ in blanks between words alone are one
        found[symbols.text(one)] = found.get(symbols.text(one), 0.0) + probability
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return Transcript(
        text=symbols.text(chosen),
        confidence=min(exact[chosen], 1.0),
        symbols=timed(logs, chosen, symbols, mel, stack),
        alternatives=tuple(Alternative(text=text, probability=min(p, 1.0)) for text, p in ordered),
    )


def timed(
    logs: Any, numbers: Sequence[int], symbols: Spelling, mel: LogMel, stack: int
) -> tuple[TimedSymbol, ...]:
    """Each symbol with the time of its steps on the likeliest path."""
    spans = align(logs, numbers).spans * stack * mel.step / mel.rate
    return tuple(
        TimedSymbol(symbol=symbols.names[number], start=round(float(start), 4), end=round(float(end), 4))
        for number, (start, end) in zip(numbers, spans, strict=True)
    )
