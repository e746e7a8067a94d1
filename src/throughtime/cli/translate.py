"""Commands for translators: fit translate; measuring and using a trained translator."""

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
from throughtime.tasks.translate import Translator
from throughtime.tasks.translate_answers import Translation, known_pieces, looked_at
from throughtime.tasks.translate_card import TASK
from throughtime.tasks.translate_scores import TranslateMetrics
from throughtime.tasks.translate_settings import TranslateSettings
from throughtime.tasks.translate_sources import place_in_two

NETWORK, TRAINING = network_groups(3)
GROUPS = {
    "network": NETWORK,
    "epochs": TRAINING,
    "source": Group("Pairs", sort_key=1),
    "attention": NETWORK,
    "label_smoothing": TRAINING,
    "beam": Group("Search", sort_key=5),
}
SHOWN_DIGITS = 4  # of an attention weight in JSON


@settings_as_options(TranslateSettings, GROUPS)
def translate(
    sentences: Annotated[str | None, Parameter(help="Sentences, one a line; or a table of pairs.")] = None,
    translations: Annotated[str | None, Parameter(help="Their translations, line by line.")] = None,
    /,
    *,
    no_attention: Annotated[bool, Parameter(help="The same as --attention none.", negative=())] = False,
    out: Out = None,
    resume: Resume = None,
    json: AsJson = False,
    quiet: Quiet = False,
    **options: Any,
) -> int:
    """Train an encoder and a decoder with attention to translate, and measure them beside baselines."""
    if no_attention:
        options["attention"] = "none"
    if sentences is not None and translations is None:
        sentences, translations = place_in_two(sentences)
    return run_fit(
        TASK,
        Translator,
        sentences,
        options,
        out=out,
        resume=resume,
        as_json=json,
        quiet=quiet,
        expected=(
            "a file of sentences and one of their translations, as in: "
            "throughtime fit translate train.de train.en --validation val.de,val.en"
        ),
        show=_show,
        partner=translations,
    )


def evaluate_model(folder: Path, data: str | None, *, as_json: bool) -> int:
    """Measure a trained translator beside its baselines, on SOURCE,TARGET or a table of pairs."""
    translator = Translator.load(folder)
    places = (None, None) if data is None else place_in_two(data)
    print_metrics(translator.evaluate(*places), as_json=as_json, show=_show)
    return 0


def predict_with(folder: Path, data: str | None, *, out: Path | None, as_json: bool) -> int:
    """Answer each line with its translation, or with a JSON object: n best, scores, attention.

    An empty line is answered by an empty one. Standard input (without DATA) is answered as it comes.
    """
    translator = Translator.load(folder)
    if data is None:
        groups, place = lines_of_stdin(), "standard input line"
    else:
        groups = in_groups(read_texts(data, layout="lines", labelled=False).texts)
        place = f"{Path(data).name} line"
    answers = _Answers(translator, place, as_json=as_json)
    write_answers(groups, answers, out)
    answers.warn()
    return 0


class _Answers:
    """Answers sentences, and counts those with no sign that training held."""

    def __init__(self, translator: Translator, place: str, *, as_json: bool) -> None:
        self.translator, self.place, self.as_json = translator, place, as_json
        self.count = 0
        self.unknown: list[int] = []  # numbers of those sentences, from 1

    def __call__(self, sentences: list[str]) -> Iterator[str]:
        """One line for each sentence."""
        best = self.translator.settings.beam if self.as_json else 1
        for sentence, found in zip(
            sentences, self.translator.translations(sentences, best=best), strict=True
        ):
            self.count += 1
            pieces, known = known_pieces(self.translator.pieces_, sentence)
            if pieces and not known:
                self.unknown.append(self.count)
            yield self._as_json(sentence, found, known, pieces) if self.as_json else found[0].text

    def warn(self) -> None:
        """Say on stderr how many sentences held nothing that the network knows."""
        if self.unknown:
            print(
                f"{len(self.unknown):,} of {self.count:,} sentences hold nothing that training held (the "
                f"first: {self.place} {self.unknown[0]}); their translations say nothing.",
                file=sys.stderr,
            )

    def _as_json(self, sentence: str, found: list[Translation], known: int, pieces: int) -> str:
        answer: dict[str, Any] = {
            "translation": found[0].text,
            "best": [
                {"text": one.text, "log_probability": one.log_probability, "score": one.score}
                for one in found
            ],
            "pieces": pieces,
            "known": known,
            "attention": None,
        }
        if pieces:
            looked = looked_at(self.translator.network_, self.translator.pieces_, sentence, found[0].symbols)
            if looked.weights is not None:
                answer["attention"] = {
                    "source": looked.source,
                    "target": looked.target,
                    "weights": looked.weights.round(SHOWN_DIGITS).tolist(),
                }
        return json_module.dumps(answer, ensure_ascii=False)


def _show(metrics: TranslateMetrics) -> None:
    test = metrics.test
    rows = [("network", f"{test.bleu:.1f}", f"{test.chrf:.1f}", f"perplexity {test.perplexity:.2f}")]
    rows += [
        (one.label, f"{one.bleu:.1f}", f"{one.chrf:.1f}", one.note) for one in metrics.baselines.values()
    ]
    print_scores(f"{test.sentences:,} test sentences", ("BLEU", "chrF"), rows)
    print(f"sacrebleu {metrics.signatures['bleu']}")
