"""Quantiles of mixtures of normals on the line."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from versus.arrays import Array

_HALVINGS = 60  # of the bracket: what is left is below the last digit of a float64


def mixture_quantile(level: float, weights: Array, means: Array, deviations: Array) -> Array:
    """The quantile at ``level`` of N mixtures of K normals each, all arguments (N, K) -> (N,).

    By bisection between the least and the greatest of the components' own quantiles, which enclose it.
    """
    own = means + deviations * ndtri(level)
    low, high = own.min(axis=1), own.max(axis=1)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = (weights * ndtr((middle[:, None] - means) / deviations)).sum(axis=1) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    quantile: Array = 0.5 * (low + high)
    return quantile
