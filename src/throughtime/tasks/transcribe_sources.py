"""Where the recordings of a transcriber come from, and finding them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from throughtime.data import Speech, from_recordings, read_speech
from throughtime.tasks.sources import Sources, open_again, sources_as_fields
from throughtime.tasks.transcribe_card import TranscribeRun
from throughtime.tasks.transcribe_settings import TranscribeSettings


def open_speech(data: Any, texts: Sequence[str] | None, settings: TranscribeSettings) -> Speech:
    """Recordings with transcripts from a folder, a table, or a list of recordings with one of transcripts.

    Raises:
        DataError: they cannot be read; says file and line.
    """
    if texts is not None:
        return from_recordings(data, texts)
    return read_speech(data, file=settings.file, text=settings.text)


def open_sources(data: Any, texts: Sequence[str] | None, settings: TranscribeSettings) -> Sources[Speech]:
    """Training recordings, and the validation and test folders that the settings name. Raises `DataError`."""
    places = settings.validation, settings.test
    others = [None if one is None else open_speech(one, None, settings) for one in places]
    return Sources(open_speech(data, texts, settings), *others)


def run_of(sources: Sources[Speech], settings: TranscribeSettings) -> TranscribeRun:
    """What to remember of a fit."""
    return TranscribeRun(settings=settings, **sources_as_fields(sources))


def speech_again(run: TranscribeRun, data: Any = None, texts: Sequence[str] | None = None) -> Sources[Speech]:
    """The recordings of a fit once more.

    Args:
        run: What was asked for.
        data: Where the training recordings are now; None reads them from where they were.
        texts: Of `data`, if it is a list.

    Raises:
        DataError: they are no longer there, or no longer the same.
    """
    return open_again(
        run,
        data,
        lambda place: open_speech(place, texts, run.settings),
        lambda place: open_speech(place, None, run.settings),
    )
