r"""Log-densities of normals with diagonal covariance, as two matrix products.

.. math:: \log N(x; \mu_k, \sigma_k^2) = b_k + (x - c)^\top \frac{\mu_k - c}{\sigma_k^2}
          - \frac{1}{2} \left((x - c)^2\right)^\top \frac{1}{\sigma_k^2}

The centre :math:`c` is, column by column, the mean of the :math:`\mu_k` weighted by :math:`1 / \sigma_k^2`: it keeps
what cancels between the terms small. Rows in single precision are multiplied in single precision; a bound of the
rounding error comes for free (the terms are the quadratic forms of x and of the mean; Higham and Mary, "A new approach
to probabilistic rounding error analysis", 2019), and rows whose most probable components it could confuse are computed
again in double precision. So are rows with missing values, whose missing columns drop out of the sums: the exact
marginal density.
"""

from __future__ import annotations

import numpy as np

from versus.arrays import Array
from versus.numerics.aligned import aligned_empty

_BLOCK = 256  # rows of one product at most
_UNPACKED = 900_000  # multiplications of one product: from a million OpenBLAS copies both factors, for twice the time
_ERROR = 0.01  # nats by which single precision may be wrong
_CONTENDING = 30.0  # nats: what is less probable by e^-30 does not count


class DiagonalNormals:
    """K normals with means (K, D) and variances (K, D), all above 0."""

    def __init__(self, means: Array, variances: Array) -> None:
        precision = 1.0 / variances
        self.centre = _short((means * precision).sum(axis=0) / precision.sum(axis=0))
        shift = means - self.centre
        self.linear = shift * precision  # (K, D)
        self.quadratic = 0.5 * precision  # (K, D)
        self.mean_forms = 0.5 * shift**2 * precision  # (K, D)
        self.constants = -0.5 * np.log(2 * np.pi * variances) - self.mean_forms  # (K, D)
        self._terms: dict[np.dtype[np.floating], tuple[Array, Array, Array]] = {}

    def evaluate(self, rows: Array) -> Array:
        """(n, D), float32 or float64, NaN where missing -> (K, n) nats, float64."""
        with np.errstate(invalid="ignore", over="ignore"):  # what comes out NaN is computed again
            out, forms = self._products(rows)
            again = np.isnan(out).any(axis=0)
            if rows.dtype == np.float32:
                again |= self._uncertain(out, forms)
        if again.any():
            out[:, again] = self._exact(rows[again].astype(np.float64))
        return out

    def _products(self, rows: Array) -> tuple[Array, Array]:
        """The log-densities and their quadratic forms in x, each (K, n)."""
        size = int(np.clip(_UNPACKED // max(self.linear.size, 1), 16, _BLOCK))
        centres, linear, quadratic = self._terms_of(rows.dtype, min(size, len(rows)))
        buffer = aligned_empty(centres.shape, rows.dtype)
        crossed, squared = (np.empty((len(rows), len(self.constants)), rows.dtype) for _ in range(2))
        for start in range(0, len(rows), size):
            block = slice(start, min(start + size, len(rows)))
            x = buffer[: block.stop - start]
            np.subtract(rows[block], centres[: len(x)], out=x)
            np.matmul(x, linear.T, out=crossed[block])
            np.multiply(x, x, out=x)
            np.matmul(x, quadratic.T, out=squared[block])
        forms = squared.T.astype(np.float64, order="C")
        out = crossed.T.astype(np.float64, order="C")
        out += self.constants.sum(axis=1)[:, None]
        out -= forms
        return out, forms

    def _terms_of(self, dtype: np.dtype[np.floating], n: int) -> tuple[Array, Array, Array]:
        """Centre, repeated over ``n`` rows (subtracting it row by row would take twice as long), and both matrices."""
        if dtype not in self._terms or len(self._terms[dtype][0]) < n:
            centres = aligned_empty((n, len(self.centre)), dtype)
            centres[:] = self.centre
            self._terms[dtype] = (centres, self.linear.astype(dtype), self.quadratic.astype(dtype))
        centres, linear, quadratic = self._terms[dtype]
        return centres[:n], linear, quadratic

    def _uncertain(self, log_density: Array, forms: Array) -> Array:
        """The rows (n,) in which rounding to single precision could change which component is the most probable."""
        # The terms' magnitudes add up to at most (sqrt(form of x) + sqrt(form of the mean))^2, and that to twice this.
        size = forms + self.mean_forms.sum(axis=1)[:, None]
        error = np.finfo(np.float32).eps * np.sqrt(self.constants.shape[1]) * size
        contending = log_density + error > (log_density - error).max(axis=0) - _CONTENDING
        several = contending.sum(axis=0) > 1
        wrong: Array = several & (contending & (error > _ERROR)).any(axis=0)
        return wrong

    def _exact(self, rows: Array) -> Array:
        """In double precision, from the observed columns alone, (n, D) -> (K, n)."""
        observed = ~np.isnan(rows)
        x = np.where(observed, rows - self.centre, 0.0)
        log_density: Array = observed @ self.constants.T + x @ self.linear.T - (x * x) @ self.quadratic.T
        return log_density.T


def _short(numbers: Array) -> Array:
    """The nearest numbers that single precision holds exactly, where it reaches: subtracting them rounds once only."""
    with np.errstate(over="ignore"):
        return np.where(np.abs(numbers) < 1e30, numbers.astype(np.float32), numbers)
