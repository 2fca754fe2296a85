r"""The linear-chain conditional random field: all tags of a sentence at once, given its words.

.. math:: p(y \mid x) = \frac{1}{Z(x)} \exp\Bigl(\sum_t s_{t, y_t}(x) + \sum_{t > 1} T_{y_{t-1} y_t}\Bigr)

with linear scores s of a window of words (`versus.models.token_features`; beyond a sentence's ends it has a feature of
its own, by which the first and the last tag are scored) and an L2 penalty, by L-BFGS on the exact gradient: expected
less observed features. As in CRFsuite there is a weight for each feature and tag that occur together in training.
Lafferty, McCallum and Pereira, "Conditional random fields" (2001); Sha and Pereira, "Shallow parsing with conditional
random fields" (2003); Liu and Nocedal, "On the limited memory BFGS method" (1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from versus.arrays import Array, Ragged
from versus.models.arguments import Between, Count, Model, Positive, SearchSpace
from versus.models.checks import check_names, check_shape, restored_schema, tagging_data, tokens_of
from versus.models.estimator import limited
from versus.models.token_features import Window, WordFeatures
from versus.models.word_forms import packed, unpacked
from versus.numerics.chains import Chain, Layout, step_counts

__all__ = ["ConditionalRandomField"]

_LEARNED = ("weights", "entries", "transition", "feature_names")


@dataclass(eq=False)
class ConditionalRandomField(Model):
    """Tags scored by form, affixes and shape of a token, forms and shapes of its neighbours, and the tag before.

    Learned: ``weights_`` (W,) of the features, ``entries_`` (W,) their places in (2 window + 1, F, K), ``transition_``
    (K, K) of a step from the row's tag to the column's, ``feature_names_``, ``loss_`` the penalised negative
    log-likelihood of the training data, nats, after each L-BFGS step.

    Args:
        C: inverse strength of the penalty.
        window: number of neighbours on each side.
        affixes: the longest prefix and suffix that are features.
        min_df: number of training tokens that must have a feature.
        max_iter: maximum number of L-BFGS steps.
        tol: L-BFGS stops when a step lowers the loss by less than this share of it.
        decode: "viterbi" predicts the best sequence of tags, "posterior" the best tag of each token.
    """

    search_space: ClassVar[SearchSpace] = {"C": Between(1e-2, 1e2)}

    late_imports = ("scipy.optimize", "sklearn.utils")

    C: Positive = 1.0
    window: Count = 2
    affixes: int = 4
    min_df: Count = 1
    max_iter: Count = 100
    tol: float = 1e-5
    decode: Literal["viterbi", "posterior"] = "viterbi"

    def fit(self, X: Ragged, y: Ragged | None = None) -> ConditionalRandomField:
        """Learn from token codes X and tag codes y, both (N sequences).

        Raises:
            ValueError: where y is missing or does not fit X and the schema.
        """
        from scipy.optimize import minimize

        self.schema_, tags = tagging_data(type(self).__name__, self.schema, X, y)
        words, counts = np.unique(X.values, return_counts=True)
        features = WordFeatures.learn(tokens_of(self.schema_).words(words), counts, self.affixes, self.min_df)
        self.feature_names_ = packed(features.names)
        self._restore()
        objective = Objective(self.features_, X, tags, self.window, self.schema_.n_classes, self.C)
        self.loss_: list[float] = []
        options = {"maxiter": self.max_iter, "ftol": self.tol, "gtol": 0.0, "maxcor": 6}
        with limited(1):  # its vectors are too short to share among threads
            found = minimize(
                objective,
                np.zeros(objective.size),
                jac=True,
                method="L-BFGS-B",
                options=options,
                callback=lambda intermediate_result: self.loss_.append(float(intermediate_result.fun)),
            ).x
        self.entries_ = objective.entries
        self.weights_, self.transition_ = objective.parted(found)
        return self

    def _restore(self) -> None:
        """Rebuild the features of each word of the vocabulary."""
        self.__dict__.pop("_by_word", None)
        names = unpacked(self.feature_names_)
        self.features_ = WordFeatures(names, self.affixes).matrix(tokens_of(self.schema_).vocabulary, self.window)

    def _chain(self) -> Chain:
        return _chain(self.transition_)

    @cached_property
    def _by_word(self) -> Array:
        """Scores of each word at each place; made once, so that a single sentence takes no time."""
        coefficients = np.zeros((self.features_.shape[1], len(self.transition_)))
        coefficients.ravel()[self.entries_] = self.weights_
        found: Array = self.features_ @ coefficients
        return found

    def _scores(self, X: Ragged) -> Ragged:
        return Ragged(Window(self.features_, X, self.window).gathered(self._by_word), X.starts)

    def log_prob_target(self, X: Ragged, y: Ragged) -> Array:
        """Log p(y | x) of all tags of a sentence, (N sequences) each -> (N,) nats."""
        scores, chain = self._scores(X), self._chain()
        return chain.log_weight(scores, y) - chain.log_normaliser(scores)

    def predict_marginals(self, X: Ragged) -> Ragged:
        """p(tag | whole sentence) of each token, (total,) -> (total, K)."""
        return self._chain().posterior(self._scores(X)).marginals

    def predict(self, X: Ragged) -> Ragged:
        """Tag codes of each token, (total,) -> (total,) int64."""
        if self.decode == "viterbi":
            return self._chain().viterbi(self._scores(X))[0]
        return Ragged(self.predict_marginals(X).values.argmax(axis=1), X.starts)

    def transitions(self) -> dict[str, Any]:
        """Weights of each step between tags, with their names."""
        names = list(self.schema_.classes)
        return {"from": names, "to": names, "values": self.transition_.tolist(), "of": "weight"}

    def get_arrays(self) -> dict[str, Array]:
        """Weights and the places they belong to, transitions, names of the features."""
        return {name: getattr(self, f"{name}_") for name in _LEARNED}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`, on a model built with the same arguments and schema.

        Raises:
            ValueError: where names, shapes or places are not those of such a model.
        """
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, _LEARNED)
        k, n_features = self.schema_.n_classes, len(unpacked(arrays["feature_names"]))
        entries = check_shape(arrays, "entries", arrays["weights"].shape)
        if entries.size and not 0 <= entries.min() <= entries.max() < (2 * self.window + 1) * n_features * k:
            raise ValueError("array 'entries' holds places beyond the features of the window")
        self.transition_ = check_shape(arrays, "transition", (k, k))
        self.weights_, self.entries_, self.feature_names_ = arrays["weights"], entries, arrays["feature_names"]
        self._restore()


