"""Commands that cannot be carried out: one message, exit code 2, and nothing left behind."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from .test_cli import refused

FITS = [
    "forecast nowhere.csv --target t",
    "classify nowhere.csv",
    "tag nowhere.conll",
    "generate nowhere.txt",
    "generate nowhere.mid",
    "translate nowhere.de nowhere.en",
    "transcribe nowhere",
]
TASKS = sorted({fit.split()[0] for fit in FITS})

OF_EVERY_FIT = [
    ("", ["nowhere", "no such file"]),
    ("--split 1,2,3", ["split: expected three shares above 0", "that add up to 1 "]),
    ("--split nan,nan,nan", ["split: expected three shares above 0", "that add up to 1 "]),
    ("--split 0.4,0,0.6", ["split: expected three shares above 0"]),
    ("--split 0.7,0.4,-0.1", ["split: expected three shares above 0"]),
    ("--split 1,2", ["split"]),
    ("--split a,b,c", ["split"]),
    ("--hiden 3", ["--hiden", "--hidden"]),
    ("--hidden many", ["--hidden", "many"]),
]

OF_ONE = [
    ("fot", ['Unknown command "fot"', '"fit"']),
    ("fit forecast", ["expected a data file and --target"]),
    ("fit forecast x.csv", ["expected a data file and --target"]),
    ("fit forecast --target t", ["expected a data file and --target"]),
    ("fit forecast x.csv --target t --split 0.5,0.5,0", ["split: expected three shares above 0 that"]),
    ("fit forecast x.csv --target t --history '5 apples'", ["history", "5 apples"]),
    ("fit classify", ["expected a file of texts or of sequences", "--label"]),
    ("fit classify x.csv --member 3", ["--member", "--members"]),
    ("fit classify x.csv --dropout 1", ["dropout"]),
    ("fit tag", ["expected a CoNLL file", "--validation"]),
    ("fit tag x.conll --tag-column 0", ["tag_column", "from 1"]),
    ("fit generate", ["expected a text file"]),
    ("fit generate x.txt --unit syllable", ["--unit", "syllable"]),
    ("fit generate x.txt --vocabulary 300", ["vocabulary belongs to unit 'word' or 'bpe'"]),
    ("fit generate x.txt --unit word --vocabulary 256", ["vocabulary", "greater than 256"]),
    ("fit generate tune.mid --tied", ["--tied is an option for text", "music"]),
    ("fit translate", ["expected a file of sentences", "--validation val.de,val.en"]),
    ("fit translate x.de x.en --validation a,b,c", ["validation", "got 3 places"]),
    ("fit translate x.de x.en --attention dots", ["dots"]),
    ("fit translate --resume m --no-attention", ["leave away --attention"]),
    ("fit transcribe", ["expected a folder of sound files", "transcripts"]),
    ("fit transcribe x --unit letter", ["unit"]),
    ("fit transcribe x --stacks 3", ["--stack"]),
    ("evaluate nowhere", ["nowhere", "no such folder"]),
    ("predict nowhere x.csv", ["nowhere", "no such folder"]),
    ("generate nowhere", ["nowhere", "no such folder"]),
    ("look nowhere", ["nowhere", "no such folder"]),
]

COMMANDS = [
    *((f"fit {fit} {wrong}", words) for fit in FITS for wrong, words in OF_EVERY_FIT),
    *((f"fit {task} --resume nowhere", ["nowhere", "no fit was begun"]) for task in TASKS),
    *(
        (f"fit {task} --resume m --hidden 3 --out x", ["leave away --out, --hidden"])
        for task in TASKS
        if task != "generate"  # text or music? the folder says
    ),
    *OF_ONE,
]


@pytest.mark.parametrize(("command", "words"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_wrong_words(
    command: str,
    words: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    message = refused(capsys, *shlex.split(command))
    assert all(word in message for word in words), message
    assert not list(tmp_path.iterdir()), "nothing may be left behind"
