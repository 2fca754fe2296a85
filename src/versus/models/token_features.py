r"""Linear scores of tokens from the words around them: form, affixes, shape at each place of a window.

.. math:: s_i = \sum_{o = -r}^{r} W_o^\top f_{|o|}(x_{i + o})

with f the features of a word, 0 or 1 each, fewer the farther away it is. All tokens of one word share f, so scores are
first made for the words of the vocabulary and then gathered by token, and gradients are first added up by word: tens of
times fewer products than with a row a token. Ratnaparkhi, "A maximum entropy model for part-of-speech tagging" (1996).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from versus.arrays import Array, Ragged
from versus.models import word_forms

_OUTSIDE = "outside"  # the feature of places before the first and after the last token
_FAR = ("form", _OUTSIDE)
_NEAR = (*_FAR, "word", "shape", "capital")


class WordFeatures:
    """Features of single words, named by strings.

    Args:
        names: the features that are known.
        affixes: the longest prefix and suffix used.
    """

    def __init__(self, names: Sequence[str], affixes: int) -> None:
        self.names = list(names)
        self.affixes = affixes

    @classmethod
    def learn(cls, words: Sequence[str], counts: Array, affixes: int, min_df: int) -> WordFeatures:
        """Learn the features that at least ``min_df`` of the training tokens have, given how often each word occurs."""
        found: Counter[str] = Counter()
        for word, count in zip(words, counts.tolist(), strict=True):
            for name in _features(word, affixes):
                found[name] += count
        return cls([_OUTSIDE, *sorted(name for name, count in found.items() if count >= min_df)], affixes)

    def matrix(self, vocabulary: Sequence[str], radius: int) -> Any:
        """Sparse features of each word at each of 2 r + 1 places, and last in a place those of none: a block a place.

        A token itself has all features, its neighbours have form and shape, and those beyond their form alone.

        Returns:
            ((2 r + 1) (V + 1), (2 r + 1) F)
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
        return sparse.block_diag([by_distance[min(abs(o), 2)] for o in range(-radius, radius + 1)], format="csr")


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


class Window:
    """The tokens of sequences with their neighbours, and their scores for given weights.

    Args:
        features: sparse, of `WordFeatures.matrix` with the same radius.
        X: token codes.
        radius: number of neighbours on each side.
        order: (total,) order in which tokens are scored; that of X by default.
    """

    def __init__(self, features: Any, X: Ragged, radius: int, order: Array | slice = slice(None)) -> None:
        n_places = 2 * radius + 1
        n_words = features.shape[0] // n_places
        place = np.arange(len(X.values)) - np.repeat(X.starts[:-1], X.lengths)
        length = np.repeat(X.lengths, X.lengths)
        columns = np.empty((len(X.values), n_places), np.int32)
        for column, offset in enumerate(range(-radius, radius + 1)):
            inside = (place + offset >= 0) & (place + offset < length)
            columns[:, column] = np.where(inside, np.roll(X.values, -offset), n_words - 1) + column * n_words
        columns = columns[order]
        starts = np.arange(0, columns.size + 1, n_places, dtype=np.int32)
        shape = len(columns), n_places * n_words
        self._words = sparse.csr_array((np.ones(columns.size), columns.ravel(), starts), shape=shape)
        self._features = features
        self._shape = n_places, features.shape[1] // n_places

    def scores(self, weights: Array) -> Array:
        """Scores of all tokens, (2 r + 1, F, K) -> (total, K)."""
        return self.gathered(self._features @ weights.reshape(self._features.shape[1], -1))

    def gathered(self, by_word: Array) -> Array:
        """Scores of all tokens, given those of each word at each place, ((2 r + 1) (V + 1), K) -> (total, K)."""
        found: Array = self._words @ by_word
        return found

    def gradient(self, residuals: Array) -> Array:
        """Derivative of the scores, weighted by ``residuals`` (total, K), by the weights: (2 r + 1, F, K)."""
        found: Array = self._features.T @ (self._words.T @ residuals)
        return found.reshape(*self._shape, -1)
