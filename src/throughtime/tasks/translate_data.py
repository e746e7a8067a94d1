"""From pairs of sentences to the parts that a translator is trained and measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from throughtime.data import PairBatches, Pairs, Repair, Subwords
from throughtime.data.table import counted
from throughtime.errors import DataError
from throughtime.tasks.sources import Sources
from throughtime.tasks.splitting import split_rows
from throughtime.tasks.translate_settings import TranslateSettings

BATCH_OF_VALIDATION = 128

Rows = list[tuple[Pairs, int]]  # where a pair stands


@dataclass(frozen=True)
class Pieces:
    """The vocabularies of both sides."""

    source: Subwords
    target: Subwords


@dataclass(frozen=True)
class Part:
    """Pairs of one part.

    Attributes:
        sources: N sentences.
        targets: Their translations.
        inputs: The pieces of each source, each (S,), with the end.
        outputs: The pieces of each target, each (T,), with the end.
    """

    sources: list[str]
    targets: list[str]
    inputs: list[Tensor]
    outputs: list[Tensor]

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.sources)

    def some(self, most: int) -> Part:
        """At most so many pairs, evenly spread."""
        rows = np.unique(np.linspace(0, len(self) - 1, min(most, len(self))).astype(np.intp)).tolist()
        return self.chosen(rows)

    def chosen(self, rows: list[int]) -> Part:
        """The pairs at some places, in that order."""
        return Part(
            [self.sources[row] for row in rows],
            [self.targets[row] for row in rows],
            [self.inputs[row] for row in rows],
            [self.outputs[row] for row in rows],
        )


@dataclass(frozen=True)
class TranslateData:
    """Pairs laid out for one translator.

    Attributes:
        pieces: The vocabularies, learnt from the training part alone.
        train: To learn from.
        validation: To choose the best epoch by.
        test: To measure on.
        repairs: What was left out, and what a reader must know.
    """

    pieces: Pieces
    train: Part
    validation: Part
    test: Part
    repairs: list[Repair]


def prepare_pairs(
    sources: Sources[Pairs], settings: TranslateSettings, pieces: Pieces | None = None
) -> TranslateData:
    """Leave out what cannot be used, split, and cut into pieces.

    Args:
        sources: Pairs of sentences.
        settings: Split and vocabularies.
        pieces: The vocabularies of before; None learns them from the training part.

    Raises:
        DataError: a part holds no pair.
    """
    repairs: list[Repair] = []
    named = {"training": sources.train, "validation": sources.validation, "test": sources.test}
    given = {name: _filled(pairs, repairs) for name, pairs in named.items() if pairs is not None}
    parts = _split(given, settings)
    _keep_apart(parts, repairs)
    pieces = pieces or _learn(parts["training"], settings)
    made = {name: _part(rows, pieces) for name, rows in parts.items()}
    train = _short(made["training"], settings.longest, repairs)
    return TranslateData(pieces, train, made["validation"], made["test"], repairs)


def other_part(pairs: Pairs, pieces: Pieces) -> Part:
    """All of other pairs, but for those with an empty side. Raises `DataError` if none is left."""
    return _part(_filled(pairs, []), pieces)


def batches_of(data: TranslateData, settings: TranslateSettings) -> tuple[PairBatches, PairBatches]:
    """Training and validation batches."""
    train, validation = data.train, data.validation
    batches = -(-len(train) // settings.batch_size)
    truth = settings.truth_by_epoch(settings.fit_settings(batches).epochs)
    return (
        PairBatches(train.inputs, train.outputs, settings.batch_size, seed=settings.seed, truth=truth),
        PairBatches(validation.inputs, validation.outputs, BATCH_OF_VALIDATION, shuffle=False),
    )


def _learn(rows: Rows, settings: TranslateSettings) -> Pieces:
    return Pieces(
        Subwords.learn([pairs.sources[row] for pairs, row in rows], most=settings.source_pieces),
        Subwords.learn([pairs.targets[row] for pairs, row in rows], most=settings.target_pieces),
    )


def _part(rows: Rows, pieces: Pieces) -> Part:
    sources = [pairs.sources[row] for pairs, row in rows]
    targets = [pairs.targets[row] for pairs, row in rows]
    return Part(sources, targets, pieces.source.number(sources), pieces.target.number(targets))


def _filled(pairs: Pairs, repairs: list[Repair]) -> Rows:
    """Every pair with both sides; those with an empty one are left out and said so."""
    whole = [bool(source and target) for source, target in zip(pairs.sources, pairs.targets, strict=True)]
    if not any(whole):
        raise DataError(f"{pairs.name}: every pair has an empty side.")
    if empty := [row for row, good in enumerate(whole) if not good]:
        said = (
            f"{counted(len(empty), 'pair')} with an empty side left out, the first: {pairs.place(empty[0])}."
        )
        repairs.append(Repair(kind="empty side", count=len(empty), text=said))
    return [(pairs, row) for row, good in enumerate(whole) if good]


def _split(given: dict[str, Rows], settings: TranslateSettings) -> dict[str, Rows]:
    """Cut off the parts that were not given; pairs with equal sources go into one part."""
    return split_rows(
        given,
        settings.split,
        settings.seed,
        noun="pair",
        alike=lambda row: row[0].sources[row[1]],
    )


def _keep_apart(parts: dict[str, Rows], repairs: list[Repair]) -> None:
    """Leave out of training what stands in the validation or test part too, or the figures would flatter."""
    held = {pairs.sources[row] for name in ("validation", "test") for pairs, row in parts[name]}
    kept = [(pairs, row) for pairs, row in parts["training"] if pairs.sources[row] not in held]
    if gone := len(parts["training"]) - len(kept):
        said = f"{counted(gone, 'training pair')} left out, as another part holds the same source."
        repairs.append(Repair(kind="in two parts", count=gone, text=said))
        parts["training"] = kept
    if not kept:
        raise DataError("no training pair is left: the validation and test parts hold all their sources.")


def _short(part: Part, longest: int, repairs: list[Repair]) -> Part:
    """Leave out what is too long to learn from."""
    sizes = [max(len(one), len(other)) for one, other in zip(part.inputs, part.outputs, strict=True)]
    kept = [row for row, size in enumerate(sizes) if size <= longest]
    if gone := len(sizes) - len(kept):
        said = f"{counted(gone, 'training pair')} left out, with more than {longest} pieces (--longest)."
        repairs.append(Repair(kind="too long", count=gone, text=said))
    if not kept:
        raise DataError(f"every training pair has more than {longest} pieces; choose a larger --longest.")
    return part.chosen(kept) if gone else part
