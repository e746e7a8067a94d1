"""Words in, numbers out: a vocabulary learnt from the training texts, kept as one JSON file.

The words are cut and numbered by the package `tokenizers`, which the extra `text` brings.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from throughtime.errors import MachineError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING, UNKNOWN = 0, 1
SPECIAL = ("[PAD]", "[UNK]")
# A word with the apostrophes and hyphens inside it ("n't", "'s", "well-made"), or a run of other signs.
WORD = r"\w+(?:['’\-]\w+)*|['’]\w+|[^\w\s]+"


class Words:
    """A vocabulary: cuts texts into words and numbers them.

    Args:
        tokenizer: As made by `learn` or `read`.

    Attributes:
        names: Every word by its number; 0 is padding, 1 any word that is not known.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        tokenizer.encode_special_tokens = True  # "[PAD]" in a text is text
        numbers = tokenizer.get_vocab()
        self.names = tuple(sorted(numbers, key=lambda name: numbers[name]))

    def __len__(self) -> int:
        """Words known, with padding and the unknown word."""
        return len(self.names)

    @classmethod
    def learn(cls, texts: Sequence[str], *, min_count: int, most: int, lower: bool) -> Words:
        """Know the words of `texts`.

        Args:
            texts: The training part.
            min_count: Times a word must occur; rarer ones are unknown, so that the unknown word is met.
            most: Words at most, the most frequent first.
            lower: Take "Good" and "good" for the same word.
        """
        parts = tokenizers_package()
        rules = [parts.normalizers.NFC(), *([parts.normalizers.Lowercase()] if lower else [])]
        tokenizer = parts.Tokenizer(parts.models.WordLevel(unk_token=SPECIAL[UNKNOWN]))
        tokenizer.normalizer = parts.normalizers.Sequence(rules)
        tokenizer.pre_tokenizer = parts.pre_tokenizers.Split(parts.Regex(WORD), "removed", invert=True)
        trainer = parts.trainers.WordLevelTrainer(
            vocab_size=most + len(SPECIAL),
            min_frequency=min_count,
            special_tokens=list(SPECIAL),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    @classmethod
    def read(cls, text: str) -> Words:
        """Read what `to_json` gave.

        Raises:
            ValueError: it is not a tokenizer of this kind.
        """
        parts = tokenizers_package()
        if json.loads(text).get("model", {}).get("type") != "WordLevel":
            raise ValueError("not a tokenizer of whole words")
        return cls(parts.Tokenizer.from_str(text))

    def to_json(self) -> str:
        """The vocabulary and its rules, as the package `tokenizers` writes them."""
        return str(self._tokenizer.to_str(pretty=True))

    def cut(self, text: str) -> list[str]:
        """The words of a text as they are looked up, known or not."""
        normal = self._tokenizer.normalizer.normalize_str(text)
        return [word for word, _ in self._tokenizer.pre_tokenizer.pre_tokenize_str(normal)]

    def known(self, texts: Sequence[str]) -> list[int]:
        """How many words of each text are in the vocabulary."""
        return [int((numbers != UNKNOWN).sum()) for numbers in self.number(texts)]

    def number(self, texts: Sequence[str]) -> list[Tensor]:
        """Each text as numbers (T,), long. A text without a word is one unknown word."""
        encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [torch.tensor(one.ids or [UNKNOWN]) for one in encoded]


def tokenizers_package() -> Any:
    """The package `tokenizers`. Raises `MachineError` where it is not installed."""
    try:
        return importlib.import_module("tokenizers")
    except ImportError as error:
        raise MachineError(
            "texts are cut into words by the package tokenizers, which is not installed; "
            'install it with: pip install "throughtime[text]"'
        ) from error
