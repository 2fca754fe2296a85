r"""Markov chains of tokens, smoothed by interpolated Kneser-Ney: each token depends on those just before it.

.. math:: p(x \mid T) = \prod_{t=1}^T p(x_t \mid x_{t-n}, \dots, x_{t-1})

The number T of tokens is given, and drawn as in training where sequences are drawn. `versus.numerics.ngrams` has the
probabilities, which are above zero for tokens unseen in training, too. Jurafsky and Martin, *Speech and Language
Processing* (3rd edition, 2024), chapter 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from versus.arrays import Array, Measure, Ragged
from versus.data.schema import Schema
from versus.models.arguments import Between, Count, Model, SearchSpace, Share
from versus.models.checks import check_names, check_shape, restored_schema, tokens_of
from versus.models.class_densities import BayesClassifier
from versus.numerics.ngrams import Ngrams, count

__all__ = ["MarkovChain", "MarkovChainClassifier"]

_PIECES = ("contexts", "tokens", "counts")
_QUANTILES = np.linspace(0, 1, 101)


@dataclass(eq=False, kw_only=True)
class SequenceDensity(Model):
    """A density of sequences by their n-grams of a length that the class gives.

    Learned: ``ngrams_``, and ``lengths_`` (101,) percentiles of the numbers of tokens.

    Args:
        discount: subtracted from each count; by default the three of Chen and Goodman, estimated for each length.
    """

    measure: ClassVar[Measure] = "sequence"

    discount: Share | None = None

    def longest(self) -> int:
        """Length of the longest n-grams."""
        raise NotImplementedError

    def fit(self, X: Ragged, y: Array | None = None) -> Self:
        """Count in token codes X (N sequences); y is ignored.

        Raises:
            ValueError: where X holds no tokens, or others than the schema's.
        """
        self.schema_ = self.schema or Schema.of(X)
        tokens_of(self.schema_).check(X)
        if not len(X.values):
            raise ValueError(f"{type(self).__name__}.fit: {len(X)} sequences without a token; wants some tokens")
        self.ngrams_ = count(X, self.schema_.n_features, self.longest(), self.discount)
        self.lengths_ = np.quantile(X.lengths, _QUANTILES)
        return self

    def log_prob(self, X: Ragged) -> Array:
        """Log p(x | T) of each sequence, (N sequences) -> (N,) nats."""
        tokens_of(self.schema_).check(X)
        running = np.concatenate([[0.0], np.cumsum(self.ngrams_.log_probabilities(X))])
        log_p: Array = np.diff(running[X.starts])
        return log_p

    def sample(self, n: int, y: Array | None = None, random_state: int | None = None) -> Ragged:
        """Draw ``n`` sequences, as long as those of training; ValueError where ``y`` asks for classes."""
        if y is not None:
            raise ValueError(f"{type(self).__name__} knows no classes; y must be None")
        rng = np.random.default_rng(random_state)
        lengths = np.interp(rng.random(n), _QUANTILES, self.lengths_).round().astype(np.int64)
        order = np.argsort(-lengths, kind="stable")  # the longest first, so that those still open are the first ones
        drawn = np.zeros((n, int(lengths.max(initial=0))), np.int32)
        state = self.ngrams_.start(n)
        for t in range(drawn.shape[1]):
            state = [ids[: int((lengths > t).sum())] for ids in state]
            drawn[: len(state[0]), t] = self.ngrams_.draw(state, rng)
            state = self.ngrams_.step(state, drawn[: len(state[0]), t])
        kept = np.arange(drawn.shape[1]) < lengths[:, None]
        return Ragged.cut(drawn[np.argsort(order, kind="stable")][kept], lengths)

    def continue_(self, prompt: Array, n: int, temperature: float = 1.0, random_state: int | None = None) -> Array:
        """Draw the next ``n`` tokens after a prompt (m,), by p(w | …)^(1 / temperature) up to a factor: (n,) int32.

        Raises:
            ValueError: where the temperature is not above 0.
        """
        if not temperature > 0:
            raise ValueError(f"temperature={temperature}; accepted: a number above 0")
        rng, state, drawn = np.random.default_rng(random_state), self.ngrams_.start(1), np.zeros(n, np.int32)
        for token in prompt:
            state = self.ngrams_.step(state, token)
        for t in range(n):
            log_p = np.log(self.ngrams_.distribution(state)) / temperature
            cumulated = np.cumsum(np.exp(log_p - log_p.max()))
            drawn[t] = np.searchsorted(cumulated, rng.random() * cumulated[-1], "right")
            state = self.ngrams_.step(state, drawn[t])
        return drawn

    def get_arrays(self) -> dict[str, Array]:
        """The n-grams of all lengths one after the other, -1 for the beginning; their numbers, discounts, lengths."""
        pieces = {name: getattr(self.ngrams_, name).values for name in _PIECES}
        pieces["tokens"] = np.where(pieces["tokens"] == self.ngrams_.size, -1, pieces["tokens"])
        sizes = self.ngrams_.counts.lengths
        return pieces | {"sizes": sizes, "discounts": self.ngrams_.discounts, "lengths": self.lengths_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`.

        Raises:
            ValueError: naming the array whose shape or values do not fit the others and the vocabulary.
        """
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, (*_PIECES, "sizes", "discounts", "lengths"))
        size, sizes = self.schema_.n_features, check_shape(arrays, "sizes", (self.longest(),))
        parts = {name: Ragged.cut(check_shape(arrays, name, (int(sizes.sum()),)), sizes) for name in _PIECES}
        tokens, contexts = arrays["tokens"], arrays["contexts"]
        if sizes.min() < 1 or tokens.min() < -1 or tokens.max() >= size or arrays["counts"].min() < 0:
            raise ValueError(f"arrays 'sizes', 'tokens' and 'counts' do not fit a vocabulary of {size} tokens")
        if contexts.min() < 0 or (contexts >= np.repeat([1, *sizes[:-1]], sizes)).any():
            raise ValueError("array 'contexts' names n-grams that are not there")
        parts["tokens"] = Ragged(np.where(tokens < 0, size, tokens), parts["tokens"].starts)
        discounts = check_shape(arrays, "discounts", (len(sizes), 3))
        self.ngrams_ = Ngrams(size, discounts=discounts, **parts)
        if any((np.diff(keys) <= 0).any() for keys in self.ngrams_.keys):
            raise ValueError("arrays 'contexts' and 'tokens' are not in ascending order")
        self.lengths_ = check_shape(arrays, "lengths", _QUANTILES.shape)


