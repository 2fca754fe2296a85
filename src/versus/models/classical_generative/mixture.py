r"""Gaussian mixtures: a density of numeric events, and one for each class as a classifier.

.. math:: p(x) = \sum_{k} \pi_k \, N(x; \mu_k, \Sigma_k), \qquad
          p(x \mid y) = \sum_{k} \pi_{yk} \, N(x; \mu_{yk}, \Sigma_{yk})

Fitted by EM (Dempster, Laird and Rubin, 1977); missing values are marginalised exactly, when fitting too. McLachlan and
Peel, *Finite Mixture Models* (2000); Hastie and Tibshirani, "Discriminant analysis by Gaussian mixtures" (1996).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar, Literal, Self

import numpy as np

from versus.arrays import Array, Labels, Measure
from versus.data.schema import Schema
from versus.models.arguments import Between, Count, Model, NonNegative, Positive, SearchSpace, SpecialCases
from versus.models.checks import check_names, check_shape, restored_schema
from versus.models.class_densities import BayesClassifier
from versus.models.events import (
    as_rows,
    columns_measure,
    dequantised_rows,
    numeric_part,
    split_columns,
    stored_events,
)
from versus.numerics.categorical_factors import CategoricalFactors, Categories
from versus.numerics.class_moments import class_moments, scaled_variances
from versus.numerics.covariances import Regularisation, structure
from versus.numerics.held_out import different_rows, none_if_even
from versus.numerics.machine import placement
from versus.numerics.mixtures import Mixture, Moments, SinglePrecision, em, kmeans_labels, maximise

__all__ = ["GaussianMixtureClassifier"]

_PSEUDO_COUNTS = (4.0, 1.0, 0.1)  # tried beside Fraley and Raftery's
_FOLDS, _MOST_ROWS, _STEPS = 3, 2000, 10  # of the cross-validation that chooses
_LONG = 5e10  # floating-point operations, about a second of a core: shorter fits are not worth another copy of the rows


@dataclass(eq=False)
class Components(Model):
    """Arguments of Gaussian mixtures.

    Args:
        n_components: number of normals K; may exceed the number of rows.
        covariance_type: "full", "tied", "diag" or "spherical".
        n_init: number of k-means++ starts of EM; the most likely result is kept.
        max_iter: maximum number of EM steps.
        tol: EM ends when the mean log-likelihood rises by less than this, nats per row.
        pseudo_counts: prior weight, in rows, of a component as wide as all the data with uncorrelated columns;
            0 is maximum likelihood; "auto" is the one of 0.1, 1, 4 and 2 plus the columns that a covariance joins
            (Fraley and Raftery) under which held-out training rows are most likely. It costs up to 120 EM steps on
            two thirds of the rows, of which 2000 choose at most.
        var_smoothing: added to each variance, as a fraction of the column's variance in all rows.
        device: "auto", "cpu" or "cuda"; "auto" uses a GPU where there is one and the fit is long enough.
        alpha: added to the count of each category of categorical columns.
        random_state: seed of the starts and of the dequantisation of pixels.
    """

    n_components: Count = 4
    covariance_type: Literal["full", "tied", "diag", "spherical"] = "full"
    n_init: Count = 1
    max_iter: Count = 200
    tol: float = 1e-4
    pseudo_counts: NonNegative | Literal["auto"] = "auto"
    var_smoothing: NonNegative = 1e-6
    device: str = "auto"
    alpha: Positive = field(default=1.0, kw_only=True)
    random_state: int | None = field(default=None, kw_only=True)

    def mixture(self) -> GaussianMixture:
        """Build an unfitted mixture of these arguments."""
        return GaussianMixture(**{own.name: getattr(self, own.name) for own in fields(Components)})


class GaussianMixture(Components):
    """A mixture of normals: a density of events, without classes; arguments of `Components`.

    Categorical columns are independent of each other and of the numbers within a component, at least one is numeric.
    Learned: ``mixture_``, and after a fit ``trace_``, the mean log-likelihood (nats per row) that each EM step began
    with, and ``pseudo_counts_``.
    """

    least: Array = np.zeros(())  # variance (D,) of each column, from all classes; a classifier sets it

    def fit(
        self,
        X: Array,
        y: Array | None = None,
        start: Mixture | None = None,
        sample_weight: Array | None = None,
    ) -> Self:
        """Fit to X (N, *event) by EM, which begins at ``start`` where that is given; y is ignored.

        Rows may have weights (N,), which the seeds of the starts leave aside.
        """
        self.schema_ = self.schema or Schema.of(X)
        X, codes = split_columns(X, self.schema_)
        categories = Categories(codes, self._sizes(), self.alpha) if self._sizes() else None
        rng = np.random.default_rng(self.random_state)
        # float32 is kept: it halves time and memory. All but floating point becomes float64.
        rows = dequantised_rows(X, numeric_part(self.schema_), rng, np.float32 if X.dtype == np.float32 else np.float64)
        own = class_moments(rows, np.zeros(len(rows), np.int64), 1, sample_weight).filled()
        pooled = np.maximum(own.variances[0], self.least)
        added = np.where(self.least > 0, self.least, scaled_variances(own, self.var_smoothing))
        complete = categories is None and sample_weight is None and not np.isnan(rows).any()
        regular = Regularisation(pooled + added, 0.0, added)
        self.pseudo_counts_ = (
            self._likeliest(rows, regular, sample_weight) if self.pseudo_counts == "auto" else self.pseudo_counts
        )
        regular = replace(regular, pseudo_counts=self.pseudo_counts_)
        starts = (
            [start]
            if start
            else (self._start(rows, regular, rng, categories, sample_weight) for _ in range(self.n_init))
        )
        operations = float(4 * rows.size * rows.shape[1] * self.n_components * self.max_iter)
        place = placement(self.device if complete else "cpu", operations)
        in_doubles = rows.dtype == np.float64 and complete and self.covariance_type == "full"
        single = SinglePrecision(rows, place) if in_doubles and operations >= _LONG else None
        found = [
            em(place(rows), s, self.max_iter, self.tol, regular, single, categories, sample_weight) for s in starts
        ]
        self.mixture_, trace = max(found, key=lambda mixture_and_trace: mixture_and_trace[1][-1])
        self.trace_ = np.array(trace)
        return self

    def _likeliest(self, rows: Array, regular: Regularisation, weights: Array | None) -> float:
        """Pseudo-counts under which held-out rows are most likely; each fit begins where the one with more ended."""
        usual = 2.0 + (rows.shape[1] if self.covariance_type in ("full", "tied") else 1)
        some = slice(None, None, -(-len(rows) // _MOST_ROWS))
        alike = np.zeros(len(rows[some]), np.int64)
        rows, _, counts = different_rows(rows[some], alike, None if weights is None else weights[some])
        if len(rows) < 2 * _FOLDS:
            return usual
        candidates = [usual, *(count for count in _PSEUDO_COUNTS if count < usual)]
        fold, steps = np.arange(len(rows)) % _FOLDS, min(self.max_iter, _STEPS)
        scores = np.zeros(len(candidates))
        for held in (fold == k for k in range(_FOLDS)):
            others, own = rows[~held], none_if_even(counts[~held])
            prior, rng = replace(regular, pseudo_counts=usual), np.random.default_rng(0)
            mixture = self._start(others, prior, rng, weights=own)
            for i, count in enumerate(candidates):
                mixture, _ = em(others, mixture, steps, self.tol, replace(regular, pseudo_counts=count), weights=own)
                scores[i] += counts[held] @ mixture.log_density(rows[held])
        return candidates[int(scores.argmax())]

    def _sizes(self) -> list[int]:
        return [size for size in self.schema_.cardinalities if size]

    def _start(
        self,
        rows: Array,
        regular: Regularisation,
        rng: np.random.Generator,
        categories: Categories | None = None,
        weights: Array | None = None,
    ) -> Mixture:
        labels = kmeans_labels(rows, self.n_components, rng)
        moments = class_moments(rows, labels, self.n_components, weights).filled()
        rows = np.where(np.isnan(rows), class_moments(rows, labels * 0, 1, weights).filled().means, rows)
        hard = (np.arange(self.n_components)[:, None] == labels) * (1.0 if weights is None else weights)
        form = structure(self.covariance_type)
        first, scatter = form.scatter(rows, hard, moments.means)
        factors = categories.factors(hard) if categories else None
        return maximise(form, Moments(hard.sum(axis=1), first, scatter, 0.0, factors), moments.means, regular)

    def log_prob(self, X: Array) -> Array:
        """Log p(x) of the observed features, (N, *event) -> (N,) nats."""
        X, codes = split_columns(X, self.schema_)
        rows = as_rows(X, numeric_part(self.schema_), np.float32 if X.dtype == np.float32 else np.float64)
        return self.mixture_.log_density(rows, codes)

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Array:
        """Draw ``n`` events (n, *event); y is ignored."""
        rng = np.random.default_rng(random_state)
        drawn = rng.choice(len(self.mixture_.weights), size=n, p=self.mixture_.weights)
        rows = self.mixture_.means[drawn]
        noise = rng.standard_normal(rows.shape)
        for k, lower in enumerate(np.linalg.cholesky(self.mixture_.expanded())):
            rows[drawn == k] += noise[drawn == k] @ lower.T
        factors = self.mixture_.factors
        if factors is None:
            return stored_events(rows, self.schema_)
        out, categorical = np.empty((n, self.schema_.n_features)), np.array(self.schema_.cardinalities) > 0
        out[:, ~categorical] = rows
        for k in range(len(self.mixture_.weights)):
            out[np.ix_(drawn == k, categorical)] = factors.draw(k, int((drawn == k).sum()), rng)
        return stored_events(out, self.schema_)

    def get_arrays(self) -> dict[str, Array]:
        """Weights, means, covariances and, where there are categories, their log-probabilities."""
        factors = self.mixture_.factors
        return {
            "weights": self.mixture_.weights,
            "means": self.mixture_.means,
            "covariances": self.mixture_.covariances,
        } | ({} if factors is None else {"log_probabilities": factors.log_probabilities})

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        self.schema_ = restored_schema(self.schema)
        sizes = self._sizes()
        check_names(arrays, ("weights", "means", "covariances", *(["log_probabilities"] if sizes else [])))
        k, d = self.n_components, self.schema_.n_features - len(sizes)
        shapes = {"full": (k, d, d), "tied": (d, d), "diag": (k, d), "spherical": (k,)}
        self.mixture_ = Mixture(
            structure(self.covariance_type),
            check_shape(arrays, "weights", (k,)),
            check_shape(arrays, "means", (k, d)),
            check_shape(arrays, "covariances", shapes[self.covariance_type]),
            CategoricalFactors(sizes, check_shape(arrays, "log_probabilities", (k, sum(sizes)))) if sizes else None,
        )

    @property
    def measure(self) -> Measure:
        """Reference measure: "continuous", or "mixed" where some columns are categorical."""
        return columns_measure(getattr(self, "schema_", None) or self.schema)


@dataclass(eq=False)
class GaussianMixtureClassifier(Components, BayesClassifier):
    """One Gaussian mixture for each class; arguments of `Components`, and a prior over the classes."""

    search_space: ClassVar[SearchSpace] = {"n_components": Between(1, 16), "pseudo_counts": ("auto", 0.1, 1.0, 4.0)}

    special_cases: ClassVar[SpecialCases] = (
        ({"covariance_type": "full"}, "GaussianNaiveBayes", {}),
        ({"covariance_type": "full"}, "MixedNaiveBayes", {}),
        ({"covariance_type": "full"}, "GaussianClassifier", {}),
        ({"covariance_type": "diag"}, "GaussianNaiveBayes", {}),
        ({"covariance_type": "diag"}, "MixedNaiveBayes", {}),
        ({"covariance_type": "diag"}, "GaussianClassifier", {"covariance_type": "diag"}),
    )

    def new_density(self) -> GaussianMixture:
        """Build an unfitted mixture for one class."""
        return self.mixture()
