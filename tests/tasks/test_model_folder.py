"""A model folder that was damaged in any way says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import throughtime as tt
from throughtime.tasks.forecast_card import ForecastCard
from throughtime.tasks.model_folder import read_card

Damage = Callable[[Path], object]


def truncate(name: str) -> Damage:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-20])


def edit(name: str, old: str, new: str) -> Damage:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def flip_a_bit(folder: Path) -> None:
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-5] ^= 1
    (folder / "model.safetensors").write_bytes(content)


def later_version(folder: Path) -> None:
    body = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "model.json").write_text(json.dumps(body | {"schema_version": 7}), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / "model.json").unlink(), ["model.json is missing", "not a model folder"]),
        (lambda f: (f / "model.safetensors").unlink(), ["model.safetensors is missing", "copy the whole"]),
        (lambda f: (f / "metrics.json").unlink(), ["metrics.json is missing"]),
        (truncate("model.safetensors"), ["model.safetensors", "truncated, edited or belongs"]),
        (truncate("model.json"), ["model.json: damaged", "fit the model anew"]),
        (truncate("metrics.json"), ["metrics.json", "truncated, edited or belongs"]),
        (edit("metrics.json", '"mae": ', '"mae": 0'), ["metrics.json", "truncated, edited or belongs"]),
        (edit("model.json", '"hidden": 4', '"hidden": 8'), ["model.json: changed since it was written"]),
        (flip_a_bit, ["model.safetensors", "truncated, edited or belongs"]),
        (later_version, ["schema version 7", "reads up to 1", "upgrade"]),
        (lambda f: (f / "model.json").write_text("[1, 2]"), ["model.json: damaged"]),
        (lambda f: (f / "model.json").write_bytes(b"\xff\xfe\x00"), ["model.json: damaged"]),
    ],
)
def test_damage_is_named(fitted_folder: Path, damage: Damage, words: list[str]) -> None:
    damage(fitted_folder)
    with pytest.raises(tt.ModelFolderError) as error:
        tt.load(fitted_folder)
    for word in [str(fitted_folder), *words]:
        assert word in str(error.value)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(tt.ModelFolderError, match="there is no such folder"):
        tt.load(tmp_path / "nowhere")


def test_what_the_folder_holds(fitted_folder: Path) -> None:
    names = {path.name for path in fitted_folder.iterdir()}
    assert names == {"model.safetensors", "model.json", "metrics.json", "history.csv", "report.html"}
    assert set(read_card(fitted_folder, ForecastCard).files) == names - {"model.json"}
    content = b"".join(path.read_bytes() for path in fitted_folder.iterdir())
    assert b"pickle" not in content
    assert not content.startswith(b"PK")
