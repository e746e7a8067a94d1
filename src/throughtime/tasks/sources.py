"""Where the data of a fit comes from, part by part, and finding it again unchanged."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from throughtime.errors import DataError
from throughtime.tasks.model_folder import DataSource, Run


class Found(Protocol):
    """Data as read."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def path(self) -> Path | None:
        """Where it was read from."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what was read."""


FoundT = TypeVar("FoundT", bound=Found)


@dataclass(frozen=True)
class Sources(Generic[FoundT]):
    """Data as read: training, and validation and test where they were given."""

    train: FoundT
    validation: FoundT | None = None
    test: FoundT | None = None


class RunInParts(Run):
    """What a fit was asked to do whose validation and test parts may come from places of their own.

    Attributes:
        validation: Where the validation part came from, if not split off.
        test: Where the test part came from, if not split off.
    """

    validation: DataSource | None = None
    test: DataSource | None = None


def source_of(found: Found) -> DataSource:
    """What to remember of where data came from."""
    path = None if found.path is None else str(found.path.resolve())
    return DataSource(name=found.name, path=path, fingerprint=found.fingerprint)


def sources_as_fields(sources: Sources[Any]) -> dict[str, DataSource | None]:
    """The fields `source`, `validation` and `test` of a `RunInParts`."""
    found = {"source": sources.train, "validation": sources.validation, "test": sources.test}
    return {name: None if one is None else source_of(one) for name, one in found.items()}


def place_of(source: DataSource, *, shipped: Collection[str] = ()) -> str:
    """Where to read data again.

    Args:
        source: What was remembered of it.
        shipped: Places that are no files.

    Raises:
        DataError: it was in memory, or is no longer there.
    """
    if source.path is None:
        raise DataError(f"{source.name}: only in memory then and not kept; give the data again")
    if source.path not in shipped and not Path(source.path).exists():
        raise DataError(f"{source.path}: the data of this model is no longer there; give its place")
    return source.path


def check_same(found: Found, source: DataSource) -> None:
    """Refuse data that is no longer what a fit began with. Raises `DataError`."""
    if found.fingerprint != source.fingerprint:
        raise DataError(
            f"{found.name}: not the data this fit began with ({source.name}): it was changed since. "
            "Give the data as it was, or begin a new fit"
        )


def open_again(
    run: RunInParts, data: Any, read_training: Callable[[Any], FoundT], read_part: Callable[[Any], FoundT]
) -> Sources[FoundT]:
    """The data of a fit once more.

    Args:
        run: What was asked for.
        data: Where the training part is now; None reads it from where it was.
        read_training: Reads the training part from `data` or from its place.
        read_part: Reads a validation or test part from its place.

    Raises:
        DataError: some of it is no longer there, or no longer the same.
    """
    train = read_training(place_of(run.source) if data is None else data)
    check_same(train, run.source)
    others: list[FoundT | None] = []
    for source in (run.validation, run.test):
        found = None if source is None else read_part(place_of(source))
        if found is not None and source is not None:
            check_same(found, source)
        others.append(found)
    return Sources(train, *others)
