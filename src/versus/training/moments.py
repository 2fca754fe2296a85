"""Means and standard deviations of arrays too large to be converted at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from versus.arrays import Array

CHUNK_ROWS = 4096


def moments(X: Array) -> tuple[Array, Array]:
    """Mean and population standard deviation of each feature.

    Two passes over chunks of rows: the memory it takes does not grow with N, and nothing is lost to cancellation.

    Args:
        X: (N, *event), of any number type, memory-mapped or not.

    Returns:
        ``(mean, deviation)``, each float64 of shape ``event``.
    """
    mean = _sum_over_rows(X, lambda chunk: chunk) / len(X)
    variance = _sum_over_rows(X, lambda chunk: (chunk - mean) ** 2) / len(X)
    return mean, np.sqrt(variance)


def _sum_over_rows(X: Array, transform: Callable[[Array], Array]) -> Array:
    total = np.zeros(X.shape[1:])
    for start in range(0, len(X), CHUNK_ROWS):
        total += transform(X[start : start + CHUNK_ROWS].astype(np.float64)).sum(axis=0)
    return total
