import pytest

from throughtime import files


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Checkpoints come by the dozen here; on a busy disk each flush takes a good part of a second."""
    monkeypatch.setattr(files, "_flush_to_disk", lambda path: None)
