r"""A small convolutional network for images.

.. math:: p(y \mid x) = \operatorname{softmax}\bigl(V\, r(U\, b_2(b_1(x)))\bigr)_y, \qquad
    b_i(z) = r(\operatorname{pool}(W_i * z)), \quad r(z) = \max(z, 0)

Two blocks of a 3×3 convolution, rectifier and 2×2 maximum pooling, then a dense layer, dropout and a softmax; after
LeCun et al., "Gradient-based learning applied to document recognition" (1998).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from versus.arrays import Array
from versus.data.spaces import Image
from versus.models.arguments import Between, Count, Positive, SearchSpace, Share
from versus.models.pixel_scaling import PixelScaling
from versus.models.softmax_network import SoftmaxNetwork

__all__ = ["ConvolutionalClassifier"]


def _block(n_inputs: int, n_outputs: int) -> list[nn.Module]:
    """Convolve and halve; ceil_mode keeps at least one pixel of small images."""
    return [nn.Conv2d(n_inputs, n_outputs, 3, padding=1), nn.MaxPool2d(2, ceil_mode=True), nn.ReLU()]


@dataclass(eq=False, kw_only=True)
class ConvolutionalClassifier(SoftmaxNetwork):
    """Two convolutions, a hidden layer and a softmax, trained on the cross-entropy.

    Takes images (N, H, W) or (N, H, W, C) as stored; scales them itself.

    Args, besides those of `DescendingModel`:
        channels: feature maps of the first convolution; the second has twice as many.
        hidden: width of the dense layer.
        dropout: share of the dense layer's units dropped in training.
    """

    search_space: ClassVar[SearchSpace] = {
        "channels": (16, 32, 64),
        "dropout": (0.0, 0.2, 0.4),
        "learning_rate": Between(3e-4, 1e-2),
    }

    channels: Count = 32
    hidden: Count = 128
    dropout: Share = 0.3
    learning_rate: Positive = 2e-3
    epochs: Count = 20
    patience: Count | None = 5

    def encode(self, X: Array) -> Array:
        """Activations of the hidden layer, (N, *event) -> (N, hidden), float64."""
        layers = self.network_
        assert isinstance(layers, nn.Sequential)
        return self._apply(lambda x: layers[:-1](x).double(), self._encoded(X))

    def _build(self) -> nn.Module:
        if not isinstance(self.schema_.x, Image):
            raise ValueError(f"ConvolutionalClassifier takes images, and the data are a {self.schema_.x.form}")
        height, width, *rest = self.schema_.shape
        n_colours = rest[0] if rest else 1
        features = 2 * self.channels * -(-height // 4) * -(-width // 4)
        network = nn.Sequential(
            PixelScaling(),
            *_block(n_colours, self.channels),
            *_block(self.channels, 2 * self.channels),
            nn.Flatten(),
            nn.Linear(features, self.hidden),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.hidden, self.schema_.n_classes),
        )
        # Half the time of channels first on a CPU.
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        super()._learn_statistics(X, y, weights)
        scaling = next(self.network_.children())
        assert isinstance(scaling, PixelScaling)
        scaling.learn(X)
