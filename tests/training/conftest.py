import pytest
import torch

from throughtime import files


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Checkpoints come by the dozen here; on a busy disk each flush takes a good part of a second."""
    monkeypatch.setattr(files, "_flush_to_disk", lambda path: None)


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Threads only wait for each other over tensors this small, for very long on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
