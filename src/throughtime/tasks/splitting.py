"""Which rows of the data become the training, validation and test part."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

import numpy as np

from throughtime.errors import DataError
from throughtime.tasks.task_settings import Shares

RowT = TypeVar("RowT")


def split_rows(
    given: dict[str, list[RowT]],
    split: Shares,
    seed: int,
    *,
    noun: str,
    alike: Callable[[RowT], Hashable],
    kind: Callable[[RowT], str] | None = None,
) -> dict[str, list[RowT]]:
    """Cut off the parts that were not given, by chance; rows that are alike go into one part.

    Args:
        given: Rows to cut from as "training"; "validation" and "test" where they came from elsewhere.
        split: Shares of training, validation and test part.
        seed: Of the draws.
        noun: What a row is called.
        alike: Rows for which this is equal are taken for the same.
        kind: Each kind is cut in proportion, e.g. each class; None: all rows are of one.

    Returns:
        Rows of "training", "validation" and "test".

    Raises:
        DataError: a part holds nothing.
    """
    shares = dict(zip(("training", "validation", "test"), split, strict=True))
    parts: dict[str, list[RowT]] = {name: given[name] for name in ("validation", "test") if name in given}
    wanted = [name for name in shares if name not in parts]
    total = sum(shares[name] for name in wanted)
    portions = np.cumsum([shares[name] / total for name in wanted])
    groups: dict[Hashable, list[RowT]] = {}
    for row in given["training"]:
        groups.setdefault(alike(row), []).append(row)
    kinds: dict[str, list[list[RowT]]] = {}
    for rows in groups.values():
        kinds.setdefault("" if kind is None else kind(rows[0]), []).append(rows)
    rng = np.random.default_rng(seed)
    parts |= {name: [] for name in wanted}
    for name_of_kind in sorted(kinds):
        each = kinds[name_of_kind]
        order = rng.permutation(len(each)) if len(wanted) > 1 else np.arange(len(each))
        borders = np.round(portions * len(each)).astype(int)
        for name, chosen in zip(wanted, np.split(order, borders[:-1]), strict=True):
            parts[name] += [row for group in chosen for row in each[group]]
    for name, rows in parts.items():
        if not rows:
            raise DataError(
                f"the {name} part holds no {noun}; bring more {noun}s, or choose another --split."
            )
    return parts
