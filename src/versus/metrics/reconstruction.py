r"""Scores of what a model rebuilds: noisy images, missing numbers, images of another domain.

.. math:: \text{PSNR} = 10 \log_{10} \frac{\text{range}^2}{\frac1D \sum_d (x_d - \hat x_d)^2}
"""

from __future__ import annotations

import numpy as np

from versus.arrays import Array

LEAST_ERROR = 1e-10  # of the squared range: an image without any error has 100 dB


def signal_to_noise(clean: Array, found: Array, span: float) -> Array:
    """Peak signal-to-noise ratio of each image, dB: (n, H, W[, C]) twice and the range of a pixel -> (n, 1)."""
    ratio: Array = -10 * np.log10(np.maximum(squared_errors(clean, found, span), LEAST_ERROR))
    return ratio


def squared_errors(truth: Array, found: Array, span: float) -> Array:
    """Mean squared error of each image, in units of the squared range: (n, H, W[, C]) twice -> (n, 1)."""
    apart = (truth.astype(np.float64) - found) / span
    errors: Array = np.square(apart).reshape(len(truth), -1).mean(axis=1, keepdims=True)
    return errors


def root(means: Array) -> Array:
    """Root of the mean squared error, (..., 1) -> (...)."""
    found: Array = np.sqrt(means[..., 0])
    return found


def gap_errors(truth: Array, found: Array, gaps: Array, scale: Array) -> Array:
    """Sum of squared errors in gaps and the number of them, of each row, for `root_of_ratio`: (n, D) -> (n, 2).

    Args:
        truth: (n, D); gaps whose truth is missing, too, do not count.
        found: (n, D), without missing values in gaps that count.
        gaps: (n, D), True where a number was asked for.
        scale: (D,), the unit of each column's errors.
    """
    counted = gaps & ~np.isnan(truth)
    squares = np.where(counted, np.square((np.where(counted, found - truth, 0.0)) / scale), 0.0)
    return np.stack([squares.sum(axis=1), counted.sum(axis=1)], axis=1)


def root_of_ratio(means: Array) -> Array:
    """Root of the mean squared error of all gaps, whatever the numbers of gaps of their rows."""
    found: Array = np.sqrt(means[..., 0] / means[..., 1])
    return found
