r"""The hidden Markov model: each token depends on its tag, each tag on the one before.

.. math:: p(x, y) = \pi_{y_1} \prod_{t > 1} A_{y_{t-1} y_t} \prod_t b_{y_t}(x_t) \; e_{y_T}

The emissions b leave a share to words unseen in training (`versus.models.word_emissions`). Rabiner, "A tutorial on
hidden Markov models" (1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from versus.arrays import Array, Ragged
from versus.models.checks import check_names, check_shape, restored_schema, tokens_of
from versus.models.hidden_states import TaggedStates
from versus.models.word_emissions import EMISSIONS, WordEmissions

__all__ = ["HiddenMarkovModel"]

_LEARNED = ("steps", *EMISSIONS)


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
        words = self.rare_count, self.suffix_length, self.suffix_members
        self._restore(WordEmissions.learn(X.values, tags.values, k, tokens, *words))
        return self

    def _restore(self, emissions: WordEmissions) -> None:
        """Derive each word's log emission (V, K) from the counts."""
        for name in EMISSIONS:
            setattr(self, f"{name}_", getattr(emissions, name))
        self.log_emission_ = emissions.log_emission(tokens_of(self.schema_).vocabulary, self.alpha)

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
        self.steps_ = arrays["steps"]
        self._restore_chain()
        self._restore(WordEmissions.restored(arrays, k, self.schema_.n_features))
