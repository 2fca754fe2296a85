r"""The four structures that a mixture's covariances may have, each one object behind one interface.

=========== ================ =====================================================
full        (K, D, D)        one for each component
tied        (D, D)           one for all
diag        (K, D)           columns independent within a component
spherical   (K,)             one variance for all columns of a component
=========== ================ =====================================================

Scatter is :math:`S_k = \sum_n r_{kn} (x_n - m_k)(x_n - m_k)^\top` about the component's *current* mean, so that no
digits cancel where clusters are far apart. Each structure sums the part of it that it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.numerics.machine import alike, library
from versus.numerics.normals import DiagonalNormals, FullNormals, TiedNormals


@dataclass(frozen=True)
class Regularisation:
    """Variances that keep covariances positive: a prior F (D,) worth some rows, and what is added to each (D,)."""

    prior: Array
    pseudo_counts: float
    added: Array


class Full:
    """One covariance for each component, (K, D, D)."""

    def normals(self, means: Array, covariances: Array) -> FullNormals | TiedNormals | DiagonalNormals:
        """The components' densities."""
        return FullNormals(means, covariances)

    def scatter(self, rows: Any, weights: Any, means: Any) -> tuple[Any, Any]:
        """Sums over rows (n, D) weighted (K, n): of x - m (K, D), and the part of S that is needed.

        In many dimensions most responsibilities are 0: each component gathers its own rows.
        """
        first, second = [], []
        for k, mean in enumerate(means):
            own = weights[k] > 0
            x, weight = rows[own], alike(weights[k][own], rows)
            x -= mean
            first.append(weight @ x)
            x *= weight[:, None] ** 0.5
            second.append(x.T @ x)
        return library(rows).stack(first), library(rows).stack(second)

    def part(self, scatter: Array) -> Array:
        """The part of full scatters (K, D, D) that is needed: here all of it."""
        return scatter

    def outer(self, totals: Array, shift: Array) -> Array:
        """The part of totals (K,) times the outer products of shift (K, D) with itself."""
        return np.asarray(totals[:, None, None] * shift[:, :, None] * shift[:, None, :])

    def divisor(self, totals: Array) -> Array:
        """The weights (K,) that scatter is divided by, in a shape that broadcasts."""
        return totals[:, None, None]

    def of_variances(self, variances: Array) -> Array:
        """Uncorrelated columns (D,) as one covariance."""
        return np.diag(variances)

    def estimate(self, scatter: Array, shift: Array, totals: Array, regular: Regularisation) -> Array:
        """Covariances from scatter about the old means, ``shift`` (K, D) to the new, and total weights (K,)."""
        about_new = scatter - self.outer(totals, shift)
        pseudo = regular.pseudo_counts
        estimated = (about_new + pseudo * self.of_variances(regular.prior)) / (self.divisor(totals) + pseudo)
        return np.asarray(estimated + self.of_variances(regular.added))

    def expand(self, covariances: Array, n_components: int, n_columns: int) -> Array:
        """The same covariances as (K, D, D)."""
        return covariances


class Tied(Full):
    """One covariance for all components, (D, D)."""

    def normals(self, means: Array, covariances: Array) -> TiedNormals:
        """The components' densities."""
        return TiedNormals(means, covariances)

    def scatter(self, rows: Any, weights: Any, means: Any) -> tuple[Any, Any]:
        """Sums (K, D), and total scatter (D, D): only the total scatter needs a product of D^2 a row."""
        x, sums, totals, shift = _about_centre(rows, weights, means)
        x *= np.sqrt(weights.sum(axis=0))[:, None]
        cross = sums.T @ shift
        return sums - totals[:, None] * shift, x.T @ x - cross - cross.T + self.outer(totals, shift)

    def part(self, scatter: Array) -> Array:
        """Sum over the components."""
        return np.asarray(scatter.sum(axis=0))

    def outer(self, totals: Array, shift: Array) -> Array:
        """Sum of the outer products, (D, D)."""
        return np.asarray(shift.T @ (totals[:, None] * shift))

    def divisor(self, totals: Array) -> Array:
        """Total weight of all rows."""
        return np.asarray(totals.sum())

    def expand(self, covariances: Array, n_components: int, n_columns: int) -> Array:
        """Expand (D, D) -> (K, D, D)."""
        return np.broadcast_to(covariances, (n_components, n_columns, n_columns))


class Diagonal(Full):
    """Independent columns within each component, (K, D)."""

    def normals(self, means: Array, covariances: Array) -> DiagonalNormals:
        """The components' densities."""
        return DiagonalNormals(means, covariances)

    def scatter(self, rows: Any, weights: Any, means: Any) -> tuple[Any, Any]:
        """Sums and scatter, (K, D) each."""
        x, sums, totals, shift = _about_centre(rows, weights, means)
        second = weights @ (x * x) - 2 * shift * sums + self.outer(totals, shift)
        return sums - totals[:, None] * shift, second

    def part(self, scatter: Array) -> Array:
        """Diagonals of the scatters."""
        return np.diagonal(scatter, axis1=1, axis2=2)

    def outer(self, totals: Array, shift: Array) -> Array:
        """Diagonals of the outer products, (K, D)."""
        return np.asarray(totals[:, None] * shift**2)

    def divisor(self, totals: Array) -> Array:
        """Weights as (K, 1)."""
        return totals[:, None]

    def of_variances(self, variances: Array) -> Array:
        """Return the variances as they are."""
        return variances

    def estimate(self, scatter: Array, shift: Array, totals: Array, regular: Regularisation) -> Array:
        """Variances (K, D); rounding must not leave a variance below 0."""
        return super().estimate(np.maximum(scatter, self.outer(totals, shift)), shift, totals, regular)

    def expand(self, covariances: Array, n_components: int, n_columns: int) -> Array:
        """Expand (K, D) -> (K, D, D)."""
        return np.asarray(covariances[:, :, None] * np.eye(n_columns))


class Spherical(Diagonal):
    """One variance for each component, (K,)."""

    def normals(self, means: Array, covariances: Array) -> DiagonalNormals:
        """The components' densities."""
        return DiagonalNormals(means, np.broadcast_to(covariances[:, None], means.shape))

    def estimate(self, scatter: Array, shift: Array, totals: Array, regular: Regularisation) -> Array:
        """Variances (K,)."""
        return np.asarray(super().estimate(scatter, shift, totals, regular).mean(axis=1))

    def expand(self, covariances: Array, n_components: int, n_columns: int) -> Array:
        """Expand (K,) -> (K, D, D)."""
        return np.asarray(covariances[:, None, None] * np.eye(n_columns))


def _about_centre(rows: Array, weights: Array, means: Array) -> tuple[Array, Array, Array, Array]:
    """Rows about the centre of the means, their sums (K, D), total weights (K,), and the means about the centre."""
    centre = means.mean(axis=0)
    x = rows - centre
    return x, weights @ x, weights.sum(axis=1), means - centre


STRUCTURES: dict[str, Full] = {"full": Full(), "tied": Tied(), "diag": Diagonal(), "spherical": Spherical()}


def structure(name: str) -> Full:
    """Return the structure called ``name``.

    Raises:
        ValueError: where there is none.
    """
    if name not in STRUCTURES:
        raise ValueError(f"covariance_type={name!r}; accepted are {', '.join(map(repr, STRUCTURES))}")
    return STRUCTURES[name]
