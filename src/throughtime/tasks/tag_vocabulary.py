"""What a tagger knows of words: their numbers, shapes and characters, and which have a pretrained vector."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from throughtime.data import Lexicon, WordVectors, number_characters, plain_form, read_vectors, shape_of
from throughtime.data.lexicon import SPECIAL
from throughtime.data.tokens import with_marks
from throughtime.data.words import UNKNOWN
from throughtime.tasks.tag_settings import TagSettings

RARE_CHARACTER = 3  # times a character must occur in training to be known


@dataclass(frozen=True)
class Vocabulary:
    """Turns tokens into numbers.

    Attributes:
        words: Known words, in the form they are looked up.
        characters: Known characters.
        fixed: Words with a pretrained vector, as in their file; none without one.
        keep_case: Whether words are looked up as written.
        max_characters: C, characters of a word that are read.
    """

    words: Lexicon
    characters: Lexicon
    fixed: Lexicon
    keep_case: bool
    max_characters: int

    @classmethod
    def learn(
        cls, sentences: Sequence[Sequence[str]], settings: TagSettings, vectors: WordVectors | None
    ) -> Self:
        """Know the words and characters of the training part, and the words of pretrained vectors."""
        tokens = [token for sentence in sentences for token in with_marks(sentence)]
        forms = (_form(token, settings.keep_case) for token in tokens)
        return cls(
            Lexicon.learn(forms, min_count=settings.min_count, most=settings.max_words),
            Lexicon.learn("".join(tokens), min_count=RARE_CHARACTER),
            Lexicon(() if vectors is None else vectors.words),
            settings.keep_case,
            settings.max_characters,
        )

    @classmethod
    def read(cls, text: str, settings: TagSettings) -> Self:
        """Read what `to_json` gave. Raises `ValueError` where it is something else."""
        found = json.loads(text)
        if not isinstance(found, dict) or set(found) != {"words", "characters", "vectors"}:
            raise ValueError("expected the lists words, characters and vectors")
        words, characters, fixed = (Lexicon(found[name]) for name in ("words", "characters", "vectors"))
        return cls(words, characters, fixed, settings.keep_case, settings.max_characters)

    def to_json(self) -> str:
        """The three lists in order."""
        lists = {"words": self.words.names, "characters": self.characters.names, "vectors": self.fixed.names}
        return json.dumps(lists, ensure_ascii=False) + "\n"

    def number(self, tokens: Sequence[str]) -> Tensor:
        """A sentence as (T, 3 + C), long: word, shape, number of the pretrained vector, characters."""
        fixed = [self._fixed(token) for token in tokens]
        tokens = with_marks(tokens)
        words = self.words.numbers(_form(token, self.keep_case) for token in tokens)
        shapes = [shape_of(token) for token in tokens]
        columns = torch.tensor([words, shapes, fixed], dtype=torch.long).T
        return torch.cat([columns, number_characters(tokens, self.characters, self.max_characters)], dim=1)

    def known(self, tokens: Sequence[str]) -> int:
        """How many tokens are known words."""
        pairs = zip(tokens, with_marks(tokens), strict=True)
        return sum(self._is_known(marked) or self._fixed(token) > UNKNOWN for token, marked in pairs)

    def _is_known(self, token: str) -> bool:
        return self.words.number(_form(token, self.keep_case)) > UNKNOWN

    def _fixed(self, token: str) -> int:
        """Of the word as written, else of the first that is the same but for the case."""
        number = self.fixed.number(token)
        return number if number > UNKNOWN else self._folded.get(token.lower(), UNKNOWN)

    @cached_property
    def _folded(self) -> dict[str, int]:
        names = reversed(list(enumerate(self.fixed.names, SPECIAL)))
        return {name.lower(): number for number, name in names}


def vectors_for(path: str | None, first: int, sentences: Iterable[Sequence[str]]) -> WordVectors | None:
    """Pretrained vectors of the words of some sentences and of the first words of the file; None: no file.

    Raises:
        DataError: the file cannot be read; says the line.
    """
    if path is None:
        return None
    wanted = {form for sentence in sentences for token in sentence for form in (token, token.lower())}
    return read_vectors(path, wanted, first=first)


def _form(token: str, keep_case: bool) -> str:
    return plain_form(token) if keep_case else plain_form(token).lower()
