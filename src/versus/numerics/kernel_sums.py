r"""Sums of normal kernels of unit width over many points, in blocks that stay in cache.

.. math:: \log \sum_m \exp\left(-\tfrac{1}{2} \lVert q - p_m \rVert^2\right)
          = \log \sum_m \exp\left(q^\top p_m - \tfrac{1}{2} \lVert p_m \rVert^2\right) - \tfrac{1}{2} \lVert q \rVert^2
"""

from __future__ import annotations

from functools import partial

import numpy as np

from versus.arrays import Array
from versus.numerics.blocks import map_slabs
from versus.numerics.cuda import device_kernel_sums, use_cuda

_BLOCK = 2**17  # exponents held at once, 1 MB of float64


def log_kernel_sums(queries: Array, points: Array, device: str = "cpu") -> Array:
    """(N, D) and (M, D) -> (N,): the logarithm of the sum of the kernels on all points, on the GPU where it pays."""
    operations = 2.0 * len(queries) * len(points) * (points.shape[1] + 20)
    if use_cuda(device, operations):
        return device_kernel_sums(queries, points)
    centre = points.mean(axis=0)
    work = partial(_slab_sums, queries - centre, points - centre)
    return np.concatenate([np.zeros(0), *map_slabs(work, len(queries), max(64, 2**21 // len(points)))])


def _slab_sums(queries: Array, points: Array, slab: slice) -> Array:
    rows, half_norms = queries[slab], 0.5 * (points**2).sum(axis=1)
    size = max(1, _BLOCK // len(points))
    out = np.empty(len(rows))
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        exponent = block @ points.T
        exponent -= half_norms
        top = exponent.max(axis=1)
        exponent -= top[:, None]
        np.exp(exponent, out=exponent)
        out[start : start + size] = np.log(exponent.sum(axis=1)) + top - 0.5 * (block**2).sum(axis=1)
    return out
