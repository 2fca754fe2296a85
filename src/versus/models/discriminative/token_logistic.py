r"""Logistic regression of each token's tag on the words around it, without regard to the tags around it.

.. math:: p(y_i = k \mid x) = \operatorname{softmax}(s_i)_k

with linear scores s of a window of words (`versus.models.token_features`) and an L2 penalty, by L-BFGS: the partner of
the hidden Markov model that has features and no chain. Ratnaparkhi, "A maximum entropy model for part-of-speech
tagging" (1996); Liu and Nocedal, "On the limited memory BFGS method" (1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import log_softmax

from versus.arrays import Array, Ragged
from versus.models.arguments import Between, Count, Model, Positive, SearchSpace
from versus.models.checks import check_names, check_shape, restored_schema, tagging_data, tokens_of
from versus.models.estimator import limited
from versus.models.token_features import Window, WordFeatures
from versus.models.word_forms import packed, unpacked

__all__ = ["TokenLogisticRegression"]


@dataclass(eq=False)
class TokenLogisticRegression(Model):
    """Multinomial logistic regression of tags on forms, affixes and shapes of a token and its neighbours.

    Learned: ``coefficients_`` (2 window + 1, F, K), ``intercept_`` (K,), ``feature_names_``.

    Args:
        C: inverse strength of the penalty.
        window: number of neighbours on each side.
        affixes: the longest prefix and suffix that are features.
        min_df: number of training tokens that must have a feature.
        max_iter: maximum number of L-BFGS steps.
        tol: L-BFGS stops when the largest element of the mean loss's gradient is below this.
    """

    search_space: ClassVar[SearchSpace] = {"C": Between(1e-2, 1e2)}

    late_imports = ("scipy.optimize", "sklearn.utils")

    C: Positive = 1.0
    window: int = 1
    affixes: int = 4
    min_df: Count = 1
    max_iter: Count = 100
    tol: float = 1e-4

    def fit(self, X: Ragged, y: Ragged | None = None) -> TokenLogisticRegression:
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
        window, n, k = self._windows(X), len(X.values), self.schema_.n_classes
        shape = (2 * self.window + 1, len(features.names), k)
        observed = np.arange(n), tags.values

        def loss(flat: Array) -> tuple[float, Array]:
            """Mean negative log-likelihood with its penalty, and its gradient."""
            weights, intercept = flat[:-k].reshape(shape), flat[-k:]
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

        start = np.zeros(int(np.prod(shape)) + k)
        options = {"maxiter": self.max_iter, "gtol": self.tol, "ftol": 0.0}
        with limited(1):  # its vectors are too short to share among threads
            found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
        self.coefficients_, self.intercept_ = found[:-k].reshape(shape), found[-k:]
        return self

    def _restore(self) -> None:
        """Rebuild the features of each word of the vocabulary."""
        names = unpacked(self.feature_names_)
        self.features_ = WordFeatures(names, self.affixes).matrix(tokens_of(self.schema_).vocabulary, self.window)

    def _windows(self, X: Ragged) -> Window:
        return Window(self.features_, X, self.window)

    def predict_marginals(self, X: Ragged) -> Ragged:
        """p(tag | the words around) of each token, (total,) -> (total, K)."""
        scores = self._windows(X).scores(self.coefficients_) + self.intercept_
        return Ragged(np.exp(log_softmax(scores, axis=1)), X.starts)

    def predict(self, X: Ragged) -> Ragged:
        """The most probable tag of each token, (total,) -> (total,) int64."""
        return Ragged(self.predict_marginals(X).values.argmax(axis=1), X.starts)

    def get_arrays(self) -> dict[str, Array]:
        """Coefficients, intercept and the names of the features."""
        names = ("coefficients", "intercept", "feature_names")
        return {name: getattr(self, f"{name}_") for name in names}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`, on a model built with the same arguments and schema.

        Raises:
            ValueError: where names or shapes are not those of such a model.
        """
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, ("coefficients", "intercept", "feature_names"))
        k, n_features = self.schema_.n_classes, len(unpacked(arrays["feature_names"]))
        self.intercept_ = check_shape(arrays, "intercept", (k,))
        self.coefficients_ = check_shape(arrays, "coefficients", (2 * self.window + 1, n_features, k))
        self.feature_names_ = arrays["feature_names"]
        self._restore()
