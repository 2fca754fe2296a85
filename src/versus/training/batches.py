"""Mini-batches and randomness of training, as functions of a seed and a place in the run, never of what ran before.

Rows go straight from arrays (memory-mapped or not) to the device, with no loader processes. Each epoch draws from
generators of its own, seeded by ``(seed, purpose, epoch)``. A run that resumes at epoch 7 therefore shuffles and drops
out exactly as one that never stopped, with nothing to save but the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from versus.arrays import Array

Batch = tuple[Tensor, ...]


class DeviceRows:
    """Arrays of equal length whose rows are served as tensors on a device.

    On CUDA, arrays that take less than half of the free memory are moved there once; else rows are gathered on the
    CPU, batch by batch. On the CPU nothing is copied but the batch.

    Args:
        arrays: each (N, …).
        device: where the batches go.
        own: rows of a batch (n,) -> those that are served here; None serves all.
    """

    def __init__(
        self, arrays: Sequence[Array], device: torch.device, own: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        if len({len(a) for a in arrays}) != 1:
            raise ValueError(f"arrays of unequal lengths: {', '.join(str(len(a)) for a in arrays)}")
        self.arrays = tuple(arrays)
        self.device, self.own = device, own
        self.resident: Batch | None = None
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if sum(a.nbytes for a in arrays) < free / 2:
                # np.array: a read-only memory map cannot back a tensor.
                self.resident = tuple(torch.from_numpy(np.array(a)).to(device) for a in arrays)

    def __len__(self) -> int:
        return len(self.arrays[0])

    def shuffled(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yield each row once, in an order drawn from ``generator`` (on the CPU, so all devices see the same order)."""
        order = torch.randperm(len(self), generator=generator)
        for start in range(0, len(self), batch_size):
            yield self._take(order[start : start + batch_size])

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """Yield every row once, in order."""
        for start in range(0, len(self), batch_size):
            yield self._take(torch.arange(start, min(start + batch_size, len(self))))

    def _take(self, rows: Tensor) -> Batch:
        rows = rows if self.own is None else self.own(rows)
        if self.resident is not None:
            there = rows.to(self.device, non_blocking=True)
            return tuple(t[there] for t in self.resident)
        index = rows.numpy()
        batch = tuple(torch.from_numpy(a[index]) for a in self.arrays)
        if self.device.type == "cuda":
            return tuple(t.pin_memory().to(self.device, non_blocking=True) for t in batch)
        return batch


def fresh_seed(random_state: int | None) -> int:
    """Return ``random_state`` itself, or where None a seed from the operating system."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(1))
    if random_state < 0:
        raise ValueError(f"random_state={random_state}; a seed is a whole number from 0 up, or None")
    return random_state


def seed_for(seed: int, purpose: str, epoch: int = 0) -> int:
    """A seed for one purpose in one epoch; different purposes and epochs give unrelated streams."""
    sequence = np.random.SeedSequence([seed, crc32(purpose.encode()), epoch])
    return int(sequence.generate_state(1, np.uint64)[0]) >> 1


def generator_for(seed: int, purpose: str, epoch: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """A torch generator for one purpose in one epoch."""
    return torch.Generator(device).manual_seed(seed_for(seed, purpose, epoch))


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generator for code that uses no other (initialisation, dropout); then restore it."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
