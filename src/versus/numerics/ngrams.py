r"""Counts of tokens in a row, and interpolated Kneser-Ney probabilities of the next token.

.. math:: p_k(w \mid h) = \frac{a(hw) - D_k(a(hw))}{\sum_v a(hv)} + \gamma_k(h) \, p_{k-1}(w \mid h'), \qquad
          p_0(w) = 1 / V

with h' the context h without its first token, and gamma what the discounts leave over. Of the longest n-grams a is
their count, of shorter ones the number of different tokens before them, of those at the beginning of a sequence their
count. Kneser and Ney, "Improved backing-off for m-gram language modeling" (1995); Chen and Goodman, "An empirical
study of smoothing techniques for language modeling" (1999), equation 26 for the discounts; Heafield and others,
"Scalable modified Kneser-Ney language model estimation" (2013).

An n-gram's key is its context's index among the shorter n-grams, times V + 1, plus its last token: so the keys of all
lengths fit 64 bits, and each length takes one sorted search for all tokens at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from versus.arrays import Array, Ragged

_USUAL = np.array([0.5, 1.0, 1.5])  # discounts where too few n-grams are there to estimate them


@dataclass(frozen=True)
class Ngrams:
    """Different n-grams of each length, and what they count for.

    Args:
        size: number V of tokens.
        contexts: n-grams of length k are contexts[k - 1]: the index of their first k - 1 tokens among those of length
            k - 1, ascending; zeros for single tokens.
        tokens: their last tokens, ascending within a context; V stands for the beginning of a sequence.
        counts: a, by which their probabilities are estimated.
        discounts: (n, 3) subtracted where a is 1, 2, or more.
    """

    size: int
    contexts: Ragged
    tokens: Ragged
    counts: Ragged
    discounts: Array

    @property
    def longest(self) -> int:
        """Length n of the longest n-grams."""
        return len(self.counts)

    @cached_property
    def keys(self) -> list[Array]:
        """Keys of the n-grams of each length, ascending."""
        pairs = zip(self.contexts, self.tokens, strict=True)
        return [contexts.astype(np.int64) * (self.size + 1) + tokens for contexts, tokens in pairs]

    @cached_property
    def shares(self) -> list[tuple[Array, Array]]:
        """Of each length the discounted share of each n-gram in its context, and what is left over of each context."""
        found = []
        for k, (context, a) in enumerate(zip(self.contexts, self.counts, strict=True)):
            size = len(self.counts[k - 1]) if k else 1
            discount = np.concatenate([[0.0], self.discounts[k]])[np.minimum(a, 3)]
            totals = np.bincount(context, a, minlength=size)
            divided = np.where(totals > 0, totals, 1.0)
            left = np.where(totals > 0, np.bincount(context, discount, minlength=size) / divided, 1.0)
            found.append(((a - discount) / divided[context], left))
        return found

    @cached_property
    def cumulated(self) -> list[Array]:
        """Running sum of the shares of each length, from 0, (G + 1,)."""
        return [np.concatenate([[0.0], np.cumsum(shares)]) for shares, _ in self.shares]

    @cached_property
    def ends(self) -> list[Array]:
        """Of each length the end of the n-grams of each context; the beginning, which no draw may give, is left out."""
        sizes = [1, *self.counts.lengths[:-1]]
        found = [np.searchsorted(c, np.arange(s), "right") for c, s in zip(self.contexts, sizes, strict=True)]
        return [found[0] - 1, *found[1:]]

    def find(self, k: int, contexts: Array, tokens: Array) -> Array:
        """Find n-grams of length k + 1 by context and last token, (m,) -> (m,) indices, -1 where there is none."""
        keys, asked = self.keys[k], contexts.astype(np.int64) * (self.size + 1) + tokens
        place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        return np.where((contexts >= 0) & (keys[place] == asked), place, -1)

    def log_probabilities(self, X: Ragged) -> Array:
        """Log-probability of each token given those before it in its sequence, (total,) nats."""
        tokens, inside = _begun(X, self.size)
        p = np.full(len(tokens), 1 / self.size)
        context = np.zeros(len(tokens), np.int64)
        for k, (shares, left) in enumerate(self.shares):
            found = self.find(k, context, tokens)
            p *= np.where(context >= 0, left[context], 1.0)
            p += np.where(found >= 0, shares[found], 0.0)
            context = np.concatenate([[-1], found[:-1]])
            context[~inside] = -1  # nothing stands before the beginning
        log_p: Array = np.log(p[inside])
        return log_p

    def start(self, n: int) -> list[Array]:
        """State of n sequences at their beginning: the n-gram of each length below the longest that they end with."""
        return self.step([np.zeros(n, np.int64), *(np.full(n, -1) for _ in range(self.longest - 1))], self.size)

    def step(self, state: list[Array], tokens: Array | int) -> list[Array]:
        """State after one more token of each sequence."""
        longer = [self.find(k, state[k], np.broadcast_to(tokens, state[k].shape)) for k in range(self.longest - 1)]
        return [state[0], *longer]

    def draw(self, state: list[Array], rng: np.random.Generator) -> Array:
        """Draw the next token of each sequence, (n,): from the longest context, or what it leaves to shorter ones."""
        tokens = rng.integers(self.size, size=len(state[0]))
        open_ = np.ones(len(tokens), bool)
        for k in range(self.longest - 1, -1, -1):
            shares, context, u = self.cumulated[k], state[k], rng.random(len(tokens))
            drawn = open_ & (context >= 0)
            drawn[drawn] = u[drawn] < 1 - self.shares[k][1][context[drawn]]
            low, high = self._children(k, context[drawn])
            place = np.clip(np.searchsorted(shares, shares[low] + u[drawn], "right") - 1, low, high - 1)
            tokens[drawn] = self.tokens[k][place]
            open_ &= ~drawn
        return tokens

    def _children(self, k: int, context: Array) -> tuple[Array, Array]:
        """Ends of the n-grams of length k + 1 that begin with a context."""
        return np.where(context > 0, self.ends[k][context - 1], 0), self.ends[k][context]

    def distribution(self, state: list[Array]) -> Array:
        """Probabilities of the next token of one sequence, (V,)."""
        p = np.full(self.size, 1 / self.size)
        for k, (shares, left) in enumerate(self.shares):
            context = int(state[k][0])
            if context >= 0:
                here = slice(*self._children(k, state[k][0]))
                p *= left[context]
                p[self.tokens[k][here]] += shares[here]
        return p


def count(X: Ragged, size: int, longest: int, discount: float | None = None) -> Ngrams:
    """Count the n-grams of X (N sequences of codes below ``size``) up to a length.

    Args:
        X: the sequences; each begins with a token that is not counted itself.
        size: number V of tokens.
        longest: length n of the longest n-grams.
        discount: subtracted from each count; by default the discounts of Chen and Goodman.
    """
    tokens, inside = _begun(X, size)
    place = np.arange(len(tokens))
    begins = np.flatnonzero(~inside)
    at = place - np.repeat(begins, X.lengths + 1)  # 0 at the beginning of each sequence
    context = index_of = np.zeros(len(tokens), np.int64)
    starting = np.zeros(0, bool)
    found: list[tuple[Array, Array, Array]] = []  # contexts, tokens, counts
    for k in range(longest):
        ends = place[at >= k]
        _, first, index, raw = np.unique(
            context[ends] * (size + 1) + tokens[ends], return_index=True, return_inverse=True, return_counts=True
        )
        of_shorter, first = context, ends[first]
        if k:  # what is one token longer says how many different tokens stand before the shorter ones
            shorter = found[-1]
            before = np.bincount(index_of[first], minlength=len(shorter[2]))
            found[-1] = *shorter[:2], np.where(starting, shorter[2], before)
        found.append((of_shorter[first], tokens[first], raw))
        index_of = np.full(len(tokens), -1)
        index_of[ends] = index
        starting = at[first] == k
        context = np.concatenate([[-1], index_of[:-1]])
    found[0][2][-1] = 0  # the beginning
    discounts = [_discounts(a) if discount is None else np.full(3, discount) for _, _, a in found]
    contexts, last, counts = (Ragged.of(parts, np.int64) for parts in zip(*found, strict=True))
    return Ngrams(size, contexts, last, counts, np.stack(discounts))


def _begun(X: Ragged, size: int) -> tuple[Array, Array]:
    """Put the code ``size`` before each sequence: all tokens, and a mask of those that are no beginning."""
    inside = np.ones(len(X.values) + len(X), bool)
    inside[X.starts[:-1] + np.arange(len(X))] = False
    tokens = np.full(len(inside), size, np.int64)
    tokens[inside] = X.values
    return tokens, inside


def _discounts(a: Array) -> Array:
    """Discounts of n-grams that count once, twice, and more often, (3,)."""
    n = np.bincount(np.minimum(a, 5), minlength=6)[1:5].astype(np.float64)
    if (n == 0).any():
        return _USUAL
    found = np.arange(1, 4) - np.arange(2, 5) * n[0] / (n[0] + 2 * n[1]) * n[1:] / n[:-1]
    return np.where((found > 0) & (found < np.arange(1, 4)), found, _USUAL)
