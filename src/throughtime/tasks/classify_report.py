"""What the page of a trained classifier says, gathered from what was read, trained and measured."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from torch import nn

from throughtime._version import __version__
from throughtime.page import classify_report as page
from throughtime.page import parts
from throughtime.tasks.classify_card import ClassifyRun
from throughtime.tasks.classify_data import ClassifyData, Part
from throughtime.tasks.classify_encoders import Kind
from throughtime.tasks.classify_evaluation import Evaluation
from throughtime.tasks.classify_examples import example_groups
from throughtime.tasks.classify_network import LOSS_NAME, describe_network
from throughtime.tasks.classify_scores import ClassifyMetrics, PartScores
from throughtime.training import Diagnosis, FitResult

LIMITS: dict[Kind, str] = {
    "text": "Words that count are found one at a time; two that only count together are not seen.",
    "numbers": "Stretches that count are found one at a time; two that only count together are not seen.",
}


def build_report(
    run: ClassifyRun,
    data: ClassifyData,
    network: nn.Module,
    evaluation: Evaluation,
    result: FitResult,
    diagnosis: Diagnosis,
    *,
    parameters: int,
    seconds: float,
    command: str,
) -> page.ClassifyReport:
    """Gather everything that `render_classify_report` draws."""
    metrics = evaluation.metrics
    return page.ClassifyReport(
        title=f"Classes of {run.source.name}",
        version=__version__,
        created=datetime.now(UTC),
        network=describe_network(run.settings),
        parameters=parameters,
        seconds_to_fit=seconds,
        source=run.source.name,
        classes=data.classes,
        parts=[_part(name, part, len(data.classes)) for name, part in _parts(data)],
        noun=data.encoder.noun,
        known=data.encoder.known,
        repairs=[parts.Repair(**repair.model_dump()) for repair in data.repairs],
        history=[
            parts.Epoch(**epoch.model_dump(include=set(parts.Epoch.model_fields))) for epoch in result.history
        ],
        best_epoch=result.best_epoch,
        loss_name=LOSS_NAME.format(noun=data.encoder.noun),
        scores=_scores(metrics, describe_network(run.settings)),
        per_class=[
            page.ClassFigures(label=label, **figures.model_dump())
            for label, figures in metrics.per_class.items()
        ],
        confusion=metrics.confusion,
        calibration=[page.Bin(**one.model_dump()) for one in metrics.calibration],
        calibration_error=metrics.test.calibration_error,
        temperature=metrics.temperature,
        groups=example_groups(network, data, evaluation),
        diagnosis=parts.Diagnosis(**diagnosis.model_dump(include=set(parts.Diagnosis.model_fields))),
        command=command,
        settings=run.settings.model_dump(mode="json"),
        limits=[LIMITS[data.encoder.kind]],
    )


def _parts(data: ClassifyData) -> list[tuple[str, Part]]:
    return [("training", data.train), ("validation", data.validation), ("test", data.test)]


def _part(name: str, part: Part, classes: int) -> page.PartOfData:
    return page.PartOfData(part=name, counts=tuple(np.bincount(part.truth, minlength=classes).tolist()))


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
