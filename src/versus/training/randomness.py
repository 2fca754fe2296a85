"""Randomness in training, as a function of a seed and a place in the run, never of what ran before.

Each epoch draws from generators of its own, seeded by ``(seed, purpose, epoch)``. A run that resumes at epoch 7
therefore shuffles and drops out exactly as one that never stopped, with nothing to save but the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

import numpy as np
import torch


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
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


def generator_for(seed: int, purpose: str, epoch: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """A torch generator for one purpose in one epoch."""
    return torch.Generator(device).manual_seed(seed_for(seed, purpose, epoch))


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generator for code that uses no other (initialisation, dropout); then restore it."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
