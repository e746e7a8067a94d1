"""What a finished fit of a transcriber leaves behind: card, symbols, metrics.json, history.csv, report."""

from __future__ import annotations

from throughtime.page.transcribe_report import render_transcribe_report
from throughtime.tasks.fitting import shared_card
from throughtime.tasks.model_folder import HISTORY, METRICS, REPORT
from throughtime.tasks.results import history_as_csv
from throughtime.tasks.transcribe_card import LEXICON, SYMBOLS, TranscribeCard
from throughtime.tasks.transcribe_report import TranscribeFitted, build_report
from throughtime.tasks.transcribe_scores import TranscribeMetrics
from throughtime.tasks.transcribe_words import words_as_json
from throughtime.training import Diagnosis, diagnose

ADVICE = {
    "high bias": (
        "longer training: more --epochs; CTC writes nothing but blanks at first, and then learns at once",
        "a finer look at time: a smaller --stack",
        "a larger network: --hidden twice as large, or one more of --layers",
    ),
    "high variance": (
        "more recordings, of more speakers, help most",
        "more restraint: a larger --tempo, --time-mask, --band-mask or --dropout",
        "--lexicon FILE with all words that can be said; or --unit word, where each occurs often in training",
    ),
    "both": (
        "listen to some training recordings beside their transcripts: do they fit together?",
        "another --learning-rate or more --epochs: the training itself may be what fails",
    ),
    "balanced": (
        "more recordings, or a larger --hidden, may still gain a little",
        "another --seed shows how much of a gain is chance",
    ),
}


def make_card(fitted: TranscribeFitted) -> TranscribeCard:
    """The model card."""
    data = fitted.data
    return TranscribeCard(**shared_card(fitted), sample_rate=data.mel.rate, most_frequent=data.most_frequent)


def make_texts(fitted: TranscribeFitted, words: tuple[str, ...]) -> dict[str, str]:
    """Content of the text files of the model folder, by name.

    Args:
        fitted: What training left in memory.
        words: Those that are known; there is no file for none.
    """
    metrics = fitted.evaluation.metrics
    report = build_report(fitted, diagnose_transcriber(metrics))
    return {
        SYMBOLS: fitted.data.symbols.to_json(),
        **({LEXICON: words_as_json(words)} if words else {}),
        METRICS: metrics.model_dump_json(indent=2) + "\n",
        HISTORY: history_as_csv(fitted.result),
        REPORT: render_transcribe_report(report),
    }


def diagnose_transcriber(metrics: TranscribeMetrics) -> Diagnosis:
    """High bias or high variance, by the word error rate beside the best baseline's."""
    assert metrics.training is not None
    assert metrics.validation is not None
    wrong = {one.label: 100 * one.validation.wer for one in metrics.baselines.values() if one.validation}
    best = min(wrong, key=lambda label: wrong[label])
    found = diagnose(
        100 * metrics.training.wer,
        100 * metrics.validation.wer,
        wrong[best],
        unit="%",
        name_of_baseline=best,
    )
    return found.model_copy(update={"advice": ADVICE[found.verdict]})
