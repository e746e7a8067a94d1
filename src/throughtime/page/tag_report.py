"""What the page of a trained tagger is made of, and the page itself.

The task fills a `TagReport`; `render_tag_report` turns it into one HTML file.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from throughtime.page.fit_report import SHELL, FitReport, render_fit_report, time_to_fit
from throughtime.page.parts import MaybeNumber, Number, Part
from throughtime.page.words import SPACE, Figure, Verdict, number

_MODULES = (*SHELL, "tags.js", "tag.js")


class Figures(Part):
    """Figures over one part, shares in [0, 1]."""

    precision: Number
    recall: Number
    f1: Number
    surface_f1: Number


class Score(Part):
    """One method measured: `name` is its key everywhere, `label` what people read, `note` a few words."""

    name: str
    label: str
    kind: Literal["network", "baseline"]
    note: str = ""
    validation: Figures
    test: Figures


class ClassFigures(Part):
    """One class on the test part: how many spans are true, were found, and are right."""

    label: str
    precision: Number
    recall: Number
    f1: Number
    true: int
    found: int
    right: int


class Outcomes(Part):
    """What became of the true spans of the test part, and how many were invented."""

    right: int
    other_class: int
    other_borders: int
    missed: int
    invented: int


class Bin(Part):
    """Spans found of about the same confidence: its mean, the share that is right, how many."""

    confidence: Number
    right: Number
    spans: int


class Mark(Part):
    """Tokens `start` to `stop` (exclusive) that are a span, and the probability given to it."""

    start: int
    stop: int
    label: str
    confidence: Number


class Example(Part):
    """One test sentence with its true spans and those that were found."""

    tokens: tuple[str, ...]
    truth: tuple[Mark, ...]
    found: tuple[Mark, ...]


class Group(Part):
    """Examples that show the same: a heading and a sentence for them."""

    title: str
    text: str
    examples: tuple[Example, ...]


class PartOfData(Part):
    """One part of the data: its name, sentences, tokens, and spans of each class, in their order."""

    part: str
    sentences: int
    tokens: int
    spans: tuple[int, ...]


class Transitions(Part):
    """Scores of the CRF: from each row to each column; None where it is not allowed."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    scores: tuple[tuple[MaybeNumber, ...], ...]


class TagReport(FitReport):
    """Everything the page shows.

    Raises:
        pydantic.ValidationError: a field is missing, a matrix has another shape than its names, or there is
            not exactly one score of kind "network".
    """

    source: str
    classes: tuple[str, ...]
    parts: tuple[PartOfData, ...]
    words: int
    known: Number
    scores: tuple[Score, ...]
    per_class: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]
    outcomes: Outcomes
    calibration: tuple[Bin, ...]
    calibration_error: Number
    offset: Number
    transitions: Transitions
    groups: tuple[Group, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        size = len(self.classes) + 1
        if len(self.confusion) != size or any(len(row) != size for row in self.confusion):
            raise ValueError(f"TagReport: confusion is not {size} rows of {size} counts")
        table = self.transitions
        if len(table.scores) != len(table.rows) or any(
            len(row) != len(table.columns) for row in table.scores
        ):
            raise ValueError("TagReport: transitions have another shape than their names")
        if sum(score.kind == "network" for score in self.scores) != 1:
            raise ValueError("TagReport: expected one score of kind 'network'")
        return self


def render_tag_report(report: TagReport) -> str:
    """The whole page as HTML text, to be written as UTF-8."""
    return render_fit_report(report, tag_verdict(report), _MODULES, styles=("classify.css", "tag.css"))


def tag_verdict(report: TagReport) -> Verdict:
    """What a reader must know first."""
    network = next(score for score in report.scores if score.kind == "network")
    baselines = [score for score in report.scores if score.kind == "baseline"]
    best = max(baselines, key=lambda score: score.test.f1, default=None)
    counts = report.outcomes
    true = counts.right + counts.other_class + counts.other_borders + counts.missed
    figures = [Figure("Span F1 on test", f"{100 * network.test.f1:.1f}", "%", f"{true:,} true spans")]
    if best is not None:
        figures.append(Figure("Best baseline", f"{100 * best.test.f1:.1f}", "%", best.label))
    known = f"{100 * report.known:.0f}"
    figures.append(Figure("Known words", known, "%", "of the test tokens occur in training"))
    figures.append(time_to_fit(report))
    against = "" if best is None else f", {_apart(network, best)}"
    return Verdict(
        headline=f"Span F1 is {100 * network.test.f1:.1f}{SPACE}% on the test part{against}.",
        detail=(
            f"{100 * network.test.recall:.1f}{SPACE}% of the true spans were found exactly; "
            f"{100 * network.test.precision:.1f}{SPACE}% of the spans it names are right."
        ),
        figures=tuple(figures),
    )


def _apart(network: Score, best: Score) -> str:
    apart = 100 * (network.test.f1 - best.test.f1)
    if abs(apart) < 0.05:
        return "level with the best baseline"
    side = "above" if apart > 0 else "below"
    return f"{number(abs(apart), 2)}{SPACE}points {side} the best baseline"
