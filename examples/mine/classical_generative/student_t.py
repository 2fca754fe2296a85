r"""One Student t for each class, whose tails forgive outliers.

.. math:: p(x \mid y) = t_\nu(x; \mu_y, \Sigma_y)

Location and scale by moments: the covariance of a t is ν / (ν - 2) times its scale (Kotz and Nadarajah, *Multivariate
t Distributions*, 2004).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from versus.models.arguments import Between, Positive, SearchSpace
from versus.models.checks import check_shape
from versus.models.class_densities import MixedDensity
from versus.models.events import as_rows, dequantised_rows, stored_events

from ..densities import log_student_t

__all__ = ["StudentT"]


@dataclass(eq=False, kw_only=True)
class StudentT(MixedDensity):
    """A t of the numbers of each class; rows with missing numbers are left out of the fit.

    Learned: ``locations_`` (K, D) and ``scales_`` (K, D, D).

    Args:
        df: degrees of freedom, more than 2.
        ridge: added to each variance, as a fraction of the column's variance in all rows.
        random_state: seed of the dequantisation of pixels.
    """

    search_space: ClassVar[SearchSpace] = {"df": Between(3, 100)}
    learned: ClassVar[tuple[str, ...]] = ("locations", "scales")

    df: Positive = 5.0
    ridge: Positive = 1e-3
    random_state: int | None = None

    def rows_to_fit(self, X: np.ndarray) -> np.ndarray:
        """Convert events to rows (N, D); whole pixels are spread over their cells."""
        return dequantised_rows(X, self.numbers, np.random.default_rng(self.random_state))

    def fit_numbers(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        """Estimate location and scale of each class."""
        rows = self.rows_to_fit(X)
        whole = np.isfinite(rows).all(axis=1)
        variances, means = rows[whole].var(axis=0), rows[whole].mean(axis=0)
        unit = np.where(means == 0, 1.0, means**2)  # of a constant column, which has no variance
        added = self.ridge * np.where(variances > 0, variances, unit)
        everyone = np.ones(len(rows)) if weights is None else weights
        locations, scales = [], []
        for k in range(self.numbers.n_classes):
            members = whole & (y == k)
            members = members if members.sum() > rows.shape[1] else whole
            location = np.average(rows[members], axis=0, weights=everyone[members])
            covariance = np.atleast_2d(np.cov(rows[members].T, aweights=everyone[members], bias=True))
            locations.append(location)
            scales.append(max(1 - 2 / self.df, 0.1) * covariance + np.diag(added))
        self.locations_, self.scales_ = np.stack(locations), np.stack(scales)

    def numbers_log_likelihoods(self, X: np.ndarray) -> np.ndarray:
        """Log p(numbers | y) for every class, (N, *event) -> (N, K) nats."""
        rows, each = as_rows(X, self.numbers), zip(self.locations_, self.scales_, strict=True)
        return np.stack([log_student_t(rows, *of_class, self.df) for of_class in each], axis=1)

    def draw_numbers(self, label: int, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the numbers of ``n`` events of one class, (n, *event)."""
        lower = np.linalg.cholesky(self.scales_[label])
        normal = rng.standard_normal((n, len(lower))) @ lower.T
        spread = np.sqrt(rng.chisquare(self.df, n) / self.df)
        return stored_events(self.locations_[label] + normal / spread[:, None], self.numbers)

    def restore_numbers(self) -> None:
        """Check shapes."""
        k, d = self.numbers.n_classes, self.numbers.n_features
        check_shape({"locations": self.locations_}, "locations", (k, d))
        check_shape({"scales": self.scales_}, "scales", (k, d, d))
