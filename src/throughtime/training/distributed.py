"""Several processes that fit one model: started by torchrun, found in the environment.

Under `torchrun --nproc-per-node N script.py` each process takes its part of every global batch; the
gradients are averaged by DistributedDataParallel, weighted so that every loss term counts the same.
"""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from throughtime.training.objective import Outcome

_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class Processes:
    """The processes that share a fit; one alone outside torchrun. All of them make the same calls."""

    def __init__(self, device: torch.device) -> None:
        shared = dist.is_available() and dist.is_initialized()
        self.rank = dist.get_rank() if shared else 0
        self.world = dist.get_world_size() if shared else 1
        self._device = device if shared and dist.get_backend() == "nccl" else torch.device("cpu")

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and displays."""
        return self.rank == 0

    def sum(self, *values: float) -> list[float]:
        """Each value summed over the processes, in float64; every process gets the same numbers."""
        if self.world == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=self._device)
        dist.all_reduce(total)
        return total.tolist()

    def largest(self, value: int) -> int:
        """The largest of the processes' values."""
        if self.world == 1:
            return value
        highest = torch.tensor(value, device=self._device)
        dist.all_reduce(highest, op=dist.ReduceOp.MAX)
        return int(highest)

    def agree_on(self, text: str) -> str:
        """The text of the lowest rank that has one; "" if none has."""
        if self.world == 1:
            return text
        length, rank = len(text.encode()), self.rank if text else self.world
        source = self.world - self.largest(self.world - rank)
        if source == self.world:
            return ""
        letters = torch.zeros(self.largest(length), dtype=torch.uint8, device=self._device)
        if rank == source:
            letters[:length] = torch.tensor(list(text.encode()), dtype=torch.uint8)
        dist.broadcast(letters, source)
        return bytes(letters.tolist()).rstrip(b"\0").decode()


def is_first() -> bool:
    """Whether this process writes and displays: the first of those torchrun started, or the only one."""
    return not all(name in os.environ for name in _TORCHRUN) or os.environ["RANK"] == "0"


def join(device: torch.device) -> Processes:
    """Join the processes torchrun started, if it did.

    The group then lasts as long as the process: it cannot be built twice under one torchrun, where
    the second would meet the addresses of the first, and a script may well fit twice.
    """
    started = all(name in os.environ for name in _TORCHRUN) and int(os.environ["WORLD_SIZE"]) > 1
    if started and dist.is_available() and not dist.is_initialized():
        dist.init_process_group("gloo")
        atexit.register(_leave)
    return Processes(device)


def _leave() -> None:
    """End the group's threads while Python still runs: later they would abort the process.

    They end with the last reference to the group, and a DistributedDataParallel holds one in a cycle.
    """
    if dist.is_initialized():
        gc.collect()
        dist.destroy_process_group()
        gc.collect()


class Alone(nn.Module):
    """Calls what is to be run with the model: one process has nothing to share."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, run: Callable[[nn.Module], Outcome] | None) -> tuple[Outcome | None, Tensor]:
        """Return the outcome of `run(model)`, and the loss to run backward from."""
        if run is None:
            return None, torch.zeros(())
        outcome = run(self.model)
        return outcome, outcome.loss


class Shared(Alone):
    """Lets DistributedDataParallel see one forward per update, whatever the objective does in it.

    An empty sum over every trained parameter joins each loss, so that a process with nothing to run,
    or an objective that leaves a parameter out, still takes part in the exchange of gradients.
    """

    def forward(self, run: Callable[[nn.Module], Outcome] | None) -> tuple[Outcome | None, Tensor]:
        """Return the outcome of `run(model)`, None if there is nothing to run, and the joined loss."""
        outcome = None if run is None else run(self.model)
        nothing = torch.stack([p.flatten()[:0].sum() for p in self.model.parameters() if p.requires_grad])
        if outcome is None or not outcome.count:
            return outcome, nothing.sum()
        return outcome, nothing.sum() + outcome.loss


def share(model: nn.Module, world: int) -> nn.Module:
    """Wrap `model` for the updates of a fit; all processes begin with the weights of the first."""
    return Alone(model) if world == 1 else DistributedDataParallel(Shared(model))


def scaled(loss: Tensor, count: float, total: float, world: int) -> Tensor:
    """Weigh a process's mean loss so that the average over the processes is the mean over all terms."""
    return loss if world == 1 else loss * (world * count / total)
