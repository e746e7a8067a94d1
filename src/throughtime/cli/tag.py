"""Commands for taggers: fit tag; measuring and using a trained tagger."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter
from rich.console import Console

from throughtime.cli.answering import LittleKnown, in_groups, lines_of_stdin, write_answers
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
from throughtime.data import cut_line, read_conll, read_texts
from throughtime.data.tokens import Token
from throughtime.tasks.tag import Tagger
from throughtime.tasks.tag_answers import FoundSpan
from throughtime.tasks.tag_card import TASK
from throughtime.tasks.tag_scores import PartScores, TagMetrics
from throughtime.tasks.tag_settings import TagSettings

NETWORK, TRAINING = network_groups(3)
GROUPS = {
    "network": NETWORK,
    "epochs": TRAINING,
    "validation": Group("Sentences", sort_key=1),
    "embedding": NETWORK,
}
CONLL = (".conll", ".bio", ".iob", ".iob2")  # read by columns in `predict`; other files line by line


@settings_as_options(TagSettings, GROUPS)
def tag(
    data: Annotated[str | None, Parameter(help="CoNLL text: a token and its tag a line.")] = None,
    /,
    *,
    out: Out = None,
    resume: Resume = None,
    json: AsJson = False,
    quiet: Quiet = False,
    **options: Any,
) -> int:
    """Train recurrent networks to find and name spans in sentences, and measure them beside baselines."""
    return run_fit(
        TASK,
        Tagger,
        data,
        options,
        out=out,
        resume=resume,
        as_json=json,
        quiet=quiet,
        expected=(
            "a CoNLL file, as in: throughtime fit tag train.conll --validation dev.conll --test test.conll"
        ),
        show=_show,
    )


def evaluate_model(folder: Path, data: str | None, *, as_json: bool) -> int:
    """Measure a trained tagger beside its baselines."""
    print_metrics(Tagger.load(folder).evaluate(data), as_json=as_json, show=_show)
    return 0


def predict_with(folder: Path, data: str | None, *, out: Path | None, as_json: bool) -> int:
    """Answer each sentence with its tokens and their tags.

    A file whose name ends as those of CoNLL files do gives CoNLL again: a token, a tab and its tag a line, a
    blank line after each sentence. Any other file, and standard input (without DATA), is cut into tokens line
    by line and gives token/TAG, parted by blanks, on one line for each. With --json each sentence is one
    object.
    """
    tagger = Tagger.load(folder)
    if data is None:
        little = LittleKnown("sentences", "standard input line")
        write_answers(lines_of_stdin(), _Lines(tagger, little, as_json=as_json), out)
    elif data.lower().removesuffix(".gz").endswith(CONLL):
        little = LittleKnown("sentences", f"{Path(data).name} sentence")
        sentences = read_conll(data, token_column=tagger.settings.token_column, tagged=False).tokens
        write_answers(in_groups(sentences), _Conll(tagger, little, as_json=as_json), out)
    else:
        little = LittleKnown("sentences", f"{Path(data).name} line")
        lines = read_texts(data, layout="lines", labelled=False).texts
        write_answers(in_groups(lines), _Lines(tagger, little, as_json=as_json), out)
    little.warn()
    return 0


class _Lines:
    """Answers lines of text."""

    def __init__(self, tagger: Tagger, little: LittleKnown, *, as_json: bool) -> None:
        self.tagger, self.little, self.as_json = tagger, little, as_json

    def __call__(self, lines: list[str]) -> Iterator[str]:
        """One line for each."""
        at_blanks = self.tagger.settings.cut_at == "blanks"
        cut = [cut_line(line, at_blanks=at_blanks) for line in lines]
        for tokens in cut:
            self.little.add(self.tagger.vocabulary_.known([token.text for token in tokens]))
        if self.as_json:
            yield from _objects(self.tagger, lines, cut)
            return
        for tokens, tags in zip(cut, self.tagger.predict(lines), strict=True):
            yield " ".join(f"{token.text}/{name}" for token, name in zip(tokens, tags, strict=True))


class _Conll:
    """Answers the sentences of a CoNLL file."""

    def __init__(self, tagger: Tagger, little: LittleKnown, *, as_json: bool) -> None:
        self.tagger, self.little, self.as_json = tagger, little, as_json

    def __call__(self, sentences: list[tuple[str, ...]]) -> Iterator[str]:
        """One block, or with JSON one line, for each."""
        for tokens in sentences:
            self.little.add(self.tagger.vocabulary_.known(tokens))
        if self.as_json:
            yield from _objects(self.tagger, *_joined(sentences))
            return
        for tokens, tags in zip(sentences, self.tagger.predict(sentences), strict=True):
            yield "".join(f"{token}\t{name}\n" for token, name in zip(tokens, tags, strict=True))


def _joined(sentences: Sequence[Sequence[str]]) -> tuple[list[str], list[list[Token]]]:
    """Sentences as lines with a blank between the tokens, and where each token stands."""
    cut = []
    for tokens in sentences:
        start, placed = 0, []
        for token in tokens:
            placed.append(Token(token, start, start + len(token)))
            start += len(token) + 1
        cut.append(placed)
    return [" ".join(tokens) for tokens in sentences], cut


def _objects(tagger: Tagger, lines: Sequence[str], cut: Sequence[Sequence[Token]]) -> Iterator[str]:
    """Each sentence as a JSON object: text, tokens, and the spans with class, characters and confidence."""
    sentences = [[token.text for token in tokens] or "" for tokens in cut]
    for line, tokens, spans in zip(lines, cut, tagger.predict_spans(sentences), strict=True):
        found = {
            "text": line,
            "tokens": [token.text for token in tokens],
            "spans": [_span(line, tokens, span) for span in spans],
        }
        yield json_module.dumps(found, ensure_ascii=False)


def _span(line: str, tokens: Sequence[Token], span: FoundSpan) -> dict[str, Any]:
    start, end = tokens[span.start].start, tokens[span.stop - 1].stop
    return {
        "type": span.label,
        "text": line[start:end],
        "start": start,
        "end": end,
        "tokens": [span.start, span.stop],
        "confidence": span.confidence,
    }


def _show(metrics: TagMetrics) -> None:
    sizes = f"{metrics.test.true:,} spans in {metrics.test.sentences:,} test sentences"
    print_scores(
        f"{len(metrics.classes)} classes: {sizes}",
        ("span F1", "precision", "recall", "surface F1"),
        [
            _row("network", metrics.test, ""),
            *(_row(one.label, one, one.note) for one in metrics.baselines.values()),
        ],
    )
    console = Console(highlight=False)
    apart = f"{100 * metrics.calibration_error:.1f} %"
    console.print(f"Confidence and the share of spans that is right are {apart} apart on the test part.")


def _row(label: str, scores: PartScores, note: str) -> tuple[str, ...]:
    figures = (scores.f1, scores.precision, scores.recall, scores.surface_f1)
    return (label, *(f"{figure:.2%}" for figure in figures), note)
