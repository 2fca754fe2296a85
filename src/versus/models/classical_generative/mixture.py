r"""Gaussian mixtures, one for each class.

.. math:: p(x \mid y) = \sum_{k} \pi_{yk} \, N(x; \mu_{yk}, \Sigma_{yk})

Hastie and Tibshirani, "Discriminant analysis by Gaussian mixtures" (1996). Fitted by EM; missing values are
marginalised exactly, when fitting too.
"""

from __future__ import annotations

from typing import Literal

from versus.data.schema import Schema
from versus.models.bayes import BayesClassifier
from versus.numerics.gaussian_mixture import GaussianMixture

__all__ = ["GaussianMixtureClassifier"]


class GaussianMixtureClassifier(BayesClassifier):
    """One Gaussian mixture for each class; arguments as `GaussianMixture`'s, and a prior over the classes.

    Args:
        components: number of normals in each class.
        covariance: "full", "tied" (within a class), "diagonal" or "spherical".
        starts: how many k-means++ starts are climbed from; the most likely result is kept.
        steps: EM steps at most.
        tolerance: EM ends when the mean log-likelihood rises by less, nats a row.
        pseudo_counts: rows' worth of belief that a component is as wide as its class and its columns uncorrelated;
            0 is maximum likelihood, "auto" Fraley and Raftery's 2 more than the columns that a covariance joins.
        variance_floor: added to each variance, as a fraction of the column's variance in the class.
        prior: "empirical" (Laplace-smoothed class frequencies) or "uniform".
        device: "auto", "cpu" or "cuda".
        schema: what the data look like; inferred where None.
        random_state: seed of the starts and of the spreading of pixels.
    """

    def __init__(
        self,
        components: int = 4,
        covariance: Literal["full", "tied", "diagonal", "spherical"] = "full",
        starts: int = 1,
        steps: int = 200,
        tolerance: float = 1e-4,
        pseudo_counts: float | Literal["auto"] = "auto",
        variance_floor: float = 1e-6,
        prior: Literal["empirical", "uniform"] = "empirical",
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
        self.prior = prior
        self.device = device
        self.schema = schema
        self.random_state = random_state

    def new_density(self) -> GaussianMixture:
        """An unfitted mixture for one class."""
        return GaussianMixture(
            components=self.components,
            covariance=self.covariance,
            starts=self.starts,
            steps=self.steps,
            tolerance=self.tolerance,
            pseudo_counts=self.pseudo_counts,
            variance_floor=self.variance_floor,
            device=self.device,
        )
