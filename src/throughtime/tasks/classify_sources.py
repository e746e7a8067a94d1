"""Where the texts of a classifier come from, and finding them again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from throughtime.data import Texts, from_lists, read_texts
from throughtime.errors import DataError
from throughtime.tasks.classify_card import ClassifyRun
from throughtime.tasks.classify_data import Sources
from throughtime.tasks.classify_settings import ClassifySettings
from throughtime.tasks.model_folder import DataSource


def open_texts(data: Any, labels: Sequence[Any] | None, settings: ClassifySettings) -> Texts:
    """Labelled texts from a path, a frame, or a list of texts with one of labels.

    Raises:
        DataError: they cannot be read; says file and line.
    """
    if labels is not None:
        return from_lists(data, labels)
    return read_texts(data, layout=settings.layout, text=settings.text, label=settings.label)


def open_sources(data: Any, labels: Sequence[Any] | None, settings: ClassifySettings) -> Sources:
    """Training texts, and the validation and test files that the settings name. Raises `DataError`."""
    train = open_texts(data, labels, settings)
    others = [
        None if one is None else _open_file(one, settings) for one in (settings.validation, settings.test)
    ]
    return Sources(train, *others)


def run_of(sources: Sources, settings: ClassifySettings) -> ClassifyRun:
    """What to remember of a fit."""
    return ClassifyRun(
        settings=settings,
        source=source_of(sources.train),
        validation=None if sources.validation is None else source_of(sources.validation),
        test=None if sources.test is None else source_of(sources.test),
    )


def open_again(run: ClassifyRun, data: Any = None, labels: Sequence[Any] | None = None) -> Sources:
    """The texts of a fit once more.

    Args:
        run: What was asked for.
        data: Where the training texts are now; None reads them from where they were.
        labels: Of `data`, if it is a list.

    Raises:
        DataError: they are no longer there, or no longer the same.
    """
    if data is None:
        data = _place(run.source)
    train = open_texts(data, labels, run.settings)
    _check_same(train, run.source)
    others = []
    for source in (run.validation, run.test):
        found = None if source is None else _open_file(_place(source), run.settings)
        if found is not None and source is not None:
            _check_same(found, source)
        others.append(found)
    return Sources(train, *others)


def source_of(texts: Texts) -> DataSource:
    """What to remember of where texts came from."""
    path = None if texts.path is None else str(texts.path.resolve())
    return DataSource(name=texts.name, path=path, fingerprint=texts.fingerprint)


def _open_file(path: str, settings: ClassifySettings) -> Texts:
    return read_texts(path, layout=settings.layout, text=settings.text, label=settings.label)


def _check_same(texts: Texts, source: DataSource) -> None:
    if texts.fingerprint != source.fingerprint:
        raise DataError(
            f"{texts.name}: not the texts this fit began with ({source.name}): they were changed since. "
            "Give them as they were, or begin a new fit"
        )


def _place(source: DataSource) -> str:
    if source.path is None:
        raise DataError(f"{source.name}: were in memory and are not kept; give them again")
    if not Path(source.path).exists():
        raise DataError(f"{source.path}: the texts of this model are no longer there; give their place")
    return source.path
