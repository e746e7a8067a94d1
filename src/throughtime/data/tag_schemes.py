"""Tags of spans: "B-person" begins one, "I-person" goes on with it, "O" is outside (the scheme IOB2).

Source: Ramshaw and Marcus, Text Chunking using Transformation-Based Learning (1995); Tjong Kim Sang and
Veenstra, Representing Text Chunks (1999), for the names of the schemes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from throughtime.data.conll import Sentences
from throughtime.data.table import Repair, counted
from throughtime.errors import DataError

OUTSIDE = "O"
BEGIN, INSIDE = "B-", "I-"
SINGLE = {"E-": INSIDE, "L-": INSIDE, "S-": BEGIN, "U-": BEGIN}  # of BIOES and BILOU, in IOB2


class Span(NamedTuple):
    """Tokens `start` to `stop` (exclusive) that are one entity of a class."""

    start: int
    stop: int
    label: str


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The spans of a sentence tagged in IOB2, in order. An I- that continues nothing begins a span."""
    spans: list[Span] = []
    for place, tag in enumerate(tags):
        if tag == OUTSIDE:
            continue
        last = spans[-1] if spans else None
        if tag.startswith(INSIDE) and last is not None and last.stop == place and last.label == tag[2:]:
            spans[-1] = last._replace(stop=place + 1)
        else:
            spans.append(Span(place, place + 1, tag[2:]))
    return spans


def tags_of(spans: Sequence[Span], length: int) -> list[str]:
    """The tags of a sentence of `length` tokens with these spans, which must not overlap."""
    tags = [OUTSIDE] * length
    for span in spans:
        tags[span.start : span.stop] = [BEGIN + span.label] + [INSIDE + span.label] * (
            span.stop - span.start - 1
        )
    return tags


def tag_names(classes: Sequence[str]) -> tuple[str, ...]:
    """O, and B- and I- of each class."""
    return (OUTSIDE, *(prefix + label for label in classes for prefix in (BEGIN, INSIDE)))


def may_follow(first: str | None, second: str) -> bool:
    """Whether a tag may come after another in IOB2; `first` None: at the beginning of a sentence."""
    return not second.startswith(INSIDE) or (
        first is not None and first != OUTSIDE and first[2:] == second[2:]
    )


def in_iob2(sentences: Sentences, *, repair: bool) -> Sentences:
    """Check the tags, and bring BIOES and BILOU to IOB2.

    Args:
        sentences: With tags.
        repair: Read an I- without its B- (or after another class) as the B- that is missing, and count it;
            else it is an error.

    Raises:
        DataError: a tag is of no known scheme, or an I- has no B- before it; says where.
    """
    assert sentences.tags is not None
    _check_known(sentences)
    used = {tag[:2] for tags in sentences.tags for tag in tags}
    repairs = list(sentences.repairs)
    made = sentences.tags
    if used & set(SINGLE):
        made = tuple(tuple(SINGLE.get(tag[:2], tag[:2]) + tag[2:] for tag in tags) for tags in made)
        text = f"The tags of {sentences.name} were brought from BIOES or BILOU to IOB2."
        repairs.append(Repair(kind="scheme", count=sum(map(len, made)), text=text))
    lost = [
        (number, place)
        for number, tags in enumerate(made)
        for place, tag in enumerate(tags)
        if not may_follow(tags[place - 1] if place else None, tag)
    ]
    if lost:
        _refuse_unless(repair, sentences, lost)
        made = tuple(tuple(tags_of(spans_of(tags), len(tags))) for tags in made)
        first = sentences.place(*lost[0])
        text = f"{counted(len(lost), 'tag')} I- without a B- read as B-, the first at {first}."
        repairs.append(Repair(kind="I- without B-", count=len(lost), text=text))
    return replace(sentences, tags=made, repairs=tuple(repairs))


def count_spans(tags: Sequence[Sequence[str]]) -> Counter[str]:
    """Spans of each class."""
    return Counter(span.label for one in tags for span in spans_of(one))


def _check_known(sentences: Sentences) -> None:
    assert sentences.tags is not None
    known = {BEGIN, INSIDE, *SINGLE}
    for number, tags in enumerate(sentences.tags):
        for place, tag in enumerate(tags):
            if tag != OUTSIDE and (tag[:2] not in known or len(tag) < 3):
                raise DataError(
                    f"{sentences.place(number, place)}: {tag!r} is no tag of a known scheme; expected "
                    f"{OUTSIDE}, B-CLASS or I-CLASS (IOB2), or those of BIOES. If the tags stand in another "
                    "column, name it with --tag-column."
                )


def _refuse_unless(repair: bool, sentences: Sentences, lost: list[tuple[int, int]]) -> None:
    if repair:
        return
    assert sentences.tags is not None
    number, place = lost[0]
    before = f"{sentences.tags[number][place - 1]!r}" if place else "the beginning of the sentence"
    more = f"; {len(lost) - 1:,} more such tags" if len(lost) > 1 else ""
    raise DataError(
        f"{sentences.place(number, place)}: {sentences.tags[number][place]!r} without its B- (after {before})"
        f"{more}. --repair-tags (in Python repair_tags=True) reads each as the B- that is missing."
    )
