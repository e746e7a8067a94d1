"""What a token shows besides being a word: its characters and its shape; and cutting a line into tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from throughtime.data.lexicon import Lexicon
from throughtime.data.words import PADDING

LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
WORD = re.compile(r"\w+")
USER, HASHTAG = re.compile(r"@\w+"), re.compile(r"#\w+")
SHAPES = (
    "padding",
    "signs",
    "lower case",
    "Capitalised",
    "UPPER CASE",
    "one capital",
    "miXed",
    "number",
    "letters and digits",
    "@user",
    "#hashtag",
    "link",
)
_SHAPE = {name: number for number, name in enumerate(SHAPES)}


class Token(NamedTuple):
    """A token of a line: characters `start` to `stop` (exclusive)."""

    text: str
    start: int
    stop: int


def plain_form(token: str) -> str:
    """The form in which a token is looked up: links and names of users as one word each, digits as 0."""
    if LINK.fullmatch(token):
        return "<link>"
    return "<user>" if USER.fullmatch(token) else re.sub(r"\d", "0", token)


def with_marks(tokens: Sequence[str]) -> list[str]:
    """A sentence in which an @ or # that is a token of its own is part of the word behind it as well."""
    marked = list(tokens)
    for place in range(1, len(tokens)):
        if tokens[place - 1] in ("@", "#") and WORD.fullmatch(tokens[place]):
            marked[place] = tokens[place - 1] + tokens[place]
    return marked


def shape_of(token: str) -> int:
    """Which of `SHAPES` a token has, 1 to `len(SHAPES) - 1`."""
    for name, pattern in (("link", LINK), ("@user", USER), ("#hashtag", HASHTAG)):
        if pattern.fullmatch(token):
            return _SHAPE[name]
    letters = [sign for sign in token if sign.isalpha()]
    digits = any(sign.isdigit() for sign in token)
    if not letters:
        return _SHAPE["number" if digits else "signs"]
    if digits:
        return _SHAPE["letters and digits"]
    if not any(sign.isupper() for sign in letters):
        return _SHAPE["lower case"]
    if all(sign.isupper() for sign in letters):
        return _SHAPE["UPPER CASE" if len(letters) > 1 else "one capital"]
    first, *rest = letters
    plain = first.isupper() and not any(sign.isupper() for sign in rest)
    return _SHAPE["Capitalised" if plain else "miXed"]


def number_characters(tokens: Sequence[str], characters: Lexicon, most: int) -> Tensor:
    """Tokens as numbers of their characters, (T, most), long, padding behind.

    Of a longer token the beginning and the end are kept, half of each.
    """
    rows = []
    for token in tokens:
        signs = token if len(token) <= most else token[: most - most // 2] + token[len(token) - most // 2 :]
        rows.append(characters.numbers(signs) + [PADDING] * (most - len(signs)))
    return torch.tensor(rows, dtype=torch.long).reshape(len(tokens), most)


# Links, users and hashtags, faces, HTML entities, numbers, abbreviations, the contracted ends of English
# words, words with the marks inside them, and runs of one sign.
_PIECE = re.compile(
    r"(?:https?://|www\.)\S+"
    r"|[@#]\w+"
    r"|[:;=8]['\-]?[)(DPpOo/\\|*\]\[]+(?!\w)"
    r"|&\w+;"
    r"|\d+(?:[.,:/\-]\d+)+%?"
    r"|(?:[A-Za-z]\.){2,}"
    r"|['’](?:s|m|d|ll|re|ve|S|M|D|LL|RE|VE)\b"
    r"|n['’]t\b|N['’]T\b"
    r"|(?:(?!n['’]t\b|N['’]T\b)\w)+(?:[\-&](?:(?!n['’]t\b|N['’]T\b)\w)+)*"
    r"|(\S)\1*"
)


def cut_line(line: str, *, at_blanks: bool = False) -> list[Token]:
    """Cut a line into tokens.

    Args:
        line: One sentence.
        at_blanks: Cut at blanks alone, where the tokens are parted already; else signs are cut from words
            too, but for links, @users and #hashtags.
    """
    pattern = re.compile(r"\S+") if at_blanks else _PIECE
    return [Token(found.group(), found.start(), found.end()) for found in pattern.finditer(line)]
