"""Counts of events: occurrences of each known token in a document, or rows and pixels that are counts themselves.

The known tokens are learned from training documents; other tokens of the vocabulary are left out of the counts.
Salton and Buckley, "Term-weighting approaches in automatic text retrieval" (1988); Good, "The population frequencies
of species and the estimation of population parameters" (1953).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.special import gammaln

from versus.arrays import Array, Ragged
from versus.data.schema import Schema
from versus.models.arguments import Count, Model
from versus.models.checks import check_names, check_shape
from versus.models.events import raw_rows, require_numeric, stored_events


@dataclass(eq=False, kw_only=True)
class KnownTokens(Model):
    """Arguments of models that count the tokens of documents.

    Args:
        min_df: for documents: a token is known if at least this many training documents have it.
        max_features: for documents: maximum number of known tokens, the most frequent; None for no limit.
    """

    min_df: Count = 1
    max_features: Count | None = None


@dataclass(eq=False, kw_only=True)
class KnownNgrams(KnownTokens):
    """Arguments of models that count tokens in a row, too.

    Args:
        ngram_range: for documents: the fewest and the most tokens in a row that are counted as one feature.
        binary: for documents: a feature counts once in each document that has it.
    """

    ngram_range: Sequence[Count] = (1, 1)
    binary: bool = False

    def new_counts(self, schema: Schema, tfidf: bool = False) -> TokenCounts:
        """Build the converter of documents to counts."""
        return TokenCounts(schema, self.min_df, self.max_features, tfidf, self.ngram_range, self.binary)


class TokenCounts:
    """Documents (N sequences of token codes) -> sparse (N, F), counts of known features, as scikit-learn makes them.

    A feature is a token, or with a longer ``ngram_range`` some tokens in a row.

    Learned: ``known_`` (F,) ascending codes of the known features, those of the tokens where these are single, and
    with ``tfidf`` their inverse document frequencies ``idf_`` (F,).

    Args:
        schema: its vocabulary defines the codes.
        min_df: a feature is known if at least this many training documents have it.
        max_features: maximum number of known features, the most frequent in training; None for no limit.
        tfidf: weight counts by ``1 + ln((1 + N) / (1 + document frequency))`` and scale rows to length 1.
        ngram_range: the fewest and the most tokens of a feature.
        binary: count a feature once in each document that has it.
    """

    def __init__(
        self,
        schema: Schema,
        min_df: int = 1,
        max_features: int | None = None,
        tfidf: bool = False,
        ngram_range: Sequence[int] = (1, 1),
        binary: bool = False,
    ) -> None:
        if min_df < 1 or (max_features is not None and max_features < 1):
            raise ValueError(f"min_df={min_df}, max_features={max_features}; whole numbers from 1 up are accepted")
        if len(ngram_range) != 2 or not 1 <= ngram_range[0] <= ngram_range[1]:
            raise ValueError(f"ngram_range={list(ngram_range)}; accepted: two whole numbers from 1 up, such as [1, 2]")
        if (schema.n_features + 1) ** ngram_range[1] >= 2**63:
            raise ValueError(f"ngram_range={list(ngram_range)} is too long for {schema.n_features} different tokens")
        self.schema = schema
        self.min_df = min_df
        self.max_features = max_features
        self.tfidf = tfidf
        self.shortest, self.longest = ngram_range
        self.binary = binary

    @property
    def n_columns(self) -> int:
        """Number F of known features."""
        return len(self.known_)

    def _features(self, X: Ragged) -> tuple[Array, Array]:
        """Document and code of each feature in the text, repeats included; two of (n,) int64."""
        base, document = self.schema.n_features + 1, _documents(X)
        ends, codes, found = np.arange(len(X.values)), X.values.astype(np.int64), []
        for length in range(1, self.longest + 1):
            if length > 1:  # one token further to the right, in the same document
                inside = ends + 1 < X.starts[document[ends] + 1]
                ends, codes = ends[inside] + 1, (codes[inside] + 1) * base
                codes += X.values[ends]
            if length >= self.shortest:
                found.append((document[ends], codes))
        documents, features = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return documents, features

    def fit(self, X: Ragged) -> Self:
        """Learn the known features from training documents.

        Raises:
            ValueError: where no token is known.
        """
        self.schema.x.check(X)
        document, code = self._features(X)
        features, place, frequency = np.unique(code, return_inverse=True, return_counts=True)
        once = np.unique(document * max(len(features), 1) + place)
        documents = np.bincount(once % max(len(features), 1), minlength=len(features))
        known = np.flatnonzero(documents >= self.min_df)
        if not len(known):
            raise ValueError(
                f"no token is in min_df={self.min_df} of the {len(X)} training documents; take a smaller one"
            )
        if self.max_features is not None:
            often = (documents if self.binary else frequency)[known]
            known = np.sort(known[np.argsort(-often, kind="stable")[: self.max_features]])
        self.known_ = features[known]
        if self.tfidf:
            self.idf_ = 1 + np.log((1 + len(X)) / (1 + documents[known]))
        return self

    def transform(self, X: Ragged) -> Any:
        """Count known features, (N sequences) -> sparse (N, F) float64.

        Raises:
            ValueError: where X holds values that are not codes of the vocabulary.
        """
        self.schema.x.check(X)
        document, code = self._features(X)
        column = np.minimum(np.searchsorted(self.known_, code), len(self.known_) - 1)
        here = self.known_[column] == code
        cells = document[here].astype(np.int32), column[here].astype(np.int32)  # LIBLINEAR takes no int64
        counts = sparse.csr_array((np.ones(len(cells[0])), cells), shape=(len(X), len(self.known_)))
        if self.binary:
            counts.data[:] = 1.0
        if self.tfidf:
            counts.data *= self.idf_[counts.indices]
            lengths = np.sqrt((counts * counts).sum(axis=1))
            counts.data /= np.repeat(lengths, np.diff(counts.indptr))
        return counts

    def get_arrays(self) -> dict[str, Array]:
        """Return what `fit` learned, by name; features of several tokens as (F, longest), -1 before shorter ones."""
        return {"known": self._spelled()} | ({"idf": self.idf_} if self.tfidf else {})

    def _spelled(self) -> Array:
        """The tokens of each known feature, whose codes depend on the size of the vocabulary."""
        if self.longest == 1:
            return self.known_
        base, rest, tokens = self.schema.n_features + 1, self.known_ + 1, []
        for _ in range(self.longest):
            tokens.append(rest % base - 1)
            rest = rest // base
        return np.stack(tokens[::-1], axis=1)

    def set_arrays(self, arrays: Mapping[str, Array]) -> Self:
        """The inverse of `get_arrays`.

        Raises:
            ValueError: naming the array whose shape or values do not fit the vocabulary.
        """
        check_names(arrays, ("known", "idf") if self.tfidf else ("known",))
        known, size = arrays["known"], self.schema.n_features
        if known.ndim == 2 and known.shape[1] == self.longest > 1:
            inside = known.size and known.min() >= -1 and known.max() < size
            known = (known.astype(np.int64) + 1) @ (size + 1) ** np.arange(self.longest)[::-1] - 1 if inside else known
        beyond = known.min(initial=0) < 0 or (self.longest == 1 and known.max(initial=0) >= size)
        if known.ndim != 1 or (np.diff(known) <= 0).any() or beyond:
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
        return Ragged.cut(drawn.astype(np.int32), totals)

    def get_arrays(self) -> dict[str, Array]:
        """Return what `fit` learned, by name."""
        return super().get_arrays() | {"escape": self.escape_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> Self:
        """The inverse of `get_arrays`."""
        self.escape_ = check_shape(arrays, "escape", ())
        return super().set_arrays({name: array for name, array in arrays.items() if name != "escape"})


class RowCounts:
    """Events whose numbers or pixels are counts: (N, *event) -> (N, D) with NaN where a count is missing.

    Args:
        schema: form of the events.
        model: name used in errors.
    """

    def __init__(self, schema: Schema, model: str) -> None:
        self.schema = schema
        self.model = model
        self.n_columns = schema.n_features

    def fit(self, X: Array) -> Self:
        """Learn nothing; raise ValueError for tables with categorical columns."""
        require_numeric(self.model, self.schema)
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
                f"{self.model} takes counts 0, 1, 2, … and {name!r} holds {value}; GaussianNaiveBayes takes any numbers"
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


def _documents(X: Ragged) -> Array:
    """Index of each token's document, (total,)."""
    return np.repeat(np.arange(len(X)), X.lengths)
