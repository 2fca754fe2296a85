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

from versus.arrays import Array, Labels, Measure
from versus.models.arguments import NonNegative, Positive
from versus.models.bayes import ClassConditionalDensity
from versus.models.checks import check_shape
from versus.models.events import as_rows, dequantised_rows, require_numeric, stored_events, working_type
from versus.numerics.categorical_factors import CategoricalFactors, check_codes, fit_categorical
from versus.numerics.class_moments import class_moments, least_variances, scaled_variances
from versus.numerics.machine import map_slabs
from versus.numerics.normals import DiagonalNormals

__all__ = ["GaussianNaiveBayes", "MixedNaiveBayes"]

_SLAB, _SLABS = 2048, 16  # a thread's share: rows at least, and shares at most


@dataclass(eq=False)
class GaussianNaiveBayes(ClassConditionalDensity):
    """Normal columns within each class. Rows of float32 and bytes are computed in float32.

    Learned: ``means_`` (K, D) and ``variances_`` (K, D).

    Args:
        var_smoothing: added to each variance, as a fraction of the column's variance in all rows.
        random_state: seed of the dequantisation of pixels.
    """

    measure: ClassVar[Measure] = "continuous"
    learned: ClassVar[tuple[str, ...]] = ("means", "variances")

    var_smoothing: NonNegative = 1e-9
    random_state: int | None = None

    def fit_density(self, X: Array, y: Labels) -> None:
        """Estimate mean and variance of each column in each class, in one pass."""
        require_numeric("GaussianNaiveBayes", self.schema_)
        rng = np.random.default_rng(self.random_state)
        rows = dequantised_rows(X, self.schema_, rng, working_type(X, self.schema_))
        self.means_, self.variances_ = smoothed_moments(rows, y, self.schema_.n_classes, self.var_smoothing)
        self.restore()

    def log_likelihoods(self, X: Array) -> Array:
        """Log p(x | y) of the observed features for every class, (N, *event) -> (N, K) nats."""
        return log_densities(self.normals_, as_rows(X, self.schema_, working_type(X, self.schema_)))

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw ``n`` events of one class, (n, *event)."""
        rows = rng.normal(self.means_[label], np.sqrt(self.variances_[label]), size=(n, self.schema_.n_features))
        return stored_events(rows, self.schema_)

    def restore(self) -> None:
        """Check shapes and precompute the matrices of the densities."""
        shape = (self.schema_.n_classes, self.schema_.n_features)
        check_shape({"means": self.means_}, "means", shape)
        check_shape({"variances": self.variances_}, "variances", shape)
        self.normals_ = DiagonalNormals(self.means_, self.variances_)


@dataclass(eq=False)
class MixedNaiveBayes(ClassConditionalDensity):
    """Normal numeric and multinoulli categorical columns within each class, as the schema says.

    Learned: ``means_`` and ``variances_`` (K, numeric columns), ``log_probabilities_`` (K, sum of categories).

    Args:
        alpha: added to the count of each category (Laplace: 1).
        var_smoothing: added to each variance, as a fraction of the column's variance in all rows.
        random_state: seed of the dequantisation of pixels.
    """

    learned: ClassVar[tuple[str, ...]] = ("means", "variances", "log_probabilities")

    alpha: Positive = 1.0
    var_smoothing: NonNegative = 1e-9
    random_state: int | None = None

    @property
    def measure(self) -> Measure:  # type: ignore[override]  # the data's columns decide
        """Reference measure: "continuous", "discrete", or "mixed" where the data have both kinds of columns."""
        schema = getattr(self, "schema_", None) or self.schema
        sizes = schema.cardinalities if schema else (0,)
        return "discrete" if all(sizes) else "mixed" if any(sizes) else "continuous"

    def fit_density(self, X: Array, y: Labels) -> None:
        """Estimate moments of the numeric columns and frequencies of the categories, in each class."""
        rng = np.random.default_rng(self.random_state)
        numeric, codes = self._split(dequantised_rows(X, self.schema_, rng, working_type(X, self.schema_)))
        n_classes = self.schema_.n_classes
        self.means_, self.variances_ = smoothed_moments(numeric, y, n_classes, self.var_smoothing)
        factors = fit_categorical(codes, y, n_classes, self._cardinalities(), self.alpha)
        self.log_probabilities_ = factors.log_probabilities
        self.restore()

    def _is_categorical(self) -> Array:
        return np.array(self.schema_.cardinalities) > 0

    def _cardinalities(self) -> list[int]:
        return [size for size in self.schema_.cardinalities if size]

    def _split(self, rows: Array) -> tuple[Array, Array]:
        """Split rows into numeric columns and checked codes."""
        categorical = self._is_categorical()
        if not categorical.any():
            return rows, rows[:, :0]  # images are large: no copy
        names = [column.name for column in self.schema_.columns if column.categories is not None]
        codes = rows[:, categorical]
        check_codes(codes, self._cardinalities(), names)
        return rows[:, ~categorical], codes

    def log_likelihoods(self, X: Array) -> Array:
        """Log p(x | y) of the observed columns for every class, (N, *event) -> (N, K) nats."""
        numeric, codes = self._split(as_rows(X, self.schema_, working_type(X, self.schema_)))
        return log_densities(self.normals_, numeric) + self.factors_.log_density(codes)

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw ``n`` events of one class, (n, *event)."""
        categorical = self._is_categorical()
        rows = np.empty((n, len(categorical)))
        spread = np.sqrt(self.variances_[label])
        rows[:, ~categorical] = rng.normal(self.means_[label], spread, size=(n, len(spread)))
        rows[:, categorical] = self.factors_.draw(label, n, rng)
        return stored_events(rows, self.schema_)

    def restore(self) -> None:
        """Check shapes and precompute the terms of the densities."""
        n_classes, sizes = self.schema_.n_classes, self._cardinalities()
        numeric = (n_classes, self.schema_.n_features - len(sizes))
        check_shape({"means": self.means_}, "means", numeric)
        check_shape({"variances": self.variances_}, "variances", numeric)
        check_shape({"log_probabilities": self.log_probabilities_}, "log_probabilities", (n_classes, sum(sizes)))
        self.normals_ = DiagonalNormals(self.means_, self.variances_)
        self.factors_ = CategoricalFactors(sizes, self.log_probabilities_)


def smoothed_moments(rows: Array, y: Labels, n_classes: int, fraction: float) -> tuple[Array, Array]:
    """Means and variances (K, D) of rows (N, D), raised by a fraction of the column's own."""
    moments = class_moments(rows, y, n_classes).filled()
    variances = np.maximum(moments.variances, least_variances(rows, moments))
    return moments.means, variances + scaled_variances(moments.pooled(), fraction)


def log_densities(normals: DiagonalNormals, rows: Array) -> Array:
    """Log-densities, (N, D) -> (N, K) nats, over all cores."""
    out = np.empty((len(rows), len(normals.constants)))

    def work(slab: slice) -> None:
        out[slab] = normals.log_density(rows[slab]).T

    map_slabs(work, len(rows), max(_SLAB, len(rows) // _SLABS))
    return out
