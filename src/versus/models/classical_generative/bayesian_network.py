r"""Bayesian networks of categorical columns within each class.

.. math:: p(x \mid y) = \prod_d \theta^{(y)}_{d, x_d, x_{\mathrm{pa}(d)}}, \qquad
    \theta = \frac{n(x_d, x_{\mathrm{pa}}, y) + \alpha\, \hat p(x_d)}{n(x_{\mathrm{pa}}, y) + \alpha}

Chow and Liu, "Approximating discrete probability distributions with dependence trees" (1968); Friedman, Geiger and
Goldszmidt, "Bayesian network classifiers" (1997), with their smoothing towards the column's own frequencies.

Numbers are cut into ``n_bins`` quantile bins, learned from the training rows; within a bin their density is uniform,
and exponential in the outer ones, so that log p(x) is a density of the numbers themselves. Missing columns are summed
out exactly, by variable elimination.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal, Self

import numpy as np

from versus.arrays import Array, Labels, Measure
from versus.models.arguments import Between, Count, Positive, SearchSpace
from versus.models.bayes import ClassConditionalDensity
from versus.models.checks import check_names, check_shape, restored_schema
from versus.models.column_codes import ColumnCodes
from versus.models.events import columns_measure
from versus.models.graphs import Graph
from versus.numerics.dependence import conditional_information, mutual_information, pair_counts, spanning_tree
from versus.numerics.elimination import Factor, choose, log_sums
from versus.numerics.network_search import HillClimbing, Parents, bdeu, bic, family_counts, topological_order

__all__ = ["ChowLiuTree", "HillClimbingNetwork", "TreeAugmentedNaiveBayes"]


@dataclass(eq=False, kw_only=True)
class BayesianNetwork(ClassConditionalDensity):
    """Columns that depend on their parents and the class; a model defines ``find_parents``.

    Learned: ``codes_``; ``of_class_`` (D,), 0 for a column whose table all classes share; for each class and column
    ``parents_`` and ``tables_``, log-probabilities by the values of the parents.

    Args:
        alpha: rows that the column's own frequencies count for in each of its distributions (5 in Friedman et al.).
        n_bins: bins of a numeric column, at most.
    """

    search_space: ClassVar[SearchSpace] = {"alpha": Between(0.1, 100.0), "n_bins": Between(2, 20)}

    alpha: Positive = 5.0
    n_bins: Count = 5

    def find_parents(self, codes: Array, y: Labels) -> list[list[Parents]]:
        """Find the parents of every column in each class from codes (N, D) and y (N,)."""
        raise NotImplementedError

    @property
    def measure(self) -> Measure:  # type: ignore[override]  # the data's columns decide
        """Reference measure: "discrete" for categories alone, "continuous" for numbers, "mixed" for both."""
        return columns_measure(getattr(self, "schema_", None) or self.schema)

    def fit(self, X: Array, y: Labels | None = None) -> Self:  # type: ignore[override]  # graphs are of counted rows
        """Learn p(y) and p(x | y) from X (N, *event) and class codes y (N,)."""
        return super().fit(X, y)

    def fit_density(self, X: Array, y: Labels, weights: Array | None) -> None:
        """Find the graph of each class, then its tables."""
        self.codes_ = ColumnCodes(type(self).__name__, self.schema_, self.n_bins).fit(X)
        codes = self.codes_.codes(X)
        self.of_class_ = np.ones(codes.shape[1], dtype=np.uint8)
        self.parents_ = self.find_parents(codes, y)
        self.tables_ = []
        for k, parents in enumerate(self.parents_):
            members = [(y == k) | (dependent == 0) for dependent in self.of_class_]
            self.tables_.append([self._table(codes[members[d]], d, own) for d, own in enumerate(parents)])
        self.restore()

    def _table(self, codes: Array, column: int, parents: Parents) -> Array:
        """Log p(column | parents) in the given rows, (sizes of the parents …, C)."""
        sizes = self.codes_.sizes_
        own = family_counts(codes, sizes, column, ())[0] + 1.0
        counts = family_counts(codes, sizes, column, parents)
        smoothed = counts + self.alpha * own / own.sum()
        table = np.log(smoothed / smoothed.sum(axis=1, keepdims=True))
        return np.asarray(table).reshape(*(sizes[p] for p in parents), sizes[column])

    def restore(self) -> None:
        """Arrange the tables as factors, whose variables ascend."""
        self.factors_ = []
        for parents, tables in zip(self.parents_, self.tables_, strict=True):
            scopes = [(*own, d) for d, own in enumerate(parents)]
            both = zip(scopes, tables, strict=True)
            self.factors_.append([Factor(tuple(sorted(s)), t.transpose(np.argsort(s))) for s, t in both])

    def log_likelihoods(self, X: Array) -> Array:
        """Log p(x | y) of the observed columns for every class, (N, D) -> (N, K) nats.

        Raises:
            TreeWidthError: where the graph is too dense to sum over the missing columns.
        """
        codes = self.codes_.codes(X)
        of_classes = [log_sums(factors, codes, self.codes_.sizes_) for factors in self.factors_]
        found: Array = np.stack(of_classes, axis=1) + self.codes_.log_density(X)[:, None]
        return found

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw ``n`` rows of one class, parents before children, (n, D)."""
        parents, tables = self.parents_[label], self.tables_[label]
        codes = np.zeros((n, len(parents)), dtype=np.int64)
        for d in topological_order(parents):
            of_rows = tables[d][tuple(codes[:, p] for p in parents[d])]
            codes[:, d] = choose(np.broadcast_to(np.exp(of_rows), (n, self.codes_.sizes_[d])), rng)
        return self.codes_.rows(codes, rng)

    def count_parameters(self) -> int:
        """Number of free probabilities, of all classes."""
        return sum(prod(t.shape[:-1]) * (t.shape[-1] - 1) for tables in self.tables_ for t in tables)

    def graphs(self) -> list[Graph]:
        """Return each class's graph, or the one that all share; the class is a node if arcs to it say something."""
        names = tuple(column.name for column in self.schema_.columns)
        shared = all(parents == self.parents_[0] for parents in self.parents_)
        titles = ["all classes"] if shared else list(self.schema_.classes)
        arcs = [tuple((p, d) for d, own in enumerate(parents) for p in own) for parents in self.parents_]
        if self.of_class_.all() and any(arcs):
            return [Graph(title, names, own, True) for title, own in zip(titles, arcs, strict=False)]
        of_class = tuple((len(names), d) for d in np.flatnonzero(self.of_class_).tolist())
        return [Graph(titles[0], (*names, self.schema_.target), arcs[0] + of_class, True)]

    def get_arrays(self) -> dict[str, Array]:
        """Return the prior, the bins, the parents (K, D, D) and all tables one after the other."""
        n = len(self.parents_[0])
        adjacency = np.zeros((len(self.parents_), n, n), dtype=np.uint8)
        for k, parents in enumerate(self.parents_):
            for d, own in enumerate(parents):
                adjacency[k, d, list(own)] = 1
        flat = np.concatenate([table.ravel() for tables in self.tables_ for table in tables])
        learned = {"log_prior": self.log_prior_, "of_class": self.of_class_, "parents": adjacency, "tables": flat}
        return learned | self.codes_.get_arrays()

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        bins = {name: array for name, array in arrays.items() if name.startswith("bin_")}
        own = {name: array for name, array in arrays.items() if name not in bins}
        check_names(own, ("log_prior", "of_class", "parents", "tables"))
        schema = self.schema_ = restored_schema(self.schema)
        self.codes_ = ColumnCodes(type(self).__name__, schema, self.n_bins).set_arrays(bins)
        d = schema.n_features
        self.log_prior_ = check_shape(arrays, "log_prior", (schema.n_classes,))
        self.of_class_ = check_shape(arrays, "of_class", (d,))
        adjacency = check_shape(arrays, "parents", (schema.n_classes, d, d))
        self.parents_ = [[tuple(np.flatnonzero(row).tolist()) for row in of_class] for of_class in adjacency]
        sizes = self.codes_.sizes_
        shapes = [[(*(sizes[p] for p in own), sizes[c]) for c, own in enumerate(of)] for of in self.parents_]
        lengths = [prod(shape) for of_class in shapes for shape in of_class]
        parts = iter(np.split(check_shape(arrays, "tables", (sum(lengths),)), np.cumsum(lengths)[:-1]))
        self.tables_ = [[next(parts).reshape(shape) for shape in of_class] for of_class in shapes]
        self.restore()


