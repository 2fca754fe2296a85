r"""Naive Bayes: columns that are independent within each class.

.. math:: p(x \mid y) = \prod_d p(x_d \mid y)

Numeric columns are normal, categorical ones multinoulli. Hand and Yu, "Idiot's Bayes: not so stupid after all?" (2001).
Missing columns drop out of the product: the exact marginal. Columns of counts, of bits and of categories alone have
models of their own in `versus.models.classical_generative.naive_bayes_discrete`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from versus.arrays import Array, Labels
from versus.models.arguments import Between, NonNegative, SearchSpace, SpecialCases
from versus.models.checks import check_shape
from versus.models.class_densities import MixedDensity
from versus.models.events import as_rows, dequantised_rows, stored_events, working_type
from versus.numerics.class_moments import ClassMoments, class_moments, least_variances, scaled_variances
from versus.numerics.machine import map_slabs
from versus.numerics.normals import DiagonalNormals

__all__ = ["GaussianNaiveBayes", "MixedNaiveBayes"]

_SLAB, _SLABS = 2048, 16  # a thread's share: rows at least, and shares at most


@dataclass(eq=False)
class GaussianNaiveBayes(MixedDensity):
    """Normal columns within each class, and multinoulli ones. Rows of float32 and bytes are computed in float32.

    Learned: ``means_`` and ``variances_`` (K, numeric columns), and what `MixedDensity` does.

    Args:
        var_smoothing: added to each variance, as a fraction of the column's variance in all rows.
        random_state: seed of the dequantisation of pixels.
    """

    search_space: ClassVar[SearchSpace] = {"var_smoothing": Between(1e-6, 10.0)}

    learned: ClassVar[tuple[str, ...]] = ("means", "variances")
    special_cases: ClassVar[SpecialCases] = (({}, "Marginals", {}),)

    var_smoothing: NonNegative = 1e-9
    random_state: int | None = None

    def fit_numbers(self, X: Array, y: Labels, weights: Array | None) -> None:
        """Estimate mean and variance of each column in each class, in one pass."""
        rng = np.random.default_rng(self.random_state)
        rows = dequantised_rows(X, self.numbers, rng, working_type(X, self.numbers))
        moments = class_moments(rows, y, self.numbers.n_classes, weights).filled()
        self.means_, self.variances_ = smoothed_moments(rows, moments, self.var_smoothing)

    def numbers_log_likelihoods(self, X: Array) -> Array:
        """Log p(numbers | y) of those observed for every class, (N, *event) -> (N, K) nats."""
        return log_densities(self.normals_, as_rows(X, self.numbers, working_type(X, self.numbers)))

    def draw_numbers(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw the numbers of ``n`` events of one class, (n, *event)."""
        rows = rng.normal(self.means_[label], np.sqrt(self.variances_[label]), size=(n, self.numbers.n_features))
        return stored_events(rows, self.numbers)

    def restore_numbers(self) -> None:
        """Check shapes and precompute the matrices of the densities."""
        shape = (self.numbers.n_classes, self.numbers.n_features)
        check_shape({"means": self.means_}, "means", shape)
        check_shape({"variances": self.variances_}, "variances", shape)
        self.normals_ = DiagonalNormals(self.means_, self.variances_)


class MixedNaiveBayes(GaussianNaiveBayes):
    """Normal numeric and multinoulli categorical columns within each class; arguments of `GaussianNaiveBayes`."""


def smoothed_moments(rows: Array, moments: ClassMoments, fraction: float) -> tuple[Array, Array]:
    """Means and variances (K, D) of rows (N, D), raised by a fraction of the column's own."""
    variances = np.maximum(moments.variances, least_variances(rows, moments))
    return moments.means, variances + scaled_variances(moments.pooled(), fraction)


def log_densities(normals: DiagonalNormals, rows: Array) -> Array:
    """Log-densities, (N, D) -> (N, K) nats, over all cores."""
    out = np.empty((len(rows), len(normals.constants)))

    def work(slab: slice) -> None:
        out[slab] = normals.log_density(rows[slab]).T

    map_slabs(work, len(rows), max(_SLAB, len(rows) // _SLABS))
    return out
