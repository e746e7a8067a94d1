import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import throughtime.nn
from throughtime import files
from throughtime.errors import ModelFolderError, OutputError, SettingsError
from throughtime.training import QuietDisplay, fit, load_best
from throughtime.training.checkpoints import Header, read, write

from .fitting import Echo, Net, Notes, same_weights, settings, squared_error, without_times

SCRIPT = Path(__file__).parent / "scripts" / "fit_and_be_stopped.py"
SLOW = {"epochs": 4, "schedule": "one-cycle"}


def fitted(
    folder=None, *, resume=False, display=None, objective=squared_error, model=None, train=None, **changes
):
    model = model or Net(dropout=0.3)
    display = display or QuietDisplay()
    validation = Echo(N=6, seed=1, shuffle=False)
    result = fit(
        model, train or Echo(), validation, objective, settings(**changes),
        checkpoints=folder, resume=resume, display=display, checkpoint_seconds=0,
    )  # fmt: skip
    return model, result


def stopped(folder, changes, seconds, at, *signals):
    command = [sys.executable, str(SCRIPT), str(folder), json.dumps(changes), str(seconds), str(at), *signals]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


@pytest.mark.parametrize(
    ("changes", "seconds", "at", "epoch", "batch"),
    [
        # Three batches in each epoch. A checkpoint at every batch border: killed in epoch 2, batch 3.
        ({**SLOW, "optimizer": "adamw"}, 0, 6, 2, 2),
        # None within the epoch, and five updates in each batch: killed in epoch 3, batch 2.
        ({**SLOW, "optimizer": "sgd", "truncate": (2, 2), "schedule": "plateau"}, 1e9, 38, 3, 0),
    ],
)
def test_killed_and_resumed_is_bit_for_bit_the_run_left_alone(tmp_path, changes, seconds, at, epoch, batch):
    assert stopped(tmp_path, changes, seconds, at, "SIGKILL").returncode == -9
    progress = read(tmp_path / "last.safetensors")[0].progress
    assert (progress.epoch, progress.batches_done) == (epoch, batch), "killed where it was meant to be"
    assert not list(tmp_path.glob("*.tmp"))
    resumed, after = fitted(tmp_path, resume=True, model=Net(dropout=0.3, seed=7), **changes)
    alone, uninterrupted = fitted(**changes)
    assert same_weights(resumed, alone)
    assert without_times(after.history) == without_times(uninterrupted.history)
    assert after.best_epoch == uninterrupted.best_epoch
    best = Net()
    load_best(tmp_path, best)
    assert same_weights(best, alone)


class HaltError(Exception):
    pass


def halting(at):
    """An objective that fails in its training forward number `at`."""
    count = 0

    def objective(model, batch, state=None):
        nonlocal count
        count += model.training
        if count == at and model.training:
            raise HaltError
        return squared_error(model, batch, state)

    return objective


@pytest.mark.parametrize("at", range(2, 10))
@pytest.mark.parametrize("truncate", [None, (3, 5)])
def test_resumed_from_every_batch_border(tmp_path, at, truncate):
    forwards = 1 if truncate is None else 7
    changes = {"epochs": 3, "optimizer": "adam", "schedule": "cosine", "truncate": truncate}
    with pytest.raises(HaltError):
        fitted(tmp_path, objective=halting((at - 1) * forwards + 1), **changes)
    progress = read(tmp_path / "last.safetensors")[0].progress
    assert 3 * (progress.epoch - 1) + progress.batches_done == at - 1
    resumed, after = fitted(tmp_path, resume=True, **changes)
    alone, uninterrupted = fitted(**changes)
    assert same_weights(resumed, alone)
    assert without_times(after.history) == without_times(uninterrupted.history)


def test_resuming_a_finished_run_changes_nothing(tmp_path):
    model, result = fitted(tmp_path)
    again, same = fitted(tmp_path, resume=True, model=Net(seed=5))
    assert same == result
    assert same_weights(again, model)


