"""Bad input at the command line: a clear error and exit code 2, or a stated repair."""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

import throughtime as tt
from throughtime.cli import run

from ..tasks.conftest import small_table

OPTIONS = "--target load --history 1d --horizon 6h --hidden 4 --epochs 1 --batch-size 64".split()  # noqa: SIM905
HEADER = "time,load,hint\n"


def rows(count: int = 400) -> list[str]:
    """Lines of a good table, the times naive."""
    table = small_table(count).with_columns(pl.col("time").dt.strftime("%Y-%m-%d %H:%M"))
    return table.write_csv().splitlines(keepends=True)[1:]


def table(change: Callable[[list[str]], object] = lambda lines: None, header: str = HEADER) -> bytes:
    lines = rows()
    change(lines)
    return (header + "".join(lines)).encode()


def with_text(lines: list[str]) -> None:
    for at in (100, 200, 300):
        time, _, hint = lines[at].split(",")
        lines[at] = f"{time},n/a?,{hint}"


def with_zone(lines: list[str]) -> None:
    lines[50] = lines[50].replace(",", "+02:00,", 1)


def constant(lines: list[str]) -> None:
    lines[:] = [f"{line.split(',')[0]},5.0,{line.split(',')[2]}" for line in lines]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["bad.csv", "empty"]),
        (HEADER.encode(), ["bad.csv", "header"]),
        (table(lambda lines: lines.__delitem__(slice(1, None))), ["bad.csv"]),
        (table(header="time,other,hint\n"), ["no column 'load'", "'other'"]),
        (table(with_text), ["line 102", "'load'", "'n/a?'", "2 more", "--on-bad-value"]),
        (table(with_zone), ["time", "line 52", "zone"]),
        (table(constant), ["'load'", "nothing to forecast"]),
        (table(lambda lines: lines.__delitem__(slice(25, None))), ["history", "25"]),
        (gzip.compress(table())[:-400], ["bad.csv", "gzip"]),
        (bytes(range(256)) * 40, ["bad.csv"]),
    ],
    ids=[
        "empty",
        "header only",
        "one row",
        "no target",
        "text",
        "mixed zones",
        "constant target",
        "history too long",
        "truncated gzip",
        "binary",
    ],
)
def test_refused(
    content: bytes,
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_bytes(content)
    assert run(["fit", "forecast", "bad.csv", *OPTIONS]) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("throughtime: ")
    for word in words:
        assert word in message
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"], "nothing may be left behind"


def shuffled(lines: list[str]) -> None:
    lines[10], lines[20] = lines[20], lines[10]
    lines.insert(30, lines[30])


def with_gaps(lines: list[str]) -> None:
    for at in (60, 61, 62):
        time, _, hint = lines[at].split(",")
        lines[at] = f"{time},NaN,{hint}"
    del lines[150:153]


def sentinels(lines: list[str]) -> None:
    for at in (40, 80, 120, 121):
        time, load, _ = lines[at].split(",")
        lines[at] = f"{time},{load},-9999\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (table(header=HEADER + HEADER), ["header"]),
        (table(shuffled), ["sort", "1 row"]),
        (table(with_gaps), ["load: 3 missing values", "3 steps without a row"]),
        (table(sentinels), ["hint", "-9999", "4"]),
        (table().replace(b",", b";").replace(b".", b","), []),
        (b"\xef\xbb\xbf" + table(), []),
        (gzip.compress(table()), []),
    ],
    ids=["two headers", "unsorted, repeated", "gaps", "sentinels", "decimal comma", "BOM", "gzip"],
)
def test_repaired_with_a_word(
    content: bytes, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd.csv").write_bytes(content)
    folder = tmp_path / "model"
    assert run(["fit", "forecast", str(tmp_path / "odd.csv"), *OPTIONS, "--out", str(folder)]) == 0
    printed = capsys.readouterr().err
    for word in words:
        assert word in printed
    assert len(tt.load(folder).predict(tmp_path / "odd.csv")) == 6


def test_the_hour_that_comes_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Local times over the end of summer time: a word without a zone, resolved with one."""
    utc = small_table(600).with_columns(pl.col("time").dt.offset_by("9mo10d"))
    local = pl.col("time").dt.convert_time_zone("Europe/Berlin").dt.strftime("%Y-%m-%d %H:%M")
    utc.with_columns(local).write_csv(tmp_path / "local.csv")
    words = ["fit", "forecast", str(tmp_path / "local.csv"), *OPTIONS]
    assert run([*words, "--out", str(tmp_path / "naive")]) == 0
    assert "--time-zone" in capsys.readouterr().err
    assert run([*words, "--time-zone", "Europe/Berlin", "--out", str(tmp_path / "zoned")]) == 0
    assert "same time" not in capsys.readouterr().err
    expected = utc["time"][-1]
    assert tt.load(tmp_path / "zoned").predict(tmp_path / "local.csv")["time"][0] > expected


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 128 kB."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("a small disk can only be mounted by root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk(small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The fit stops with a clear error; what was written before is whole."""
    (tmp_path / "good.csv").write_bytes(table())
    (small_disk / "precious").write_bytes(b"x" * 90_000)
    out = small_disk / "model"
    assert run(["fit", "forecast", str(tmp_path / "good.csv"), *OPTIONS, "--out", str(out)]) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith(f"throughtime: {small_disk}")
    assert "No space left" in message
    assert (small_disk / "precious").read_bytes() == b"x" * 90_000
    assert not (out / "model.json").exists()
    assert not list(small_disk.rglob("*.tmp")), "no half-written file may stay"
