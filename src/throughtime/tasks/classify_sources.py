"""Where the texts of a classifier come from, and finding them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from throughtime.data import Texts, from_lists, read_texts
from throughtime.tasks.classify_card import ClassifyRun
from throughtime.tasks.classify_settings import ClassifySettings
from throughtime.tasks.sources import Sources, open_again, sources_as_fields


def open_texts(data: Any, labels: Sequence[Any] | None, settings: ClassifySettings) -> Texts:
    """Labelled texts from a path, a frame, or a list of texts with one of labels.

    Raises:
        DataError: they cannot be read; says file and line.
    """
    if labels is not None:
        return from_lists(data, labels)
    return read_texts(data, layout=settings.layout, text=settings.text, label=settings.label)


def open_sources(data: Any, labels: Sequence[Any] | None, settings: ClassifySettings) -> Sources[Texts]:
    """Training texts, and the validation and test files that the settings name. Raises `DataError`."""
    files = settings.validation, settings.test
    others = [None if one is None else open_texts(one, None, settings) for one in files]
    return Sources(open_texts(data, labels, settings), *others)


def run_of(sources: Sources[Texts], settings: ClassifySettings) -> ClassifyRun:
    """What to remember of a fit."""
    return ClassifyRun(settings=settings, **sources_as_fields(sources))


def texts_again(run: ClassifyRun, data: Any = None, labels: Sequence[Any] | None = None) -> Sources[Texts]:
    """The texts of a fit once more.

    Args:
        run: What was asked for.
        data: Where the training texts are now; None reads them from where they were.
        labels: Of `data`, if it is a list.

    Raises:
        DataError: they are no longer there, or no longer the same.
    """
    return open_again(
        run,
        data,
        lambda place: open_texts(place, labels, run.settings),
        lambda place: open_texts(place, None, run.settings),
    )
