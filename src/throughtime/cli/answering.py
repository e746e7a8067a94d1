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
