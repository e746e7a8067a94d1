"""How a layer learns that somebody looks on while it runs: what `throughtime.record` stands on.

Nothing is put into a layer. A watcher announces itself for the thread that it watches (a context variable),
so that other threads, copies and pickles of a network know nothing of it. While nobody watches anywhere, a
layer reads one integer.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

if TYPE_CHECKING:
    from throughtime.nn.recurrent import Layer, State

open_watches = 0  # in all threads
_lock = threading.Lock()
_watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("throughtime_watchers", default=())


class Watcher(Protocol):
    """Somebody who runs layers in their place, and keeps what is to be seen."""

    def watches(self, layer: Layer) -> bool:
        """Whether this layer is to be run by the watcher."""

    def run(self, layer: Layer, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
        """Run one sequence through the layer, as `Layer.run`."""


@contextlib.contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Let `watcher` run its layers while the block lasts, in this thread."""
    global open_watches
    with _lock:
        open_watches += 1
    token = _watchers.set((*_watchers.get(), watcher))
    try:
        yield
    finally:
        _watchers.reset(token)
        with _lock:
            open_watches -= 1


def watcher_of(layer: Layer) -> Watcher | None:
    """The watcher that this thread has for a layer.

    Raises:
        NotImplementedError: torch.compile is at work, which would leave the watcher out of what it compiles.
    """
    if torch.compiler.is_compiling():
        raise NotImplementedError(
            "record: a network that torch.compile compiles cannot be recorded; call the network itself in "
            "the block (a compiled module keeps it as ._orig_mod)."
        )
    return next((watcher for watcher in _watchers.get() if watcher.watches(layer)), None)
