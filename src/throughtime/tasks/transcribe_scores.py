"""How good a transcriber is: word and character errors, and which words are taken for which."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from pydantic import BaseModel, ConfigDict

from throughtime.errors import MachineError
from throughtime.tasks.transcribe_words import DecoderName

MOST_CONFUSIONS = 30


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PartScores(_Record):
    """Figures over one part.

    Attributes:
        wer: Word error rate: substituted, inserted and deleted words, by the number of words said. It may
            exceed 1.
        cer: Character error rate, the same over characters, blanks between words included.
        sentences: Share of recordings whose text is right to the last character.
        substitutions: Words taken for another, ...
        insertions: ... words answered that were not said, ...
        deletions: ... and words left out.
        words: Words said.
        recordings: How many there are.
    """

    wer: float
    cer: float
    sentences: float
    substitutions: int
    insertions: int
    deletions: int
    words: int
    recordings: int


class BothScores(_Record):
    """A method on the test part, and on the validation part where there is one."""

    label: str
    note: str
    test: PartScores
    validation: PartScores | None = None


class Confusion(_Record):
    """A word said and what was answered instead: "" for a word left out, or one that was not said."""

    said: str
    answered: str
    count: int


class TranscribeMetrics(_Record):
    """What `evaluate` prints with --json, and what metrics.json holds.

    Attributes:
        decoder: The one that answers: "words", "beam" or "greedy".
        test: With that decoder.
        decoders: Each of them.
        confidence: Mean probability of the answers to the test part; as high as `test.sentences` where
            the probabilities mean what they say.
        confusions: On the test part, the most frequent first.
    """

    decoder: DecoderName
    test: PartScores
    validation: PartScores | None = None
    training: PartScores | None = None
    decoders: dict[str, BothScores]
    confidence: float
    confusions: tuple[Confusion, ...]
    baselines: dict[str, BothScores]
    left_out: dict[str, str]
    best_baseline: str


def part_scores(said: Sequence[str], answered: Sequence[str]) -> PartScores:
    """Figures of one part.

    Args:
        said: What was said, N texts, none empty.
        answered: What was answered.

    Raises:
        MachineError: the package `jiwer` is missing.
    """
    jiwer = _jiwer()
    words = jiwer.process_words(list(said), list(answered))
    return PartScores(
        wer=words.wer,
        cer=jiwer.process_characters(list(said), list(answered)).cer,
        sentences=sum(one == other for one, other in zip(said, answered, strict=True)) / len(said),
        substitutions=words.substitutions,
        insertions=words.insertions,
        deletions=words.deletions,
        words=words.hits + words.substitutions + words.deletions,
        recordings=len(said),
    )


def aligned(said: Sequence[str], answered: Sequence[str]) -> list[list[tuple[str, str]]]:
    """For each recording its words beside those answered, (said, answered); "" where one side has none."""
    found = _jiwer().process_words(list(said), list(answered))
    return [
        [pair for chunk in chunks for pair in _pairs(chunk, truth, heard)]
        for truth, heard, chunks in zip(found.references, found.hypotheses, found.alignments, strict=True)
    ]


def confusions(said: Sequence[str], answered: Sequence[str]) -> tuple[Confusion, ...]:
    """Words taken for others, left out, or not said, the most frequent first."""
    pairs = (pair for row in aligned(said, answered) for pair in row)
    counts = Counter(pair for pair in pairs if pair[0] != pair[1])
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        Confusion(said=one, answered=other, count=count) for (one, other), count in ordered[:MOST_CONFUSIONS]
    )


def _pairs(chunk: Any, truth: list[str], heard: list[str]) -> list[tuple[str, str]]:
    ours = truth[chunk.ref_start_idx : chunk.ref_end_idx]
    theirs = heard[chunk.hyp_start_idx : chunk.hyp_end_idx]
    return list(zip_longest(ours, theirs, fillvalue=""))


def _jiwer() -> Any:
    try:
        return importlib.import_module("jiwer")
    except ImportError as error:
        raise MachineError(
            "word errors are counted by the package jiwer, which is not installed; "
            'install it with: pip install "throughtime[audio]"'
        ) from error
