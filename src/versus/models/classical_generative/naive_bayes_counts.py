r"""Naive Bayes for counts and for documents: multinomial, given their total; and by the complement of each class.

.. math:: p(x \mid y, n) = \frac{n!}{\prod_d x_d!} \prod_d \theta_{yd}^{x_d}, \qquad n = \sum_d x_d

McCallum and Nigam, "A comparison of event models for naive Bayes text classification" (1998). Where counts are missing,
the observed ones are multinomial given *their* total, with :math:`\theta_y` rescaled to sum to 1: the exact marginal.
A document is its tokens in their order, which has no coefficient: p(x | y, n) is a product over tokens, of which those
unseen in training share a probability that is the same for all classes.

The complement's weights :math:`w_{yd} = -\log \theta_{\bar y d}` come from all other classes, which have more rows than
a rare class; they are no logarithms of probabilities of x, so that there is no density. Rennie and others, "Tackling
the poor assumptions of naive Bayes text classifiers" (2003).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import softmax

from versus.arrays import Array, Events, Labels, Measure
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.models.arguments import Between, Positive, SearchSpace
from versus.models.bayes import ClassConditionalDensity
from versus.models.checks import check_shape, classification_data, restored_schema
from versus.models.counts import DocumentCounts, KnownNgrams, KnownTokens, RowCounts
from versus.models.estimator import PreprocessedModel

__all__ = ["ComplementNaiveBayes", "MultinomialNaiveBayes"]

_COMPLETIONS = 100  # EM steps at most where counts are missing
_QUANTILES = np.linspace(0, 1, 101)


@dataclass(eq=False, kw_only=True)
class CountedDensity(KnownTokens, ClassConditionalDensity):
    """A density of each class over what ``counts_``, built by `new_counts`, makes of events; saved with it."""

    def new_counts(self, schema: Schema) -> Any:
        """Build the converter of events to counts."""
        raise NotImplementedError

    def get_arrays(self) -> dict[str, Array]:
        """The prior, what the density learned, and the known tokens of documents."""
        return super().get_arrays() | {f"counts.{name}": array for name, array in self.counts_.get_arrays().items()}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        start = "counts."
        of_counts = {name.removeprefix(start): a for name, a in arrays.items() if name.startswith(start)}
        self.counts_ = self.new_counts(restored_schema(self.schema)).set_arrays(of_counts)
        super().set_arrays({name: a for name, a in arrays.items() if not name.startswith(start)})


@dataclass(eq=False)
class MultinomialNaiveBayes(CountedDensity):
    """Counts, pixels read as counts, or tokens of documents; given their total they are multinomial within each class.

    Learned: ``log_probabilities_`` (K, F) of the columns or known tokens, ``totals_`` (K, 101) percentiles of each
    class's totals, with which samples are drawn, and for documents what `versus.models.counts` learns.

    Args:
        alpha: added to each feature's total count in a class (Laplace: 1).
    """

    search_space: ClassVar[SearchSpace] = {"alpha": Between(1e-3, 10.0)}

    learned: ClassVar[tuple[str, ...]] = ("log_probabilities", "totals")

    alpha: Positive = 1.0

    @property
    def measure(self) -> Measure:  # type: ignore[override]  # the data decide
        """Reference measure: "sequence" for documents, "multinomial" for counts."""
        schema = getattr(self, "schema_", None) or self.schema
        return "sequence" if schema and isinstance(schema.x, Tokens) else "multinomial"

    def new_counts(self, schema: Schema) -> Any:
        """Build the converter of events to counts: of documents with the two limits, or of tables and images."""
        if isinstance(schema.x, Tokens):
            return DocumentCounts(schema, self.min_df, self.max_features)
        return RowCounts(schema, type(self).__name__)

    def fit_density(self, X: Events, y: Labels, weights: Array | None) -> None:
        """Estimate each feature's smoothed share of all counts in each class; missing counts are completed by EM."""
        self.counts_ = self.new_counts(self.schema_).fit(X)
        counts = self.counts_.transform(X)
        members = (np.arange(self.schema_.n_classes)[:, None] == y) * (1.0 if weights is None else weights)
        completed, shares = counts, self._shares(members, _seen(counts))
        for _ in range(_COMPLETIONS if _misses(counts) else 0):
            completed = _completed(counts, shares[y])
            before, shares = shares, self._shares(members, completed)
            if np.abs(shares - before).max() < 1e-12:
                break
        self.log_probabilities_ = np.log(shares)
        totals = completed.sum(axis=1)
        of_class = [totals[y == k] if (y == k).any() else totals for k in range(self.schema_.n_classes)]
        self.totals_ = np.stack([np.quantile(found, _QUANTILES) for found in of_class])
        self.restore()

    def _shares(self, members: Array, counts: Any) -> Array:
        """Shares of the features, (K, N), (N, F) -> (K, F); rows sum to 1."""
        smoothed = members @ counts + self.alpha
        shares: Array = smoothed / smoothed.sum(axis=1, keepdims=True)
        return shares

    def log_likelihoods(self, X: Events) -> Array:
        """Log p(x | y, total) of the observed counts for every class, (N, *event) -> (N, K) nats."""
        counts = self.counts_.transform(X)
        x = _seen(counts)
        log_density: Array = x @ self.log_probabilities_.T + self.counts_.log_base(X, counts)[:, None]
        if _misses(counts):
            share = ~np.isnan(counts) @ np.exp(self.log_probabilities_).T  # of the observed columns, (N, K)
            log_density -= x.sum(axis=1)[:, None] * np.log(np.where(share > 0, share, 1.0))
        return log_density

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Events:
        """Draw ``n`` events of one class, with totals as frequent as in training; documents are of known tokens."""
        totals = np.interp(rng.random(n), _QUANTILES, self.totals_[label]).round().astype(np.int64)
        shares = np.exp(self.log_probabilities_[label])
        events: Events = self.counts_.draw(totals, shares / shares.sum(), rng)
        return events

    def restore(self) -> None:
        """Check shapes."""
        k = self.schema_.n_classes
        check_shape({"log_probabilities": self.log_probabilities_}, "log_probabilities", (k, self.counts_.n_columns))
        check_shape({"totals": self.totals_}, "totals", (k, len(_QUANTILES)))


