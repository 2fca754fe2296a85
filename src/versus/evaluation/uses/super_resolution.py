"""Enlarge images twofold: what a model makes of means of 2 × 2 pixels, beside two ways to interpolate.

The ways are to repeat each pixel, and bicubic interpolation (Keys, "Cubic convolution interpolation for digital image
processing", 1981). The same images are reduced for all models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.evaluation.answers import Answers, EvaluationError, HeldOut, in_batches
from versus.evaluation.uses.denoising import pixel_range

WHAT = "super-resolution"
MOST_IMAGES = 200  # a model draws each several times


def concerns(schema: Schema) -> bool:
    """Check that the data are images whose sides can be halved."""
    return isinstance(schema.x, Image) and not any(side % 2 for side in schema.shape[:2])


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model enlarges no images; None if it does."""
    return None if hasattr(model, "super_resolve") else f"{type(model).__name__} enlarges no images"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield images with what was made of their halves: by the model, by repetition, by interpolation.

    Raises:
        EvaluationError: if the model gives images of another shape, or what is not finite.
    """
    chosen = np.sort(np.random.default_rng(seed).permutation(len(held_out.y))[:MOST_IMAGES])
    X = np.asarray(held_out.X[chosen], dtype=np.float64)
    span = pixel_range(np.asarray(held_out.data.take(held_out.repeat, "train")[0]), held_out.schema)
    small = halved(X)
    found = in_batches(model.super_resolve, small)
    if found.shape != X.shape or not np.isfinite(found).all():
        raise EvaluationError(f"repeat {held_out.repeat}: super_resolve gives shape {found.shape} or infinite values")
    yield Answers("enlarged", (X, found, span))
    yield Answers("repeated", (X, small.repeat(2, axis=1).repeat(2, axis=2), span))
    yield Answers("interpolated", (X, interpolated(small), span))


def halved(X: Array) -> Array:
    """Average blocks of 2 × 2 pixels, (n, H, W[, C]) -> (n, H / 2, W / 2[, C])."""
    n, height, width = X.shape[:3]
    means: Array = X.reshape(n, height // 2, 2, width // 2, 2, *X.shape[3:]).mean(axis=(2, 4))
    return means


def interpolated(small: Array) -> Array:
    """Enlarge images twofold by bicubic interpolation, (n, H, W[, C]) -> (n, 2 H, 2 W[, C])."""
    from PIL import Image as Picture  # only this use needs it

    channels = np.moveaxis(small, -1, 1) if small.ndim == 4 else small[:, None]
    size = (2 * small.shape[2], 2 * small.shape[1])
    planes = channels.reshape(-1, *channels.shape[2:]).astype(np.float32)
    large = np.stack([np.asarray(Picture.fromarray(p).resize(size, Picture.Resampling.BICUBIC)) for p in planes])
    images = large.reshape(*channels.shape[:2], *large.shape[1:]).astype(np.float64)
    return np.moveaxis(images, 1, -1) if small.ndim == 4 else images[:, 0]
