r"""Probabilities of words given hidden states, learned by counting, with classes of words for those never met.

.. math:: b_k(w) = (1 - \lambda_k) \frac{n_{kw}}{n_k} + \lambda_k \frac{\theta_k(c(w))}{|c(w)|}

A share :math:`\lambda_k` of a state's tokens, that of its words seen once, is spread over classes c of words by shape
and ending, and evenly within each: so a word unseen in training has a probability, too. Good, "The population
frequencies of species" (1953); Brants, "TnT" (2000).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from versus.arrays import Array
from versus.data.spaces import Tokens
from versus.models.checks import check_shape
from versus.models.word_forms import WordClasses, packed, unpacked


@dataclass(frozen=True)
class WordEmissions:
    """Counts of words and of classes of rare words in each of K states.

    Args:
        words: (M,) codes of the words seen in training.
        counts: (M, K) of these words.
        class_counts: (C, K) of rare words of each class.
        class_names: names of the classes, packed.
        escape: (K,) share of a state's tokens left to the classes.
    """

    words: Array
    counts: Array
    class_counts: Array
    class_names: Array
    escape: Array

    @classmethod
    def learn(
        cls, tokens: Array, states: Array, k: int, space: Tokens, rare_count: int, suffix_length: int, members: int
    ) -> WordEmissions:
        """Count tokens (total,) in their states (total,).

        Args:
            tokens, states: codes.
            k: number of states.
            space: names of the tokens.
            rare_count: words seen at most this often stand for unknown words.
            suffix_length: the longest ending that distinguishes classes of words.
            members: number of rare words that must share an ending to form a class.
        """
        words, places = np.unique(tokens, return_inverse=True)
        counts = np.bincount(places * k + states, minlength=len(words) * k).reshape(-1, k)
        frequency = counts.sum(axis=1)
        once = counts[frequency == 1].sum(axis=0)
        totals = counts.sum(axis=0)
        escape = np.where(totals > 0, (once + 1) / (totals + 2), 1.0)
        rare = np.flatnonzero(frequency <= rare_count)
        strings = space.words(words[rare])
        classes = WordClasses.learn(strings, suffix_length, members)
        class_counts = np.zeros((len(classes.names), k), np.int64)
        np.add.at(class_counts, classes.of(strings), counts[rare])
        return cls(words, counts, class_counts, packed(classes.names), escape)

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], k: int, size: int) -> WordEmissions:
        """Take the arrays of a saved model of k states and a vocabulary of a size.

        Raises:
            ValueError: where shapes or codes are not those of such a model.
        """
        check_shape(arrays, "counts", (*arrays["words"].shape, k))
        check_shape(arrays, "class_counts", (len(WordClasses(unpacked(arrays["class_names"])).names), k))
        check_shape(arrays, "escape", (k,))
        if not np.isin(arrays["words"], np.arange(size)).all():
            raise ValueError("array 'words' holds codes beyond the schema's vocabulary")
        return cls(**{name: arrays[name] for name in EMISSIONS})

    def log_emission(self, vocabulary: Sequence[str], alpha: float) -> Array:
        """Log probability of each word of a vocabulary in each state, (V, K); ``alpha`` is added to classes' counts."""
        classes = WordClasses(unpacked(self.class_names))
        word_class = classes.of(vocabulary)
        sizes = np.bincount(word_class, minlength=len(classes.names))[:, None]
        shares = np.where(sizes > 0, self.class_counts + alpha, 0.0)
        shares = self.escape * shares / (shares.sum(axis=0) * np.maximum(sizes, 1))
        emission = shares[word_class]
        totals = np.maximum(self.counts.sum(axis=0), 1)
        emission[self.words] += (1 - self.escape) * self.counts / totals
        return np.asarray(np.log(emission))


EMISSIONS = ("counts", "words", "class_counts", "class_names", "escape")
