r"""Translation between two domains of images without pairs.

.. math:: L_{F,G} = L_B(F(a)) + L_A(G(b)) + \lambda\,(\|G(F(a)) - a\|_1 + \|F(G(b)) - b\|_1)

Zhu, Park, Isola and Efros, "Unpaired image-to-image translation using cycle-consistent adversarial networks" (2017),
with their least-squares game and critics of patches; the translators add to the image what residual blocks say, and
nothing to begin with. Small images lose what instance normalisation takes from them, so there is none.

Images of both domains are halves of the channels of one image, each of which has a translator and a critic of its own;
what is translated changes its place. It draws nothing from noise and gives no density.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array
from versus.data.spaces import Image
from versus.data.targets import Domains
from versus.models.arguments import Count, NonNegative, Positive, Share
from versus.models.checks import classification_data
from versus.models.deep_generative.game_views import PixelView
from versus.models.deep_model import DeepModel
from versus.training import adversarial_losses
from versus.training.batches import Batch
from versus.training.updates import Adversarial, AdversarialLoss, Shown

__all__ = ["CycleGAN"]

DOMAINS = 2
INSIDE = 1 - 1e-6  # what `PixelView.to_raw` squashes is stretched before


class Pair(nn.Module):
    """Two networks, one for each half of the channels, (N, 2 C, H, W) -> (N, 2 C', h, w).

    Args:
        first, second: of the first and of the second domain, (N, C, H, W) -> (N, C', h, w).
    """

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.of = nn.ModuleList([first, second])
        # Half the time of channels first on a CPU.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        """Apply each to its half."""
        halves = zip(self.of, x.chunk(DOMAINS, dim=1), strict=True)
        return torch.cat([network(half) for network, half in halves], dim=1)


class Residual(nn.Sequential):
    """Layers whose result is added to their input; None is added to begin with."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(*layers)
        last = layers[-1]
        assert isinstance(last, nn.Conv2d)
        nn.init.zeros_(last.weight)
        assert last.bias is not None
        nn.init.zeros_(last.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layers, (N, C, H, W) -> (N, C, H, W)."""
        added: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return x + added


def translator(colours: int, channels: int, n_blocks: int) -> nn.Module:
    """Build blocks of convolutions whose sum is added to images, (N, colours, H, W) -> (N, colours, H, W)."""
    blocks = (
        Residual(nn.SiLU(), convolution(channels, channels), nn.SiLU(), convolution(channels, channels))
        for _ in range(n_blocks)
    )
    return Residual(convolution(colours, channels), *blocks, nn.SiLU(), convolution(channels, colours))


def critic(colours: int, channels: int, stride: int) -> nn.Module:
    """Build a score for each patch of an image, (N, colours, H, W) -> (N, 1, h, w)."""
    return nn.Sequential(
        convolution(colours, channels),
        nn.LeakyReLU(0.2),
        convolution(channels, 2 * channels, size=3 if stride == 1 else 4, stride=stride),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * channels, 1, 1),
    )


def convolution(n_inputs: int, n_outputs: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    """Convolve with a border of one pixel."""
    return nn.Conv2d(n_inputs, n_outputs, size, stride, padding=1)


class Translators(Pair):
    """Translators of each domain to the other: the first half of what comes out was the second of what went in."""

    def forward(self, x: Tensor) -> Tensor:
        """Translate both halves, (N, 2 C, H, W) -> (N, 2 C, H, W)."""
        return swapped(super().forward(x))


def swapped(x: Tensor) -> Tensor:
    """Exchange the halves of the channels, (N, 2 C, H, W) -> (N, 2 C, H, W)."""
    return torch.cat(x.chunk(DOMAINS, dim=1)[::-1], dim=1)


class CycleLoss:
    """Loss of a game whose generator also pays for images that are not themselves after both ways.

    Args:
        game: losses by the critics' scores.
        weight: lambda.
    """

    def __init__(self, game: AdversarialLoss, weight: float) -> None:
        self.game, self.weight = game, weight

    def critic(self, critic: nn.Module, real: Shown, fake: Shown, noise: torch.Generator) -> Tensor:
        return self.game.critic(critic, real, fake[:1], noise)

    def generator(self, critic: nn.Module, fake: Shown) -> Tensor:
        translated, error = fake
        return self.game.generator(critic, (translated,)) + self.weight * error


@dataclass(eq=False, kw_only=True)
class CycleGAN(DeepModel):
    """Translators between two domains of images, and the critics that they were trained against.

    The domains are those of the data's target, or its two classes. The game has no loss that falls when translations
    get better: training runs all its epochs, and the weights that are kept are averages over the last steps.

    Args, besides those of `DeepModel`:
        channels: feature maps of translators and critics.
        n_blocks: residual blocks of a translator; a pixel depends on 2 · n_blocks + 2 pixels on each side of it.
        critic_stride: stride within the critics: with 1 a score is of 5 × 5 pixels, with 2 of 6 × 6; they cannot learn
            images by heart.
        cycle_weight: weight of the mean absolute difference from what images are after both ways, in [-1, 1]. A large
            one holds the translators where they begin, at images as they are, where that difference is 0.
        loss: what the players minimise besides.
        penalty: weight of the loss's penalty on the critics' slope, as in `AdversarialModel`.
        ema_decay: share of the averaged weights that a step keeps; None keeps the last step's weights.
    """

    no_density: ClassVar[str] = "translates images"

    channels: Count = 12
    n_blocks: Count = 1
    critic_stride: Count = 1
    cycle_weight: NonNegative = 1.0
    loss: Literal["least_squares", "non_saturating", "wasserstein", "hinge"] = "least_squares"
    penalty: NonNegative | None = None
    learning_rate: Positive = 2e-3
    ema_decay: Share | None = 0.99
    epochs: Count = 30
    batch_size: Count = 16

    def translate(self, X: Array, to: int) -> Array:
        """Translate images (N, *event) of the other domain to the domain ``to``, 0 or 1, -> (N, *event).

        Raises:
            ValueError: if there is no such domain.
        """
        if to not in (0, 1):
            raise ValueError(f"to={to}; the domains are 0 ({self._domains()[0]}) and 1 ({self._domains()[1]})")
        own: Any = self.network_.get_submodule(f"generator.of.{1 - to}")
        view: Any = self.network_.get_submodule("view")

        def way(x: Tensor) -> Tensor:
            found: Tensor = own(view.real(x))
            return found.clamp(-INSIDE, INSIDE).double().atanh()

        found: Array = view.to_raw(self._apply(way, self._encoded(X)), np.random.default_rng(0))
        return found

    def _domains(self) -> tuple[str, ...]:
        target = self.schema_.y
        return target.domains if isinstance(target, Domains) else self.schema_.classes

    def _build(self) -> nn.Module:
        if not isinstance(self.schema_.x, Image) or len(self._domains()) != DOMAINS:
            told = f"{self.schema_.x.describe()}, {len(self._domains())} classes"
            raise ValueError(f"CycleGAN takes images of two domains, and these data are: {told}")
        view = PixelView(self.schema_, flat=False)
        colours = view.planes[0]
        generator = Translators(*(translator(colours, self.channels, self.n_blocks) for _ in range(DOMAINS)))
        critics = Pair(*(critic(colours, self.channels, self.critic_stride) for _ in range(DOMAINS)))
        return nn.ModuleDict({"generator": generator, "critic": critics, "view": view})

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        view: Any = self.network_.get_submodule("view")
        view.learn(X)

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        """Images of both domains, side by side without being pairs; the fewer ones are shown again."""
        labels, target = classification_data("CycleGAN", self.schema_, X, y)[1], self.schema_.y
        domain = target.domain(labels) if isinstance(target, Domains) else labels
        parts = [self._encoded(X)[domain == of] for of in range(DOMAINS)]
        if not all(map(len, parts)):
            raise ValueError(f"CycleGAN needs images of both domains, and has {len(parts[0])} and {len(parts[1])}")
        longest = max(map(len, parts))
        return tuple(part[np.arange(longest) % len(part)] for part in parts)

    def _update(self) -> Adversarial:
        loss = CycleLoss(adversarial_losses.named(self.loss, self.penalty), self.cycle_weight)
        return Adversarial(self.network_, self._show, loss, learning_rate=self.learning_rate)

    def _show(self, generator: nn.Module, batch: Batch, noise: torch.Generator) -> tuple[Shown, Shown]:
        """Images of both domains as halves, and those translated to each; with them the error of both ways."""
        view: Any = self.network_.get_submodule("view")
        real = torch.cat([view.real(x) for x in batch], dim=1)
        translated = generator(real)
        return (real,), (translated, (generator(translated) - real).abs().mean())
