"""Tables in; regular series, windows and batches out."""

from throughtime.data.batches import StreamBatches, WindowBatches
from throughtime.data.durations import format_duration, parse_duration, steps_of
from throughtime.data.prepare import apply, prepare
from throughtime.data.read import read_table
from throughtime.data.recipe import ColumnRule, PrepareSettings, Recipe, Series
from throughtime.data.scaling import Scaler
from throughtime.data.shipped import weather
from throughtime.data.split import Parts, part_borders, split_windows
from throughtime.data.table import Repair, Table
from throughtime.data.windows import Windows, longest_stretch, make_windows

__all__ = [
    "ColumnRule",
    "Parts",
    "PrepareSettings",
    "Recipe",
    "Repair",
    "Scaler",
    "Series",
    "StreamBatches",
    "Table",
    "WindowBatches",
    "Windows",
    "apply",
    "format_duration",
    "longest_stretch",
    "make_windows",
    "parse_duration",
    "part_borders",
    "prepare",
    "read_table",
    "split_windows",
    "steps_of",
    "weather",
]
