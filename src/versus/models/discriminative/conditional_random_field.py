r"""The linear-chain conditional random field: all tags of a sequence at once, given its words or rows of numbers.

.. math:: p(y \mid x) = \frac{1}{Z(x)} \exp\Bigl(\sum_t s_{t, y_t}(x) + \sum_{t > 1} T_{y_{t-1} y_t}\Bigr)

with linear scores s of a window of words (`versus.models.token_features`; beyond a sentence's ends it has a feature of
its own, by which the first and the last tag are scored) or of rows (`versus.models.series_features`), and an L2
penalty, by L-BFGS on the exact gradient: expected less observed features. As in CRFsuite there is a weight for each
feature and tag that occur together in training. Lafferty, McCallum and Pereira, "Conditional random fields" (2001); Sha
and Pereira, "Shallow parsing with conditional random fields" (2003).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from versus.arrays import Array, Ragged
from versus.models.arguments import Count
from versus.models.checks import check_shape
from versus.models.series_features import SeriesFeatures
from versus.models.token_features import WordFeatures
from versus.models.window_tagger import WindowTagger
from versus.numerics.chain_layouts import Layout
from versus.numerics.chains import Chain, step_counts

__all__ = ["ConditionalRandomField"]


@dataclass(eq=False)
class ConditionalRandomField(WindowTagger):
    """Tags scored by the features of an element and its neighbours, and by the tag before.

    Learned: ``weights_`` (W,) of the features, ``entries_`` (W,) their places in (M, K), ``transition_`` (K, K) of a
    step from the row's tag to the column's, ``features_``, ``loss_`` the penalised negative log-likelihood of the
    training data, nats, after each L-BFGS step.

    Args:
        tol: L-BFGS stops when a step lowers the loss by less than this share of it.
        decode: "viterbi" predicts the best sequence of tags, "posterior" the best tag of each element.
    """

    learned: ClassVar[tuple[str, ...]] = ("weights", "entries", "transition")

    window: Count = 2
    tol: float = 1e-5
    decode: Literal["viterbi", "posterior"] = "viterbi"

    def fit(self, X: Ragged, y: Ragged | None = None) -> ConditionalRandomField:
        """Learn from sequences X and tag codes y, both (N sequences).

        Raises:
            ValueError: where y is missing or does not fit X and the schema.
        """
        tags = self._learn_features(X, y)
        objective = Objective(self.features_, X, tags, self.schema_.n_classes, self.C)
        self.loss_: list[float] = []

        def note(intermediate_result: Any) -> None:
            self.loss_.append(float(intermediate_result.fun))

        found = self._minimised(objective, objective.size, ftol=self.tol, gtol=0.0, maxcor=6, callback=note)
        self.entries_ = objective.entries
        self.weights_, self.transition_ = objective.parted(found)
        return self

    def coefficients(self) -> Array:
        """Weights of all features, (M, K); 0 where a feature and a tag never occurred together."""
        found = np.zeros((self.features_.size, len(self.transition_)))
        found.ravel()[self.entries_] = self.weights_
        return found

    def _chain(self) -> Chain:
        return _chain(self.transition_)

    def log_prob_target(self, X: Ragged, y: Ragged) -> Array:
        """Log p(y | x) of all tags of a sequence, (N sequences) each -> (N,) nats."""
        scores, chain = self._scores(X), self._chain()
        return chain.log_weight(scores, y) - chain.log_normaliser(scores)

    def predict_marginals(self, X: Ragged) -> Ragged:
        """p(tag | whole sequence) of each element, (total, ...) -> (total, K)."""
        return self._chain().posterior(self._scores(X)).marginals

    def predict(self, X: Ragged) -> Ragged:
        """Tag codes of each element, (total, ...) -> (total,) int64."""
        return self._chain().viterbi(self._scores(X))[0] if self.decode == "viterbi" else super().predict(X)

    def transitions(self) -> dict[str, Any]:
        """Weights of each step between tags, with their names."""
        names = list(self.schema_.classes)
        return {"from": names, "to": names, "values": self.transition_.tolist(), "of": "weight"}

    def _check(self, arrays: Mapping[str, Array]) -> None:
        k, entries = self.schema_.n_classes, check_shape(arrays, "entries", arrays["weights"].shape)
        if entries.size and not 0 <= entries.min() <= entries.max() < self.features_.size * k:
            raise ValueError("array 'entries' holds places beyond the features of the window")
        check_shape(arrays, "transition", (k, k))


class Objective:
    """Penalised negative log-likelihood of tagged sequences, and its gradient, of a flat vector of weights.

    Elements are kept in the order of the chain's layout, so that nothing is reordered between steps.

    Args:
        features: of the elements of X.
        X, tags: sequences and their tag codes (N sequences).
        k: number of tags.
        C: inverse strength of the penalty.
    """

    def __init__(self, features: WordFeatures | SeriesFeatures, X: Ragged, tags: Ragged, k: int, C: float) -> None:
        self.layout = Layout(X.starts, k)
        self.window = features.window(X, self.layout.order)
        self.shape, self.C = (features.size, k), C
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
