r"""Log-densities of K normals, all evaluated together by a few matrix products.

.. math:: \log N(x; \mu_k, \Sigma_k) = -\tfrac{1}{2} \lVert L_k^{-1} x - L_k^{-1} \mu_k \rVert^2
          - \log |L_k| - \tfrac{D}{2} \log 2\pi, \qquad L_k L_k^\top = \Sigma_k

Unlike the expanded quadratic form, whitening loses no digits where a mean is far from the origin or a covariance is
badly conditioned. Diagonal covariances are expanded, about a centre c that keeps what cancels small:

.. math:: \log N(x; \mu_k, \sigma_k^2) = b_k + (x - c)^\top \frac{\mu_k - c}{\sigma_k^2}
          - \frac{1}{2} \left((x - c)^2\right)^\top \frac{1}{\sigma_k^2}

Rounding errors grow with the quadratic forms of x and of the mean (Higham and Mary, "A new approach to probabilistic
rounding error analysis", 2019): rows in single precision whose most probable components they could confuse are computed
again in double precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from versus.arrays import Array
from versus.numerics.machine import alike, library

_BLOCK = 256  # rows whose whitened differences from a few components stay in the cache
_ROWS = 256  # rows that stay in the cache between the products with them and with their squares
_ERROR = 0.01  # nats by which single precision may be wrong
_CONTENDING = 30.0  # nats: what is less probable by e^-30 does not count


class FullNormals:
    """K normals with means (K, D) and covariances (K, D, D).

    Raises:
        ValueError: where a covariance is not positive definite.
    """

    def __init__(self, means: Array, covariances: Array) -> None:
        n_columns = means.shape[1]
        lower = cholesky(covariances)
        inverse = np.linalg.inv(lower)
        self.deviations = np.diagonal(lower, axis1=1, axis2=2)  # (K, D), of each column given those before it
        self.constants = -np.log(self.deviations).sum(axis=1) - 0.5 * n_columns * np.log(2 * np.pi)  # (K,)
        self.whitening = inverse.reshape(means.size, n_columns)  # (K · D, D)
        self.offset = np.einsum("kij,kj->ki", inverse, means).reshape(-1, 1)  # (K · D, 1)

    def log_density(self, rows: Any) -> Any:
        """Log-density, (n, D) array or tensor, no NaN -> (K, n) nats, float64, computed in the rows' own precision."""
        xp = library(rows)
        whitening, offset = alike(self.whitening, rows), alike(self.offset, rows)
        constants = alike(self.constants, rows[:0].astype(np.float64) if xp is np else rows[:0].double())[:, None]
        size = _BLOCK if xp is np else max(len(rows), 1)
        buffer = np.empty((len(whitening), min(size, len(rows))), rows.dtype) if xp is np else None
        parts = []
        for start in range(0, len(rows), size):
            x = rows[start : start + size]
            z = xp.matmul(whitening, x.T, out=None if buffer is None else buffer[:, : len(x)])
            z -= offset
            z = z.reshape(*self.deviations.shape, len(x))  # (K, D, n)
            parts.append(constants - 0.5 * xp.einsum("kdn,kdn->kn", z, z))
        return xp.concatenate(parts, 1) if parts else xp.empty((len(constants), 0))


