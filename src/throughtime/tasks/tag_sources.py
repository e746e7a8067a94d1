"""Where the sentences of a tagger come from, and finding them again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from throughtime.data import Sentences, in_iob2, read_conll, sentences_from_lists
from throughtime.errors import DataError
from throughtime.tasks.model_folder import DataSource
from throughtime.tasks.sources import Sources, open_again, place_of, sources_as_fields
from throughtime.tasks.tag_card import TagRun
from throughtime.tasks.tag_settings import TagSettings


def open_sentences(data: Any, tags: Sequence[Any] | None, settings: TagSettings) -> Sentences:
    """Tagged sentences from the path of a CoNLL file, or from lists.

    Raises:
        DataError: they cannot be read, or their tags are wrong; says file and line.
        TypeError: `data` is neither a path nor a list.
    """
    if isinstance(data, str | os.PathLike):
        read = read_conll(data, token_column=settings.token_column, tag_column=settings.tag_column)
    elif isinstance(data, Sequence):
        read = sentences_from_lists(data, tags)
    else:
        raise TypeError(
            f"Tagger: data is a {type(data).__name__}; give the path of a CoNLL file, a list of sentences "
            "with a list of their tags, or a list of pairs (tokens, tags)"
        )
    return in_iob2(read, repair=settings.repair_tags)


def open_sources(data: Any, tags: Sequence[Any] | None, settings: TagSettings) -> Sources[Sentences]:
    """Training sentences, and the validation and test files that the settings name. Raises `DataError`."""
    files = settings.validation, settings.test
    others = [None if one is None else open_sentences(one, None, settings) for one in files]
    return Sources(open_sentences(data, tags, settings), *others)


def run_of(sources: Sources[Sentences], settings: TagSettings) -> TagRun:
    """What to remember of a fit. Raises `DataError` where the word vectors cannot be read."""
    vectors = None if settings.vectors is None else _file(settings.vectors)
    return TagRun(settings=settings, vectors=vectors, **sources_as_fields(sources))


def sentences_again(run: TagRun, data: Any = None, tags: Sequence[Any] | None = None) -> Sources[Sentences]:
    """The sentences of a fit once more.

    Args:
        run: What was asked for.
        data: Where the training sentences are now; None reads them from where they were.
        tags: Of `data`, if it is a list.

    Raises:
        DataError: they, or the word vectors, are no longer there, or no longer the same.
    """
    return open_again(
        run,
        data,
        lambda place: open_sentences(place, tags, run.settings),
        lambda place: open_sentences(place, None, run.settings),
    )


def check_vectors(run: TagRun) -> None:
    """Refuse word vectors that are gone or were changed since the fit began. Raises `DataError`."""
    if run.vectors is not None and _file(place_of(run.vectors)).fingerprint != run.vectors.fingerprint:
        raise DataError(f"{run.vectors.path}: not the word vectors this fit began with: changed since")


def _file(path: str) -> DataSource:
    """What to remember of a file. Raises `DataError`."""
    try:
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read as word vectors: {error.strerror}") from error
    return DataSource(name=Path(path).name, path=str(Path(path).resolve()), fingerprint=digest)
