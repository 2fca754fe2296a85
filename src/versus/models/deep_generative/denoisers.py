"""Networks of diffusion models: dense for tables, a small U-Net for images; both are told the level and the class.

A network maps noisy events (N, *event), scaled to a variance of about 1, with the logarithms of their levels (N,) and
their classes (N, K), one-hot, to what its parametrisation asks for, (N, *event). A row of zeros in place of a class
means any class. All heads start at zero.

Ronneberger, Fischer and Brox, "U-Net" (2015); Ho, Jain and Abbeel (2020); Perez et al., "FiLM" (2018) for scales and
shifts; Vaswani et al., "Attention is all you need" (2017).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

WAVES = 16
EMBEDDING = 64
SMALLEST_GRID = 4  # pixels a side at the bottom of a U-Net, about


def _zero(layer: nn.Linear | nn.Conv2d) -> nn.Module:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class Condition(nn.Module):
    """Embedding of the level and the class, (N,), (N, K) -> (N, EMBEDDING).

    Args:
        n_classes: K; 0 where the model is unconditional.
    """

    frequencies: Tensor

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        frequencies = torch.exp(torch.linspace(math.log(0.2), math.log(8.0), WAVES))
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.of_level = nn.Linear(2 * WAVES, EMBEDDING)
        self.of_class = nn.Linear(n_classes, EMBEDDING, bias=False) if n_classes else None
        self.last = nn.Linear(EMBEDDING, EMBEDDING)

    def forward(self, log_level: Tensor, classes: Tensor | None) -> Tensor:
        """Embed logarithms of levels (N,) and one-hot classes (N, K)."""
        angles = log_level[:, None] * self.frequencies
        found = self.of_level(torch.cat([angles.sin(), angles.cos()], dim=1))
        if self.of_class is not None and classes is not None:
            found = found + self.of_class(classes)
        return functional.silu(self.last(functional.silu(found)))


class DenseDenoiser(nn.Module):
    """Dense layers, the later ones residual where their widths agree.

    Args:
        shape: of an event.
        hidden: widths of the layers.
        n_classes: K; 0 where the model is unconditional.
    """

    def __init__(self, shape: tuple[int, ...], hidden: Sequence[int], n_classes: int) -> None:
        super().__init__()
        self.shape, size = shape, math.prod(shape)
        self.condition = Condition(n_classes)
        self.layers = nn.ModuleList(nn.Linear(n, width) for n, width in pairwise((size, *hidden)))
        self.shifts = nn.ModuleList(nn.Linear(EMBEDDING, width) for width in hidden)
        self.head = _zero(nn.Linear(hidden[-1], size))

    def forward(self, x: Tensor, log_level: Tensor, classes: Tensor | None = None) -> Tensor:
        """Apply the layers, (N, *event) -> (N, *event)."""
        told, h = self.condition(log_level, classes), x.flatten(1)
        for number, (layer, shift) in enumerate(zip(self.layers, self.shifts, strict=True)):
            new = functional.silu(layer(h) + shift(told))
            h = h + new if number and new.shape == h.shape else new
        return self.head(h).view(-1, *self.shape)  # type: ignore[no-any-return]


class ResidualBlock(nn.Module):
    """Two convolutions, between which the condition scales and shifts the feature maps."""

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.first = nn.Sequential(_normed(n_inputs), nn.SiLU(), nn.Conv2d(n_inputs, n_outputs, 3, padding=1))
        self.norm = _normed(n_outputs)
        self.told = nn.Linear(EMBEDDING, 2 * n_outputs)
        self.second = _zero(nn.Conv2d(n_outputs, n_outputs, 3, padding=1))
        self.around = nn.Identity() if n_inputs == n_outputs else nn.Conv2d(n_inputs, n_outputs, 1)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """Apply the block, (N, n_inputs, H, W), (N, EMBEDDING) -> (N, n_outputs, H, W)."""
        scale, shift = self.told(told)[:, :, None, None].chunk(2, dim=1)
        h = self.norm(self.first(x)) * (1 + scale) + shift
        return self.around(x) + self.second(functional.silu(h))  # type: ignore[no-any-return]


class SelfAttention(nn.Module):
    """Attention of each pixel to all, with one head, added to the feature maps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm, self.mix = _normed(channels), nn.Conv2d(channels, 3 * channels, 1)
        self.head = _zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Attend, (N, C, H, W) -> (N, C, H, W)."""
        query, key, value = self.mix(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, dim=2)  # (N, H · W, C)
        seen = functional.scaled_dot_product_attention(query, key, value)
        return x + self.head(seen.transpose(1, 2).reshape(x.shape))  # type: ignore[no-any-return]


class UNet(nn.Module):
    """Residual blocks down to a grid of about `SMALLEST_GRID` pixels (halved twice at most), attention, and up again.

    Args:
        shape: (colours, H, W); other sizes than multiples of the halvings are padded.
        channels: feature maps at full size; there are twice as many below.
        n_classes: K; 0 where the model is unconditional.
    """

    def __init__(self, shape: tuple[int, ...], channels: int, n_classes: int) -> None:
        super().__init__()
        colours, self.height, self.width = shape
        halvings = min(2, max(0, int(math.log2(min(self.height, self.width) / SMALLEST_GRID))))
        widths = [channels, *[2 * channels] * halvings]
        self.multiple = 2**halvings
        self.condition = Condition(n_classes)
        self.stem = nn.Conv2d(colours, channels, 3, padding=1)
        self.down = nn.ModuleList(ResidualBlock(n, n) for n in widths)
        self.shrink = nn.ModuleList(nn.Conv2d(n, m, 3, stride=2, padding=1) for n, m in pairwise(widths))
        self.middle, self.attention = ResidualBlock(widths[-1], widths[-1]), SelfAttention(widths[-1])
        self.up = nn.ModuleList(ResidualBlock(2 * n, n) for n in widths[::-1])
        self.grow = nn.ModuleList(nn.Conv2d(n, m, 3, padding=1) for n, m in pairwise(widths[::-1]))
        self.head = nn.Sequential(_normed(channels), nn.SiLU(), _zero(nn.Conv2d(channels, colours, 3, padding=1)))

    def forward(self, x: Tensor, log_level: Tensor, classes: Tensor | None = None) -> Tensor:
        """Apply the network, (N, colours, H, W) -> (N, colours, H, W)."""
        told, kept = self.condition(log_level, classes), []
        h = self.stem(functional.pad(x, (0, -self.width % self.multiple, 0, -self.height % self.multiple)))
        for number, block in enumerate(self.down):
            h = block(self.shrink[number - 1](h) if number else h, told)
            kept.append(h)
        h = self.attention(self.middle(h, told))
        for number, block in enumerate(self.up):
            if number:
                h = self.grow[number - 1](functional.interpolate(h, scale_factor=2.0))
            h = block(torch.cat([h, kept.pop()], dim=1), told)
        return self.head(h)[:, :, : self.height, : self.width]  # type: ignore[no-any-return]


def _normed(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(8, channels), channels)
