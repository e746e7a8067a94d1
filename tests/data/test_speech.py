"""Tables of transcripts and the recordings they name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from throughtime.data import from_recordings, read_speech
from throughtime.data.speech import open_sound
from throughtime.errors import DataError

TONE = 0.3 * np.sin(np.arange(2_000) * 0.5)


def folder(
    path: Path, table: str = "file,text\na.wav,one\nsub/b.flac,two three\n", name: str = "t.csv"
) -> Path:
    (path / "sub").mkdir(parents=True)
    for number, file in enumerate(("a.wav", "sub/b.flac")):
        soundfile.write(path / file, TONE * (1 + number), 8_000)
    (path / name).write_text(table)
    return path


def test_a_folder_and_its_table_are_the_same(tmp_path: Path) -> None:
    speech = read_speech(folder(tmp_path / "x"))
    assert speech.texts == ("one", "two three")
    assert speech.place(1) == "t.csv line 3 (b.flac)"
    assert speech.sound(0).samples == pytest.approx(TONE, abs=1e-4)
    assert speech.rate() == 8_000
    assert speech.repairs == ()
    assert read_speech(tmp_path / "x" / "t.csv").fingerprint == speech.fingerprint
    (tmp_path / "x" / "spare.wav").write_bytes(b"")
    assert [one.text for one in read_speech(tmp_path / "x").repairs] == [
        "1 sound file without a transcript left out, the first is spare.wav."
    ]


@pytest.mark.parametrize(
    ("table", "name", "options"),
    [
        ("path\ttranscript\na.wav\tone\nsub/b.flac\ttwo three\n", "t.tsv", {}),
        ("speaker,id,sentence\nx,a,one\ny,sub/b,two three\n", "t.csv", {}),
        ("x,y,z\none,a.wav,1\ntwo three,sub/b.flac,2\n", "t.csv", {"file": "y", "text": "x"}),
    ],
)
def test_columns_are_found_or_named(table: str, name: str, options: dict[str, str], tmp_path: Path) -> None:
    speech = read_speech(folder(tmp_path / "x", table, name), **options)
    assert speech.texts == ("one", "two three")
    assert [place.name for place in speech.recordings] == ["a.wav", "b.flac"]


def test_the_fingerprint_sees_sound_and_words(tmp_path: Path) -> None:
    first = read_speech(folder(tmp_path / "x")).fingerprint
    soundfile.write(tmp_path / "x" / "a.wav", TONE * 0.9, 8_000)
    second = read_speech(tmp_path / "x").fingerprint
    (tmp_path / "x" / "t.csv").write_text("file,text\na.wav,one\nsub/b.flac,two four\n")
    assert len({first, second, read_speech(tmp_path / "x").fingerprint}) == 3


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("file,text\na.wav,one\nc.wav,two\nd.wav,x\n", ["t.csv: 2 files of 3 not found", "'c.wav' (line 3)"]),
        ("file,text\n,one\n", ["1 file of 1 not found", "'' (line 2)"]),
        ("file,text\na.wav,one\na,two\n", ["t.csv line 3: a.wav stands in line 2 already"]),
        ("a,b\na.wav,one\n", ["which column holds the files", "--file"]),
        ("file,b\na.wav,one\n", ["which column holds the texts", "--text"]),
        ("file,text\n", ["a header and no rows"]),
    ],
)
def test_tables_that_cannot_be_used(table: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read_speech(folder(tmp_path / "x", table))
    assert all(word in str(error.value) for word in words), error.value


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    made = folder(tmp_path / "x")
    with pytest.raises(DataError, match=r"no column 'said' \(--text\); the columns are 'file', 'text'"):
        read_speech(made, text="said")
    with pytest.raises(DataError, match=r"a\.wav: is a sound file; to learn, give a folder"):
        read_speech(made / "a.wav")
    (made / "other.tsv").write_text("x\n")
    with pytest.raises(DataError, match=r"holds 2 tables \('other\.tsv', 't\.csv'\); name the one"):
        read_speech(made)
    with pytest.raises(DataError, match=r'holds no table of transcripts.*"file,text"'):
        read_speech(made / "sub")
    with pytest.raises(DataError, match="no such file"):
        read_speech(tmp_path / "nowhere")


def test_recordings_in_memory(tmp_path: Path) -> None:
    path = folder(tmp_path / "x") / "a.wav"
    speech = from_recordings([(TONE, 8_000), path, (TONE, 4_000), (TONE, 4_000)], [" one ", "two", "", "x"])
    assert speech.texts == ("one", "two", "", "x")
    assert [speech.place(row) for row in (0, 1)] == ["recording 1", "a.wav"]
    assert speech.rate() == 4_000, "of two rates as frequent the lower"
    assert speech.sound(0, 4_000).recorded_rate == 8_000
    same = from_recordings([(TONE, 8_000)], ["x"]).fingerprint
    assert from_recordings([(TONE.copy(), 8_000)], ["x"]).fingerprint == same
    assert from_recordings([(TONE, 8_000)], ["y"]).fingerprint != same
    assert from_recordings([(TONE, 8_001)], ["x"]).fingerprint != same
    with pytest.raises(ValueError, match="1 recordings and 2 transcripts"):
        from_recordings([(TONE, 8_000)], ["x", "y"])
    with pytest.raises(TypeError, match="number 1 is a int"):
        from_recordings([(TONE, 8_000)], [3])  # type: ignore[list-item]
    with pytest.raises(DataError, match="there are none"):
        from_recordings([], [])
    with pytest.raises(TypeError, match=r"recording 4 is a ndarray; give .* \(samples, samples a second\)"):
        open_sound(TONE, 3)
