"""The first layer of networks over images: pixels stay as stored (bytes) until a batch is on the device."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array
from versus.training.moments import moments


class PixelScaling(nn.Module):
    """``(N, H, W)`` or ``(N, H, W, C)`` of any number type -> ``(N, C, H, W)``, (x - mean) / scale.

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
