r"""Scores of densities: mean log-likelihood, bits per dimension for images, nats, bits and perplexity for text.

.. math:: \text{bits per dimension} = -\frac{1}{D \ln 2} \log p(x)

A continuous density of integer pixels is scored on x + u with u uniform on [0, 1): the mean is then a lower bound of
the log-likelihood of the pixels themselves, and no density can gain from peaks at the integers. Theis, van den Oord
and Bethge, "A note on the evaluation of generative models" (ICLR 2016).
"""

from __future__ import annotations

import math

import numpy as np

from versus.arrays import Array
from versus.metrics.metric import UndefinedMetricError


def dequantise(pixels: Array, seed: int) -> Array:
    """Spread integer pixels (n, H, W[, C]) evenly over [x, x + 1), float64."""
    spread: Array = pixels + np.random.default_rng(seed).random(pixels.shape)
    return spread


def drawn_bits(pixels: Array, levels: int, seed: int) -> Array:
    """Draw each pixel black or white by its share of the highest level, (n, H, W[, C]) -> (n, H, W[, C])."""
    white = np.random.default_rng(seed).random(pixels.shape) * (levels - 1) < pixels
    return np.where(white, levels - 1, 0).astype(pixels.dtype)


def log_likelihoods(log_prob: Array) -> Array:
    """Arrange log p(x), a bound of it, or log p(y|x), (n,) nats, as rows (n, 1).

    Raises:
        UndefinedMetricError: if a value is infinite.
    """
    if not np.isfinite(log_prob).all():
        count = int((~np.isfinite(log_prob)).sum())
        raise UndefinedMetricError(f"the log-density is not finite on {count} of {len(log_prob)} test rows")
    return log_prob[:, None]


def log_likelihoods_and_size(log_prob: Array, n_features: int) -> Array:
    """Arrange log p(x) or a bound of it, nats, and D as rows (n, 2), for `bits_per_dimension`."""
    return np.concatenate([log_likelihoods(log_prob), np.full((len(log_prob), 1), float(n_features))], axis=1)


def bits_per_dimension(means: Array) -> Array:
    """Mean of -log2 p(x) / D; an upper bound of it if the values are lower bounds of log p(x)."""
    found: Array = -means[..., 0] / (means[..., 1] * math.log(2.0))
    return found


def surprises(log_prob: Array, lengths: Array) -> Array:
    """Arrange -log p(x) of sequences, nats, and their numbers of tokens as rows (n, 2)."""
    return np.concatenate([-log_likelihoods(log_prob), lengths[:, None].astype(np.float64)], axis=1)


def nats_per_token(means: Array) -> Array:
    """Mean of -log p over all tokens, whatever the lengths of their sequences."""
    found: Array = means[..., 0] / means[..., 1]
    return found


def bits_per_character(means: Array) -> Array:
    """Mean of -log2 p over all characters."""
    return nats_per_token(means) / math.log(2.0)


def perplexity(means: Array) -> Array:
    """Number of equally probable words that would surprise as much as the text does (Jelinek and others 1977)."""
    found: Array = np.exp(nats_per_token(means))
    return found


def placements(familiar: Array, novel: Array, weights: Array | None = None) -> Array:
    """Share of novel rows that score below each familiar one, a tie counts half: (n,), (m,) -> (n, 1).

    Their mean is the area under the ROC curve (DeLong, DeLong and Clarke-Pearson 1988). Novel rows may have weights
    (m,).
    """
    order = np.argsort(novel, kind="stable")
    below, not_above = (np.searchsorted(novel[order], familiar, side=side) for side in ("left", "right"))
    if weights is not None:
        sums = np.concatenate([[0.0], np.cumsum(weights[order])])
        below, not_above = sums[below], sums[not_above]
    total = len(novel) if weights is None else weights.sum()
    found: Array = ((below + not_above) / (2 * total))[:, None]
    return found
