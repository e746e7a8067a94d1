"""Pieces of words in, numbers out, and back to raw text: byte-pair encoding learnt from the training texts.

Rare words fall into pieces that are known, so that a network can read and write any word with a few
thousand numbers. A piece carries the space before it, so joining pieces gives the text back as it was.

Source: Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units (2016).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from throughtime.data.words import UNKNOWN, tokenizers_package

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BEGIN, END = 2, 3
SPECIAL = ("[PAD]", "[UNK]", "[BEGIN]", "[END]")
# A word, or a run of other signs, each with at most one space before it; else white space.
PART = r" ?\w+| ?[^\w\s]+|\s+"


class Subwords:
    """A vocabulary of pieces of words.

    Args:
        tokenizer: As made by `learn` or `read`.

    Attributes:
        names: Every piece by its number; 0 is padding, 1 signs never met, 2 the beginning, 3 the end.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        tokenizer.encode_special_tokens = True  # "[END]" in a text is text
        numbers = tokenizer.get_vocab()
        self.names = tuple(sorted(numbers, key=lambda name: numbers[name]))

    def __len__(self) -> int:
        """Pieces known, with the four that are no text."""
        return len(self.names)

    @classmethod
    def learn(cls, texts: Sequence[str], *, most: int, min_count: int = 2) -> Subwords:
        """Join the pairs of neighbouring pieces that occur most often, beginning from single signs.

        Args:
            texts: The training part.
            most: Pieces at most. Every sign of `texts` is kept, so that they are never unknown.
            min_count: Times a pair must occur to be joined.
        """
        parts = tokenizers_package()
        tokenizer = parts.Tokenizer(parts.models.BPE(unk_token=SPECIAL[UNKNOWN], fuse_unk=True))
        tokenizer.normalizer = parts.normalizers.NFC()
        tokenizer.pre_tokenizer = parts.pre_tokenizers.Split(parts.Regex(PART), "isolated")
        tokenizer.decoder = parts.decoders.Fuse()
        trainer = parts.trainers.BpeTrainer(
            vocab_size=most, min_frequency=min_count, special_tokens=list(SPECIAL), show_progress=False
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    @classmethod
    def read(cls, text: str) -> Subwords:
        """Read what `to_json` gave.

        Raises:
            ValueError: it is not a tokenizer of this kind.
        """
        parts = tokenizers_package()
        if json.loads(text).get("model", {}).get("type") != "BPE":
            raise ValueError("not a tokenizer of pieces of words")
        return cls(parts.Tokenizer.from_str(text))

    def to_json(self) -> str:
        """The vocabulary and its rules, as the package `tokenizers` writes them."""
        return str(self._tokenizer.to_str(pretty=True))

    def number(self, texts: Sequence[str]) -> list[Tensor]:
        """Each text as the numbers of its pieces and then `END`: (T,), long, T at least 1."""
        encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [torch.tensor([*one.ids, END]) for one in encoded]

    def pieces(self, numbers: Iterable[int]) -> list[str]:
        """The pieces by their numbers; a space before a piece is part of it."""
        return [self.names[number] for number in numbers]

    def text(self, numbers: Iterable[int]) -> str:
        """The text that the numbers stand for: the inverse of `number`, after Unicode's form NFC.

        What is no text (padding, unknown, beginning, end) is left out.
        """
        return "".join(self.pieces(number for number in numbers if number >= len(SPECIAL)))
