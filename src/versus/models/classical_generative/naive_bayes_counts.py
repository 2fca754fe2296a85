r"""Naive Bayes for counts: multinomial, given their total.

.. math:: p(x \mid y, n) = \frac{n!}{\prod_d x_d!} \prod_d \theta_{yd}^{x_d}, \qquad n = \sum_d x_d

McCallum and Nigam, "A comparison of event models for naive Bayes text classification" (1998). Where counts are missing,
the observed ones are multinomial given *their* total, with :math:`\theta_y` rescaled to sum to 1: the exact marginal.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from scipy.special import gammaln

from versus.arrays import Array, Labels, Measure
from versus.data.schema import Schema
from versus.models.bayes import ClassConditionalDensity
from versus.models.learned_arrays import check_shape
from versus.numerics.categorical_factors import check_smoothing
from versus.numerics.features import as_events, raw_rows, require_numeric

__all__ = ["MultinomialNaiveBayes"]

_COMPLETIONS = 100  # EM steps at most where counts are missing


class MultinomialNaiveBayes(ClassConditionalDensity):
    """The features are counts, or pixels read as counts; given their total they are multinomial within each class.

    Learned: ``log_probabilities_`` (K, D) and ``mean_totals_`` (K,), with which samples draw Poisson totals.

    Args:
        smoothing: added to each feature's total count in a class (Laplace: 1).
        prior: "empirical" (Laplace-smoothed class frequencies) or "uniform".
        schema: what the data look like; inferred where None.
    """

    measure: Measure = "multinomial"
    learned: ClassVar[tuple[str, ...]] = ("log_probabilities", "mean_totals")

    def __init__(
        self,
        smoothing: float = 1.0,
        prior: Literal["empirical", "uniform"] = "empirical",
        schema: Schema | None = None,
    ) -> None:
        self.smoothing = smoothing
        self.prior = prior
        self.schema = schema

    def fit_density(self, X: Array, y: Labels) -> None:
        """Each feature's smoothed share of all counts in each class; missing counts are completed by EM."""
        require_numeric("MultinomialNaiveBayes", self.schema_)
        check_smoothing(self.smoothing)
        counts = self._counts(X)
        members = (np.arange(self.schema_.n_classes)[:, None] == y).astype(np.float64)
        completed = np.nan_to_num(counts)
        shares = self._shares(members, completed)
        for _ in range(_COMPLETIONS if np.isnan(counts).any() else 0):
            completed = _completed(counts, shares[y])
            before, shares = shares, self._shares(members, completed)
            if np.abs(shares - before).max() < 1e-12:
                break
        self.log_probabilities_ = np.log(shares)
        self.mean_totals_ = members @ completed.sum(axis=1) / np.maximum(members.sum(axis=1), 1)
        self.restore()

    def _shares(self, members: Array, counts: Array) -> Array:
        """(K, N), (N, D) -> (K, D), rows sum to 1."""
        smoothed = members @ counts + self.smoothing
        shares: Array = smoothed / smoothed.sum(axis=1, keepdims=True)
        return shares

    def _counts(self, X: Array) -> Array:
        """(N, *event) -> (N, D) of whole numbers and NaN."""
        counts = raw_rows(X, self.schema_).astype(np.float64, copy=False)
        bad = (counts < 0) | (counts != np.floor(counts)) & ~np.isnan(counts)
        if bad.any():
            column = int(np.flatnonzero(bad.any(axis=0))[0])
            name = self.schema_.columns[column].name if self.schema_.columns else f"pixel {column}"
            value = counts[bad[:, column], column][0]
            raise ValueError(
                f"MultinomialNaiveBayes takes counts 0, 1, 2, … and {name!r} holds {value}; "
                "GaussianNaiveBayes takes any numbers"
            )
        return counts

    def log_likelihoods(self, X: Array) -> Array:
        """Log p(x | y, total) of the observed counts for every class, (N, *event) -> (N, K) nats."""
        counts = self._counts(X)
        seen = ~np.isnan(counts)
        x = np.where(seen, counts, 0.0)
        totals = x.sum(axis=1)
        log_density: Array = x @ self.log_probabilities_.T + (gammaln(totals + 1) - gammaln(x + 1).sum(axis=1))[:, None]
        if not seen.all():
            share = seen @ np.exp(self.log_probabilities_).T  # of the observed columns, (N, K)
            log_density -= totals[:, None] * np.log(np.where(share > 0, share, 1.0))
        return log_density

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """``n`` events of one class, (n, *event); their totals are Poisson with the class's mean."""
        totals = rng.poisson(self.mean_totals_[label], size=n)
        probabilities = np.exp(self.log_probabilities_[label])
        rows = rng.multinomial(totals, probabilities / probabilities.sum())
        return as_events(rows.astype(np.float64), self.schema_)

    def restore(self) -> None:
        """Check shapes."""
        k, d = self.schema_.n_classes, self.schema_.n_features
        check_shape({"log_probabilities": self.log_probabilities_}, "log_probabilities", (k, d))
        check_shape({"mean_totals": self.mean_totals_}, "mean_totals", (k,))


def _completed(counts: Array, shares: Array) -> Array:
    """Missing counts (N, D) at what the row's observed ones lead to expect, with shares (N, D)."""
    missing = np.isnan(counts)
    seen_share = np.where(missing, 0.0, shares).sum(axis=1)
    rate = np.nansum(counts, axis=1) / np.where(seen_share > 0, seen_share, 1.0)
    return np.where(missing, shares * rate[:, None], counts)
