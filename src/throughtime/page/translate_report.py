"""What the page of a trained translator is made of, and the page itself.

The task fills a `TranslateReport`; `render_translate_report` turns it into one HTML file.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, model_validator

from throughtime.page.fit_report import SHELL, FitReport, render_fit_report, time_to_fit
from throughtime.page.parts import Number, Part, plain
from throughtime.page.words import SPACE, Figure, Verdict, number

_MODULES = (*SHELL, "attention.js", "translate.js")

Rows = Annotated[tuple[tuple[float, ...], ...], BeforeValidator(plain)]


class Figures(Part):
    """Figures over one part: BLEU and chrF from 0 to 100, words written over words of the references."""

    bleu: Number
    chrf: Number
    length_ratio: Number


class Score(Part):
    """One method measured: `name` is its key everywhere, `label` what people read, `note` a few words."""

    name: str
    label: str
    kind: Literal["network", "baseline"]
    note: str = ""
    validation: Figures
    test: Figures


class LengthFigures(Part):
    """Test sentences whose sources have `shortest` to `longest` words."""

    shortest: int
    longest: int
    sentences: int
    bleu: Number
    chrf: Number


class PartOfData(Part):
    """One part of the data: its name, pairs, and words of both sides."""

    part: str
    pairs: int
    source_words: int
    target_words: int


class Sentence(Part):
    """One test sentence, its translation, and where the decoder looked.

    Attributes:
        group: Why it is shown.
        source: What was read.
        found: The translation.
        reference: What a person wrote.
        chrf: Of `found` against `reference`, 0 to 100.
        read: Pieces of the source, S.
        written: Pieces of the translation, T.
        weights: Attention, (T, S), rows add up to 1; empty without attention.

    Raises:
        pydantic.ValidationError: `weights` is neither empty nor of that shape.
    """

    group: str
    source: str
    found: str
    reference: str
    chrf: Number
    read: tuple[str, ...]
    written: tuple[str, ...]
    weights: Rows = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        rows, columns = len(self.written), len(self.read)
        if self.weights and (len(self.weights) != rows or any(len(row) != columns for row in self.weights)):
            raise ValueError(f"Sentence: weights is not {rows} rows of {columns}")
        return self


class TranslateReport(FitReport):
    """Everything the page shows.

    Raises:
        pydantic.ValidationError: a field is missing, or there is not exactly one score of kind "network".
    """

    source: str
    parts: tuple[PartOfData, ...]
    pieces: tuple[int, int]
    scores: tuple[Score, ...]
    perplexity: Number
    signatures: dict[str, str]
    by_length: tuple[LengthFigures, ...] = ()
    sentences: tuple[Sentence, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if sum(score.kind == "network" for score in self.scores) != 1:
            raise ValueError("TranslateReport: expected one score of kind 'network'")
        return self


def render_translate_report(report: TranslateReport) -> str:
    """The whole page as HTML text, to be written as UTF-8."""
    return render_fit_report(report, translate_verdict(report), _MODULES, styles=("translate.css",))


def translate_verdict(report: TranslateReport) -> Verdict:
    """What a reader must know first."""
    network = next(score for score in report.scores if score.kind == "network")
    baselines = [score for score in report.scores if score.kind == "baseline"]
    best = max(baselines, key=lambda score: score.test.bleu, default=None)
    tested = sum(group.sentences for group in report.by_length)
    figures = [Figure("BLEU on test", f"{network.test.bleu:.1f}", "", f"{tested:,} test sentences")]
    if best is not None:
        figures.append(Figure("Best baseline", f"{best.test.bleu:.1f}", "BLEU", best.label))
    figures.append(Figure("Perplexity", number(report.perplexity), "", "of the true pieces of the test part"))
    figures.append(time_to_fit(report))
    against = "" if best is None else f"; the best baseline has {best.test.bleu:.1f}"
    return Verdict(
        headline=f"The translations have {network.test.bleu:.1f} BLEU on the test part{against}.",
        detail=_length(network),
        figures=tuple(figures),
    )


def _length(network: Score) -> str:
    percent = f"{100 * network.test.length_ratio:.0f}{SPACE}%"
    return f"They have {percent} of the words of the references."
