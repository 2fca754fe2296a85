r"""Naive Bayes for categories and for bits, also those of documents: the words that one has.

.. math:: p(x \mid y) = \prod_d \theta_{y d x_d}, \qquad
          p(x \mid y) = \prod_d \theta_{yd}^{x_d} (1 - \theta_{yd})^{1 - x_d}

Mitchell, *Machine Learning* (1997), chapter 6; McCallum and Nigam, "A comparison of event models for naive Bayes text
classification" (1998). Missing columns drop out of the product: the exact marginal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from versus.arrays import Array, Events, Labels, Measure, Ragged
from versus.data.schema import Schema
from versus.data.spaces import Image, Tokens
from versus.models.arguments import Between, Positive, SearchSpace
from versus.models.bayes import ClassConditionalDensity
from versus.models.checks import check_shape
from versus.models.classical_generative.naive_bayes_counts import CountedDensity
from versus.models.counts import RowCounts, TokenCounts
from versus.models.events import binary_rows, raw_rows, stored_events
from versus.numerics.categorical_factors import CategoricalFactors, check_codes, fit_categorical

__all__ = ["BernoulliNaiveBayes", "CategoricalNaiveBayes"]


@dataclass(eq=False)
class CategoricalNaiveBayes(ClassConditionalDensity):
    """Categorical columns. Learned: ``log_probabilities_`` (K, categories of all columns side by side).

    Args:
        alpha: added to the count of each category (Laplace: 1).
        schema: form of the data; required, as arrays do not tell which columns are categorical.
    """

    search_space: ClassVar[SearchSpace] = {"alpha": Between(1e-2, 100.0)}

    measure: ClassVar[Measure] = "discrete"
    learned: ClassVar[tuple[str, ...]] = ("log_probabilities",)

    alpha: Positive = 1.0

    def fit_density(self, X: Array, y: Labels, weights: Array | None) -> None:
        """Estimate smoothed frequencies of each column's categories in each class."""
        sizes = self.schema_.cardinalities
        if not all(sizes):
            names = [c.name for c in self.schema_.columns if c.categories is None] or ["pixels"]
            raise ValueError(
                f"CategoricalNaiveBayes takes categorical columns alone and {', '.join(names)} are numeric; "
                "MixedNaiveBayes takes both kinds"
            )
        factors = fit_categorical(self._codes(X), y, self.schema_.n_classes, sizes, self.alpha, weights)
        self.log_probabilities_ = factors.log_probabilities
        self.restore()

    def _codes(self, X: Array) -> Array:
        codes = raw_rows(X, self.schema_).astype(np.float64, copy=False)
        check_codes(codes, self.schema_.cardinalities, [column.name for column in self.schema_.columns])
        return codes

    def log_likelihoods(self, X: Array) -> Array:
        """Log p(x | y) of the observed columns for every class, (N, D) -> (N, K) nats."""
        return self.factors_.log_density(self._codes(X))

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw ``n`` rows of codes of one class, (n, D)."""
        return self.factors_.draw(label, n, rng)

    def restore(self) -> None:
        """Check shapes and precompute the terms of the densities."""
        sizes = self.schema_.cardinalities
        shape = (self.schema_.n_classes, sum(sizes))
        check_shape({"log_probabilities": self.log_probabilities_}, "log_probabilities", shape)
        self.factors_ = CategoricalFactors(sizes, self.log_probabilities_)


@dataclass(eq=False)
class BernoulliNaiveBayes(CountedDensity):
    """Binary features: columns of 0 and 1 or of two categories, pixels, which count as 1 from half up, and documents.

    A document is the set of known tokens that it has; samples name each of them once, in the order of the vocabulary.
    Samples of images are black and white. Learned: ``probabilities_`` (K, D), of a 1.

    Args:
        alpha: added to the counts of 0 and of 1 (Laplace: 1).
    """

    search_space: ClassVar[SearchSpace] = {"alpha": Between(1e-2, 100.0)}

    learned: ClassVar[tuple[str, ...]] = ("probabilities",)

    alpha: Positive = 1.0

    @property
    def measure(self) -> Measure:  # type: ignore[override]  # the data decide
        """Reference measure: "binarised" for images and documents, else "discrete"."""
        schema = getattr(self, "schema_", None) or self.schema
        return "binarised" if schema and isinstance(schema.x, Image | Tokens) else "discrete"

    def new_counts(self, schema: Schema) -> Any:
        """Build the converter of events to bits."""
        if isinstance(schema.x, Tokens):
            return TokenCounts(schema, self.min_df, self.max_features, binary=True)
        return _BitRows(schema, type(self).__name__)

    def fit_density(self, X: Events, y: Labels, weights: Array | None) -> None:
        """Estimate smoothed frequencies of 1 in each class."""
        self.counts_ = self.new_counts(self.schema_).fit(X)
        bits = self.counts_.transform(X)
        members = (np.arange(self.schema_.n_classes)[:, None] == y) * (1.0 if weights is None else weights)
        if isinstance(bits, np.ndarray):
            ones, seen = members @ np.nan_to_num(bits), members @ (~np.isnan(bits)).astype(np.float64)
        else:
            ones, seen = members @ bits, members.sum(axis=1, keepdims=True)
        self.probabilities_ = np.ascontiguousarray((ones + self.alpha) / (seen + 2 * self.alpha))
        self.restore()

    def log_likelihoods(self, X: Events) -> Array:
        """Log p(x | y) of the observed features for every class, (N, *event) -> (N, K) nats."""
        bits = self.counts_.transform(X)
        log_zeros = np.log1p(-self.probabilities_)
        log_odds = np.log(self.probabilities_) - log_zeros
        if isinstance(bits, np.ndarray):
            log_density: Array = np.nan_to_num(bits) @ log_odds.T + ~np.isnan(bits) @ log_zeros.T
        else:
            log_density = bits @ log_odds.T + log_zeros.sum(axis=1)
        return log_density

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Events:
        """Draw ``n`` events of one class, (n, *event)."""
        p = self.probabilities_[label]
        bits = rng.random((n, len(p))) < p
        if isinstance(self.schema_.x, Tokens):
            return Ragged.cut(self.counts_.known_[np.nonzero(bits)[1]].astype(np.int32), bits.sum(axis=1))
        return stored_events(bits * ((self.schema_.levels or 2) - 1.0), self.schema_)

    def restore(self) -> None:
        """Check shapes."""
        shape = (self.schema_.n_classes, self.counts_.n_columns)
        check_shape({"probabilities": self.probabilities_}, "probabilities", shape)


class _BitRows(RowCounts):
    """Events whose columns or pixels are read as bits: (N, *event) -> (N, D) of 0, 1 and NaN."""

    def fit(self, X: Array) -> Self:
        """Learn nothing."""
        return self

    def transform(self, X: Array) -> Array:
        """Convert events to bits.

        Raises:
            ValueError: naming the column and the value that is not 0 or 1.
        """
        return binary_rows("BernoulliNaiveBayes", X, self.schema)
