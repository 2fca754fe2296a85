r"""Logistic regression of each element's tag on those around it, without regard to the tags around it.

.. math:: p(y_i = k \mid x) = \operatorname{softmax}(s_i)_k

with linear scores s of a window of words or of rows of numbers and an L2 penalty, by L-BFGS: the partner of the hidden
Markov model that has features and no chain. Ratnaparkhi, "A maximum entropy model for part-of-speech tagging" (1996).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import log_softmax

from versus.arrays import Array, Ragged
from versus.models.checks import check_shape
from versus.models.window_tagger import WindowTagger

__all__ = ["TokenLogisticRegression"]


@dataclass(eq=False)
class TokenLogisticRegression(WindowTagger):
    """Multinomial logistic regression of tags on the features of an element and its neighbours.

    Learned: ``coefficients_`` (M, K), ``intercept_`` (K,), ``features_``.

    Args:
        tol: L-BFGS stops when the largest element of the mean loss's gradient is below this.
    """

    learned: ClassVar[tuple[str, ...]] = ("coefficients", "intercept")

    tol: float = 1e-4

    def fit(self, X: Ragged, y: Ragged | None = None) -> TokenLogisticRegression:
        """Learn from sequences X and tag codes y, both (N sequences).

        Raises:
            ValueError: where y is missing or does not fit X and the schema.
        """
        tags = self._learn_features(X, y)
        window, n, k = self.features_.window(X), len(X.values), self.schema_.n_classes
        observed = np.arange(n), tags.values

        def loss(flat: Array) -> tuple[float, Array]:
            """Mean negative log-likelihood with its penalty, and its gradient."""
            weights, intercept = flat[:-k].reshape(-1, k), flat[-k:]
            scores = window.scores(weights) + intercept
            scores -= scores.max(axis=1, keepdims=True)
            likely = scores[observed].sum()
            residuals = np.exp(scores, out=scores)
            sums = residuals.sum(axis=1, keepdims=True)
            residuals /= sums
            residuals[observed] -= 1
            value = np.log(sums).sum() - likely + flat[:-k] @ flat[:-k] / (2 * self.C)
            gradient = window.gradient(residuals) + weights / self.C
            return value / n, np.concatenate([gradient.ravel(), residuals.sum(axis=0)]) / n

        found = self._minimised(loss, self.features_.size * k + k, gtol=self.tol, ftol=0.0)
        self.coefficients_, self.intercept_ = found[:-k].reshape(-1, k), found[-k:]
        return self

    def coefficients(self) -> Array:
        """Weights of all features, (M, K)."""
        return self.coefficients_

    def predict_marginals(self, X: Ragged) -> Ragged:
        """p(tag | the elements around) of each element, (total, ...) -> (total, K)."""
        return Ragged(np.exp(log_softmax(self._scores(X).values + self.intercept_, axis=1)), X.starts)

    def _check(self, arrays: Mapping[str, Array]) -> None:
        check_shape(arrays, "coefficients", (self.features_.size, self.schema_.n_classes))
        check_shape(arrays, "intercept", (self.schema_.n_classes,))
