"""Recordings come back from their file as they were, and files that are none are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import throughtime as tt
from throughtime.errors import RecordingError

from .networks import LENGTHS, loss_of, make, make_inputs

FIELDS = ("path", "kind", "variant", "peepholes", "nonlinearity", "T", "B", "input_size", "hidden_size")
FIELDS += ("reverse", "backend", "dtype", "continues", "detached", "backward_passes", "cuts", "cell")
STATES = ("initial", "final", "initial_errors", "final_errors", "parameters")


def made(kind: str) -> tt.Recording:
    network = make(kind, num_layers=2, bidirectional=True)
    x, state = make_inputs(network)
    with tt.record(network, loss_reduction="sum") as rec:
        loss_of(*network(x, state, lengths=LENGTHS)).backward()
    rec.attach("target", x)
    rec.notes["unit"] = "°C"
    return rec


@pytest.mark.parametrize("kind", ["LSTM FGR", "LSTM CIFG", "LSTM NIG+NFG+NOG", "RNN relu"])
def test_there_and_back(kind: str, tmp_path: Path) -> None:
    rec = made(kind)
    rec.save(tmp_path / "a.safetensors")
    again = tt.load_recording(tmp_path / "a.safetensors")
    assert again.names == rec.names
    assert all(torch.equal(again[name], rec[name]) for name in rec.names)
    assert (again.loss_reduction, again.notes) == ("sum", {"unit": "°C"})
    assert torch.equal(again.attached["target"], rec.attached["target"])
    for path, layer in rec.layers.items():
        other = again.layers[path]
        assert all(getattr(other, name) == getattr(layer, name) for name in FIELDS)
        assert other.lengths.tolist() == LENGTHS
        for state in STATES:
            there, found = getattr(layer, state), getattr(other, state)
            assert set(there) == set(found)
            assert all(torch.equal(there[name], found[name]) for name in there)


def test_passes_come_back(tmp_path: Path) -> None:
    network = make("LSTM vanilla")
    x, state = make_inputs(network)
    with tt.record(network) as rec:
        for part in (x[:3], x[3:]):
            output, state = network(part, state)
            output.sum().backward()
            state = tuple(value.detach() for value in state)
    rec.save(tmp_path / "a.safetensors")
    again = tt.load_recording(tmp_path / "a.safetensors")
    assert again.cuts == (3,)
    assert all(torch.equal(again[name], rec[name]) for name in rec.names)
    assert len(again.passes) == 2


def test_files_that_are_no_recording(tmp_path: Path) -> None:
    whole = tmp_path / "a.safetensors"
    made("RNN tanh").save(whole)
    (tmp_path / "short").write_bytes(whole.read_bytes()[:-100])
    (tmp_path / "text").write_text("hello")
    edited = whole.read_bytes().replace(b'schema_version\\":1', b'schema_version\\":7')
    (tmp_path / "later").write_bytes(edited)
    (tmp_path / "kind").write_bytes(whole.read_bytes().replace(b'kind\\":\\"RNN', b'kind\\":\\"GRU'))
    (tmp_path / "name").write_bytes(whole.read_bytes().replace(b'"layer0.d_h"', b'"layer0.d_q"'))
    for name, message in {
        "missing": "there is no such file",
        "short": "damaged, cut short",
        "text": "damaged, cut short",
        "later": "later version of throughtime .schema 7, this one reads up to 1",
        "kind": "layers.layer0.0.kind",
        "name": "its header names 'd_h', which is not in the file",
    }.items():
        with pytest.raises(RecordingError, match=message):
            tt.load_recording(tmp_path / name)


def test_another_safetensors_file(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, tmp_path / "a.safetensors")
    with pytest.raises(RecordingError, match="no recording; it has no header of throughtime"):
        tt.load_recording(tmp_path / "a.safetensors")
