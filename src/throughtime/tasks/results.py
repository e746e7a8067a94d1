"""What every fit leaves behind in the same form: the command that repeats it, and history.csv."""

from __future__ import annotations

import csv
import io
import shlex

from throughtime.tasks.model_folder import command_word
from throughtime.tasks.task_settings import TaskSettings
from throughtime.training import Epoch, FitResult


def command_of(task: str, settings: TaskSettings, path: str | None) -> str:
    """The command line that repeats a fit of the data at `path`; None: it was in memory."""
    words = ["throughtime", "fit", command_word(task), shlex.quote(path or "DATA")]
    defaults = settings.defaults()
    for name in settings.names():
        value = getattr(settings, name)
        if name in defaults and value == defaults[name]:
            continue
        option = f"--{name.replace('_', '-')}"
        words += [option] if value is True else [option, shlex.quote(_as_typed(value))]
    return " ".join(words)


def history_as_csv(result: FitResult) -> str:
    """One row for each epoch."""
    text = io.StringIO()
    rows = [_flat(epoch) for epoch in result.history]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _flat(epoch: Epoch) -> dict[str, object]:
    """An epoch as one row, what was watched in columns of its own."""
    row = epoch.model_dump(exclude={"watched", "note"})
    if epoch.watched is None:
        return row
    for path, layer in epoch.watched.layers.items():
        row[f"memory_steps {path}"] = layer.memory_steps if layer.memory_reached else f">{layer.memory_steps}"
        row |= {f"{name} {path}": share for name, share in layer.saturated.items()}
    return row | {f"gradient_norm {name}": norm for name, norm in epoch.watched.gradient_norms.items()}


def _as_typed(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={entry}" for name, entry in value.items())
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
