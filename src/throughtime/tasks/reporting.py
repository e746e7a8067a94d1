"""What the reports of all tasks say, gathered from a fit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from throughtime._version import __version__
from throughtime.data import Repair
from throughtime.page import parts
from throughtime.tasks.fitting import Fitted
from throughtime.tasks.results import command_of
from throughtime.training import Diagnosis


def shared_report(
    fitted: Fitted[Any, Any, Any, Any], repairs: Sequence[Repair], diagnosis: Diagnosis | None
) -> dict[str, Any]:
    """The fields of a `throughtime.page.fit_report.FitReport` that follow from the fit alone.

    Args:
        fitted: What training left.
        repairs: What was changed or left out.
        diagnosis: High bias, high variance or neither.
    """
    run, result = fitted.run, fitted.result
    shown = set(parts.Epoch.model_fields)
    return {
        "version": __version__,
        "created": datetime.now(UTC),
        "parameters": fitted.parameters,
        "seconds_to_fit": fitted.seconds,
        "repairs": [parts.Repair(**repair.model_dump()) for repair in repairs],
        "history": [parts.Epoch(**epoch.model_dump(include=shown)) for epoch in result.history],
        "best_epoch": result.best_epoch,
        "diagnosis": diagnosis
        and parts.Diagnosis(**diagnosis.model_dump(include=set(parts.Diagnosis.model_fields))),
        "command": command_of(run.task, run.settings, run.source.path),
        "settings": run.settings.model_dump(mode="json"),
    }
