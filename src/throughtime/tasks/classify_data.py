"""From labelled texts to the parts that a classifier is trained and measured on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from throughtime.data import Repair, SequenceBatches, Texts, Words
from throughtime.data.table import counted, listed
from throughtime.errors import DataError
from throughtime.tasks.classify_settings import ClassifySettings
from throughtime.tasks.sources import Sources

Ints = npt.NDArray[np.int64]

BATCH_OF_VALIDATION = 256


@dataclass(frozen=True)
class Part:
    """Texts of one part.

    Attributes:
        texts: N of them.
        truth: Class of each, as its place in the classes, (N,).
        inputs: The numbers of its words, each (T,), T at least 1.
    """

    texts: list[str]
    truth: Ints
    inputs: list[Tensor]

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self.texts)


@dataclass(frozen=True)
class ClassifyData:
    """Texts laid out for one classifier.

    Attributes:
        words: The vocabulary, learnt from the training part alone.
        classes: Labels in order.
        train: To learn from.
        validation: To choose the best epoch by.
        test: To measure on.
        repairs: What was left out, and what a reader must know.
    """

    words: Words
    classes: tuple[str, ...]
    train: Part
    validation: Part
    test: Part
    repairs: list[Repair]

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of each class among the training texts."""
        counts = np.bincount(self.train.truth, minlength=len(self.classes))
        return tuple((counts / counts.sum()).tolist())


Rows = list[tuple[Texts, int]]  # where a text stands


def prepare_texts(
    sources: Sources[Texts], settings: ClassifySettings, words: Words | None = None
) -> ClassifyData:
    """Leave out what cannot be used, split, and number the words.

    Args:
        sources: Labelled texts.
        settings: Split and vocabulary.
        words: The vocabulary of before; None learns it from the training part.

    Raises:
        DataError: fewer than two classes, a class that training lacks, or a part without texts.
    """
    repairs: list[Repair] = []
    given = {name: _filled(one, repairs) for name, one in _named(sources) if one is not None}
    _check_classes(sources.train.name, given["training"])
    parts = _split(given, settings)
    _keep_apart(parts, repairs)
    classes = sort_labels({_label(row) for row in parts["training"]})
    texts = {name: [one.texts[row] for one, row in rows] for name, rows in parts.items()}
    words = words or Words.learn(
        texts["training"],
        min_count=settings.min_count,
        most=settings.max_words,
        lower=not settings.keep_case,
    )
    made = {
        name: Part(texts[name], number_labels(rows, classes), words.number(texts[name]))
        for name, rows in parts.items()
    }
    return ClassifyData(words, classes, made["training"], made["validation"], made["test"], repairs)


def other_part(texts: Texts, classes: Sequence[str], words: Words) -> Part:
    """All of other labelled texts. Raises `DataError` for a label that training never saw."""
    rows = [(texts, row) for row in range(len(texts))]
    return Part(list(texts.texts), number_labels(rows, classes), words.number(texts.texts))


def number_labels(rows: Rows, classes: Sequence[str]) -> Ints:
    """Each label as its place in `classes`. Raises `DataError` for one that is not there."""
    place = {label: number for number, label in enumerate(classes)}
    for one, row in rows:
        if _label((one, row)) not in place:
            raise DataError(
                f"{one.place(row)}: the label {_label((one, row))!r} does not occur in the training texts; "
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


def _named(sources: Sources[Texts]) -> list[tuple[str, Texts | None]]:
    return [("training", sources.train), ("validation", sources.validation), ("test", sources.test)]


def _label(row: tuple[Texts, int]) -> str:
    texts, number = row
    assert texts.labels is not None
    return texts.labels[number]


def _filled(texts: Texts, repairs: list[Repair]) -> Rows:
    """Every row with a text; the empty ones are left out and said so."""
    empty = [row for row, text in enumerate(texts.texts) if not text]
    if empty:
        said = f"{counted(len(empty), 'empty text')} left out, the first at {texts.place(empty[0])}."
        repairs.append(Repair(kind="empty text", count=len(empty), text=said))
    rows = [(texts, row) for row, text in enumerate(texts.texts) if text]
    if not rows:
        raise DataError(f"{texts.name}: every text is empty.")
    return rows


def _check_classes(name: str, rows: Rows) -> None:
    labels = {_label(row) for row in rows}
    if len(labels) < 2:
        raise DataError(
            f"{name}: every text has the label {labels.pop()!r}; to tell classes apart, training needs texts "
            "of two or more."
        )


def _split(given: dict[str, Rows], settings: ClassifySettings) -> dict[str, Rows]:
    """Cut off the parts that were not given, each class in proportion, equal texts into one part."""
    shares = dict(zip(("training", "validation", "test"), settings.split, strict=True))
    parts: dict[str, Rows] = {name: given[name] for name in ("validation", "test") if name in given}
    wanted = [name for name in shares if name not in parts]
    total = sum(shares[name] for name in wanted)
    by_text: dict[str, Rows] = {}
    for one, row in given["training"]:
        by_text.setdefault(one.texts[row], []).append((one, row))
    by_label: dict[str, list[Rows]] = {}
    for rows in by_text.values():
        by_label.setdefault(_label(rows[0]), []).append(rows)
    rng = np.random.default_rng(settings.seed)
    parts |= {name: [] for name in wanted}
    for label in sorted(by_label):
        groups = by_label[label]
        order = rng.permutation(len(groups)) if len(wanted) > 1 else np.arange(len(groups))
        borders = np.round(np.cumsum([shares[name] / total for name in wanted]) * len(groups)).astype(int)
        for name, chosen in zip(wanted, np.split(order, borders[:-1]), strict=True):
            parts[name] += [row for group in chosen for row in groups[group]]
    for name, rows in parts.items():
        if not rows:
            raise DataError(f"the {name} part holds no text; bring more texts, or choose another --split.")
    return parts


def _keep_apart(parts: dict[str, Rows], repairs: list[Repair]) -> None:
    """Leave out of training what stands in the validation or test part too, or the figures would flatter."""
    held = {one.texts[row] for name in ("validation", "test") for one, row in parts[name]}
    kept = [(one, row) for one, row in parts["training"] if one.texts[row] not in held]
    gone = len(parts["training"]) - len(kept)
    if gone:
        said = f"{counted(gone, 'training text')} left out, as the validation or test part holds the same."
        repairs.append(Repair(kind="in two parts", count=gone, text=said))
        parts["training"] = kept
    repeated = sum(count - 1 for count in Counter(one.texts[row] for one, row in kept).values())
    if repeated:
        said = f"{counted(repeated, 'training text')} repeated; they were kept."
        repairs.append(Repair(kind="repeated", count=repeated, text=said))
    if not kept:
        raise DataError("no training text is left: the validation and test parts hold them all.")