class Objective:
    """Penalised negative log-likelihood of tagged sequences, and its gradient, of a flat vector of weights.

    Tokens are kept in the order of the chain's layout, so that nothing is reordered between steps.

    Args:
        features: sparse, of `WordFeatures.matrix`.
        X, tags: token codes and tag codes (N sequences).
        radius: number of neighbours on each side.
        k: number of tags.
        C: inverse strength of the penalty.
    """

    def __init__(self, features: Any, X: Ragged, tags: Ragged, radius: int, k: int, C: float) -> None:
        self.layout = Layout(X.starts, k)
        self.window = Window(features, X, radius, self.layout.order)
        self.shape, self.C = (2 * radius + 1, features.shape[1] // (2 * radius + 1), k), C
        observed = self.window.gradient(np.eye(k)[self.layout.packed(tags.values)]).ravel()
        self.entries = np.flatnonzero(observed)
        self.observed = np.concatenate([observed[self.entries], step_counts(tags, k)[:k, :k].ravel()])
        self.size = len(self.observed)
        self.weights = np.zeros(self.shape)

    def parted(self, flat: Array) -> tuple[Array, Array]:
        """Weights (W,) of the features and transitions (K, K)."""
        k = self.shape[-1]
        return flat[: -k * k], flat[-k * k :].reshape(k, k)

    def __call__(self, flat: Array) -> tuple[float, Array]:
        """Value and gradient, (size,) -> nats, (size,)."""
        weights, transition = self.parted(flat)
        self.weights.ravel()[self.entries] = weights
        scores = self.window.scores(self.weights)
        log_normaliser, marginals, steps = _chain(transition).smooth(scores, self.layout)
        expected = np.concatenate([self.window.gradient(marginals).ravel()[self.entries], steps.ravel()])
        value = log_normaliser.sum() - flat @ self.observed + flat @ flat / (2 * self.C)
        return float(value), expected - self.observed + flat / self.C


def _chain(transition: Array) -> Chain:
    nothing = np.zeros(len(transition))
    return Chain(nothing, transition, nothing)
