r"""Baseline of generative models: columns that are independent of each other and of the class.

.. math:: p(x, y) = p(y) \prod_d p(x_d)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from versus.arrays import Array, Labels, Measure
from versus.data.targets import Classes
from versus.models.arguments import NonNegative, Positive
from versus.models.bayes import ClassConditionalDensity
from versus.models.classical_generative.naive_bayes import MixedNaiveBayes

__all__ = ["Marginals"]


@dataclass(eq=False)
class Marginals(ClassConditionalDensity):
    """Each column's own distribution, normal or multinoulli, whatever the class; predicts the prior.

    Learned: those of `MixedNaiveBayes` with a single class: ``means_``, ``variances_``, ``log_probabilities_``.

    Args:
        alpha: added to the count of each category (Laplace: 1).
        var_smoothing: added to each variance, as a fraction of the column's variance.
        random_state: seed of the dequantisation of pixels.
    """

    learned: ClassVar[tuple[str, ...]] = ("means", "variances", "log_probabilities")

    alpha: Positive = 1.0
    var_smoothing: NonNegative = 1e-9
    random_state: int | None = None

    @property
    def measure(self) -> Measure:  # type: ignore[override]  # the data's columns decide
        """Reference measure: "continuous", "discrete", or "mixed" where the data have both kinds of columns."""
        return MixedNaiveBayes(schema=getattr(self, "schema_", None) or self.schema).measure

    def _single_class(self) -> MixedNaiveBayes:
        schema = replace(self.schema_, y=Classes(("all",)))
        return MixedNaiveBayes(self.alpha, self.var_smoothing, schema=schema, random_state=self.random_state)

    def fit_density(self, X: Array, y: Labels) -> None:
        """Estimate the moments or frequencies of each column over all rows."""
        self.columns_ = self._single_class().fit(X, np.zeros_like(y))
        for name in self.learned:
            setattr(self, f"{name}_", getattr(self.columns_, f"{name}_"))

    def log_likelihoods(self, X: Array) -> Array:
        """Log p(x) of the observed columns, the same for every class, (N, *event) -> (N, K) nats."""
        return np.repeat(self.columns_.log_likelihoods(X), self.schema_.n_classes, axis=1)

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw ``n`` events, (n, *event)."""
        return self.columns_.draw(0, n, rng)

    def restore(self) -> None:
        """Check shapes and precompute the terms of the densities."""
        self.columns_ = self._single_class()
        self.columns_.set_arrays(
            {"log_prior": np.zeros(1)} | {name: getattr(self, f"{name}_") for name in self.learned}
        )
