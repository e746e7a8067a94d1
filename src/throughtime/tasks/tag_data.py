"""From tagged sentences to the parts that a tagger is trained and measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from throughtime.data import Repair, Sentences, SequenceBatches, Span, WordVectors, spans_of, tag_names
from throughtime.data.table import counted, listed
from throughtime.errors import DataError
from throughtime.tasks.sources import Sources
from throughtime.tasks.splitting import split_rows
from throughtime.tasks.tag_settings import TagSettings
from throughtime.tasks.tag_vocabulary import Vocabulary, vectors_for

BATCH_OF_VALIDATION = 128


@dataclass(frozen=True)
class Part:
    """Sentences of one part.

    Attributes:
        tokens: N sentences.
        tags: Tag of each token, IOB2.
        spans: Spans of each sentence.
        inputs: The numbers of its tokens, each (T, 3 + C).
        truth: The numbers of its tags, each (T,).
    """

    tokens: list[tuple[str, ...]]
    tags: list[tuple[str, ...]]
    spans: list[list[Span]]
    inputs: list[Tensor]
    truth: list[Tensor]

    def __len__(self) -> int:
        """How many sentences there are."""
        return len(self.tokens)


@dataclass(frozen=True)
class TagData:
    """Sentences laid out for one tagger.

    Attributes:
        vocabulary: Learnt from the training part alone, but for pretrained vectors.
        vectors: Pretrained ones, or None.
        classes: Of the spans, in order.
        train: To learn from.
        validation: To choose the best epoch and the offset by.
        test: To measure on.
        repairs: What was left out, and what a reader must know.
    """

    vocabulary: Vocabulary
    vectors: WordVectors | None
    classes: tuple[str, ...]
    train: Part
    validation: Part
    test: Part
    repairs: list[Repair]


Rows = list[tuple[Sentences, int]]  # where a sentence stands


def prepare_sentences(
    sources: Sources[Sentences],
    settings: TagSettings,
    vocabulary: Vocabulary | None = None,
    *,
    vectors_path: str | None = None,
) -> TagData:
    """Split, leave out what stands in two parts, and number the tokens.

    Args:
        sources: Tagged sentences.
        settings: Split and vocabulary.
        vocabulary: That of before; None learns it from the training part.
        vectors_path: File of pretrained word vectors, read where the vocabulary is learnt.

    Raises:
        DataError: training holds no span, another part a class that training lacks, or a part is empty.
    """
    named = [("training", sources.train), ("validation", sources.validation), ("test", sources.test)]
    given = {name: _rows(one) for name, one in named if one is not None}
    _classes_of(given["training"])
    repairs = [repair for _, one in named if one is not None for repair in one.repairs]
    parts = _split(given, settings)
    _keep_apart(parts, repairs)
    classes = _classes_of(parts["training"])
    if not any(spans_of(_tags(row)) for row in parts["validation"]):
        raise DataError(
            "the validation part holds no span, so the best epoch cannot be chosen by it; give another "
            "--validation, or more sentences."
        )
    vectors = None
    if vocabulary is None:
        tokens = {name: [_tokens(row) for row in rows] for name, rows in parts.items()}
        vectors = vectors_for(
            vectors_path, settings.more_vectors, [one for some in tokens.values() for one in some]
        )
        vocabulary = Vocabulary.learn(tokens["training"], settings, vectors)
    made = {name: _part(rows, classes, vocabulary) for name, rows in parts.items()}
    return TagData(vocabulary, vectors, classes, made["training"], made["validation"], made["test"], repairs)


def other_part(sentences: Sentences, classes: Sequence[str], vocabulary: Vocabulary) -> Part:
    """All of other tagged sentences. Raises `DataError` for a class that training never saw."""
    return _part(_rows(sentences), classes, vocabulary)


def batches_of(data: TagData, settings: TagSettings) -> tuple[SequenceBatches, SequenceBatches]:
    """Training and validation batches; targets are (B, longest of the part), padded with 0."""
    train, validation = data.train, data.validation
    return (
        SequenceBatches(train.inputs, _padded(train), settings.batch_size, seed=settings.seed),
        SequenceBatches(validation.inputs, _padded(validation), BATCH_OF_VALIDATION, shuffle=False),
    )


def _padded(part: Part) -> Tensor:
    return pad_sequence(part.truth, batch_first=True)


def _rows(sentences: Sentences) -> Rows:
    return [(sentences, row) for row in range(len(sentences))]


def _tokens(row: tuple[Sentences, int]) -> tuple[str, ...]:
    return row[0].tokens[row[1]]


def _tags(row: tuple[Sentences, int]) -> tuple[str, ...]:
    sentences, number = row
    assert sentences.tags is not None
    return sentences.tags[number]


def _classes_of(training: Rows) -> tuple[str, ...]:
    """The classes of the training part, in order. Raises `DataError` where there is none."""
    classes = {span.label for row in training for span in spans_of(_tags(row))}
    if not classes:
        raise DataError(
            f"{training[0][0].name}: every tag of the training part is O, so there is nothing to learn. If "
            "the tags stand in another column, name it with --tag-column."
        )
    return tuple(sorted(classes))


def _part(rows: Rows, classes: Sequence[str], vocabulary: Vocabulary) -> Part:
    tokens, tags = [_tokens(row) for row in rows], [_tags(row) for row in rows]
    return Part(
        tokens,
        tags,
        [spans_of(one) for one in tags],
        [vocabulary.number(one) for one in tokens],
        _number_tags(rows, classes),
    )


def _number_tags(rows: Rows, classes: Sequence[str]) -> list[Tensor]:
    """The tags of each sentence as places in `tag_names`. Raises `DataError` for a class not in `classes`."""
    place = {tag: number for number, tag in enumerate(tag_names(classes))}
    for one, row in rows:
        for token, tag in enumerate(_tags((one, row))):
            if tag not in place:
                raise DataError(
                    f"{one.place(row, token)}: the class {tag[2:]!r} does not occur in the training "
                    f"sentences; known are {listed(list(classes))}."
                )
    return [torch.tensor([place[tag] for tag in _tags(row)]) for row in rows]


def _split(given: dict[str, Rows], settings: TagSettings) -> dict[str, Rows]:
    """Cut off the parts that were not given, by chance, equal sentences into one part."""
    return split_rows(
        given,
        settings.split,
        settings.seed,
        noun="sentence",
        alike=_tokens,
    )


def _keep_apart(parts: dict[str, Rows], repairs: list[Repair]) -> None:
    """Leave out of training what stands in the validation or test part too, or the figures would flatter."""
    held = {_tokens(row) for name in ("validation", "test") for row in parts[name]}
    kept = [row for row in parts["training"] if _tokens(row) not in held]
    gone = len(parts["training"]) - len(kept)
    if not gone:
        return
    if not kept:
        raise DataError("no training sentence is left: the validation and test parts hold them all.")
    said = f"{counted(gone, 'training sentence')} left out, as the validation or test part holds the same."
    repairs.append(Repair(kind="in two parts", count=gone, text=said))
    parts["training"] = kept