class DiagonalNormals:
    """K normals with means (K, D) and variances (K, D), all above 0."""

    def __init__(self, means: Array, variances: Array) -> None:
        precision = 1.0 / variances
        self.centre = _short((means * precision).sum(axis=0) / precision.sum(axis=0))  # (D,)
        shift = means - self.centre
        self.linear = shift * precision  # (K, D)
        self.quadratic = 0.5 * precision  # (K, D)
        forms = 0.5 * shift**2 * precision
        self.mean_forms = forms.sum(axis=1)  # (K,)
        self.constants = -0.5 * np.log(2 * np.pi * variances) - forms  # (K, D)

    def log_density(self, rows: Array) -> Array:
        """Log-density, (n, D) -> (K, n) nats, float64.

        Rows are float32 or float64, NaN where missing; missing values are integrated out.
        """
        out, forms = self._products(rows)
        again = np.isnan(out).any(axis=0)
        if rows.dtype == np.float32:
            again |= self._uncertain(out, forms)
        if again.any():
            out[:, again] = self._of_observed(rows[again].astype(np.float64))
        return out

    def _products(self, rows: Array) -> tuple[Array, Array]:
        """Log-densities and their quadratic forms of x, (n, D) -> (K, n) each, NaN where a value is missing."""
        size = min(_ROWS, len(rows))
        # One centre a row: numpy subtracts a block from a block faster than a row from each of its rows.
        centres = np.repeat(self.centre.astype(rows.dtype)[None], size, axis=0)
        linear, quadratic = self.linear.T.astype(rows.dtype), self.quadratic.T.astype(rows.dtype)
        buffer = np.empty_like(centres)
        crossed, squared = (np.empty((len(rows), len(self.linear)), rows.dtype) for _ in range(2))
        with np.errstate(invalid="ignore", over="ignore"):  # NaN results are computed again
            for start in range(0, len(rows), size or 1):
                block = slice(start, min(start + size, len(rows)))
                n = block.stop - start
                x = np.subtract(rows[block], centres[:n], out=buffer[:n])
                np.matmul(x, linear, out=crossed[block])
                x *= x
                np.matmul(x, quadratic, out=squared[block])
            out, forms = crossed.T.astype(np.float64), squared.T.astype(np.float64)
            out -= forms
            out += self.constants.sum(axis=1)[:, None]
        return out, forms

    def _uncertain(self, log_density: Array, forms: Array) -> Array:
        """Rows (n,) in which rounding to single precision could change which component is the most probable."""
        # The terms' magnitudes add up to at most (sqrt(form of x) + sqrt(form of the mean))^2, and that to twice this.
        rounding = np.finfo(np.float32).eps * np.sqrt(len(self.centre))
        if rounding * (forms.max(axis=1, initial=0.0) + self.mean_forms).max() <= _ERROR:
            return np.zeros(forms.shape[1], bool)
        error = rounding * (forms + self.mean_forms[:, None])
        contending = log_density + error > (log_density - error).max(axis=0) - _CONTENDING
        wrong: Array = (contending.sum(axis=0) > 1) & (contending & (error > _ERROR)).any(axis=0)
        return wrong

    def _of_observed(self, rows: Array) -> Array:
        """Log-density in float64, from the observed columns alone, (n, D) -> (K, n)."""
        observed = ~np.isnan(rows)
        x = np.where(observed, rows - self.centre, 0.0)
        log_density: Array = observed @ self.constants.T + x @ self.linear.T - (x * x) @ self.quadratic.T
        return log_density.T


class TiedNormals:
    """Normals with means (K, D) and one covariance (D, D): whitened once, they are spherical with variance 1."""

    def __init__(self, means: Array, covariance: Array) -> None:
        lower = cholesky(covariance)
        self.whitening = np.linalg.inv(lower).T
        self.log_det = np.log(np.diagonal(lower)).sum()
        whitened = means @ self.whitening
        self.spherical = DiagonalNormals(whitened, np.ones_like(whitened))

    def log_density(self, rows: Array) -> Array:
        """Log-density, (n, D) without NaN -> (K, n) nats."""
        log_density: Array = self.spherical.log_density(rows @ self.whitening) - self.log_det
        return log_density


def cholesky(covariances: Array) -> Array:
    """Lower triangular factors, (K, D, D) -> (K, D, D).

    Raises:
        ValueError: where a covariance is not positive definite, or so only by rounding: where the part of a column's
            variance that the columns before it leave open drowns in the last digits. The message gives the remedy.
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
            "others; raise the shrinkage, the pseudo-counts or var_smoothing, or take diagonal covariances"
        )
    return factors


def _short(numbers: Array) -> Array:
    """The nearest numbers that single precision holds exactly, where it reaches: subtracting them rounds once only."""
    with np.errstate(over="ignore"):
        return np.where(np.abs(numbers) < 1e30, numbers.astype(np.float32), numbers)
