"""The recipe of the spoken digit sequences: whole folders, and no recording in two parts."""

from __future__ import annotations

import csv
import importlib.util
import io
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile

RECIPE = Path(__file__).parents[2] / "benchmarks" / "fsdd_sequences.py"


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fsdd_sequences", RECIPE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers, ten digits, fifty recordings of 10 ms; their level says which index they have."""
    path = tmp_path_factory.mktemp("zip") / "small.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for speaker in ("ann", "bob"):
            for digit in range(10):
                for index in range(50):
                    file = io.BytesIO()
                    soundfile.write(file, np.full(80, (index + 1) / 100), 8_000, format="FLAC")
                    archive.writestr(f"{digit}_{speaker}_{index}.flac", file.getvalue())
    return path


def test_recordings_of_two_parts_never_meet(
    recipe: ModuleType, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = recipe.read_zip(archive)
    assert len(recordings) == 20
    seen: dict[str, set[int]] = {}
    join = recipe.join_recordings
    for part, indices in recipe.PARTS.items():
        used = seen.setdefault(part, set())

        def watched(pieces: list[np.ndarray], *rest: object, used: set[int] = used) -> np.ndarray:
            used.update(round(float(piece[0]) * 100) - 1 for piece in pieces)
            assert 3 <= len(pieces) <= 7
            joined: np.ndarray = join(pieces, *rest)
            return joined

        monkeypatch.setattr(recipe, "join_recordings", watched)
        rng = np.random.default_rng(0)
        for _ in range(200):
            samples, text, speaker = recipe.draw(recordings, indices, (3, 7), rng)
            assert 3 <= len(text.split()) <= 7
            assert set(text.split()) <= set(recipe.NAMES)
            assert speaker in ("ann", "bob")
            assert len(samples) >= 80 * len(text.split())
        assert used == set(indices)
    assert seen["test"] == set(range(5))
    assert not seen["test"] & (seen["train"] | seen["validation"])
    assert not seen["train"] & seen["validation"]


def test_folders_as_fit_transcribe_reads_them(
    recipe: ModuleType, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--train", "6", "--validation", "3", "--test", "2"]
    for name in ("one", "two"):
        monkeypatch.setattr(sys, "argv", ["recipe", str(archive), str(tmp_path / name), *words])
        recipe.main()
    for part, count in (("train", 6), ("validation", 3), ("test", 2)):
        rows = list(csv.DictReader(io.StringIO((tmp_path / "one" / part / "transcripts.csv").read_text())))
        assert len(rows) == count
        for row in rows:
            assert soundfile.info(tmp_path / "one" / part / row["file"]).samplerate == 8_000
    for file in (tmp_path / "one").rglob("*.*"):
        assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()
    monkeypatch.setattr(sys, "argv", ["recipe", str(archive), str(tmp_path / "each"), "--digits", "1", "1"])
    recipe.main()
    assert len(list((tmp_path / "each" / "test").glob("*.wav"))) == 2 * 10 * 5
