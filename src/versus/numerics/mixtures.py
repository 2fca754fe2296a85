r"""Maximum likelihood, or maximum a posteriori, for a mixture of normals by EM.

.. math:: r_{kn} = \frac{\pi_k N(x_n; \mu_k, \Sigma_k)}{\sum_j \pi_j N(x_n; \mu_j, \Sigma_j)}, \quad
          \mu_k = \frac{\sum_n r_{kn} x_n}{R_k}, \quad
          \Sigma_k = \frac{\sum_n r_{kn} (x_n - \mu_k)(x_n - \mu_k)^\top + \nu F}{R_k + \nu} + \epsilon

With pseudo-counts :math:`\nu` a component keeps a sensible width F however few rows it has; :math:`\nu = 0` is plain
maximum likelihood, and :math:`\epsilon` alone keeps a component on a single point from collapsing. Dempster, Laird and
Rubin (1977); Fraley and Raftery, "Bayesian regularization for normal mixture estimation" (2007). Categorical columns,
if there are any, are independent of each other and of the numbers within a component; their smoothed frequencies are
weighted by responsibility, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import logsumexp

from versus.arrays import Array, Labels
from versus.numerics import missing
from versus.numerics.categorical_factors import CategoricalFactors, Categories
from versus.numerics.class_moments import class_moments
from versus.numerics.covariances import STRUCTURES, Full, Regularisation
from versus.numerics.machine import alike, library, map_slabs, on_host
from versus.numerics.normals import DiagonalNormals, FullNormals, TiedNormals

_SLAB = 8192  # rows that one thread takes through both steps
_HELD = 2**29  # bytes of the slabs' sums that are held at once
_DEVICE_SLAB = 2**26  # numbers in the largest intermediate on a GPU, 512 MB of float64
_NEGLIGIBLE = 2.0**-8  # of the rounding unit: a smaller responsibility changes no digit and is 0, as most are
_SAMPLE, _ROUNDS = 20_000, 10  # rows and rounds of k-means: more hardly move the start of EM
_RESOLVED = 1e-3  # float32 rounds rows by 6e-8 of their reach: a thousandth of it keeps four digits when whitened


@dataclass(frozen=True)
class Mixture:
    """Weights (K,), means (K, D), covariances in the form of their structure, and probabilities of categories."""

    structure: Full
    weights: Array
    means: Array
    covariances: Array
    factors: CategoricalFactors | None = None

    @cached_property
    def normals(self) -> FullNormals | TiedNormals | DiagonalNormals:
        """Components ready for evaluation; factorising covariances takes longer than evaluating a few rows."""
        return self.structure.normals(self.means, self.covariances)

    def expanded(self) -> Array:
        """The covariances as (K, D, D)."""
        return self.structure.expand(self.covariances, *self.means.shape)

    def component_log_density(self, rows: Array) -> Array:
        """Log N(x; component k) of the observed columns, (N, D) with NaN where missing -> (K, N) nats."""
        out = np.empty((len(self.means), len(rows)))
        complete = ~np.isnan(rows).any(axis=1)
        if complete.all():
            normals = self.normals
            parts = map_slabs(lambda slab: normals.log_density(rows[slab]), len(rows), _SLAB)
            return np.concatenate([out[:, :0], *parts], axis=1)
        out[:, ~complete] = missing.marginal_log_density(rows[~complete], self.means, self.expanded())
        out[:, complete] = self.component_log_density(rows[complete])
        return out

    def log_joint(self, rows: Array, codes: Array | None = None) -> Array:
        """Log p(x, k) of the observed columns: numbers (N, D) and codes of categories (N, C) -> (K, N) nats."""
        joint: Array = self.component_log_density(rows) + np.log(self.weights)[:, None]
        return joint if self.factors is None or codes is None else joint + self.factors.log_density(codes).T

    def log_density(self, rows: Array, codes: Array | None = None) -> Array:
        """Log-density of the observed columns, (N, D) and (N, C) with NaN where missing -> (N,) nats."""
        return np.asarray(logsumexp(self.log_joint(rows, codes), axis=0))


@dataclass(frozen=True)
class Moments:
    """Sums over rows: responsibilities (K,), of x - mean (K, D), scatter, and the log-likelihood in nats.

    ``factors`` are the categories' frequencies where there are any; all rows are summed at once then.
    """

    totals: Array
    first: Array
    scatter: Array
    log_likelihood: float
    factors: CategoricalFactors | None = None

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.totals + other.totals,
            self.first + other.first,
            self.scatter + other.scatter,
            self.log_likelihood + other.log_likelihood,
        )


def expected_moments(
    rows: Any, mixture: Mixture, categories: Categories | None = None, weights: Array | None = None
) -> Moments:
    """The E-step, and the sums that the M-step needs, over rows (N, D): an array, or a tensor on a device.

    An array may have NaN where values are missing, and weights (N,).
    """
    if not isinstance(rows, np.ndarray):  # full covariances, so that one kernel serves all structures
        full = replace(mixture, structure=STRUCTURES["full"], covariances=mixture.expanded())
        parts = [_sums(slab, full) for slab in rows.split(max(1, _DEVICE_SLAB // mixture.means.size))]
        found = sum(parts[1:], parts[0])
        return replace(found, scatter=mixture.structure.part(found.scatter))
    if categories or weights is not None or np.isnan(rows).any():
        posterior, log_p = responsibilities(mixture.log_joint(rows, categories.codes if categories else None))
        if weights is not None:
            posterior, log_p = posterior * weights, log_p * weights
        first, scatter = missing.completed_scatter(rows, posterior, mixture.means, mixture.expanded())
        factors = categories.factors(posterior) if categories else None
        return Moments(posterior.sum(axis=1), first, mixture.structure.part(scatter), float(log_p.sum()), factors)
    _ = mixture.normals  # once, and not in each thread
    size = max(_SLAB, -(-len(rows) * 8 * mixture.covariances.size // _HELD))
    parts = map_slabs(lambda slab: _sums(rows[slab], mixture), len(rows), size)
    return sum(parts[1:], parts[0])


def _sums(rows: Any, mixture: Mixture) -> Moments:
    """The moments of one slab, in numpy or torch."""
    joint = mixture.normals.log_density(rows)
    joint += alike(np.log(mixture.weights)[:, None], joint)
    posterior, log_p = responsibilities(joint, library(rows).finfo(rows.dtype).eps)
    first, scatter = mixture.structure.scatter(rows, posterior, alike(mixture.means, rows))
    return Moments(on_host(posterior.sum(1)), on_host(first), on_host(scatter), float(log_p.sum()))


def responsibilities(joint: Any, rounding: float = 2.0**-52) -> tuple[Any, Any]:
    """Log p(x, k) (K, n) -> p(k | x) (K, n), and log p(x) (n,) in nats; ``rounding`` is that of the rows."""
    xp = library(joint)
    top = xp.amax(joint, 0)
    posterior = xp.exp(joint - top)
    posterior[posterior < _NEGLIGIBLE * rounding] = 0
    total = posterior.sum(0)
    posterior /= total
    return posterior, xp.log(total) + top


def maximise(structure: Full, moments: Moments, means: Array, regular: Regularisation) -> Mixture:
    """The M-step: moments about ``means`` (K, D) -> the mixture that they make most likely."""
    totals = moments.totals + 10 * np.finfo(float).eps  # a component that lost all its rows stays unchanged
    shift = moments.first / totals[:, None]
    covariances = structure.estimate(moments.scatter, shift, totals, regular)
    return Mixture(structure, totals / totals.sum(), means + shift, covariances, moments.factors)


class SinglePrecision:
    """Rows (N, D) as float32 differences from their centre, for the first steps of EM.

    A step only needs to raise the likelihood, and the next one starts from its result: rounding errors do not add up,
    and steps in double precision end at a maximum of the same likelihood. Higham and Mary, "Mixed precision algorithms
    in numerical linear algebra" (2022).
    """

    def __init__(self, rows: Array, place: Callable[[Array], Any] = np.asarray) -> None:
        self.centre = rows.mean(axis=0)  # (D,)
        with np.errstate(over="ignore"):
            centred = (rows - self.centre).astype(np.float32)
        self.reach = np.abs(centred).max(axis=0).astype(np.float64)  # (D,)
        self.rows = place(centred)

    def moments(self, mixture: Mixture) -> Moments | None:
        """Approximate the sums of `expected_moments`; None where a component is too narrow to be seen in float32.

        It must be wide enough in every column given those before it. Shifting rows and means together changes no sum.
        """
        centred = replace(mixture, means=mixture.means - self.centre)
        normals = centred.normals
        seen = isinstance(normals, FullNormals) and (normals.deviations >= _RESOLVED * self.reach).all()
        return expected_moments(self.rows, centred) if seen else None


def em(
    rows: Any,
    start: Mixture,
    max_iter: int,
    tol: float,
    regular: Regularisation,
    single: SinglePrecision | None = None,
    categories: Categories | None = None,
    weights: Array | None = None,
) -> tuple[Mixture, list[float]]:
    """Run EM from ``start`` until the mean log-likelihood rises by less than ``tol`` nats, or for ``max_iter`` steps.

    Rows may have weights (N,), which multiply their responsibilities.

    ``single`` replaces ``rows`` until the likelihood rises by less than ``tol``; the last step never uses it. Returns
    the mixture and, for each step, the mean log-likelihood (nats per row) of the mixture that it began with.
    """
    mixture, trace = start, []
    for left in reversed(range(max_iter)):
        moments = single.moments(mixture) if single and left else None
        if moments is None:
            single, moments = None, expected_moments(rows, mixture, categories, weights)
        mixture = maximise(mixture.structure, moments, mixture.means, regular)
        trace.append(moments.log_likelihood / moments.totals.sum())
        rise = abs(trace[-1] - trace[-2]) if len(trace) > 1 else np.inf
        if single and rise < tol:
            single = None
        elif rise < tol:
            break
    return mixture, trace


def kmeans_labels(rows: Array, n_clusters: int, rng: np.random.Generator) -> Labels:
    """Cluster codes (N,) of rows (N, D), a start for EM: k-means++ and a few rounds, on columns of unit variance.

    Missing values count as their column's mean. A code has no member where there are fewer distinct rows than clusters.
    Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding" (SODA 2007).
    """
    pooled = class_moments(rows, np.zeros(len(rows), np.int64), 1).filled()
    scale = np.sqrt(pooled.variances)
    scaled = (rows - pooled.means) / np.where(scale > 0, scale, 1.0)
    np.nan_to_num(scaled, copy=False)
    sample = scaled
    if len(rows) > _SAMPLE:
        sample = scaled[np.sort(rng.choice(len(rows), _SAMPLE, replace=False))]
    centres = _seeds(sample, n_clusters, rng)
    for _ in range(_ROUNDS):
        moments = class_moments(sample, _nearest(sample, centres), n_clusters)
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
