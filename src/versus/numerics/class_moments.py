r"""Mean and variance of every column in every class, in one pass over the rows.

One pass loses digits where a mean is large beside its deviation (:math:`E[x^2] - E[x]^2` cancels): such columns are
summed again, in float64 and about their means. Chan, Golub and LeVeque, "Algorithms for computing the sample variance"
(1983).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from versus.arrays import Array, Labels
from versus.numerics.machine import map_slabs

_CANCELLING = 100.0  # (mean / deviation)^2 from which a column is summed again
_ROUNDED = 1e-12  # of a mean: a smaller deviation is a rounding error
_SEEN = 1000  # rows whose values show how far apart those of a column are
_BLOCK, _ROWS = 2**18, 1024  # numbers, and rows, that are summed in the cache
_SHARE, _SHARES = 8, 8  # a thread's share: blocks at least, and shares at most; memory feeds no more cores than that


@dataclass(frozen=True)
class ClassMoments:
    """Per class and column, (K, D): number of values or sum of weights, mean, variance (maximum likelihood)."""

    counts: Array
    means: Array
    variances: Array

    def pooled(self) -> ClassMoments:
        """Moments of all classes together, (1, D)."""
        counts = self.counts.sum(axis=0, keepdims=True)
        divisor = np.where(counts > 0, counts, 1)
        mean = (self.counts * self.means).sum(axis=0, keepdims=True) / divisor
        spread = self.counts * (self.variances + (self.means - mean) ** 2)
        return ClassMoments(counts, mean, spread.sum(axis=0, keepdims=True) / divisor)

    def filled(self) -> ClassMoments:
        """Take from all classes what too few values cannot give: a mean of none, a variance of one.

        A column without any value gets mean 0 and variance 1.
        """
        pooled = self.pooled()
        mean = np.where(pooled.counts > 0, pooled.means, 0.0)
        variance = np.where(pooled.counts > 0, pooled.variances, 1.0)
        means = np.where(self.counts > 0, self.means, mean)
        return ClassMoments(self.counts, means, np.where(self.counts > 1, self.variances, variance))


def scaled_variances(pooled: ClassMoments, fraction: float) -> Array:
    """Scale each column's variance in all rows by ``fraction``, (1, D) -> (D,); a constant column gets 1."""
    variances: Array = pooled.variances[0]
    return np.where(variances > (_ROUNDED * pooled.means[0]) ** 2, fraction * variances, 1.0)


def least_variances(rows: Array, moments: ClassMoments) -> Array:
    r"""Least credible variance of each column of rows (N, D) in each class, (K, D): 0 where the class's own stands.

    A column whose values are g apart is known up to :math:`g^2 / 12`, the variance of a uniform rounding error
    (Sheppard, 1898). Where a class's variance is not above that, its n values are equal, or nearly, and the next one
    may be another with a probability near :math:`1 / (n + 1)` (Laplace's rule of succession): it gets that share of
    the variance in all rows. Both are in the column's own unit, whatever the other columns are.
    """
    pooled = moments.pooled()
    fine = np.zeros(rows.shape[1])
    narrow = (12 * moments.variances < pooled.variances).any(axis=0)
    for d in np.flatnonzero(narrow):
        gaps = np.diff(np.sort(rows[:: -(-len(rows) // _SEEN), d]))
        fine[d] = gaps[gaps > 0].min(initial=np.inf) ** 2 / 12
    fine = np.where(np.isinf(fine), 0.0, fine)
    suspect = narrow & (moments.variances <= np.maximum(fine, (_ROUNDED * moments.means) ** 2))
    return np.where(suspect, np.maximum(fine, pooled.variances / (moments.counts + 1)), 0.0)


def class_sums(rows: Array, labels: Labels, n_classes: int, about: Array | None = None) -> Array:
    """Sums of x - about and of its squares over the rows (N, D) of each class, (2, K, D); ``about`` is (K, D) or 0.

    Sums within a block are in the rows' own type, sums of blocks in float64. A missing value makes its sum NaN.
    """
    small = labels.astype(np.min_scalar_type(n_classes))  # numpy sorts bytes and short integers by radix
    order = np.argsort(small, kind="stable")  # rows class by class: each block below is of one class
    ends = np.searchsorted(small[order], np.arange(n_classes + 1))
    size = int(np.clip(_BLOCK // max(rows.shape[1], 1), 1, _ROWS))
    blocks = [
        (k, order[start : min(start + size, ends[k + 1])])
        for k in range(n_classes)
        for start in range(ends[k], ends[k + 1], size)
    ]

    def work(share: slice) -> Array:
        total = np.zeros((2, n_classes, rows.shape[1]))
        buffer = np.empty((min(size, len(rows)), rows.shape[1]), rows.dtype)
        with np.errstate(invalid="ignore", over="ignore"):
            for k, members in blocks[share]:
                x = np.take(rows, members, axis=0, out=buffer[: len(members)], mode="clip")  # unlike "raise", no copy
                if about is not None:
                    x -= about[k]
                total[0, k] += x.sum(axis=0)
                x *= x
                total[1, k] += x.sum(axis=0)
        return total

    parts = map_slabs(work, len(blocks), max(_SHARE, -(-len(blocks) // _SHARES)))
    total: Array = np.add.reduce([np.zeros((2, n_classes, rows.shape[1])), *parts])
    return total


def class_moments(rows: Array, labels: Labels, n_classes: int, weights: Array | None = None) -> ClassMoments:
    """Moments of rows (N, D), float32 or float64, by class codes (N,), with weights (N,) where given.

    Missing values (NaN) are left out: each column's moments are those of its observed values.
    """
    if weights is not None:
        return _observed_moments(rows, labels, n_classes, weights)
    members = np.bincount(labels, minlength=n_classes)
    first, second = class_sums(rows, labels, n_classes)
    if np.isnan(first).any():
        return _observed_moments(rows, labels, n_classes)
    divisor = np.maximum(members, 1)[:, None]
    means = first / divisor
    variances = second / divisor - means**2
    lossy = (means**2 > _CANCELLING * variances).any(axis=0)
    if lossy.any():
        some = rows[:, lossy].astype(np.float64)
        first, second = class_sums(some, labels, n_classes, about=means[:, lossy])
        means[:, lossy] += first / divisor
        variances[:, lossy] = second / divisor - (first / divisor) ** 2
    counts = np.broadcast_to(members[:, None], means.shape)
    return ClassMoments(counts, means, np.maximum(variances, 0.0))


def _observed_moments(rows: Array, labels: Labels, n_classes: int, weights: Array | None = None) -> ClassMoments:
    shape = (n_classes, rows.shape[1])
    counts, means, variances = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for k in range(n_classes):
        block = rows[labels == k].astype(np.float64)
        observed = ~np.isnan(block)
        weight = observed if weights is None else observed * weights[labels == k, None]
        counts[k] = weight.sum(axis=0)
        divisor = np.where(counts[k] > 0, counts[k], 1.0)
        means[k] = (weight * np.where(observed, block, 0.0)).sum(axis=0) / divisor
        variances[k] = (weight * np.where(observed, block - means[k], 0.0) ** 2).sum(axis=0) / divisor
    return ClassMoments(counts, means, variances)
