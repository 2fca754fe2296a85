"""Strided convolutions over images: the trunk of autoencoders, and of the classifier that is their partner."""

from __future__ import annotations

from torch import nn


def he_initialised(layer: nn.Linear | nn.Conv2d) -> nn.Module:
    """Set the variance of He et al. (2015): torch's own, a third of it, lets deep decoders ignore their code."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


class ConvolutionalFeatures(nn.Sequential):
    """Two strided convolutions, (N, colours, H, W) -> (N, n_outputs).

    Args:
        shape: (colours, H, W).
        channels: feature maps of the first convolution; the second has twice as many.
    """

    def __init__(self, shape: tuple[int, int, int], channels: int) -> None:
        colours, height, width = shape
        super().__init__(
            he_initialised(nn.Conv2d(colours, channels, 3, stride=2, padding=1)),
            nn.SiLU(),
            he_initialised(nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1)),
            nn.SiLU(),
            nn.Flatten(),
        )
        self.shape, self.n_outputs = shape, 2 * channels * quarter(height) * quarter(width)


def quarter(size: int) -> int:
    """The size of an axis after two convolutions of stride 2."""
    return -(-size // 4)
