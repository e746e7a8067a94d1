"""Where the data of a forecast comes from: a file, a frame, or the weather that ships with the package."""

from __future__ import annotations

from typing import Any

from throughtime.data import Table, read_table, weather
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.model_folder import DataSource
from throughtime.tasks.sources import check_same, place_of, source_of

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
        data = place_of(data, shipped=(SHIPPED_WEATHER,))
    if isinstance(data, str) and data == SHIPPED_WEATHER:
        table = weather()
    else:
        table = read_table(data, where=settings.where or None, on_bad_value=settings.on_bad_value)
    if expected is not None:
        check_same(table, expected)
    return table


def forecast_source(table: Table, data: Any) -> DataSource:
    """What to remember of where a table came from."""
    if isinstance(data, str) and data == SHIPPED_WEATHER:
        return DataSource(name="New York JFK weather 2013", path=data, fingerprint=table.fingerprint)
    return source_of(table)
