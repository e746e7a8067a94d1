import random

import numpy as np
import torch

from throughtime.training.randomness import seed_everything


def draws():
    return random.random(), float(np.random.rand()), torch.rand(()).item(), torch.randn(()).item()


def test_every_generator_starts_again_from_the_place():
    seed_everything(0, 1, 2)
    first = draws()
    seed_everything(0, 1, 2)
    assert draws() == first


def test_near_places_differ_in_every_generator():
    seen = set()
    for place in [(0, 1, 2), (0, 2, 1), (1, 1, 2), (0, 1, -2), (0, 12)]:
        seed_everything(*place)
        seen.add(draws())
    assert all(len(set(column)) == 5 for column in zip(*seen, strict=True))
