"""Baselines: class frequencies or the mean, whatever x is; each word's tags, whatever its context; the usual tree."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtri

from versus.arrays import Array, Labels, Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.models.arguments import Model
from versus.models.bayes import class_log_prior
from versus.models.checks import check_names, check_shape, parsing_data, restored_schema, tagging_data, trees_of
from versus.models.preprocessing import centre_and_scale

__all__ = ["MeanBaseline", "MostFrequentTag", "PriorBaseline", "RightBranching"]


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


class RightBranching(Model):
    """A tree that branches to the right over each word's most frequent tag, whatever the words are.

    Its root has the label of most roots, all below it that of most other constituents. Learned: ``tags_`` (M,) most
    frequent tag of each of the M words in training, ``words_`` (M,) their codes, ``usual_`` (3,) labels of the root, of
    other constituents, and the tag of unknown words.
    """

    def fit(self, X: Ragged, y: Ragged | None = None) -> RightBranching:
        """Count in token codes X and trees y, both (N sentences)."""
        self.schema_, y = parsing_data(type(self).__name__, self.schema, X, y)
        nodes = y.values
        tags = nodes[nodes[:, 1] == 0, 0]
        self.words_, places = np.unique(X.values, return_inverse=True)
        k = int(nodes[:, 0].max()) + 1
        self.tags_ = np.bincount(places * k + tags, minlength=len(self.words_) * k).reshape(-1, k).argmax(axis=1)
        is_root = np.zeros(len(nodes), bool)
        is_root[y.starts[:-1]] = True
        inner = nodes[(nodes[:, 1] > 0) & ~is_root, 0]
        roots = nodes[is_root, 0]
        usual = (roots, inner if len(inner) else roots, tags)
        self.usual_ = np.array([np.bincount(labels).argmax() for labels in usual])
        return self

    def parse(self, X: Ragged) -> Ragged:
        """The tree over each sentence, (N sentences) -> nodes (total, 2) of each."""
        self.schema_.x.check(X)
        place = np.searchsorted(self.words_, X.values).clip(max=len(self.words_) - 1)
        tags = np.where(self.words_[place] == X.values, self.tags_[place], self.usual_[2])
        left = np.repeat(X.starts[1:], X.lengths) - np.arange(len(tags))  # tokens from here to the end of the sentence
        above = np.stack([np.full(len(tags), self.usual_[1]), left], axis=1)
        above[X.starts[:-1], 0] = self.usual_[0]
        nodes = np.stack([above, np.stack([tags, np.zeros(len(tags), np.int64)], axis=1)], axis=1).reshape(-1, 2)
        kept = np.ones(len(nodes), bool)  # the last token of several has no constituent of its own
        kept[2 * (X.starts[1:] - 1)[X.lengths > 1]] = False
        return Ragged.cut(nodes[kept], np.where(X.lengths > 1, 2 * X.lengths - 1, 2))

    def get_arrays(self) -> dict[str, Array]:
        """Token codes, their tags, and the usual labels."""
        return {"words": self.words_, "tags": self.tags_, "usual": self.usual_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`.

        Raises:
            ValueError: where names, shapes or labels are not those of such a model.
        """
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, ("words", "tags", "usual"))
        self.usual_ = check_shape(arrays, "usual", (3,))
        self.words_, self.tags_ = arrays["words"], check_shape(arrays, "tags", arrays["words"].shape)
        labels = np.concatenate([self.usual_, self.tags_])
        if not len(self.words_) or not np.isin(labels, np.arange(len(trees_of(self.schema_).names))).all():
            raise ValueError("arrays 'tags' and 'usual' hold labels that the schema does not have, or no word is known")
