"""Pieces of bytes in, numbers out: words, or byte pairs joined, learnt from a training text, kept as JSON.

Beside what was learnt, each of the 256 bytes is a piece, so that every text has numbers and none is unknown:
a word that was not learnt is spelt by the bytes of its UTF-8. Joining the pieces gives the text back as it
was. A word carries the space before it.

Source of the joining: Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword
Units (2016).
"""

from __future__ import annotations

import codecs
import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from throughtime.data.plain_text import as_utf8
from throughtime.data.subwords import PART
from throughtime.data.words import tokenizers_package

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BYTES = 256
MIN_COUNT = 2  # times a word or a pair must occur to be learnt


class BytePieces(ABC):
    """A vocabulary of pieces of bytes.

    Args:
        pieces: The bytes of each piece by its number; every single byte is among them.

    Attributes:
        pieces: The bytes of each piece by its number.
        unknown: A number that stands for no piece: one past the last.
        characters: How many characters begin in each piece, (V,).

    Raises:
        ValueError: a byte is missing, or a piece is there twice.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = tuple(pieces)
        different = set(self.pieces)
        if len(different) != len(self.pieces) or not different.issuperset(
            bytes([one]) for one in range(BYTES)
        ):
            raise ValueError(f"{type(self).__name__}: expected each piece once, every byte among them")
        self.unknown = len(self.pieces)
        begun = [sum(byte & 0xC0 != 0x80 for byte in piece) for piece in self.pieces]
        self.characters: npt.NDArray[np.int64] = np.array(begun, dtype=np.int64)

    def __len__(self) -> int:
        """Pieces known."""
        return len(self.pieces)

    @abstractmethod
    def to_json(self) -> str:
        """The vocabulary as JSON."""

    def number(self, text: str) -> Tensor:
        """A text as numbers (N,), long. Raises `DataError` where it cannot be written as UTF-8."""
        as_utf8(text)
        return torch.tensor(self._numbers_of(text), dtype=torch.long)

    @abstractmethod
    def _numbers_of(self, text: str) -> list[int]:
        """A text as numbers."""

    def text(self, numbers: Iterable[int]) -> str:
        """The inverse of `number`; U+FFFD where the bytes are no UTF-8."""
        return b"".join(self.pieces[number] for number in numbers).decode("utf-8", "replace")

    def missing(self, text: str) -> Counter[str]:
        """Characters of `text` that are not known: none."""
        return Counter()

    def decoder(self) -> PieceDecoder:
        """What turns numbers into text as they come."""
        return PieceDecoder(self.pieces)


class PieceDecoder:
    """Numbers in, whole characters out, as they are finished; U+FFFD where the bytes are no UTF-8."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def __call__(self, number: int) -> str:
        """The characters that this piece finishes; "" where it ends inside the first of them."""
        return self._decoder.decode(self._pieces[number])


class WholeWords(BytePieces):
    """Words and runs of other signs, as they stand, in the order of how often they occur; then bytes.

    Args:
        words: Each of two bytes or more, once.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        if any(not isinstance(word, str) for word in self.words):
            raise ValueError("WholeWords: expected texts")
        encoded = [word.encode() for word in self.words]
        super().__init__([*(bytes([one]) for one in range(BYTES)), *encoded])
        self._numbers = {word: BYTES + place for place, word in enumerate(self.words)}

    @classmethod
    def learn(cls, text: str, most: int) -> WholeWords:
        """Know the words of `text`.

        Args:
            text: The training part.
            most: Pieces at most, the bytes among them; words that occur once are spelt, so that spelling is
                learnt.
        """
        counts = Counter(part for part in _parts(text) if len(part.encode()) > 1)
        frequent = sorted(
            (word for word in counts if counts[word] >= MIN_COUNT), key=lambda w: (-counts[w], w)
        )
        return cls(frequent[: most - BYTES])

    @classmethod
    def read(cls, text: str) -> WholeWords:
        """Read what `to_json` gave. Raises `ValueError`."""
        found = json.loads(text)
        if not isinstance(found, dict) or not isinstance(found.get("words"), list):
            raise ValueError("not a list of words")  # noqa: TRY004
        return cls(found["words"])

    def to_json(self) -> str:
        """The words as JSON."""
        return json.dumps({"words": self.words}, ensure_ascii=False) + "\n"

    def _numbers_of(self, text: str) -> list[int]:
        numbers: list[int] = []
        for part in _parts(text):
            word = self._numbers.get(part)
            numbers.extend(part.encode() if word is None else (word,))
        return numbers


class BytePairs(BytePieces):
    """Byte-pair encoding on bytes, by the package `tokenizers`; no piece reaches over the end of a word.

    Args:
        tokenizer: As made by `learn` or `read`.

    Raises:
        ValueError: it is not of this kind.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        numbers = tokenizer.get_vocab()
        code = _byte_code()
        try:
            pieces = [bytes(code[one] for one in name) for name in sorted(numbers, key=lambda n: numbers[n])]
        except KeyError as error:
            raise ValueError(f"BytePairs: {error} stands for no byte") from error
        if sorted(numbers.values()) != list(range(len(pieces))):
            raise ValueError("BytePairs: expected the numbers from 0 on")
        super().__init__(pieces)

    @classmethod
    def learn(cls, text: str, most: int) -> BytePairs:
        """Join the pairs of neighbouring pieces that occur most often, beginning from single bytes.

        Args:
            text: The training part.
            most: Pieces at most, the bytes among them.

        Raises:
            MachineError: the package `tokenizers` is missing.
        """
        parts = tokenizers_package()
        tokenizer = parts.Tokenizer(parts.models.BPE())
        tokenizer.pre_tokenizer = parts.pre_tokenizers.Sequence(
            [
                parts.pre_tokenizers.Split(parts.Regex(PART), "isolated"),
                parts.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        trainer = parts.trainers.BpeTrainer(
            vocab_size=most,
            min_frequency=MIN_COUNT,
            initial_alphabet=sorted(_byte_code()),
            show_progress=False,
        )
        tokenizer.train_from_iterator([text], trainer)
        return cls(tokenizer)

    @classmethod
    def read(cls, text: str) -> BytePairs:
        """Read what `to_json` gave.

        Raises:
            ValueError: it is not a tokenizer of this kind.
            MachineError: the package `tokenizers` is missing.
        """
        parts = tokenizers_package()
        found = json.loads(text)
        model = found.get("model") if isinstance(found, dict) else None
        if not isinstance(model, dict) or model.get("type") != "BPE":
            raise ValueError("not a tokenizer of byte pairs")
        return cls(parts.Tokenizer.from_str(text))

    def to_json(self) -> str:
        """The pieces and how they are joined, as the package `tokenizers` writes them."""
        return str(self._tokenizer.to_str(pretty=True)) + "\n"

    def _numbers_of(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


def _parts(text: str) -> Iterator[str]:
    return (found.group() for found in re.finditer(PART, text))


def _byte_code() -> dict[str, int]:
    """The sign by which the package `tokenizers` writes each byte: itself, or one from U+0100 on."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(BYTES) if byte not in shown]
    signs = [chr(byte) for byte in shown] + [chr(BYTES + place) for place in range(len(hidden))]
    return dict(zip(signs, [*shown, *hidden], strict=True))
