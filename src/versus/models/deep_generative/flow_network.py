r"""Density of an event with categories and numbers: categories one after the other, then numbers by a flow.

.. math:: \log p(x \mid y) = \sum_j \log p(c_j \mid c_1, \dots, c_{j-1}, y) + \log p(u \mid c, y)

with the categories c and the numbers u of an event x. Both factors are exact, so a table with both kinds of columns has
a density over the product of Lebesgue's and the counting measure, like those of the classical models, and no category
is turned into a number. Germain and others, "MADE: masked autoencoder for distribution estimation" (2015).

Numbers of tables have some noise in training, without which a flow draws spikes at rounded values: Rothfuss and others,
"Noise regularization for conditional density estimation" (2019). Pixels are dequantised and mapped to the line by a
logit: Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP" (2017).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from versus.arrays import Array

LEARNED = 10_000  # images from which scales are learned
EDGE = 0.05  # of the unit interval on either side that pixels leave free, so that logits stay small


class Categories(nn.Module):
    """Probabilities of each category given those of the columns before it, and the class.

    Args:
        sizes: number of categories of each column.
        n_classes: K; 0 where the model is unconditional.
        hidden: widths of the hidden layers.
    """

    def __init__(self, sizes: Sequence[int], n_classes: int, hidden: Sequence[int]) -> None:
        from zuko.nn import MaskedMLP

        super().__init__()
        self.sizes = list(sizes)
        column = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(self.sizes))
        given = torch.ones(len(column), 1 + n_classes, dtype=torch.bool)  # a constant, and the class
        self.scores = MaskedMLP(torch.cat([given, column[:, None] > column], dim=1), tuple(hidden))

    def log_prob(self, hot: Tensor, of_class: Tensor) -> Tensor:
        """Log-probability of one-hot categories, (N, C), (N, K) -> (N,) nats."""
        scores = self._scores(hot, of_class)
        blocks = [block.log_softmax(dim=1) for block in torch.split(scores, self.sizes, dim=1)]
        return (torch.cat(blocks, dim=1) * hot).sum(dim=1)

    def draw(self, of_class: Tensor, rng: np.random.Generator) -> Tensor:
        """Draw one-hot categories, (N, K) -> (N, C)."""
        hot = of_class.new_zeros(len(of_class), sum(self.sizes))
        first = 0
        for size in self.sizes:
            scores = self._scores(hot, of_class)[:, first : first + size]
            gumbel = torch.from_numpy(rng.gumbel(size=scores.shape)).to(scores)
            hot[:, first : first + size] = functional.one_hot((scores + gumbel).argmax(dim=1), size).to(hot)
            first += size
        return hot

    def _scores(self, hot: Tensor, of_class: Tensor) -> Tensor:
        scores: Tensor = self.scores(torch.cat([torch.ones_like(hot[:, :1]), of_class, hot], dim=1))
        return scores


class Pixels(nn.Module):
    """Pixels as numbers on the line, one scale each.

    Args:
        shape: (H, W) or (H, W, colours).
        levels: number of values that a pixel can take; None where the images are continuous to begin with.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, shape: tuple[int, ...], levels: int | None) -> None:
        super().__init__()
        self.shape, self.levels = shape, levels
        self.register_buffer("centre", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))

    def learn(self, X: Array) -> None:
        """Take means and deviations of the pixels on the line from X (N, *shape), the images as stored."""
        some = torch.from_numpy(np.array(X[:: -(-len(X) // LEARNED)]))
        z = self(some, torch.Generator().manual_seed(0))[0].unflatten(1, self.shape)
        deviation = z.std(dim=0, correction=0)
        self.centre.copy_(z.mean(dim=0))
        self.scale.copy_(deviation.clamp(min=0.05 * float(deviation.max())).where(deviation.max() > 0, 1.0))

    def forward(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Map images (N, *shape) to (N, D), and the logarithm of the volume's growth (N,).

        In training (with a generator) they are dequantised afresh each time; stored ones stand for their middle.
        """
        stored, x = not x.is_floating_point(), x.to(self.scale.dtype)
        if self.levels is None:
            growth = torch.zeros(len(x), dtype=x.dtype, device=x.device)
        else:
            if generator is not None:
                x = x + torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
            elif stored:
                x = x + 0.5
            share = EDGE + (1 - 2 * EDGE) * x / self.levels
            x = torch.logit(share)
            slope = np.log((1 - 2 * EDGE) / self.levels) - share.log() - torch.log1p(-share)
            growth = slope.flatten(1).sum(dim=1)
        return ((x - self.centre) / self.scale).flatten(1), growth - self.scale.log().sum()

    def to_raw(self, z: Tensor) -> Tensor:
        """The inverse, (N, D) -> (N, D); pixels of stored images within [0, levels]."""
        x = z * self.scale.flatten() + self.centre.flatten()
        if self.levels is None:
            return x
        return ((torch.sigmoid(x) - EDGE) / (1 - 2 * EDGE) * self.levels).clamp(0, self.levels)


class FlowNetwork(nn.Module):
    """Log-density of events whose numbers are standardised, and draws.

    Args:
        numbers: number D of numbers of an event.
        sizes: number of categories of each categorical column.
        n_classes: K; 0 where the model is unconditional.
        pixels: map of images to numbers; None for tables.
        noise: deviation of the noise on numbers of tables in training.
        build: (D, length of the context) -> flow of zuko.
        hidden: widths of the hidden layers that score categories.
    """

    def __init__(
        self,
        numbers: int,
        sizes: Sequence[int],
        n_classes: int,
        pixels: Pixels | None,
        noise: float,
        build: Callable[[int, int], nn.Module],
        hidden: Sequence[int],
    ) -> None:
        super().__init__()
        self.numbers, self.n_classes, self.noise, self.pixels = numbers, n_classes, noise, pixels
        self.categories = Categories(sizes, n_classes, hidden) if sizes else None
        self.flow = build(numbers, n_classes + sum(sizes)) if numbers else None

    def forward(self, events: Tensor, label: Tensor | None, generator: torch.Generator | None) -> Tensor:
        """Log p(x | y) in standard units, (N, numbers then one-hot categories) or (N, *shape) -> (N,) nats.

        With a generator numbers have noise and pixels are dequantised, as in training.
        """
        if self.pixels is not None:
            z, growth = self.pixels(events, generator)
            of_pixels: Tensor = growth + self._of_numbers(z, self._of_class(label, z))
            return of_pixels
        z, hot = events[:, : self.numbers], events[:, self.numbers :]
        if generator is not None:
            z = z + self.noise * torch.randn(z.shape, generator=generator, dtype=z.dtype, device=z.device)
        of_class = self._of_class(label, z)
        found = z.new_zeros(len(z)) if self.categories is None else self.categories.log_prob(hot, of_class)
        return found if self.flow is None else found + self._of_numbers(z, torch.cat([of_class, hot], dim=1))

    def draw(self, n: int, label: Tensor | None, rng: np.random.Generator) -> Tensor:
        """Draw ``n`` events in standard units, (n, D and one-hot categories); pixels (n, D) in the raw space."""
        device = next(self.parameters()).device
        of_class = self._of_class(label, torch.zeros(n, 0, device=device, dtype=next(self.parameters()).dtype))
        hot = of_class[:, :0] if self.categories is None else self.categories.draw(of_class, rng)
        if self.flow is None:
            return hot
        noise = torch.from_numpy(rng.standard_normal((n, self.numbers))).to(hot)
        z = self.flow(self._context(torch.cat([of_class, hot], dim=1))).transform.inv(noise)
        return torch.cat([z, hot], dim=1) if self.pixels is None else self.pixels.to_raw(z)

    def _of_numbers(self, z: Tensor, context: Tensor) -> Tensor:
        assert self.flow is not None
        found: Tensor = self.flow(self._context(context)).log_prob(z)
        return found

    def _context(self, given: Tensor) -> Tensor | None:
        return given if given.shape[1] else None

    def _of_class(self, label: Tensor | None, like: Tensor) -> Tensor:
        """One-hot classes (N, K); (N, 0) where there are none."""
        return like[:, :0] if label is None else functional.one_hot(label, self.n_classes).to(like.dtype)