def test_our_own_network_resumes_too(tmp_path):
    def ours():
        return Net(kind=throughtime.nn.LSTM, peepholes=True, num_layers=2, dropout=0.2)

    with pytest.raises(HaltError):
        fitted(tmp_path, model=ours(), objective=halting(5))
    resumed, _ = fitted(tmp_path, model=ours(), resume=True)
    assert same_weights(resumed, fitted(model=ours())[0])


@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_more_epochs_go_on_where_the_schedule_allows_it(tmp_path, schedule):
    fitted(tmp_path, epochs=2, schedule=schedule)
    more, result = fitted(tmp_path, resume=True, epochs=4, schedule=schedule)
    alone, whole = fitted(epochs=4, schedule=schedule)
    assert same_weights(more, alone)
    assert without_times(result.history) == without_times(whole.history)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"learning_rate": 0.5}, "learning_rate was 0.02 and is now 0.5;"),
        ({"epochs": 9}, "epochs was 4 and is now 9 .*laid out over all epochs"),
        ({"truncate": (2, 3), "seed": 4}, r"truncate was None and is now \(2, 3\), seed was 0 and is now 4"),
    ],
)
def test_other_settings_are_refused_by_name(tmp_path, changes, words):
    fitted(tmp_path)
    with pytest.raises(SettingsError, match=words):
        fitted(tmp_path, resume=True, **changes)


def test_fewer_epochs_are_refused(tmp_path):
    fitted(tmp_path, schedule="constant")
    with pytest.raises(SettingsError, match="epochs was 4 and is now 3"):
        fitted(tmp_path, resume=True, schedule="constant", epochs=3)


def test_other_data_and_models_are_refused(tmp_path):
    fitted(tmp_path)
    with pytest.raises(SettingsError, match="3 training batches per epoch, now there are 5"):
        fitted(tmp_path, resume=True, train=Echo(N=20))
    with pytest.raises(ModelFolderError, match=r"another model: tensor 'head.weight' is \(1, 5\).*\(1, 6\)"):
        fitted(tmp_path, resume=True, model=Net(6))
    with pytest.raises(ModelFolderError, match=r"'rnn.bias_hh_l1' is missing in the file"):
        fitted(tmp_path, resume=True, model=Net(num_layers=2))
    with pytest.raises(ModelFolderError, match=r"float64 in the file and .*float32 in the model"):
        fitted(tmp_path, resume=True, model=Net(dtype=torch.float32))
    frozen = Net()
    frozen.head.requires_grad_(False)
    with pytest.raises(ModelFolderError, match=r"'head.bias' that is not trained here|'head.weight' that is"):
        fitted(tmp_path, resume=True, model=frozen)


def test_a_missing_checkpoint_is_an_error(tmp_path):
    with pytest.raises(ModelFolderError, match=r"no such checkpoint.*without resuming"):
        fitted(tmp_path, resume=True)


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: b"", "damaged, cut short"),
        (lambda data: data[:1000], "damaged, cut short"),
        (lambda data: data[:-1], "damaged, cut short"),
        (lambda data: flip(data, len(data) - 1), "damaged or edited"),
        (lambda data: data.replace(b'\\"epochs\\":4', b'\\"epochs\\":5'), "damaged or edited"),
        (lambda data: b"PK\x03\x04" + data, "damaged, cut short or another kind"),
    ],
)
def test_a_damaged_checkpoint_is_an_error(tmp_path, damage, words):
    fitted(tmp_path)
    path = tmp_path / "last.safetensors"
    before = path.read_bytes()
    path.write_bytes(damage(before))
    assert path.read_bytes() != before
    with pytest.raises(ModelFolderError, match=f"last.safetensors: .*{words}"):
        fitted(tmp_path, resume=True)


def test_a_foreign_file_and_a_later_version_are_errors(tmp_path):
    fitted(tmp_path)
    path = tmp_path / "last.safetensors"
    header, tensors = read(path)
    write(path, header.model_copy(update={"schema_version": 2}), tensors)
    with pytest.raises(ModelFolderError, match=r"schema version 2.*up to 1.*later throughtime"):
        read(path)
    save_file({"x": torch.zeros(2)}, path)
    with pytest.raises(ModelFolderError, match="not a checkpoint of throughtime"):
        fitted(tmp_path, resume=True)
    path.unlink()
    path.mkdir()
    with pytest.raises(ModelFolderError, match="cannot be read"):
        read(path)


