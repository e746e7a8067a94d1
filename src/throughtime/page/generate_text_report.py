"""What the page of a trained generator of text is made of, and the page itself.

The task fills a `TextReport`; `render_text_report` turns it into one HTML file.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from throughtime.page.fit_report import SHELL, FitReport, render_fit_report, time_to_fit
from throughtime.page.parts import MaybeNumber, Number, Part, Values
from throughtime.page.words import SPACE, Figure, Verdict, number

_MODULES = (*SHELL, "passages.js", "generate_text.js")

Kind = Literal["network", "baseline"]


class Figures(Part):
    """Figures over one part, per character; of pieces also exp of the mean nats of one."""

    nats: Number
    bits: Number
    perplexity: Number
    piece_perplexity: MaybeNumber = None


class Score(Part):
    """One method measured: `name` is its key everywhere, `label` what people read, `note` a few words."""

    name: str
    label: str
    kind: Kind
    note: str = ""
    validation: Figures | None = None
    test: Figures | None = None


class PartOfData(Part):
    """One part of the text."""

    part: str
    characters: int


class Sample(Part):
    """What the network wrote after an epoch."""

    epoch: int
    validation_loss: MaybeNumber = None
    text: str


class Written(Part):
    """What the kept network writes at one temperature."""

    temperature: Number
    text: str


class Passage(Part):
    """A passage, and -log of the probability of each of its characters, nats; a gap where it is not known.

    Raises:
        pydantic.ValidationError: there are not as many figures as characters.
    """

    text: str
    nats: Values

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if len(self.text) != len(self.nats):
            raise ValueError(f"Passage: {len(self.text)} characters and {len(self.nats)} figures")
        return self


class Group(Part):
    """Passages that show the same: a heading and a sentence for them."""

    title: str
    text: str
    passages: tuple[Passage, ...]


class PlaceInText(Part):
    """Characters that stand at the same kind of place: how many, mean nats, share of all nats."""

    place: str
    characters: int
    nats: Number
    share: Number


class TextReport(FitReport):
    """Everything the page shows; `part` is the one whose figures count.

    Raises:
        pydantic.ValidationError: a field is missing, there is not exactly one score of kind "network", or a
            score lacks the part that counts.
    """

    source: str
    unit: Literal["character", "piece"] = "character"
    alphabet: int
    part: Literal["validation", "test"]
    parts: tuple[PartOfData, ...]
    scores: tuple[Score, ...]
    samples: tuple[Sample, ...] = ()
    written: tuple[Written, ...] = ()
    passage: Passage | None = None
    groups: tuple[Group, ...] = ()
    places: tuple[PlaceInText, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if sum(score.kind == "network" for score in self.scores) != 1:
            raise ValueError("TextReport: expected one score of kind 'network'")
        if any(getattr(score, self.part) is None for score in self.scores):
            raise ValueError(f"TextReport: every score needs figures of the {self.part} part")
        return self

    def nats(self, score: Score) -> float:
        """Nats per character of a score on the part that counts."""
        figures = score.test if self.part == "test" else score.validation
        assert figures is not None
        return figures.nats


def render_text_report(report: TextReport) -> str:
    """The whole page as HTML text, to be written as UTF-8."""
    return render_fit_report(report, text_verdict(report), _MODULES, styles=("generate_text.css",))


def text_verdict(report: TextReport) -> Verdict:
    """What a reader must know first."""
    network = next(score for score in report.scores if score.kind == "network")
    baselines = [score for score in report.scores if score.kind == "baseline"]
    best = min(baselines, key=report.nats, default=None)
    nats = report.nats(network)
    figures = getattr(network, report.part)
    judged = next((one.characters for one in report.parts if one.part == report.part), 0)
    shown = [
        Figure("Nats per character", f"{nats:.3f}", "", f"{judged:,} {report.part} characters"),
        Figure(
            "Bits per character", f"{figures.bits:.3f}", "", f"perplexity {number(figures.perplexity, 3)}"
        ),
    ]
    against = ""
    if best is not None:
        shown.append(Figure("Best baseline", f"{report.nats(best):.3f}", "nats", best.label))
        against = f", {_apart(nats, report.nats(best))}"
    return Verdict(
        headline=f"{nats:.3f}{SPACE}nats per character on the {report.part} part{against}.",
        detail=_detail(report, figures),
        figures=(*shown, time_to_fit(report)),
    )


def _apart(nats: float, best: float) -> str:
    if abs(nats - best) < 0.0005:
        return "level with the best counting model"
    side = "below" if nats < best else "above"
    return f"{abs(nats - best):.3f} {side} the best counting model"


def _detail(report: TextReport, figures: Figures) -> str:
    chose = " That part also chose the epoch." if report.part == "validation" else ""
    among = figures.perplexity if figures.piece_perplexity is None else figures.piece_perplexity
    return (
        f"On average it is as unsure of the next {report.unit} as among {number(among)} equally likely ones, "
        f"of {report.alphabet:,}.{chose}"
    )
