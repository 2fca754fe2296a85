r"""A small convolutional network for images.

.. math:: p(y \mid x) = \operatorname{softmax}\bigl(V\, r(U\, b_2(b_1(x)))\bigr)_y, \qquad
    b_i(z) = r(\operatorname{pool}(W_i * z)), \quad r(z) = \max(z, 0)

Two blocks of a 3×3 convolution, rectifier and 2×2 maximum pooling, then a dense layer, dropout and a softmax; after
LeCun et al., "Gradient-based learning applied to document recognition" (1998). Or the trunk of the autoencoders: two
convolutions of stride 2, so that a VAE of images has a partner with the same layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from versus.arrays import Array
from versus.data.spaces import Image
from versus.models.arguments import Between, Count, Positive, SearchSpace, Share
from versus.models.image_features import ConvolutionalFeatures, quarter
from versus.models.pixel_scaling import PixelScaling
from versus.models.softmax_network import SoftmaxNetwork
from versus.training.batches import Batch

__all__ = ["ConvolutionalClassifier"]


def _block(n_inputs: int, n_outputs: int) -> list[nn.Module]:
    """Convolve and halve; ceil_mode keeps at least one pixel of small images."""
    return [nn.Conv2d(n_inputs, n_outputs, 3, padding=1), nn.MaxPool2d(2, ceil_mode=True), nn.ReLU()]


def augmented(x: Tensor, shift: int | None, flip: bool, generator: torch.Generator) -> Tensor:
    """Move each image by up to ``shift`` pixels along each axis (black fills in); mirror every other one if ``flip``.

    Args:
        x: images as stored, (B, H, W) or (B, H, W, C).
    """
    n, height, width, *colours = x.shape
    if flip:
        mirrored = torch.rand(n, generator=generator, device=x.device) < 0.5
        x = torch.where(mirrored.reshape(-1, *(1 for _ in x.shape[1:])), x.flip(2), x)
    if shift:
        framed = x.new_zeros(n, height + 2 * shift, width + 2 * shift, *colours)
        framed[:, shift:-shift, shift:-shift] = x
        corners = torch.randint(2 * shift + 1, (2, n, 1), generator=generator, device=x.device)
        rows = corners[0] + torch.arange(height, device=x.device)
        columns = corners[1] + torch.arange(width, device=x.device)
        x = framed[torch.arange(n, device=x.device)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return x


@dataclass(eq=False, kw_only=True)
class ConvolutionalClassifier(SoftmaxNetwork):
    """Two convolutions, a hidden layer and a softmax, trained on the cross-entropy.

    Takes images (N, H, W) or (N, H, W, C) as stored; scales them itself.

    Args, besides those of `DescendingModel`:
        channels: feature maps of the first convolution; the second has twice as many.
        trunk: "pooling" for maximum pooling after each convolution, "strides" for the layers of the encoder of a VAE.
        hidden: width of the dense layer.
        dropout: share of the dense layer's units dropped in training.
        shift: pixels by which an image is moved at most, up or down and left or right, afresh in each epoch.
        flip: mirrors every other image, afresh in each epoch: for things that have no left and right, unlike digits.
    """

    search_space: ClassVar[SearchSpace] = {
        "channels": (16, 32, 64),
        "dropout": (0.0, 0.2, 0.4),
        "learning_rate": Between(3e-4, 1e-2),
    }

    channels: Count = 32
    trunk: Literal["pooling", "strides"] = "pooling"
    hidden: Count = 128
    dropout: Share = 0.3
    shift: Count | None = None
    flip: bool = False
    learning_rate: Positive = 2e-3
    epochs: Count = 20
    patience: Count | None = 5

    def encode(self, X: Array) -> Array:
        """Activations of the hidden layer, (N, *event) -> (N, hidden), float64."""
        layers = self.network_
        assert isinstance(layers, nn.Sequential)
        return self._apply(lambda x: layers[:-1](x).double(), self._encoded(X))

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        if network.training and (self.shift or self.flip):
            batch = (augmented(batch[0], self.shift, self.flip, generator), *batch[1:])
        return super()._losses(network, batch, generator, progress)

    def _build(self) -> nn.Module:
        if not isinstance(self.schema_.x, Image):
            raise ValueError(f"ConvolutionalClassifier takes images, and the data are a {self.schema_.x.form}")
        height, width, *rest = self.schema_.shape
        n_colours = rest[0] if rest else 1
        if self.trunk == "strides":
            trunk: nn.Sequential = ConvolutionalFeatures((n_colours, height, width), self.channels)
        else:
            blocks = _block(n_colours, self.channels) + _block(self.channels, 2 * self.channels)
            trunk = nn.Sequential(*blocks, nn.Flatten())
        network = nn.Sequential(
            PixelScaling(),
            *trunk,
            nn.Linear(2 * self.channels * quarter(height) * quarter(width), self.hidden),
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
