r"""The hidden Markov model: each token depends on its tag, each tag on the one before.

.. math:: p(x, y) = \pi_{y_1} \prod_{t > 1} A_{y_{t-1} y_t} \prod_t b_{y_t}(x_t) \; e_{y_T}, \qquad
          b_k(w) = (1 - \lambda_k) \frac{n_{kw}}{n_k} + \lambda_k \frac{\theta_k(c(w))}{|c(w)|}

The step to the end, e, is learned as the steps between tags are, so that p(x) sums to 1 over sequences of all lengths.
A share :math:`\lambda_k` of a tag's tokens, that of its words seen once, is spread over classes c of words by shape and
ending, and evenly within each: so a word unseen in training has a probability, too. Rabiner, "A tutorial on hidden
Markov models" (1989); Good, "The population frequencies of species" (1953); Brants, "TnT" (2000).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from versus.arrays import Array, Measure, Ragged
from versus.models.arguments import Between, Model, Positive, SearchSpace
from versus.models.checks import check_names, check_shape, restored_schema, tagging_data, tokens_of
from versus.models.word_forms import WordClasses, packed, unpacked
from versus.numerics.chains import Chain, step_counts

__all__ = ["HiddenMarkovModel"]

_LEARNED = ("steps", "counts", "words", "class_counts", "class_names", "escape")


@dataclass(eq=False)
class HiddenMarkovModel(Model):
    """Tags as hidden states, tokens as their emissions, learned from tagged sequences by counting.

    Learned: ``steps_`` (K + 1, K + 1) counts of steps between tags, the last row from the beginning and the last column
    to the end; ``counts_`` (M, K) of the M words seen in training, ``words_`` (M,) their codes; ``class_counts_``
    (C, K) rare words of each class, ``class_names_``; ``escape_`` (K,) the share of a tag's tokens left to the classes.

    Args:
        alpha: added to the count of each step between tags, and to that of each class of words.
        rare_count: words seen at most this often stand for unknown words.
        suffix_length: the longest ending that distinguishes classes of words; 0 for shapes alone.
        suffix_members: number of rare words that must share an ending to form a class.
        decode: "viterbi" predicts the best sequence of tags, "posterior" the best tag of each token.
    """

    search_space: ClassVar[SearchSpace] = {"alpha": Between(1e-3, 10.0)}

    measure: ClassVar[Measure] = "discrete"

    alpha: Positive = 0.1
    rare_count: int = 2
    suffix_length: int = 4
    suffix_members: int = 10
    decode: Literal["viterbi", "posterior"] = "viterbi"

    def fit(self, X: Ragged, y: Ragged | None = None) -> HiddenMarkovModel:
        """Count in token codes X and tag codes y, both (N sequences).

        Raises:
            ValueError: where y is missing or does not fit X and the schema.
        """
        self.schema_, tags = tagging_data(type(self).__name__, self.schema, X, y)
        k = self.schema_.n_classes
        self.steps_ = step_counts(tags, k)
        self.words_, places = np.unique(X.values, return_inverse=True)
        self.counts_ = np.bincount(places * k + tags.values, minlength=len(self.words_) * k).reshape(-1, k)
        frequency = self.counts_.sum(axis=1)
        once = self.counts_[frequency == 1].sum(axis=0)
        totals = self.counts_.sum(axis=0)
        self.escape_ = np.where(totals > 0, (once + 1) / (totals + 2), 1.0)
        rare = np.flatnonzero(frequency <= self.rare_count)
        strings = tokens_of(self.schema_).words(self.words_[rare])
        classes = WordClasses.learn(strings, self.suffix_length, self.suffix_members)
        self.class_names_ = packed(classes.names)
        self.class_counts_ = np.zeros((len(classes.names), k), np.int64)
        np.add.at(self.class_counts_, classes.of(strings), self.counts_[rare])
        self._restore()
        return self

    def _restore(self) -> None:
        """Derive the chain and each word's log emission (V, K) from the counts."""
        first, later = self.steps_[-1, :-1] + self.alpha, self.steps_[:-1] + self.alpha
        steps = np.log(later / later.sum(axis=1, keepdims=True))
        self.chain_ = Chain(np.log(first / first.sum()), steps[:, :-1], steps[:, -1])
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

    def _scores(self, X: Ragged) -> Ragged:
        return Ragged(self.log_emission_[X.values], X.starts)

    def log_prob(self, X: Ragged) -> Array:
        """Log p(x), summed over all sequences of tags, (N sequences) -> (N,) nats."""
        return self.chain_.log_normaliser(self._scores(X))

    def log_prob_target(self, X: Ragged, y: Ragged) -> Array:
        """Log p(y | x) of all tags of a sequence, (N sequences) each -> (N,) nats."""
        scores = self._scores(X)
        return self.chain_.log_weight(scores, y) - self.chain_.log_normaliser(scores)

    def predict_marginals(self, X: Ragged) -> Ragged:
        """p(tag | whole sequence) of each token, (total,) -> (total, K)."""
        return self.chain_.posterior(self._scores(X)).marginals

    def predict(self, X: Ragged) -> Ragged:
        """Tag codes of each token, (total,) -> (total,) int64."""
        if self.decode == "viterbi":
            return self.chain_.viterbi(self._scores(X))[0]
        marginals = self.predict_marginals(X)
        return Ragged(marginals.values.argmax(axis=1), X.starts)

    def transitions(self) -> dict[str, Any]:
        """Probabilities of each step between tags, with their names."""
        names = self.schema_.classes
        values = self.chain_.probabilities().tolist()
        return {"from": ["(start)", *names], "to": [*names, "(end)"], "values": values, "of": "probability"}

    def sample(self, n: int, y: Ragged | None = None, random_state: int | None = None) -> Ragged:
        """Draw ``n`` sequences of token codes; with the tags ``y`` (n sequences) where given.

        Raises:
            ValueError: where ``y`` holds another number of sequences than ``n``.
        """
        rng = np.random.default_rng(random_state)
        tags = self.chain_.draw(n, rng) if y is None else y
        if not isinstance(tags, Ragged) or len(tags) != n:
            raise ValueError(f"y is {type(tags).__name__} of {len(tags)}; the tags of {n} sequences, Ragged, are taken")
        codes = np.zeros(len(tags.values), np.int32)
        for k in np.unique(tags.values):
            p, here = np.exp(self.log_emission_[:, k]), tags.values == k
            codes[here] = rng.choice(len(p), size=int(here.sum()), p=p / p.sum())
        return Ragged(codes, tags.starts)

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
        self._restore()
