"""Tables and texts in; regular series, windows, numbered words and batches out."""

from throughtime.data.batches import StreamBatches, WindowBatches
from throughtime.data.channels import Channels
from throughtime.data.cooccurrence import word_vectors
from throughtime.data.durations import format_duration, parse_duration, steps_of
from throughtime.data.plain_text import PlainText, read_plain_text, text_in_memory
from throughtime.data.prepare import apply, prepare
from throughtime.data.read import read_table
from throughtime.data.read_sequences import read_sequences
from throughtime.data.recipe import ColumnRule, PrepareSettings, Recipe, Series
from throughtime.data.scaling import Scaler
from throughtime.data.sequence_batches import SequenceBatches
from throughtime.data.sequences import Sequences, from_arrays
from throughtime.data.shipped import weather
from throughtime.data.split import Parts, part_borders, split_windows
from throughtime.data.symbols import Symbols
from throughtime.data.table import Repair, Table
from throughtime.data.text_streams import TextStreams
from throughtime.data.texts import Texts, from_lists, read_texts
from throughtime.data.windows import Windows, longest_stretch, make_windows
from throughtime.data.words import Words

__all__ = [
    "Channels",
    "ColumnRule",
    "Parts",
    "PlainText",
    "PrepareSettings",
    "Recipe",
    "Repair",
    "Scaler",
    "SequenceBatches",
    "Sequences",
    "Series",
    "StreamBatches",
    "Symbols",
    "Table",
    "TextStreams",
    "Texts",
    "WindowBatches",
    "Windows",
    "Words",
    "apply",
    "format_duration",
    "from_arrays",
    "from_lists",
    "longest_stretch",
    "make_windows",
    "parse_duration",
    "part_borders",
    "prepare",
    "read_plain_text",
    "read_sequences",
    "read_table",
    "read_texts",
    "split_windows",
    "steps_of",
    "text_in_memory",
    "weather",
    "word_vectors",
]
