"""What the page of a trained classifier says, gathered from what was read, trained and measured."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from throughtime.data import Words
from throughtime.data.words import UNKNOWN
from throughtime.nn.classify_network import Ensemble
from throughtime.page import classify_report as page
from throughtime.tasks.classify_card import ClassifyRun
from throughtime.tasks.classify_data import ClassifyData, Part
from throughtime.tasks.classify_evaluation import Evaluation
from throughtime.tasks.classify_network import (
    LOSS_NAME,
    at_temperature,
    describe_network,
    log_probabilities,
)
from throughtime.tasks.classify_scores import ClassifyMetrics, PartScores
from throughtime.tasks.fitting import Fitted
from throughtime.tasks.reporting import shared_report
from throughtime.training import Diagnosis

EXAMPLES = 6  # texts in each group
LONGEST = 80  # words of a text whose words are weighed; longer ones are not shown

ClassifyFitted = Fitted[ClassifyRun, ClassifyData, Ensemble, Evaluation]

Floats = npt.NDArray[np.float64]


def build_report(fitted: ClassifyFitted, diagnosis: Diagnosis) -> page.ClassifyReport:
    """Gather everything that `render_classify_report` draws."""
    run, data, metrics = fitted.run, fitted.data, fitted.evaluation.metrics
    network = describe_network(run.settings)
    return page.ClassifyReport(
        **shared_report(fitted, data.repairs, diagnosis),
        title=f"Classes of {run.source.name}",
        network=network,
        source=run.source.name,
        classes=data.classes,
        parts=[_part(name, part, len(data.classes)) for name, part in _parts(data)],
        words=len(data.words),
        loss_name=LOSS_NAME,
        scores=_scores(metrics, network),
        per_class=[
            page.ClassFigures(label=label, **figures.model_dump())
            for label, figures in metrics.per_class.items()
        ],
        confusion=metrics.confusion,
        calibration=[page.Bin(**one.model_dump()) for one in metrics.calibration],
        calibration_error=metrics.test.calibration_error,
        temperature=metrics.temperature,
        groups=_groups(fitted.network, data, fitted.evaluation),
        limits=["Words that count are found one at a time; two that only count together are not seen."],
    )


def word_counts(network: nn.Module, words: Words, text: str, answer: int, temperature: float) -> Floats:
    """By how much the probability of a class falls when one word is made unknown: (T,), all words in turn.

    Args:
        network: An `Ensemble`.
        words: Its vocabulary.
        text: T words, at least 1.
        answer: The class.
        temperature: Of the probabilities.
    """
    (symbols,) = words.number([text])
    changed = symbols.repeat(len(symbols) + 1, 1)  # (T + 1, T); the last row stays as it is
    changed[torch.arange(len(symbols)), torch.arange(len(symbols))] = UNKNOWN
    found = at_temperature(log_probabilities(network, list(changed)), temperature)[:, answer]
    counts: Floats = found[-1] - found[:-1]
    return counts


def _parts(data: ClassifyData) -> list[tuple[str, Part]]:
    return [("training", data.train), ("validation", data.validation), ("test", data.test)]


def _part(name: str, part: Part, classes: int) -> page.PartOfData:
    return page.PartOfData(part=name, texts=tuple(np.bincount(part.truth, minlength=classes).tolist()))


def _figures(scores: PartScores) -> page.Figures:
    return page.Figures(accuracy=scores.accuracy, macro_f1=scores.macro_f1, log_loss=scores.log_loss)


def _scores(metrics: ClassifyMetrics, label: str) -> list[page.Score]:
    assert metrics.validation is not None
    scores = [
        page.Score(
            name="network",
            label="network",
            kind="network",
            note=label,
            validation=_figures(metrics.validation),
            test=_figures(metrics.test),
        )
    ]
    for name, baseline in metrics.baselines.items():
        assert baseline.validation is not None
        scores.append(
            page.Score(
                name=name,
                label=baseline.label,
                kind="baseline",
                note=baseline.note,
                validation=_figures(baseline.validation),
                test=_figures(baseline),
            )
        )
    return scores


def _groups(network: nn.Module, data: ClassifyData, evaluation: Evaluation) -> list[page.Group]:
    confidence = evaluation.test.max(axis=1)
    right = evaluation.test.argmax(axis=1) == data.test.truth
    short = np.array([len(one) <= LONGEST for one in data.test.inputs])
    surest = np.argsort(-confidence, kind="stable")
    chosen = {
        ("Wrong and sure", "The texts it is most wrong about."): surest[(~right & short)[surest]],
        ("Least sure", "The texts it can hardly decide on."): surest[short[surest]][::-1],
        ("Right and sure", "The texts it is surest of."): surest[(right & short)[surest]],
    }
    return [
        page.Group(
            title=title,
            text=text,
            examples=[_example(network, data, evaluation, int(row)) for row in rows[:EXAMPLES]],
        )
        for (title, text), rows in chosen.items()
        if len(rows)
    ]


def _example(network: nn.Module, data: ClassifyData, evaluation: Evaluation, row: int) -> page.Example:
    text, answer = data.test.texts[row], int(evaluation.test[row].argmax())
    names = data.words.cut(text) or [text]
    counts = word_counts(network, data.words, text, answer, evaluation.metrics.temperature)
    return page.Example(
        words=[page.Word(text=name, counts=count) for name, count in zip(names, counts, strict=True)],
        answer=data.classes[answer],
        confidence=float(evaluation.test[row, answer]),
        truth=data.classes[int(data.test.truth[row])],
    )
