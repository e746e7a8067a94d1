"""What every fit leaves behind in the same form: the command that repeats it, and history.csv."""

from __future__ import annotations

import csv
import io
import shlex

from throughtime.tasks.task_settings import TaskSettings
from throughtime.training import FitResult


def command_of(task: str, settings: TaskSettings, path: str | None) -> str:
    """The command line that repeats a fit of the data at `path`; None: it was in memory."""
    words = ["throughtime", "fit", task, shlex.quote(path or "DATA")]
    defaults = settings.defaults()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name in defaults and value == defaults[name]:
            continue
        option = f"--{name.replace('_', '-')}"
        words += [option] if value is True else [option, shlex.quote(_as_typed(value))]
    return " ".join(words)


def history_as_csv(result: FitResult) -> str:
    """One row for each epoch."""
    text = io.StringIO()
    rows = [epoch.model_dump() for epoch in result.history]
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _as_typed(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={entry}" for name, entry in value.items())
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
