"""throughtime: recurrent neural networks you can see through.

`RNN` and `LSTM` are torch modules; `Forecaster` and `Classifier` go from data to a
trained, measured network.
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
    SettingsError,
    ThroughtimeError,
)

if TYPE_CHECKING:
    from throughtime.nn import LSTM, RNN, Variant, from_torch, to_torch
    from throughtime.tasks.classify import Classifier
    from throughtime.tasks.forecast import Forecaster
    from throughtime.tasks.load import load

__all__ = [
    "LSTM",
    "RNN",
    "Classifier",
    "DataError",
    "Forecaster",
    "ModelFolderError",
    "NonFiniteError",
    "OutputError",
    "SettingsError",
    "ThroughtimeError",
    "Variant",
    "__version__",
    "from_torch",
    "load",
    "to_torch",
]

_LAZY = {
    "Classifier": "throughtime.tasks.classify",
    "Forecaster": "throughtime.tasks.forecast",
    "load": "throughtime.tasks.load",
    **dict.fromkeys(("LSTM", "RNN", "Variant", "from_torch", "to_torch"), "throughtime.nn"),
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'throughtime' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
