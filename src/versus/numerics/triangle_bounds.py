r"""The E-step without the components that cannot matter to a row, which late in a climb is most of them.

A step of EM moves a component from :math:`(m, L)` to :math:`(m', L')`, and the whitened difference of a row from
:math:`u = L^{-1}(x - m)` to :math:`u' = M (u - d)` with :math:`M = L'^{-1} L` and :math:`d = L^{-1} (m' - m)`. So by
the triangle inequality

.. math:: (1 - e)\,(\lVert u \rVert - \lVert d \rVert) \le \lVert u' \rVert
          \le (1 + e)\,(\lVert u \rVert + \lVert d \rVert), \qquad e = \lVert M - I \rVert_F .

Where the lower bound of one component's distance and the upper bound of another's leave the first less than 2^-60 of
the probability, its responsibility would be 0 anyway (`responsibilities`): it is not evaluated, and the sums are the
same. Elkan, "Using the triangle inequality to accelerate k-means" (2003), does this for hard assignments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from versus.arrays import Array
from versus.numerics.expectation_maximisation import NEGLIGIBLE, Mixture, Moments, responsibilities, sum_over_slabs
from versus.numerics.full import FullNormals

_FEW = 0.3  # share of the pairs of row and component up to which it pays to gather them
_SLACK = 1e-6  # of a lower bound that is given away in each step for what float32 rounds


@dataclass(frozen=True)
class _Step:
    """The mixture of one step, and how its components moved since the step before."""

    mixture: Mixture
    normals: FullNormals
    offsets: Array  # (K,) nats, what a joint log-density is at its component's mean
    shift: Array  # (K,), |d|
    stretch: Array  # (K,), e


class BoundedMoments:
    """`expected_moments` over rows (N, D), float64, no NaN, for mixtures of full covariances that follow one another.

    The sums are right for any mixtures; they come fast where each is near the one before. A lower bound of every row's
    distance to every component is kept, as float32.
    """

    def __init__(self, rows: Array) -> None:
        self.rows = rows
        self._before: FullNormals | None = None  # the components of the last call

    def _forget(self, normals: FullNormals) -> None:
        """Begin with bounds that exclude nothing."""
        self._before = normals
        self._nearest = np.zeros((normals.shape[0], len(self.rows)), np.float32)  # lower bounds of distances
        self._best = np.zeros(len(self.rows), np.intp)  # the most probable component
        self._distance = np.full(len(self.rows), np.inf)  # to the most probable component

    def __call__(self, mixture: Mixture) -> Moments:
        """The sums that the M-step needs."""
        normals = mixture.normals
        assert isinstance(normals, FullNormals)
        before = self._before
        if before is None or before.shape != normals.shape:
            before = normals
            self._forget(normals)
        shift = np.einsum("kij,kj->ki", before.inverse, normals.means - before.means)
        change = normals.inverse @ before.lower - np.eye(normals.shape[1])
        step = _Step(
            mixture,
            normals,
            normals.constants + np.log(mixture.weights),
            np.linalg.norm(shift, axis=1),
            np.linalg.norm(change, axis=(1, 2)),
        )
        self._before = normals
        return sum_over_slabs(lambda slab: self._moments(slab, step), self.rows, mixture)

    def _moments(self, slab: slice, step: _Step) -> Moments:
        contending = self._contending(slab, step)
        if contending.mean() <= _FEW:
            return self._moments_of(contending, slab, step)
        rows = self.rows[slab]
        joint = step.normals.evaluate(rows) + np.log(step.mixture.weights)[:, None]
        self._nearest[:, slab] = np.sqrt(np.maximum(2 * (step.offsets[:, None] - joint), 0.0))
        posterior, log_likelihood = self._responsibilities(joint, slab, step)
        first, scatter = step.mixture.structure.scatter(rows, posterior, step.mixture.means)
        return Moments(posterior.sum(axis=1), first, scatter, log_likelihood)

    def _contending(self, slab: slice, step: _Step) -> Array:
        """Which components may matter to which rows, (K, n); moves the lower bounds on."""
        best, nearest = self._best[slab], self._nearest[:, slab]
        farthest = (1 + step.stretch[best]) * (self._distance[slab] + step.shift[best])
        enough = step.offsets[best] - 0.5 * farthest**2 + NEGLIGIBLE
        nearest -= step.shift[:, None]
        nearest *= np.maximum(1 - step.stretch - _SLACK, 0.0)[:, None]
        np.maximum(nearest, 0.0, out=nearest)
        most = step.offsets[:, None] - 0.5 * nearest.astype(np.float64) ** 2
        contending: Array = most > enough
        return contending

    def _moments_of(self, contending: Array, slab: slice, step: _Step) -> Moments:
        """The sums from some pairs of component and row (K, n); a row is gathered once for both steps of EM."""
        rows, means, nearest = self.rows[slab], step.mixture.means, self._nearest[:, slab]
        joint = np.full(contending.shape, -np.inf)
        gathered = []
        for k, inverse in enumerate(step.normals.inverse):
            own = np.flatnonzero(contending[k])
            x = rows.take(own, axis=0)
            x -= means[k]
            whitened = x @ inverse.T
            squared = np.einsum("nd,nd->n", whitened, whitened)
            joint[k, own] = step.offsets[k] - 0.5 * squared
            nearest[k, own] = np.sqrt(squared)
            gathered.append((own, x))
        posterior, log_likelihood = self._responsibilities(joint, slab, step)
        first, scatter = np.empty(means.shape), np.empty((*means.shape, means.shape[1]))
        for k, (own, x) in enumerate(gathered):
            weight = posterior[k, own]
            first[k] = weight @ x
            x *= np.sqrt(weight)[:, None]
            scatter[k] = x.T @ x
        return Moments(posterior.sum(axis=1), first, scatter, log_likelihood)

    def _responsibilities(self, joint: Array, slab: slice, step: _Step) -> tuple[Array, float]:
        """As `responsibilities`; keeps which component is the most probable one, and how far it is."""
        best = joint.argmax(axis=0)
        self._best[slab] = best
        below = step.offsets[best] - joint[best, np.arange(len(best))]
        self._distance[slab] = np.sqrt(2 * np.maximum(below, 0.0))
        return responsibilities(joint)
