"""Views of raw events for variational autoencoders: inputs of the encoder and targets of the likelihood.

In training (with a generator) the pixels of continuous models are dequantised afresh each time they are seen, after
Theis et al., "A note on the evaluation of generative models" (2016).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array
from versus.models.pixel_scaling import PixelScaling, moments
from versus.models.preprocessing import Preprocessor


class TableView(nn.Module):
    """Rows that were preprocessed before: a pair of arrays passes through.

    Args:
        preprocessor: fitted; standardises numbers.
    """

    def __init__(self, preprocessor: Preprocessor) -> None:
        super().__init__()
        self.preprocessor = preprocessor

    def arrays(self, X: Array) -> tuple[Array, ...]:
        """Arrays that batches are cut from, (N, D) -> encoder inputs (N, F) and targets (N, D), NaN where missing."""
        p = self.preprocessor
        targets = X.astype(p.dtype)
        targets[:, p.numeric] = (X[:, p.numeric] - p.centre_) / p.scale_
        return p.transform(X), targets

    def forward(self, inputs: Tensor, target: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Return the pair: nothing is left to do."""
        return inputs, target

    def log_unit(self) -> Array:
        """Logarithm of the unit of each numeric column."""
        logarithm: Array = np.log(self.preprocessor.scale_)
        return logarithm

    def to_raw(self, target: Array) -> Array:
        """Convert targets (N, D) to raw events (N, D)."""
        p, raw = self.preprocessor, target.astype(np.float64)
        raw[:, p.numeric] = raw[:, p.numeric] * p.scale_ + p.centre_
        return raw


