r"""Densities of each class over numbers and categories.

.. math:: p(x \mid y) = p(x_\text{numeric} \mid y) \prod_{d\ \text{categorical}} \theta_{y d x_d}

A table's categorical columns are independent of each other and of the numeric ones within a class, whatever the density
of the numeric ones is. All densities of one table are over the product of the same measures, Lebesgue's for its
numbers and counting for its categories, so that their likelihoods compare. Krzanowski, "The location model for mixtures
of categorical and continuous variables" (1993), has the model with a density for each combination of categories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from versus.arrays import Array, Labels, Measure
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.models.arguments import Positive
from versus.models.bayes import ClassConditionalDensity
from versus.models.checks import check_shape
from versus.models.events import columns_measure, numeric_part, split_columns, stored_events
from versus.numerics.categorical_factors import CategoricalFactors, fit_categorical
from versus.numerics.class_moments import class_moments, least_variances


@dataclass(eq=False, kw_only=True)
class MixedDensity(ClassConditionalDensity):
    """A density of an event's numbers, times the probability of each of its categories.

    A model defines ``fit_numbers``, ``numbers_log_likelihoods``, ``draw_numbers`` and ``restore_numbers`` for events of
    the form ``numbers``: tables without their categorical columns, all else as it is. Where all columns are
    categorical, none of the four is called, and what is left is naive Bayes. A missing category has probability 1.

    Learned: ``log_probabilities_`` (K, categories of all columns side by side), where there are any.

    Args:
        alpha: added to the count of each category (Laplace: 1).
    """

    alpha: Positive = 1.0

    def fit_numbers(self, X: Array, y: Labels, weights: Array | None) -> None:
        """Learn p(numbers | y) from X (N, *event) of the form ``numbers``, y (N,) and weights (N,), if any."""
        raise NotImplementedError

    def numbers_log_likelihoods(self, X: Array) -> Array:
        """Log p(numbers | y) for every class, (N, *event) -> (N, K) nats."""
        raise NotImplementedError

    def draw_numbers(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw the numbers of ``n`` events of one class, (n, *event)."""
        raise NotImplementedError

    def restore_numbers(self) -> None:
        """Check the learned attributes' shapes and rebuild what derives from them."""

    @property
    def numbers(self) -> Schema:
        """Form of the events without their categorical columns."""
        return numeric_part(self.schema_)

    @property
    def measure(self) -> Measure:  # type: ignore[override]  # the data's columns decide
        """Reference measure: "continuous", "discrete", or "mixed" where the data have both kinds of columns."""
        return columns_measure(getattr(self, "schema_", None) or self.schema)

    def _sizes(self) -> list[int]:
        return [size for size in self.schema_.cardinalities if size]

    def _names(self) -> tuple[str, ...]:
        numeric = super()._names() if self.numbers.n_features else ("log_prior",)
        return (*numeric, "log_probabilities") if self._sizes() else numeric

    def fit_density(self, X: Array, y: Labels, weights: Array | None) -> None:
        """Learn the density of the numbers and the frequencies of the categories in each class."""
        numbers, codes = split_columns(X, self.schema_)
        if self.numbers.n_features:
            self.fit_numbers(numbers, y, weights)
        if self._sizes():
            factors = fit_categorical(codes, y, self.schema_.n_classes, self._sizes(), self.alpha, weights)
            self.log_probabilities_ = factors.log_probabilities
        self.restore()

    def log_likelihoods(self, X: Array) -> Array:
        """Log p(x | y) of the observed features for every class, (N, *event) -> (N, K) nats."""
        numbers, codes = split_columns(X, self.schema_)
        if not self._sizes():
            return self.numbers_log_likelihoods(numbers)
        log_factors = self.factors_.log_density(codes)
        return self.numbers_log_likelihoods(numbers) + log_factors if self.numbers.n_features else log_factors

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw ``n`` events of one class, (n, *event)."""
        if not self._sizes():
            return self.draw_numbers(label, n, rng)
        categorical = np.array(self.schema_.cardinalities) > 0
        rows = np.empty((n, len(categorical)))
        if self.numbers.n_features:
            rows[:, ~categorical] = self.draw_numbers(label, n, rng)
        rows[:, categorical] = self.factors_.draw(label, n, rng)
        return stored_events(rows, self.schema_)

    def restore(self) -> None:
        """Check shapes and rebuild what derives from the learned attributes."""
        if self.numbers.n_features:
            self.restore_numbers()
        if self._sizes():
            shape = (self.schema_.n_classes, sum(self._sizes()))
            check_shape({"log_probabilities": self.log_probabilities_}, "log_probabilities", shape)
            self.factors_ = CategoricalFactors(self._sizes(), self.log_probabilities_)


@dataclass(eq=False, kw_only=True)
class BayesClassifier(MixedDensity):
    """One density of numbers for each class, fitted to its members; one of fewer than two rows gets that of all.

    A model defines ``new_density``: with ``fit(X)``, ``log_prob(X)`` and ``sample(n, random_state=…)``, and ``schema``
    among its attributes.

    Args:
        random_state: seed; each class's density gets a seed of its own from it.
    """

    random_state: int | None = None

    @property
    def measure(self) -> Measure:  # type: ignore[override]  # depends on the density here
        """Reference measure: of the density, where no column is categorical."""
        found: Measure = super().measure
        return self.new_density().measure if found == "continuous" else found

    def new_density(self) -> Any:
        """Build an unfitted density for one class."""
        raise NotImplementedError

    def _class_densities(self) -> list[Any]:
        seeds = np.random.SeedSequence(self.random_state).generate_state(self.schema_.n_classes)
        densities = [self.new_density() for _ in seeds]
        for density, seed in zip(densities, seeds, strict=True):
            density.schema = self.numbers
            if hasattr(density, "random_state"):
                density.random_state = None if self.random_state is None else int(seed)
        return densities

    def fit_numbers(self, X: Array, y: Labels, weights: Array | None) -> None:
        """Fit each class's density to the rows of that class."""
        self.densities_ = self._class_densities()
        least = self._least_variances(X, y, weights)
        for k, density in enumerate(self.densities_):
            members = y == k
            if least is not None and hasattr(density, "least"):
                density.least = least[k]
            rows = members if members.sum() > 1 else slice(None)
            weighted = {} if weights is None else {"sample_weight": weights[rows]}
            density.fit(X[rows], **weighted)

    def _least_variances(self, X: Array, y: Labels, weights: Array | None) -> Array | None:
        """Least variances (K, D) of columns of numbers; pixels are spread over their cells instead."""
        if not isinstance(self.schema_.x, Table):
            return None
        rows = np.asarray(X, np.float64)
        return least_variances(rows, class_moments(rows, y, self.schema_.n_classes, weights).filled())

    def numbers_log_likelihoods(self, X: Array) -> Array:
        """Log p(numbers | y) of those observed for every class, (N, *event) -> (N, K) nats."""
        return np.stack([density.log_prob(X) for density in self.densities_], axis=1)

    def draw_numbers(self, label: int, n: int, rng: np.random.Generator) -> Any:
        """Draw the numbers of ``n`` events of one class, (n, *event)."""
        return self.densities_[label].sample(n, random_state=int(rng.integers(2**31)))

    def get_arrays(self) -> dict[str, Array]:
        """The prior, the categories' probabilities, and each density's arrays, under ``<class code>.<name>``."""
        densities = enumerate(self.densities_ if self.numbers.n_features else [])
        return super().get_arrays() | {f"{k}.{n}": array for k, d in densities for n, array in d.get_arrays().items()}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        super().set_arrays({name: array for name, array in arrays.items() if "." not in name})
        self.densities_ = self._class_densities() if self.numbers.n_features else []
        for k, density in enumerate(self.densities_):
            start = f"{k}."
            density.set_arrays({n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)})
