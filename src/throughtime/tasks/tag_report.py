"""What the page of a trained tagger says, gathered from what was read, trained and measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from throughtime.data import Span, tag_names
from throughtime.data.tag_schemes import count_spans, may_follow
from throughtime.nn.tag_network import TagEnsemble
from throughtime.page import tag_report as page
from throughtime.tasks.fitting import Fitted
from throughtime.tasks.reporting import shared_report
from throughtime.tasks.tag_card import TagRun
from throughtime.tasks.tag_data import Part, TagData
from throughtime.tasks.tag_evaluation import Evaluation
from throughtime.tasks.tag_network import LOSS_NAME, VALIDATION_NAME, describe_network
from throughtime.tasks.tag_scores import PartScores, TagMetrics
from throughtime.training import Diagnosis

EXAMPLES = 6  # sentences in each group
LONGEST = 60  # tokens of a sentence that is shown

TagFitted = Fitted[TagRun, TagData, TagEnsemble, Evaluation]


def build_report(fitted: TagFitted, diagnosis: Diagnosis) -> page.TagReport:
    """Gather everything that `render_tag_report` draws."""
    run, data, metrics = fitted.run, fitted.data, fitted.evaluation.metrics
    network = describe_network(run.settings)
    return page.TagReport(
        **shared_report(fitted, data.repairs, diagnosis),
        title=f"Tags of {run.source.name}",
        network=network,
        source=run.source.name,
        classes=data.classes,
        parts=[_part(name, part, data.classes) for name, part in _parts(data)],
        words=len(data.vocabulary.words),
        known=metrics.known,
        loss_name=LOSS_NAME,
        validation_name=VALIDATION_NAME,
        scores=_scores(metrics, network),
        per_class=[
            page.ClassFigures(label=label, **figures.model_dump())
            for label, figures in metrics.per_class.items()
        ],
        confusion=metrics.confusion,
        outcomes=page.Outcomes(**metrics.outcomes.model_dump()),
        calibration=[page.Bin(**one.model_dump()) for one in metrics.calibration],
        calibration_error=metrics.calibration_error,
        offset=metrics.offset,
        transitions=transitions_of(fitted.network, data.classes),
        groups=_groups(data.test, fitted.evaluation),
        limits=[
            "The offset of B- was chosen on the validation part; sentences of another kind may need another."
        ],
    )


def transitions_of(network: TagEnsemble, classes: Sequence[str]) -> page.Transitions:
    """The mean scores of the members' CRFs, with a row for the start and a column for the end."""
    names = tag_names(classes)
    with torch.no_grad():
        chains = [member.crf for member in network.members]
        moves, start, end = (
            torch.stack([getattr(chain, name) for chain in chains]).mean(dim=0).tolist()
            for name in ("transitions", "start", "end")
        )
    rows: list[list[float | None]] = [
        [score if may_follow(None, name) else None for name, score in zip(names, start, strict=True)] + [None]
    ]
    for first, scores, last in zip(names, moves, end, strict=True):
        allowed = [
            score if may_follow(first, name) else None for name, score in zip(names, scores, strict=True)
        ]
        rows.append([*allowed, last])
    return page.Transitions(rows=("start", *names), columns=(*names, "end"), scores=rows)


def _parts(data: TagData) -> list[tuple[str, Part]]:
    return [("training", data.train), ("validation", data.validation), ("test", data.test)]


def _part(name: str, part: Part, classes: Sequence[str]) -> page.PartOfData:
    counts = count_spans(part.tags)
    return page.PartOfData(
        part=name,
        sentences=len(part),
        tokens=sum(map(len, part.tokens)),
        spans=[counts[label] for label in classes],
    )


def _figures(scores: PartScores) -> page.Figures:
    return page.Figures(**scores.model_dump(include=set(page.Figures.model_fields)))


def _scores(metrics: TagMetrics, note: str) -> list[page.Score]:
    assert metrics.validation is not None
    network: dict[str, Any] = {"name": "network", "label": "network", "kind": "network", "note": note}
    return [
        page.Score(**network, validation=_figures(metrics.validation), test=_figures(metrics.test)),
        *(
            page.Score(
                name=name,
                label=one.label,
                kind="baseline",
                note=one.note,
                validation=_figures(one.validation),
                test=_figures(one),
            )
            for name, one in metrics.baselines.items()
        ),
    ]


def _groups(test: Part, evaluation: Evaluation) -> list[page.Group]:
    """Sentences with the surest errors, those that nearly had a missed span, and those that are all right."""
    found, truth = evaluation.test, evaluation.truth

    def wrong(row: int) -> float:
        pairs = zip(found.spans[row], found.confidences[row], strict=True)
        return max((sure for span, sure in pairs if span not in test.spans[row]), default=0.0)

    def missed(row: int) -> float:
        pairs = zip(test.spans[row], truth[row], strict=True)
        return max((sure for span, sure in pairs if _untouched(span, found.spans[row])), default=0.0)

    def right(row: int) -> float:
        return len(test.spans[row]) if found.spans[row] == test.spans[row] else 0.0

    described: list[tuple[str, str, Callable[[int], float]]] = [
        ("Wrong and sure", "The sentences with the wrong spans it is surest of.", wrong),
        ("Nearly found", "The sentences with the missed spans that it came nearest to naming.", missed),
        ("All right", "The sentences with the most spans, all of them right.", right),
    ]
    groups = []
    for title, text, worth in described:
        rows = [row for row in range(len(test)) if len(test.tokens[row]) <= LONGEST and worth(row) > 0]
        rows.sort(key=worth, reverse=True)
        if rows:
            examples = [_example(test, evaluation, row) for row in rows[:EXAMPLES]]
            groups.append(page.Group(title=title, text=text, examples=examples))
    return groups


def _untouched(span: Span, found: Sequence[Span]) -> bool:
    return not any(one.start < span.stop and span.start < one.stop for one in found)


def _example(test: Part, evaluation: Evaluation, row: int) -> page.Example:
    found = evaluation.test
    return page.Example(
        tokens=test.tokens[row],
        truth=_marks(test.spans[row], evaluation.truth[row]),
        found=_marks(found.spans[row], found.confidences[row]),
    )


def _marks(spans: Sequence[Span], confidences: Sequence[float]) -> list[page.Mark]:
    return [
        page.Mark(**span._asdict(), confidence=sure) for span, sure in zip(spans, confidences, strict=True)
    ]
