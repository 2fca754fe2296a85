r"""Baselines of generative models: columns, or the tokens of a text, that are independent of each other.

.. math:: p(x, y) = p(y) \prod_d p(x_d), \qquad p(x \mid T) = \prod_t p(x_t)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from versus.arrays import Array, Labels, Measure
from versus.data.targets import Classes
from versus.models.arguments import NonNegative, Positive
from versus.models.bayes import ClassConditionalDensity
from versus.models.classical_generative.markov_chain import SequenceDensity
from versus.models.classical_generative.naive_bayes import MixedNaiveBayes

__all__ = ["Marginals", "Unigrams"]


@dataclass(eq=False)
class Marginals(ClassConditionalDensity):
    """Each column's own distribution, normal or multinoulli, whatever the class; predicts the prior.

    Learned: ``columns_``, a `MixedNaiveBayes` with a single class.

    Args:
        alpha: added to the count of each category (Laplace: 1).
        var_smoothing: added to each variance, as a fraction of the column's variance.
        random_state: seed of the dequantisation of pixels.
    """

    alpha: Positive = 1.0
    var_smoothing: NonNegative = 1e-9
    random_state: int | None = None

    @property
    def measure(self) -> Measure:  # type: ignore[override]  # the data's columns decide
        """Reference measure: "continuous", "discrete", or "mixed" where the data have both kinds of columns."""
        return MixedNaiveBayes(schema=getattr(self, "schema_", None) or self.schema).measure

    def _single_class(self) -> MixedNaiveBayes:
        schema = replace(self.schema_, y=Classes(("all",)))
        return MixedNaiveBayes(self.var_smoothing, self.random_state, alpha=self.alpha, schema=schema)

    def fit_density(self, X: Array, y: Labels, weights: Array | None) -> None:
        """Estimate the moments or frequencies of each column over all rows."""
        self.columns_ = self._single_class().fit(X, np.zeros_like(y), weights)

    def log_likelihoods(self, X: Array) -> Array:
        """Log p(x) of the observed columns, the same for every class, (N, *event) -> (N, K) nats."""
        return np.repeat(self.columns_.log_likelihoods(X), self.schema_.n_classes, axis=1)

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw ``n`` events, (n, *event)."""
        return self.columns_.draw(0, n, rng)

    def get_arrays(self) -> dict[str, Array]:
        """The prior, and the arrays of the columns' distributions."""
        return self.columns_.get_arrays() | {"log_prior": self.log_prior_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        super().set_arrays({name: array for name, array in arrays.items() if name == "log_prior"})
        self.columns_ = self._single_class()
        self.columns_.set_arrays({**arrays, "log_prior": np.zeros(1)})


@dataclass(eq=False)
class Unigrams(SequenceDensity):
    """Tokens that depend on nothing before them."""

    def longest(self) -> int:
        """Length of the longest n-grams: single tokens."""
        return 1
