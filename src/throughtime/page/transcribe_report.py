"""What the page of a trained transcriber is made of, and the page itself.

The task fills a `TranscribeReport`; `render_transcribe_report` turns it into one HTML file.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from throughtime.page.fit_report import SHELL, FitReport, render_fit_report, time_to_fit
from throughtime.page.parts import Number, Part
from throughtime.page.words import SPACE, Figure, Verdict, number

_MODULES = (*SHELL, "heat.js", "listen.js", "speech.js", "transcribe.js")


class Figures(Part):
    """Figures over one part: word and character error rate, share of recordings that are all right."""

    wer: Number
    cer: Number
    sentences: Number


class Method(Part):
    """One method measured: `label` is what people read, `note` a few words."""

    name: str
    label: str
    kind: Literal["network", "baseline"]
    note: str = ""
    validation: Figures
    test: Figures


class Confusion(Part):
    """A word said and what was answered; "" for a word left out, or one that was not said."""

    said: str
    answered: str
    count: int


class PartOfData(Part):
    """One part of the data: its name, how many recordings, seconds and words."""

    part: str
    recordings: int
    seconds: Number
    words: int


class Written(Part):
    """One symbol on the likeliest path, and its first and last (exclusive) step."""

    symbol: str
    start: int
    end: int


class Listened(Part):
    """One test recording as the network heard it.

    Attributes:
        group: Why it is shown.
        name: Of its file.
        words: Said and answered side by side; "" where one side has none.
        confidence: Probability of the answer.
        seconds: How long it lasts.
        spectrogram: Power in each band over time, 0 to 99, the highest band first, (I, T).
        symbols: Names of the rows of `posterior`, the blank first.
        posterior: Probability of each symbol over time, percent, (K, T').
        step: Seconds from step to step.
        path: Symbols on the likeliest path of the answer.
        sound: A WAV file in base64, or None where it is too long to stand in the page.
    """

    group: str
    name: str
    words: tuple[tuple[str, str], ...]
    confidence: Number
    seconds: Number
    spectrogram: tuple[tuple[int, ...], ...]
    symbols: tuple[str, ...]
    posterior: tuple[tuple[int, ...], ...]
    step: Number
    path: tuple[Written, ...]
    sound: str | None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if len(self.posterior) != len(self.symbols):
            raise ValueError(f"Listened: {len(self.posterior)} rows for {len(self.symbols)} symbols")
        for rows in (self.spectrogram, self.posterior):
            if not rows or len({len(row) for row in rows}) != 1:
                raise ValueError("Listened: rows of different length, or none")
        return self


class TranscribeReport(FitReport):
    """Everything the page shows.

    Attributes:
        highest: Highest frequency of the spectrograms, Hz.
        methods: The decoder that answers first.

    Raises:
        pydantic.ValidationError: a field is missing, or no method is of kind "network".
    """

    source: str
    parts: tuple[PartOfData, ...]
    symbols: tuple[str, ...]
    highest: Number
    methods: tuple[Method, ...]
    confidence: Number
    confusions: tuple[Confusion, ...] = ()
    recordings: tuple[Listened, ...] = ()

    @model_validator(mode="after")
    def _has_a_network(self) -> Self:
        if not any(method.kind == "network" for method in self.methods):
            raise ValueError("TranscribeReport: expected a method of kind 'network'; the first answers")
        return self


def render_transcribe_report(report: TranscribeReport) -> str:
    """The whole page as HTML text, to be written as UTF-8."""
    words = transcribe_verdict(report)
    return render_fit_report(report, words, _MODULES, styles=("heat.css", "listen.css"), sound=True)


def transcribe_verdict(report: TranscribeReport) -> Verdict:
    """What a reader must know first."""
    network = next(method for method in report.methods if method.kind == "network")
    baselines = [method for method in report.methods if method.kind == "baseline"]
    best = min(baselines, key=lambda method: method.test.wer, default=None)
    test = next((part for part in report.parts if part.part == "test"), None)
    words = f"{test.words:,} test words" if test else network.label
    figures = [Figure("Word error rate", _percent(network.test.wer), "%", words)]
    if best is not None:
        figures.append(Figure("Best baseline", _percent(best.test.wer), "%", best.label))
    figures.append(Figure("All right", f"{100 * network.test.sentences:.1f}", "%", "of the test recordings"))
    figures.append(time_to_fit(report))
    against = "" if best is None else f"; the best baseline gets {_percent(best.test.wer)}{SPACE}% wrong"
    return Verdict(
        headline=f"{_percent(network.test.wer)}{SPACE}% of the test words are wrong{against}.",
        detail=(
            f"On average it is {100 * report.confidence:.1f}{SPACE}% sure of a whole answer, and "
            f"{100 * network.test.sentences:.1f}{SPACE}% of them are right."
        ),
        figures=tuple(figures),
    )


def _percent(share: float) -> str:
    return number(100 * share, 3) if share >= 0.001 or share == 0 else f"{100 * share:.2f}"
