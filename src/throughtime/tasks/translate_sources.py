"""Where the pairs of a translator come from, and finding them again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from throughtime.data import Pairs, pairs_from_lists, read_pairs
from throughtime.tasks.model_folder import DataSource
from throughtime.tasks.sources import Sources, check_same, place_of, sources_as_fields
from throughtime.tasks.translate_card import TranslateRun
from throughtime.tasks.translate_settings import TranslateSettings


def open_pairs(source: Any, target: Any, settings: TranslateSettings) -> Pairs:
    """Pairs from two files, a table, or two lists of sentences.

    Args:
        source: A path; or a list of sentences.
        target: A path beside a path; None where `source` is a table; a list beside a list.
        settings: Columns of a table.

    Raises:
        DataError: they cannot be read; says file and line.
        TypeError: one is a path and the other a list.
        ValueError: the lists differ in length, or are empty.
    """
    paths = [isinstance(one, str | os.PathLike) for one in (source, target)]
    if all(paths) or (paths[0] and target is None):
        return read_pairs(source, target, source_column=settings.source, target_column=settings.target)
    if any(paths) or target is None:
        kinds = " and ".join(type(one).__name__ for one in (source, target))
        raise TypeError(f"expected two paths, one path of a table, or two lists of sentences; got {kinds}")
    return pairs_from_lists(_listed(source), _listed(target))


def open_sources(source: Any, target: Any, settings: TranslateSettings) -> Sources[Pairs]:
    """Training pairs, and the validation and test pairs that the settings name. Raises as `open_pairs`."""
    places = settings.validation, settings.test
    others = [None if place is None else open_pairs(place[0], _second(place), settings) for place in places]
    return Sources(open_pairs(source, target, settings), *others)


def run_of(sources: Sources[Pairs], settings: TranslateSettings) -> TranslateRun:
    """What to remember of a fit."""
    parts = {"training": sources.train, "validation": sources.validation, "test": sources.test}
    partners = {
        name: str(pairs.partner.resolve())
        for name, pairs in parts.items()
        if pairs is not None and pairs.partner is not None
    }
    return TranslateRun(settings=settings, partners=partners, **sources_as_fields(sources))


def pairs_again(run: TranslateRun, source: Any = None, target: Any = None) -> Sources[Pairs]:
    """The pairs of a fit once more.

    Args:
        run: What was asked for.
        source: Where the training sources are now; None reads them from where they were.
        target: As in `open_pairs`.

    Raises:
        DataError: they are no longer there, or no longer the same.
    """
    if source is None:
        train = _again(run, "training", run.source)
    else:
        train = open_pairs(source, target, run.settings)
        check_same(train, run.source)
    named = {"validation": run.validation, "test": run.test}
    others = [None if found is None else _again(run, part, found) for part, found in named.items()]
    return Sources(train, *others)


def _again(run: TranslateRun, part: str, found: DataSource) -> Pairs:
    pairs = open_pairs(place_of(found), run.partners.get(part), run.settings)
    check_same(pairs, found)
    return pairs


def _second(place: Sequence[str]) -> str | None:
    return place[1] if len(place) == 2 else None


def _listed(sentences: Any) -> list[Any]:
    return sentences.tolist() if hasattr(sentences, "tolist") else list(sentences)


def place_in_two(place: str) -> tuple[str, str | None]:
    """What the command line takes for a place: a file, or SOURCE,TARGET."""
    if "," not in place or Path(place).exists():
        return place, None
    source, _, target = place.partition(",")
    return source, target
