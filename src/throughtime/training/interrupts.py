"""Ctrl-C while fitting: the first asks, the second insists."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType


class Interrupts:
    """Within the block, a first Ctrl-C only sets `requested`; a second raises KeyboardInterrupt at once.

    A handler of the caller's own is left in place, and so is a Ctrl-C that is being ignored.

    Attributes:
        requested: Ctrl-C came; the loop stops at the next batch border.
        insisted: It came again.
    """

    def __init__(self, same_press: float = 0.0) -> None:
        """Take two signals within `same_press` seconds for one: torchrun passes on what we got already."""
        self.requested = False
        self.insisted = False
        self._same_press = same_press
        self._at = 0.0
        self._ours = False

    def __enter__(self) -> Interrupts:
        """Begin to listen."""
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._on_signal)
            self._ours = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self.requested:
            self.requested, self._at = True, now
        elif now - self._at >= self._same_press:
            self.insisted = True
            raise KeyboardInterrupt
