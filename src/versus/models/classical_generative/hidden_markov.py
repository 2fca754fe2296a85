r"""The hidden Markov model: each token depends on its tag, each tag on the one before.

.. math:: p(x, y) = \pi_{y_1} \prod_{t > 1} A_{y_{t-1} y_t} \prod_t b_{y_t}(x_t) \; e_{y_T}, \qquad
          b_k(w) = (1 - \lambda_k) \frac{n_{kw}}{n_k} + \lambda_k \frac{\theta_k(c(w))}{|c(w)|}

A share :math:`\lambda_k` of a tag's tokens, that of its words seen once, is spread over classes c of words by shape and
ending, and evenly within each: so a word unseen in training has a probability, too. Rabiner, "A tutorial on hidden
Markov models" (1989); Good, "The population frequencies of species" (1953); Brants, "TnT" (2000).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from versus.arrays import Array, Ragged
from versus.models.checks import check_names, check_shape, restored_schema, tokens_of
from versus.models.hidden_states import TaggedStates
from versus.models.word_forms import WordClasses, packed, unpacked

__all__ = ["HiddenMarkovModel"]

_LEARNED = ("steps", "counts", "words", "class_counts", "class_names", "escape")


@dataclass(eq=False)
class HiddenMarkovModel(TaggedStates):
    """Tags as hidden states, tokens as their emissions, learned from tagged sequences by counting.

    Learned, besides ``steps_``: ``counts_`` (M, K) of the M words seen in training, ``words_`` (M,) their codes;
    ``class_counts_`` (C, K) rare words of each class, ``class_names_``; ``escape_`` (K,) the share of a tag's tokens
    left to the classes. ``alpha`` is added to the count of each class of words, too.

    Args:
        rare_count: words seen at most this often stand for unknown words.
        suffix_length: the longest ending that distinguishes classes of words; 0 for shapes alone.
        suffix_members: number of rare words that must share an ending to form a class.
    """

    rare_count: int = 2
    suffix_length: int = 4
    suffix_members: int = 10

    def fit(self, X: Ragged, y: Ragged | None = None) -> HiddenMarkovModel:
        """Count in token codes X and tag codes y, both (N sequences).

        Raises:
            ValueError: where y is missing or does not fit X and the schema.
        """
        tags = self._learn_steps(X, y)
        tokens, k = tokens_of(self.schema_), self.schema_.n_classes
        self.words_, places = np.unique(X.values, return_inverse=True)
        self.counts_ = np.bincount(places * k + tags.values, minlength=len(self.words_) * k).reshape(-1, k)
        frequency = self.counts_.sum(axis=1)
        once = self.counts_[frequency == 1].sum(axis=0)
        totals = self.counts_.sum(axis=0)
        self.escape_ = np.where(totals > 0, (once + 1) / (totals + 2), 1.0)
        rare = np.flatnonzero(frequency <= self.rare_count)
        strings = tokens.words(self.words_[rare])
        classes = WordClasses.learn(strings, self.suffix_length, self.suffix_members)
        self.class_names_ = packed(classes.names)
        self.class_counts_ = np.zeros((len(classes.names), k), np.int64)
        np.add.at(self.class_counts_, classes.of(strings), self.counts_[rare])
        self._restore()
        return self

    def _restore(self) -> None:
        """Derive each word's log emission (V, K) from the counts."""
        vocabulary = tokens_of(self.schema_).vocabulary
        classes = WordClasses(unpacked(self.class_names_))
        word_class = classes.of(vocabulary)
        sizes = np.bincount(word_class, minlength=len(classes.names))[:, None]
        shares = np.where(sizes > 0, self.class_counts_ + self.alpha, 0.0)
        shares = self.escape_ * shares / (shares.sum(axis=0) * np.maximum(sizes, 1))
        emission = shares[word_class]
        totals = np.maximum(self.counts_.sum(axis=0), 1)
        emission[self.words_] += (1 - self.escape_) * self.counts_ / totals
        self.log_emission_ = np.log(emission)

    def _log_emissions(self, x: Array) -> Array:
        found: Array = self.log_emission_[x]
        return found

    def _emitted(self, states: Array, rng: np.random.Generator) -> Array:
        codes = np.zeros(len(states), np.int32)
        for k in np.unique(states):
            p, here = np.exp(self.log_emission_[:, k]), states == k
            codes[here] = rng.choice(len(p), size=int(here.sum()), p=p / p.sum())
        return codes

    def get_arrays(self) -> dict[str, Array]:
        """The counts and the names of the classes of words."""
        return {name: getattr(self, f"{name}_") for name in _LEARNED}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`, on a model built with the same arguments and schema.

        Raises:
            ValueError: where names, shapes or codes are not those of such a model.
        """
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, _LEARNED)
        k = self.schema_.n_classes
        check_shape(arrays, "steps", (k + 1, k + 1))
        check_shape(arrays, "counts", (*arrays["words"].shape, k))
        check_shape(arrays, "class_counts", (len(WordClasses(unpacked(arrays["class_names"])).names), k))
        check_shape(arrays, "escape", (k,))
        if not np.isin(arrays["words"], np.arange(self.schema_.n_features)).all():
            raise ValueError("array 'words' holds codes beyond the schema's vocabulary")
        for name in _LEARNED:
            setattr(self, f"{name}_", arrays[name])
        self._restore_chain()
        self._restore()
