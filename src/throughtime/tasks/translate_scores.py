"""How good translations are: BLEU and chrF as sacrebleu counts them, with its signatures."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from throughtime.errors import MachineError

BINS = 5  # groups of test sentences by the length of their source


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextScores(_Record):
    """Figures of translations against one reference each.

    Attributes:
        bleu: Corpus BLEU, 0 to 100.
        chrf: Corpus chrF, 0 to 100.
        length_ratio: Words of the translations over words of the references.
        sentences: How many there are.
    """

    bleu: float
    chrf: float
    length_ratio: float
    sentences: int


class NetworkScores(TextScores):
    """The network on one part.

    Attributes:
        loss: Cross-entropy of the true translations, nats per piece.
        perplexity: e to the loss.
    """

    loss: float
    perplexity: float


class LengthScores(TextScores):
    """Test sentences whose sources have `shortest` to `longest` words."""

    shortest: int
    longest: int


class BaselineScores(TextScores):
    """A baseline on the test part, and on the validation part where there is one."""

    label: str
    note: str
    validation: TextScores | None = None


class TranslateMetrics(_Record):
    """What `evaluate` prints with --json, and what metrics.json holds.

    Attributes:
        test: The network on the test part.
        validation: On the validation part.
        training: On some training pairs.
        by_length: The test part by words of the source.
        baselines: On the same sentences.
        left_out: Baselines that could not run, and why.
        best_baseline: The one with the highest BLEU on the test part.
        signatures: What exactly sacrebleu counted, by figure.
    """

    test: NetworkScores
    validation: NetworkScores | None = None
    training: NetworkScores | None = None
    by_length: tuple[LengthScores, ...]
    baselines: dict[str, BaselineScores]
    left_out: dict[str, str]
    best_baseline: str
    signatures: dict[str, str]


def text_scores(found: Sequence[str], references: Sequence[str]) -> TextScores:
    """Figures of translations, one reference each, by sacrebleu's defaults: cased, tokenisation 13a."""
    metrics = _metrics()
    bleu = metrics.BLEU().corpus_score(found, [references])
    return TextScores(
        bleu=bleu.score,
        chrf=metrics.CHRF().corpus_score(found, [references]).score,
        length_ratio=bleu.ratio,
        sentences=len(found),
    )


def sentence_scores(found: Sequence[str], references: Sequence[str]) -> list[float]:
    """The chrF of each translation alone: a figure that tells single sentences apart, as BLEU does not."""
    chrf = _metrics().CHRF()
    return [
        chrf.sentence_score(one, [reference]).score for one, reference in zip(found, references, strict=True)
    ]


def signatures() -> dict[str, str]:
    """What exactly sacrebleu counts."""
    metrics = _metrics()
    made = {}
    for name, metric in (("bleu", metrics.BLEU()), ("chrf", metrics.CHRF())):
        metric.corpus_score(["a"], [["a"]])  # the number of references is known after a first score alone
        made[name] = str(metric.get_signature())
    return made


def by_length(
    sources: Sequence[str], found: Sequence[str], references: Sequence[str]
) -> tuple[LengthScores, ...]:
    """Figures of about equally large groups, by words of the source."""
    words = np.array([len(source.split()) for source in sources])
    borders = np.unique(np.quantile(words, np.linspace(0, 1, BINS + 1)[1:-1], method="nearest"))
    group = np.searchsorted(borders, words)  # a sentence as long as a border belongs to the group below
    scored = []
    for number in np.unique(group):
        rows = np.flatnonzero(group == number).tolist()
        scores = text_scores([found[row] for row in rows], [references[row] for row in rows])
        shortest, longest = int(words[rows].min()), int(words[rows].max())
        scored.append(LengthScores(**scores.model_dump(), shortest=shortest, longest=longest))
    return tuple(scored)


def _metrics() -> Any:
    try:
        return importlib.import_module("sacrebleu.metrics")
    except ImportError as error:
        raise MachineError(
            "translations are measured by the package sacrebleu, which is not installed; "
            'install it with: pip install "throughtime[translate]"'
        ) from error
