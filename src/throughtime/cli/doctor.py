"""`throughtime doctor`: what computes here, and how fast."""

from __future__ import annotations

import dataclasses
import json as json_module
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from throughtime.ops.doctor import Diagnosis, diagnose

SECONDS = 2.0
_POOLS = {"OpenMP": "of torch's own team (OpenMP)", "own": "in a pool of the kernels' own", "": "torch's"}


def doctor(
    *, json: Annotated[bool, Parameter(name="--json", help="Print one JSON object.", negative=())] = False
) -> int:
    """Say which versions, backends and instruction set are in use, and time an LSTM beside torch's."""
    found = diagnose(SECONDS)
    if json:
        print(json_module.dumps(dataclasses.asdict(found) | {"ratio": found.ratio}))
    else:
        _print(found)
    return 0


def _print(found: Diagnosis) -> None:
    sets = ", ".join(found.instruction_sets)
    rows = {
        "throughtime": found.throughtime,
        "torch": found.torch,
        "Python": found.python,
        "platform": found.platform,
        "backends": f"{', '.join(found.backends)}; auto takes {found.chosen}",
        "instruction set": f"{found.instruction_set} (of {sets})" if sets else "none",
        "GPU": _gpu(found),
        "threads": f"{found.threads}, {_POOLS[found.thread_pool]}",
        "LSTM": f"{found.milliseconds:.2f} ms forward and backward (T, B, I, H = 200, 32, 5, 64)",
        "torch.nn.LSTM": f"{found.torch_milliseconds:.2f} ms: throughtime is {found.ratio:.2g} times as fast",
    }
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in rows.items():
        table.add_row(f"{name}  ", value)
    console = Console(highlight=False)
    console.print(table)
    if advice := found.advice():
        console.print(advice)


def _gpu(found: Diagnosis) -> str:
    """The CUDA device, triton, and whether the backend "triton" runs."""
    triton = f"triton {found.triton}" if found.triton else "no triton"
    if found.why_no_triton:
        return f"{found.gpu or 'none'}, {triton}; the backend triton cannot run: {found.why_no_triton}"
    return f"{found.gpu or 'none, under the interpreter'}, {triton}; auto takes it for CUDA tensors"
