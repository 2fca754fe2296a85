r"""Normals and mixtures of them with missing values: exact marginal densities, and moments for EM.

With observed columns o and missing ones m, :math:`x_o \sim N(\mu_o, \Sigma_{oo})`, and given :math:`x_o` the missing
are normal with mean :math:`\mu_m + B (x_o - \mu_o)` and covariance :math:`\Sigma_{mm} - B \Sigma_{om}`,
:math:`B = \Sigma_{mo} \Sigma_{oo}^{-1}`. Rows are grouped by the columns they miss. Ghahramani and Jordan,
"Supervised learning from incomplete data via an EM approach" (NIPS 1993).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from versus.arrays import Array
from versus.numerics.normals import FullNormals


def patterns(rows: Array) -> Iterator[tuple[Array, Array]]:
    """Group rows (N, D) with NaN: for each set of observed columns that occurs, the columns and the row numbers."""
    missing = np.isnan(rows)
    _, first, of_row = np.unique(np.packbits(missing, axis=1), axis=0, return_index=True, return_inverse=True)
    for p, i in enumerate(first):
        yield np.flatnonzero(~missing[i]), np.flatnonzero(of_row.reshape(-1) == p)


def marginal_log_density(rows: Array, means: Array, covariances: Array) -> Array:
    """Log-density of the observed columns, (N, D) with means (K, D) and covariances (K, D, D) -> (K, N) nats."""
    out = np.empty((len(means), len(rows)))
    for columns, where in patterns(rows):
        normals = FullNormals(means[:, columns], covariances[:, columns[:, None], columns])
        out[:, where] = normals.log_density(rows[where[:, None], columns])
    return out


def completed_scatter(rows: Array, weights: Array, means: Array, covariances: Array) -> tuple[Array, Array]:
    """Expected sums, weighted (K, N): of x - mean (K, D), and of its outer products (K, D, D)."""
    n_components, n_columns = means.shape
    first, second = np.zeros(means.shape), np.zeros(covariances.shape)
    for seen, where in patterns(rows):
        unseen = np.setdiff1d(np.arange(n_columns), seen)
        for k in range(n_components):
            weight = weights[k, where]
            slopes, spread = conditional(covariances[k], seen, unseen)
            x = np.empty((len(where), n_columns))
            x[:, seen] = rows[where[:, None], seen] - means[k, seen]
            x[:, unseen] = x[:, seen] @ slopes.T
            first[k] += weight @ x
            second[k] += (x * weight[:, None]).T @ x
            second[k][unseen[:, None], unseen] += weight.sum() * spread
    return first, second


def conditional(covariance: Array, given: Array, wanted: Array) -> tuple[Array, Array]:
    """Slopes (W, G) and covariance (W, W) of the columns ``wanted`` given the columns ``given`` of a normal."""
    across = covariance[given[:, None], wanted]
    slopes = np.linalg.solve(covariance[given[:, None], given], across).T
    return slopes, covariance[wanted[:, None], wanted] - slopes @ across
