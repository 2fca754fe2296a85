r"""Regression by conditioning a joint density of features and target.

.. math:: p(y \mid x) = \sum_k p(k \mid x) \, N(y; \mu_{k,y} + B_k (x - \mu_{k,x}), \sigma_{k,y \mid x}^2)

One component is the joint normal, whose conditional mean is linear regression; more are Gaussian mixture regression:
Ghahramani and Jordan, "Supervised learning from incomplete data via an EM approach" (NIPS 1993); Sung (2004). Missing
features are marginalised exactly.
"""

from __future__ import annotations

from typing import Literal

from versus.data.schema import Schema
from versus.numerics.gaussian_mixture import GaussianMixture
from versus.numerics.joint_regression import JointRegression

__all__ = ["GaussianMixtureRegression", "GaussianRegression"]


class GaussianRegression(JointRegression):
    """Features and target are jointly normal: E[y | x] is that of least squares.

    Args:
        pseudo_counts: rows' worth of belief that the columns are uncorrelated; 0 is maximum likelihood.
        variance_floor: added to each variance, as a fraction of the column's variance.
        schema: what the data look like; inferred where None.
    """

    def __init__(self, pseudo_counts: float = 0.0, variance_floor: float = 1e-9, schema: Schema | None = None) -> None:
        self.pseudo_counts = pseudo_counts
        self.variance_floor = variance_floor
        self.schema = schema

    def new_joint(self) -> GaussianMixture:
        """One normal."""
        return GaussianMixture(
            components=1, pseudo_counts=self.pseudo_counts, variance_floor=self.variance_floor, random_state=0
        )


class GaussianMixtureRegression(JointRegression):
    """Features and target are jointly a mixture of normals.

    Args:
        components: number of normals.
        covariance: "full" or "tied"; within components without correlation x would say nothing of y.
        starts: how many k-means++ starts are climbed from; the most likely result is kept.
        steps: EM steps at most.
        tolerance: EM ends when the mean log-likelihood rises by less, nats a row.
        pseudo_counts: rows' worth of belief that a component is as wide as all the data and its columns uncorrelated;
            0 is maximum likelihood, and many widen the intervals where x says nearly all about y.
        variance_floor: added to each variance, as a fraction of the column's variance.
        device: "auto", "cpu" or "cuda".
        schema: what the data look like; inferred where None.
        random_state: seed of the starts.
    """

    def __init__(
        self,
        components: int = 3,
        covariance: Literal["full", "tied"] = "full",
        starts: int = 1,
        steps: int = 200,
        tolerance: float = 1e-4,
        pseudo_counts: float = 0.1,
        variance_floor: float = 1e-6,
        device: str = "auto",
        schema: Schema | None = None,
        random_state: int | None = None,
    ) -> None:
        self.components = components
        self.covariance = covariance
        self.starts = starts
        self.steps = steps
        self.tolerance = tolerance
        self.pseudo_counts = pseudo_counts
        self.variance_floor = variance_floor
        self.device = device
        self.schema = schema
        self.random_state = random_state

    def new_joint(self) -> GaussianMixture:
        """The unfitted mixture."""
        if self.covariance not in ("full", "tied"):
            raise ValueError(f"covariance={self.covariance!r}; accepted are 'full' and 'tied'")
        return GaussianMixture(
            components=self.components,
            covariance=self.covariance,
            starts=self.starts,
            steps=self.steps,
            tolerance=self.tolerance,
            pseudo_counts=self.pseudo_counts,
            variance_floor=self.variance_floor,
            device=self.device,
            random_state=self.random_state,
        )
