r"""Log-densities of normals with diagonal covariance, as two matrix products.

.. math:: \log N(x; \mu_k, \sigma_k^2) = b_k + (x - c)^\top \frac{\mu_k - c}{\sigma_k^2}
          - \frac{1}{2} \left((x - c)^2\right)^\top \frac{1}{\sigma_k^2}

The centre :math:`c` is, column by column, the mean of the :math:`\mu_k` weighted by :math:`1 / \sigma_k^2`: it keeps
what cancels between the terms small. Rows in single precision are multiplied in single precision; a bound of the
rounding error comes for free (the terms are the quadratic forms of x and of the mean), and rows whose most probable
components it could confuse are computed again in double precision. So are rows with missing values, whose missing
columns drop out of the sums: the exact marginal density.
"""

from __future__ import annotations

import numpy as np

from versus.models.classical_generative.numerics.class_moments import aligned_empty
from versus.models.protocols import Array

_BLOCK = 256  # rows of one product: 256 × 784 floats stay in cache
_ERROR = 0.01  # nats by which single precision may be wrong
_CONTENDING = 30.0  # nats: what is less probable by e^-30 does not count


class DiagonalNormals:
    """K normals with means (K, D) and variances (K, D), all above 0."""

    def __init__(self, means: Array, variances: Array) -> None:
        precision = 1.0 / variances
        self.centre = (means * precision).sum(axis=0) / precision.sum(axis=0)
        shift = means - self.centre
        self.linear = np.ascontiguousarray((shift * precision).T)  # (D, K)
        self.quadratic = np.ascontiguousarray(0.5 * precision.T)  # (D, K)
        self.mean_forms = 0.5 * shift**2 * precision  # (K, D)
        self.constants = -0.5 * np.log(2 * np.pi * variances) - self.mean_forms  # (K, D)

    def evaluate(self, rows: Array) -> Array:
        """(n, D), float32 or float64, NaN where missing -> (K, n) nats, float64."""
        with np.errstate(invalid="ignore", over="ignore"):  # what comes out NaN is computed again
            out, forms = self._products(rows)
            again = np.isnan(out).any(axis=1)
            if rows.dtype == np.float32:
                again |= self._uncertain(out, forms)
        if again.any():
            out[again] = self._exact(rows[again].astype(np.float64))
        return out.T

    def _products(self, rows: Array) -> tuple[Array, Array]:
        """The log-densities and their quadratic forms in x, each (n, K)."""
        centre, linear, quadratic = (a.astype(rows.dtype) for a in (self.centre, self.linear, self.quadratic))
        buffer = aligned_empty((min(_BLOCK, len(rows)), rows.shape[1]), rows.dtype)
        out = np.empty((len(rows), len(self.constants)))
        forms = np.empty_like(out)
        for start in range(0, len(rows), _BLOCK):
            block = slice(start, min(start + _BLOCK, len(rows)))
            x = buffer[: block.stop - start]
            np.subtract(rows[block], centre, out=x)
            out[block] = x @ linear
            np.multiply(x, x, out=x)
            forms[block] = x @ quadratic
        out += self.constants.sum(axis=1)
        out -= forms
        return out, forms

    def _uncertain(self, log_density: Array, forms: Array) -> Array:
        """The rows (n,) in which rounding to single precision could change which component is the most probable."""
        n_columns = self.constants.shape[1]
        size = (np.sqrt(forms) + np.sqrt(self.mean_forms.sum(axis=1))) ** 2  # bounds the sum of the terms' magnitudes
        error = np.finfo(np.float32).eps * np.sqrt(n_columns) * size
        least = (log_density - error).max(axis=1, keepdims=True) - _CONTENDING
        contending = log_density + error > least
        several = contending.sum(axis=1) > 1
        wrong: Array = several & (contending & (error > _ERROR)).any(axis=1)
        return wrong

    def _exact(self, rows: Array) -> Array:
        """In double precision, from the observed columns alone, (n, D) -> (n, K)."""
        observed = ~np.isnan(rows)
        x = np.where(observed, rows - self.centre, 0.0)
        log_density: Array = observed @ self.constants.T + x @ self.linear - (x * x) @ self.quadratic
        return log_density
