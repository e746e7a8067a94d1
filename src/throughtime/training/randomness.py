"""Random draws while training: a function of where the fit is, not of what was drawn before.

Before each update every generator is seeded from (seed, epoch, batch, update, rank). So nothing need
be saved to go on after a crash, and a failed update can be run again exactly, dropout and all.
"""

from __future__ import annotations

import hashlib
import random

import numpy as np
import torch


def seed_everything(*place: int) -> None:
    """Seed Python, NumPy and torch from these numbers, mixed so that near ones differ.

    Of the devices, the ones in use are seeded: torch.manual_seed would also note the seed for devices
    that are not, which takes longer than a small update.
    """
    digest = hashlib.blake2b(repr(place).encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "little")
    random.seed(number)
    np.random.seed(number % 2**32)
    torch.default_generator.manual_seed(number % 2**63)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(number % 2**63)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(number % 2**63)
