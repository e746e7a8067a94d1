"""What a tagger must beat: a dictionary of the training spans, and a classifier of single tokens.

They see the same sentences as the network: learnt from the training part they choose on the validation part
what there is to choose, then they learn from both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import SGDClassifier

from throughtime.data import Span, plain_form, shape_of, spans_of, tags_of
from throughtime.data.tokens import SHAPES
from throughtime.tasks.tag_data import Part, TagData
from throughtime.tasks.tag_scores import span_scores

WINDOW = 2  # tokens to either side that the classifier sees
STRENGTHS = (1e-5, 3e-5)  # alpha of the logistic regression
PASSES = 8
FEATURES = 2**18

Tags = list[list[str]]


@dataclass(frozen=True)
class Baseline:
    """Tags of one baseline.

    Attributes:
        name: Key in metrics.json.
        label: What people read.
        note: What it did, in a few words.
        test: Tags of each test sentence, IOB2.
        validation: Of each validation sentence.
    """

    name: str
    label: str
    note: str
    test: Tags
    validation: Tags


def run_baselines(data: TagData) -> list[Baseline]:
    """Learn every baseline."""
    return [_tokens_alone(data), _dictionary(data)]


def f1_of(part: Part, tags: Tags) -> float:
    """Span F1 of some tags on a part."""
    return span_scores(part.spans, [spans_of(one) for one in tags]).f1


def _dictionary(data: TagData) -> Baseline:
    """Spans of training, the longest first, with the class they had most often; case by validation F1."""
    best = -1.0
    for name, fold in (("as written", _same), ("whatever the case", str.lower)):
        entries = _entries(data.train, fold)
        validation = [_look_up(tokens, entries, fold) for tokens in data.validation.tokens]
        score = f1_of(data.validation, validation)
        if score > best:
            best, found = score, validation
            entries = _entries(data.learnt, fold)
            test = [_look_up(tokens, entries, fold) for tokens in data.test.tokens]
            note = f"{len(entries):,} forms, {name}"
    return Baseline("dictionary", "dictionary of training spans", note, test, found)


Form = tuple[str, ...]


def _entries(part: Part, fold: Callable[[str], str]) -> dict[Form, str]:
    """The class of each form of words that is a span in a part."""
    counts: dict[Form, Counter[str]] = {}
    for tokens, spans in zip(part.tokens, part.spans, strict=True):
        for span in spans:
            form = tuple(map(fold, tokens[span.start : span.stop]))
            counts.setdefault(form, Counter())[span.label] += 1
    return {form: classes.most_common(1)[0][0] for form, classes in counts.items()}


def _look_up(tokens: Sequence[str], entries: dict[Form, str], fold: Callable[[str], str]) -> list[str]:
    """The tags of a sentence, from left to right, the longest entry first."""
    words = tuple(map(fold, tokens))
    longest = max(map(len, entries))
    spans: list[Span] = []
    start = 0
    while start < len(words):
        stops = range(min(len(words), start + longest), start, -1)
        stop = next((stop for stop in stops if words[start:stop] in entries), None)
        if stop is not None:
            spans.append(Span(start, stop, entries[words[start:stop]]))
        start = stop or start + 1
    return tags_of(spans, len(words))


def _tokens_alone(data: TagData) -> Baseline:
    """Logistic regression on the words around each token; its strength by validation F1."""
    hasher = FeatureHasher(FEATURES, input_type="string")
    learnt, validation, test = (
        hasher.transform(_features(tokens, place) for tokens in part.tokens for place in range(len(tokens)))
        for part in (data.learnt, data.validation, data.test)
    )
    truth = np.array([tag for tags in data.learnt.tags for tag in tags])
    train = sum(map(len, data.train.tokens))  # tokens, the first of `learnt`
    best = -1.0
    for strength in STRENGTHS:
        model = SGDClassifier(
            loss="log_loss", alpha=strength, max_iter=PASSES, tol=None, average=True, random_state=0
        )
        model.fit(learnt[:train], truth[:train])
        some = _cut(model.predict(validation), data.validation)
        score = f1_of(data.validation, some)
        if score > best:
            best, found = score, some
            on_test = _cut(model.fit(learnt, truth).predict(test), data.test)
            note = f"words, shapes and affixes within {WINDOW} tokens, α = {strength:g}"
    return Baseline("token_classifier", "logistic regression, token by token", note, on_test, found)


def _features(tokens: Sequence[str], place: int) -> list[str]:
    """What the classifier sees of a token: words and shapes around it, and its own beginning and end."""
    found = []
    for away in range(-WINDOW, WINDOW + 1):
        inside = 0 <= place + away < len(tokens)
        word = plain_form(tokens[place + away]).lower() if inside else "<border>"
        shape = SHAPES[shape_of(tokens[place + away])] if inside else "<border>"
        found += [f"word {away} {word}", f"shape {away} {shape}"]
    own = tokens[place].lower()
    return [*found, *(f"begin {own[:n]}" for n in (2, 3, 4)), *(f"end {own[-n:]}" for n in (2, 3, 4))]


def _cut(tags: Sequence[str], part: Part) -> Tags:
    """Tags of all tokens as those of each sentence; an I- without its B- becomes one."""
    found, start = [], 0
    for tokens in part.tokens:
        some = [str(tag) for tag in tags[start : start + len(tokens)]]
        found.append(tags_of(spans_of(some), len(some)))
        start += len(tokens)
    return found


def _same(word: str) -> str:
    return word
