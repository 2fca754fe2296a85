"""Encoders and decoders of variational autoencoders: dense for tables, convolutional for images.

An encoder maps events, and a class where the model is conditional, to the mean and log-variance of a Gaussian over
codes; the class joins after `features`, which are then computed once for all classes. A decoder maps codes, and a
class, to the parameters of a likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from versus.models.image_features import he_initialised, quarter


def dense_layers(n_inputs: int, widths: Sequence[int]) -> tuple[nn.Sequential, int]:
    """Linear layers with smooth rectifiers (none for no widths), and their number of outputs."""
    layers: list[nn.Module] = []
    for width in widths:
        layers += [he_initialised(nn.Linear(n_inputs, width)), nn.SiLU()]
        n_inputs = width
    return nn.Sequential(*layers), n_inputs


def with_class(x: Tensor, label: Tensor | None, n_classes: int) -> Tensor:
    """Append the one-hot class to the features, (N, F), (N,) -> (N, F + K); just the features for K = 0."""
    if n_classes == 0 or label is None:
        return x
    return torch.cat([x, functional.one_hot(label, n_classes).to(x.dtype)], dim=1)


class Encoder(nn.Module):
    """q(z | x, y): ``features``, then dense layers over features and class.

    Args:
        features: (N, …) -> (N, n_features).
        n_features: number of features.
        hidden: widths of the dense layers after them; none leaves a linear map.
        latent: L, the size of a code.
        n_classes: K; 0 where the model is unconditional.
    """

    def __init__(
        self, features: nn.Module, n_features: int, hidden: Sequence[int], latent: int, n_classes: int
    ) -> None:
        super().__init__()
        self.features, self.n_classes = features, n_classes
        self.body, width = dense_layers(n_features + n_classes, hidden)
        self.mean, self.log_variance = nn.Linear(width, latent), nn.Linear(width, latent)

    def posterior(self, features: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z | x, y), (N, n_features), (N,) -> (N, L) each."""
        body = self.body(with_class(features, label, self.n_classes))
        dtype = self.mean.weight.dtype  # autocast makes the maps' results coarser than the next steps need
        return self.mean(body).to(dtype), self.log_variance(body).to(dtype)

    def forward(self, x: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z | x, y), (N, L) each."""
        return self.posterior(self.features(x), label)


class DenseNetwork(nn.Module):
    """Dense layers over inputs and classes: decoders of tables, generators, critics.

    Args:
        n_inputs: F.
        hidden: widths of the layers, first to last; none leaves a linear map.
        width: number of outputs.
        n_classes: K; 0 where the model is unconditional.
    """

    def __init__(self, n_inputs: int, hidden: Sequence[int], width: int, n_classes: int) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.body, last = dense_layers(n_inputs + n_classes, hidden)
        self.head = nn.Linear(last, width)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Apply the layers, (N, F), (N,) -> (N, width)."""
        return self.head(self.body(with_class(x, label, self.n_classes))).to(self.head.weight.dtype)  # type: ignore[no-any-return]


class ConvolutionalDecoder(nn.Module):
    """Codes and classes -> one likelihood parameter a pixel value, through two sub-pixel convolutions.

    Each computes the four pixels of a 2×2 block as channels and then lays them out: Shi et al., "Real-time single image
    and video super-resolution using an efficient sub-pixel convolutional neural network" (2016).

    Args:
        latent: L.
        hidden: widths of the dense layers before the convolutions.
        shape: (colours, H, W).
        channels: feature maps before the last convolution; there are twice as many before that.
        n_classes: K; 0 where the model is unconditional.
    """

    def __init__(
        self, latent: int, hidden: Sequence[int], shape: tuple[int, int, int], channels: int, n_classes: int
    ) -> None:
        super().__init__()
        self.n_classes, self.shape = n_classes, shape
        colours, height, width = shape
        grid = (2 * channels, quarter(height), quarter(width))
        self.body, last = dense_layers(latent + n_classes, hidden)
        self.upscale = nn.Sequential(
            he_initialised(nn.Linear(last, grid[0] * grid[1] * grid[2])),
            nn.SiLU(),
            nn.Unflatten(1, grid),
            he_initialised(nn.Conv2d(grid[0], 4 * channels, 3, padding=1)),
            nn.PixelShuffle(2),
            nn.SiLU(),
        )
        self.head = nn.Conv2d(channels, 4 * colours, 3, padding=1)

    def forward(self, z: Tensor, label: Tensor | None) -> Tensor:
        """Likelihood parameters, (N, L), (N,) -> (N, H · W · colours), in the order of a stored image."""
        _, height, width = self.shape
        blocks = self.head(self.upscale(self.body(with_class(z, label, self.n_classes))))
        image = functional.pixel_shuffle(blocks, 2)
        cropped = image[:, :, :height, :width].movedim(1, -1)  # sizes that 4 does not divide were rounded up
        return cropped.reshape(len(z), -1).to(self.head.weight.dtype)
