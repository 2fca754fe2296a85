"""Densities of events given their class, exact or bounded, by one network for all classes; Bayes' rule over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.special import logsumexp
from torch import nn

from versus.arrays import Array, Labels
from versus.data.schema import Schema
from versus.models.bayes import GenerativeClassifier, class_log_prior
from versus.models.checks import classification_data


class ToldClass(GenerativeClassifier):
    """Mixin of a network that is told the class; what the classes share is learned once.

    It comes before the class that defines the network. p(y) is a buffer of the network.
    """

    schema_: Schema
    network_: Any
    _draw: ClassVar[Callable[..., Any]]

    @property
    def log_prior_(self) -> Array:
        """Log probability of each class (K,), nats."""
        prior: Array = self.network_.get_buffer("log_prior").double().cpu().numpy()
        return prior

    def _chosen(self, n: int, y: Labels | None, rng: np.random.Generator) -> Labels:
        """Return the classes ``y`` (n,) to draw events of, or ``n`` classes drawn from p(y).

        Raises:
            ValueError: where ``y`` has another length than ``n``.
        """
        prior = np.exp(self.log_prior_)
        labels = rng.choice(len(prior), n, p=prior / prior.sum()) if y is None else np.asarray(y, np.int64)
        if len(labels) != n:
            raise ValueError(f"y has {len(labels)} classes for n={n} events; one for each is needed")
        return labels

    def _n_conditions(self) -> int:
        return self.schema_.n_classes

    def _class_codes(self, X: Any, y: Array | None) -> Labels:
        """Class codes (N,), below 0 where unknown."""
        return classification_data(type(self).__name__, self.schema_, X, y)[1]

    def _build(self) -> Any:
        if self.schema_.y.task != "classification":
            raise ValueError(f"{type(self).__name__} needs classes, and the task is {self.schema_.y.task}")
        network: nn.Module = super()._build()  # type: ignore[misc]
        network.register_buffer("log_prior", torch.zeros(self.schema_.n_classes))
        return network

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        super()._learn_statistics(X, y, weights)  # type: ignore[misc]
        labels = self._class_codes(X, y)
        known = labels >= 0
        prior = class_log_prior(labels[known], self.schema_.n_classes, None if weights is None else weights[known])
        self.network_.get_buffer("log_prior").copy_(torch.from_numpy(prior))


class ConditionalDensity(ToldClass):
    """Mixin of an exact joint density p(x, y), from ``_log_probs(X, label)`` in nats and ``_draw(n, labels, rng)``."""

    _log_probs: ClassVar[Callable[..., Array]]

    def log_joint(self, X: Any) -> Array:
        """Log p(x, y) for every class, (N, *event) -> (N, K) nats."""
        conditional = [self._log_probs(X, label) for label in range(self.schema_.n_classes)]
        joint: Array = np.stack(conditional, axis=1) + self.log_prior_
        return joint

    def log_prob(self, X: Any) -> Array:
        """Log p(x), the log of the sum over y of p(x, y), (N, *event) -> (N,) nats."""
        marginal: Array = logsumexp(self.log_joint(X), axis=1)
        return marginal

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Any:
        """Draw ``n`` events (n, *event) in the raw space, of the classes ``y`` (n,), or of classes drawn from p(y).

        Raises:
            ValueError: where ``y`` has another length than ``n``.
        """
        rng = np.random.default_rng(random_state)
        return self._draw(n, self._chosen(n, y, rng), rng)


class ConditionalBound(ToldClass):
    """Mixin of a joint density p(x, y) known through ``log_joint(X)``, a lower bound, and ``_draw(n, y, seed)``."""

    _events: ClassVar[Callable[..., tuple[Array, ...]]]

    def elbo(self, X: Array) -> Array:
        """Lower bound of log p(x), summed over the classes, (N, *event) -> (N,) nats.

        Images dequantised, or integers, which stand for their middle. An event's estimate does not depend on the
        events beside it.
        """
        bound: Array = logsumexp(self.log_joint(X), axis=1)
        return bound

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Array:
        """Draw ``n`` events, (n, *event) in the raw space, of the classes ``y`` (n,), or of classes drawn from p(y).

        Raises:
            ValueError: where ``y`` has another length than ``n``.
        """
        drawn: Array = self._draw(n, self._chosen(n, y, np.random.default_rng(random_state)), random_state)
        return drawn

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        return (*self._events(X), self._class_codes(X, y))
