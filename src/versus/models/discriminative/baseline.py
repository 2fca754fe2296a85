"""What any model must beat: the class frequencies, or the mean, whatever x is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtri

from versus.arrays import Array, Labels
from versus.data.schema import Schema
from versus.models.bayes import class_log_prior

__all__ = ["MeanBaseline", "PriorBaseline"]


class PriorBaseline:
    """P(y | x) = P(y): Laplace-smoothed class frequencies of the training data."""

    def __init__(self, schema: Schema | None = None) -> None:
        self.schema = schema

    def fit(self, X: Array, y: Array | None = None) -> PriorBaseline:
        """Learn from the labels y (N,); X is not looked at."""
        if y is None:
            raise ValueError("PriorBaseline.fit needs y: class frequencies are all it learns")
        self.schema_ = self.schema or Schema.of(X, y)
        self.log_prior_ = class_log_prior(y, self.schema_.n_classes)
        return self

    def predict_proba(self, X: Array) -> Array:
        """The prior for every row, (N, *event) -> (N, K)."""
        return np.tile(np.exp(self.log_prior_), (len(X), 1))

    def predict(self, X: Array) -> Labels:
        """The most frequent class for every row, (N, *event) -> (N,)."""
        return np.full(len(X), self.log_prior_.argmax(), dtype=np.int64)

    def get_arrays(self) -> dict[str, Array]:
        """The log prior (K,) in nats."""
        return {"log_prior": self.log_prior_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        self.log_prior_ = arrays["log_prior"]
        if self.schema is not None and self.log_prior_.shape != (self.schema.n_classes,):
            raise ValueError(f"log_prior has shape {self.log_prior_.shape} for {self.schema.n_classes} classes")


class MeanBaseline:
    """p(y | x) = N(y; mean, variance) of the training targets."""

    def __init__(self, schema: Schema | None = None) -> None:
        self.schema = schema

    def fit(self, X: Array, y: Array | None = None) -> MeanBaseline:
        """Learn from the targets y (N,); X is not looked at."""
        if y is None:
            raise ValueError("MeanBaseline.fit needs y: its mean and variance are all it learns")
        self.mean_, self.deviation_ = np.asarray(y.mean()), np.asarray(max(float(y.std()), 1e-12))
        return self

    def predict(self, X: Array) -> Array:
        """The mean for every row, (N, *event) -> (N,)."""
        return np.full(len(X), float(self.mean_))

    def predict_interval(self, X: Array, coverage: float) -> Array:
        """The central interval of the normal density, (N, *event) -> (N, 2)."""
        reach = float(ndtri(0.5 + coverage / 2) * self.deviation_)
        return np.tile([float(self.mean_) - reach, float(self.mean_) + reach], (len(X), 1))

    def log_prob_target(self, X: Array, y: Array) -> Array:
        """Log-density of y given x, (N, *event), (N,) -> (N,) nats."""
        standardised = (y - self.mean_) / self.deviation_
        log_p: Array = -0.5 * standardised**2 - np.log(self.deviation_) - 0.5 * np.log(2 * np.pi)
        return log_p

    def get_arrays(self) -> dict[str, Array]:
        """Mean and standard deviation, 0-d, in the unit of the target."""
        return {"mean": self.mean_, "deviation": self.deviation_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        mean, deviation = arrays["mean"], arrays["deviation"]
        if mean.shape or deviation.shape or deviation <= 0:
            raise ValueError("mean and deviation must be single numbers, and deviation above 0")
        self.mean_, self.deviation_ = mean, deviation