@dataclass(eq=False)
class ComplementNaiveBayes(KnownNgrams, PreprocessedModel):
    """Weights of counts, pixels read as counts, or tokens of documents, by the rows of all other classes.

    For two classes of equal prior it is multinomial naive Bayes; with ``binary`` and an ``ngram_range`` of 1 to 2 that
    of Wang and Manning (2012). Learned: ``weights_`` (K, F).

    Args:
        alpha: added to each feature's total count outside a class (Laplace: 1).
        norm: divide the weights of a class by the sum of their absolute values.
    """

    search_space: ClassVar[SearchSpace] = {"alpha": Between(1e-3, 10.0)}
    no_density: ClassVar[str] = "weighs features by the rows of all other classes"

    alpha: Positive = 1.0
    norm: bool = False

    def _new_preprocessor(self, schema: Schema) -> Any:
        if isinstance(schema.x, Tokens):
            return self.new_counts(schema)
        return RowCounts(schema, type(self).__name__)

    def fit(self, X: Any, y: Labels | None = None, sample_weight: Array | None = None) -> ComplementNaiveBayes:
        """Weigh the features by X (N, *event), codes y (N,), weights (N,), if any; missing counts are taken for 0.

        Raises:
            ValueError: where y is missing, holds other than the schema's codes, or X holds no counts.
        """
        schema, labels = classification_data(type(self).__name__, self.schema, X, y)
        self._settle(schema)
        counts = _seen(self.preprocessor_.fit(X).transform(X))
        members = (np.arange(schema.n_classes)[:, None] == labels) * (1.0 if sample_weight is None else sample_weight)
        of_class = members @ counts
        outside = of_class.sum(axis=0) - of_class + self.alpha
        log_shares = np.log(outside / outside.sum(axis=1, keepdims=True))
        weights = log_shares / log_shares.sum(axis=1, keepdims=True) if self.norm else -log_shares
        self.weights_ = np.ascontiguousarray(weights)
        return self

    def predict_proba(self, X: Events) -> Array:
        """Softmax of the weighted counts, (N, *event) -> (N, K)."""
        return np.asarray(softmax(_seen(self.preprocessor_.transform(X)) @ self.weights_.T, axis=1))

    def predict(self, X: Events) -> Labels:
        """The class with the largest sum of weights, (N, *event) -> (N,)."""
        return np.asarray(self.predict_proba(X).argmax(axis=1), dtype=np.int64)

    def get_arrays(self) -> dict[str, Array]:
        """The weights, and the known features of documents."""
        return {"weights": self.weights_, **super().get_arrays()}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        super().set_arrays(arrays)
        self.weights_ = check_shape(arrays, "weights", (self.schema_.n_classes, self.preprocessor_.n_columns))


def _misses(counts: Any) -> bool:
    """Mask of missing counts; sparse ones are never missing."""
    return isinstance(counts, np.ndarray) and bool(np.isnan(counts).any())


def _seen(counts: Any) -> Any:
    """Counts, with 0 where one is missing."""
    return np.nan_to_num(counts) if isinstance(counts, np.ndarray) else counts


def _completed(counts: Array, shares: Array) -> Array:
    """Missing counts (N, D) at their expectation given the row's observed ones, with shares (N, D)."""
    missing = np.isnan(counts)
    seen_share = np.where(missing, 0.0, shares).sum(axis=1)
    rate = np.nansum(counts, axis=1) / np.where(seen_share > 0, seen_share, 1.0)
    return np.where(missing, shares * rate[:, None], counts)
