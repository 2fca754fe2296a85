r"""Linear scores of tokens from the words around them: form, affixes, shape at each place of a window, and pairs.

.. math:: s_i = \sum_{o = -r}^{r} W_o^\top f_{|o|}(x_{i + o}) + L_{x_{i-1} x_i} + R_{x_i x_{i+1}}

with f the features of a word, 0 or 1 each, fewer the farther away it is, and weights L, R of each known pair of words.
All tokens of one word share f, so scores are first made for the words of the vocabulary and then gathered by token, and
gradients are first added up by word: tens of times fewer products than with a row a token. Ratnaparkhi, "A maximum
entropy model for part-of-speech tagging" (1996).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from versus.arrays import Array, Ragged
from versus.models import word_forms
from versus.models.checks import check_shape
from versus.models.word_forms import packed, unpacked

_OUTSIDE = "outside"  # the feature of places before the first and after the last token
_FAR = ("form", _OUTSIDE)
_NEAR = (*_FAR, "word", "shape", "capital")
_SHIFT = 2**31  # more than the words of any vocabulary


class WordFeatures:
    """Features of the words of a vocabulary at each place of a window, and of two words in a row.

    Args:
        vocabulary: the words, in the order of their codes.
        names: the features that are known.
        pairs: (P, 2) codes of the two words of each known pair; words that differ in capital letters have one code.
        affixes: the longest prefix and suffix used.
        radius: number of neighbours on each side.
    """

    learned = ("feature_names", "pairs")

    def __init__(
        self, vocabulary: Sequence[str], names: Sequence[str], pairs: Array, affixes: int, radius: int
    ) -> None:
        self.names, self.affixes, self.radius = list(names), affixes, radius
        self._forms, self._keys = _forms(vocabulary), _keys(*pairs.T)
        self.matrix = sparse.block_diag([*self._places(vocabulary), sparse.eye_array(2 * len(pairs))], format="csr")

    @classmethod
    def learn(
        cls, X: Ragged, vocabulary: Sequence[str], affixes: int, radius: int, min_df: int = 1, pairs: bool = False
    ) -> WordFeatures:
        """Learn the features and, where asked for, the pairs that at least ``min_df`` of the training tokens have."""
        found: Counter[str] = Counter()
        for word, count in zip(*np.unique(X.values, return_counts=True), strict=True):
            for name in _features(vocabulary[word], affixes):
                found[name] += int(count)
        names = [_OUTSIDE, *sorted(name for name, count in found.items() if count >= min_df)]
        forms, second = _forms(vocabulary)[X.values], np.flatnonzero(_place(X) > 0)
        keys, counts = np.unique(_keys(forms[second - 1], forms[second]), return_counts=True)
        known = keys[counts >= min_df] if pairs else keys[:0]
        return cls(vocabulary, names, np.stack(np.divmod(known, _SHIFT), axis=1), affixes, radius)

    @classmethod
    def restored(
        cls, arrays: Mapping[str, Array], vocabulary: Sequence[str], affixes: int, radius: int
    ) -> WordFeatures:
        """Rebuild from the output of `get_arrays`.

        Raises:
            ValueError: where names or pairs are not those of such features.
        """
        pairs = check_shape(arrays, "pairs", (len(arrays["pairs"]), 2)).astype(np.int64)
        if pairs.size and not (
            0 <= pairs.min() <= pairs.max() < len(vocabulary) and (np.diff(_keys(*pairs.T)) > 0).all()
        ):
            raise ValueError("array 'pairs' holds codes beyond the vocabulary, or in another order")
        return cls(vocabulary, unpacked(arrays["feature_names"]), pairs, affixes, radius)

    def get_arrays(self) -> dict[str, Array]:
        """Names of the features, (bytes,), and pairs of words, (P, 2)."""
        return {"feature_names": packed(self.names), "pairs": np.stack(np.divmod(self._keys, _SHIFT), axis=1)}

    @property
    def size(self) -> int:
        """Number M of weights for each tag."""
        return int(self.matrix.shape[1])

    def _places(self, vocabulary: Sequence[str]) -> list[Any]:
        """Sparse features of each word, and last those of none, (V + 1, F) for each of 2 r + 1 places.

        A token itself has all features, its neighbours have form and shape, and those beyond their form alone.
        """
        columns = {name: column for column, name in enumerate(self.names)}
        rows = [[c for name in _features(w, self.affixes) if (c := columns.get(name)) is not None] for w in vocabulary]
        rows.append([columns[_OUTSIDE]])
        indices = np.fromiter((c for row in rows for c in row), np.int32)
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        whole = sparse.csr_array((np.ones(len(indices)), indices, starts), shape=(len(rows), len(self.names)))
        kinds = [name.partition("=")[0] for name in self.names]
        near, far = ([kind in kept for kind in kinds] for kept in (_NEAR, _FAR))
        by_distance = [whole, *(whole @ sparse.diags_array(np.array(kept, float)) for kept in (near, far))]
        return [by_distance[min(abs(o), 2)] for o in range(-self.radius, self.radius + 1)]

    def table(self, weights: Array) -> Array:
        """Scores of each word at each place and of each pair, given weights (M, K); made once for many tokens."""
        found: Array = self.matrix @ weights
        return found

    def window(self, X: Ragged, order: Array | slice = slice(None)) -> WordWindow:
        """Tokens with their neighbours, in an order (total,), that of X by default."""
        return WordWindow(self, self._occurring(X)[order])

    def _occurring(self, X: Ragged) -> Array:
        """Rows of ``matrix`` that each token has, (total, 2 r + 3): words by place, and pairs; -1 for none."""
        n_words = len(self._forms) + 1
        place, length = _place(X), np.repeat(X.lengths, X.lengths)
        found = np.full((len(X.values), 2 * self.radius + 3), -1, np.int32)
        for column, offset in enumerate(range(-self.radius, self.radius + 1)):
            inside = (place + offset >= 0) & (place + offset < length)
            found[:, column] = np.where(inside, np.roll(X.values, -offset), n_words - 1) + column * n_words
        if len(self._keys):
            second, n_pairs = np.flatnonzero(place > 0), len(self._keys)
            forms, first_row = self._forms[X.values], (2 * self.radius + 1) * n_words
            keys = _keys(forms[second - 1], forms[second])
            pair = np.searchsorted(self._keys, keys).clip(max=n_pairs - 1)
            known = self._keys[pair] == keys
            found[second[known], -2] = first_row + pair[known]
            found[second[known] - 1, -1] = first_row + n_pairs + pair[known]
        return found


class WordWindow:
    """The tokens of sequences with their neighbours, and their scores for given weights.

    Args:
        features: of the words.
        occurring: (total, n) rows of their matrix, -1 for none.
    """

    def __init__(self, features: WordFeatures, occurring: Array) -> None:
        here = occurring >= 0
        starts = np.concatenate([[0], np.cumsum(here.sum(axis=1))]).astype(np.int32)
        indices = occurring[here]
        shape = len(occurring), features.matrix.shape[0]
        self._tokens = sparse.csr_array((np.ones(len(indices)), indices, starts), shape=shape)
        self._features = features

    def scores(self, weights: Array) -> Array:
        """Scores of all tokens, (M, K) -> (total, K)."""
        return self.gathered(self._features.table(weights))

    def gathered(self, table: Array) -> Array:
        """Scores of all tokens, given `WordFeatures.table`, -> (total, K)."""
        found: Array = self._tokens @ table
        return found

    def gradient(self, residuals: Array) -> Array:
        """Derivative of the scores, weighted by ``residuals`` (total, K), by the weights: (M, K)."""
        found: Array = self._features.matrix.T @ (self._tokens.T @ residuals)
        return found


def _place(X: Ragged) -> Array:
    """Place of each token in its sequence, from 0, (total,)."""
    found: Array = np.arange(len(X.values)) - np.repeat(X.starts[:-1], X.lengths)
    return found


def _forms(vocabulary: Sequence[str]) -> Array:
    """The first code whose word differs from each word at most in capital letters, (V,)."""
    first: dict[str, int] = {}
    return np.array([first.setdefault(word.lower(), code) for code, word in enumerate(vocabulary)], np.int64)


def _keys(first: Array, second: Array) -> Array:
    """One number for each pair of codes."""
    return np.asarray(first.astype(np.int64) * _SHIFT + second)


def _features(word: str, affixes: int) -> list[str]:
    lower = word.lower()
    lengths = range(1, min(affixes + 1, len(lower)))  # the whole word is a feature of its own
    return [
        f"form={lower}",
        f"word={word}",
        f"shape={word_forms.shape(word)}",
        f"pattern={word_forms.pattern(word)}",
        *(f"prefix={lower[:n]}" for n in lengths),
        *(f"suffix={lower[-n:]}" for n in lengths),
        *(["capital"] if word[0].isupper() else []),
        *(["digit"] if any(c.isdigit() for c in word) else []),
        *(["hyphen"] if "-" in word else []),
    ]
