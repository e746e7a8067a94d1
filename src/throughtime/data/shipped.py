"""The weather that ships with the package."""

from __future__ import annotations

from importlib import resources

from throughtime.data.read import read_table
from throughtime.data.table import Table

_FILE = "weather_jfk_2013.parquet"


def weather() -> Table:
    """Hourly weather at New York's John F. Kennedy airport, 2013: 8,706 rows from 1 January to 30 December.

    Columns as in the source, nothing repaired, NA kept as missing: year, month, day, hour (local time);
    temp, dewp (degF), humid (%), wind_dir (degrees; 0 is calm or variable), wind_speed, wind_gust (mph),
    precip (inch), pressure (mbar at sea level), visib (miles), time_hour (UTC).

    Source: table `weather` of the R package nycflights13 (tidyverse/nycflights13,
    data-raw/weather.csv, commit df98ef215aa8216fe0838a0b8ac5bada646d814c), the rows of JFK; ASOS readings
    collected by the Iowa Environmental Mesonet. Licence: CC0.
    """
    with resources.as_file(resources.files(__package__) / _FILE) as path:
        return read_table(path)
