r"""Kernel density estimates, one for each class.

.. math:: p(x \mid y) = \frac{1}{N_y} \sum_{n: y_n = y} \prod_d N(x_d; x_{nd}, h_{yd}^2)

Rosenblatt (1956); Parzen (1962); Silverman, *Density Estimation* (1986). Missing columns drop out of the product: the
exact marginal. Kernels stand on complete rows only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

import numpy as np

from versus.arrays import Array, Labels, Measure
from versus.data.schema import Schema
from versus.models.arguments import Between, Model, NonNegative, Positive, SearchSpace
from versus.models.checks import check_names, check_shape, restored_schema
from versus.models.class_densities import BayesClassifier
from versus.models.events import as_rows, dequantised_rows, require_numeric, stored_events
from versus.numerics.class_moments import class_moments, scaled_variances
from versus.numerics.kernel_densities import factor, log_kernel_sums
from versus.numerics.missing import patterns

__all__ = ["KernelDensityClassifier"]


@dataclass(eq=False)
class Kernels(Model):
    """Arguments of kernel densities.

    Args:
        bandwidth: "scott", "silverman", "cross_validation" (leave-one-out likelihood), or a number: the width itself
            with the isotropic kernel, a multiple of each column's standard deviation with the product kernel.
        kernel: "product" (a width for each column, in proportion to its deviation) or "isotropic" (one for all).
        variance_floor: variance given to a column that is constant in all rows: nothing tells how wide it is.
        device: "auto", "cpu" or "cuda"; "auto" uses a GPU where there is one and the sums are large enough.
        random_state: seed of the rows used in cross-validation and of the dequantisation of pixels.
    """

    bandwidth: Positive | Literal["scott", "silverman", "cross_validation"] = "scott"
    kernel: Literal["product", "isotropic"] = "product"
    variance_floor: NonNegative = 1e-6
    device: str = "auto"
    random_state: int | None = field(default=None, kw_only=True)


class KernelDensity(Kernels):
    """A normal kernel on each training row: a density of numeric events, without classes; arguments of `Kernels`.

    Learned: ``points_`` (N, D) and ``widths_`` (D,), the kernels' standard deviations.
    """

    measure: ClassVar[Measure] = "continuous"
    least: Array = np.zeros(())  # variance (D,) of each column, from all classes; a classifier sets it

    def fit(self, X: Array, y: Array | None = None) -> Self:
        """Keep the complete rows of X (N, *event) and choose the widths; y is ignored.

        Raises:
            ValueError: for categorical columns, or where no row is complete.
        """
        self.schema_ = self.schema or Schema.of(X)
        require_numeric("KernelDensity", self.schema_)
        rng = np.random.default_rng(self.random_state)
        rows = dequantised_rows(X, self.schema_, rng)
        self.points_ = rows[~np.isnan(rows).any(axis=1)]
        if len(self.points_) == 0:
            raise ValueError(
                f"KernelDensity needs a row without missing values, and all {len(rows)} miss some; "
                "GaussianMixtureClassifier and MixedNaiveBayes can do without"
            )
        self.widths_ = self._widths(rng)
        return self

    def _widths(self, rng: np.random.Generator) -> Array:
        """Each column's kernel width, (D,)."""
        n, n_columns = self.points_.shape
        if self.kernel == "isotropic" and not isinstance(self.bandwidth, str):
            return np.full(n_columns, float(self.bandwidth))
        own = class_moments(self.points_, np.zeros(n, np.int64), 1).filled()
        unknown = self.variance_floor * scaled_variances(own, 0.0)
        variances = np.maximum(own.variances[0], np.where(self.least > 0, self.least, unknown))
        if self.kernel == "isotropic":
            variances = np.full(n_columns, variances.mean())
        deviations = np.sqrt(variances * n / max(n - 1, 1))
        if not isinstance(self.bandwidth, str):
            multiple = float(self.bandwidth)
        else:
            multiple = factor(self.bandwidth, self.points_ / deviations, rng)
        widths: Array = multiple * deviations
        return widths

    def log_prob(self, X: Array) -> Array:
        """Log p(x) of the observed features, (N, *event) -> (N,) nats."""
        rows = as_rows(X, self.schema_)
        out = np.empty(len(rows))
        for columns, where in patterns(rows):
            widths = self.widths_[columns]
            queries, points = rows[where[:, None], columns] / widths, self.points_[:, columns] / widths
            out[where] = log_kernel_sums(queries, points, self.device) - np.log(widths * np.sqrt(2 * np.pi)).sum()
        out -= np.log(len(self.points_))
        return out

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Array:
        """Draw ``n`` events (n, *event); y is ignored."""
        rng = np.random.default_rng(random_state)
        rows = self.points_[rng.integers(len(self.points_), size=n)]
        return stored_events(rows + self.widths_ * rng.standard_normal(rows.shape), self.schema_)

    def get_arrays(self) -> dict[str, Array]:
        """Points and widths."""
        return {"points": self.points_, "widths": self.widths_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, ("points", "widths"))
        self.widths_ = check_shape(arrays, "widths", (self.schema_.n_features,))
        self.points_ = check_shape(arrays, "points", (len(arrays["points"]), self.schema_.n_features))


@dataclass(eq=False)
class KernelDensityClassifier(Kernels, BayesClassifier):
    """One kernel density for each class; arguments of `Kernels`, and a prior over the classes."""

    search_space: ClassVar[SearchSpace] = {"bandwidth": Between(0.05, 2.0)}

    def fit(self, X: Array, y: Labels | None = None) -> Self:  # type: ignore[override]  # kernels have no weights
        """Learn p(y) and p(x | y) from X (N, *event) and class codes y (N,)."""
        return super().fit(X, y)

    def new_density(self) -> KernelDensity:
        """Build an unfitted kernel density for one class."""
        return KernelDensity(self.bandwidth, self.kernel, self.variance_floor, self.device)