@dataclass(eq=False)
class MarkovChain(SequenceDensity):
    """A Markov chain of tokens.

    Args:
        order: number of tokens that the next one depends on.
    """

    search_space: ClassVar[SearchSpace] = {"order": Between(1, 8)}

    order: Count = 4

    def longest(self) -> int:
        """Length of the longest n-grams."""
        return self.order + 1


@dataclass(eq=False)
class MarkovChainClassifier(BayesClassifier):
    """A Markov chain of tokens for each class; the words of a document in their order.

    Args:
        order: number of tokens that the next one depends on.
        discount: subtracted from each count; by default the three of Chen and Goodman, estimated for each length.
    """

    search_space: ClassVar[SearchSpace] = {"order": Between(1, 4)}

    order: Count = 1
    discount: Share | None = None

    @property
    def measure(self) -> Measure:  # type: ignore[override]
        """Reference measure."""
        return MarkovChain.measure

    def fit(self, X: Any, y: Array | None = None) -> Self:  # type: ignore[override]  # counts of n-grams are whole
        """Learn p(y) and a chain of each class from X (N sequences) and class codes y (N,)."""
        return super().fit(X, y)

    def new_density(self) -> Any:
        """Build an unfitted chain for one class."""
        return MarkovChain(self.order, discount=self.discount)
