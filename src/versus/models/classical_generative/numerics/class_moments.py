r"""Mean and variance of every column in every class, in one pass over the rows.

The pass is bound by memory. So a block of rows is squared into a buffer, which reads memory in order and leaves both in
cache, and then rows and squares are summed by class: products with the indicator matrix of the classes, sparse where
there is much to sum (a dense one would cost ten times the additions for ten classes). Sums of a few hundred values are
kept in the rows' own type, sums of those in float64. One pass loses digits where a mean is large beside its deviation
(:math:`E[x^2] - E[x]^2` cancels): such columns are summed again, in float64 and about their means. Chan, Golub and
LeVeque, "Algorithms for computing the sample variance" (1983).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from versus.models.classical_generative.numerics.blocks import map_slabs
from versus.models.protocols import Array, Labels

_BLOCK = 1_200_000  # bytes squared and summed at once: half of them are new, the others just written
_SLABS = 8  # shares of the rows at most: memory feeds no more cores than that, and each needs a buffer of its own
_MANY = 2**20  # numbers from which sparse sums pay for the import of scipy.sparse
_CANCELLING = 100.0  # (mean / deviation)^2 from which a column is summed again


@dataclass(frozen=True)
class ClassMoments:
    """Per class and column: number of values (K, D), mean (K, D) and variance (K, D, maximum likelihood)."""

    counts: Array
    means: Array
    variances: Array

    def pooled(self) -> ClassMoments:
        """The same of all classes together, (1, D)."""
        counts = self.counts.sum(axis=0, keepdims=True)
        divisor = np.maximum(counts, 1)
        mean = (self.counts * self.means).sum(axis=0, keepdims=True) / divisor
        spread = self.counts * (self.variances + (self.means - mean) ** 2)
        return ClassMoments(counts, mean, spread.sum(axis=0, keepdims=True) / divisor)

    def filled(self) -> ClassMoments:
        """What too few values cannot say, taken from all classes: a mean from none, a variance from one.

        A column that nobody has a value of gets mean 0 and variance 1.
        """
        pooled = self.pooled()
        mean = np.where(pooled.counts > 0, pooled.means, 0.0)
        variance = np.where(pooled.counts > 0, pooled.variances, 1.0)
        means = np.where(self.counts > 0, self.means, mean)
        return ClassMoments(self.counts, means, np.where(self.counts > 1, self.variances, variance))


def variance_floor(pooled_variances: Array, fraction: float) -> Array:
    """``fraction`` of each column's variance (D,); a constant column takes the largest column's, or 1 if all are 0."""
    largest = float(pooled_variances.max(initial=0.0)) or 1.0
    floor: Array = fraction * np.where(pooled_variances > 0, pooled_variances, largest)
    return floor


def class_moments(rows: Array, labels: Labels, n_classes: int) -> ClassMoments:
    """Moments of rows (N, D), float32 or float64, by class codes (N,).

    Missing values (NaN) are left out: each column's moments are those of its observed values.
    """
    members = np.bincount(labels, minlength=n_classes)
    first, second = _sums(rows, labels, n_classes)
    if np.isnan(first).any():
        return _observed_moments(rows, labels, n_classes)
    divisor = np.maximum(members, 1)[:, None]
    means = first / divisor
    variances = second / divisor - means**2
    lossy = (means**2 > _CANCELLING * variances).any(axis=0)
    if lossy.any():
        some = rows[:, lossy].astype(np.float64)
        first, second = _sums(some, labels, n_classes, about=means[:, lossy])
        means[:, lossy] += first / divisor
        variances[:, lossy] = second / divisor - (first / divisor) ** 2
    counts = np.broadcast_to(members[:, None], means.shape)
    return ClassMoments(counts, means, np.maximum(variances, 0.0))


def _sums(rows: Array, labels: Labels, n_classes: int, about: Array | None = None) -> Array:
    """Sums of x - about and of its squares, (2, K, D)."""
    codes = labels.astype(np.int32)
    indicator = _sparse_indicator if rows.size >= _MANY else _dense_indicator
    size = int(np.clip(_BLOCK // max(rows.itemsize * rows.shape[1], 1), 1, len(rows)))

    def work(slab: slice) -> Array:
        return _slab_sums(rows[slab], codes[slab], about, n_classes, indicator(n_classes, size, rows.dtype), size)

    total = np.zeros((2, n_classes, rows.shape[1]))
    with np.errstate(invalid="ignore", over="ignore"):  # NaN in, NaN out: the caller looks
        for part in map_slabs(work, len(rows), max(size, -(-len(rows) // _SLABS))):
            total += part
    return total


def _slab_sums(
    rows: Array, codes: Array, about: Array | None, n_classes: int, indicator: Callable[[Array], Any], size: int
) -> Array:
    squares = aligned_empty((size, rows.shape[1]), rows.dtype)
    sums = np.zeros((2, n_classes, rows.shape[1]))
    for start in range(0, len(rows), size):
        code = codes[start : start + size]
        x = rows[start : start + size]
        if about is not None:
            x = x - about[code]
        square = np.multiply(x, x, out=squares[: len(x)])
        of_class = indicator(code)
        sums[0] += of_class @ x
        sums[1] += of_class @ square
    return sums


def _dense_indicator(n_classes: int, size: int, dtype: np.dtype[np.floating]) -> Callable[[Array], Any]:
    """A function from codes (n,) to the matrix (K, n) that has a 1 where the row is of the class."""
    return lambda codes: (np.arange(n_classes)[:, None] == codes).astype(dtype)


def _sparse_indicator(n_classes: int, size: int, dtype: np.dtype[np.floating]) -> Callable[[Array], Any]:
    """The same as a sparse matrix; one of ``size`` columns is made once, as making it takes as long as multiplying."""
    from scipy.sparse import csc_array  # a tenth of a second to import

    def new(codes: Array) -> Any:
        return csc_array((np.ones(len(codes), dtype), codes, np.arange(len(codes) + 1)), shape=(n_classes, len(codes)))

    whole = new(np.zeros(size, np.int32))

    def indicator(codes: Array) -> Any:
        if len(codes) < size:
            return new(codes)
        whole.indices[:] = codes
        return whole

    return indicator


def aligned_empty(shape: tuple[int, int], dtype: np.dtype[np.floating]) -> Array:
    """An empty array that starts on a cache line: vector instructions then never straddle two."""
    size = shape[0] * shape[1] * dtype.itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)


def _observed_moments(rows: Array, labels: Labels, n_classes: int) -> ClassMoments:
    shape = (n_classes, rows.shape[1])
    counts, means, variances = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for k in range(n_classes):
        block = rows[labels == k].astype(np.float64)
        observed = ~np.isnan(block)
        counts[k] = observed.sum(axis=0)
        divisor = np.maximum(counts[k], 1)
        means[k] = np.where(observed, block, 0.0).sum(axis=0) / divisor
        variances[k] = (np.where(observed, block - means[k], 0.0) ** 2).sum(axis=0) / divisor
    return ClassMoments(counts, means, variances)
