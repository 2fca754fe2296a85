r"""One normal for each class: discriminant analysis.

.. math:: p(x \mid y) = N(x; \mu_y, \Sigma_y)

Full covariances give quadratic boundaries, a tied one linear boundaries. Fisher (1936); Hastie, Tibshirani and
Friedman, *The Elements of Statistical Learning* (2009), section 4.3. Shrinkage: Ledoit and Wolf (2004). Missing values
are marginalised exactly; in a fit, by EM (Little and Rubin, *Statistical Analysis with Missing Data*, 2002).
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from versus.arrays import Array, Labels, Measure
from versus.data.schema import Schema
from versus.models.bayes import ClassConditionalDensity
from versus.models.learned_arrays import check_shape
from versus.numerics.class_moments import class_moments, variance_floor
from versus.numerics.covariance import Full, structure
from versus.numerics.expectation_maximisation import Mixture
from versus.numerics.features import as_events, as_rows, dequantised_rows, require_numeric
from versus.numerics.missing import completed_scatter
from versus.numerics.shrinkage import ledoit_wolf, shrunk

__all__ = ["GaussianClassifier"]

_COMPLETIONS = 100  # EM steps at most where values are missing


class GaussianClassifier(ClassConditionalDensity):
    """A normal density for each class, with full, tied or diagonal covariance.

    Learned: ``means_`` (K, D) and ``covariances_`` ((K, D, D), (D, D) or (K, D)). A class with
    fewer than two members gets the covariance that all classes have in common.

    Args:
        covariance: "full" (quadratic discriminant), "tied" (linear discriminant) or "diagonal" (naive Bayes).
        shrinkage: by how much correlations are shrunk towards 0, from 0 to 1; "auto" is Ledoit and Wolf's estimate on
            columns of unit variance, for each class (for all, where tied). Without effect on diagonal covariances.
        variance_floor: added to each variance, as a fraction of the column's variance in all rows.
        prior: "empirical" (Laplace-smoothed class frequencies) or "uniform".
        schema: what the data look like; inferred where None.
        random_state: seed of the spreading of pixels.
    """

    measure: Measure = "continuous"
    learned: ClassVar[tuple[str, ...]] = ("means", "covariances")

    def __init__(
        self,
        covariance: Literal["full", "tied", "diagonal"] = "full",
        shrinkage: float | Literal["auto"] = "auto",
        variance_floor: float = 1e-9,
        prior: Literal["empirical", "uniform"] = "empirical",
        schema: Schema | None = None,
        random_state: int | None = None,
    ) -> None:
        self.covariance = covariance
        self.shrinkage = shrinkage
        self.variance_floor = variance_floor
        self.prior = prior
        self.schema = schema
        self.random_state = random_state

    def fit_density(self, X: Array, y: Labels) -> None:
        """Estimate means and covariances."""
        require_numeric("GaussianClassifier", self.schema_)
        self._check_arguments()
        rows = dequantised_rows(X, self.schema_, np.random.default_rng(self.random_state))
        moments = class_moments(rows, y, self.schema_.n_classes).filled()
        floor = variance_floor(moments.pooled().variances[0], self.variance_floor)
        if self.covariance == "diagonal":
            self.means_, self.covariances_ = moments.means, moments.variances + floor
        else:
            self._fit_correlated(rows, y, moments.means, floor)
        self.restore()

    def _check_arguments(self) -> None:
        if self.covariance not in ("full", "tied", "diagonal"):
            raise ValueError(f"covariance={self.covariance!r}; accepted are 'full', 'tied' and 'diagonal'")
        if self.shrinkage != "auto" and not (isinstance(self.shrinkage, int | float) and 0 <= self.shrinkage <= 1):
            raise ValueError(f"shrinkage={self.shrinkage!r}; accepted are 'auto' and numbers from 0 to 1")

    def _fit_correlated(self, rows: Array, y: Labels, means: Array, floor: Array) -> None:
        """Full and tied covariances; where values are missing, EM from a start with class means in their place."""
        members = (np.arange(len(means))[:, None] == y).astype(np.float64)
        counts = members.sum(axis=1)
        unknown = np.isnan(rows)
        filled = np.where(unknown, means[y], rows) if unknown.any() else rows
        _, scatter = Full().scatter(filled, members, means)
        amounts = self._amounts(filled, y, means, scatter, counts)
        covariances = self._covariances(scatter, counts, amounts, floor)
        for _ in range(_COMPLETIONS if unknown.any() else 0):
            before = covariances
            first, scatter = completed_scatter(rows, members, means, self._expand(covariances))
            shift = first / np.maximum(counts, 1)[:, None]
            means = means + shift
            scatter -= counts[:, None, None] * shift[:, :, None] * shift[:, None, :]
            covariances = self._covariances(scatter, counts, amounts, floor)
            if np.abs(covariances - before).max() <= 1e-9 * np.abs(covariances).max():
                break
        self.means_, self.covariances_ = means, covariances

    def _amounts(self, rows: Array, y: Labels, means: Array, scatter: Array, counts: Array) -> Array:
        """How much each class's correlations are shrunk, (K,)."""
        if self.shrinkage != "auto":
            return np.full(len(means), float(self.shrinkage))
        if self.covariance == "tied":
            scatter, counts = np.broadcast_to(scatter.sum(axis=0), scatter.shape), np.full(len(counts), counts.sum())
        variances = np.diagonal(scatter, axis1=1, axis2=2) / np.maximum(counts, 1)[:, None]
        scale = np.sqrt(np.where(variances > 0, variances, 1.0))  # (K, D)
        fourth = np.zeros(len(means))
        for k, mean in enumerate(means):
            norms = (((rows[y == k] - mean) / scale[k]) ** 2).sum(axis=1)
            fourth[k] = (norms**2).sum()
        if self.covariance == "tied":
            fourth[:] = fourth.sum()
        standardised = scatter / (scale[:, :, None] * scale[:, None, :])
        return np.array(
            [ledoit_wolf(n, s, f) if n > 1 else 1.0 for n, s, f in zip(counts, standardised, fourth, strict=True)]
        )

    def _covariances(self, scatter: Array, counts: Array, amounts: Array, floor: Array) -> Array:
        """(K, D, D), or (D, D) where tied, from the classes' scatter (K, D, D)."""
        pooled = scatter.sum(axis=0) / counts.sum()
        if self.covariance == "tied":
            estimates = shrunk(pooled, amounts[0])
        else:
            own = [s / n if n > 1 else pooled for s, n in zip(scatter, counts, strict=True)]
            estimates = np.stack([shrunk(c, a) for c, a in zip(own, amounts, strict=True)])
        floored: Array = estimates + np.diag(floor)
        return floored

    def _expand(self, covariances: Array) -> Array:
        n_classes, n_columns = self.schema_.n_classes, self.schema_.n_features
        return structure(self.covariance).expand(covariances, n_classes, n_columns)

    def log_likelihoods(self, X: Array) -> Array:
        """Log p(x | y) of the observed features for every class, (N, *event) -> (N, K) nats."""
        return self.mixture_.component_log_density(as_rows(X, self.schema_)).T

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """``n`` events of one class, (n, *event)."""
        lower = np.linalg.cholesky(self._expand(self.covariances_)[label])
        noise = rng.standard_normal((n, len(lower)))
        return as_events(self.means_[label] + noise @ lower.T, self.schema_)

    def restore(self) -> None:
        """Check shapes; the classes are the components of a mixture, whose densities are evaluated together."""
        k, d = self.schema_.n_classes, self.schema_.n_features
        shapes = {"full": (k, d, d), "tied": (d, d), "diagonal": (k, d)}
        check_shape({"means": self.means_}, "means", (k, d))
        check_shape({"covariances": self.covariances_}, "covariances", shapes[self.covariance])
        self.mixture_ = Mixture(structure(self.covariance), np.exp(self.log_prior_), self.means_, self.covariances_)
        _ = self.mixture_.normals  # a singular covariance is told at the fit
