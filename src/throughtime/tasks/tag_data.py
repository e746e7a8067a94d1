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
        vocabulary: Learnt from `learnt` alone, but for pretrained vectors.
        vectors: Pretrained ones, or None.
        classes: Of the spans, in order.
        train: To learn from.
        learnt: What the members learn from: `train`, and behind it the sentences of the validation part that
            the test part does not hold too, but for those that a member holds out. Of one member, `train`.
        validation: To choose the best epoch and the offset by, each sentence by those that held it out.
        folds: F, shares of the validation part; member m holds out the share m mod F.
        learnt_folds: The share that each sentence of `learnt` is in, 0 to F - 1; -1 in the training part.
        validation_folds: Likewise of `validation`.
        test: To measure on.
        repairs: What was left out, and what a reader must know.
    """

    vocabulary: Vocabulary
    vectors: WordVectors | None
    classes: tuple[str, ...]
    train: Part
    learnt: Part
    validation: Part
    folds: int
    learnt_folds: Tensor
    validation_folds: Tensor
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
    folds = _folds(parts["validation"], settings.folds)
    more = _taught(parts, repairs) if settings.folds > 1 else []
    learnt = parts["training"] + [parts["validation"][number] for number in more]
    vectors = None
    if vocabulary is None:
        every = [_tokens(row) for rows in parts.values() for row in rows]
        vectors = vectors_for(vectors_path, settings.more_vectors, every)
        vocabulary = Vocabulary.learn([_tokens(row) for row in learnt], settings, vectors)
    made = {name: _part(rows, classes, vocabulary) for name, rows in parts.items()}
    return TagData(
        vocabulary,
        vectors,
        classes,
        made["training"],
        _part(learnt, classes, vocabulary),
        made["validation"],
        settings.folds,
        torch.tensor([-1] * len(parts["training"]) + [folds[number] for number in more]),
        torch.tensor(folds),
        made["test"],
        repairs,
    )


def other_part(sentences: Sentences, classes: Sequence[str], vocabulary: Vocabulary) -> Part:
    """All of other tagged sentences. Raises `DataError` for a class that training never saw."""
    return _part(_rows(sentences), classes, vocabulary)


def batches_of(data: TagData, settings: TagSettings) -> tuple[SequenceBatches, SequenceBatches]:
    """Training and validation batches.

    Targets are (B, 1 + longest of the part): the fold of the sentence, then its tags, padded with 0.
    """
    targets, judged = (
        _targets(data.learnt, data.learnt_folds),
        _targets(data.validation, data.validation_folds),
    )
    return (
        SequenceBatches(data.learnt.inputs, targets, settings.batch_size, seed=settings.seed),
        SequenceBatches(data.validation.inputs, judged, BATCH_OF_VALIDATION, shuffle=False),
    )


def _targets(part: Part, folds: Tensor) -> Tensor:
    return torch.cat([folds[:, None], pad_sequence(part.truth, batch_first=True)], dim=1)


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


def _folds(rows: Rows, folds: int) -> list[int]:
    """The share that each sentence is in, equal sentences in one."""
    first = {tokens: number for number, tokens in enumerate(dict.fromkeys(map(_tokens, rows)))}
    return [first[_tokens(row)] % folds for row in rows]


def _taught(parts: dict[str, Rows], repairs: list[Repair]) -> list[int]:
    """Which sentences of the validation part may be learnt from: those that the test part does not hold."""
    held = {_tokens(row) for row in parts["test"]}
    rows = parts["validation"]
    kept = [number for number, row in enumerate(rows) if _tokens(row) not in held]
    gone = len(rows) - len(kept)
    if gone:
        said = f"{counted(gone, 'validation sentence')} not learnt from, as the test part holds the same."
        repairs.append(Repair(kind="in test too", count=gone, text=said))
    return kept
