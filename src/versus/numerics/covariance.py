r"""The four structures that a mixture's covariances may have, each one object behind one interface.

=========== ================ =====================================================
full        (K, D, D)        one for each component
tied        (D, D)           one for all
diagonal    (K, D)           columns independent within a component
spherical   (K,)             one variance for all columns of a component
=========== ================ =====================================================

Scatter is :math:`S_k = \sum_n r_{kn} (x_n - m_k)(x_n - m_k)^\top` about the component's *current* mean, so that no
digits cancel where clusters are far apart. Each structure sums the part of it that it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from versus.arrays import Array
from versus.numerics.diagonal import DiagonalNormals
from versus.numerics.full import FullNormals
from versus.numerics.tied import TiedNormals


class Normals(Protocol):
    """K normal densities, ready to be evaluated."""

    def evaluate(self, rows: Array) -> Array:
        """(n, D) -> (K, n) nats."""


@dataclass(frozen=True)
class Regularisation:
    """What keeps covariances positive: F (D,) with its pseudo-counts, and the floor (D,), variances all."""

    prior: Array
    pseudo_counts: float
    floor: Array

    @property
    def pseudo_scatter(self) -> Array:
        """The scatter (D, D) of the pseudo-counts."""
        scatter: Array = self.pseudo_counts * np.diag(self.prior)
        return scatter


class Structure(Protocol):
    """What EM needs of a covariance structure."""

    def normals(self, means: Array, covariances: Array) -> Normals:
        """The components' densities."""

    def scatter(self, rows: Array, weights: Array, means: Array) -> tuple[Array, Array]:
        """Sums over rows (n, D) weighted (K, n): of x - m (K, D), and the part of S that is needed."""

    def select(self, scatter: Array) -> Array:
        """The needed part of full scatters (K, D, D)."""

    def estimate(self, scatter: Array, shift: Array, totals: Array, regular: Regularisation) -> Array:
        """Covariances from scatter about the old means, ``shift`` (K, D) to the new, and total weights (K,)."""

    def expand(self, covariances: Array, n_components: int, n_columns: int) -> Array:
        """The same covariances as (K, D, D)."""


class Full:
    """One covariance for each component, (K, D, D)."""

    def normals(self, means: Array, covariances: Array) -> Normals:
        """The components' densities."""
        return FullNormals(means, covariances)

    def scatter(self, rows: Array, weights: Array, means: Array) -> tuple[Array, Array]:
        """(K, D) and (K, D, D). In many dimensions most responsibilities are 0: each component gathers its own rows."""
        first, second = np.empty(means.shape), np.empty((*means.shape, means.shape[1]))
        for k, mean in enumerate(means):
            own = np.flatnonzero(weights[k])
            weight = weights[k][own].astype(rows.dtype)
            x = rows[own]
            x -= mean.astype(rows.dtype)
            first[k] = weight @ x
            x *= np.sqrt(weight)[:, None]
            second[k] = x.T @ x
        return first, second

    def select(self, scatter: Array) -> Array:
        """All of it."""
        return scatter

    def estimate(self, scatter: Array, shift: Array, totals: Array, regular: Regularisation) -> Array:
        """(K, D, D)."""
        about_new = scatter - totals[:, None, None] * shift[:, :, None] * shift[:, None, :]
        divisor = (totals + regular.pseudo_counts)[:, None, None]
        covariances: Array = (about_new + regular.pseudo_scatter) / divisor + np.diag(regular.floor)
        return covariances

    def expand(self, covariances: Array, n_components: int, n_columns: int) -> Array:
        """They are full already."""
        return covariances


class Diagonal:
    """Independent columns within each component, (K, D)."""

    def normals(self, means: Array, covariances: Array) -> Normals:
        """The components' densities."""
        return DiagonalNormals(means, covariances)

    def scatter(self, rows: Array, weights: Array, means: Array) -> tuple[Array, Array]:
        """(K, D) and (K, D)."""
        centre = means.mean(axis=0)
        x = rows - centre
        totals = weights.sum(axis=1)[:, None]
        shift = means - centre
        sums = weights @ x
        first = sums - totals * shift
        second = weights @ (x * x) - 2 * shift * sums + totals * shift**2
        return first, second

    def select(self, scatter: Array) -> Array:
        """The diagonals."""
        return np.diagonal(scatter, axis1=1, axis2=2)

    def estimate(self, scatter: Array, shift: Array, totals: Array, regular: Regularisation) -> Array:
        """(K, D)."""
        about_new = np.maximum(scatter - totals[:, None] * shift**2, 0.0)
        pseudo = regular.pseudo_counts
        variances: Array = (about_new + pseudo * regular.prior) / (totals + pseudo)[:, None] + regular.floor
        return variances

    def expand(self, covariances: Array, n_components: int, n_columns: int) -> Array:
        """(K, D) -> (K, D, D)."""
        return covariances[:, :, None] * np.eye(n_columns)


class Spherical(Diagonal):
    """One variance for each component, (K,)."""

    def normals(self, means: Array, covariances: Array) -> Normals:
        """The components' densities."""
        return DiagonalNormals(means, np.broadcast_to(covariances[:, None], means.shape))

    def estimate(self, scatter: Array, shift: Array, totals: Array, regular: Regularisation) -> Array:
        """(K,)."""
        variances: Array = super().estimate(scatter, shift, totals, regular).mean(axis=1)
        return variances

    def expand(self, covariances: Array, n_components: int, n_columns: int) -> Array:
        """(K,) -> (K, D, D)."""
        return covariances[:, None, None] * np.eye(n_columns)


class Tied:
    """One covariance for all components, (D, D)."""

    def normals(self, means: Array, covariances: Array) -> Normals:
        """The components' densities."""
        return TiedNormals(means, covariances)

    def scatter(self, rows: Array, weights: Array, means: Array) -> tuple[Array, Array]:
        """(K, D), and the sum over the components (D, D): only the total scatter needs a product of D^2 a row."""
        centre = means.mean(axis=0)
        x = rows - centre
        totals = weights.sum(axis=1)[:, None]
        shift = means - centre
        sums = weights @ x
        x *= np.sqrt(weights.sum(axis=0))[:, None]
        cross = sums.T @ shift
        return sums - totals * shift, x.T @ x - cross - cross.T + shift.T @ (totals * shift)

    def select(self, scatter: Array) -> Array:
        """Their sum."""
        pooled: Array = scatter.sum(axis=0)
        return pooled

    def estimate(self, scatter: Array, shift: Array, totals: Array, regular: Regularisation) -> Array:
        """(D, D)."""
        about_new = scatter - shift.T @ (totals[:, None] * shift)
        divisor = totals.sum() + regular.pseudo_counts
        covariance: Array = (about_new + regular.pseudo_scatter) / divisor + np.diag(regular.floor)
        return covariance

    def expand(self, covariances: Array, n_components: int, n_columns: int) -> Array:
        """(D, D) -> (K, D, D)."""
        return np.broadcast_to(covariances, (n_components, n_columns, n_columns))


STRUCTURES: dict[str, Structure] = {"full": Full(), "tied": Tied(), "diagonal": Diagonal(), "spherical": Spherical()}


def structure(name: str) -> Structure:
    """The structure called ``name``.

    Raises:
        ValueError: where there is none.
    """
    if name not in STRUCTURES:
        raise ValueError(f"covariance={name!r}; accepted are {', '.join(map(repr, STRUCTURES))}")
    return STRUCTURES[name]
