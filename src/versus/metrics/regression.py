"""Scores of predicted values, intervals and densities of a real target (n,); scikit-learn's if it has them."""

from __future__ import annotations

import numpy as np

from versus.arrays import Array
from versus.metrics.metric import UndefinedMetricError

COVERAGE = 0.9  # of the intervals that models are asked for


def squared_errors(y: Array, predicted: Array) -> Array:
    """Compute squared errors (n, 1), in the square of the target's unit."""
    errors: Array = (y - predicted) ** 2
    return errors[:, None]


def root(means: Array) -> Array:
    """Square root of the single mean."""
    found: Array = np.sqrt(means[..., 0])
    return found


def absolute_errors(y: Array, predicted: Array) -> Array:
    """Compute absolute errors (n, 1), in the unit of the target."""
    errors: Array = np.abs(y - predicted)
    return errors[:, None]


def explained(y: Array, predicted: Array) -> Array:
    """Compute (n, 3) squared error, target and squared target; the target is centred on its mean for precision.

    Raises:
        UndefinedMetricError: if the target is constant.
    """
    centred = y - y.mean()
    if len(y) < 2 or not (centred**2).sum() > 0:
        raise UndefinedMetricError("the target does not vary over the test rows, so no share of it can be explained")
    return np.stack([(y - predicted) ** 2, centred, centred**2], axis=1)


def r2(means: Array) -> Array:
    """Share of the variance explained, of `explained`: 1 perfect, 0 no better than the mean, below 0 worse."""
    found: Array = 1.0 - means[..., 0] / (means[..., 2] - means[..., 1] ** 2)
    return found


def covered(y: Array, intervals: Array) -> Array:
    """Compute coverage (n, 1): 1 where the target lies inside its interval (n, 2), else 0."""
    inside: Array = (intervals[:, 0] <= y) & (y <= intervals[:, 1])
    return inside[:, None]


def pinball_losses(y: Array, intervals: Array) -> Array:
    """Compute the mean quantile loss (n, 1) of both ends of the intervals (n, 2), the claimed 5 % and 95 % quantiles.

    Koenker and Bassett, "Regression quantiles" (1978).
    """
    from sklearn.metrics import mean_pinball_loss

    tail = (1 - COVERAGE) / 2
    # Each row is an output of its own, so that none is averaged away.
    ends = [
        mean_pinball_loss(y[None], intervals[None, :, i], alpha=alpha, multioutput="raw_values")
        for i, alpha in enumerate((tail, 1 - tail))
    ]
    found: Array = np.mean(ends, axis=0)[:, None]
    return found
