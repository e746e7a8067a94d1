"""What a translator answers: text, score, and where it looked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from throughtime.data.subwords import END
from throughtime.data.words import UNKNOWN
from throughtime.nn.seq2seq import Seq2Seq
from throughtime.tasks.translate_data import Pieces
from throughtime.tasks.translate_network import attention_weights, translate
from throughtime.tasks.translate_settings import TranslateSettings

END_SHOWN = "(end)"


@dataclass(frozen=True)
class Looked:
    """Where a decoder looked while it wrote.

    Attributes:
        source: Pieces read, S, the end last.
        target: Pieces written, T, the end last.
        weights: (T, S), rows add up to 1; None without attention.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: npt.NDArray[np.float64] | None


@dataclass(frozen=True)
class Translation:
    """One translation.

    Attributes:
        text: Raw text.
        log_probability: Of its pieces and their end, nats.
        score: What the search compares: the log-probability over `throughtime.nn.beam_search.length_factor`.
        symbols: Its pieces by number, without the end.
    """

    text: str
    log_probability: float
    score: float
    symbols: tuple[int, ...]


def answer(
    network: Seq2Seq, pieces: Pieces, sentences: list[str], settings: TranslateSettings, *, best: int
) -> list[list[Translation]]:
    """At most `best` translations of each sentence; of an empty one the empty one."""
    sentences = [sentence.strip() for sentence in sentences]
    filled = [row for row, sentence in enumerate(sentences) if sentence]
    inputs = pieces.source.number([sentences[row] for row in filled])
    found = [[Translation("", 0.0, 0.0, ())] for _ in sentences]
    for row, hypotheses in zip(filled, translate(network, inputs, settings, best=best), strict=True):
        found[row] = [
            Translation(pieces.target.text(one.symbols).strip(), one.log_probability, one.score, one.symbols)
            for one in hypotheses
        ]
    return found


def known_pieces(pieces: Pieces, sentence: str) -> tuple[int, int]:
    """How many pieces a sentence has, and how many of them training held."""
    (numbers,) = pieces.source.number([sentence.strip()])
    return len(numbers) - 1, int((numbers[:-1] != UNKNOWN).sum())


def looked_at(network: Seq2Seq, pieces: Pieces, sentence: str, symbols: tuple[int, ...]) -> Looked:
    """Where the decoder looks while it writes `symbols` for a sentence."""
    (source,) = pieces.source.number([sentence.strip()])
    weights = attention_weights(network, source, symbols)
    return Looked(
        _shown(pieces.source.pieces(source.tolist())),
        _shown(pieces.target.pieces([*symbols, END])),
        weights,
    )


def _shown(names: list[str]) -> tuple[str, ...]:
    return (*names[:-1], END_SHOWN)
