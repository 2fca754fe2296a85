"""Baselines: class frequencies or the mean, whatever x is; each word's tags, whatever its context."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtri

from versus.arrays import Array, Labels, Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.models.arguments import Model
from versus.models.bayes import class_log_prior
from versus.models.checks import check_names, check_shape, restored_schema, tagging_data
from versus.models.preprocessing import centre_and_scale

__all__ = ["MeanBaseline", "MostFrequentTag", "PriorBaseline"]


class PriorBaseline(Model):
    """P(y | x) = P(y): Laplace-smoothed class frequencies of the training data."""

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> PriorBaseline:
        """Learn from the labels y (N,) and weights (N,), if any; X is ignored."""
        if y is None:
            raise ValueError("PriorBaseline.fit needs y: class frequencies are all it learns")
        self.schema_ = self.schema or Schema.of(X, y)
        self.log_prior_ = class_log_prior(y, self.schema_.n_classes, sample_weight)
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


class MeanBaseline(Model):
    """p(y | x) = N(y; mean, variance) of the training targets."""

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> MeanBaseline:
        """Learn from the targets y (N,) and weights (N,), if any; X is ignored."""
        if y is None:
            raise ValueError("MeanBaseline.fit needs y: its mean and variance are all it learns")
        (mean,), (deviation,) = centre_and_scale(y[:, None], sample_weight)
        self.mean_, self.deviation_ = np.asarray(mean), np.asarray(deviation)
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


class MostFrequentTag(Model):
    r"""Most frequent tag in training of each token; an unknown token, or a row of numbers, gets that of all.

    .. math:: p(y_i = k \mid x_i = w) = (n_{wk} + p_k) / (n_w + 1)

    with p the share of each tag in training. Learned: ``words_`` (M,) token codes, ``counts_`` (M, K) of their tags.
    """

    def fit(self, X: Ragged, y: Ragged | None = None) -> MostFrequentTag:
        """Count in sequences X and tag codes y, both (N sequences)."""
        self.schema_, tags = tagging_data(type(self).__name__, self.schema, X, y)
        k = self.schema_.n_classes
        self.words_, places = np.unique(self._words(X), return_inverse=True)
        self.counts_ = np.bincount(places * k + tags.values, minlength=len(self.words_) * k).reshape(-1, k)
        return self

    def _words(self, X: Ragged) -> Array:
        """Codes of the tokens (total,); of rows, all the same."""
        self.schema_.x.check(X)
        return X.values if isinstance(self.schema_.x, Tokens) else np.zeros(len(X.values), np.int64)

    def predict_marginals(self, X: Ragged) -> Ragged:
        """p(tag | element), (total, ...) -> (total, K)."""
        words = self._words(X)
        shares = self.counts_.sum(axis=0) / self.counts_.sum()
        place = np.searchsorted(self.words_, words).clip(max=len(self.words_) - 1)
        seen = (self.words_[place] == words)[:, None] * self.counts_[place]
        return Ragged((seen + shares) / (seen.sum(axis=1, keepdims=True) + 1), X.starts)

    def predict(self, X: Ragged) -> Ragged:
        """The most frequent tag of each token, (total,) -> (total,) int64."""
        return Ragged(self.predict_marginals(X).values.argmax(axis=1), X.starts)

    def get_arrays(self) -> dict[str, Array]:
        """Token codes (M,) and the counts of their tags (M, K)."""
        return {"words": self.words_, "counts": self.counts_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`.

        Raises:
            ValueError: where names or shapes are not those of such a model.
        """
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, ("words", "counts"))
        if not arrays["words"].size:
            raise ValueError("array 'words' is empty; a fitted model knows at least one")
        self.counts_ = check_shape(arrays, "counts", (*arrays["words"].shape, self.schema_.n_classes))
        self.words_ = arrays["words"]
