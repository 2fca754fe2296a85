"""A convolutional generative adversarial network for images, 8 × 8 pixels and larger.

Radford, Metz and Chintala, "Unsupervised representation learning with deep convolutional generative adversarial
networks" (2016): transposed convolutions of stride 2 with batch normalisation in the generator, strided convolutions
with leaky rectifiers in the critic. The critic has no batch normalisation, which penalties on its slope at single
events do not allow; with classes, it adds the product of its features with a vector for the class (Miyato and Koyama,
"cGANs with projection discriminator", 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from versus.data.spaces import Image
from versus.models.arguments import Count, Positive
from versus.models.deep_generative.adversarial_model import AdversarialModel
from versus.models.deep_generative.autoencoder_networks import with_class
from versus.models.deep_generative.game_views import PixelView
from versus.models.image_features import quarter

__all__ = ["DCGAN"]

SLOPE = 0.2  # of leaky rectifiers below 0
SMALLEST = 4  # pixels a side, which two halvings leave one of


def initialised(network: nn.Module) -> nn.Module:
    """Draw the weights of convolutions from N(0, 0.02²) and those of normalisations from N(1, 0.02²), as the paper."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
    return network


class Generator(nn.Module):
    """Noise and classes -> images before squashing, (N, L), (N,) -> (N, C, H, W).

    Args:
        n_latent: L.
        planes: (C, H, W).
        channels: feature maps before the last convolution; there are twice as many before that.
        n_classes: K; 0 where the model is unconditional.
    """

    def __init__(self, n_latent: int, planes: tuple[int, int, int], channels: int, n_classes: int) -> None:
        super().__init__()
        self.planes, self.n_classes = planes, n_classes
        colours, height, width = planes
        grid = (2 * channels, quarter(height), quarter(width))
        self.layers = nn.Sequential(
            nn.Linear(n_latent + n_classes, grid[0] * grid[1] * grid[2], bias=False),
            nn.Unflatten(1, grid),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.ConvTranspose2d(channels, colours, 4, stride=2, padding=1),
        )
        initialised(self)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Draw images; what sizes that 4 does not divide were rounded up by is cut off."""
        _, height, width = self.planes
        images: Tensor = self.layers(with_class(z, label, self.n_classes))
        return images[:, :, :height, :width]


class Critic(nn.Module):
    """Images and classes -> scores, (N, C, H, W), (N,) -> (N, 1).

    Args:
        planes: (C, H, W).
        channels: feature maps of the first convolution; the second has twice as many.
        n_classes: K; 0 where the model is unconditional.
    """

    def __init__(self, planes: tuple[int, int, int], channels: int, n_classes: int) -> None:
        super().__init__()
        colours, height, width = planes
        self.features = nn.Sequential(
            nn.Conv2d(colours, channels, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
        )
        width = 2 * channels * (height // 2 // 2) * (width // 2 // 2)
        self.head = nn.Linear(width, 1)
        self.of_class = nn.Linear(n_classes, width, bias=False) if n_classes else None
        initialised(self)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Score images."""
        features = self.features(x)
        scores: Tensor = self.head(features)
        if self.of_class is None or label is None:
            return scores
        of_class = self.of_class(nn.functional.one_hot(label, self.of_class.in_features).to(features))
        projected: Tensor = (of_class * features).sum(dim=1, keepdim=True)
        return scores + projected


@dataclass(eq=False, kw_only=True)
class DCGAN(AdversarialModel):
    """A convolutional generator of images and the critic that it was trained against.

    Args, besides those of `AdversarialModel`:
        channels: feature maps nearest to the images; the layers within have twice as many.
    """

    n_latent: Count = 32
    channels: Count = 32
    learning_rate: Positive = 1e-3
    epochs: Count = 30
    batch_size: Count = 64

    def _players(self, n_classes: int) -> tuple[nn.Module, nn.Module, nn.Module]:
        if not isinstance(self.schema_.x, Image):
            raise ValueError(f"DCGAN takes images, and these data are: {self.schema_.x.describe()}")
        view = PixelView(self.schema_, flat=False)
        if min(view.planes[1:]) < SMALLEST:
            raise ValueError(f"DCGAN halves images twice; these are {view.planes[1]} × {view.planes[2]} pixels")
        generator = Generator(self.n_latent, view.planes, self.channels, n_classes)
        critic = Critic(view.planes, self.channels, n_classes)
        for network in (generator, critic):  # half the time of channels first on a CPU
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return generator, critic, view
