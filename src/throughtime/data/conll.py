"""Tagged sentences, read from CoNLL text or from lists.

One token a line with its tag in another column, a blank line between sentences:

    Paris   B-location
    sleeps  O
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from throughtime.data.decode import GZIP, gunzip, read_file, to_utf8
from throughtime.data.table import Repair, counted
from throughtime.errors import DataError

BORDER = "-DOCSTART-"  # CoNLL 2003 begins a document with a line of this token
COMMENT = "# "
BLANKS = re.compile(" +")


@dataclass(frozen=True)
class Sentences:
    """Sentences in the order they were read.

    Attributes:
        tokens: N sentences, each at least one token.
        tags: A tag for each token, or None where none were asked for.
        lines: Line of each token in its file, from 1; None where there is no file.
        name: What messages call the source.
        path: Where it was read from, or None.
        fingerprint: SHA-256 of the file's bytes, or of tokens and tags.
        repairs: Lines that were passed over.
    """

    tokens: tuple[tuple[str, ...], ...]
    tags: tuple[tuple[str, ...], ...] | None
    lines: tuple[tuple[int, ...], ...] | None
    name: str
    path: Path | None
    fingerprint: str
    repairs: tuple[Repair, ...] = ()

    def __len__(self) -> int:
        """How many sentences there are."""
        return len(self.tokens)

    def place(self, sentence: int, token: int) -> str:
        """Name a token in messages: "train.conll line 12", or "the sentences, number 3, token 5" (from 1)."""
        if self.lines is None:
            return f"{self.name}, number {sentence + 1}, token {token + 1}"
        return f"{self.name} line {self.lines[sentence][token]}"


def read_conll(
    source: str | os.PathLike[str], *, token_column: int = 1, tag_column: int = -1, tagged: bool = True
) -> Sentences:
    """Read a CoNLL file.

    Columns are parted by tabs if there is one in the file, else by blanks. Lines in front of a sentence that
    begin with "# " and have no columns are comments; lines of the token -DOCSTART- part documents. Gzip and
    encoding are found out.

    Args:
        source: Path of a file.
        token_column: Where the token stands, from 1; negative from the last.
        tag_column: Where the tag stands, likewise.
        tagged: Whether each token must have a tag; else the tags are not looked for.

    Raises:
        DataError: the file is missing, unreadable or holds no token, or a line lacks its token or tag; says
            where.
    """
    path = Path(source)
    content = read_file(path)
    fingerprint = hashlib.sha256(content).hexdigest()
    if content.startswith(GZIP):
        content = gunzip(content, path.name)
    data, _ = to_utf8(content, path.name)
    text = data.decode()
    tab = "\t" in text
    blocks, repairs = _blocks(text.split("\n"), tab)
    if not blocks:
        raise DataError(f"{path.name}: holds no token; expected lines of a token and its tag.")
    rows = [[(number, _cells(line, tab)) for number, line in block] for block in blocks]
    _check_columns(rows, path.name, token_column, tag_column if tagged else token_column, tagged)
    return Sentences(
        tuple(tuple(cells[_place(token_column)] for _, cells in row) for row in rows),
        tuple(tuple(cells[_place(tag_column)] for _, cells in row) for row in rows) if tagged else None,
        tuple(tuple(number for number, _ in row) for row in rows),
        path.name,
        path,
        fingerprint,
        tuple(repairs),
    )


def sentences_from_lists(sentences: Sequence[Any], tags: Sequence[Sequence[str]] | None = None) -> Sentences:
    """Sentences and tags in memory.

    Args:
        sentences: Lists of tokens; or, without `tags`, pairs of a list of tokens and one of tags.
        tags: A list of tags for each sentence.

    Raises:
        ValueError: a sentence has another number of tags than tokens.
        TypeError: a token or tag is no text, or a sentence no list.
        DataError: there is no sentence, or one without a token.
    """
    if tags is None:
        tokens, tags = _unzipped(sentences)
    else:
        tokens = list(sentences)
    if len(tokens) != len(tags):
        raise ValueError(f"{len(tokens)} sentences and {len(tags)} lists of tags; give one for each sentence")
    if not tokens:
        raise DataError("the sentences: there is none.")
    for number, (words, marks) in enumerate(zip(tokens, tags, strict=True), 1):
        check_sentence(words, number)
        check_sentence(marks, number)
        if len(words) != len(marks):
            raise ValueError(f"sentence {number} has {len(words)} tokens and {len(marks)} tags")
    digest = hashlib.sha256(json.dumps([tokens, tags]).encode()).hexdigest()
    return Sentences(tuple(map(tuple, tokens)), tuple(map(tuple, tags)), None, "the sentences", None, digest)


def check_sentence(sentence: Any, number: int) -> None:
    """Refuse what is no list of at least one text. Raises `TypeError` or `DataError`."""
    if isinstance(sentence, str) or not isinstance(sentence, Sequence):
        raise TypeError(f"sentence {number} is a {type(sentence).__name__}; give a list of tokens")
    if not sentence:
        raise DataError(f"the sentences, number {number}: has no token; leave it out.")
    for token in sentence:
        if not isinstance(token, str):
            raise TypeError(f"sentence {number} holds a {type(token).__name__}; tokens and tags are text")
        if not token.strip():
            raise DataError(f"the sentences, number {number}: holds a blank token or tag; leave it out.")


def _unzipped(pairs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    for number, pair in enumerate(pairs, 1):
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            raise TypeError(f"sentence {number} is no pair of a list of tokens and a list of tags")
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


Line = tuple[int, str]


def _blocks(lines: list[str], tab: bool) -> tuple[list[list[Line]], list[Repair]]:
    """The lines of each sentence with their numbers; without tabs, columns are one blank apart."""
    blocks: list[list[Line]] = []
    comments = borders = 0
    inside = False
    for number, line in enumerate(lines, 1):
        if not tab:
            line = BLANKS.sub(" ", line.strip(" "))
        if not line.strip():
            inside = False
        elif line.split()[0] == BORDER:
            borders, inside = borders + 1, False
        elif not inside and line.startswith(COMMENT) and _has_no_columns(line, tab):
            comments += 1
        else:
            if not inside:
                blocks.append([])
            blocks[-1].append((number, line))
            inside = True
    passed = [("comment", comments, "comment line"), ("document border", borders, f"line with {BORDER}")]
    return blocks, [
        Repair(kind=kind, count=count, text=f"{counted(count, noun)} passed over.")
        for kind, count, noun in passed
        if count
    ]


def _has_no_columns(line: str, tab: bool) -> bool:
    return "\t" not in line if tab else line.count(" ") != 1


def _cells(line: str, tab: bool) -> list[str]:
    """The columns of a line. Blanks of other alphabets are part of a token."""
    return [cell.strip(" ") for cell in line.split("\t")] if tab else line.split(" ")


def _place(column: int) -> int:
    return column - 1 if column > 0 else column


def _check_columns(
    rows: list[list[tuple[int, list[str]]]], name: str, token_column: int, tag_column: int, tagged: bool
) -> None:
    """Refuse lines that lack a token or a tag, and those with other columns than the first."""
    wanted = len(rows[0][0][1])
    needed = max(_reach(token_column), _reach(tag_column))
    flat = [row for block in rows for row in block]
    wrong = [(number, cells) for number, cells in flat if not _whole(cells, wanted, needed, tagged)]
    if not wrong:
        return
    number, cells = wrong[0]
    more = f"; {len(wrong) - 1:,} more such lines" if len(wrong) > 1 else ""
    shown = " | ".join(cells)
    if tagged and len(cells) < max(2, needed):
        raise DataError(
            f"{name} line {number}: {shown!r} is a token without its tag{more}; expected at least "
            f"{max(2, needed)} columns, parted by tabs or blanks."
        )
    if "" in cells:
        raise DataError(f"{name} line {number}: a column is empty ({shown!r}){more}.")
    raise DataError(
        f"{name} line {number}: has {counted(len(cells), 'column')} ({shown!r}) where line {flat[0][0]} has "
        f"{wanted}{more}. If tokens hold blanks, part the columns by tabs."
    )


def _whole(cells: list[str], wanted: int, needed: int, tagged: bool) -> bool:
    return len(cells) == wanted and len(cells) >= max(needed, 2 if tagged else 1) and "" not in cells


def _reach(column: int) -> int:
    """How many columns a line must have at least."""
    return column if column > 0 else -column
