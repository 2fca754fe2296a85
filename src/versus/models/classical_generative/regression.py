r"""Joint normals and mixtures of normals of features and target, as regressions.

One component is the joint normal, whose conditional mean is linear regression; more are Gaussian mixture regression.
Categorical features have probabilities of their own; each model says how y depends on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from versus.arrays import Array
from versus.data.spaces import Column
from versus.models.arguments import Between, Count, NonNegative, Positive, SearchSpace, SpecialCases
from versus.models.checks import check_shape, restored_schema
from versus.models.classical_generative.joint_regression import JointRegression
from versus.models.classical_generative.mixture import Components, GaussianMixture
from versus.models.events import as_rows, numeric_part, split_columns
from versus.numerics.categorical_factors import CategoricalFactors, fit_categorical
from versus.numerics.category_effects import Effects, completions, one_hot
from versus.numerics.missing import conditional

__all__ = ["GaussianMixtureRegression", "GaussianRegression"]


@dataclass(eq=False)
class GaussianRegression(JointRegression):
    r"""Features and target are jointly normal: E[y | x] equals that of least squares.

    Given categorical columns c, the mean of the numbers z = (x, y) is the sum of an effect for each category, and the
    covariance is the same for all: the homogeneous conditional Gaussian distribution without interactions,

    .. math:: p(c, z) = \prod_d \theta_{d c_d} \; N\Big(z; \mu + \sum_d b_{d c_d}, \Sigma\Big)

    of Lauritzen and Wermuth, "Graphical models for associations between variables, some of which are qualitative and
    some quantitative" (1989). The regression on the categories is that of least squares on one-hot columns. A missing
    category is summed over; in a fit its one-hot columns are completed as if they were normal. Beyond 64 combinations
    of categories that a row misses, the columns of most categories have their mean effect instead.

    Learned besides ``joint_``, of the numbers where all categories are the first: ``effects_`` (sum of categories,
    numbers and y), ``log_probabilities_`` (1, sum of categories).

    Args:
        pseudo_counts: prior weight, in rows, of uncorrelated columns; 0 is maximum likelihood.
        var_smoothing: added to each variance, as a fraction of the column's variance.
        alpha: added to the count of each category (Laplace: 1).
    """

    search_space: ClassVar[SearchSpace] = {"pseudo_counts": Between(1e-2, 1e3)}

    pseudo_counts: NonNegative = 0.0
    var_smoothing: NonNegative = 1e-9
    alpha: Positive = 1.0

    def new_joint(self) -> GaussianMixture:
        """Build a mixture of one normal."""
        return GaussianMixture(
            n_components=1, pseudo_counts=self.pseudo_counts, var_smoothing=self.var_smoothing, random_state=0
        )

    def _sizes(self) -> list[int]:
        return [size for size in self.schema_.cardinalities if size]

    def fit_joint(self, X: Array, target: Array, weights: Array | None) -> None:
        """Fit a normal to one-hot columns and numbers, and condition the numbers on the one-hot columns."""
        X, codes = split_columns(X, self.schema_)
        numbers, sizes = self._number_columns(), self._sizes()
        z = np.column_stack([as_rows(X, numeric_part(self.schema_)), target])
        self.joint_ = self._joint_over(numbers)
        if not sizes:
            self.joint_.fit(z, sample_weight=weights)
            return
        others = one_hot(codes, sizes)
        given, wanted = np.arange(others.shape[1]), others.shape[1] + np.arange(z.shape[1])
        everything = self._joint_over(tuple(Column(f"h{d}") for d in given) + numbers)
        mixture = everything.fit(np.column_stack([others, z]), sample_weight=weights).mixture_
        slopes, covariance = conditional(mixture.covariances[0], given, wanted)
        means = mixture.means[:, wanted] - slopes @ mixture.means[0, given]
        self.joint_.set_arrays({"weights": np.ones(1), "means": means, "covariances": covariance[None]})
        factors = fit_categorical(codes, np.zeros(len(z), np.int64), 1, sizes, self.alpha, weights)
        self.log_probabilities_ = factors.log_probabilities
        self.effects_ = np.insert(slopes.T, np.cumsum([0, *(size - 1 for size in sizes[:-1])]), 0.0, axis=0)

    def _restore(self) -> None:
        super()._restore()
        if self._sizes():
            self.categories_ = Effects(CategoricalFactors(self._sizes(), self.log_probabilities_), self.effects_)

    def components(self, X: Array) -> tuple[Array, Array, Array]:
        """Log p(x, k), means and deviations of p(y | x, k); k is a combination of the categories that a row misses."""
        X, codes = split_columns(X, self.schema_)
        rows = as_rows(X, numeric_part(self.schema_))
        if not self._sizes():
            return self._components_of_numbers(rows)
        of_row, codes = completions(codes, self._sizes())
        shift = self.categories_.shift(codes)
        joint, means, deviations = self._components_of_numbers(rows[of_row] - shift[:, :-1])
        first = np.searchsorted(of_row, np.arange(len(rows)))
        place = of_row, np.arange(len(of_row)) - first[of_row]
        padded = [np.repeat(a[first], place[1].max(initial=0) + 1, axis=1) for a in (joint, means, deviations)]
        padded[0][:, 1:] = -np.inf  # as many combinations for each row, the rest of them impossible
        padded[0][place] = joint[:, 0] + self.categories_.factors.log_density(codes)[:, 0]
        padded[1][place] = means[:, 0] + shift[:, -1]
        return padded[0], padded[1], padded[2]

    def sample_pairs(self, n: int, random_state: int | None = None) -> tuple[Array, Array]:
        """Draw ``n`` pairs: features (n, *event) and targets (n,)."""
        if not self._sizes():
            return super().sample_pairs(n, random_state)
        rng = np.random.default_rng(random_state)
        codes, categorical = self.categories_.factors.draw(0, n, rng), np.array(self.schema_.cardinalities) > 0
        z = self.joint_.sample(n, random_state=int(rng.integers(2**31))) + self.categories_.shift(codes)
        rows = np.empty((n, len(categorical)))
        rows[:, categorical], rows[:, ~categorical] = codes, z[:, :-1]
        return rows, z[:, -1]

    def get_arrays(self) -> dict[str, Array]:
        """The joint density's arrays, and the effects and probabilities of categories where there are any."""
        own = {"effects": self.effects_, "log_probabilities": self.log_probabilities_} if self._sizes() else {}
        return super().get_arrays() | own

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        self.schema_ = restored_schema(self.schema)
        self.joint_ = self._joint_over(self._number_columns())
        arrays = dict(arrays)
        if self._sizes():
            n, width = sum(self._sizes()), len(self._number_columns()) + 1
            self.effects_ = check_shape(arrays, "effects", (n, width))
            self.log_probabilities_ = check_shape(arrays, "log_probabilities", (1, n))
            del arrays["effects"], arrays["log_probabilities"]
        self.joint_.set_arrays(arrays)
        self._restore()


