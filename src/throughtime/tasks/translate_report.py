"""What the page of a trained translator says, gathered from what was read, trained and measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from throughtime.nn.seq2seq import Seq2Seq
from throughtime.page import translate_report as page
from throughtime.tasks.fitting import Fitted
from throughtime.tasks.reporting import shared_report
from throughtime.tasks.results import command_of
from throughtime.tasks.translate_answers import looked_at
from throughtime.tasks.translate_card import TranslateRun
from throughtime.tasks.translate_data import Part, TranslateData
from throughtime.tasks.translate_evaluation import Evaluation
from throughtime.tasks.translate_network import LOSS_NAME, describe_network
from throughtime.tasks.translate_scores import TextScores, TranslateMetrics, sentence_scores
from throughtime.training import Diagnosis, diagnose

TYPICAL, EXTREME = 8, 6  # sentences shown: spread over the test part, and of the best and the worst
LONGEST = 40  # pieces of a sentence whose attention is shown
SHORTEST = 6  # words of a source among the best and the worst

ADVICE = {
    "high bias": (
        "longer training: more --epochs, or another --learning-rate",
        "a larger network: --hidden or --embedding twice as large",
        "less restraint: a smaller --dropout and --word-dropout",
    ),
    "high variance": (
        "more pairs help most",
        "more restraint: a larger --dropout, --word-dropout or --label-smoothing",
        "fewer pieces of words, so that each is met more often: --source-pieces and --target-pieces",
    ),
    "both": (
        "more pairs, and a look at whether the lines of both files belong together",
        "another --learning-rate or more --epochs: the training itself may be what fails",
    ),
    "balanced": (
        "more pairs, a larger --hidden or more --epochs may still gain a little",
        "another --seed shows how much of a gain is chance",
    ),
}

TranslateFitted = Fitted[TranslateRun, TranslateData, Seq2Seq, Evaluation]


def build_report(fitted: TranslateFitted) -> page.TranslateReport:
    """Gather everything that `render_translate_report` draws."""
    run, data, metrics = fitted.run, fitted.data, fitted.evaluation.metrics
    pieces = data.pieces
    shared = shared_report(fitted, data.repairs, diagnose_translator(metrics))
    return page.TranslateReport(
        **shared | {"command": command_of(run.task, run.settings, _places(run))},
        title=f"Translation of {run.source.name}",
        network=describe_network(run.settings),
        source=run.source.name,
        parts=[_part(*named) for named in _parts(data)],
        pieces=(len(pieces.source), len(pieces.target)),
        loss_name=LOSS_NAME,
        scores=_scores(metrics, describe_network(run.settings)),
        perplexity=metrics.test.perplexity,
        signatures=metrics.signatures,
        by_length=[
            page.LengthFigures(**one.model_dump(include=set(page.LengthFigures.model_fields)))
            for one in metrics.by_length
        ],
        sentences=_sentences(fitted),
        limits=[
            "There is one reference for each sentence; another good translation scores low beside it.",
            "Attention says where the decoder read, not why it chose a word.",
            "While learning, the loss counts dropped units and smoothed targets as well, so its curve lies "
            "above that of the validation part.",
        ],
    )


def diagnose_translator(metrics: TranslateMetrics) -> Diagnosis:
    """High bias or high variance, by what chrF lacks to 100 beside the best baseline."""
    assert metrics.training is not None
    assert metrics.validation is not None
    lacking = {
        one.label: 100 - one.validation.chrf
        for one in metrics.baselines.values()
        if one.validation is not None
    }
    best = min(lacking, key=lambda label: lacking[label])
    found = diagnose(
        100 - metrics.training.chrf,
        100 - metrics.validation.chrf,
        lacking[best],
        unit="points of chrF",
        name_of_baseline=best,
    )
    return found.model_copy(update={"advice": ADVICE[found.verdict]})


def _places(run: TranslateRun) -> str | None:
    """What the command line takes for the training pairs."""
    if run.source.path is None or "training" not in run.partners:
        return run.source.path
    return f"{run.source.path},{run.partners['training']}"


def _parts(data: TranslateData) -> list[tuple[str, Part]]:
    return [("training", data.train), ("validation", data.validation), ("test", data.test)]


def _part(name: str, part: Part) -> page.PartOfData:
    source, target = (sum(len(one.split()) for one in side) for side in (part.sources, part.targets))
    return page.PartOfData(part=name, pairs=len(part), source_words=source, target_words=target)


def _figures(scores: TextScores) -> page.Figures:
    return page.Figures(bleu=scores.bleu, chrf=scores.chrf, length_ratio=scores.length_ratio)


def _scores(metrics: TranslateMetrics, note: str) -> list[page.Score]:
    assert metrics.validation is not None
    scores = [
        page.Score(
            name="network",
            label="network",
            kind="network",
            note=note,
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


def _sentences(fitted: TranslateFitted) -> list[page.Sentence]:
    """Some from all over the test part, the best and the worst translated, each sentence once."""
    part, found = fitted.data.test, fitted.evaluation.test
    texts = [fitted.data.pieces.target.text(one.symbols).strip() for one in found]
    chrf = np.array(sentence_scores(texts, part.targets))
    sizes = [max(len(read), len(one.symbols) + 1) for read, one in zip(part.inputs, found, strict=True)]
    short = [row for row, size in enumerate(sizes) if size <= LONGEST]
    places = np.linspace(0, len(short) - 1, min(TYPICAL, len(short))).astype(int)
    long_enough = [row for row in short if len(part.sources[row].split()) >= SHORTEST]
    order = sorted(long_enough, key=lambda row: chrf[row])
    groups: dict[str, Sequence[int]] = {
        "from all over the test part": [short[place] for place in places],
        "best translated": order[::-1][:EXTREME],
        "worst translated": order[:EXTREME],
    }
    made, seen = [], set[int]()
    for group, rows in groups.items():
        for row in [row for row in rows if row not in seen]:
            seen.add(row)
            made.append(_sentence(fitted, group, row, texts[row], float(chrf[row])))
    return made


def _sentence(fitted: TranslateFitted, group: str, row: int, text: str, chrf: float) -> page.Sentence:
    part = fitted.data.test
    symbols = fitted.evaluation.test[row].symbols
    looked = looked_at(fitted.network, fitted.data.pieces, part.sources[row], symbols)
    return page.Sentence(
        group=group,
        source=part.sources[row],
        found=text,
        reference=part.targets[row],
        chrf=chrf,
        read=looked.source,
        written=looked.target,
        weights=() if looked.weights is None else looked.weights,
    )
