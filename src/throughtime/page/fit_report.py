"""What the pages of all trained models have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from pydantic import Field

from throughtime.page.embed import rounded
from throughtime.page.parts import Diagnosis, Epoch, Number, Part, Repair, Settings, TimeText
from throughtime.page.rendering import render_page
from throughtime.page.words import SPACE, Figure, Verdict, duration

SHELL = (
    "dom.js",
    "format.js",
    "scale.js",
    "drawing.js",
    "charts.js",
    "state.js",
    "errors.js",
    "tables.js",
    "shell.js",
)
"""Modules of `page/assets` that `shell.js` needs, each after those it imports."""


class FitReport(Part):
    """The fields of every report.

    Attributes:
        network: What was trained, in words.
        loss_name: What the losses of `history` are.
        validation_name: What the validation loss is, where it is something else: it then has a chart of its
            own. "" where both are the same.
    """

    title: str
    version: str
    created: TimeText
    network: str
    parameters: int
    seconds_to_fit: Number
    repairs: tuple[Repair, ...] = ()
    history: tuple[Epoch, ...] = ()
    best_epoch: int | None = None
    loss_name: str = "loss"
    validation_name: str = ""
    diagnosis: Diagnosis | None = None
    command: str = ""
    settings: Settings = Field(default_factory=dict)
    limits: tuple[str, ...] = ()


def render_fit_report(
    report: FitReport,
    verdict: Verdict,
    modules: Sequence[str],
    *,
    styles: Sequence[str] = (),
    sound: bool = False,
) -> str:
    """The whole page as HTML text, to be written as UTF-8.

    Args:
        report: What is shown; its numbers are rounded to what a page can show.
        verdict: What a reader must know first.
        modules: ES modules of `page/assets`, `SHELL` before those that build on it.
        styles: Style sheets of `page/assets` beside those of every page.
        sound: Whether the report holds sound to play.
    """
    payload = rounded(report.model_dump(mode="json", exclude={"settings"})) | {
        "settings": report.model_dump(mode="json")["settings"],
        "verdict": asdict(verdict),
        "fit_time": duration(report.seconds_to_fit),
    }
    headline = f"{verdict.headline} {verdict.detail}".strip()
    return render_page(payload, modules, headline=headline, styles=styles, sound=sound)


def time_to_fit(report: FitReport) -> Figure:
    """How long the fit took, beside the number of parameters."""
    value, _, unit = duration(report.seconds_to_fit).partition(SPACE)
    return Figure("Time to fit", value, unit, f"{report.parameters:,} parameters")
