"""throughtime: recurrent neural networks you can see through.

`RNN` and `LSTM` are torch modules; `Forecaster`, `Classifier`, `Tagger` and `TextGenerator` go from data
to a trained, measured network.
Each name is imported when it is first used, so that `throughtime --help` need not wait for torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from throughtime._version import __version__
from throughtime.errors import (
    DataError,
    ModelFolderError,
    NonFiniteError,
    OutputError,
    RecordingError,
    SettingsError,
    ThroughtimeError,
)

if TYPE_CHECKING:
    from throughtime.nn import LSTM, RNN, Variant, from_torch, to_torch
    from throughtime.recording import Recording, load_recording, record
    from throughtime.recording.error_map import error_map
    from throughtime.recording.lyapunov import lyapunov_exponents
    from throughtime.recording.memory import memory_length
    from throughtime.tasks.classify import Classifier
    from throughtime.tasks.forecast import Forecaster
    from throughtime.tasks.generate_text import TextGenerator
    from throughtime.tasks.load import load
    from throughtime.tasks.music import Composer
    from throughtime.tasks.tag import Tagger
    from throughtime.tasks.transcribe import Transcriber
    from throughtime.tasks.translate import Translator

__all__ = [
    "LSTM",
    "RNN",
    "Classifier",
    "Composer",
    "DataError",
    "Forecaster",
    "ModelFolderError",
    "NonFiniteError",
    "OutputError",
    "Recording",
    "RecordingError",
    "SettingsError",
    "Tagger",
    "TextGenerator",
    "ThroughtimeError",
    "Transcriber",
    "Translator",
    "Variant",
    "__version__",
    "error_map",
    "from_torch",
    "load",
    "load_recording",
    "lyapunov_exponents",
    "memory_length",
    "record",
    "to_torch",
]

_LAZY = {
    "Classifier": "throughtime.tasks.classify",
    "Composer": "throughtime.tasks.music",
    "Forecaster": "throughtime.tasks.forecast",
    "Tagger": "throughtime.tasks.tag",
    "Translator": "throughtime.tasks.translate",
    "TextGenerator": "throughtime.tasks.generate_text",
    "Transcriber": "throughtime.tasks.transcribe",
    "error_map": "throughtime.recording.error_map",
    "load": "throughtime.tasks.load",
    "lyapunov_exponents": "throughtime.recording.lyapunov",
    "memory_length": "throughtime.recording.memory",
    **dict.fromkeys(("LSTM", "RNN", "Variant", "from_torch", "to_torch"), "throughtime.nn"),
    **dict.fromkeys(("Recording", "load_recording", "record"), "throughtime.recording"),
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    if name in ("nn", "page"):
        return importlib.import_module(f"throughtime.{name}")
    raise AttributeError(f"module 'throughtime' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
