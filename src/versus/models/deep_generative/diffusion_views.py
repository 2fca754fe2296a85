"""Views of raw events for diffusion models: coordinates of a variance of about 1, and the way back."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array
from versus.data.spaces import Image
from versus.models.deep_generative.event_views import channels_first
from versus.models.pixel_scaling import moments
from versus.models.preprocessing import Preprocessor


class Rows(nn.Module):
    """Rows of a table: numbers standardised, categories as corners of ±1, one coordinate a category; NaN where missing.

    A drawn row has the category of its largest coordinate: Chen, Zhang and Hinton, "Analog bits" (2023). In training,
    columns of some rows are left out at random, so that the rows that a model is asked about may lack them.

    Args:
        preprocessor: fitted; standardises numbers.
        blanked: share of the training rows of which each column is left out with probability ½.
    """

    n_noise = 0  # random numbers that it takes to read an event
    log_unit: Tensor

    def __init__(self, preprocessor: Preprocessor, blanked: float) -> None:
        super().__init__()
        self.preprocessor, self.blanked = preprocessor, blanked
        self.n_numbers = len(preprocessor.numeric)
        self.sizes = [preprocessor.schema.cardinalities[d] for d in preprocessor.categorical]
        self.shape = (self.n_numbers + sum(self.sizes),)
        self.register_buffer("log_unit", torch.from_numpy(np.log(preprocessor.scale_)), persistent=False)

    def arrays(self, X: Array) -> tuple[Array, ...]:
        """Array that batches are cut from, (N, D) -> (N, F)."""
        p = self.preprocessor
        encoded, absent = p.transform(X), len(p.can_miss_)
        hot = 2 * encoded[:, self.n_numbers + absent :] - 1
        coordinates = np.concatenate([encoded[:, : self.n_numbers], hot], axis=1)
        return (np.where(self.known(np.isnan(X)), coordinates, p.dtype(np.nan)),)

    def keys(self, X: Array) -> Array:
        """Give what the noise of an event's estimates goes by, (N, F): the same in all units of the columns."""
        keys: Array = np.round(np.nan_to_num(self.arrays(X)[0]).astype(np.float64), 2) + 0.0
        return keys

    def forward(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return the coordinates; with a generator, those of some columns as missing."""
        if generator is None or not self.blanked:
            return x
        columns = self.n_numbers + len(self.sizes)
        chosen = torch.rand((len(x), columns + 1), generator=generator, device=x.device)
        gone = (chosen[:, 1:] < 0.5) & (chosen[:, :1] < self.blanked)
        sizes = torch.tensor([1] * self.n_numbers + self.sizes, device=x.device)
        return x.masked_fill(gone.repeat_interleave(sizes, dim=1), torch.nan)

    def read(self, events: tuple[Tensor, ...], noise: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates (N, F), and log of the density of events over that of their coordinates (N,)."""
        (x,) = events
        return x, -(~torch.isnan(x[:, : self.n_numbers]) * self.log_unit).sum(dim=1)

    def known(self, missing: Array) -> Array:
        """Mark the coordinates that are known, for values that are missing (N, D) bool -> (N, F) bool."""
        p = self.preprocessor
        blocks = [np.repeat(~missing[:, [d]], size, axis=1) for d, size in zip(p.categorical, self.sizes, strict=True)]
        return np.concatenate([~missing[:, p.numeric], *blocks], axis=1)

    def to_raw(self, x: Array, random_state: int | None = None) -> Array:
        """Convert coordinates (N, F) to rows (N, D)."""
        p = self.preprocessor
        raw = np.empty((len(x), len(p.numeric) + len(p.categorical)))
        raw[:, p.numeric] = x[:, : self.n_numbers] * p.scale_ + p.centre_
        blocks = np.split(x[:, self.n_numbers :], np.cumsum(self.sizes)[:-1], axis=1) if self.sizes else []
        for d, scores in zip(p.categorical, blocks, strict=True):
            raw[:, d] = scores.argmax(axis=1)
        return raw


class Pixels(nn.Module):
    """Images: dequantised where they have levels, with one mean and one scale for all pixels, channels first.

    Args:
        space: of the images.
    """

    n_noise = 0
    mean: Tensor
    scale: Tensor

    def __init__(self, space: Image) -> None:
        super().__init__()
        self.space = space
        height, width, *colours = space.shape
        self.shape = (colours[0] if colours else 1, height, width)
        self.n_numbers = int(np.prod(self.shape))
        for name in ("mean", "scale"):
            self.register_buffer(name, torch.ones(()))

    def learn(self, X: Array) -> None:
        """Take mean and scale from X (N, *shape), the images as stored."""
        mean, deviation = moments(X)
        if self.space.levels is not None:
            mean, deviation = mean + 0.5, np.sqrt(deviation**2 + 1 / 12)  # of x + u, u uniform on [0, 1)
        self.mean.fill_(float(mean.mean()))
        self.scale.fill_(float(np.sqrt((deviation**2).mean() + mean.var())) or 1.0)

    def arrays(self, X: Array) -> tuple[Array, ...]:
        """Return the images as they are."""
        return (X,)

    def keys(self, X: Array) -> Array:
        """Give what the noise of an event's estimates goes by, (N, D): the same all over the cell of stored pixels."""
        rows = X.reshape(len(X), -1)
        return rows if self.space.levels is None else np.floor(rows)

    def forward(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """Scale (N, H, W[, colours]) -> (N, colours, H, W); with a generator, stored pixels are dequantised afresh."""
        stored = not x.is_floating_point()
        x = x.to(self.mean.dtype)
        if generator is not None and self.space.levels is not None:
            x = x + torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        elif stored:
            x = x + 0.5  # the middle of a dequantised pixel's cell
        return channels_first((x - self.mean) / self.scale)

    def read(self, events: tuple[Tensor, ...], noise: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates (N, colours, H, W), and log of the density of events over that of their coordinates (N,)."""
        return self(*events, None), (-self.n_numbers * torch.log(self.scale)).expand(len(events[0]))

    def unscaled(self, x: Array) -> Array:
        """Pixels of coordinates (N, colours, H, W) before they are cut to levels, (N, *shape)."""
        rows = np.moveaxis(x, 1, -1).reshape(len(x), *self.space.shape)
        pixels: Array = rows * float(self.scale) + float(self.mean)
        return pixels

    def to_raw(self, x: Array, random_state: int | None = None) -> Array:
        """Convert coordinates (N, colours, H, W) to images (N, *shape), cut to their levels if they have any."""
        images: Array = self.space.stored(self.unscaled(x))
        return images
