r"""Predictions of a number whose distribution given x is a mixture of normals.

.. math:: p(y \mid x) = \sum_k w_k(x) \, N(y; m_k(x), s_k(x)^2)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logsumexp, ndtr, ndtri

from versus.arrays import Array

_HALVINGS = 60  # of the bracket: what is left is below the last digit of a float64


class PredictsByMixture:
    """Mixin of a regression with one hook, ``condition(X)``: p(y | x) as K normals for each row."""

    def condition(self, X: Array) -> tuple[Array, Array, Array]:
        """Log-weights, means and standard deviations of the normals, (N, *event) -> (N, K) each."""
        raise NotImplementedError

    def predict(self, X: Array) -> Array:
        """The conditional mean E[y | x], (N, *event) -> (N,)."""
        log_weights, means, _ = self.condition(X)
        expected: Array = (np.exp(log_weights) * means).sum(axis=1)
        return expected

    def predict_interval(self, X: Array, coverage: float) -> Array:
        """Central interval that holds y with probability ``coverage``, between 0 and 1, (N, *event) -> (N, 2)."""
        if not 0 < coverage < 1:
            raise ValueError(f"coverage={coverage!r}; a probability between 0 and 1 is needed")
        log_weights, means, deviations = self.condition(X)
        levels = (0.5 - coverage / 2, 0.5 + coverage / 2)
        bounds = [mixture_quantile(level, np.exp(log_weights), means, deviations) for level in levels]
        return np.stack(bounds, axis=1)

    def log_prob_target(self, X: Array, y: Array) -> Array:
        """Log p(y | x), (N, *event) and (N,) -> (N,) nats."""
        log_weights, means, deviations = self.condition(X)
        standardised = (np.asarray(y)[:, None] - means) / deviations
        components = log_weights - 0.5 * standardised**2 - np.log(deviations * np.sqrt(2 * np.pi))
        return np.asarray(logsumexp(components, axis=1))

    def sample_pairs(self, n: int, random_state: int | None = None) -> tuple[Array, Array]:
        """Draw ``n`` pairs: features (n, *event) and targets (n,)."""
        raise NotImplementedError

    def sample(self, n: int, y: Any = None, random_state: int | None = None) -> Array:
        """Draw the features of ``n`` events, (n, *event); `sample_pairs` gives their targets too.

        Raises:
            ValueError: where ``y`` is given: targets are drawn, not chosen.
        """
        if y is not None:
            raise ValueError("y is drawn together with x; leave it out, and see sample_pairs")
        return self.sample_pairs(n, random_state)[0]


def target_values(model: str, X: Array, y: Array | None) -> Array:
    """Return the target (N,) as float64.

    Raises:
        ValueError: naming ``model``, where y is missing or has another length than X.
    """
    if y is None or np.shape(y) != (len(X),):
        raise ValueError(f"{model}.fit needs y: a number for each of the {len(X)} rows of X")
    return np.asarray(y, dtype=np.float64)


def mixture_quantile(level: float, weights: Array, means: Array, deviations: Array) -> Array:
    """The quantile at ``level`` of N mixtures of K normals each, all arguments (N, K) -> (N,).

    Computed by bisection between the least and the greatest of the components' own quantiles, which enclose it.
    """
    own = means + deviations * ndtri(level)
    low, high = own.min(axis=1), own.max(axis=1)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = (weights * ndtr((middle[:, None] - means) / deviations)).sum(axis=1) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    quantile: Array = 0.5 * (low + high)
    return quantile
