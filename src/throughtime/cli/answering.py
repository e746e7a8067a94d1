"""One line out for each line in: how `predict` answers a file or standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TextIO, TypeVar

from throughtime import files

AT_ONCE = 256  # entries of a file that are answered together

EntryT = TypeVar("EntryT")


def in_groups(entries: Iterable[EntryT], at_once: int = AT_ONCE) -> Iterator[list[EntryT]]:
    """The entries of a file, `at_once` at a time."""
    iterator = iter(entries)
    while group := list(islice(iterator, at_once)):
        yield group


def lines_of_stdin() -> Iterator[list[str]]:
    """Each line of standard input as it comes, in a group of its own."""
    return ([line.rstrip("\r\n")] for line in sys.stdin)


class LittleKnown:
    """Counts the entries that hold nothing the network knows, so that a reader is told.

    Args:
        what: What an entry is, in the plural: "texts".
        place: Where entries stand, before the number of one: "standard input line".
    """

    def __init__(self, what: str, place: str) -> None:
        self.what, self.place = what, place
        self.count = 0
        self.found: list[int] = []  # numbers of those entries, from 1

    def add(self, known: int) -> None:
        """One more entry, with so many known words."""
        self.count += 1
        if not known:
            self.found.append(self.count)

    def warn(self) -> None:
        """Say on stderr how many entries held no known word."""
        if self.found:
            print(
                f"{len(self.found):,} of {self.count:,} {self.what} hold no word that training held "
                f"(the first: {self.place} {self.found[0]}); their answers say little.",
                file=sys.stderr,
            )


def write_answers(
    groups: Iterable[list[EntryT]], answer: Callable[[list[EntryT]], Iterable[str]], out: Path | None
) -> int:
    """Write one line for each entry, as soon as its group is answered.

    Args:
        groups: Entries that are answered together.
        answer: Gives a line for each entry of a group.
        out: File to write, which appears when it is whole; None writes to standard output.

    Returns:
        How many were answered.

    Raises:
        OutputError: the file cannot be written.
    """
    with ExitStack() as stack:
        if out is None:
            return _write(groups, answer, sys.stdout)
        file = stack.enter_context(files.replacing(out))
        with file.open("w", encoding="utf-8") as stream:
            count = _write(groups, answer, stream)
    print(f"Wrote {count:,} answers to {out}", file=sys.stderr)
    return count


def _write(
    groups: Iterable[list[EntryT]], answer: Callable[[list[EntryT]], Iterable[str]], stream: TextIO
) -> int:
    count = 0
    for group in groups:
        for line in answer(group):
            print(line, file=stream)
            count += 1
        stream.flush()
    return count
