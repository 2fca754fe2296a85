r"""Pairwise Markov random field over categorical columns and the class.

.. math:: p(x, y) = \frac1Z \exp\Bigl(\sum_i b_{i x_i} + b_y + \sum_{(i,j) \in E} W_{i x_i, j x_j}
    + \sum_i V_{i x_i, y}\Bigr)

Koller and Friedman, *Probabilistic Graphical Models* (2009), chapters 4 and 20; fitted by pseudo-likelihood (Besag
1975). Given x, the class follows a logistic regression. Numbers are cut into bins as for Bayesian networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import logsumexp
from sklearn.utils.metaestimators import available_if

from versus.arrays import Array, Labels, Measure
from versus.models.arguments import Between, Count, Positive, SearchSpace
from versus.models.bayes import ClassConditionalDensity
from versus.models.checks import check_names, check_shape, restored_schema
from versus.models.column_codes import ColumnCodes
from versus.models.events import columns_measure
from versus.models.graphs import Graph
from versus.numerics import elimination
from versus.numerics.dependence import conditional_information, one_hot, pair_counts, spanning_tree
from versus.numerics.elimination import Factor, TreeWidthError, choose, log_sums
from versus.numerics.pseudo_likelihood import PairwiseModel

__all__ = ["MarkovRandomField"]

_SWEEPS = 200  # of Gibbs sampling, where the field is too dense for exact draws


def _is_exact(model: Any) -> bool:
    """Check that the normaliser is known; a model that is not fitted yet may turn out to be exact."""
    return getattr(model, "log_normaliser_", 0.0) is not None


def _is_not_exact(model: Any) -> bool:
    return getattr(model, "log_normaliser_", None) is None


@dataclass(eq=False)
class MarkovRandomField(ClassConditionalDensity):
    """Columns that depend on each other in pairs, each on the class, too.

    ``log_prob`` is there where variable elimination gives the normaliser, else ``pseudo_log_prob``; samples are exact
    there, else from 200 sweeps of Gibbs sampling. Learned: ``field_``, ``codes_``, ``log_normaliser_`` (None where it
    is out of reach) and, in place of the class frequencies, the field's own log p(y).

    Args:
        n_edges: pairs of columns, the most dependent ones given the class, a spanning tree first; None for all pairs.
        penalty: of half the squared weights, in rows: 1 is one row's log-likelihood.
        n_bins: bins of a numeric column, at most.
        max_iter: steps of L-BFGS, at most.
    """

    search_space: ClassVar[SearchSpace] = {"penalty": Between(0.1, 100.0), "n_bins": Between(2, 20)}

    n_edges: Count | None = None
    penalty: Positive = 1.0
    n_bins: Count = 5
    max_iter: Count = 200

    @property
    def measure(self) -> Measure:  # type: ignore[override]  # the data's columns decide
        """Reference measure: "discrete" for categories alone, "continuous" for numbers, "mixed" for both."""
        return columns_measure(getattr(self, "schema_", None) or self.schema)

    def fit(self, X: Array, y: Labels | None = None) -> Self:  # type: ignore[override]  # pairs are of counted rows
        """Learn p(x, y) from X (N, *event) and class codes y (N,)."""
        return super().fit(X, y)

    def fit_density(self, X: Array, y: Labels, weights: Array | None) -> None:
        """Choose the pairs of columns, then fit their weights."""
        self.codes_ = ColumnCodes(type(self).__name__, self.schema_, self.n_bins).fit(X)
        codes = self.codes_.codes(X)
        self.field_ = PairwiseModel(self._sizes(), self._edges(codes, y))
        self.field_.fit(np.column_stack([codes, y]), self.penalty, self.max_iter)
        self.restore()
        if self.log_normaliser_ is not None and self.prior == "empirical":
            self.log_prior_ = self._log_scores(np.full((1, codes.shape[1]), np.nan))[0] - self.log_normaliser_

    def _sizes(self) -> tuple[int, ...]:
        return (*self.codes_.sizes_, self.schema_.n_classes)

    def _edges(self, codes: Array, y: Labels) -> list[tuple[int, int]]:
        """Pairs of columns, and all columns with the class, whose place is the last."""
        d, sizes = codes.shape[1], self.codes_.sizes_
        pairs = list(combinations(range(d), 2))
        if self.n_edges is not None and self.n_edges < len(pairs):
            counts = [pair_counts(codes[y == k], sizes) for k in range(self.schema_.n_classes)]
            weights = conditional_information(counts, sizes)
            tree = {tuple(sorted((*own, c))) for c, own in enumerate(spanning_tree(weights)) if own}
            pairs = sorted(sorted(pairs, key=lambda p: (p not in tree, -weights[p], p))[: self.n_edges])
        return pairs + [(i, d) for i in range(d)]

    def restore(self) -> None:
        """Compute the normaliser where the tree-width of the field allows."""
        self.factors_ = self.field_.factors()
        nothing = np.full((1, len(self.field_.sizes)), np.nan)
        try:
            self.log_normaliser_: float | None = float(log_sums(self.factors_, nothing, self.field_.sizes)[0])
        except TreeWidthError:
            self.log_normaliser_ = None

    def _log_scores(self, codes: Array) -> Array:
        """Log of p(observed columns, y) times Z, (N, D) -> (N, K) nats."""
        classes = range(self.schema_.n_classes)
        both = [np.column_stack([codes, np.full(len(codes), float(k))]) for k in classes]
        return np.stack([log_sums(self.factors_, rows, self.field_.sizes) for rows in both], axis=1)

    def log_likelihoods(self, X: Array) -> Array:
        """Log p(x | y) of the observed columns for every class, (N, D) -> (N, K) nats; without -log Z if unknown.

        Raises:
            TreeWidthError: where the field is too dense to sum over the missing columns.
        """
        scores = self._log_scores(self.codes_.codes(X)) + self.codes_.log_density(X)[:, None]
        if self.log_normaliser_ is None:
            return np.asarray(scores - self.log_prior_)
        own = self._log_scores(np.full((1, self.schema_.n_features), np.nan))
        return np.asarray(scores - own)

    @available_if(_is_exact)  # type: ignore[untyped-decorator]
    def log_prob(self, X: Array) -> Array:
        """Log p(x) of the observed columns, (N, D) -> (N,) nats."""
        return super().log_prob(X)

    @available_if(_is_not_exact)  # type: ignore[untyped-decorator]
    def pseudo_log_prob(self, X: Array) -> Array:
        """Sum over columns of log p(column | the others), the class summed out, (N, D) -> (N,) nats.

        Raises:
            ValueError: where a value is missing.
        """
        codes = self.codes_.codes(X)
        if np.isnan(codes).any():
            raise ValueError("pseudo_log_prob takes complete rows, and a value is missing")
        scores = self._log_scores(codes)  # (N, K)
        classes = [np.column_stack([codes, np.full(len(codes), k)]) for k in range(scores.shape[1])]
        fields = np.stack(
            [self.field_.fields(one_hot(rows, self.field_.sizes, np.float64)) for rows in classes], axis=1
        )
        total = self.codes_.log_density(X)
        for d in range(codes.shape[1]):
            of_column = fields[:, :, self.field_.block(d)]  # (N, K, C)
            own = np.take_along_axis(of_column, codes[:, d].astype(np.int64)[:, None, None], axis=2)
            without = scores[:, :, None] - own + of_column
            total += logsumexp(scores, axis=1) - logsumexp(without, axis=(1, 2))
        return total

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw ``n`` rows of one class, (n, D)."""
        sizes = self.codes_.sizes_
        if self.log_normaliser_ is None:
            return self.codes_.rows(self._gibbs(label, n, rng), rng)
        class_place = len(sizes)
        given = []
        for factor in self.factors_:
            if class_place not in factor.variables:
                given.append(factor)
            elif len(factor.variables) > 1:
                given.append(Factor(factor.variables[:-1], factor.log_table[..., label]))
        return self.codes_.rows(elimination.draw(given, n, sizes, rng), rng)

    def _gibbs(self, label: int, n: int, rng: np.random.Generator) -> Array:
        codes = np.column_stack(
            [rng.integers(self.codes_.sizes_, size=(n, len(self.codes_.sizes_))), np.full(n, label)]
        )
        indicators = one_hot(codes.astype(float), self.field_.sizes, np.float64)
        for _ in range(_SWEEPS):
            for d, size in enumerate(self.codes_.sizes_):
                block = self.field_.block(d)
                fields = indicators @ self.field_.weights[:, block] + self.field_.biases[block]
                codes[:, d] = choose(np.exp(fields - fields.max(axis=1, keepdims=True)), rng)
                indicators[:, block] = codes[:, d, None] == np.arange(size)
        return codes[:, :-1]

    def count_parameters(self) -> int:
        """Number of free parameters: a variable of C values has C - 1, an edge their product."""
        free = [size - 1 for size in self.field_.sizes]
        return sum(free) + sum(free[i] * free[j] for i, j in self.field_.edges)

    def graphs(self) -> list[Graph]:
        """Return the pairs of columns; each depends on the class, too."""
        d = self.schema_.n_features
        arcs = tuple((i, j) for i, j in self.field_.edges if j < d)
        return [Graph("given the class", tuple(column.name for column in self.schema_.columns), arcs, False)]

    def get_arrays(self) -> dict[str, Array]:
        """Return the field's log p(y), its edges, biases and weights, and the bins."""
        field = {"edges": np.array(self.field_.edges, dtype=np.int64).reshape(-1, 2), "biases": self.field_.biases}
        return {"log_prior": self.log_prior_, **field, "weights": self.field_.weights, **self.codes_.get_arrays()}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        bins = {name: array for name, array in arrays.items() if name.startswith("bin_")}
        check_names(
            {name: a for name, a in arrays.items() if name not in bins}, ("log_prior", "edges", "biases", "weights")
        )
        schema = self.schema_ = restored_schema(self.schema)
        self.codes_ = ColumnCodes(type(self).__name__, schema, self.n_bins).set_arrays(bins)
        self.log_prior_ = check_shape(arrays, "log_prior", (schema.n_classes,))
        edges = check_shape(arrays, "edges", (len(arrays["edges"]), 2))
        self.field_ = PairwiseModel(self._sizes(), [(i, j) for i, j in edges.tolist()])
        total = sum(self._sizes())
        self.field_.biases = check_shape(arrays, "biases", (total,))
        self.field_.weights = check_shape(arrays, "weights", (total, total))
        self.restore()
