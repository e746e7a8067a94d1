"""What the page of a trained classifier is made of, and the page itself.

The task fills a `ClassifyReport`; `render_classify_report` turns it into one HTML file.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from throughtime.page.fit_report import SHELL, FitReport, render_fit_report, time_to_fit
from throughtime.page.parts import Number, Part
from throughtime.page.words import SPACE, Figure, Verdict, number

_MODULES = (*SHELL, "heat.js", "classes.js", "curves.js", "classify.js")


class Figures(Part):
    """Figures over one part: shares in [0, 1]; log loss in nats."""

    accuracy: Number
    macro_f1: Number
    log_loss: Number


class Score(Part):
    """One method measured: `name` is its key everywhere, `label` what people read, `note` a few words."""

    name: str
    label: str
    kind: Literal["network", "baseline"]
    note: str = ""
    validation: Figures
    test: Figures


class ClassFigures(Part):
    """One class on the test part."""

    label: str
    precision: Number
    recall: Number
    f1: Number
    count: int


class Bin(Part):
    """What is of about the same confidence in the test part: its mean, the share that is right, how many."""

    confidence: Number
    accuracy: Number
    count: int


class Word(Part):
    """One word, and by how much the probability of the answer falls when it is made unknown."""

    text: str
    counts: Number


class Channel(Part):
    """One value of every step that is drawn, as the network reads it: in standard deviations."""

    name: str
    values: tuple[Number, ...]


class Stretch(Part):
    """Steps `first` to `last`, and by how much the probability of the answer falls without them."""

    first: int
    last: int
    counts: Number


class Example(Part):
    """One text or sequence of the test part with the answer, its probability, and the truth.

    A text has `words`; a sequence the `steps` that are drawn, counted from 1, `channels` and `stretches`.
    """

    words: tuple[Word, ...] = ()
    steps: tuple[int, ...] = ()
    channels: tuple[Channel, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    answer: str
    confidence: Number
    truth: str


class Group(Part):
    """Examples that show the same: a heading and a sentence for them."""

    title: str
    text: str
    examples: tuple[Example, ...]


class PartOfData(Part):
    """One part of the data: its name, and how many of each class in the order of the classes."""

    part: str
    counts: tuple[int, ...]


class ClassifyReport(FitReport):
    """Everything the page shows: `noun` is what is classed, `known` how much is known of it, in words.

    Raises:
        pydantic.ValidationError: a field is missing, the matrix is not square in the classes, or there
            is not exactly one score of kind "network".
    """

    source: str
    classes: tuple[str, ...]
    parts: tuple[PartOfData, ...]
    noun: str = "text"
    known: str
    scores: tuple[Score, ...]
    per_class: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]
    calibration: tuple[Bin, ...]
    calibration_error: Number
    temperature: Number
    groups: tuple[Group, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        size = len(self.classes)
        if len(self.confusion) != size or any(len(row) != size for row in self.confusion):
            raise ValueError(f"ClassifyReport: confusion is not {size} rows of {size} counts")
        if sum(score.kind == "network" for score in self.scores) != 1:
            raise ValueError("ClassifyReport: expected one score of kind 'network'")
        return self


def render_classify_report(report: ClassifyReport) -> str:
    """The whole page as HTML text, to be written as UTF-8."""
    return render_fit_report(report, classify_verdict(report), _MODULES, styles=("heat.css", "classify.css"))


def classify_verdict(report: ClassifyReport) -> Verdict:
    """What a reader must know first."""
    network = next(score for score in report.scores if score.kind == "network")
    baselines = [score for score in report.scores if score.kind == "baseline"]
    best = max(baselines, key=lambda score: score.test.accuracy, default=None)
    against = "" if best is None else f", {_apart(network, best)}"
    figures = [
        Figure(
            "Accuracy on test",
            f"{100 * network.test.accuracy:.1f}",
            "%",
            f"{_counted(report)} test {report.noun}s",
        )
    ]
    if best is not None:
        figures.append(Figure("Best baseline", f"{100 * best.test.accuracy:.1f}", "%", best.label))
    error = f"{100 * report.calibration_error:.1f}"
    figures.append(Figure("Calibration error", error, "points", "confidence against share right"))
    figures.append(time_to_fit(report))
    share = f"{100 * network.test.accuracy:.1f}{SPACE}%"
    return Verdict(
        headline=f"{share} of the test {report.noun}s are classed right{against}.",
        detail=_confidence(report),
        figures=tuple(figures),
    )


def _apart(network: Score, best: Score) -> str:
    apart = 100 * (network.test.accuracy - best.test.accuracy)
    if abs(apart) < 0.05:
        return "level with the best baseline"
    side = "above" if apart > 0 else "below"
    return f"{number(abs(apart), 2)}{SPACE}points {side} the best baseline"


def _counted(report: ClassifyReport) -> str:
    return f"{sum(map(sum, report.confusion)):,}"


def _confidence(report: ClassifyReport) -> str:
    """Mean confidence beside the share that is right."""
    total = sum(one.count for one in report.calibration)
    mean = sum(one.confidence * one.count for one in report.calibration) / total
    return f"On average it is {100 * mean:.1f}{SPACE}% sure of its answers."