@dataclass(eq=False)
class GaussianMixtureRegression(Components, JointRegression):
    """Features and target are jointly a mixture of normals; categorical columns are independent within a component.

    Args, besides those of `Components`:
        covariance_type: "full" or "tied"; within components without correlation x would tell nothing about y.
        pseudo_counts: large values widen the intervals where x almost determines y.
    """

    search_space: ClassVar[SearchSpace] = {"n_components": Between(1, 12), "pseudo_counts": Between(1e-2, 1e2)}

    special_cases: ClassVar[SpecialCases] = (({"covariance_type": "full"}, "GaussianRegression", {}),)

    n_components: Count = 3
    covariance_type: Literal["full", "tied"] = "full"
    pseudo_counts: NonNegative = 0.1

    def known_special_cases(self) -> list[tuple[str, dict[str, str]]]:
        """Models that this one includes; categories have no effects of their own here, as they have in one normal."""
        return [] if self.schema_.has_categorical else super().known_special_cases()

    def new_joint(self) -> GaussianMixture:
        """Build the unfitted mixture."""
        return self.mixture()

    def fit_joint(self, X: Array, target: Array, weights: Array | None) -> None:
        """Fit the mixture to numbers, categories and y by EM."""
        self.joint_ = self._joint_over(self._columns())
        self.joint_.fit(np.column_stack([as_rows(X, self.schema_), target]), sample_weight=weights)

    def _columns(self) -> tuple[Column, ...]:
        return self.schema_.columns or self._number_columns()

    def components(self, X: Array) -> tuple[Array, Array, Array]:
        """Log p(x, k) (N, K) nats, means and standard deviations (N, K) of p(y | x, k)."""
        X, codes = split_columns(X, self.schema_)
        joint, means, deviations = self._components_of_numbers(as_rows(X, numeric_part(self.schema_)))
        factors = self.joint_.mixture_.factors
        return joint if factors is None else joint + factors.log_density(codes), means, deviations

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        self.schema_ = restored_schema(self.schema)
        self.joint_ = self._joint_over(self._columns())
        self.joint_.set_arrays(arrays)
        self._restore()
