"""Standard normal noise that belongs to a row's values, not to its place in a batch."""

from __future__ import annotations

from zlib import crc32

import numpy as np

from versus.arrays import Array


class RowNoise:
    """Noise (S, L) for each of N events, made when its slice is asked for.

    Estimates of a bound are random numbers. Drawn from a stream, an event's would depend on which events came before
    it; drawn from the event's own bytes and a seed, it is the same alone, in a batch and in another order, while
    errors of different events stay independent. Samples come in pairs of opposite sign, which cancels odd terms.

    Args:
        X: (N, *event), the raw events.
        samples: S.
        latent: L.
        seed: of all the noise.
    """

    def __init__(self, X: Array, samples: int, latent: int, seed: int) -> None:
        if samples < 1:
            raise ValueError(f"{samples} samples; at least 1 is needed to estimate a bound")
        self.X, self.samples, self.latent, self.seed = X, samples, latent, seed

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, rows: slice) -> Array:
        """(n, S, L) for the rows of a slice."""
        events = np.ascontiguousarray(self.X[rows], dtype=np.float64)
        noise = np.empty((len(events), self.samples, self.latent), np.float32)
        pairs = -(-self.samples // 2)
        for place, event in zip(noise, events, strict=True):
            drawn = np.random.Generator(np.random.Philox(key=[self.seed, crc32(event.data)]))
            half = drawn.standard_normal((pairs, self.latent), np.float32)
            place[:] = np.concatenate([half, -half])[: self.samples]
        return noise
