"""Small tables and the series they become."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from throughtime.data import PrepareSettings, Recipe, Series, prepare, read_table


def hourly(rows: int, start: str = "2013-01-01") -> list[datetime]:
    first = datetime.fromisoformat(start)
    return [first + timedelta(hours=i) for i in range(rows)]


def frame_of(rows: int = 200, start: str = "2013-01-01", **columns: object) -> pl.DataFrame:
    """Hourly times and a wavy "temp", with further or changed columns."""
    step = np.arange(rows)
    temp = 10 + 5 * np.sin(2 * np.pi * step / 24) + 0.01 * (step * 7919 % 101)
    given = {"time": hourly(rows, start), "temp": temp, **columns}
    return pl.DataFrame(given, strict=False)


def prepared(frame: pl.DataFrame, training_share: float = 0.5, **settings: object) -> tuple[Recipe, Series]:
    chosen = {"target": "temp", **settings}
    return prepare(read_table(frame), PrepareSettings(**chosen), training_share=training_share)


def texts(series: Series, kind: str) -> list[str]:
    return [repair.text for repair in series.repairs if repair.kind == kind]


def counts(series: Series, kind: str) -> list[int]:
    return [repair.count for repair in series.repairs if repair.kind == kind]
