"""Commands for generators of text: what `fit generate` and `generate` do with text, and measuring lines."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from throughtime import files
from throughtime.cli.answering import in_groups, lines_of_stdin, write_answers
from throughtime.cli.fitting import print_metrics, print_scores
from throughtime.cli.options import parse_options
from throughtime.data import read_plain_text
from throughtime.tasks.generate_text import TextGenerator
from throughtime.tasks.generate_text_scores import TextMetrics, TextScores
from throughtime.tasks.generate_text_settings import TextSampling

ESTIMATOR = TextGenerator
SAMPLING = TextSampling
EXPECTED = "a text file, as in: throughtime fit generate plays.txt --out model"
STDIN = "-"
CONTROLS = {
    code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}


def generate_with(folder: Path, options: dict[str, Any], *, out: Path | None, as_json: bool) -> int:
    """Write the prompt and what comes after it, each character as soon as it is whole.

    With `as_json` one object for each generated character or piece, with its probability by the network. On a
    terminal, characters that would steer it are shown as �; files and pipes get what was drawn.
    """
    generator = TextGenerator.load(folder)
    sampling = parse_options(TextSampling, options)
    if sampling.get("prompt") == STDIN:
        sampling["prompt"] = sys.stdin.read()
    drawn = generator.draw(**sampling)
    with ExitStack() as stack:
        stream: TextIO = sys.stdout
        if out is not None:
            stream = stack.enter_context(
                stack.enter_context(files.replacing(out)).open("w", encoding="utf-8")
            )
        hidden: dict[int, str] = CONTROLS if stream.isatty() else {}
        if not as_json:
            stream.write(sampling.get("prompt", "").translate(hidden))
        unit = "character" if generator.settings.unit == "character" else "text"
        for text, probability in drawn:
            if as_json:
                found = {unit: text, "probability": probability}
                print(json_module.dumps(found, ensure_ascii=False), file=stream, flush=True)
            else:
                stream.write(text.translate(hidden))
                stream.flush()
        if not as_json:
            stream.write("\n")
    if out is not None:
        print(f"Wrote {out}", file=sys.stderr)
    return 0


def evaluate_model(folder: Path, data: str | None, *, as_json: bool) -> int:
    """Measure a trained generator beside its baselines."""
    print_metrics(TextGenerator.load(folder).evaluate(data), as_json=as_json, show=show)
    return 0


def predict_with(folder: Path, data: str | None, *, out: Path | None, as_json: bool) -> int:
    """Nats per character of each line of a file or of standard input; "-" where no character is known.

    With `as_json` an object with nats, bits, perplexity, and the nats of each character.
    """
    generator = TextGenerator.load(folder)
    groups: Iterator[list[str]]
    if data is None:
        groups = lines_of_stdin()
    else:
        text = read_plain_text(Path(data)).text
        groups = in_groups(text.removesuffix("\n").split("\n"))
    write_answers(groups, lambda lines: _answers(generator, lines, as_json), out)
    return 0


def show(metrics: TextMetrics) -> None:
    """Print the figures for people."""
    rows = [("network", *_figures(metrics.judged), "")]
    ordered = sorted(metrics.baselines, key=lambda name: metrics.baseline(name).nats)
    rows += [
        (metrics.baselines[name].label, *_figures(metrics.baseline(name)), metrics.baselines[name].note)
        for name in ordered
    ]
    judged = metrics.judged
    title = f"{judged.characters:,} characters of the {metrics.part} part, {metrics.alphabet:,} known"
    columns = ["nats", "bits", "perplexity"]
    if judged.pieces is not None:
        title = f"{judged.characters:,} characters in {judged.pieces:,} pieces of the {metrics.part} part, "
        title += f"{metrics.alphabet:,} pieces known"
        columns.append("per piece")
    print_scores(title, columns, rows)
    if judged.unknown:
        print(f"{judged.unknown:,} more never occurred in training and do not count.")
    if metrics.part == "validation":
        print("The validation part also chose the epoch.")


def _figures(scores: TextScores) -> list[str]:
    figures = [f"{scores.nats:.4f}", f"{scores.bits:.4f}", f"{scores.perplexity:.3f}"]
    return figures if scores.piece_perplexity is None else [*figures, f"{scores.piece_perplexity:.2f}"]


def _answers(generator: TextGenerator, lines: list[str], as_json: bool) -> Iterator[str]:
    for line, nats in zip(lines, generator.surprise(lines), strict=True):
        known = nats[~np.isnan(nats)]
        mean = float(known.mean()) if len(known) else None
        if not as_json:
            yield "-" if mean is None else f"{mean:.4f}"
            continue
        found = {
            "nats": mean,
            "bits": None if mean is None else mean / np.log(2),
            "perplexity": None if mean is None else float(np.exp(min(mean, 700.0))),
            "characters": len(line),
            "unknown": len(nats) - len(known),
            "surprise": [None if np.isnan(one) else round(float(one), 4) for one in nats],
        }
        yield json_module.dumps(found)
