"""Counts of events: occurrences of each known token in a document, or rows and pixels that are counts themselves.

The known tokens are learned from training documents; other tokens of the vocabulary are left out of the counts.
Salton and Buckley, "Term-weighting approaches in automatic text retrieval" (1988); Good, "The population frequencies
of species and the estimation of population parameters" (1953).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.special import gammaln

from versus.arrays import Array, Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.models.checks import check_names, check_shape
from versus.models.events import raw_rows, require_numeric, stored_events


class TokenCounts:
    """Documents (N sequences of token codes) -> sparse (N, F), the counts of known tokens, as scikit-learn makes them.

    Learned: ``known_`` (F,) ascending token codes, and with ``tfidf`` their inverse document frequencies ``idf_`` (F,).

    Args:
        schema: its vocabulary defines the codes.
        min_df: a token is known if at least this many training documents have it.
        max_features: maximum number of known tokens, the most frequent in training; None for no limit.
        tfidf: weight counts by ``1 + ln((1 + N) / (1 + document frequency))`` and scale rows to length 1.
    """

    def __init__(self, schema: Schema, min_df: int = 1, max_features: int | None = None, tfidf: bool = False) -> None:
        if min_df < 1 or (max_features is not None and max_features < 1):
            raise ValueError(f"min_df={min_df}, max_features={max_features}; whole numbers from 1 up are accepted")
        self.schema = schema
        self.min_df = min_df
        self.max_features = max_features
        self.tfidf = tfidf

    @property
    def n_columns(self) -> int:
        """Number F of known tokens."""
        return len(self.known_)

    def fit(self, X: Ragged) -> Self:
        """Learn the known tokens from training documents.

        Raises:
            ValueError: where no token is known.
        """
        self.schema.x.check(X)
        size = self.schema.n_features
        pairs = np.unique(np.stack([_documents(X), X.values]), axis=1)
        documents, frequency = np.bincount(pairs[1], minlength=size), np.bincount(X.values, minlength=size)
        known = np.flatnonzero(documents >= self.min_df)
        if not len(known):
            raise ValueError(
                f"no token is in min_df={self.min_df} of the {len(X)} training documents; take a smaller one"
            )
        if self.max_features is not None:
            known = np.sort(known[np.argsort(-frequency[known], kind="stable")[: self.max_features]])
        self.known_ = known
        if self.tfidf:
            self.idf_ = 1 + np.log((1 + len(X)) / (1 + documents[known]))
        return self

    def transform(self, X: Ragged) -> Any:
        """Count known tokens, (N sequences) -> sparse (N, F) float64.

        Raises:
            ValueError: where X holds values that are not codes of the vocabulary.
        """
        self.schema.x.check(X)
        columns = np.full(self.schema.n_features, -1)
        columns[self.known_] = np.arange(len(self.known_))
        column = columns[X.values]
        here = column >= 0
        cells = _documents(X)[here].astype(np.int32), column[here].astype(np.int32)  # LIBLINEAR takes no int64
        counts = sparse.csr_array((np.ones(len(cells[0])), cells), shape=(len(X), len(self.known_)))
        if self.tfidf:
            counts.data *= self.idf_[counts.indices]
            lengths = np.sqrt((counts * counts).sum(axis=1))
            counts.data /= np.repeat(lengths, np.diff(counts.indptr))
        return counts

    def get_arrays(self) -> dict[str, Array]:
        """Return what `fit` learned, by name."""
        return {"known": self.known_} | ({"idf": self.idf_} if self.tfidf else {})

    def set_arrays(self, arrays: Mapping[str, Array]) -> Self:
        """The inverse of `get_arrays`.

        Raises:
            ValueError: naming the array whose shape or values do not fit the vocabulary.
        """
        check_names(arrays, ("known", "idf") if self.tfidf else ("known",))
        known, size = arrays["known"], self.schema.n_features
        if known.ndim != 1 or (np.diff(known) <= 0).any() or not np.isin(known, np.arange(size)).all():
            raise ValueError(f"array 'known' must hold ascending token codes from 0 to {size - 1}")
        self.known_ = known
        if self.tfidf:
            self.idf_ = check_shape(arrays, "idf", known.shape)
        return self


class DocumentCounts(TokenCounts):
    """Counts of known tokens, and the other quantities that a multinomial model needs.

    Learned: ``escape_`` (), the share of tokens that are not known, by Good's estimate; they are taken as equally
    likely, whatever the class.
    """

    def fit(self, X: Ragged) -> Self:
        """Learn the known tokens and the share of unknown ones."""
        super().fit(X)
        frequency = np.bincount(X.values, minlength=self.schema.n_features)
        surprises = frequency.sum() - frequency[self.known_].sum() + (frequency[self.known_] == 1).sum()
        self.escape_ = np.asarray((surprises + 1) / (frequency.sum() + 2))
        return self

    def log_base(self, X: Ragged, counts: Any) -> Array:
        """Part of each document's log p(x | y, length) apart from the known tokens' shares, (N,) nats."""
        unknown = self.schema.n_features - self.n_columns
        if not unknown:
            return np.zeros(len(X))
        known = counts.sum(axis=1)
        log_base: Array = known * np.log1p(-self.escape_) + (X.lengths - known) * np.log(self.escape_ / unknown)
        return log_base

    def draw(self, totals: Array, shares: Array, rng: np.random.Generator) -> Ragged:
        """Draw documents of ``totals`` (n,) known tokens with the probabilities ``shares`` (F,)."""
        drawn = rng.choice(self.known_, size=int(totals.sum()), p=shares)
        return Ragged(drawn.astype(np.int32), np.concatenate([[0], np.cumsum(totals)]).astype(np.int64))

    def get_arrays(self) -> dict[str, Array]:
        """Return what `fit` learned, by name."""
        return super().get_arrays() | {"escape": self.escape_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> Self:
        """The inverse of `get_arrays`."""
        self.escape_ = check_shape(arrays, "escape", ())
        return super().set_arrays({name: array for name, array in arrays.items() if name != "escape"})


class RowCounts:
    """Events whose numbers or pixels are counts: (N, *event) -> (N, D) with NaN where a count is missing."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.n_columns = schema.n_features

    def fit(self, X: Array) -> Self:
        """Learn nothing; raise ValueError for tables with categorical columns."""
        require_numeric("MultinomialNaiveBayes", self.schema)
        return self

    def transform(self, X: Array) -> Array:
        """Convert events to counts, (N, *event) -> (N, D) of whole numbers and NaN.

        Raises:
            ValueError: naming the column and the value that is not a count.
        """
        counts = raw_rows(X, self.schema).astype(np.float64, copy=False)
        bad = (counts < 0) | (counts != np.floor(counts)) & ~np.isnan(counts)
        if bad.any():
            column = int(np.flatnonzero(bad.any(axis=0))[0])
            name = self.schema.columns[column].name if self.schema.columns else f"pixel {column}"
            value = counts[bad[:, column], column][0]
            raise ValueError(
                f"MultinomialNaiveBayes takes counts 0, 1, 2, … and {name!r} holds {value}; "
                "GaussianNaiveBayes takes any numbers"
            )
        return counts

    def log_base(self, X: Array, counts: Array) -> Array:
        """Logarithm of the number of orders in which the observed counts could come, (N,) nats."""
        x = np.nan_to_num(counts)
        orders: Array = gammaln(x.sum(axis=1) + 1) - gammaln(x + 1).sum(axis=1)
        return orders

    def draw(self, totals: Array, shares: Array, rng: np.random.Generator) -> Array:
        """Draw events (n, *event) of ``totals`` (n,) counts with the probabilities ``shares`` (D,)."""
        return stored_events(rng.multinomial(totals, shares).astype(np.float64), self.schema)

    def get_arrays(self) -> dict[str, Array]:
        """Return no arrays, as nothing is learned."""
        return {}

    def set_arrays(self, arrays: Mapping[str, Array]) -> Self:
        """Check that there are no arrays, as nothing is learned."""
        check_names(arrays, ())
        return self


def counts_of(schema: Schema, min_df: int, max_features: int | None) -> Any:
    """Build the converter of events to counts: of documents with the two limits, or of tables and images."""
    if isinstance(schema.x, Tokens):
        return DocumentCounts(schema, min_df, max_features)
    return RowCounts(schema)


def _documents(X: Ragged) -> Array:
    """Index of each token's document, (total,)."""
    return np.repeat(np.arange(len(X)), X.lengths)
