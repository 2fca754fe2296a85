r"""Scores of densities: mean log-likelihood, and bits per dimension for images.

.. math:: \text{bits per dimension} = -\frac{1}{D \ln 2} \log p(x)

A continuous density of integer pixels is scored on x + u with u uniform on [0, 1): the mean is then a lower bound of
the log-likelihood of the pixels themselves, and no density can win by piling up on the integers. Theis, van den Oord
and Bethge, "A note on the evaluation of generative models" (ICLR 2016).
"""

from __future__ import annotations

import math

import numpy as np

from versus.arrays import Array
from versus.metrics.undefined import UndefinedMetricError


def dequantise(pixels: Array, seed: int) -> Array:
    """Integer pixels (N, H, W[, C]) -> float64 of the same shape, spread evenly over [x, x + 1)."""
    spread: Array = pixels + np.random.default_rng(seed).random(pixels.shape)
    return spread


def mean_log_likelihood(log_prob: Array) -> float:
    """Mean of log p(x) or of a bound of it, (N,) nats -> nats.

    Raises:
        UndefinedMetricError: where a row's is infinite.
    """
    if not np.isfinite(log_prob).all():
        count = int((~np.isfinite(log_prob)).sum())
        raise UndefinedMetricError(f"log p(x) is not finite on {count} of {len(log_prob)} test rows")
    return float(log_prob.mean())


def bits_per_dimension(log_prob: Array, n_features: int) -> float:
    """Mean of -log2 p(x) / D, (N,) nats -> bits; of a lower bound of log p(x) it is an upper bound."""
    return -mean_log_likelihood(log_prob) / (n_features * math.log(2.0))
