"""The first layer of networks over images: pixels stay as stored (bytes) until a batch is on the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array

CHUNK_ROWS = 4096


class PixelScaling(nn.Module):
    """Scale images, ``(N, H, W)`` or ``(N, H, W, C)`` of any number type -> ``(N, C, H, W)``, (x - mean) / scale.

    One mean and one scale for all pixels, so that pictures keep their look.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def learn(self, X: Array) -> Self:
        """Take mean and deviation over all pixels of X (N, H, W[, C])."""
        mean, deviation = moments(X)
        self.mean.fill_(float(mean.mean()))
        self.scale.fill_(float(np.sqrt((deviation**2).mean() + mean.var())) or 1.0)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Scale a batch and put its channels first."""
        scaled = (x.to(self.mean.dtype) - self.mean) / self.scale
        return scaled.unsqueeze(1) if scaled.ndim == 3 else scaled.movedim(-1, 1)


def moments(X: Array) -> tuple[Array, Array]:
    """Mean and population standard deviation of each feature.

    Two passes over chunks of rows: the memory it takes does not grow with N, and nothing is lost to cancellation.

    Args:
        X: (N, *event), of any number type, memory-mapped or not.

    Returns:
        ``(mean, deviation)``, each float64 of shape ``event``.
    """
    mean = _sum_over_rows(X, lambda chunk: chunk) / len(X)
    variance = _sum_over_rows(X, lambda chunk: (chunk - mean) ** 2) / len(X)
    return mean, np.sqrt(variance)


def _sum_over_rows(X: Array, transform: Callable[[Array], Array]) -> Array:
    total = np.zeros(X.shape[1:])
    for start in range(0, len(X), CHUNK_ROWS):
        total += transform(X[start : start + CHUNK_ROWS].astype(np.float64)).sum(axis=0)
    return total
