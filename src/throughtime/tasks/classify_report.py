"""What the page of a trained classifier says, gathered from what was read, trained and measured."""

from __future__ import annotations

import numpy as np

from throughtime.nn.classify_network import Ensemble
from throughtime.page import classify_report as page
from throughtime.tasks.classify_card import ClassifyRun
from throughtime.tasks.classify_data import ClassifyData, Part
from throughtime.tasks.classify_encoders import Kind
from throughtime.tasks.classify_evaluation import Evaluation
from throughtime.tasks.classify_examples import example_groups
from throughtime.tasks.classify_network import LOSS_NAME, describe_network
from throughtime.tasks.classify_scores import ClassifyMetrics, PartScores
from throughtime.tasks.fitting import Fitted
from throughtime.tasks.reporting import shared_report
from throughtime.training import Diagnosis

LIMITS: dict[Kind, str] = {
    "text": "Words that count are found one at a time; two that only count together are not seen.",
    "numbers": "Stretches that count are found one at a time; two that only count together are not seen.",
}

ClassifyFitted = Fitted[ClassifyRun, ClassifyData, Ensemble, Evaluation]


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
        noun=data.encoder.noun,
        known=data.encoder.known,
        loss_name=LOSS_NAME.format(noun=data.encoder.noun),
        scores=_scores(metrics, network),
        per_class=[
            page.ClassFigures(label=label, **figures.model_dump())
            for label, figures in metrics.per_class.items()
        ],
        confusion=metrics.confusion,
        calibration=[page.Bin(**one.model_dump()) for one in metrics.calibration],
        calibration_error=metrics.test.calibration_error,
        temperature=metrics.temperature,
        groups=example_groups(fitted.network, data, fitted.evaluation),
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
