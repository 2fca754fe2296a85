r"""A start for EM: k-means++ seeds and a few rounds of k-means, on columns of unit variance.

Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding" (SODA 2007).
"""

from __future__ import annotations

import numpy as np

from versus.arrays import Array, Labels
from versus.numerics.class_moments import class_moments

_LARGEST = 20_000  # rows that centres are sought in; more would cost time and hardly move them
_ROUNDS = 10


def kmeans_labels(rows: Array, n_clusters: int, rng: np.random.Generator) -> Labels:
    """Cluster codes (N,) of rows (N, D); missing values count as their column's mean.

    Some codes may have no member: where there are fewer distinct rows than clusters.
    """
    pooled = class_moments(rows, np.zeros(len(rows), np.int64), 1).filled()
    scale = np.sqrt(pooled.variances)
    scaled = (rows - pooled.means) / np.where(scale > 0, scale, 1.0)
    np.nan_to_num(scaled, copy=False)
    sample = scaled
    if len(rows) > _LARGEST:
        sample = scaled[np.sort(rng.choice(len(rows), _LARGEST, replace=False))]
    centres = _seeds(sample, n_clusters, rng)
    for _ in range(_ROUNDS):
        labels = _nearest(sample, centres)
        moments = class_moments(sample, labels, n_clusters)
        moved = np.where(moments.counts > 0, moments.means, centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return _nearest(scaled, centres)


def _seeds(rows: Array, n_clusters: int, rng: np.random.Generator) -> Array:
    """Rows drawn one after the other with probability proportional to the squared distance to the nearest so far."""
    picked = [int(rng.integers(len(rows)))]
    distance = np.full(len(rows), np.inf)
    for _ in range(n_clusters - 1):
        distance = np.minimum(distance, ((rows - rows[picked[-1]]) ** 2).sum(axis=1))
        total = float(distance.sum())
        # Duplicates of what was drawn are all that is left: any row does.
        weights = distance / total if total > 0 else np.full(len(rows), 1 / len(rows))
        picked.append(int(rng.choice(len(rows), p=weights)))
    return rows[picked]


def _nearest(rows: Array, centres: Array) -> Labels:
    distance = (centres**2).sum(axis=1) - 2 * (rows @ centres.T)
    return np.asarray(distance.argmin(axis=1), dtype=np.int64)
