"""What `import throughtime` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import throughtime

PUBLIC = {
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
    "Translator",
    "Transcriber",
    "Variant",
    "__version__",
    "error_map",
    "from_torch",
    "load",
    "lyapunov_exponents",
    "memory_length",
    "load_recording",
    "record",
    "to_torch",
}


def test_public_names() -> None:
    assert set(throughtime.__all__) == PUBLIC
    assert all(getattr(throughtime, name) is not None for name in PUBLIC)


def test_a_lean_core() -> None:
    """The modules draw in torch, and nothing that only a task or the command line needs."""
    script = (
        "import sys, throughtime; throughtime.LSTM; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    heavy = {"polars", "pandas", "pyarrow", "sklearn", "scipy", "pydantic", "rich", "cyclopts", "matplotlib"}
    assert "torch" in loaded.split()
    assert heavy & set(loaded.split()) == set()
