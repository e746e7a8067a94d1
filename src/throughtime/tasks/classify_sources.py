"""Where the texts or sequences of a classifier come from, and finding them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from throughtime.data import Sequences, Texts, from_arrays, from_lists, read_sequences, read_texts
from throughtime.errors import DataError
from throughtime.tasks.classify_card import ClassifyRun
from throughtime.tasks.classify_data import Labelled
from throughtime.tasks.classify_encoders import Kind
from throughtime.tasks.classify_kind import find_kind, is_readable
from throughtime.tasks.classify_settings import ClassifySettings
from throughtime.tasks.sources import Sources, open_again, sources_as_fields


def open_labelled(
    data: Any,
    labels: Sequence[Any] | None,
    settings: ClassifySettings,
    kind: Kind,
    channels: Sequence[str] | None = None,
) -> Labelled:
    """Texts or sequences from a path, a frame, or a list with one of labels.

    Args:
        data: Where they are, or they themselves.
        labels: One for each, where `data` is a list or an array.
        settings: Columns.
        kind: What they are.
        channels: Those of the training part, in their order; None: as the settings say.

    Raises:
        DataError: they cannot be read; says file and line.
        ValueError: labels are missing, or too few or many.
    """
    if kind == "text":
        if labels is not None:
            return from_lists(data, labels)
        return read_texts(data, layout=settings.layout, text=settings.text, label=settings.label)
    if labels is None and not is_readable(data):
        raise ValueError("labels are missing; give one for each sequence")
    return _open_numbers(data, labels, settings, channels, labelled=True)


def open_numbers(data: Any, settings: ClassifySettings, channels: Sequence[str]) -> Sequences:
    """Sequences without labels, to be answered: from a path, a frame, a list of arrays or an array.

    Raises:
        DataError: they cannot be read, lack a channel, or one is empty; says where.
    """
    found = _open_numbers(data, None, settings, channels, labelled=False)
    empty = next((row for row, one in enumerate(found.values) if not len(one)), None)
    if empty is not None:
        raise DataError(f"{found.place(empty)}: is empty; a sequence has at least one step.")
    return found


def _open_numbers(
    data: Any,
    labels: Sequence[Any] | None,
    settings: ClassifySettings,
    channels: Sequence[str] | None,
    *,
    labelled: bool,
) -> Sequences:
    if channels is None and settings.features != "auto":
        channels = settings.features
    if labels is not None or not is_readable(data):
        return from_arrays(data, labels, channels)
    return read_sequences(
        data,
        sequence=settings.sequence,
        step=settings.step,
        features=channels,
        label=settings.label,
        labelled=labelled,
    )


def open_sources(data: Any, labels: Sequence[Any] | None, settings: ClassifySettings) -> Sources[Labelled]:
    """The training part, and the validation and test files that the settings name. Raises `DataError`."""
    kind = find_kind(data, settings)
    train = open_labelled(data, labels, settings, kind)
    channels = channels_of(train)
    files = settings.validation, settings.test
    others = [None if one is None else open_labelled(one, None, settings, kind, channels) for one in files]
    return Sources(train, *others)


def channels_of(given: Labelled) -> tuple[str, ...] | None:
    """Names of the values of a step; None for texts."""
    return given.channels if isinstance(given, Sequences) else None


def run_of(sources: Sources[Labelled], settings: ClassifySettings) -> ClassifyRun:
    """What to remember of a fit."""
    kind: Kind = "text" if isinstance(sources.train, Texts) else "numbers"
    return ClassifyRun(settings=settings, kind=kind, **sources_as_fields(sources))


def parts_again(run: ClassifyRun, data: Any = None, labels: Sequence[Any] | None = None) -> Sources[Labelled]:
    """The data of a fit once more.

    Args:
        run: What was asked for.
        data: Where the training part is now; None reads them from where they were.
        labels: Of `data`, if it is a list.

    Raises:
        DataError: they are no longer there, or no longer the same.
    """
    channels: list[tuple[str, ...] | None] = []

    def read_training(place: Any) -> Labelled:
        found = open_labelled(place, labels, run.settings, run.kind)
        channels.append(channels_of(found))
        return found

    return open_again(
        run,
        data,
        read_training,
        lambda place: open_labelled(place, None, run.settings, run.kind, channels[0]),
    )
