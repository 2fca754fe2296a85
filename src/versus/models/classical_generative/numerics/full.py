r"""Log-densities of normals with full covariance, all whitened by one matrix product.

.. math:: \log N(x; \mu_k, \Sigma_k) = -\tfrac{1}{2} \lVert W_k^\top x - W_k^\top \mu_k \rVert^2
          + \log |W_k| - \tfrac{D}{2} \log 2\pi, \qquad W_k W_k^\top = \Sigma_k^{-1}

The columns of all :math:`W_k` stand side by side, with :math:`-W_k^\top \mu_k` as one more row against a column of ones
in x: (K D, D + 1) times a block of rows that stays in cache. Unlike the expanded quadratic form, whitening loses no
digits where a mean is far from the origin or a covariance is badly conditioned.
"""

from __future__ import annotations

import numpy as np

from versus.models.protocols import Array

_WHITENED = 2**17  # numbers that a block is whitened to: 1 MB of float64, which a second-level cache holds


class FullNormals:
    """K normals with means (K, D) and covariances (K, D, D).

    Raises:
        ValueError: where a covariance is not positive definite.
    """

    def __init__(self, means: Array, covariances: Array) -> None:
        n_components, n_columns = means.shape
        lower = cholesky(covariances)  # (K, D, D)
        log_det = np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
        self.constants = -log_det - 0.5 * n_columns * np.log(2 * np.pi)  # (K,)
        inverse = np.linalg.inv(lower)  # (K, D, D), the transposes of W
        offset = -np.einsum("kij,kj->ki", inverse, means)
        self.whitening = np.concatenate([inverse, offset[:, :, None]], axis=2).reshape(-1, n_columns + 1)
        self.shape = (n_components, n_columns)

    def evaluate(self, rows: Array) -> Array:
        """(n, D), no NaN -> (K, n) nats, float64, computed in the rows' own precision."""
        n_components, n_columns = self.shape
        whitening = self.whitening.astype(rows.dtype, copy=False)
        size = min(len(rows), int(np.clip(_WHITENED // max(len(whitening), 1), 128, 2048)))
        x = np.ones((size, n_columns + 1), rows.dtype)
        z = np.empty((n_components, n_columns, size), rows.dtype)
        out = np.empty((n_components, len(rows)))
        for start in range(0, len(rows), size):
            n = min(size, len(rows) - start)
            x[:n, :n_columns] = rows[start : start + n]
            np.matmul(whitening, x.T, out=z.reshape(-1, size))
            form = np.einsum("kdn,kdn->kn", z, z)
            out[:, start : start + n] = self.constants[:, None] - 0.5 * form[:, :n]
        return out


def cholesky(covariances: Array) -> Array:
    """Lower triangular factors, (K, D, D) -> (K, D, D).

    Raises:
        ValueError: where a covariance is not positive definite, or so only by rounding: where the part of a column's
            variance that the columns before it leave open drowns in the last digits. The message says what helps.
    """
    try:
        factors: Array = np.linalg.cholesky(covariances)
        variances = np.diagonal(covariances, axis1=-2, axis2=-1)
        left = np.diagonal(factors, axis1=-2, axis2=-1) ** 2
        singular = bool((left <= 10 * covariances.shape[-1] * np.finfo(np.float64).eps * variances).any())
    except np.linalg.LinAlgError:
        singular = True
    if singular:
        raise ValueError(
            f"a covariance of {covariances.shape[-1]} columns is singular: too few rows, or columns that follow from "
            "others; raise the shrinkage, the pseudo-counts or the variance floor, or take diagonal covariances"
        )
    return factors
