r"""Maximum likelihood, or maximum a posteriori, for a mixture of normals by EM.

.. math:: r_{kn} = \frac{\pi_k N(x_n; \mu_k, \Sigma_k)}{\sum_j \pi_j N(x_n; \mu_j, \Sigma_j)}, \quad
          \mu_k = \frac{\sum_n r_{kn} x_n}{R_k}, \quad
          \Sigma_k = \frac{\sum_n r_{kn} (x_n - \mu_k)(x_n - \mu_k)^\top + \nu F}{R_k + \nu} + \epsilon

With pseudo-counts :math:`\nu` a component keeps a sensible width F however few rows it has; :math:`\nu = 0` is plain
maximum likelihood, and the floor :math:`\epsilon` alone keeps a component on a single point from collapsing. Dempster,
Laird and Rubin (1977); Fraley and Raftery, "Bayesian regularization for normal mixture estimation" (2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from versus.arrays import Array
from versus.numerics import missing
from versus.numerics.blocks import map_slabs
from versus.numerics.covariance import Normals, Regularisation, Structure

_SLAB = 8192  # rows that one thread takes through both steps
_HELD = 2**29  # bytes of the slabs' sums that are held at once
_STEEP = 1e-3  # nats a row: a step that rises by more can be an approximate one
NEGLIGIBLE = -60 * np.log(2.0)  # nats


@dataclass(frozen=True)
class Mixture:
    """Weights (K,), means (K, D) and covariances in the form of their structure."""

    structure: Structure
    weights: Array
    means: Array
    covariances: Array

    @cached_property
    def normals(self) -> Normals:
        """The components, ready to be evaluated; factorising their covariances takes longer than a few rows do."""
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
            parts = map_slabs(lambda slab: normals.evaluate(rows[slab]), len(rows), _SLAB)
            return np.concatenate([out[:, :0], *parts], axis=1)
        out[:, ~complete] = missing.marginal_log_density(rows[~complete], self.means, self.expanded())
        out[:, complete] = self.component_log_density(rows[complete])
        return out


@dataclass
class Moments:
    """Sums over rows: responsibilities (K,), of x - mean (K, D), scatter, and the log-likelihood in nats."""

    totals: Array
    first: Array
    scatter: Array
    log_likelihood: float

    def add(self, other: Moments) -> None:
        """Add the sums over other rows."""
        self.totals += other.totals
        self.first += other.first
        self.scatter += other.scatter
        self.log_likelihood += other.log_likelihood


def responsibilities(joint: Array) -> tuple[Array, float]:
    """Log p(x, k) (K, n) -> p(k | x) (K, n), and the sum of log p(x) over the rows in nats.

    What is below 2^-60 of the most probable component's changes no digit and is 0: in many dimensions that is most.
    """
    top = joint.max(axis=0)
    below = joint - top
    posterior = np.zeros(joint.shape)
    counts = below > NEGLIGIBLE
    posterior[counts] = np.exp(below[counts])
    total = posterior.sum(axis=0)
    posterior /= total
    return posterior, float((np.log(total) + top).sum())


def expected_moments(rows: Array, mixture: Mixture) -> Moments:
    """The E-step, and the sums that the M-step needs, over rows (N, D) with NaN where missing."""
    if np.isnan(rows).any():
        return _incomplete_moments(rows, mixture)
    normals = mixture.normals
    return sum_over_slabs(lambda slab: _slab_moments(rows[slab], mixture, normals), rows, mixture)


def sum_over_slabs(work: Callable[[slice], Moments], rows: Array, mixture: Mixture) -> Moments:
    """The sum of what ``work`` gives for each slab of the rows."""
    slab_rows = max(_SLAB, -(-len(rows) * 8 * mixture.expanded().size // _HELD))
    total, *parts = map_slabs(work, len(rows), slab_rows)
    for part in parts:
        total.add(part)
    return total


def _slab_moments(rows: Array, mixture: Mixture, normals: Normals) -> Moments:
    joint = normals.evaluate(rows) + np.log(mixture.weights)[:, None]
    posterior, log_likelihood = responsibilities(joint)
    first, scatter = mixture.structure.scatter(rows, posterior, mixture.means)
    return Moments(posterior.sum(axis=1), first, scatter, log_likelihood)


def _incomplete_moments(rows: Array, mixture: Mixture) -> Moments:
    joint = mixture.component_log_density(rows) + np.log(mixture.weights)[:, None]
    posterior, log_likelihood = responsibilities(joint)
    first, scatter = missing.completed_scatter(rows, posterior, mixture.means, mixture.expanded())
    return Moments(posterior.sum(axis=1), first, mixture.structure.select(scatter), log_likelihood)


def maximise(structure: Structure, moments: Moments, means: Array, regular: Regularisation) -> Mixture:
    """The M-step: moments about ``means`` (K, D) -> the mixture that they make most likely."""
    totals = moments.totals + 10 * np.finfo(float).eps  # a component that lost all its rows stays where it was
    shift = moments.first / totals[:, None]
    covariances = structure.estimate(moments.scatter, shift, totals, regular)
    return Mixture(structure, totals / totals.sum(), means + shift, covariances)


class Approximation(Protocol):
    """An E-step that is faster and rounds more."""

    def resolve(self, mixture: Mixture) -> bool:
        """Whether it is good enough for a mixture."""

    def __call__(self, mixture: Mixture) -> Moments:
        """The sums, nearly."""


def climb(
    expected: Callable[[Mixture], Moments],
    start: Mixture,
    steps: int,
    tolerance: float,
    regular: Regularisation,
    approximation: Approximation | None = None,
) -> tuple[Mixture, list[float]]:
    """EM from ``start`` until the mean log-likelihood rises by less than ``tolerance`` nats, or ``steps`` are done.

    ``expected`` is the E-step over the rows at hand. ``approximation`` takes its place while the likelihood rises fast;
    the last step is never one of its. Returns the mixture and, for each step, the mean log-likelihood (nats a row) of
    the mixture that it began with.
    """
    mixture, trace = start, []
    for left in reversed(range(steps)):
        if left == 0 or (approximation and not approximation.resolve(mixture)):
            approximation = None
        moments = (approximation or expected)(mixture)
        mixture = maximise(mixture.structure, moments, mixture.means, regular)
        trace.append(moments.log_likelihood / moments.totals.sum())
        rise = abs(trace[-1] - trace[-2]) if len(trace) > 1 else np.inf
        if approximation and rise < max(_STEEP, tolerance):
            approximation = None
        elif rise < tolerance:
            break
    return mixture, trace
