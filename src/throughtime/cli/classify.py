"""Commands for classifiers: fit classify; measuring and using a trained classifier."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from throughtime.cli.answering import in_groups, lines_of_stdin, write_answers
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
from throughtime.tasks.classify_scores import ClassifyMetrics
from throughtime.tasks.classify_settings import ClassifySettings

NETWORK, TRAINING = network_groups(3)
GROUPS = {
    "network": NETWORK,
    "epochs": TRAINING,
    "text": Group("Texts", sort_key=1),
    "embedding": NETWORK,
}
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson")  # read by columns in `predict`; other files line by line


@settings_as_options(ClassifySettings, GROUPS)
def classify(
    data: Annotated[str | None, Parameter(help="Texts with a label each: CSV, TSV, JSON lines, …")] = None,
    /,
    *,
    out: Out = None,
    resume: Resume = None,
    json: AsJson = False,
    quiet: Quiet = False,
    **options: Any,
) -> int:
    """Train recurrent networks to tell classes of texts apart, and measure them beside baselines."""
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
            "a file of texts with a label each, as in: "
            "throughtime fit classify reviews.csv --text review --label stars"
        ),
        show=_show,
    )


def evaluate_model(folder: Path, data: str | None, *, as_json: bool) -> int:
    """Measure a trained classifier beside its baselines."""
    print_metrics(Classifier.load(folder).evaluate(data), as_json=as_json, show=_show)
    return 0


def predict_with(folder: Path, data: str | None, *, out: Path | None, as_json: bool) -> int:
    """Answer each text with one line: label and probability, or a JSON object with every class.

    A CSV, TSV or JSON-lines file is read by its text column; any other file, and standard input (without
    DATA), line by line. Standard input is answered line by line as it comes.
    """
    classifier = Classifier.load(folder)
    if data is None:
        groups, place = lines_of_stdin(), "standard input line"
    else:
        groups, place = in_groups(_texts_of(data, classifier.settings)), f"{Path(data).name} text"
    answers = _Answers(classifier, place, as_json=as_json)
    write_answers(groups, answers, out)
    answers.warn()
    return 0


class _Answers:
    """Answers texts, and counts those that say little: without a word, or with no known word."""

    def __init__(self, classifier: Classifier, place: str, *, as_json: bool) -> None:
        self.classifier, self.place, self.as_json = classifier, place, as_json
        self.count = 0
        self.little: list[int] = []  # numbers of those texts, from 1

    def __call__(self, texts: list[str]) -> Iterator[str]:
        """One line for each text."""
        shares = self.classifier.predict_proba(texts)
        known = self.classifier.words_.known(texts)
        for text, row, words in zip(texts, shares, known, strict=True):
            self.count += 1
            if not words:
                self.little.append(self.count)
            yield self._line(row.tolist(), words, len(self.classifier.words_.cut(text)))

    def warn(self) -> None:
        """Say on stderr how many texts held nothing that the network knows."""
        if self.little:
            print(
                f"{len(self.little):,} of {self.count:,} texts hold no word that training held (the first: "
                f"{self.place} {self.little[0]}); their answers say little.",
                file=sys.stderr,
            )

    def _line(self, shares: list[float], known: int, words: int) -> str:
        best = max(range(len(shares)), key=shares.__getitem__)
        label = self.classifier.classes_[best]
        if not self.as_json:
            return f"{label}\t{shares[best]:.4f}"
        scores = dict(zip(self.classifier.classes_, shares, strict=True))
        found = {"label": label, "confidence": shares[best], "scores": scores, "words": words, "known": known}
        return json_module.dumps(found, ensure_ascii=False)


def _texts_of(path: str, settings: ClassifySettings) -> tuple[str, ...]:
    table = path.lower().removesuffix(".gz").endswith(TABLES)
    return read_texts(path, layout="auto" if table else "lines", text=settings.text, labelled=False).texts


def _show(metrics: ClassifyMetrics) -> None:
    methods = [
        ("network", metrics.test, ""),
        *((one.label, one, one.note) for one in metrics.baselines.values()),
    ]
    rows = [
        (label, f"{one.accuracy:.2%}", f"{one.macro_f1:.2%}", f"{one.log_loss:.3f}", note)
        for label, one, note in methods
    ]
    title = f"{len(metrics.classes)} classes: {metrics.test.texts:,} test texts"
    print_scores(title, ("accuracy", "macro F1", "log loss"), rows)
    apart = f"{metrics.test.calibration_error:.1%}"
    print(f"Confidence and the share that is right are {apart} apart on the test part.")
    for label, reason in metrics.left_out.items():
        print(f"Left out: {label}: {reason}.")