@dataclass(eq=False)
class ChowLiuTree(BayesianNetwork):
    """A tree for each class, the one of largest mutual information, as Chow and Liu recognised numerals."""

    def find_parents(self, codes: Array, y: Labels) -> list[list[Parents]]:
        """Find each class's own tree."""
        sizes = self.codes_.sizes_
        counts = [pair_counts(codes[y == k], sizes) for k in range(self.schema_.n_classes)]
        return [spanning_tree(mutual_information(of_class, sizes)[0]) for of_class in counts]


@dataclass(eq=False)
class TreeAugmentedNaiveBayes(BayesianNetwork):
    """One tree for all classes, that of largest mutual information given the class (TAN)."""

    def find_parents(self, codes: Array, y: Labels) -> list[list[Parents]]:
        """Find the common tree."""
        sizes = self.codes_.sizes_
        counts = [pair_counts(codes[y == k], sizes) for k in range(self.schema_.n_classes)]
        tree = spanning_tree(conditional_information(counts, sizes))
        return [tree] * self.schema_.n_classes


@dataclass(eq=False)
class HillClimbingNetwork(BayesianNetwork):
    """One graph for all classes, found by hill climbing; a column depends on the class only where the score says so.

    The class is a root of the graph, so that what it points to is p(x | y).

    Args:
        score: "bic", or "bdeu" for a Dirichlet prior that is worth ``equivalent_sample_size`` rows.
        equivalent_sample_size: of "bdeu".
        max_parents: of a column, the class included.
    """

    score: Literal["bic", "bdeu"] = "bic"
    equivalent_sample_size: Positive = 10.0
    max_parents: Count = 3

    def find_parents(self, codes: Array, y: Labels) -> list[list[Parents]]:
        """Search over graphs of the columns and the class."""
        score = bic if self.score == "bic" else bdeu(self.equivalent_sample_size)
        both, place = np.column_stack([codes, y]), codes.shape[1]
        sizes = (*self.codes_.sizes_, self.schema_.n_classes)
        found = HillClimbing(both, sizes, score, self.max_parents, roots=[place]).climb()[:place]
        self.of_class_ = np.array([place in own for own in found], dtype=np.uint8)
        return [[tuple(p for p in own if p != place) for own in found]] * self.schema_.n_classes
