"""Views of events in an adversarial game: real ones as the critic sees them, drawn ones, and the way back to the data.

Categories are drawn by the Gumbel-max trick and have the gradient of its softmax (Jang, Gu and Poole, "Categorical
reparameterization with Gumbel-softmax", 2017): real events would be told by their 0 and 1. Pixels lie in [-1, 1].
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from versus.arrays import Array
from versus.data.schema import Schema
from versus.models.deep_generative.event_views import channels_first
from versus.models.preprocessing import Preprocessor


class TableView(nn.Module):
    """Rows that were preprocessed before: numbers standardised, categories as blocks of 0 and 1 after them.

    Args:
        preprocessor: fitted.
        schema: form of the rows.
    """

    def __init__(self, preprocessor: Preprocessor, schema: Schema) -> None:
        super().__init__()
        self.preprocessor, self.schema = preprocessor, schema
        self.sizes = [schema.cardinalities[d] for d in preprocessor.categorical]
        self.n_values = preprocessor.n_columns

    def learn(self, X: Array) -> None:
        """Do nothing: the preprocessor knows the columns."""

    def real(self, x: Tensor) -> Tensor:
        """Return the rows, (N, F), as they are."""
        return x

    def drawn(self, outputs: Tensor, noise: torch.Generator) -> Tensor:
        """Draw a category, one-hot, by each block of scores (N, C); the gradient is that of their softmax."""
        if not self.sizes:
            return outputs
        n_numbers = len(self.preprocessor.numeric)
        parts = [outputs[:, :n_numbers]]
        for scores in torch.split(outputs[:, n_numbers:], self.sizes, dim=1):
            uniform = torch.rand(scores.shape, generator=noise, dtype=scores.dtype, device=scores.device)
            soft = (scores - torch.log(-torch.log(uniform.clamp(1e-9, 1 - 1e-7)))).softmax(dim=1)
            hard = functional.one_hot(soft.argmax(dim=1), scores.shape[1]).to(soft.dtype)
            parts.append(hard + soft - soft.detach())
        return torch.cat(parts, dim=1)

    def to_raw(self, outputs: Array, rng: np.random.Generator) -> Array:
        """Numbers in their units, and a category drawn by each block of scores, (N, F) -> (N, D)."""
        p, n_numbers = self.preprocessor, len(self.preprocessor.numeric)
        raw = np.empty((len(outputs), self.schema.n_features))
        raw[:, p.numeric] = outputs[:, :n_numbers].astype(np.float64) * p.scale_ + p.centre_
        blocks = np.split(outputs[:, n_numbers:], np.cumsum(self.sizes)[:-1], axis=1) if self.sizes else []
        for d, scores in zip(p.categorical, blocks, strict=True):
            raw[:, d] = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
        return raw


class PixelView(nn.Module):
    """Images scaled to [-1, 1], channels first: (N, H, W[, C]) <-> (N, C, H, W).

    Args:
        schema: form of the images.
        flat: True for a dense network, which sees and draws rows (N, C · H · W).
    """

    low: Tensor
    span: Tensor

    def __init__(self, schema: Schema, *, flat: bool) -> None:
        super().__init__()
        self.schema, self.flat = schema, flat
        height, width, *rest = schema.shape
        self.planes = (rest[0] if rest else 1, height, width)
        self.n_values = schema.n_features
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("span", torch.tensor(float((schema.levels or 2) - 1)))

    def learn(self, X: Array) -> None:
        """Take the range of pixels without levels from X (N, *shape)."""
        if self.schema.levels is None:
            self.low.fill_(float(X.min()))
            self.span.fill_(float(X.max() - X.min()) or 1.0)

    def real(self, x: Tensor) -> Tensor:
        """Scale stored images, (N, *shape) -> (N, C, H, W) or rows."""
        scaled = channels_first(2 * (x.to(self.low.dtype) - self.low) / self.span - 1)
        return scaled.flatten(1) if self.flat else scaled

    def drawn(self, outputs: Tensor, noise: torch.Generator) -> Tensor:
        """Squash outputs to [-1, 1]."""
        return outputs.tanh()

    def to_raw(self, outputs: Array, rng: np.random.Generator) -> Array:
        """Stored images from outputs, rounded to a level where there are any, -> (N, *shape)."""
        low, span = float(self.low), float(self.span)
        pixels = (np.tanh(outputs.astype(np.float64)) + 1) / 2 * span + low
        images = np.moveaxis(pixels.reshape(-1, *self.planes), 1, -1).reshape(-1, *self.schema.shape)
        stored: Array = self.schema.x.stored(images + (0.5 if self.schema.levels else 0.0))
        return stored
