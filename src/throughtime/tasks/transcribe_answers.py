"""From probabilities over time to an answer: text, how sure, what was said when, what else it may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from throughtime.data import LogMel, Spelling
from throughtime.data.table import counted
from throughtime.nn.ctc_beam import prefix_beam
from throughtime.nn.ctc_decoding import align, greedy, log_probability
from throughtime.nn.lexicon import Lexicon
from throughtime.tasks.transcribe_settings import TranscribeSettings
from throughtime.tasks.transcribe_words import DecoderName, lexicon_of

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
        confidence: Its probability: the sum over all CTC paths that give it, among all texts, also those that
            a lexicon excludes.
        symbols: On its likeliest path. CTC learns which symbols come in which order, not when: the times
            say where the network wrote them, which may lie off by a tenth of a second.
        alternatives: The likeliest texts with the answer, the likeliest first.
    """

    text: str
    confidence: float
    symbols: tuple[TimedSymbol, ...]
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True)
class Decoding:
    """How probabilities become an answer.

    Attributes:
        decoder: "greedy" takes the likeliest symbol at every step; "beam" the likeliest text; "words" the
            likeliest text of known words.
        symbols: What the numbers mean.
        width: Beginnings that a search keeps.
        words: Those that are known, for "words".
    """

    decoder: DecoderName
    symbols: Spelling
    width: int
    words: tuple[str, ...] = ()

    @cached_property
    def lexicon(self) -> Lexicon | None:
        """The known words as symbols; None where any text may be the answer."""
        return lexicon_of(self.words, self.symbols) if self.decoder == "words" else None

    def best(self, logs: Any) -> tuple[int, ...]:
        """The symbols of the answer to one recording, of which `logs` (T, K) are the probabilities."""
        return greedy(logs) if self.decoder == "greedy" else self.beams(logs)[0]

    def beams(self, logs: Any) -> list[tuple[int, ...]]:
        """The likeliest texts, the likeliest first."""
        return [one.symbols for one in prefix_beam(logs, self.width, cut=SELDOM, lexicon=self.lexicon)]

    @property
    def label(self) -> str:
        """What people read."""
        return {
            "words": "network, known words",
            "beam": "network, beam search",
            "greedy": "network, greedy",
        }[self.decoder]

    @property
    def note(self) -> str:
        """What it does, in a few words."""
        kept, known = f"{self.width} beginnings kept", counted(len(self.words), "known word")
        return {
            "words": f"the likeliest text of {known}, {kept}",
            "beam": f"the likeliest text, {kept}",
            "greedy": "the likeliest symbol at every step",
        }[self.decoder]

    def texts(self, logs: Sequence[Any]) -> list[str]:
        """The answer to each recording."""
        return [self.symbols.text(self.best(one)) for one in logs]


def decodings(settings: TranscribeSettings, symbols: Spelling, words: tuple[str, ...]) -> list[Decoding]:
    """Every way to answer, beginning with the one of known words where there are any."""
    names: tuple[DecoderName, ...] = ("words", "beam", "greedy") if words else ("beam", "greedy")
    return [Decoding(name, symbols, settings.beam_width, words) for name in names]


def answer(logs: Any, decoding: Decoding, mel: LogMel, stack: int) -> Transcript:
    """Everything about the answer to one recording.

    Args:
        logs: Logarithms of the probabilities, (T, K).
        decoding: Which text is the answer.
        mel: Where frames lie in time.
        stack: Frames in a step.
    """
    symbols = decoding.symbols
    beams = decoding.beams(logs)
    chosen = greedy(logs) if decoding.decoder == "greedy" else beams[0]
    likeliest = dict.fromkeys([*beams[:MOST_ALTERNATIVES], chosen])
    exact = {one: math.exp(log_probability(logs, one)) for one in likeliest}
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
