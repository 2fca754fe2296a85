r"""Regression by conditioning a joint density of features and target.

.. math:: p(y \mid x) = \sum_k p(k \mid x) \, N(y; \mu_{k,y} + B_k (x - \mu_{k,x}), \sigma_{k,y \mid x}^2)

Ghahramani and Jordan, "Supervised learning from incomplete data via an EM approach" (NIPS 1993); Sung (2004). Missing
features are marginalised exactly.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np
from scipy.special import logsumexp

from versus.arrays import Array, Measure
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.models.arguments import Model
from versus.models.classical_generative.mixture import GaussianMixture
from versus.models.events import columns_measure, numeric_part
from versus.models.predictive_mixtures import PredictsByMixture, target_values
from versus.numerics.covariances import structure
from versus.numerics.missing import conditional, patterns
from versus.numerics.mixtures import Mixture


class JointRegression(PredictsByMixture, Model):
    """A mixture of normals over the numbers of x and y, conditioned on x.

    Learned: ``schema_`` and ``joint_``, a `GaussianMixture`.
    """

    joint_: GaussianMixture

    @property
    def measure(self) -> Measure:
        """Reference measure of x: "continuous", "discrete", or "mixed" where it has both kinds of columns."""
        return columns_measure(getattr(self, "schema_", None) or self.schema)

    def new_joint(self) -> GaussianMixture:
        """Build an unfitted density of the columns of x and, last, y."""
        raise NotImplementedError

    def fit_joint(self, X: Array, target: Array, weights: Array | None) -> None:
        """Learn the joint density from X (N, *event), the target (N,) and weights (N,), if any."""
        raise NotImplementedError

    def components(self, X: Array) -> tuple[Array, Array, Array]:
        """Log p(x, k) (N, K) nats, means and standard deviations (N, K) of p(y | x, k)."""
        raise NotImplementedError

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> Self:
        """Learn the joint density from X (N, *event) and y (N,); a row of weight 2 counts as two.

        Raises:
            ValueError: where y is missing or has another length than X.
        """
        target = target_values(type(self).__name__, X, y)
        self.schema_ = self.schema or Schema.of(X, target)
        self.fit_joint(X, target, sample_weight)
        self._restore()
        return self

    def _joint_over(self, columns: tuple[Column, ...]) -> GaussianMixture:
        joint = self.new_joint()
        joint.schema = replace(self.schema_, x=Table((*columns, Column("y"))))
        return joint

    def _number_columns(self) -> tuple[Column, ...]:
        return tuple(Column(f"x{d}") for d in range(numeric_part(self.schema_).n_features))

    def _restore(self) -> None:
        """Derive the marginal density of x, which every method needs."""
        mixture, covariances = self.joint_.mixture_, self.joint_.mixture_.expanded()
        self.features_ = Mixture(structure("full"), mixture.weights, mixture.means[:, :-1], covariances[:, :-1, :-1])

    def _components_of_numbers(self, rows: Array) -> tuple[Array, Array, Array]:
        """`components` of rows (N, D) of numbers."""
        mixture = self.joint_.mixture_
        covariances, target = mixture.expanded(), np.array([rows.shape[1]])
        joint = self.features_.component_log_density(rows).T + np.log(mixture.weights)
        means, deviations = np.empty(joint.shape), np.empty(joint.shape)
        for columns, where in patterns(rows):
            for k, mean in enumerate(mixture.means):
                slopes, variance = conditional(covariances[k], columns, target)
                means[where, k] = mean[-1] + (rows[where[:, None], columns] - mean[columns]) @ slopes[0]
                deviations[where, k] = np.sqrt(variance[0, 0])
        return joint, means, deviations

    def condition(self, X: Array) -> tuple[Array, Array, Array]:
        """p(y | x) as K normals for each row of X (N, *event): log-weights, means and deviations, (N, K) each."""
        joint, means, deviations = self.components(X)
        return joint - logsumexp(joint, axis=1, keepdims=True), means, deviations

    def log_prob(self, X: Array) -> Array:
        """Log p(x) of the observed features, (N, *event) -> (N,) nats."""
        return np.asarray(logsumexp(self.components(X)[0], axis=1))

    def sample_pairs(self, n: int, random_state: int | None = None) -> tuple[Array, Array]:
        """Draw ``n`` pairs: features (n, *event) and targets (n,)."""
        rows = self.joint_.sample(n, random_state=random_state)
        return rows[:, :-1].reshape(n, *self.schema_.shape), rows[:, -1]

    def get_arrays(self) -> dict[str, Array]:
        """The joint density's arrays."""
        return self.joint_.get_arrays()
