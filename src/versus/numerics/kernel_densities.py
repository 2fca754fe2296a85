r"""Sums of normal kernels over many points, and the width that the kernels should have.

.. math:: \log \sum_m \exp\left(-\tfrac{1}{2} \lVert q - p_m \rVert^2\right)
          = \log \sum_m \exp\left(q^\top p_m - \tfrac{1}{2} \lVert p_m \rVert^2\right) - \tfrac{1}{2} \lVert q \rVert^2

Scott's and Silverman's rules give, for n rows of D columns, the factor by which a column's standard deviation is
multiplied: :math:`n^{-1/(D+4)}` and :math:`(n (D + 2) / 4)^{-1/(D+4)}`. Cross-validation takes the factor that makes
each row most likely under the kernels of the others. Silverman, *Density Estimation* (1986), sections 3.4 and 4.3;
Scott, *Multivariate Density Estimation* (1992).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from versus.arrays import Array
from versus.numerics.machine import library, map_slabs, on_host, placement

RULES = ("scott", "silverman", "cross_validation")
_CANDIDATES = np.geomspace(0.05, 2.0, 25)  # multiples of Scott's factor
_LARGEST = 2000  # rows used in cross-validation
_BLOCK, _DEVICE_BLOCK = 2**17, 2**26  # exponents held at once: 1 MB of float64 in the cache; 512 MB on a GPU


def log_kernel_sums(queries: Array, points: Array, device: str = "cpu") -> Array:
    """Logarithm of the sum of unit kernels on all points, (N, D) and (M, D) -> (N,), on the GPU where it is faster."""
    place = placement(device, 2.0 * len(queries) * len(points) * (points.shape[1] + 20))
    centre = points.mean(axis=0)
    there, asked = place(points - centre), place(queries - centre)
    slab_rows = max(64, 2**21 // len(points)) if isinstance(there, np.ndarray) else max(1, len(queries))
    parts = map_slabs(lambda slab: on_host(kernel_sums(asked[slab], there)), len(queries), slab_rows)
    return np.concatenate([np.zeros(0), *parts])


def kernel_sums(queries: Any, points: Any) -> Any:
    """The sums of `log_kernel_sums`, of arrays or of tensors, in blocks of queries."""
    xp = library(queries)
    half_norms = 0.5 * (points * points).sum(1)
    size = max(1, (_BLOCK if xp is np else _DEVICE_BLOCK) // len(points))
    sums = []
    for start in range(0, len(queries), size):
        block = queries[start : start + size]
        exponent = block @ points.T
        exponent -= half_norms
        top = xp.amax(exponent, 1)
        exponent -= top[:, None]
        total = xp.exp(exponent).sum(1)
        sums.append(xp.log(total) + top - 0.5 * (block * block).sum(1))
    return xp.concatenate(sums)


def factor(rule: str, rows: Array, rng: np.random.Generator) -> float:
    """The multiple of the columns' deviations that ``rule`` proposes for rows (N, D) of unit variance."""
    n, n_columns = rows.shape
    scott = float(n ** (-1.0 / (n_columns + 4)))
    if rule == "scott":
        return scott
    if rule == "silverman":
        return float((n * (n_columns + 2) / 4.0) ** (-1.0 / (n_columns + 4)))
    if n < 3:
        return scott
    rows = rows - rows.mean(axis=0)
    if n > _LARGEST:
        rows = rows[rng.choice(n, _LARGEST, replace=False)]
    likelihoods = [left_one_out(rows, scott * c) for c in _CANDIDATES]
    return scott * float(_CANDIDATES[int(np.argmax(likelihoods))])


def left_one_out(rows: Array, width: float) -> float:
    """Mean log-density (nats) of each row (N, D) under isotropic normal kernels of ``width`` on all the others."""
    n, n_columns = rows.shape
    norms = (rows**2).sum(axis=1)
    exponent = (rows @ rows.T - 0.5 * (norms[:, None] + norms)) / width**2
    np.fill_diagonal(exponent, -np.inf)
    top = exponent.max(axis=1)
    total = np.log(np.exp(exponent - top[:, None]).sum(axis=1)) + top
    return float(total.mean() - np.log(n - 1) - 0.5 * n_columns * np.log(2 * np.pi * width**2))
