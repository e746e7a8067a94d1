"""Commands for classifiers: fit classify; measuring and using a trained classifier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from throughtime.cli.answering import in_groups, lines_of_stdin, write_answers
from throughtime.cli.classify_answers import SequenceAnswers, TextAnswers, groups_of_sequences
from throughtime.cli.fitting import (
    AsJson,
    Out,
    Quiet,
    Resume,
    network_groups,
    print_metrics,
    print_scores,
    run_fit,
)
from throughtime.cli.options import settings_as_options
from throughtime.data import read_texts
from throughtime.tasks.classify import Classifier
from throughtime.tasks.classify_card import TASK
from throughtime.tasks.classify_encoders import TextEncoder
from throughtime.tasks.classify_scores import ClassifyMetrics
from throughtime.tasks.classify_settings import ClassifySettings

NETWORK, TRAINING = network_groups(4)
GROUPS = {
    "network": NETWORK,
    "epochs": TRAINING,
    "kind": Group("Data", sort_key=1),
    "text": Group("Texts", sort_key=2),
    "sequence": Group("Sequences of numbers", sort_key=3),
    "embedding": NETWORK,
}
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson")  # read by columns in `predict`; other files line by line


@settings_as_options(ClassifySettings, GROUPS)
def classify(
    data: Annotated[
        str | None, Parameter(help="Texts or sequences with a label each: CSV, JSON lines, …")
    ] = None,
    /,
    *,
    out: Out = None,
    resume: Resume = None,
    json: AsJson = False,
    quiet: Quiet = False,
    **options: Any,
) -> int:
    """Train recurrent networks to tell classes of texts or sequences apart; measure them beside baselines."""
    return run_fit(
        TASK,
        Classifier,
        data,
        options,
        out=out,
        resume=resume,
        as_json=json,
        quiet=quiet,
        expected=(
            "a file of texts or of sequences of numbers with a label each, as in: "
            "throughtime fit classify reviews.csv --text review --label stars"
        ),
        show=_show,
    )


def evaluate_model(folder: Path, data: str | None, *, as_json: bool) -> int:
    """Measure a trained classifier beside its baselines."""
    print_metrics(Classifier.load(folder).evaluate(data), as_json=as_json, show=_show)
    return 0


def predict_with(folder: Path, data: str | None, *, out: Path | None, as_json: bool) -> int:
    """Answer each text or sequence with one line: label and probability, or a JSON object with every class.

    Texts: a CSV, TSV or JSON-lines file is read by its text column; any other file, and standard input
    (without DATA), line by line. Sequences: a table is read as in training, any other file and standard
    input as JSON lines. Standard input is answered line by line as it comes.
    """
    classifier = Classifier.load(folder)
    if isinstance(classifier.encoder_, TextEncoder):
        texts, place = _groups_of_texts(data, classifier.settings)
        answers = TextAnswers(classifier, place, as_json=as_json)
        write_answers(texts, answers, out)
        answers.warn()
    else:
        of_sequences = SequenceAnswers(classifier, as_json=as_json)
        write_answers(groups_of_sequences(data, classifier), of_sequences, out)
        of_sequences.warn()
    return 0


def _groups_of_texts(data: str | None, settings: ClassifySettings) -> tuple[Iterator[list[str]], str]:
    """Texts that are answered together, and what a message calls one of them."""
    if data is None:
        return lines_of_stdin(), "standard input line"
    table = data.lower().removesuffix(".gz").endswith(TABLES)
    found = read_texts(data, layout="auto" if table else "lines", text=settings.text, labelled=False)
    return in_groups(found.texts), f"{Path(data).name} text"


def _show(metrics: ClassifyMetrics) -> None:
    methods = [
        ("network", metrics.test, ""),
        *((one.label, one, one.note) for one in metrics.baselines.values()),
    ]
    rows = [
        (label, f"{one.accuracy:.2%}", f"{one.macro_f1:.2%}", f"{one.log_loss:.3f}", note)
        for label, one, note in methods
    ]
    title = f"{len(metrics.classes)} classes: {metrics.test.count:,} test {metrics.noun}s"
    print_scores(title, ("accuracy", "macro F1", "log loss"), rows)
    apart = f"{100 * metrics.test.calibration_error:.1f} %"
    print(f"Confidence and the share that is right are {apart} apart on the test part.")
