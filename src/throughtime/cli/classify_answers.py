"""How a classifier answers texts and sequences, one line for each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from throughtime.cli.answering import LittleKnown, in_groups, lines_of_stdin
from throughtime.data.sequence_lines import parse_line
from throughtime.data.sequences import Floats
from throughtime.errors import DataError
from throughtime.tasks.classify import Classifier
from throughtime.tasks.classify_encoders import NumberEncoder, TextEncoder
from throughtime.tasks.classify_sources import open_numbers


def answer_line(classes: tuple[str, ...], shares: list[float], *, as_json: bool, more: dict[str, Any]) -> str:
    """Label and probability; as JSON every class, and `more`."""
    best = max(range(len(shares)), key=shares.__getitem__)
    if not as_json:
        return f"{classes[best]}\t{shares[best]:.4f}"
    scores = dict(zip(classes, shares, strict=True))
    found = {"label": classes[best], "confidence": shares[best], "scores": scores} | more
    return json.dumps(found, ensure_ascii=False)


class TextAnswers:
    """Answers texts, and counts those that say little: without a word, or with no known word."""

    def __init__(self, classifier: Classifier, place: str, *, as_json: bool) -> None:
        assert isinstance(classifier.encoder_, TextEncoder)
        self.classifier, self.words = classifier, classifier.encoder_.words
        self.little, self.as_json = LittleKnown("texts", place), as_json

    def __call__(self, texts: list[str]) -> Iterator[str]:
        """One line for each text."""
        shares = self.classifier.predict_proba(texts)
        known = self.words.known(texts)
        for text, row, words in zip(texts, shares, known, strict=True):
            self.little.add(words)
            more = {"words": len(self.words.cut(text)), "known": words}
            yield answer_line(self.classifier.classes_, row.tolist(), as_json=self.as_json, more=more)

    def warn(self) -> None:
        """Say on stderr how many texts held nothing that the network knows."""
        self.little.warn()


Named = tuple[str | None, Floats]  # what the data call a sequence, and its values (T, I)


class SequenceAnswers:
    """Answers sequences, and counts those with missing values."""

    def __init__(self, classifier: Classifier, *, as_json: bool) -> None:
        assert isinstance(classifier.encoder_, NumberEncoder)
        self.classifier, self.encoder, self.as_json = classifier, classifier.encoder_, as_json
        self.filled = 0

    def __call__(self, group: list[Named]) -> Iterator[str]:
        """One line for each sequence, after its name where it has one."""
        shares = self.classifier.predict_proba([values for _, values in group])
        for (name, values), row in zip(group, shares, strict=True):
            self.filled += self.encoder.missing(values) > 0
            more: dict[str, Any] = {"steps": len(values)} | ({} if name is None else {"sequence": name})
            line = answer_line(self.classifier.classes_, row.tolist(), as_json=self.as_json, more=more)
            yield line if name is None or self.as_json else f"{name}\t{line}"

    def warn(self) -> None:
        """Say on stderr how many sequences had missing values."""
        if self.filled:
            print(f"{self.filled:,} sequences had missing values, which were filled.", file=sys.stderr)


def groups_of_sequences(data: str | None, classifier: Classifier) -> Iterator[list[Named]]:
    """Sequences that are answered together: of a file, or each line of standard input as it comes."""
    assert isinstance(classifier.encoder_, NumberEncoder)
    names = classifier.encoder_.channels.names
    if data is None:
        return _lines(names)
    found = open_numbers(data, classifier.settings, names)
    ids = found.ids or [None] * len(found)
    return in_groups(zip(ids, found.values, strict=True))


def _lines(names: tuple[str, ...]) -> Iterator[list[Named]]:
    for number, (line,) in enumerate(lines_of_stdin(), 1):
        place = f"standard input line {number}"
        values = parse_line(line, place, names)
        if not len(values):
            raise DataError(f"{place}: is empty; a sequence has at least one step.")
        yield [(None, values)]
