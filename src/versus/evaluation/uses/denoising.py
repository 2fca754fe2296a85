"""Take noise out of an image: what a model rebuilds from it, beside what two filters make of it.

Each test image gets normal noise whose standard deviation is a quarter of the range of a pixel, the same for all
models; pixels are then stored as those of the data are. The filters are the median of 3 × 3 pixels, and the linear
filter with the least expected error, from the mean and covariance of rows to learn from and the noise's own (Wiener,
1949). Vincent and others, "Stacked denoising autoencoders" (2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.evaluation.answers import Answers, EvaluationError, HeldOut, in_batches
from versus.metrics.metric import UndefinedMetricError

WHAT = "denoising"
NOISE = 0.25  # of the range of a pixel
MOST_LEARNED, MOST_PIXELS = 2000, 4096  # of the linear filter


def concerns(schema: Schema) -> bool:
    """Check that the data are images."""
    return isinstance(schema.x, Image)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model rebuilds no images; None if it does."""
    return None if hasattr(model, "reconstruct") else f"{type(model).__name__} rebuilds no event from a code of it"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield clean images with what was made of the noisy ones: by the model, by nobody, by each filter.

    Raises:
        EvaluationError: if the model gives images of another shape, or what is not finite.
    """
    X, learned = np.asarray(held_out.X), held_out.data.take(held_out.repeat, "train", "validation")[0]
    rng = np.random.default_rng(seed)
    span = pixel_range(learned, held_out.schema)
    noisy = with_noise(X, held_out.schema, span, rng)
    found = in_batches(model.reconstruct, noisy)
    if found.shape != X.shape or not np.isfinite(found).all():
        raise EvaluationError(f"repeat {held_out.repeat}: reconstruct gives shape {found.shape} or what is not finite")
    yield Answers("denoised", (X, found, span))
    yield Answers("noisy", (X, noisy, span))
    yield Answers("median_filtered", (X, median_filtered(noisy), span))
    if held_out.schema.n_features > MOST_PIXELS:
        raise UndefinedMetricError(f"the linear filter is computed for at most {MOST_PIXELS} pixels")
    known = learned[np.sort(rng.permutation(len(learned))[:MOST_LEARNED])]
    yield Answers("linearly_filtered", (X, linearly_filtered(noisy, np.asarray(known), NOISE * span), span))


def pixel_range(learned: Array, schema: Schema) -> float:
    """Difference of the largest and the smallest value that a pixel can have, or has in rows to learn from."""
    return float(schema.levels - 1) if schema.levels else float(learned.max() - learned.min()) or 1.0


def with_noise(X: Array, schema: Schema, span: float, rng: np.random.Generator) -> Array:
    """Add normal noise to images (n, H, W[, C]) and store them; pixels are rounded to their levels."""
    noisy = X + NOISE * span * rng.standard_normal(X.shape) + (0.5 if schema.levels else 0.0)
    stored: Array = schema.x.stored(noisy)
    return stored


def median_filtered(noisy: Array) -> Array:
    """Replace each pixel by the median of its 3 × 3 neighbourhood, (n, H, W[, C]) -> (n, H, W[, C])."""
    from scipy.ndimage import median_filter  # only this use needs it

    found: Array = median_filter(noisy, size=(1, 3, 3, *([1] * (noisy.ndim - 3))))
    return found


def linearly_filtered(noisy: Array, known: Array, deviation: float) -> Array:
    """Filter images by C (C + s² I)⁻¹, with C the covariance of known ones and s the noise's deviation."""
    rows, clean = (part.reshape(len(part), -1).astype(np.float64) for part in (noisy, known))
    mean = clean.mean(axis=0)
    covariance = np.cov(clean, rowvar=False, bias=True).reshape(len(mean), len(mean))
    gain = np.linalg.solve(covariance + deviation**2 * np.eye(len(mean)), covariance)
    return np.asarray(((rows - mean) @ gain + mean).reshape(noisy.shape))
