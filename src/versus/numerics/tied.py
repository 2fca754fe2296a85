"""Log-densities of normals that share one full covariance."""

from __future__ import annotations

import numpy as np

from versus.arrays import Array
from versus.numerics.diagonal import DiagonalNormals
from versus.numerics.full import cholesky


class TiedNormals:
    """Normals with means (K, D) and one covariance (D, D): whitened once, they are spherical with variance 1."""

    def __init__(self, means: Array, covariance: Array) -> None:
        lower = cholesky(covariance)
        self.whitening = np.linalg.inv(lower).T
        self.log_det = np.log(np.diagonal(lower)).sum()
        whitened = means @ self.whitening
        self.spherical = DiagonalNormals(whitened, np.ones_like(whitened))

    def evaluate(self, rows: Array) -> Array:
        """(n, D), no NaN -> (K, n) nats."""
        log_density: Array = self.spherical.evaluate(rows @ self.whitening) - self.log_det
        return log_density
