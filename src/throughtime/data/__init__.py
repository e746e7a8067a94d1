"""Tables, texts and music in; regular series, windows, numbered words, rolls and batches out."""

from throughtime.data.augment import Augmentation
from throughtime.data.batches import StreamBatches, WindowBatches
from throughtime.data.channels import Channels
from throughtime.data.conll import Sentences, read_conll, sentences_from_lists
from throughtime.data.cooccurrence import word_vectors
from throughtime.data.durations import format_duration, parse_duration, steps_of
from throughtime.data.join import join_recordings
from throughtime.data.lexicon import Lexicon
from throughtime.data.log_mel import LogMel
from throughtime.data.midi_write import write_midi
from throughtime.data.music import read_music
from throughtime.data.pair_batches import PairBatch, PairBatches
from throughtime.data.pairs import Pairs, pairs_from_lists, read_pairs
from throughtime.data.plain_text import PlainText, read_plain_text, text_in_memory
from throughtime.data.prepare import apply, prepare
from throughtime.data.read import read_table
from throughtime.data.read_sequences import read_sequences
from throughtime.data.recipe import ColumnRule, PrepareSettings, Recipe, Series
from throughtime.data.roll_batches import RollBatches
from throughtime.data.rolls import Music, Roll
from throughtime.data.scaling import Scaler
from throughtime.data.sequence_batches import SequenceBatches
from throughtime.data.sequences import Sequences, from_arrays
from throughtime.data.shipped import weather
from throughtime.data.sound import Sound, read_sound
from throughtime.data.speech import Speech, from_recordings, read_speech
from throughtime.data.spelling import Spelling
from throughtime.data.split import Parts, part_borders, split_windows
from throughtime.data.subwords import Subwords
from throughtime.data.symbols import Symbols
from throughtime.data.table import Repair, Table
from throughtime.data.tag_schemes import Span, in_iob2, spans_of, tag_names, tags_of
from throughtime.data.text_streams import TextStreams
from throughtime.data.texts import Texts, from_lists, read_texts
from throughtime.data.tokens import cut_line, number_characters, plain_form, shape_of
from throughtime.data.vectors import WordVectors, read_vectors
from throughtime.data.windows import Windows, longest_stretch, make_windows
from throughtime.data.words import Words

__all__ = [
    "Augmentation",
    "Channels",
    "ColumnRule",
    "Lexicon",
    "LogMel",
    "Music",
    "PairBatch",
    "PairBatches",
    "Pairs",
    "Parts",
    "PlainText",
    "PrepareSettings",
    "Recipe",
    "Repair",
    "Roll",
    "RollBatches",
    "Scaler",
    "Sentences",
    "SequenceBatches",
    "Sequences",
    "Series",
    "Sound",
    "Span",
    "Speech",
    "Spelling",
    "StreamBatches",
    "Subwords",
    "Symbols",
    "Table",
    "TextStreams",
    "Texts",
    "WindowBatches",
    "Windows",
    "WordVectors",
    "Words",
    "apply",
    "cut_line",
    "format_duration",
    "from_arrays",
    "from_lists",
    "from_recordings",
    "in_iob2",
    "join_recordings",
    "longest_stretch",
    "make_windows",
    "number_characters",
    "pairs_from_lists",
    "parse_duration",
    "part_borders",
    "plain_form",
    "prepare",
    "read_conll",
    "read_music",
    "read_pairs",
    "read_plain_text",
    "read_sequences",
    "read_sound",
    "read_speech",
    "read_table",
    "read_texts",
    "read_vectors",
    "sentences_from_lists",
    "shape_of",
    "spans_of",
    "split_windows",
    "steps_of",
    "tag_names",
    "tags_of",
    "text_in_memory",
    "weather",
    "word_vectors",
    "write_midi",
]
