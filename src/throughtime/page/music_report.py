"""What the page of a trained composer is made of, and the page itself.

The task fills a `MusicReport`; `render_music_report` turns it into one HTML file.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from throughtime.page.fit_report import SHELL, FitReport, render_fit_report, time_to_fit
from throughtime.page.parts import MaybeNumber, Number, Part
from throughtime.page.words import SPACE, Figure, Verdict

_MODULES = (*SHELL, "heat.js", "sound.js", "roll.js", "music.js")


class MusicFigures(Part):
    """Figures over one part: nats per step, and the share of the notes that were foretold."""

    nats_per_step: Number
    frame_accuracy: Number


class MusicScore(Part):
    """One method measured: `name` is its key everywhere, `label` what people read, `note` a few words."""

    name: str
    label: str
    kind: Literal["network", "baseline"]
    note: str = ""
    validation: MusicFigures
    test: MusicFigures


class ShownRoll(Part):
    """A piece as people see and hear it.

    Attributes:
        title: Its heading.
        text: A sentence on what it is.
        steps: The MIDI numbers of each of T steps.
        lowest: MIDI number of the first column of `chances`.
        chances: What the network gave each note at each step before hearing it, percent, (T, N).
        nats: Of each step, (T,).
        given: So many steps from the beginning were given to the network to go on from.
    """

    title: str
    text: str
    steps: tuple[tuple[int, ...], ...]
    lowest: int
    chances: tuple[tuple[int, ...], ...]
    nats: tuple[Number, ...]
    given: int = 0

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if not len(self.steps) == len(self.chances) == len(self.nats) > 0:
            raise ValueError("ShownRoll: steps, chances and nats must be as many, and one or more")
        return self


class MusicSample(Part):
    """What the network made by itself after an epoch: the MIDI numbers of each step."""

    epoch: int
    validation_loss: MaybeNumber = None
    steps: tuple[tuple[int, ...], ...] = Field(min_length=1)


class NoteBin(Part):
    """Notes given about the same probability: its mean, the share that sounded, how many."""

    probability: Number
    sounded: Number
    notes: int


class PieceFigures(Part):
    """One test piece."""

    name: str
    steps: int
    nats_per_step: MaybeNumber


class PartOfMusic(Part):
    """One part of the data."""

    part: str
    pieces: int
    steps: int


class MusicReport(FitReport):
    """Everything the page shows.

    Attributes:
        notes: MIDI numbers of the first and last note that the network knows.
        grid: Length of a step, in words.
        steps_a_quarter: Steps in a quarter note.
        tempo: Quarter notes a minute, for playing.
        first_step_nats: What the first steps cost, which the scores leave out.

    Raises:
        pydantic.ValidationError: a field is missing, or there is not exactly one score of kind "network".
    """

    source: str
    parts: tuple[PartOfMusic, ...]
    notes: tuple[int, int]
    grid: str
    steps_a_quarter: int
    tempo: Number
    scores: tuple[MusicScore, ...]
    first_step_nats: Number
    rolls: tuple[ShownRoll, ...] = ()
    samples: tuple[MusicSample, ...] = ()
    calibration: tuple[NoteBin, ...] = ()
    pieces: tuple[PieceFigures, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if sum(score.kind == "network" for score in self.scores) != 1:
            raise ValueError("MusicReport: expected exactly one score of kind 'network'")
        return self


def render_music_report(report: MusicReport) -> str:
    """The whole page as HTML text, to be written as UTF-8. It fetches nothing."""
    return render_fit_report(report, music_verdict(report), _MODULES, styles=("heat.css", "music.css"))


def music_verdict(report: MusicReport) -> Verdict:
    """What a reader must know first."""
    network = next(score for score in report.scores if score.kind == "network")
    baselines = [score for score in report.scores if score.kind == "baseline"]
    best = min(baselines, key=lambda score: score.test.nats_per_step, default=None)
    nats, steps = network.test.nats_per_step, report.parts[-1].steps
    against = "" if best is None else f", {_apart(nats, best.test.nats_per_step)}"
    pieces = f"{report.parts[-1].pieces:,} pieces, {steps:,} steps"
    figures = [Figure("Nats per step on test", f"{nats:.2f}", "", pieces)]
    if best is not None:
        figures.append(Figure("Best baseline", f"{best.test.nats_per_step:.2f}", "", best.label))
    foretold = f"{100 * network.test.frame_accuracy:.1f}"
    figures.append(Figure("Notes foretold", foretold, "%", "of those that sounded, were foretold, or both"))
    figures.append(time_to_fit(report))
    return Verdict(
        headline=f"A test step costs {nats:.2f}{SPACE}nats{against}.",
        detail="The fewer nats, the less the notes of the next step surprise the network.",
        figures=tuple(figures),
    )


def _apart(nats: float, best: float) -> str:
    apart = nats - best
    if abs(apart) < 0.005:
        return "level with the best baseline"
    return f"{abs(apart):.2f} {'more' if apart > 0 else 'fewer'} than the best baseline"
