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
    """Seed Python, NumPy and torch (every device) from these numbers, mixed so that near ones differ."""
    digest = hashlib.blake2b(repr(place).encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "little")
    random.seed(number)
    np.random.seed(number % 2**32)
    torch.manual_seed(number % 2**63)
