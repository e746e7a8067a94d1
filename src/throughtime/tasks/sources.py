"""Where data comes from: a file, a frame, or the weather that ships with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from throughtime.data import Table, read_table, weather
from throughtime.errors import DataError
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.model_folder import DataSource

SHIPPED_WEATHER = "demo:weather"


def open_source(data: Any, settings: ForecastSettings, expected: DataSource | None = None) -> Table:
    """Read data as the settings say.

    Args:
        data: A path, a frame, "demo:weather", or a `DataSource` to read again.
        settings: Rows to keep and what to do with bad values.
        expected: What the data must be the same as.

    Raises:
        DataError: it cannot be read, or is not the same as `expected`.
    """
    if isinstance(data, DataSource):
        data = _place_of(data)
    if isinstance(data, str) and data == SHIPPED_WEATHER:
        table = weather()
    else:
        table = read_table(data, where=settings.where or None, on_bad_value=settings.on_bad_value)
    if expected is not None and table.fingerprint != expected.fingerprint:
        raise DataError(
            f"{table.name}: not the data this fit began with ({expected.name}): it was changed since. "
            "Give the data as it was, or begin a new fit"
        )
    return table


def source_of(table: Table, data: Any) -> DataSource:
    """What to remember of where a table came from."""
    if isinstance(data, str) and data == SHIPPED_WEATHER:
        return DataSource(name="New York JFK weather 2013", path=data, fingerprint=table.fingerprint)
    path = None if table.path is None else str(table.path.resolve())
    return DataSource(name=table.name, path=path, fingerprint=table.fingerprint)


def _place_of(source: DataSource) -> str:
    if source.path is None:
        raise DataError(f"{source.name}: was a frame in memory and is not kept; give the data again")
    if source.path != SHIPPED_WEATHER and not Path(source.path).exists():
        raise DataError(f"{source.path}: the data of this model is no longer there; give its place")
    return source.path
