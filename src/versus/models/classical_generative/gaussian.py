r"""One normal for each class: discriminant analysis.

.. math:: p(x \mid y) = N(x; \mu_y, \Sigma_y)

Full covariances give quadratic boundaries, a tied one linear boundaries. Fisher (1936); Hastie, Tibshirani and
Friedman, *The Elements of Statistical Learning* (2009), section 4.3. Shrinkage: Friedman, "Regularized discriminant
analysis" (1989). Missing values are marginalised exactly; in a fit, by EM (Little and Rubin, *Statistical Analysis with
Missing Data*, 2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from versus.arrays import Array, Labels
from versus.models.arguments import Between, NonNegative, SearchSpace, Share, SpecialCases
from versus.models.checks import check_shape
from versus.models.class_densities import MixedDensity
from versus.models.events import as_rows, dequantised_rows, stored_events
from versus.numerics.class_moments import class_moments, least_variances, scaled_variances
from versus.numerics.covariances import Full, structure
from versus.numerics.held_out import likeliest_shrinkage, shrunk
from versus.numerics.missing import completed_scatter
from versus.numerics.mixtures import Mixture

__all__ = ["GaussianClassifier"]

_COMPLETIONS = 100  # EM steps at most where values are missing


@dataclass(eq=False)
class GaussianClassifier(MixedDensity):
    """A normal density of the numbers of each class, with full, tied or diagonal covariance.

    Learned: ``means_`` (K, D) and ``covariances_`` ((K, D, D), (D, D) or (K, D)), and after a fit ``amounts_`` (K,),
    the shrinkage of each class. A class with fewer than two members gets the covariance that all have in common.

    Args:
        covariance_type: "full" (quadratic discriminant), "tied" (linear discriminant) or "diag" (naive Bayes).
        shrinkage: amount by which correlations are shrunk towards 0, from 0 to 1; "auto" is the one under which
            held-out training rows are most likely, for each class (for all, where tied). It costs five decompositions
            of a correlation matrix, (D, D), a class. No effect where diagonal.
        var_smoothing: added to each variance, as a fraction of the column's variance in all rows.
        random_state: seed of the dequantisation of pixels.
    """

    search_space: ClassVar[SearchSpace] = {
        "shrinkage": ("auto", 0.01, 0.1, 0.3, 0.6, 1.0),
        "var_smoothing": Between(1e-6, 10.0),
    }

    learned: ClassVar[tuple[str, ...]] = ("means", "covariances")
    special_cases: ClassVar[SpecialCases] = (
        ({}, "Marginals", {}),
        ({"covariance_type": "full"}, "GaussianNaiveBayes", {}),
        ({"covariance_type": "full"}, "MixedNaiveBayes", {}),
        ({"covariance_type": "full"}, "GaussianClassifier", {"covariance_type": "diag"}),
        ({"covariance_type": "full"}, "GaussianClassifier", {"covariance_type": "tied"}),
    )

    covariance_type: Literal["full", "tied", "diag"] = "full"
    shrinkage: Share | Literal["auto"] = "auto"
    var_smoothing: NonNegative = 1e-9
    random_state: int | None = None

    def fit_numbers(self, X: Array, y: Labels, weights: Array | None) -> None:
        """Estimate means and covariances."""
        rows = dequantised_rows(X, self.numbers, np.random.default_rng(self.random_state))
        moments = class_moments(rows, y, self.schema_.n_classes, weights).filled()
        added = scaled_variances(moments.pooled(), self.var_smoothing)
        least = least_variances(rows, moments)
        if self.covariance_type == "diag":
            self.means_, self.covariances_ = moments.means, np.maximum(moments.variances, least) + added
        else:
            members = (np.arange(len(moments.means))[:, None] == y) * (1.0 if weights is None else weights)
            self._fit_correlated(rows, y, members, moments.means, added, least)

    def _fit_correlated(self, rows: Array, y: Labels, members: Array, means: Array, added: Array, least: Array) -> None:
        """Full and tied covariances; where values are missing, EM from a start with class means in their place."""
        counts = members.sum(axis=1)
        unknown = np.isnan(rows)
        filled = np.where(unknown, means[y], rows) if unknown.any() else rows
        _, scatter = Full().scatter(filled, members, means)
        self.amounts_ = amounts = self._amounts(filled, y, members)
        covariances = self._covariances(scatter, counts, amounts, added, least)
        for _ in range(_COMPLETIONS if unknown.any() else 0):
            before = covariances
            first, scatter = completed_scatter(rows, members, means, self._expand(covariances))
            shift = first / np.where(counts > 0, counts, 1.0)[:, None]
            means = means + shift
            scatter -= counts[:, None, None] * shift[:, :, None] * shift[:, None, :]
            covariances = self._covariances(scatter, counts, amounts, added, least)
            unit = np.sqrt(np.diagonal(covariances, axis1=-2, axis2=-1))
            if (np.abs(covariances - before) <= 1e-9 * unit[..., :, None] * unit[..., None, :]).all():
                break
        self.means_, self.covariances_ = means, covariances

    def _amounts(self, rows: Array, y: Labels, members: Array) -> Array:
        """Shrinkage of each class's correlations (K,); ``members`` (K, N) are the rows' weights in their classes."""
        n_classes = len(members)
        if self.shrinkage != "auto":
            return np.full(n_classes, float(self.shrinkage))
        if self.covariance_type == "tied":
            return np.full(n_classes, likeliest_shrinkage(rows, y, members.sum(axis=0)))
        own = (y == k for k in range(n_classes))
        return np.array([likeliest_shrinkage(rows[k], y[k] * 0, m[k]) for k, m in zip(own, members, strict=True)])

    def _covariances(self, scatter: Array, counts: Array, amounts: Array, added: Array, least: Array) -> Array:
        """Covariances (K, D, D), or (D, D) where tied, from the classes' scatter (K, D, D)."""
        pooled = scatter.sum(axis=0) / counts.sum()
        if self.covariance_type == "tied":
            estimates, least = shrunk(pooled, amounts[0]), least.min(axis=0)
        else:
            own = [s / n if n > 1 else pooled for s, n in zip(scatter, counts, strict=True)]
            estimates = np.stack([shrunk(c, a) for c, a in zip(own, amounts, strict=True)])
        raised = np.maximum(least - np.diagonal(estimates, axis1=-2, axis2=-1), 0.0) + added
        return np.asarray(estimates + raised[..., None] * np.eye(len(added)))

    def _expand(self, covariances: Array) -> Array:
        n_classes, n_columns = self.numbers.n_classes, self.numbers.n_features
        return structure(self.covariance_type).expand(covariances, n_classes, n_columns)

    def numbers_log_likelihoods(self, X: Array) -> Array:
        """Log p(numbers | y) of those observed for every class, (N, *event) -> (N, K) nats."""
        return self.mixture_.component_log_density(as_rows(X, self.numbers)).T

    def draw_numbers(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw the numbers of ``n`` events of one class, (n, *event)."""
        lower = np.linalg.cholesky(self._expand(self.covariances_)[label])
        noise = rng.standard_normal((n, len(lower)))
        return stored_events(self.means_[label] + noise @ lower.T, self.numbers)

    def restore_numbers(self) -> None:
        """Check shapes; the classes are the components of a mixture, whose densities are evaluated together."""
        k, d = self.numbers.n_classes, self.numbers.n_features
        shapes = {"full": (k, d, d), "tied": (d, d), "diag": (k, d)}
        check_shape({"means": self.means_}, "means", (k, d))
        check_shape({"covariances": self.covariances_}, "covariances", shapes[self.covariance_type])
        self.mixture_ = Mixture(
            structure(self.covariance_type), np.exp(self.log_prior_), self.means_, self.covariances_
        )
        _ = self.mixture_.normals  # reports a singular covariance at the fit
