"""A problem where the kernels compute, and its results back on the CPU."""

from __future__ import annotations

import torch
from torch import Tensor

from throughtime.ops.backends import TRITON

from ..problems import Problem, run

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def moved(problem: Problem, device: str = DEVICE) -> Problem:
    def to(value: Tensor | None) -> Tensor | None:
        return None if value is None else value.to(device)

    return problem._replace(
        x=to(problem.x),
        initial=[to(v) for v in problem.initial],
        parameters=[to(v) for v in problem.parameters],
        d_output=to(problem.d_output),
        d_final=[to(v) for v in problem.d_final],
        lengths=to(problem.lengths),
    )


def by_triton(problem: Problem, input_error: bool = True) -> dict[str, Tensor]:
    return {name: value.cpu() for name, value in run(TRITON, moved(problem), input_error).items()}