def test_a_checkpoint_is_plain_safetensors_with_named_tensors(tmp_path):
    fitted(tmp_path)
    with safe_open(tmp_path / "last.safetensors", "pt") as file:
        names = set(file.keys())
        header = json.loads(file.metadata()["throughtime"])
    assert {"model/head.weight", "best/head.weight", "optimizer/head.weight/exp_avg"} <= names
    assert header["settings"]["epochs"] == 4
    assert len(header["progress"]["history"]) == 4
    with safe_open(tmp_path / "best.safetensors", "pt") as file:
        assert set(file.keys()) == {f"model/{name}" for name in Net().state_dict()}


class Tied(Net):
    """Two names for one parameter, and a buffer; both are common, and safetensors is strict about views."""

    def __init__(self):
        super().__init__(kind=nn.RNN, bias=False)
        self.again = self.head.weight
        self.register_buffer("count", torch.zeros((), dtype=torch.long))

    def forward(self, x, state=None):
        self.count += self.training
        return super().forward(x, state)


def test_tied_weights_and_buffers_come_back(tmp_path):
    with pytest.raises(HaltError):
        fitted(tmp_path, model=Tied(), objective=halting(5))
    resumed, _ = fitted(tmp_path, model=Tied(), resume=True)
    alone, _ = fitted(model=Tied())
    assert same_weights(resumed, alone)
    assert resumed.again is resumed.head.weight
    assert alone.count > 0


def test_every_dtype_is_kept_exactly(tmp_path):
    header = Header(settings=settings(), batches=1, world=1, progress={})
    kinds = (torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool)
    tensors = {str(kind): torch.tensor([[1, 0, 3]]).to(kind).T for kind in kinds}
    tensors |= {"scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3)}
    write(tmp_path / "x", header, tensors)
    same, back = read(tmp_path / "x")
    assert same == header
    assert back.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(back[name], tensor)
        assert back[name].dtype == tensor.dtype


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    writes, real = 0, files.write_bytes

    def full_from_the_third(path, data):
        nonlocal writes
        writes += 1
        if writes >= 3:
            with files.replacing(path) as temporary:
                temporary.write_bytes(data[: len(data) // 2])
                raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr(files, "write_bytes", full_from_the_third)
    notes = Notes()
    with pytest.raises(OutputError, match=r"No space left on device.*Free some space"):
        fitted(tmp_path, display=notes)
    monkeypatch.undo()
    assert notes.told[-1] == ("stop",)
    assert read(tmp_path / "last.safetensors")[0].progress.batches_done == 2
    assert not list(tmp_path.glob(".*"))
    resumed, _ = fitted(tmp_path, resume=True)
    assert same_weights(resumed, fitted()[0])


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("cannot mount a tmpfs here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_really_full(tiny_disk):
    with pytest.raises(HaltError):
        fitted(tiny_disk, objective=halting(3))
    before = (tiny_disk / "last.safetensors").read_bytes()
    free = os.statvfs(tiny_disk)
    (tiny_disk / "ballast").write_bytes(bytes(free.f_bavail * free.f_frsize - 4096))
    with pytest.raises(OutputError, match="No space left"):
        fitted(tiny_disk, resume=True)
    assert (tiny_disk / "last.safetensors").read_bytes() == before


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        fitted(tmp_path / "file" / "folder")


def test_another_number_of_processes_is_said(tmp_path):
    with pytest.raises(HaltError):
        fitted(tmp_path, objective=halting(5))
    path = tmp_path / "last.safetensors"
    header, tensors = read(path)
    write(path, header.model_copy(update={"world": 3}), tensors)
    notes = Notes()
    fitted(tmp_path, resume=True, display=notes)
    assert any("began with 3 processes and goes on with 1" in t[1] for t in notes.told if t[0] == "message")
