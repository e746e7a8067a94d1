"""From labelled texts or sequences to the parts that a classifier is trained and measured on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from throughtime.data import Repair, SequenceBatches, Sequences, Texts
from throughtime.data.table import counted, listed
from throughtime.errors import DataError
from throughtime.tasks.classify_encoders import Encoder, NumberEncoder, TextEncoder
from throughtime.tasks.classify_settings import ClassifySettings
from throughtime.tasks.sources import Sources
from throughtime.tasks.splitting import split_rows

Ints = npt.NDArray[np.int64]

BATCH_OF_VALIDATION = 256


@dataclass(frozen=True)
class Part:
    """Texts or sequences of one part.

    Attributes:
        items: N of them, as read.
        truth: Class of each, as its place in the classes, (N,).
        inputs: What the network reads of each, (T,) long or (T, I) float32, T at least 1.
    """

    items: list[Any]
    truth: Ints
    inputs: list[Tensor]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.items)


@dataclass(frozen=True)
class ClassifyData:
    """Texts or sequences laid out for one classifier.

    Attributes:
        encoder: Vocabulary or scale, learnt from the training part alone.
        classes: Labels in order.
        train: To learn from.
        validation: To choose the best epoch by.
        test: To measure on.
        repairs: What was left out, and what a reader must know.
    """

    encoder: Encoder
    classes: tuple[str, ...]
    train: Part
    validation: Part
    test: Part
    repairs: list[Repair]

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of each class in the training part."""
        counts = np.bincount(self.train.truth, minlength=len(self.classes))
        return tuple((counts / counts.sum()).tolist())


Labelled = Texts | Sequences
Rows = list[tuple[Labelled, int]]  # where a text or sequence stands


def prepare_parts(
    sources: Sources[Labelled], settings: ClassifySettings, encoder: Encoder | None = None
) -> ClassifyData:
    """Leave out what cannot be used, split, and make what the network reads.

    Args:
        sources: Labelled texts or sequences.
        settings: Split and vocabulary.
        encoder: That of before; None learns it from the training part.

    Raises:
        DataError: fewer than two classes, a class that training lacks, or an empty part.
    """
    repairs: list[Repair] = []
    for _, one in _named(sources):
        repairs += one.repairs if isinstance(one, Sequences) else []
    given = {name: _filled(one, repairs) for name, one in _named(sources)}
    _check_classes(sources.train, given["training"])
    parts = _split(given, settings)
    _keep_apart(parts, repairs)
    classes = sort_labels({_label(row) for row in parts["training"]})
    items: dict[str, list[Any]] = {
        name: [one.items[row] for one, row in rows] for name, rows in parts.items()
    }
    if encoder is None:
        encoder = learn_encoder(sources.train, items["training"], settings)
    repairs += encoder.repairs([item for held in items.values() for item in held])
    made = {
        name: Part(items[name], number_labels(rows, classes), encoder.inputs(items[name]))
        for name, rows in parts.items()
    }
    return ClassifyData(encoder, classes, made["training"], made["validation"], made["test"], repairs)


def learn_encoder(train: Labelled, items: Sequence[Any], settings: ClassifySettings) -> Encoder:
    """Vocabulary or scale of the training part."""
    if isinstance(train, Texts):
        return TextEncoder.learn(items, settings)
    return NumberEncoder.learn(items, train.channels)


def other_part(given: Labelled, classes: Sequence[str], encoder: Encoder) -> Part:
    """All of other labelled texts or sequences.

    Raises:
        DataError: a label that training never saw, or only empty sequences.
    """
    rows: Rows = [(given, row) for row in range(len(given))]
    if isinstance(given, Sequences):
        rows = _filled(given, [])
    items: list[Any] = [one.items[row] for one, row in rows]
    return Part(items, number_labels(rows, classes), encoder.inputs(items))


def number_labels(rows: Rows, classes: Sequence[str]) -> Ints:
    """Each label as its place in `classes`. Raises `DataError` for one that is not there."""
    place = {label: number for number, label in enumerate(classes)}
    for one, row in rows:
        if _label((one, row)) not in place:
            raise DataError(
                f"{one.place(row)}: the label {_label((one, row))!r} does not occur in the training "
                f"{one.noun}s; "
                f"known are {listed(list(classes))}."
            )
    return np.array([place[_label(row)] for row in rows], dtype=np.int64)


def sort_labels(labels: set[str]) -> tuple[str, ...]:
    """Labels in order: whole numbers by value, else by letters."""
    if all(label.lstrip("-").isdecimal() for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


def batches_of(data: ClassifyData, settings: ClassifySettings) -> tuple[SequenceBatches, SequenceBatches]:
    """Training and validation batches."""
    train, validation = data.train, data.validation
    return (
        SequenceBatches(train.inputs, torch.from_numpy(train.truth), settings.batch_size, seed=settings.seed),
        SequenceBatches(
            validation.inputs, torch.from_numpy(validation.truth), BATCH_OF_VALIDATION, shuffle=False
        ),
    )


def _named(sources: Sources[Labelled]) -> list[tuple[str, Labelled]]:
    named = [("training", sources.train), ("validation", sources.validation), ("test", sources.test)]
    return [(name, one) for name, one in named if one is not None]


def _label(row: tuple[Labelled, int]) -> str:
    given, number = row
    assert given.labels is not None
    return given.labels[number]


def _filled(given: Labelled, repairs: list[Repair]) -> Rows:
    """Every row that holds something; the empty ones are left out and said so."""
    noun, every = given.noun, range(len(given))
    empty = [row for row in every if not given.key(row)]
    if empty:
        said = f"{counted(len(empty), f'empty {noun}')} left out, the first at {given.place(empty[0])}."
        repairs.append(Repair(kind=f"empty {noun}", count=len(empty), text=said))
    rows: Rows = [(given, row) for row in every if given.key(row)]
    if not rows:
        raise DataError(f"{given.name}: every {noun} is empty.")
    return rows


def _check_classes(given: Labelled, rows: Rows) -> None:
    labels = {_label(row) for row in rows}
    if len(labels) < 2:
        raise DataError(
            f"{given.name}: every {given.noun} has the label {labels.pop()!r}; to tell classes apart, "
            f"training needs {given.noun}s of two or more."
        )


def _split(given: dict[str, Rows], settings: ClassifySettings) -> dict[str, Rows]:
    """Cut off the parts that were not given, each class in proportion, equal ones into one part."""
    return split_rows(
        given,
        settings.split,
        settings.seed,
        noun=given["training"][0][0].noun,
        alike=lambda row: row[0].key(row[1]),
        kind=_label,
    )


def _keep_apart(parts: dict[str, Rows], repairs: list[Repair]) -> None:
    """Leave out of training what stands in the validation or test part too, or the figures would flatter."""
    noun = parts["training"][0][0].noun
    held = {one.key(row) for name in ("validation", "test") for one, row in parts[name]}
    kept = [(one, row) for one, row in parts["training"] if one.key(row) not in held]
    gone = len(parts["training"]) - len(kept)
    if gone:
        said = f"{counted(gone, f'training {noun}')} left out, as the validation or test part holds the same."
        repairs.append(Repair(kind="in two parts", count=gone, text=said))
        parts["training"] = kept
    repeated = sum(count - 1 for count in Counter(one.key(row) for one, row in kept).values())
    if repeated:
        said = f"{counted(repeated, f'training {noun}')} repeated; they were kept."
        repairs.append(Repair(kind="repeated", count=repeated, text=said))
    if not kept:
        raise DataError(f"no training {noun} is left: the validation and test parts hold them all.")
