"""Processes that train one network together, each on its share of every batch: one for each device of the machine.

`torchrun` starts them, Lightning Fabric connects them (NCCL between GPUs, gloo between CPUs). All draw the same order
of rows and hold the same weights; gradients are added up after the backward pass, so that any update trains so, of
one network or of players, with the batch as large as in a single process. A single process needs none of it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor


def number_of_processes() -> int:
    """Return how many processes `torchrun` started, 1 where it did not."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return the number of this process among them, 0 for the one that writes the results."""
    return int(os.environ.get("RANK", "0"))


class Processes:
    """The only process.

    Attributes:
        number, rank: of processes, and of this one.
        share: part that this process has of the batch at hand, relative to its rows.
    """

    number, rank, share = 1, 0, 1.0

    def device(self, device: torch.device) -> torch.device:
        """Device of this process, given that of the training."""
        return device

    def own(self, rows: Tensor) -> Tensor:
        """Rows of a batch that this process takes, (n,) -> (m,)."""
        return rows

    def purpose(self, name: str) -> str:
        """Purpose of a random stream that no two processes may share."""
        return name

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their sums over all processes."""

    def agree(self, number: int) -> int:
        """Return the number that the first process has."""
        return number


class ConnectedProcesses(Processes):
    """Processes that `torchrun` started, connected when this is made.

    Args:
        kind: "cuda" or "cpu".

    Raises:
        OSError: if the machine has fewer GPUs than processes.
        ImportError: without Lightning Fabric.
    """

    def __init__(self, kind: str) -> None:
        try:  # by its name: what is served never needs it, and a single process never waits for it
            fabric = importlib.import_module("lightning_fabric")
        except ModuleNotFoundError:
            raise ImportError("several devices take Lightning Fabric: pip install 'versus[devices]'") from None
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        if kind == "cuda" and torch.cuda.device_count() < here:
            raise OSError(f"devices={here}, but this machine has {torch.cuda.device_count()} GPU(s); or device: cpu")
        self.number, self.rank = number_of_processes(), rank()
        self.fabric = fabric.Fabric(accelerator=kind, devices=here, num_nodes=self.number // here, strategy="ddp")
        self.fabric.launch()

    def device(self, device: torch.device) -> torch.device:  # noqa: D102
        return self.fabric.device if device.type == "cuda" else device

    def own(self, rows: Tensor) -> Tensor:
        """Every n-th row; where there are fewer rows than processes, one that counts for nothing.

        Sets ``share``, by which a mean over these rows is to be multiplied: the sum over the processes is then the mean
        over the batch.
        """
        own = rows[self.rank :: self.number]
        self.share = len(own) / len(rows)
        return own if len(own) else rows[:1]

    def purpose(self, name: str) -> str:  # noqa: D102
        return f"{name} of process {self.rank}" if self.rank else name

    def add_up(self, tensors: Sequence[Tensor]) -> None:  # noqa: D102
        whole = torch.cat([tensor.detach().flatten() for tensor in tensors])
        self._sum(whole)
        for tensor, part in zip(tensors, torch.split(whole, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def agree(self, number: int) -> int:  # noqa: D102
        told = torch.tensor(number if self.rank == 0 else 0, device=self.fabric.device)
        self._sum(told)
        return int(told)

    def _sum(self, tensor: Tensor) -> None:
        found: Any = self.fabric.all_reduce(tensor, reduce_op="sum")  # in place but for some backends
        tensor.copy_(found)


@cache
def connected(kind: str) -> Processes:
    """Return the processes that train on devices of a kind, "cuda" or "cpu"; connects them at the first call."""
    return Processes() if number_of_processes() == 1 else ConnectedProcesses(kind)