class DrawnCodes(nn.Module):
    """Codes as another autoencoder knows them: normals, given by their means beside their deviations.

    In training drawn afresh each time they are seen; without a generator the means stand for them. They are not
    standardised: drawn, they are about standard normal, and a code that the other one does not use stays noise, which
    its mean, if scaled up to deviation 1, would hide.
    """

    def arrays(self, X: Array) -> tuple[Array, ...]:
        """Return means and deviations (N, 2L) in single precision."""
        return (X.astype(np.float32),)

    def forward(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Draw codes, (N, 2L) -> encoder inputs and targets (N, L)."""
        mean, deviation = x.chunk(2, dim=1)
        if generator is None:
            return mean, mean
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)
        return (drawn := mean + deviation * noise), drawn

    def to_raw(self, target: Array) -> Array:
        """Return codes (N, L) as they are."""
        return target


class BinarisedPixels(nn.Module):
    """Images cut at half of their levels.

    Args:
        shape: (H, W) or (H, W, colours).
        levels: number of values that a pixel can take.
    """

    centre: Tensor

    def __init__(self, shape: tuple[int, ...], levels: int) -> None:
        super().__init__()
        self.shape, self.levels = shape, levels
        self.register_buffer("centre", torch.tensor(0.5), persistent=False)

    def arrays(self, X: Array) -> tuple[Array, ...]:
        """Return the images as they are."""
        return (X,)

    def forward(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Binarise (N, H, W[, colours]) -> encoder inputs (N, colours, H, W), targets (N, D) of zeros and ones."""
        # floor: a dequantised image gives the same bits as the image.
        binary = (2 * torch.floor(x.float()) >= self.levels).to(self.centre.dtype)
        return channels_first(binary) - self.centre, binary.flatten(1)

    def to_raw(self, target: Array) -> Array:
        """Convert (N, D) in [0, 1] to raw images (N, *shape) in [0, levels - 1]."""
        return target.reshape(-1, *self.shape) * (self.levels - 1)


class DrawnPixels(BinarisedPixels):
    """Images of which each pixel is white with a probability that is its share of the highest level.

    In training drawn afresh each time they are seen: Burda et al., "Importance weighted autoencoders" (2016). Without a
    generator bits stay bits, and the share stands for both of a grey pixel's.
    """

    def forward(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Draw (N, H, W[, C]) -> encoder inputs (N, colours, H, W), targets (N, D) of zeros and ones, or shares."""
        share = (x.to(self.centre.dtype) / (self.levels - 1)).clamp(0, 1)
        if generator is None:
            return channels_first(share) - self.centre, share.flatten(1)
        drawn = torch.rand(share.shape, generator=generator, dtype=share.dtype, device=share.device)
        found = (drawn < share).to(share.dtype)
        return channels_first(found) - self.centre, found.flatten(1)


class ContinuousPixels(nn.Module):
    """Images for densities: dequantised; the encoder's scaled as a whole, the target's pixel by pixel.

    Args:
        shape: (H, W) or (H, W, colours).
        levels: number of values that a pixel can take; None where the images are continuous to begin with.
    """

    mean: Tensor
    scale: Tensor
    pixel_mean: Tensor
    pixel_scale: Tensor

    def __init__(self, shape: tuple[int, ...], levels: int | None) -> None:
        super().__init__()
        self.shape, self.levels = shape, levels
        for name, size in (("mean", shape), ("scale", shape)):
            self.register_buffer(f"pixel_{name}", torch.ones(size))
            self.register_buffer(name, torch.ones(()))

    def learn(self, X: Array) -> None:
        """Take means and scales from X (N, *shape), the images as stored."""
        mean, deviation = moments(X)
        if self.levels is not None:
            mean, deviation = mean + 0.5, np.sqrt(deviation**2 + 1 / 12)  # of x + u, u uniform on [0, 1)
        spread = float(np.sqrt((deviation**2).mean() + mean.var())) or 1.0
        self.mean.fill_(float(mean.mean()))
        self.scale.fill_(spread)
        self.pixel_mean.copy_(torch.from_numpy(mean))
        self.pixel_scale.copy_(torch.from_numpy(np.where(deviation > 1e-6 * spread, deviation, spread)))

    def arrays(self, X: Array) -> tuple[Array, ...]:
        """Return the images as they are."""
        return (X,)

    def forward(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Scale (N, H, W[, colours]) -> encoder inputs (N, colours, H, W), targets (N, D) by each pixel's scale."""
        stored = not x.is_floating_point()
        x = x.to(self.mean.dtype)
        if generator is not None and self.levels is not None:
            x = x + torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        elif stored:
            x = x + 0.5  # the middle of a dequantised pixel's cell
        target = (x - self.pixel_mean) / self.pixel_scale
        return channels_first((x - self.mean) / self.scale), target.flatten(1)

    def log_unit(self) -> Array:
        """Logarithm of each pixel's scale, (D,)."""
        logarithm: Array = np.log(self.pixel_scale.double().cpu().numpy()).ravel()
        return logarithm

    def to_raw(self, target: Array) -> Array:
        """Convert targets (N, D) to images (N, *shape), cut to the stored integer levels where there are any."""
        scale, mean = (t.double().cpu().numpy() for t in (self.pixel_scale, self.pixel_mean))
        raw: Array = target.reshape(-1, *self.shape) * scale + mean
        if self.levels is None:
            return raw
        return np.clip(np.floor(raw), 0, self.levels - 1).astype(np.min_scalar_type(self.levels - 1))


class ScaledPixels(nn.Module):
    """Images for models without a density: scaled as a whole, and rebuilt so.

    Args:
        shape: (H, W) or (H, W, colours).
        levels: number of values that a pixel can take; None where the images are continuous.
    """

    def __init__(self, shape: tuple[int, ...], levels: int | None) -> None:
        super().__init__()
        self.shape, self.levels = shape, levels
        self.scaling = PixelScaling()

    def learn(self, X: Array) -> None:
        """Take mean and scale from X (N, *shape)."""
        self.scaling.learn(X)

    def arrays(self, X: Array) -> tuple[Array, ...]:
        """Return the images as they are."""
        return (X,)

    def forward(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Scale (N, H, W[, colours]) -> encoder inputs (N, colours, H, W), targets (N, D) of the same values."""
        scaled = self.scaling(x)
        return scaled, scaled.movedim(1, -1).flatten(1)

    def to_raw(self, target: Array) -> Array:
        """Convert targets (N, D) to images (N, *shape), cut to the range of the levels where there are any."""
        scale, mean = float(self.scaling.scale), float(self.scaling.mean)
        raw: Array = target.reshape(-1, *self.shape).astype(np.float64) * scale + mean
        return raw if self.levels is None else np.clip(raw, 0.0, self.levels - 1.0)


class LevelPixels(ScaledPixels):
    """Images of whole levels, for likelihoods of these."""

    def forward(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Scale (N, H, W[, colours]) -> encoder inputs (N, colours, H, W), targets (N, D) of levels."""
        levels = torch.floor(x.to(self.scaling.mean.dtype))
        return self.scaling(levels), levels.flatten(1)

    def to_raw(self, target: Array) -> Array:
        """Convert levels (N, D), whole or between two, to images (N, *shape) as stored."""
        assert self.levels is not None
        whole = np.clip(np.round(target.reshape(-1, *self.shape)), 0, self.levels - 1)
        return whole.astype(np.min_scalar_type(self.levels - 1))


def channels_first(x: Tensor) -> Tensor:
    """Put channels first, (N, H, W) or (N, H, W, colours) -> (N, colours, H, W)."""
    return x.unsqueeze(1) if x.ndim == 3 else x.movedim(-1, 1)
