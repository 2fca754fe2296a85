"""Scores of predicted values, intervals and densities of a real target; scikit-learn's values where it has them.

Computed here for the reason that `versus.metrics.classification` gives.
"""

from __future__ import annotations

import numpy as np

from versus.arrays import Array
from versus.metrics.undefined import UndefinedMetricError

COVERAGE = 0.9  # of the intervals that models are asked for


def root_mean_squared_error(y: Array, predicted: Array) -> float:
    """Square root of the mean squared error, (N,), (N,) -> in the unit of the target."""
    return float(np.sqrt(np.mean((y - predicted) ** 2)))


def mean_absolute_error(y: Array, predicted: Array) -> float:
    """Mean absolute error, (N,), (N,) -> in the unit of the target."""
    return float(np.mean(np.abs(y - predicted)))


def r2_score(y: Array, predicted: Array) -> float:
    """Share of the variance explained: 1 perfect, 0 no better than the test rows' mean, below 0 worse.

    Raises:
        UndefinedMetricError: where the target does not vary.
    """
    total = float(((y - y.mean()) ** 2).sum())
    if len(y) < 2 or total == 0.0:
        raise UndefinedMetricError("the target does not vary over the test rows, so no share of it can be explained")
    return float(1.0 - ((y - predicted) ** 2).sum() / total)


def interval_coverage(y: Array, intervals: Array) -> float:
    """Share of targets (N,) inside their intervals (N, 2); best where it equals what the intervals claim."""
    return float(np.mean((intervals[:, 0] <= y) & (y <= intervals[:, 1])))


def mean_target_log_likelihood(log_prob: Array) -> float:
    """Mean of log p(y | x), (N,) nats -> nats.

    Raises:
        UndefinedMetricError: where a row's is infinite.
    """
    if not np.isfinite(log_prob).all():
        count = int((~np.isfinite(log_prob)).sum())
        raise UndefinedMetricError(f"log p(y|x) is not finite on {count} of {len(log_prob)} test rows")
    return float(log_prob.mean())
