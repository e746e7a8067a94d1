"""Every kind of task, fitted by two processes under torchrun, gives what one process gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import throughtime as tt
from throughtime.cli import run

from ..tasks.pairs import write_pairs
from ..tasks.pieces import write_pieces
from ..tasks.plays import write_play
from ..tasks.sentences import write_sentences
from ..tasks.speech import write_speech
from ..tasks.texts import write_texts
from ..tasks.waves import wave_table, waves

# Masks differ between numbers of processes, so there are none.
MEMBERS = "--hidden 4 --members 2 --epochs 2 --batch-size 32 --dropout 0 --input-dropout 0"
WORDS = f"{MEMBERS} --embedding 6 --word-dropout 0"
COUNTED = {"tag": 0.1}  # share of spans: one answered otherwise, by rounding, moves it by some hundredths
OPTIONS = {
    "classify": WORDS,
    "classify_numbers": f"{MEMBERS} --features x,y2",
    "tag": WORDS,
    "generate_text": "--hidden 8 --embedding 4 --epochs 2 --batch-size 4 --steps 20 --dropout 0",
    "generate_music": "--hidden 8 --epochs 2 --batch-size 8 --dropout 0",
    "translate": "--source-pieces 60 --target-pieces 60 --beam 2 --hidden 6 --embedding 8 --epochs 2"
    " --batch-size 16 --dropout 0 --word-dropout 0",
    "transcribe": "--hidden 8 --layers 1 --bands 12 --unit word --stack 2 --epochs 2 --batch-size 16"
    " --dropout 0",
}
FIT_ALL = """
import json, sys
from throughtime.cli import run
for words in json.loads(sys.argv[1]):
    code = run(words)
    if code:
        sys.exit(code)
"""


def write_data(folder: Path) -> dict[str, list[Path]]:
    """What each task reads."""
    wave_table(*waves(60)).write_csv(folder / "waves.csv")
    return {
        "classify": [write_texts(folder / "texts.tsv")],
        "classify_numbers": [folder / "waves.csv"],
        "tag": [write_sentences(folder / "train.conll")],
        "generate_text": [write_play(folder / "play.txt")],
        "generate_music": [write_pieces(folder / "pieces.json")],
        "translate": [*write_pairs(folder, "train")],
        "transcribe": [write_speech(folder / "speech", 80)],
    }


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Model folders by task, of one process and of two."""
    here = tmp_path_factory.mktemp("two_processes")
    data, one, two = write_data(here), here / "one", here / "two"

    def commands(out: Path) -> list[list[str]]:
        return [
            ["fit", task.partition("_")[0], *map(str, data[task]), *options.split(), "--out", str(out / task)]
            for task, options in OPTIONS.items()
        ]

    for words in commands(one):
        assert run([*words, "--quiet"]) == 0
    script = here / "fit_all.py"
    script.write_text(FIT_ALL)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launcher, str(script), json.dumps(commands(two))],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("epoch 2/2") == len(OPTIONS)  # the second process prints nothing
    return one, two


@pytest.mark.parametrize("task", OPTIONS)
def test_two_processes_learn_what_one_learns(folders: tuple[Path, Path], task: str) -> None:
    one, two = (pl.read_csv(folder / task / "history.csv").to_dicts() for folder in folders)
    assert len(one) == len(two) == 2
    for alone, together in zip(one, two, strict=True):
        assert together["train_loss"] == pytest.approx(alone["train_loss"], rel=1e-3)
        apart = COUNTED.get(task, 0.0)
        assert together["validation_loss"] == pytest.approx(alone["validation_loss"], rel=1e-3, abs=apart)
    folder = folders[1] / task
    assert {path.name for path in folder.iterdir()} == {path.name for path in (folders[0] / task).iterdir()}
    assert tt.load(folder).metrics_ is not None
