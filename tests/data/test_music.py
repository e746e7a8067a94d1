"""Reading music from lists, JSON, MIDI files and folders; what is wrong with it; writing MIDI."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import mido
import pytest

from throughtime.data import read_music, write_midi
from throughtime.data.midi_write import split_voices
from throughtime.data.rolls import note_name, runs, to_bits, to_steps
from throughtime.errors import DataError

TUNE = ((48, 60, 64), (48, 60, 65), (), (60,), (60, 62), (48, 60, 62, 127), (0,), ())


def midi(path: Path, *tracks: list[Any], ticks: int = 96, kind: int = 1) -> Path:
    """A MIDI file; a track is a list of (message or meta type, ticks since the last, fields)."""
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    for track in tracks:
        made = mido.MidiTrack()
        for name, time, fields in track:
            message = mido.MetaMessage if name in ("set_tempo", "end_of_track") else mido.Message
            made.append(message(name, time=time, **fields))
        file.tracks.append(made)
    file.save(path)
    return path


def note(number: int, start: int, length: int, **fields: int) -> list[Any]:
    """A note that begins `start` ticks after what came before it."""
    return [
        ("note_on", start, {"note": number, "velocity": 64, **fields}),
        ("note_off", length, {"note": number, **fields}),
    ]


@pytest.mark.parametrize("grid", ["quarter", "8th", "16th"])
@pytest.mark.parametrize("voices", [True, False])
def test_a_midi_file_read_back_gives_the_same_roll(tmp_path: Path, grid: Any, voices: bool) -> None:
    path = tmp_path / "new" / "tune.mid"
    write_midi(path, TUNE, grid=grid, tempo=97.5, voices=voices, instrument=19, velocity=33)
    music = read_music(path, grid=grid)
    (roll,) = music.pieces
    assert roll.steps == TUNE
    assert roll.tempo == pytest.approx(97.5, abs=1e-3)
    assert music.form == "MIDI"
    assert not music.repairs
    file = mido.MidiFile(path)
    assert len(file.tracks) == (1 + 4 if voices else 2)
    quarters = len(TUNE) / {"quarter": 1, "8th": 2, "16th": 4}[grid]
    assert file.length == pytest.approx(quarters * 60 / 97.5, rel=1e-4)
    played = [m for track in file.tracks for m in track if m.type == "note_on"]
    assert len(played) == len(runs(TUNE)) == 9
    assert {m.velocity for m in played} == {33}
    assert {m.program for track in file.tracks for m in track if m.type == "program_change"} == {19}


def test_held_notes_stay_in_their_voice() -> None:
    voices = split_voices(((60, 72), (60, 74), (60,), (60, 48)))
    assert voices == [[(72, 0, 1), (74, 1, 2), (48, 3, 4)], [(60, 0, 4)]]
    assert split_voices(((), ())) == []


def test_many_voices_leave_the_drum_channel_free(tmp_path: Path) -> None:
    chord = tuple(range(40, 60))
    write_midi(tmp_path / "a.mid", [chord, chord])
    file = mido.MidiFile(tmp_path / "a.mid")
    assert 9 not in {m.channel for track in file.tracks for m in track if m.type == "note_on"}
    assert read_music(tmp_path / "a.mid").pieces[0].steps == (chord, chord)


@pytest.mark.parametrize(
    ("steps", "options", "message"),
    [
        ([], {}, "no step to write"),
        ([[60], [128]], {}, "step 2: note 128 is outside 0..127"),
        ([[60]], {"tempo": 0}, "tempo=0 must be from 4"),
        ([[60]], {"velocity": 0}, "velocity=0 must be from 1 to 127"),
        ([[60]], {"instrument": 128}, "instrument=128 must be from 0 to 127"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, steps: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_midi(tmp_path / "tune.mid", steps, **options)
    assert not list(tmp_path.iterdir())


def test_notes_go_to_the_nearest_step_and_are_never_lost(tmp_path: Path) -> None:
    """At 96 ticks a quarter: 10 late; a grace note; half a step late goes to the next."""
    late, grace, half = note(60, 10, 90), note(62, 92, 5), note(64, 43, 96)
    path = midi(tmp_path / "a.mid", [*late, *grace, *half])
    music = read_music(path)
    assert music.pieces[0].steps == ((60,), (), (62,), (64,))
    assert [repair.text for repair in music.repairs] == [
        "2 of 3 notes moved by more than 0.2 of a step to lie on the grid; a finer --grid may suit this "
        "music."
    ]
    finer = read_music(path, grid="16th").pieces[0].steps
    assert len(finer) == 14
    assert finer[:5] == ((60,), (60,), (60,), (60,), ())


def test_drums_are_left_out_and_counted(tmp_path: Path) -> None:
    track = [*note(60, 0, 96), *note(36, 0, 96, channel=9), *note(36, 0, 96, channel=9)]
    music = read_music(midi(tmp_path / "a.mid", track))
    assert music.pieces[0].steps == ((60,), (), ())
    assert [(repair.kind, repair.count) for repair in music.repairs] == [("drums", 2)]
    with pytest.raises(DataError, match=r"b.mid: holds no notes; it holds only drums. Take the file out."):
        read_music(midi(tmp_path / "b.mid", note(36, 0, 96, channel=9)))


def test_tempo_is_the_first_and_does_not_move_the_grid(tmp_path: Path) -> None:
    tempos = [("set_tempo", 0, {"tempo": 500_000}), ("set_tempo", 96, {"tempo": 250_000})]
    music = read_music(midi(tmp_path / "a.mid", tempos, [*note(60, 0, 96), *note(62, 96, 96)]))
    assert music.pieces[0].tempo == 120
    assert music.pieces[0].steps == ((60,), (), (62,))
    assert music.repairs[0].text == "the first tempo kept of 1 file that changes it."
    assert read_music(midi(tmp_path / "b.mid", note(60, 0, 96))).pieces[0].tempo is None


def test_velocity_zero_ends_a_note_and_so_does_the_next_of_its_kind(tmp_path: Path) -> None:
    on = {"note": 60, "velocity": 64}
    ends = [("note_on", 0, on), ("note_on", 96, {"note": 60, "velocity": 0}), *note(62, 96, 96)]
    assert read_music(midi(tmp_path / "a.mid", ends)).pieces[0].steps == ((60,), (), (62,))
    again = [("note_on", 0, on), ("note_on", 192, on), ("note_off", 96, {"note": 60})]
    music = read_music(midi(tmp_path / "b.mid", again))
    assert music.pieces[0].steps == ((60,), (60,), (60,))
    assert not music.repairs
    unended = read_music(midi(tmp_path / "c.mid", [("note_on", 0, on), *note(62, 96, 96)]))
    assert unended.pieces[0].steps == ((60,), (60, 62))
    assert unended.repairs[0].kind == "no end"


def test_json_by_parts_as_pieces_and_as_one_piece(tmp_path: Path) -> None:
    piece = [[64, 60], [], [60, 60]]
    read = ((60, 64), (), (60,))
    parts = {"train": [piece, piece], "valid": [piece], "test": [piece]}
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(json.dumps(parts).encode()))
    music = read_music(path)
    assert {part: [roll.steps for roll in rolls] for part, rolls in music.parts.items()} == {
        "train": [read, read],
        "valid": [read],
        "test": [read],
    }
    assert music.parts["valid"][0].name == "a.json.gz valid, piece 1"
    assert read_music([piece, piece]).parts["all"][1].steps == read
    assert read_music(piece).parts["all"][0].steps == read
    assert read_music({**parts, "validation": [piece]}).parts.keys() == {"train", "valid", "test"}
    assert read_music(music) is music
    assert read_music(path).fingerprint == music.fingerprint != read_music(parts).fingerprint


def test_minus_one_is_a_rest(tmp_path: Path) -> None:
    music = read_music([[[60, -1, 55, -1]], [[60.0, 64]]])
    assert [roll.steps for roll in music.pieces] == [((55, 60),), ((60, 64),)]
    assert music.repairs[0].text == "2 entries of -1 read as silence."


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"train": [[[60]], [[60], [128]]]}, "a.json train, piece 2, step 2: note 128 is outside 0..127."),
        ({"train": [[[60]], [[-2]]]}, "a.json train, piece 2, step 1: note -2 is outside"),
        ([[[60]], []], "a.json piece 2: is empty; take it out"),
        ([], "a.json piece 1: is empty"),
        ([[["C4"]]], 'a.json piece 1, step 1: expected whole MIDI numbers, got "C4".'),
        ([[[60.5]]], "a.json piece 1, step 1: expected whole MIDI numbers, got 60.5."),
        ([[[True]]], "a.json piece 1, step 1: expected whole MIDI numbers, got true."),
        ([[[60], 60]], r"a.json piece 1, step 2: expected a list of MIDI numbers, got 60; \[\] is silence."),
        ({"train": {}}, "a.json: train, expected a list of pieces, got {}."),
        ({"songs": []}, "a.json: holds the key 'songs'; expected"),
        (60, "a.json piece 1: expected a list of steps, got 60; expected"),
    ],
)
def test_json_that_is_no_music_says_where(tmp_path: Path, found: Any, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(found))
    with pytest.raises(DataError, match=message):
        read_music(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"temp,wind\n1,2\n", "a.xyz: is neither MIDI nor JSON"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\xff", "a.xyz: is no music that can be read here"),
        (b"[" * 100_000, "a.xyz: (its lists are nested too deeply|is neither MIDI nor JSON)"),
        (b"", r"a.xyz: the file is empty \(0 bytes\)"),
        (
            b"MThd\0\0\0\6\0\1",
            r"a.xyz: is a damaged MIDI file \(it ends too early\); fetch or export it once more.",
        ),
        (b"MThd\0\0\0\6\0\0\0\0\0\x60", "a.xyz: holds no notes. Take the file out."),
        (b"MThd\0\0\0\6\0\2\0\0\0\x60", "a.xyz: holds tunes that do not run together"),
        (b"MThd\0\0\0\6\0\0\0\0\xe7\x28", r"a.xyz: counts time in seconds \(SMPTE\) instead of beats"),
    ],
)
def test_files_that_are_no_music_say_so(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.xyz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_music(path)


def test_a_midi_file_cut_anywhere_is_named_or_read(tmp_path: Path) -> None:
    whole = midi(tmp_path / "a.mid", [*note(60, 0, 96), *note(62, 96, 96)]).read_bytes()
    path = tmp_path / "cut.mid"
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"cut.mid"):
            read_music(path)
    for place in range(14, len(whole)):
        path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        try:
            assert read_music(path).pieces
        except DataError as error:
            assert str(error).startswith("cut.mid: ")  # noqa: PT017


def test_folders_of_midi_files(tmp_path: Path) -> None:
    for name in ("b.MID", "deep/a.midi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        midi(tmp_path / name, note(60, 0, 96))
    (tmp_path / "readme.txt").write_text("no music")
    music = read_music(tmp_path)
    assert [roll.name for roll in music.parts["all"]] == ["b.MID", "deep/a.midi"]
    parts = tmp_path / "parts"
    for name in ("train/x.mid", "Validation/y.mid", "test/z.mid"):
        (parts / name).parent.mkdir(parents=True)
        midi(parts / name, note(60, 0, 96))
    found = read_music(parts)
    assert {part: rolls[0].name for part, rolls in found.parts.items()} == {
        "train": "train/x.mid",
        "valid": "Validation/y.mid",
        "test": "test/z.mid",
    }
    assert read_music(parts).fingerprint == found.fingerprint != read_music(parts, grid="8th").fingerprint
    midi(parts / "stray.mid", note(60, 0, 96))
    with pytest.raises(DataError, match=r"stray.mid lies outside the folders test, train, valid"):
        read_music(parts)


def test_folders_without_music(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no MIDI file \(.mid or .midi\)"):
        read_music(tmp_path)
    (tmp_path / "a.mid").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"^a.mid: is not a MIDI file \(it does not begin with MThd\)"):
        read_music(tmp_path)
    with pytest.raises(DataError, match="there is no such file"):
        read_music(tmp_path / "nothing.mid")
    with pytest.raises(ValueError, match="grid='32nd' is unknown; choose quarter, 8th, 16th"):
        read_music(tmp_path, grid="32nd")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="source is a int"):
        read_music(3)


def test_rolls_as_numbers_and_back() -> None:
    bits = to_bits(TUNE, 0, 127)
    assert bits.shape == (8, 128)
    assert bits[1].nonzero().flatten().tolist() == [48, 60, 65]
    assert to_steps(bits, 0) == TUNE
    assert to_steps(to_bits(((60,), ()), 48, 72), 48) == ((60,), ())
    with pytest.raises(ValueError, match=r"step 2: note 47 is outside 48..72"):
        to_bits(((60,), (47,)), 48, 72)
    assert [note_name(number) for number in (0, 21, 60, 61, 108)] == ["C-1", "A0", "C4", "C#4", "C8"]


@pytest.mark.data
def test_the_chorales_of_the_literature(datasets: Path) -> None:
    music = read_music(datasets / "jsb_chorales/jsb-chorales-quarter.json.gz")
    assert {part: len(rolls) for part, rolls in music.parts.items()} == {
        "train": 229,
        "valid": 76,
        "test": 77,
    }
    steps = {part: sum(map(len, rolls)) for part, rolls in music.parts.items()}
    assert steps == {"train": 13_807, "valid": 4_602, "test": 4_725}
    notes = {number for roll in music.pieces for number in roll.sounding}
    assert (min(notes), max(notes)) == (43, 96)
    voices = read_music(datasets / "jsb_chorales/Jsb16thSeparated.json.gz")
    assert [(repair.kind, repair.count) for repair in voices.repairs] == [("rests", 1_284)]
